"""An agent's first day at the real server: a browser, the desktop, one call from login to completion code."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import select

from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.runtime import store
from support.agent_floor import AGENT_PASSWORD, add_agents
from support.browser import open_browser
from support.live_runs import LISTENING, LiveRun, live_run
from support.outreach import attempts, targets
from support.processes import Programs, eventually

SPEED = 2.0
OWN_PASSWORD = "a sentence that only I know"
PATIENCE = 30_000
"""Milliseconds: the phone rings, and the contact's after it."""
PEOPLE = """
[profiles.default]
setup = [0.1, 0.2]
human_ring = [0.5, 1.0]
talk = [1200.0, 1200.0]
hangs_up_early = 0.0
outcomes = { human = 1.0 }
"""
STRATEGY = """
name = "sell"
[[actions]]
name = "talk"
channel = "call"
minimum = 1
maximum = 5
[actions.agents]
mode = "progressive"
script = "Good morning, {first_name}."
wrap_up = "30m"
completion_codes = ["sale", "not_interested"]
default_code = "not_interested"
abandoned = { text = "Nobody is free to talk to you now." }
"""


def sell(database: Database, commands: Programs, folder: Path) -> tuple[LiveRun, int]:
    """Return a system whose carrier is embedded, with one agent, and a running job with one contact."""
    run = live_run(database, commands, folder, ports=10, speed=SPEED, carrier=False)
    profiles = folder / "people.toml"
    profiles.write_text(PEOPLE, encoding="utf-8")
    commands.configure(carrier__address="", carrier__profiles=profiles)
    run.system.license(run.clock.now(), predictive_agents=1, telephony_ports=10)
    add_agents(run.database, 1)
    numbers = run.system.contact_list("customers", 1)
    job = run.system.start(run.system.campaign("sell", [numbers], source=STRATEGY), run.clock.now())
    return run, job


@contextmanager
def a_page(address: str) -> Iterator[Page]:
    """Give a page of headless Chromium; what goes wrong in it fails the test."""
    with open_browser() as browser:
        page = browser.new_context(base_url=address).new_page()
        page.set_default_timeout(PATIENCE)
        mistakes: list[str] = []
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        yield page
        assert mistakes == []


def sign_in(page: Page) -> None:
    """Sign in with the one-time password, and choose another."""
    page.goto("/")
    page.fill("[name=name]", "agent1")
    page.fill("[name=password]", AGENT_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/password")
    page.fill("[name=current]", AGENT_PASSWORD)
    page.fill("[name=new]", OWN_PASSWORD)
    page.fill("[name=again]", OWN_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desktop")


def open_sessions(tx: Tx) -> list[Row]:
    """Return the sessions of agents that are not over."""
    query = select(schema.agent_sessions).where(schema.agent_sessions.c.ended_at.is_(None))
    return list(tx.execute(query).mappings())


def test_an_agent_takes_one_call_at_the_real_server(
    sqlite_database: Database, commands: Programs, tmp_path: Path
) -> None:
    run, job = sell(sqlite_database, commands, tmp_path)
    server = commands.start("serve", "--port", "0")
    with a_page(server.wait_for(LISTENING)[1]) as page:
        sign_in(page)
        page.get_by_role("button", name="Log in").click()
        state = page.locator("#state")
        expect(page.locator("#seat")).to_contain_text("sell", timeout=PATIENCE)
        expect(state).to_have_text("Talking", timeout=PATIENCE)
        (target,) = run.database.read_now(targets)
        (call,) = run.database.read_now(attempts)
        expect(page.locator("#contact-title")).to_have_text(call["address"])
        expect(page.locator("#facts")).to_contain_text("Person 0")
        expect(page.locator("#script")).to_have_text("Good morning, Person 0.")
        assert target["state"] == "claimed"
        page.keyboard.press("e")
        expect(state).to_have_text("Wrap-up", timeout=PATIENCE)
        page.get_by_label("Note").fill("Wants two.")
        page.locator("#contact-title").click()
        page.keyboard.press("s")
        expect(page.locator("#done")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#wrap-up")).to_be_hidden()
        expect(state).to_have_text("Ready")
        eventually("the job is finished", lambda: run.finished(job))
        page.get_by_role("button", name=re.compile("^Log out")).click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert server.stop() == 0, server.complaints
    assert "Traceback" not in server.complaints
    (call,) = run.database.read_now(attempts)
    (target,) = run.database.read_now(targets)
    assert (call["outcome"], call["disposition"], call["note"]) == ("answered", "sale", "Wants two.")
    assert (call["agent_id"], call["joined_at"] is not None) == (1, True)
    assert (target["state"], target["outcome"]) == ("done", "answered")
    assert run.database.read_now(open_sessions) == []
    assert run.database.read_now(store.drifts) == []
