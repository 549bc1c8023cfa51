"""The dial loops of agents, over each database: contacts that become due while nobody is, are found."""

import asyncio
from pathlib import Path

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
from support.agent_campaigns import SOURCE
from support.agent_floor import add_agents
from support.campaigning import NOON, RULES, campaigning
from support.outreach import attempts
from support.workers import ShiftedClock, a_worker

SPEED = 60.0
PATIENCE = 60.0
BUSY = {"default": CarrierProfile(outcomes={FarEnd.BUSY: 1.0})}
RETRY = '[actions.retry.busy]\ncount = 1\ndelays = ["1m"]'


def test_a_retry_is_made_after_nobody_was_due(database: Database, tmp_path: Path) -> None:
    clock = ShiftedClock(SPEED, NOON)
    carrier = SimulatedCarrier(clock, BUSY)
    system = campaigning(database)
    system.license(NOON, telephony_ports=30, predictive_agents=10)
    add_agents(database, 2)
    agents = database.read_now(lambda tx: list(tx.execute(select(schema.agents.c.id)).scalars()))
    source = SOURCE.format(name="a", mode="progressive", extra="", agents="", top="")
    campaign = system.campaign("a", [system.contact_list("a", 1)], source=source + RETRY)
    database.write_now(load_targets, RULES, system.start(campaign, NOON), NOON)

    async def day() -> None:
        worker = a_worker(database, clock, EmbeddedCarrier(carrier), tmp_path, with_floor=True)
        assert worker.floor is not None
        running = asyncio.ensure_future(worker.run())
        try:
            async with asyncio.timeout(PATIENCE):
                await worker.floor.keeper.held.wait()
                # One agent has a line for the only contact; for the other nobody is known to become due.
                for agent in agents:
                    made = await worker.floor.log_in(AgentId(agent), api=False, now=clock.now())
                    await worker.floor.command(made, Ready())
                while [row["outcome"] for row in await database.read(attempts)] != ["busy"] * 2:  # noqa: ASYNC110 - rows tell nobody
                    await asyncio.sleep(0.02)
        finally:
            await worker.stop()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await worker.close()

    asyncio.run(day())
    assert carrier.counts.duplicates_refused == 0
    assert database.read_now(store.drifts) == []


def test_a_decision_says_that_ports_bound_it(database: Database, tmp_path: Path) -> None:
    """Two agents' phones and one contact take three ports: the second agent's line has none."""
    clock = ShiftedClock(SPEED, NOON)
    carrier = SimulatedCarrier(clock, {"default": CarrierProfile(outcomes={FarEnd.NO_ANSWER: 1.0})})
    system = campaigning(database)
    system.license(NOON, telephony_ports=3, predictive_agents=10)
    add_agents(database, 2)
    agents = database.read_now(lambda tx: list(tx.execute(select(schema.agents.c.id)).scalars()))
    source = SOURCE.format(name="a", mode="progressive", extra="", agents="", top="")
    campaign = system.campaign("a", [system.contact_list("a", 20)], source=source)
    database.write_now(load_targets, RULES, system.start(campaign, NOON), NOON)

    async def day() -> Decision:
        worker = a_worker(database, clock, EmbeddedCarrier(carrier), tmp_path, with_floor=True)
        assert worker.floor is not None
        running = asyncio.ensure_future(worker.run())
        try:
            async with asyncio.timeout(PATIENCE):
                await worker.floor.keeper.held.wait()
                for agent in agents:
                    made = await worker.floor.log_in(AgentId(agent), api=False, now=clock.now())
                    await worker.floor.command(made, Ready())
                while True:
                    for decision in worker.floor.loops.decisions.values():
                        if decision.bound is Bound.PORTS:
                            return decision
                    await asyncio.sleep(0.01)
        finally:
            await worker.stop()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await worker.close()

    decision = asyncio.run(day())
    assert decision.sentence.endswith("no port is free for more")
