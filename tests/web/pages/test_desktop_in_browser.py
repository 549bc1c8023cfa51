"""The agent's desktop in a real browser, over the Agent Web API: a call from login to logout, by keyboard."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete, insert

from outrider.agents import actions
from outrider.agents.commands import WrapUp
from outrider.campaigns.strategy_agents import AgentMode, CallbackKind
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.web.pages import desktop
from support.accessible import faults_of
from support.browser import open_browser, signed_in
from support.desk_site import DeskSite, desk_site, serving
from support.floor_play import task


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path) -> Iterator[DeskSite]:
    with desk_site(sqlite_database, tmp_path, [desktop.router]) as made:
        made.site.database.write_now(codes, made.organization_id)
        yield made


def codes(tx: Tx, organization_id: int) -> None:
    """Let the organization have these completion codes, and no others."""
    tx.execute(delete(schema.completion_codes))
    rows = [
        ("sale", "Sale", "done", "s"),
        ("no", "No interest", "done", ""),
        ("later", "Call later", "callback", "l"),
    ]
    for position, (name, label, effect, shortcut) in enumerate(rows):
        tx.execute(
            insert(schema.completion_codes).values(
                organization_id=organization_id,
                name=name,
                label=label,
                effect=effect,
                shortcut=shortcut,
                position=position,
            )
        )


class Running:
    """The server on a loop in a thread of its own; `act` lets things happen on its floor."""

    def __init__(self, desk: DeskSite) -> None:
        self._desk = desk
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()))
        self.address = ""

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        async with serving(self._desk.site) as self.address:
            self._ready.set()
            await self._stop.wait()

    def act(self, what: Callable[[], object]) -> None:
        """Let something happen on the floor."""

        async def work() -> None:
            what()

        asyncio.run_coroutine_threadsafe(work(), self._loop).result()


@pytest.fixture
def running(desk: DeskSite) -> Iterator[Running]:
    with Running(desk) as served:
        yield served


@pytest.fixture
def page(browser: Browser, desk: DeskSite, running: Running) -> Iterator[Page]:
    """Give the desktop of Ann; what goes wrong in it fails the test."""
    desk.agent("ann")
    viewport = {"width": 1280, "height": 800}
    options = {"viewport": viewport, "timezone_id": "Europe/Berlin"}
    with signed_in(browser, running.address, "ann", **options) as opened:
        yield opened


def log_in(page: Page) -> None:
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#state")).to_have_text("Ready")
    expect(page.locator("#nail-up")).to_have_text("connected")
    expect(page.locator("#seat")).to_contain_text("campaign 1")


def test_one_call_is_taken_and_wrapped_up_by_keyboard(page: Page, desk: DeskSite, running: Running) -> None:
    log_in(page)
    running.act(lambda: desk.desk.answer("call-a"))
    expect(page.locator("#state")).to_have_text("Talking")
    expect(page.locator("#contact-title")).to_have_text("+442079460001")
    expect(page.locator("#facts")).to_contain_text("Ada")
    expect(page.locator("#script")).to_have_text("Good morning, Ada.")
    expect(page.locator("#told")).to_contain_text("Talking")
    page.keyboard.press("h")
    expect(page.locator("#state")).to_have_text("On hold")
    page.keyboard.press("h")
    expect(page.locator("#state")).to_have_text("Talking")
    page.get_by_label("Note").fill("Wants two.")
    page.locator("#contact-title").click()
    page.keyboard.press("e")
    expect(page.locator("#state")).to_have_text("Wrap-up")
    expect(page.locator("#count")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("Wants two.")
    page.keyboard.press("s")
    expect(page.locator("#done")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("Ready")
    expect(page.locator("#wrap-up")).to_be_hidden()
    completed = [each for each in desk.desk.carried_out if isinstance(each, actions.Complete)]
    assert [(each.code, each.note) for each in completed] == [("sale", "Wants two.")]
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_callback_is_promised_at_a_time_of_the_contact(
    page: Page, desk: DeskSite, running: Running
) -> None:
    log_in(page)
    running.act(lambda: desk.desk.answer("call-a", {"may_callback": ["strict_agent", "campaign"]}))
    expect(page.locator("#state")).to_have_text("Talking")
    running.act(lambda: desk.desk.end("call-a"))
    expect(page.locator("#state")).to_have_text("Wrap-up")
    page.keyboard.press("l")
    expect(page.locator("#callback")).to_be_visible()
    page.locator("#callback-date").fill("2026-07-14")
    page.locator("#callback-time").fill("09:30")
    expect(page.locator("#callback-zone")).to_contain_text("Europe/London")
    expect(page.locator("#callback-zone")).to_contain_text("10:30")
    page.locator("#done").click()
    expect(page.locator("#state")).to_have_text("Ready")
    (wrap_up,) = [each for _, each in desk.desk.commands if isinstance(each, WrapUp)]
    assert wrap_up.callback is not None
    # Half past nine of British summer time.
    assert wrap_up.callback.at.isoformat() == "2026-07-14T08:30:00+00:00"
    assert (wrap_up.callback.kind, wrap_up.callback.time_zone) == (CallbackKind.STRICT_AGENT, "Europe/London")


def test_a_card_is_looked_at_called_and_consulted_about(page: Page, desk: DeskSite, running: Running) -> None:
    desk.desk.of = task(1, AgentMode.PREVIEW)
    running.act(lambda: desk.desk.know(desk.desk.of))
    log_in(page)
    session = desk.desk.floor.sessions()[0].id
    running.act(lambda: desk.desk.card(session, "card-a"))
    expect(page.locator("#state")).to_have_text("Preview")
    expect(page.locator("#count-what")).to_have_text("until it is called")
    call = page.get_by_role("button", name="Call", exact=False).first
    expect(call).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("Talking")
    page.locator("#consult summary").click()
    page.get_by_label("Whom?").fill("sip:boss@example.org")
    page.get_by_role("button", name="Call them").click()
    expect(page.locator("#consulting")).to_have_text("You talk with sip:boss@example.org.")
    page.get_by_role("button", name="Conference").click()
    expect(page.locator("#state")).to_have_text("Talking")
    expect(page.locator("#consulting")).to_contain_text("All three talk")
    page.get_by_role("button", name="Transfer").click()
    expect(page.locator("#state")).to_have_text("Wrap-up")


def test_the_line_is_made_again_and_nothing_is_lost(page: Page, desk: DeskSite, running: Running) -> None:
    log_in(page)
    page.evaluate("window.same = true")
    session = desk.desk.floor.sessions()[0].id

    def lose() -> None:
        for feed in desk.desk.feeds._listening[session]:
            feed.put(None)
        desk.desk.answer("call-a")

    running.act(lose)
    expect(page.locator("#trouble")).to_contain_text("The connection is lost")
    expect(page.locator("#state")).to_have_text("Talking")
    expect(page.locator("#trouble")).to_be_hidden()
    page.keyboard.press("h")
    expect(page.locator("#state")).to_have_text("On hold")
    assert page.evaluate("window.same")
    page.get_by_label("Note").fill("Half a")
    page.reload()
    expect(page.locator("#state")).to_have_text("On hold")
    expect(page.get_by_label("Note")).to_have_value("Half a")


def test_refusals_and_breaks_are_told(page: Page, desk: DeskSite, running: Running) -> None:
    log_in(page)
    running.act(lambda: desk.desk.answer("call-a"))
    expect(page.locator("#state")).to_have_text("Talking")
    page.locator("#break-open").click()
    page.get_by_label("Why?").fill("lunch")
    page.get_by_role("button", name="Take no more contacts").click()
    expect(page.locator("#state-reason")).to_contain_text("then not ready")
    page.locator("#consult summary").click()
    page.get_by_label("Whom?").fill("bob")
    page.get_by_role("button", name="Call them").click()
    expect(page.locator(".toast--bad")).to_contain_text("'bob' is not logged in")
    running.act(lambda: desk.desk.end("call-a"))
    expect(page.locator("#state")).to_have_text("Wrap-up")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("Not ready")
    expect(page.locator("#state-reason")).to_have_text("lunch")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_can_be_read(page: Page, desk: DeskSite, running: Running, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page)
    running.act(lambda: desk.desk.answer("call-a"))
    expect(page.locator("#state")).to_have_text("Talking")
    running.act(lambda: desk.desk.end("call-a"))
    expect(page.locator("#state")).to_have_text("Wrap-up")
    page.keyboard.press("l")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults_of(page.content().replace('style=""', "")) == []
    if width < 600:
        small = page.evaluate(
            "[...document.querySelectorAll('.desk button, summary, .desk-bar button')]"
            ".filter((each) => each.offsetParent !== null)"
            ".filter((each) => each.getBoundingClientRect().height < 24)"
            ".map((each) => each.textContent.trim())"
        )
        assert small == []


def test_whoever_is_no_agent_is_told_so(desk: DeskSite) -> None:
    desk.site.user("root")
    page = desk.site.as_user("root").get("/desktop", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert faults_of(page.text) == []
    assert desk.site.api().get("/desktop", headers={"accept": "text/html"}).status_code == 303


def test_a_card_says_what_was_promised(page: Page, desk: DeskSite, running: Running) -> None:
    desk.desk.of = task(1, AgentMode.PREVIEW)
    running.act(lambda: desk.desk.know(desk.desk.of))
    log_in(page)
    session = desk.desk.floor.sessions()[0].id
    promise = {
        "id": 1,
        "kind": "agent",
        "due_at": "2026-07-14T08:30:00+00:00",
        "note": "about the <loan>",
        "agent": "Ann",
    }
    running.act(lambda: desk.desk.card(session, "card-a", {"callback": promise}))
    expect(page.locator("#promised")).to_contain_text("A call was promised by Ann for")
    expect(page.locator("#promised")).to_contain_text("about the <loan>")
    page.get_by_role("button", name="Skip", exact=False).click()
    expect(page.locator("#state")).to_have_text("Ready")
    expect(page.locator("#promised")).to_be_hidden()
