"""The pages of media servers: table, form, check, drain, and the live stream, over an empty system."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from outrider.db.database import Database
from outrider.db.sealed import Sealer
from outrider.ids import ZoneId
from outrider.media import placing, service
from outrider.media.checking import Finding, Level, ServerCheck
from outrider.media.model import Connection, SeenAs
from outrider.web.pages import media
from support.accessible import faults_of
from support.browser import open_browser
from support.furnished import Form
from support.media import SEALER, SECRET, connected, make_system, tell
from support.server import run_server
from support.web import PASSWORD, START, Site, open_site

GOOD = {
    "name": "north",
    "url": "http://10.0.0.5:8088",
    "username": "ari",
    "secret": SECRET,
    "trunk": "PJSIP/{number}@trunk",
    "maximum_ports": "20",
    "weight": "2",
    "enabled": "true",
}


async def check(_: Connection) -> tuple[Finding, ...]:
    return (
        Finding(Level.OK, "connection", "Asterisk 22.10.1 answers"),
        Finding(Level.WARNING, "modules", "module res_speech is not loaded"),
        Finding(Level.ERROR, "trunk", "there is no PJSIP endpoint 'trunk': compare it with pjsip.conf"),
    )


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    make_system(sqlite_database, START, 60)
    parts = {Sealer: SEALER, ServerCheck: ServerCheck(check)}
    with open_site(
        sqlite_database, tmp_path, (media.router,), change=lambda edge: replace(edge, parts=parts)
    ) as opened:
        opened.user("root")
        yield opened


@pytest.fixture
def form(site: Site) -> Form:
    return Form(site.as_user("root"))


def test_a_media_server_is_registered_and_changed(site: Site, form: Form) -> None:
    page = form.page("/media")
    assert "There is no media server yet" in page
    assert faults_of(page) == []
    assert faults_of(form.page("/media/new")) == []
    address = form.send("/media/new", **GOOD)
    page = form.page(address)
    assert faults_of(page) == []
    assert SECRET not in page
    assert "Not connected yet" in page
    (server,) = site.database.read_now(service.servers)
    assert (server.maximum_ports, server.weight, server.originations_per_second) == (20, 2, None)
    assert form.send(address, **{**GOOD, "secret": "", "originations_per_second": "2.5"}) == address
    (server,) = site.database.read_now(service.servers)
    assert server.originations_per_second == 2.5
    assert 'value="2.5"' in form.page(address)
    assert form.send(address, **{**GOOD, "secret": "", "enabled": ""}) == address
    assert "Switched off" in form.page("/media")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "a/b", "cannot be in a name"),
        ("url", "10.0.0.5", "address of the server"),
        ("secret", "", "Secret: give 1 to"),
        ("trunk", "x", "where the number goes"),
        ("maximum_ports", "many", "give a whole number"),
        ("originations_per_second", "fast", "give a number"),
    ],
)
def test_a_mistake_is_told_at_its_field(form: Form, field: str, value: str, words: str) -> None:
    page = form.send("/media/new", 422, **{**GOOD, field: value})
    assert words in page
    assert f'id="error-{field}"' in page
    assert SECRET not in page
    assert faults_of(page) == []


def test_drain_check_and_remove(site: Site, form: Form) -> None:
    server = connected(site.database, START, "north")
    assert form.send(f"/media/{server}/drain", draining="true") == "/media"
    assert "Draining" in form.page("/media")
    page = form.send(f"/media/{server}/check", 200)
    assert "compare it with pjsip.conf" in page
    assert faults_of(page) == []
    assert form.send(f"/media/{server}/remove") == "/media"
    assert "There is no media server yet" in form.page("/media")
    form.page(f"/media/{server}", 404)


def test_only_administrators_of_the_system_see_them(site: Site) -> None:
    site.user("ada", organization_id=site.organization("acme"))
    form = Form(site.as_user("ada"))
    for path in ("/media", "/media/new", "/media/stream"):
        form.page(path, 403)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_live(site: Site, browser: Browser, tmp_path: Path, width: int) -> None:
    zone = make_zone(site)
    with run_server(site.app, site.edge.news) as server:
        context = browser.new_context(viewport={"width": width, "height": 800})
        page = context.new_page()
        mistakes: list[str] = []
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.goto(f"{server.address}/sign-in")
        page.get_by_label("User name").fill("root")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.goto(f"{server.address}/media")
        expect(page.locator("#live")).to_have_text("Live")
        rows = page.locator("#media-servers tbody tr")
        expect(rows).to_have_count(3)
        site.database.write_now(placing.place, zone, 33, START)
        expect(page.locator("#media-servers .pool__sum").first).to_contain_text("33 of 60 SIP ports in use")
        rows.first.get_by_role("button", name="Drain").click()
        expect(rows.first).to_contain_text("Draining")
        tell(site.database, START, 2, SeenAs.GONE)
        expect(rows.nth(1)).to_contain_text("Failed")
        expect(rows.nth(1)).to_contain_text("Port closed.")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.screenshot(path=tmp_path / f"media-{width}.png", full_page=True)
        page.goto(f"{server.address}/media/1")
        page.get_by_role("button", name="Check now").click()
        expect(page.locator("#check-result")).to_contain_text("compare it with pjsip.conf")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.screenshot(path=tmp_path / f"server-{width}.png", full_page=True)
        assert mistakes == []
        context.close()


def make_zone(site: Site) -> ZoneId:
    """Register three media servers."""
    for number, name in enumerate(("north-1", "north-2", "south-1"), 1):
        connected(site.database, START, name, weight=number, maximum_ports=40, caller_id="+4930123456")
    zone = site.database.read_now(service.servers)[0].zone_id
    assert zone is not None
    return zone
