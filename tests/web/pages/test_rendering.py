"""Every page renders for each role that may see it, is accessible, and shows only one's own."""

import re

import pytest

from outrider.jobs.model import JobCommand
from support.accessible import faults_of
from support.furnished import Form, Furnished
from support.web import Site

READABLE = (
    "/",
    "/licences",
    "/history",
    "/platform",
    "/account",
    "/contacts",
    "/strategies",
    "/campaigns",
    "/jobs",
    "/contacts/lists/1",
    "/strategies/1",
    "/campaigns/1",
    "/jobs/1",
    "/tasks/1/why",
    "/tasks/1/why?priority=3&more=10",
    "/contacts/lists/1/imports",
)
WRITING = ("/strategies/new", "/strategies/new?template=email", "/strategies/new?from=1", "/campaigns/new")
FOREIGN = (
    "/contacts/lists/{list}",
    "/strategies/{strategy}",
    "/campaigns/{campaign}",
    "/jobs/{job}",
    "/jobs/{job}/chart",
    "/tasks/{task}/why",
    "/history?pool={pool}",
    "/contacts/lists/{list}/imports",
)


@pytest.mark.parametrize("user", ["root", "ada", "sam", "vera"])
def test_pages_render_and_are_accessible(furnished: Furnished, user: str) -> None:
    form = furnished.form(user)
    pages = READABLE + (WRITING if user in {"root", "ada"} else ())
    faults = {path: found for path in pages if (found := faults_of(form.page(path)))}
    assert faults == {}


@pytest.mark.parametrize("path", [*READABLE[:9], "/strategies/new", "/campaigns/new"])
def test_an_empty_system_leads_the_newcomer(site: Site, path: str) -> None:
    page = Form(site.as_user("root")).page(path)
    assert faults_of(page) == []
    assert "No licence is loaded." in page


def test_the_board_of_a_newcomer_shows_the_next_step(site: Site) -> None:
    page = Form(site.as_user("root")).page("/")
    assert "Load a licence file" in page
    assert page.count("step--next") == 1


def test_strangers_are_led_to_sign_in(site: Site) -> None:
    for path in READABLE:
        response = site.api().get(path, headers={"accept": "text/html"})
        assert response.status_code == 303, path
        assert response.headers["location"].startswith("/sign-in?next="), path


@pytest.mark.parametrize("path", WRITING)
def test_only_administrators_write_strategies_and_campaigns(furnished: Furnished, path: str) -> None:
    assert "administrator" in furnished.form("sam").page(path, 403)


def test_viewers_see_numbers_and_no_controls(furnished: Furnished) -> None:
    page = furnished.form("vera").page("/")
    assert "data-inplace" not in page
    assert "/commands/" not in page
    assert re.search(r'data-quota="\d+">\d+</a>', page)
    assert 'type="file"' not in furnished.form("vera").page("/contacts/lists/1")


@pytest.mark.parametrize("path", FOREIGN)
def test_other_organizations_do_not_exist(furnished: Furnished, path: str) -> None:
    task = furnished.task(furnished.foreign)
    address = path.format(
        list=2,
        strategy=furnished.foreign.strategy_id,
        campaign=furnished.foreign.campaign_id,
        job=furnished.foreign.id,
        task=task.id,
        pool=task.pool_id,
    )
    furnished.form("sam").page(address, 404)
    furnished.form("nils").page(address, 200)


def test_lists_of_records_hold_ones_own_only(furnished: Furnished) -> None:
    for path in ("/", "/campaigns", "/strategies", "/contacts", "/jobs", "/history", "/licences"):
        page = furnished.form("sam").page(path)
        assert "Outage" not in page, path
        assert "Strangers" not in page, path
        assert "Nordic" not in page, path


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/tasks/{task}/limits", {"priority": "3"}),
        ("/jobs/{job}/commands/stop", {}),
        ("/campaigns/{campaign}/start", {}),
        ("/campaigns/{campaign}", {"name": "x"}),
        ("/campaigns/{campaign}/delete", {}),
        ("/strategies/{strategy}", {"source": "x"}),
        ("/strategies/{strategy}/delete", {}),
        ("/contacts/lists/2/rename", {"name": "x"}),
        ("/contacts/lists/2/delete", {}),
        ("/contacts/lists/2/preview", {}),
        ("/contacts/imports/2/cancel", {}),
    ],
)
def test_other_organizations_cannot_be_changed(
    furnished: Furnished, path: str, fields: dict[str, str]
) -> None:
    before = furnished.site.as_user("root").get("/api/board").json()["jobs"]
    address = path.format(
        task=furnished.task(furnished.foreign).id,
        job=furnished.foreign.id,
        campaign=furnished.foreign.campaign_id,
        strategy=furnished.foreign.strategy_id,
    )
    page = furnished.form("ada").send(address, 404, **fields)
    assert "there is no" in page.lower()
    assert furnished.site.as_user("root").get("/api/board").json()["jobs"] == before


@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("vera", "/tasks/1/limits"),
        ("vera", "/jobs/1/commands/pause"),
        ("vera", "/campaigns/4/start"),
        ("vera", "/contacts/lists"),
        ("sam", "/campaigns"),
        ("sam", "/strategies"),
        ("sam", "/licences/numbers"),
        ("ada", "/licences/numbers"),
        ("ada", "/licences/files"),
        ("ada", "/licences/zones"),
        ("ada", "/licences/organizations/delete"),
    ],
)
def test_roles_are_asked_of_every_form(furnished: Furnished, user: str, path: str) -> None:
    fields = {"zone": "default", "kind": "outbound_ports", "name": "x"}
    furnished.form(user).send(path, 403, **fields)


def test_forms_without_the_token_are_refused(furnished: Furnished) -> None:
    form = furnished.form("sam")
    form.token = "wrong"
    furnished.console.command(furnished.important.id, JobCommand.PAUSE)
    assert "CSRF" in form.send(f"/jobs/{furnished.important.id}/commands/resume", 403)


def test_text_of_people_is_escaped(furnished: Furnished) -> None:
    name = "<script>alert(1)</script>"
    furnished.console.call_campaign(furnished.harbour, name[:40], furnished.people.id)
    for path in ("/", "/campaigns", "/strategies"):
        page = furnished.form("ada").page(path)
        assert "<script>alert" not in page, path
        assert "&lt;script&gt;alert" in page, path
