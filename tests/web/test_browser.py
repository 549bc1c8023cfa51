"""Sign-in, users and tokens in a real headless browser: keyboard, phone width, and a strict CSP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from outrider.clock import RealClock
from outrider.db.database import Database
from outrider.people.model import Role
from support.browser import open_browser
from support.server import run_server
from support.web import PASSWORD, Site, open_site

ONE_TIME = "a one-time password"
NEW = "a sentence of my own"
PAGES = ("/sign-in", "/users", "/users/new", "/users/1", "/account", "/password", "/nothing", "/api/docs")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    with open_site(sqlite_database, tmp_path, clock=RealClock()) as opened:
        opened.user("root")
        yield opened


@pytest.fixture
def address(site: Site) -> Iterator[str]:
    with run_server(site.app, site.edge.news) as server:
        yield server.address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page that fails the test when a script breaks or the CSP stops something."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    # The browser itself reports answers of 4xx, which tests ask for.
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []


def sign_in(page: Page, address: str, name: str = "root", password: str = PASSWORD) -> None:
    page.goto(f"{address}/users")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_sign_in_by_keyboard_leads_back_to_the_page_that_was_asked_for(page: Page, address: str) -> None:
    page.goto(f"{address}/users/new")
    expect(page).to_have_url(f"{address}/sign-in?next=/users/new")
    page.keyboard.type("root")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
    expect(page.get_by_label("User name")).to_have_value("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/users/new")
    expect(page.get_by_role("heading", name="New user")).to_be_visible()
    expect(page.get_by_role("link", name="Users").first).to_have_attribute("aria-current", "page")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto(f"{address}/users")
    expect(page).to_have_url(f"{address}/sign-in?next=/users")


def test_a_new_user_signs_in_with_the_one_time_password_and_must_change_it(page: Page, address: str) -> None:
    sign_in(page, address)
    page.get_by_role("link", name="New user").click()
    page.get_by_label("User name").fill("Vera@Example.com")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Create user").click()
    one_time = page.locator("#password").inner_text()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, address, "vera@example.com", one_time)
    expect(page).to_have_url(f"{address}/password")
    expect(page.get_by_role("heading", name="Choose your password")).to_be_visible()
    page.goto(f"{address}/account")
    expect(page).to_have_url(f"{address}/password")
    for again, said in (("something else", "not the same both times"), (NEW, "is changed")):
        page.get_by_label("One-time password").fill(one_time)
        page.get_by_label("New password", exact=True).fill(NEW)
        page.get_by_label("New password again").fill(again)
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_text(said)).to_be_visible()
    page.goto(f"{address}/account")
    expect(page.get_by_text("Signed in as vera@example.com.")).to_be_visible()
    expect(page.get_by_role("link", name="Users")).to_have_count(0)


def test_a_token_is_made_shown_once_used_and_revoked(site: Site, page: Page, address: str) -> None:
    sign_in(page, address)
    page.goto(f"{address}/account")
    page.get_by_label("Name").fill("script")
    page.get_by_role("button", name="Create token").click()
    secret = page.locator("#token").inner_text()
    assert site.api().bear(secret).get("/api/session").json()["name"] == "root"
    page.goto(f"{address}/account")
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("will be refused at once")
    page.keyboard.press("Escape")
    expect(page.get_by_role("rowheader", name="script")).to_be_visible()
    page.get_by_role("button", name="Revoke").click()
    dialog.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The token is revoked.")).to_be_visible()
    expect(page.get_by_text("No API tokens")).to_be_visible()
    assert site.api().bear(secret).get("/api/session").status_code == 401


def test_a_user_is_changed_reset_and_disabled(site: Site, page: Page, address: str) -> None:
    vera = site.user("vera", Role.VIEWER)
    sign_in(page, address)
    page.get_by_role("link", name="vera").click()
    page.get_by_label("Role", exact=True).select_option("supervisor")
    page.get_by_role("button", name="Save role").click()
    expect(page.get_by_text("vera is changed.")).to_be_visible()
    expect(page.get_by_label("Role", exact=True)).to_have_value("supervisor")
    page.get_by_role("button", name="Reset password").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset password").click()
    one_time = page.locator("#password").inner_text()
    assert site.api().sign_in("vera", one_time).get("/api/session").status_code == 200
    page.get_by_role("button", name="Disable").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(page.get_by_role("button", name="Enable")).to_be_visible()
    answer = site.api().post("/api/session", {"name": vera.name, "password": one_time})
    assert answer.status_code == 401


def test_pages_fit_a_phone_and_are_labelled(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{address}/sign-in")
    assert_fits_and_is_labelled(page)
    sign_in(page, address)
    for path in PAGES[1:]:
        page.goto(address + path)
        assert_fits_and_is_labelled(page)
    menu = page.get_by_role("button", name="Menu")
    expect(menu).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_role("link", name="Campaigns")).to_be_hidden()
    menu.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("link", name="Campaigns")).to_be_visible()


def assert_fits_and_is_labelled(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
    expect(page.locator("main")).to_have_count(1)
    expect(page.locator("h1")).to_have_count(1)
    unlabelled = page.evaluate(
        """[...document.querySelectorAll("input:not([type=hidden]):not([aria-hidden]), select, textarea")]
           .filter(each => !each.labels.length && !each.ariaLabel).map(each => each.name)"""
    )
    assert unlabelled == []
    nameless = page.evaluate(
        """[...document.querySelectorAll("a, button")]
           .filter(each => !each.textContent.trim() && !each.ariaLabel).length"""
    )
    assert nameless == 0


def test_pages_work_without_scripts(site: Site, browser: Browser, address: str) -> None:
    vera = site.user("vera", Role.VIEWER)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    sign_in(page, address)
    expect(page.get_by_role("link", name="Campaigns")).to_be_visible()
    page.goto(f"{address}/users/{vera.id}")
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("vera is changed.")).to_be_visible()
    context.close()
