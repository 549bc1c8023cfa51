"""Agents at work in real processes: `outrider serve`, a carrier, desktops over the Agent Web API."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from outrider.channels.simulated.ledger import read_ledger
from outrider.client import AgentClient
from outrider.clock import RealClock
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.runtime import store
from support.agent_floor import Staff, add_agents
from support.live_runs import LISTENING, LiveRun, live_run
from support.processes import Program, Programs, eventually

pytestmark = pytest.mark.alone

SPEED = 20.0
KILLS = 3
BACK_WITHIN = 5.0
"""Seconds from the start of the process until agents have their sessions back, which the issue demands."""
SELL = """
name = "sell"
[[actions]]
name = "call"
channel = "call"
minimum = 1
maximum = 50
[actions.agents]
mode = "{mode}"
wrap_up = "60s"
completion_codes = ["sale", "no_interest"]
default_code = "no_interest"
abandoned = {{ text = "This was a call of Example Ltd. You will not be called again today." }}
"""


def sell(run: LiveRun, contacts: int, mode: str = "predictive") -> int:
    """Start a job of agents over so many contacts."""
    system = run.system
    numbers = system.contact_list("customers", contacts)
    campaign = system.campaign("sell", [numbers], source=SELL.format(mode=mode))
    return system.start(campaign, run.clock.now())


def serve(run: LiveRun) -> tuple[Program, str]:
    """Start the server; return it with its address."""
    program = run.commands.start("serve", "--port", "0")
    return program, program.wait_for(LISTENING)[1]


def attempts(tx: Tx) -> list[tuple[str | None, int | None, str | None]]:
    """Return outcome, agent and completion code of every attempt."""
    A = schema.attempts.c  # noqa: N806 - a table's columns
    return [tuple(row) for row in tx.execute(select(A.outcome, A.agent_id, A.disposition))]


def test_a_predictive_job_from_login_to_its_last_contact(
    sqlite_database: Database, commands: Programs, tmp_path: Path
) -> None:
    run = live_run(sqlite_database, commands, tmp_path, ports=60, speed=SPEED)
    run.system.license(
        run.clock.now(), outbound_ports=60, predictive_agents=10, agent_web_api=10, telephony_ports=100
    )
    tokens = add_agents(run.database, 8)
    job = sell(run, 150)
    program, address = serve(run)

    async def day() -> Staff:
        staff, over = Staff(address, tokens), asyncio.Event()
        work = asyncio.ensure_future(staff.work(over))
        await asyncio.to_thread(eventually, "the job finishes", lambda: run.finished(job), 150)
        over.set()
        await work
        return staff

    staff = asyncio.run(day())
    assert program.stop() == 0, program.complaints
    found = run.database.read_now(attempts)
    outcomes = Counter(outcome for outcome, _, _ in found)
    talked = [each for each in found if each[1] is not None]
    assert staff.trouble == []
    assert staff.seats >= 8
    assert len(talked) == outcomes["answered"] == len(staff.contacts) == len(set(staff.contacts))
    assert {code for _, _, code in talked} == {"sale"}
    assert len(talked) > 20
    assert run.database.read_now(store.drifts) == []
    assert "Traceback" not in program.complaints


def talking(run: LiveRun) -> set[str]:
    """Return the contacts whom agents hear, as the database has them."""

    def read(tx: Tx) -> set[str]:
        S = schema.agent_sessions.c  # noqa: N806 - a table's columns
        rows = tx.execute(select(S.engagement).where(S.state == "talking", S.ended_at.is_(None)))
        found = [row.engagement for row in rows if row.engagement]
        return {each["attempt_id"] for each in found if each["customer_up"]}

    return run.database.read_now(read)


def test_a_server_that_is_killed_while_agents_talk(
    sqlite_database: Database,
    commands: Programs,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    run = live_run(sqlite_database, commands, tmp_path, ports=60, speed=SPEED)
    run.system.license(
        run.clock.now(), outbound_ports=60, predictive_agents=10, agent_web_api=10, telephony_ports=100
    )
    tokens = add_agents(run.database, 6)
    job = sell(run, 220)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kept: list[set[str]] = []
    back: list[float] = []

    def kills(first: Program) -> Program:
        program = first
        for _ in range(KILLS):
            eventually("four agents talk", lambda: len(talking(run)) >= 4)
            program.kill()
            kept.append(talking(run))
            program = run.commands.start("serve", "--port", str(port))
            program.wait_for(LISTENING)
            back.append(asyncio.run(sessions_back(f"http://127.0.0.1:{port}", tokens, program)))
        return program

    async def day(program: Program) -> tuple[Staff, Program]:
        staff, over = Staff(f"http://127.0.0.1:{port}", tokens), asyncio.Event()
        work = asyncio.ensure_future(staff.work(over))
        program = await asyncio.to_thread(kills, program)
        await asyncio.to_thread(eventually, "the job finishes", lambda: run.finished(job), 150)
        over.set()
        await work
        return staff, program

    first = run.commands.start("serve", "--port", str(port))
    first.wait_for(LISTENING)
    _, last = asyncio.run(day(first))
    assert last.stop() == 0, last.complaints
    books = {str(entry["id"]): entry for entry in read_ledger(run.ledger) if entry["what"] == "over"}
    causes = Counter(books[call]["cause"] for calls in kept for call in calls)
    found = run.database.read_now(outcome_by_attempt)
    assert {found[call] for calls in kept for call in calls} == {"answered"}
    assert set(causes) == {"normal"}
    seconds = ", ".join(f"{each:.1f}" for each in back)
    record_property(
        "measured", f"{KILLS} kills, sessions back after {seconds} s; {sum(map(len, kept))} talks went on"
    )
    assert max(back) < BACK_WITHIN, back
    assert None not in found.values()
    assert run.database.read_now(store.drifts) == []
    assert run.database.read_now(open_legs) == 0


async def sessions_back(url: str, tokens: list[str], program: Program) -> float:
    """Return the seconds from the start of the process until every agent has its session back."""
    async with httpx.AsyncClient() as http:
        for token in tokens:
            async with AgentClient(url, token, http=http) as agent:
                await agent.state()
    return (RealClock().now() - program.started).total_seconds()


def outcome_by_attempt(tx: Tx) -> dict[str, str | None]:
    """Return what every attempt has come to."""
    A = schema.attempts.c  # noqa: N806 - a table's columns
    return {row.id: row.outcome for row in tx.execute(select(A.id, A.outcome))}


def open_legs(tx: Tx) -> int:
    """Return how many legs still have ports."""
    return int(tx.execute(select(func.count()).select_from(schema.agent_legs)).scalar_one())
