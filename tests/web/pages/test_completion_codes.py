"""The pages of completion codes: listed, made, changed, retired; viewers only look."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.db.database import Database
from outrider.licences import division_store
from outrider.web.pages import completion_codes
from support.accessible import faults_of
from support.furnished import Form, with_rules
from support.web import Site, open_site

MOVED = {
    "name": "moved_away",
    "label": "Moved away",
    "effect": "retry",
    "retry_after": "90",
    "shortcut": "v",
    "position": "0",
}


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    routers = [completion_codes.router]
    with open_site(sqlite_database, tmp_path, routers, change=with_rules) as opened:
        opened.user("root")
        opened.database.write_now(division_store.ensure_defaults, opened.clock.now())
        yield opened


def test_a_code_is_made_changed_and_retired_by_forms(site: Site) -> None:
    form = Form(site.as_user("root"))
    assert faults_of(form.page("/completion-codes")) == []
    assert faults_of(form.page("/completion-codes/new")) == []
    assert form.send("/completion-codes/new", **MOVED) == "/completion-codes"
    page = form.page("/completion-codes")
    assert "Moved away" in page
    assert "after 90 min" in page
    address = next(
        part.split('"')[0] for part in page.split('href="') if part.startswith("/completion-codes/8")
    )
    assert 'value="90"' in form.page(address)
    form.send(address, **{**MOVED, "label": "Gone", "effect": "done"})
    assert "Gone" in form.page("/completion-codes")
    form.send(f"{address}/retire")
    assert "moved_away" not in form.page("/completion-codes")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "Moved Away"}, "use small letters"),
        ({"shortcut": "s"}, "is that of sale"),
        ({"retry_after": ""}, "say after how many seconds"),
        ({"retry_after": "soon"}, "give a whole number"),
        ({"effect": "x"}, "choose what follows"),
    ],
)
def test_the_form_comes_back_with_the_mistake(site: Site, change: dict[str, str], told: str) -> None:
    page = Form(site.as_user("root")).send("/completion-codes/new", 422, **{**MOVED, **change})
    assert told in page
    assert faults_of(page) == []
    assert 'value="Moved away"' in page
