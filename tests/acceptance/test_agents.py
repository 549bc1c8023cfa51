"""Agents at work in real processes: `outrider serve`, a carrier, desktops over the Agent Web API."""

import asyncio
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.runtime import store
from support.agent_floor import Staff, add_agents
from support.live_runs import LISTENING, LiveRun, live_run
from support.processes import Program, Programs, eventually

SPEED = 20.0
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
