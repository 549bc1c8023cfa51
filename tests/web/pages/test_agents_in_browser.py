"""The supervisor's pages of agents in a real browser: live rows, commands, questions before them, charts."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from outrider.agents import job_figures
from outrider.agents.commands import MoveTo
from outrider.agents.job_figures import AgentSample
from outrider.db.database import Database
from outrider.ids import TaskId
from outrider.jobs.model import JobCommand
from outrider.people.model import Role
from outrider.web.pages import agent_accounts, agents, board, desktop, job_agents, jobs
from support.browser import open_browser, signed_in
from support.desk_site import DeskSite, desk_site
from support.floor_play import task
from support.server import run_server

ROUTERS = (board.router, agents.router, agent_accounts.router, desktop.router, job_agents.router, jobs.router)
SOURCE = """
name = "talks"
[[actions]]
name = "talk"
channel = "call"
maximum = 5
[actions.agents]
mode = "predictive"
abandoned = { text = "Nobody is free to talk to you now." }
"""
PHONE = 390


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path) -> Iterator[DeskSite]:
    with desk_site(sqlite_database, tmp_path, ROUTERS) as made:
        made.desk.writes = True
        made.site.user("sue", Role.SUPERVISOR, made.organization_id)
        yield made


@pytest.fixture
def address(desk: DeskSite) -> Iterator[str]:
    with run_server(desk.site.app, desk.site.edge.news) as running:
        yield running.address


@pytest.fixture(params=[1280, PHONE])
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Give the board of a supervisor, at both widths; what goes wrong in a page fails the test."""
    with signed_in(browser, address, "sue", viewport={"width": request.param, "height": 800}) as opened:
        yield opened


def log_in(address: str, token: str) -> None:
    """Let an agent log in at a desktop of its own."""
    opened = httpx.post(f"{address}/api/agent/session", json={}, headers={"Authorization": f"Bearer {token}"})
    assert opened.status_code < 300, opened.text


def opened_actions(page: Page, number: int) -> Locator:
    """Return the row of Ann on the live page, with her actions opened."""
    page.goto("/agents")
    expect(page.locator("#live")).to_have_text("Live")
    row = page.locator(f"#agent-{number}")
    row.get_by_label("Actions for ann").click()
    return row


def fits(page: Page) -> bool:
    """Return whether nothing is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_agents_come_change_and_go_without_a_reload(page: Page, desk: DeskSite, address: str) -> None:
    number, token = desk.agent("ann")
    page.goto("/agents")
    expect(page.locator("#live")).to_have_text("Live")
    page.evaluate("window.same = true")
    expect(page.locator("#agents-live")).to_contain_text("Nobody is logged in")
    log_in(address, token)
    row = page.locator(f"#agent-{number}")
    expect(row.locator(".badge").first).to_have_text("Not ready")
    row.get_by_label("Actions for ann").click()
    row.get_by_role("button", name="Make ann ready", exact=True).click()
    expect(row.locator(".badge").first).to_have_text("Ready")
    expect(row.locator("details")).to_have_attribute("open", "")
    row.get_by_role("button", name="Make ann not ready").click()
    expect(row).to_contain_text("a supervisor wished it")
    expect(row.locator("time")).not_to_have_text("0:00")
    assert fits(page)
    row.get_by_role("button", name="Log out ann now").click()
    page.locator("#confirm").get_by_role("button", name="Cancel").click()
    expect(row).to_be_visible()
    row.get_by_role("button", name="Log out ann now").click()
    page.locator("#confirm").get_by_role("button", name="Log out now").click()
    expect(row).to_have_count(0)
    assert page.evaluate("window.same === true")


def test_an_agent_is_moved_and_logged_out_after_the_contact(page: Page, desk: DeskSite, address: str) -> None:
    _, task_id = started(desk)
    desk.desk.of = task(task_id + 1)
    for number in (task_id, task_id + 1):
        desk.desk.know(task(number))
    number, token = desk.agent("ann")
    log_in(address, token)
    row = opened_actions(page, number)
    row.get_by_role("button", name="Make ann ready", exact=True).click()
    expect(row.locator(".badge").first).to_have_text("Ready")
    row.get_by_label("Job to move ann to").select_option(label="talks / talk")
    with page.expect_response("**/commands/move") as moved:
        row.get_by_role("button", name="Move ann").click()
    assert moved.value.status == 204
    assert [command for _, command in desk.desk.commands][-1] == MoveTo(TaskId(task_id))
    row.get_by_role("button", name="Log out ann after the contact").click()
    expect(row).to_have_count(0)


def test_the_job_that_was_chosen_is_the_one_that_is_sent(page: Page, desk: DeskSite, address: str) -> None:
    jobs_of = {name: started(desk, name) for name in ("early", "other", "wanted")}
    desk.desk.of = task(max(number for _, number in jobs_of.values()) + 1)
    for number in (desk.desk.of.task_id, *(number for _, number in jobs_of.values())):
        desk.desk.know(task(number))
    number, token = desk.agent("ann")
    log_in(address, token)
    row = opened_actions(page, number)
    select = row.get_by_label("Job to move ann to")
    expect(select).to_have_value("")
    select.select_option(label="wanted / talk")
    # A job before it in the list ends, and another begins while the menu is open.
    desk.console.command(jobs_of["early"][0], JobCommand.STOP)
    expect(select.locator("option")).to_have_text(["Choose a job", "other / talk", "wanted / talk"])
    expect(select).to_have_value(str(jobs_of["wanted"][1]))
    started(desk, "anew")
    expect(select.locator("option", has_text="anew / talk")).to_have_count(1)
    with page.expect_request("**/commands/move") as moved:
        row.get_by_role("button", name="Move ann").click()
    assert f"task_id={jobs_of['wanted'][1]}" in (moved.value.post_data or "").split("&")


def test_a_chosen_job_that_ends_is_chosen_no_more(page: Page, desk: DeskSite, address: str) -> None:
    jobs_of = {name: started(desk, name) for name in ("ending", "staying")}
    number, token = desk.agent("ann")
    log_in(address, token)
    row = opened_actions(page, number)
    select = row.get_by_label("Job to move ann to")
    select.select_option(label="ending / talk")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    desk.console.command(jobs_of["ending"][0], JobCommand.STOP)
    expect(select.locator("option")).to_have_text(["Choose a job", "staying / talk"])
    expect(select).to_have_value("")
    row.get_by_role("button", name="Move ann").click()
    # The browser asks for a choice; what is sent afterwards shows that nothing was before.
    expect(select).to_be_focused()
    row.get_by_role("button", name="Make ann ready", exact=True).click()
    expect(row.locator(".badge").first).to_have_text("Ready")
    assert [url.rpartition("/")[2] for url in sent if "/commands/" in url] == ["ready"]


def test_the_figures_of_a_job_follow_its_samples(page: Page, desk: DeskSite) -> None:
    job_id, task_id = started(desk)
    keep(desk, task_id, busy=1, ready=3)
    page.goto(f"/jobs/{job_id}/agents")
    figures = page.locator(f"#task-{task_id}")
    expect(figures).to_contain_text("25.0%")
    expect(page.locator("#agents-chart canvas")).to_be_visible()
    expect(page.locator("#agents-chart .u-legend .u-value").nth(2)).to_have_text("3")
    keep(desk, task_id, busy=4, ready=0)
    expect(figures).to_contain_text("100.0%")
    assert fits(page)


def started(desk: DeskSite, name: str = "talks") -> tuple[int, int]:
    """Start a job with agents; return its id and that of its task."""
    people = desk.console.contact_list(desk.organization_id, f"people of {name}", 3)
    desk.console.strategy(desk.organization_id, SOURCE.replace("talks", name))
    job = desk.console.start(desk.console.campaign(desk.organization_id, name, name, people.id))
    return int(job.id), int(desk.console.tasks(job.id)[0].id)


def keep(desk: DeskSite, task_id: int, busy: int, ready: int) -> None:
    """Write a sample, as the floor does."""
    now = desk.console.now + dt.timedelta(milliseconds=1)
    sample = AgentSample(TaskId(task_id), busy=busy, ready=ready, lines=2, waiting=0)
    desk.site.database.write_now(job_figures.keep, [sample], now)
