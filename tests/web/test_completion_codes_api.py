"""The REST API of completion codes: what an organization begins with, and what supervisors make of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.db.database import Database
from outrider.licences import division_store
from support.composed import NOON, Composed, composed
from support.databases import sqlite_url

ADDRESS = "/api/completion-codes"
BUSY = {"name": "moved_away", "label": "Moved away", "effect": "retry", "retry_after": 600, "shortcut": "V"}


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Composed]:
    with sqlite_url(tmp_path) as url:
        database = Database(url, connections=4)
        with composed(database, tmp_path) as made:
            yield made
        database.close()


def test_every_organization_begins_with_codes_of_its_own(system: Composed) -> None:
    acme, rival = (system.of(each, "vic").get(ADDRESS).json() for each in (system.acme, system.rival))
    assert [each["name"] for each in acme] == [
        "sale",
        "not_interested",
        "call_back",
        "nobody_there",
        "machine_answered",
        "wrong_number",
        "do_not_call",
    ]
    assert [each["name"] for each in rival] == [each["name"] for each in acme]
    assert not {each["id"] for each in acme} & {each["id"] for each in rival}
    assert {each["effect"] for each in acme} == {"done", "retry", "callback", "do_not_contact"}


def test_what_was_retired_or_changed_stays_so_over_a_start(system: Composed) -> None:
    root = system.root("sue")
    sale, other, *_ = root.get(ADDRESS).json()
    assert root.delete(f"{ADDRESS}/{sale['id']}").status_code == 204
    changed = root.patch(f"{ADDRESS}/{other['id']}", json={"label": "No, thanks"}).json()
    system.database.write_now(division_store.ensure_defaults, NOON)
    after = root.get(ADDRESS).json()
    assert sale["id"] not in {each["id"] for each in after}
    assert changed in after


def test_a_code_is_made_changed_and_retired(system: Composed) -> None:
    sue = system.of(system.acme, "sue")
    made = sue.post(ADDRESS, json=BUSY)
    assert made.status_code == 201
    code = made.json()
    assert (code["shortcut"], code["retry_after"], code["position"]) == ("v", 600.0, 80)
    assert sue.get(ADDRESS).json()[-1] == code
    changed = sue.patch(f"{ADDRESS}/{code['id']}", json={"effect": "done", "position": 1}).json()
    assert (changed["effect"], changed["retry_after"], changed["name"]) == ("done", None, "moved_away")
    assert sue.get(ADDRESS).json()[0] == changed
    assert sue.delete(f"{ADDRESS}/{code['id']}").status_code == 204
    assert sue.get(f"{ADDRESS}/{code['id']}").status_code == 404
    again = sue.post(ADDRESS, json=BUSY).json()
    assert (again["id"], again["effect"]) == (code["id"], "retry")


@pytest.mark.parametrize(
    ("change", "status", "where"),
    [
        ({"name": "Moved"}, 422, "name: use small letters"),
        ({"name": "busy"}, 422, "name: busy is an outcome"),
        ({"name": "sale"}, 409, "already"),
        ({"shortcut": "s"}, 409, "is that of sale"),
        ({"shortcut": "?"}, 422, "shortcut: use one letter"),
        ({"effect": "done"}, 422, "retry_after: only a code"),
        ({"retry_after": None}, 422, "retry_after: say after how many seconds"),
        ({"retry_after": -1}, 422, "retry_after"),
        ({"effect": "explode"}, 422, "effect"),
        ({"pet": "dog"}, 422, "pet"),
    ],
)
def test_mistakes_name_the_field(
    system: Composed, change: dict[str, object], status: int, where: str
) -> None:
    sue = system.of(system.acme, "sue")
    refused = sue.post(ADDRESS, json={**BUSY, **change})
    assert refused.status_code == status
    assert where in refused.json()["detail"]
    assert len(sue.get(ADDRESS).json()) == 7
