"""The pages of callbacks in a browser, at both widths: made by keyboard, filtered, cancelled after asking."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from outrider.clock import VirtualClock
from outrider.db.database import Database
from outrider.web.pages import board, callbacks
from support.browser import open_browser, signed_in
from support.campaigning import NOON, campaigning
from support.furnished import with_rules
from support.promised_site import PromisedSite
from support.server import run_server
from support.web import open_site

PHONE = 390


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def of(sqlite_database: Database, tmp_path: Path) -> Iterator[PromisedSite]:
    routers = [board.router, callbacks.router]
    with open_site(sqlite_database, tmp_path, routers, clock=VirtualClock(NOON), change=with_rules) as opened:
        yield PromisedSite(opened, campaigning(sqlite_database))


@pytest.fixture(params=[1280, PHONE])
def page(browser: Browser, of: PromisedSite, request: pytest.FixtureRequest) -> Iterator[Page]:
    viewport = {"width": request.param, "height": 800}
    with (
        run_server(of.site.app, of.site.edge.news) as running,
        signed_in(browser, running.address, "sue", viewport=viewport) as opened,
    ):
        yield opened


def is_narrow_enough(page: Page) -> bool:
    """Return whether nothing makes the page scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def choose_state(page: Page, state: str) -> None:
    """Filter by a state, once the scripts that send the form are there."""
    page.wait_for_load_state("load")
    page.get_by_label("State").select_option(state)


def test_a_callback_is_made_by_keyboard_and_cancelled_after_a_question(page: Page, of: PromisedSite) -> None:
    page.goto("/callbacks")
    page.get_by_role("link", name="Callback", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New callback")).to_be_visible()
    assert is_narrow_enough(page)
    page.get_by_label("Campaign").focus()
    page.keyboard.press("Tab")
    page.keyboard.type(str(of.contacts[0][1]))
    page.get_by_label("Date and time").fill("2026-03-05T15:30")
    page.get_by_label("Note").fill("about the loan")
    page.get_by_label("Note").press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is called back at 2026-03-05 15:30 Europe/Berlin")).to_be_visible()
    expect(page.get_by_text("about the loan")).to_be_visible()
    assert is_narrow_enough(page)
    choose_state(page, "done")
    expect(page.get_by_text("No callback", exact=True)).to_be_visible()
    choose_state(page, "waiting")
    page.get_by_role("link", name="2026-03-05 15:30").click()
    assert is_narrow_enough(page)
    page.get_by_label("Why it is not wanted any more").fill("moved away")
    page.keyboard.press("Enter")
    question = page.locator("#confirm")
    expect(question).to_contain_text("is not called back")
    question.get_by_role("button", name="Cancel the callback").click()
    expect(page.get_by_text("is not called back.")).to_be_visible()
    (made,) = of.all()
    assert (made.state, made.closed_why) == ("cancelled", "moved away")
