"""The strategy form in a real browser: checks while one writes, buttons, keyboard, phone width."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import open_browser, signed_in
from support.furnished import Furnished
from support.server import run_server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, furnished: Furnished) -> Iterator[Page]:
    """Give a signed-in administrator's page; what goes wrong in it fails the test."""
    with (
        run_server(furnished.site.app, furnished.site.edge.news) as running,
        signed_in(browser, running.address, "ada") as opened,
    ):
        yield opened


def test_a_strategy_is_written_from_nothing_but_a_template(page: Page) -> None:
    page.goto("/strategies/new?template=call")
    page.get_by_label("Name (required)").first.fill("Autumn")
    page.get_by_role("button", name="Add: Menu").click()
    digit = page.locator("[name='actions[0].menu.choices[0].digit']")
    expect(digit).to_be_focused()
    digit.fill("1")
    page.locator("[name='actions[0].menu.choices[0].disposition']").fill("confirmed")
    page.locator("[name='new:actions[0].dispositions']").fill("confirmed")
    page.get_by_role("button", name="Add a rule: When the result is").click()
    page.get_by_role("group", name="Add an action").get_by_role("button", name="Text").click()
    expect(page.locator("[name='actions[1].name']")).to_have_value("text")
    page.locator("[name='actions[1].text']").fill("See you tomorrow.")
    page.locator("[name='actions[0].dispositions.confirmed.then']").select_option("text")
    expect(page.locator("#outline")).to_contain_text("It can be run.")
    page.get_by_role("button", name="Save and activate").click()
    expect(page.locator("h1")).to_have_text("Autumn")
    page.goto(f"{page.url}?view=source")
    source = page.input_value("#source")
    assert '[actions.dispositions.confirmed]\nthen = "text"' in source
    assert 'text = "See you tomorrow."' in source


def test_problems_appear_beside_the_field_while_one_types_on(page: Page) -> None:
    page.goto("/strategies/new?template=call")
    page.fill("[name='actions[0].retry.busy.count']", "many")
    page.keyboard.press("Tab")
    page.keyboard.type("7m")
    message = page.locator("#f-actions-0-retry-busy-count-error")
    expect(message).to_contain_text("Must be a whole number from 0 to 100, not 'many'.")
    expect(page.locator("[name='actions[0].retry.busy.count']")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[name='actions[0].retry.busy.delays']")).to_be_focused()
    expect(page.locator("[name='actions[0].retry.busy.delays']")).to_have_value("7m")
    page.get_by_role("link", name="actions[0].retry.busy.count").click()
    expect(page.locator("[name='actions[0].retry.busy.count']")).to_be_focused()
    page.fill("[name='actions[0].retry.busy.count']", "1")
    page.keyboard.press("Tab")
    expect(page.locator("#outline")).to_contain_text("It can be run.")
    expect(message).to_be_empty()


def test_a_problem_inside_a_folded_part_is_reached_by_its_link(page: Page) -> None:
    page.goto("/strategies/new?template=call")
    pace = page.locator("#f-actions-0-Pace-and-licences")
    expect(pace).not_to_have_attribute("open", "")
    pace.locator("summary").click()
    page.fill("[name='actions[0].priority']", "0")
    page.keyboard.press("Tab")
    pace.locator("summary").click()
    expect(pace.locator(".mark")).to_have_text("1 problem")
    page.get_by_role("link", name="actions[0].priority").click()
    expect(page.locator("[name='actions[0].priority']")).to_be_focused()


def test_the_channel_and_operators_reshape_the_form(page: Page) -> None:
    page.goto("/strategies/new?template=email")
    page.fill("[name='actions[0].name']", "note")
    page.locator("[name='actions[0].channel']").select_option("sms")
    expect(page.locator("[name='actions[0].subject']")).to_have_count(0)
    expect(page.locator("[name='actions[0].receipt_wait']")).to_be_visible()
    expect(page.locator("[name='actions[0].name']")).to_have_value("note")
    page.locator("#f-actions-0-Who summary").click()
    page.get_by_role("button", name="Add a condition").click()
    attribute = page.locator("[name='actions[0].condition.attribute']")
    expect(attribute).to_be_focused()
    attribute.fill("language")
    page.locator("[name='actions[0].condition.operator']").select_option("in")
    values = page.locator("[name='actions[0].condition.values']")
    values.fill("de\nfr")
    page.get_by_role("button", name="And another comparison").click()
    expect(page.locator("[name='actions[0].condition.all[0].values']")).to_have_value("de\nfr")
    page.get_by_role("button", name="Remove condition 2").click()
    expect(page.locator("[name='actions[0].condition.all[1].attribute']")).to_have_count(0)


def test_the_form_is_used_by_keyboard_alone(page: Page) -> None:
    page.goto("/strategies/new?template=survey")
    second = page.get_by_role("button", name="Move Choice 2 up")
    second.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[name='actions[0].menu.choices[0].digit']")).to_have_value("2")
    expect(page.locator("[name='actions[0].menu.choices[0].digit']")).to_be_focused()
    page.locator("[name=name]").press("Enter")
    expect(page.locator("#outline")).to_contain_text("It can be run.")


@pytest.mark.parametrize("key", ["appointment", "escalation", "predictive"])
def test_nothing_is_wider_than_a_phone(page: Page, key: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"/strategies/new?template={key}")
    for summary in page.locator(".fold > summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("saved as a draft")).to_be_visible()
