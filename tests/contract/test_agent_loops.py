"""The dial loops of agents, over each database: contacts that become due while nobody is, are found."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select

from outrider.agents.commands import Ready
from outrider.agents.model import AgentId
from outrider.channels.simulated.behaviour import CarrierProfile, FarEnd
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.db import schema
from outrider.db.database import Database
from outrider.dialing.predictive.model import Bound, Decision
from outrider.jobs.loading import load_targets
from outrider.runtime import store
from outrider.runtime.worker import Worker
from support.agent_campaigns import SOURCE
from support.agent_floor import add_agents
from support.campaigning import NOON, RULES, campaigning
from support.outreach import attempts
from support.workers import ShiftedClock, a_worker

SPEED = 60.0
PATIENCE = 60.0
T = TypeVar("T")
RETRY = '[actions.retry.busy]\ncount = 1\ndelays = ["1m"]'


Fact = Callable[[Worker], Awaitable[T | None]]


def with_two_agents(
    database: Database,
    folder: Path,
    profile: CarrierProfile,
    contacts: int,
    ports: int,
    fact: Fact[T],
    extra: str = "",
) -> tuple[T, SimulatedCarrier]:
    """Let two agents be ready for a progressive job; return the first true answer of `fact`."""
    clock = ShiftedClock(SPEED, NOON)
    carrier = SimulatedCarrier(clock, {"default": profile})
    system = campaigning(database)
    system.license(NOON, telephony_ports=ports, predictive_agents=10)
    add_agents(database, 2)
    agents = database.read_now(lambda tx: list(tx.execute(select(schema.agents.c.id)).scalars()))
    source = SOURCE.format(name="a", mode="progressive", extra="", agents="", top="")
    campaign = system.campaign("a", [system.contact_list("a", contacts)], source=source + extra)
    database.write_now(load_targets, RULES, system.start(campaign, NOON), NOON)

    async def day() -> T:
        worker = a_worker(database, clock, EmbeddedCarrier(carrier), folder, with_floor=True)
        assert worker.floor is not None
        running = asyncio.ensure_future(worker.run())
        try:
            async with asyncio.timeout(PATIENCE):
                await worker.floor.keeper.held.wait()
                for agent in agents:
                    made = await worker.floor.log_in(AgentId(agent), api=False, now=clock.now())
                    await worker.floor.command(made, Ready())
                while (found := await fact(worker)) is None:  # noqa: ASYNC110 - rows tell nobody
                    await asyncio.sleep(0.02)
                return found
        finally:
            await worker.stop()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await worker.close()

    return asyncio.run(day()), carrier


def test_a_retry_is_made_after_nobody_was_due(database: Database, tmp_path: Path) -> None:
    """One agent has a line for the only contact; for the other nobody is known to become due."""

    async def tried_twice(_: Worker) -> bool | None:
        outcomes = [row["outcome"] for row in await database.read(attempts)]
        return True if outcomes == ["busy"] * 2 else None

    busy = CarrierProfile(outcomes={FarEnd.BUSY: 1.0})
    _, carrier = with_two_agents(database, tmp_path, busy, 1, 30, tried_twice, RETRY)
    assert carrier.counts.duplicates_refused == 0
    assert database.read_now(store.drifts) == []


def test_a_decision_says_that_ports_bound_it(database: Database, tmp_path: Path) -> None:
    """Two agents' phones and one contact take three ports: the second agent's line has none."""

    async def bound_by_ports(worker: Worker) -> Decision | None:
        assert worker.floor is not None
        decisions = worker.floor.loops.decisions.values()
        return next((each for each in decisions if each.bound is Bound.PORTS), None)

    silent = CarrierProfile(outcomes={FarEnd.NO_ANSWER: 1.0})
    decision, _ = with_two_agents(database, tmp_path, silent, 20, 3, bound_by_ports)
    assert decision.sentence.endswith("no port is free for more")
