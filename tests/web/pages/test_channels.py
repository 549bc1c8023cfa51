"""The page and API of channels: what is configured, how it stands, and the button that tries it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from outrider.channel_reports import api, service
from outrider.channel_reports import store as report_store
from outrider.channel_reports.checking import ChannelChecks
from outrider.channel_reports.model import Kind, Report, Sight, Way
from outrider.clock import RealClock
from outrider.db.database import Database, Tx
from outrider.errors import NotFoundError
from outrider.licences import division_store
from outrider.media.checking import Finding, Level
from outrider.people.model import Role
from outrider.runtime import store
from outrider.web.pages import channels
from support.accessible import faults_of
from support.browser import open_browser, signed_in
from support.furnished import Form
from support.server import run_server
from support.web import Site, open_site

WAYS = (
    Way("carrier", Kind.CARRIER, "Carrier", "Simulated, inside this process"),
    Way("email", Kind.EMAIL, "Mail server", "mail.example.org:587 as out, STARTTLS"),
    Way("sms.main", Kind.SMS, "main", "10.0.0.9:2775 as outrider, transceiver"),
    Way("webhooks", Kind.WEBHOOKS, "Webhooks", "Secrets for headers: crm", checkable=False),
)


async def run(key: str) -> tuple[Finding, ...]:
    if key not in {"email", "sms.main"}:
        raise NotFoundError(f"there is no channel {key!r} that could be tried")
    return (
        Finding(Level.OK, "name", "mail.example.org is 192.0.2.5"),
        Finding(Level.ERROR, "sign-in", f"{key} refuses the user name 'out' or its password: <535>"),
    )


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    clock = RealClock()
    sqlite_database.write_now(division_store.ensure_defaults, clock.now())
    with open_site(
        sqlite_database,
        tmp_path,
        (channels.router, api.router),
        clock=clock,
        change=lambda edge: replace(edge, parts={ChannelChecks: ChannelChecks(WAYS, run)}),
    ) as opened:
        opened.user("root")
        opened.user("sue", Role.SUPERVISOR)
        yield opened


def tell(site: Site, *reports: Report) -> None:
    now = RealClock().now()

    def write(tx: Tx) -> None:
        if not report_store.is_worker(tx, "w"):
            store.add_worker(tx, "w", "w", now, now.replace(year=now.year + 1))
        service.tell(tx, "w", reports, (), now)

    site.database.write_now(write)


def test_the_page_says_what_is_configured_and_how_it_stands(site: Site) -> None:
    form = Form(site.as_user("root"))
    page = form.page("/channels")
    assert faults_of(page) == []
    for text in ("Simulated, inside this process", "mail.example.org:587", "Secrets for headers: crm"):
        assert text in page
    assert page.count("Not tried yet") == 3
    tell(site, Report("email", Sight.FAILING, ("nothing listens on <b>",)), Report("carrier", Sight.WORKING))
    page = form.page("/channels")
    assert faults_of(page) == []
    assert "Nothing listens on &lt;b&gt;." in page
    assert page.count("Failing") == 1
    assert page.count("Try it") == 3


def test_a_way_out_is_tried_with_and_without_script(site: Site) -> None:
    form = Form(site.as_user("root"))
    token = form.api.get("/api/session").json()["csrf_token"]
    for headers in ({}, {"hx-request": "true"}):
        answer = form.api.post(
            "/channels/sms.main/check", data={"csrf_token": token}, headers={"accept": "text/html", **headers}
        )
        assert answer.status_code == 200
        assert "Sms.main refuses the user name &#39;out&#39; or its password: &lt;535&gt;." in answer.text
        assert ("<h1>" in answer.text) is not bool(headers)


def test_the_api(site: Site) -> None:
    api = site.as_user("root")
    tell(site, Report("sms.main", Sight.FAILING, ("the password is wrong",)))
    (found,) = [each for each in api.get("/api/channels").json() if each["channel"] == "sms.main"]
    assert (found["sight"], found["sentences"], found["workers"]) == ("failing", ["the password is wrong"], 1)
    checked = api.post("/api/channels/email/check").json()
    assert [each["level"] for each in checked] == ["ok", "error"]
    assert api.post("/api/channels/sms.none/check").status_code == 404
    assert api.post("/api/channels/NO-key/check").status_code == 422
    sue = site.as_user("sue")
    assert sue.get("/api/channels").status_code == 403
    assert sue.post("/api/channels/email/check").status_code == 403
    assert sue.get("/channels", headers={"accept": "text/html"}).status_code == 403


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def test_what_a_try_has_found_stays_while_the_page_follows_the_workers(site: Site, browser: Browser) -> None:
    viewport = {"width": 390, "height": 800}
    with (
        run_server(site.app, site.edge.news) as server,
        signed_in(browser, server.address, "root", viewport=viewport) as page,
    ):
        page.goto("/channels")
        page.get_by_role("button", name="Try Mail server").click()
        found = page.locator("#found-email")
        expect(found).to_contain_text("refuses the user name")
        tell(site, Report("email", Sight.FAILING, ("the certificate has expired",)))
        expect(page.locator("#channel-email")).to_contain_text("The certificate has expired.")
        expect(found).to_contain_text("refuses the user name")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
