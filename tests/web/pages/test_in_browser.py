"""The console in a real browser: the live board, numbers in place, dialogs, imports, the editor."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.browser import open_browser
from support.furnished import Furnished
from support.server import run_server
from support.web import PASSWORD


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def address(furnished: Furnished) -> Iterator[str]:
    with run_server(furnished.site.app, furnished.site.edge.news) as running:
        yield running.address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    yield opened
    opened.close()


def signed_in(context: BrowserContext, address: str, user: str = "sam") -> tuple[Page, list[str]]:
    """Return a page on the board, and the list of what goes wrong in it from now on."""
    page = context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    # The browser itself reports answers of 4xx, which tests ask for.
    refused = "Failed to load resource"
    page.on(
        "console",
        lambda message: (
            mistakes.append(message.text)
            if message.type == "error" and not message.text.startswith(refused)
            else None
        ),
    )
    page.goto(f"{address}/sign-in")
    page.fill("[name=name]", user)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{address}/")
    return page, mistakes


def live(page: Page) -> None:
    expect(page.locator("#live")).to_have_text("Live")
    page.evaluate("window.same = true")


def is_same(page: Page) -> bool:
    return bool(page.evaluate("window.same === true"))


def test_quotas_move_when_a_priority_is_changed_in_place(
    furnished: Furnished, address: str, context: BrowserContext
) -> None:
    page, mistakes = signed_in(context, address)
    live(page)
    task, other = furnished.task(furnished.lesser), furnished.task(furnished.important)
    expect(page.locator(f"[data-quota='{task.id}']")).to_have_text(str(task.quota))
    field = page.get_by_label("Priority of call of Survey")
    field.fill("10")
    field.press("Enter")
    expect(page.locator(f"[data-quota='{task.id}']")).not_to_have_text(str(task.quota))
    expect(page.locator(f"[data-quota='{other.id}']")).not_to_have_text(str(other.quota))
    after = furnished.task(furnished.lesser)
    expect(page.locator(f"[data-quota='{task.id}']")).to_have_text(str(after.quota))
    expect(field).to_be_focused()
    expect(field).to_have_value("10")
    assert is_same(page)
    assert mistakes == []


def test_changes_of_others_arrive_and_never_touch_the_field_being_edited(
    furnished: Furnished, address: str, context: BrowserContext
) -> None:
    page, mistakes = signed_in(context, address)
    live(page)
    task = furnished.task(furnished.lesser)
    field = page.get_by_label("Maximum of call of Survey")
    field.click()
    field.fill("2")
    furnished.console.use(task.id, 4)
    row = page.locator(f"#task-{task.id}")
    expect(row.locator("[data-label='In use']")).to_have_text("4")
    furnished.form("ada").send(f"/tasks/{task.id}/limits", minimum="2")
    expect(page.get_by_label("Minimum of call of Survey")).to_have_value("2")
    expect(field).to_be_focused()
    expect(field).to_have_value("2")
    field.press("Escape")
    expect(field).to_have_value("30")
    assert is_same(page)
    assert mistakes == []


def test_a_refusal_is_told_at_the_field(furnished: Furnished, address: str, context: BrowserContext) -> None:
    page, _ = signed_in(context, address)
    live(page)
    field = page.get_by_label("Minimum of call of Survey")
    field.fill("31")
    field.press("Tab")
    alert = page.locator(f"#task-{furnished.task(furnished.lesser).id} [role=alert]")
    expect(alert).to_contain_text("30 is below the minimum of 31")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("1")
    field.press("Enter")
    expect(alert).to_have_count(0)
    assert furnished.task(furnished.lesser).minimum == 1


def test_jobs_are_commanded_by_buttons(furnished: Furnished, address: str, context: BrowserContext) -> None:
    page, mistakes = signed_in(context, address)
    live(page)
    card = page.locator(f"#job-{furnished.important.id}")
    page.get_by_role("button", name="Pause Reminders").click()
    expect(card.locator(".badge").first).to_have_text("Paused")
    expect(page.get_by_role("button", name="Pause Reminders")).to_have_count(0)
    page.get_by_role("button", name="Resume Reminders").click()
    expect(card.locator(".badge").first).to_have_text("Running")
    page.get_by_role("button", name="Snooze Reminders").click()
    page.locator("#snooze").get_by_role("button", name="Snooze").click()
    expect(card.locator(".badge").first).to_have_text("Snoozed")
    page.get_by_role("button", name="Stop Reminders").click()
    dialog = page.locator("#confirm")
    expect(dialog).to_contain_text("stopped for good")
    dialog.get_by_role("button", name="Cancel").click()
    expect(card.locator(".badge").first).to_have_text("Snoozed")
    page.get_by_role("button", name="Stop Reminders").click()
    dialog.get_by_role("button", name="Stop").click()
    expect(card.locator(".badge").first).to_have_text("Stopped")
    page.get_by_role("button", name="Start Evening").click()
    expect(page.locator(".job__name", has_text="Evening")).to_be_visible()
    assert is_same(page)
    assert mistakes == []


@pytest.mark.parametrize("refusal", [0, 503])
def test_the_board_connects_again_by_itself(
    furnished: Furnished, address: str, context: BrowserContext, refusal: int
) -> None:
    page, _ = signed_in(context, address)
    stream = "**/board/stream"
    page.route(stream, lambda route: route.fulfill(status=refusal) if refusal else route.abort())
    page.reload()
    expect(page.locator("#live")).to_have_text("Reconnecting …")
    page.evaluate("window.same = true")
    task = furnished.task(furnished.lesser)
    furnished.console.use(task.id, 3)
    page.unroute(stream)
    expect(page.locator("#live")).to_have_text("Live", timeout=20_000)
    expect(page.locator(f"#task-{task.id} [data-label='In use']")).to_have_text("3")
    assert is_same(page)


def test_the_board_draws_its_meter_and_chart(
    furnished: Furnished, address: str, context: BrowserContext
) -> None:
    page, mistakes = signed_in(context, address)
    live(page)
    expect(page.locator("#chart canvas")).to_be_visible()
    survey = page.locator("#chart .u-series", has_text="Survey").locator("td")
    expect(survey).to_have_text(str(furnished.task(furnished.lesser).quota))
    furnished.form("ada").send(f"/tasks/{furnished.task(furnished.lesser).id}/limits", priority="9")
    expect(survey).to_have_text(str(furnished.task(furnished.lesser).quota))
    page.get_by_text("Granted", exact=True).first.click()
    expect(page.locator("#chart canvas")).to_be_visible()
    assert page.locator(".meter rect").count() == 2
    assert mistakes == []


@pytest.mark.parametrize("path", ["/", "/licences", "/contacts/lists/1", "/campaigns/1", "/tasks/1/why"])
def test_pages_fit_a_phone(address: str, browser: Browser, path: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page, mistakes = signed_in(context, address, "root")
    page.goto(f"{address}{path}")
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert mistakes == []
    context.close()


def test_a_file_is_imported_through_the_page(
    furnished: Furnished, address: str, context: BrowserContext, tmp_path: Path
) -> None:
    page, mistakes = signed_in(context, address)
    file = tmp_path / "people.csv"
    file.write_text("name;col\nAnna;020 7946 0991\nBerta;12\nCarl;020 7946 0992\n", encoding="utf-8")
    page.goto(f"{address}/contacts/lists/{furnished.people.id}")
    page.set_input_files("[name=file]", file)
    preview = page.locator("#preview")
    expect(preview).to_contain_text("no column is a phone number")
    page.get_by_label("Meaning of col").select_option("Phone")
    expect(preview).not_to_contain_text("no column")
    expect(preview).to_contain_text("Berta")
    page.get_by_label("Import the good rows").check()
    page.get_by_role("button", name="Import", exact=True).click()
    first = page.locator("#imports article").first
    expect(first).to_contain_text("Waits its turn")
    expect(first.locator("progress")).to_be_visible()
    shown = furnished.site.as_user("root").get(f"/api/contact-lists/{furnished.people.id}/imports").json()
    furnished.console.run_import(shown[0]["id"])
    expect(first).to_contain_text("Done")
    expect(first).to_contain_text("added 2")
    with page.expect_download() as download:
        first.get_by_role("link", name="Download the rejected rows").click()
    assert "Berta" in download.value.path().read_text(encoding="utf-8-sig")
    assert mistakes == []


def test_numbers_of_the_grid_are_changed_in_place(address: str, context: BrowserContext) -> None:
    page, mistakes = signed_in(context, address, "root")
    page.goto(f"{address}/licences")
    page.evaluate("window.same = true")
    field = page.get_by_label("Outbound ports of Harbour in default", exact=True)
    field.fill("25")
    field.press("Enter")
    rest = page.get_by_label("Outbound ports of default in default", exact=True)
    expect(rest).to_have_attribute("placeholder", "23")
    field.fill("70")
    field.press("Enter")
    expect(page.locator("#division-grid [role=alert]")).to_contain_text("Outbound_ports")
    assert is_same(page)
    assert mistakes == []


def test_the_editor_checks_while_one_writes(address: str, context: BrowserContext) -> None:
    page, mistakes = signed_in(context, address, "ada")
    page.goto(f"{address}/strategies/new?template=call&view=source")
    expect(page.locator("#check")).to_contain_text("It can be run.")
    text = page.input_value("#source").replace("priority = 5", "priority = 55")
    page.fill("#source", text)
    place = page.get_by_role("button", name="actions[0].priority")
    expect(place).to_be_visible()
    place.click()
    selected = "getSelection().toString() || source.value.slice(source.selectionStart, source.selectionEnd)"
    assert "priority = 55" in page.evaluate(selected)
    assert mistakes == []


def test_what_if_answers_without_leaving_the_page(
    furnished: Furnished, address: str, context: BrowserContext
) -> None:
    page, mistakes = signed_in(context, address, "vera")
    task = furnished.task(furnished.lesser)
    page.goto(f"{address}/tasks/{task.id}/why")
    page.evaluate("window.same = true")
    page.get_by_label("Priority", exact=True).fill("10")
    page.get_by_role("button", name="Try").click()
    expect(page.locator("#what-if-result")).to_contain_text("Survey / call")
    assert is_same(page)
    assert furnished.task(furnished.lesser) == task
    assert mistakes == []
