"""Callbacks that are due, over each database: a whole worker shows them to agents as cards, in any mode."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, select

from outrider.agents.commands import AcceptPreview, Ready, SkipPreview, WrapUp
from outrider.agents.model import AgentId, AgentState, Session
from outrider.callbacks import service
from outrider.callbacks.model import Callback, CallbackPlan
from outrider.campaigns.strategy_agents import AgentMode, CallbackKind, CallbackState
from outrider.channels.simulated.behaviour import CarrierProfile, FarEnd, Span
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.db import schema
from outrider.db.database import Database
from outrider.people.model import SYSTEM
from outrider.runtime import store
from outrider.runtime.floor_service import FloorService
from support.agent_campaigns import SOURCE
from support.agent_floor import add_agents
from support.campaigning import NOON, campaigning
from support.outreach import targets
from support.workers import ShiftedClock, a_worker

SPEED = 60.0
PATIENCE = 60.0
TALKS = {"default": CarrierProfile(outcomes={FarEnd.HUMAN: 1.0}, hangs_up_early=0.0, talk=Span(20.0, 20.0))}


class Campaign:
    """A job of agents with one contact, who is promised a call, and the clock of all."""

    def __init__(self, database: Database, mode: AgentMode = AgentMode.PREVIEW, agents: str = "") -> None:
        self.database = database
        self.clock = ShiftedClock(SPEED, NOON)
        self.carrier = SimulatedCarrier(self.clock, TALKS)
        system = campaigning(database)
        counts = dict.fromkeys(("manual_agents", "preview_agents", "predictive_agents"), 10)
        system.license(NOON, telephony_ports=30, **counts)
        add_agents(database, 1)
        (self.agent,) = (AgentId(each) for each in self.rows(schema.agents.c.id))
        source = SOURCE.format(name="a", mode=mode.value, extra="", agents=agents, top="")
        self.campaign = system.campaign("a", [system.contact_list("a", 1)], source=source)
        self.job = system.start(self.campaign, NOON)

    def rows(self, column: ColumnElement[int]) -> list[int]:
        """Return a column of its table."""
        return self.database.read_now(lambda tx: list(tx.execute(select(column)).scalars()))

    def promise(self, after: float, kind: CallbackKind = CallbackKind.AGENT) -> Callback:
        """Promise the contact a call by our agent in so many seconds."""
        (contact,) = self.rows(schema.contacts.c.id)
        at = self.clock.now() + dt.timedelta(seconds=after)
        plan = CallbackPlan(at, kind, self.agent, note="about the loan")
        return self.database.write_now(service.create, self.clock.now(), SYSTEM, self.campaign, contact, plan)

    @asynccontextmanager
    async def floor(self, folder: Path) -> AsyncIterator[FloorService]:
        """Run a worker with the floor, and stop it."""
        worker = a_worker(self.database, self.clock, EmbeddedCarrier(self.carrier), folder, with_floor=True)
        assert worker.floor is not None
        running = asyncio.ensure_future(worker.run())
        try:
            async with asyncio.timeout(PATIENCE):
                await worker.floor.keeper.held.wait()
                yield worker.floor
        finally:
            await worker.stop()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await worker.close()

    async def begin(self, floor: FloorService) -> Session:
        """Let the agent come to work; return its session."""
        made = await floor.log_in(self.agent, api=False, now=self.clock.now())
        await floor.command(made, Ready())
        session = floor.session(made)
        assert session is not None
        return session

    async def state(self, floor: FloorService, session: Session, wanted: AgentState) -> Session:
        """Wait until the agent is in a state."""
        while True:
            found = floor.session(session.id)
            assert found is not None
            if found.state is wanted:
                return found
            await asyncio.sleep(0.01)

    async def is_now(self, wanted: CallbackState) -> Callback:
        """Wait until the only callback is in a state; return it."""
        while True:
            (found,), _ = await self.database.read(
                lambda tx: service.callbacks(tx, None, states=tuple(CallbackState))
            )
            if found.state is wanted:
                return found
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("mode", AgentMode)
def test_a_callback_comes_as_a_card_in_any_mode_and_is_kept(
    database: Database, tmp_path: Path, mode: AgentMode
) -> None:
    of = Campaign(database, mode)

    async def day() -> None:
        made = of.promise(90.0)
        async with of.floor(tmp_path) as floor:
            session = await of.state(floor, await of.begin(floor), AgentState.PREVIEW)
            assert session.engagement is not None
            assert session.engagement.callback_id == made.id
            shown = session.engagement.card["callback"]
            assert isinstance(shown, dict)
            assert (shown["note"], shown["kind"], shown["id"]) == ("about the loan", "agent", made.id)
            assert of.clock.now() >= made.due_at
            await floor.command(session.id, AcceptPreview())
            await of.state(floor, session, AgentState.TALKING)
            await of.state(floor, session, AgentState.WRAP_UP)
            await floor.command(session.id, WrapUp("sold"))
            kept = await of.is_now(CallbackState.DONE)
            assert kept.closed_why == "answered"

    asyncio.run(day())
    (target,) = database.read_now(targets)
    assert (target["state"], target["outcome"], target["attempts"]) == ("done", "answered", 1)
    assert of.carrier.counts.duplicates_refused == 0
    assert database.read_now(store.drifts) == []


def test_a_card_that_is_skipped_comes_again_later(database: Database, tmp_path: Path) -> None:
    of = Campaign(database, AgentMode.PROGRESSIVE)

    async def day() -> None:
        of.promise(60.0)
        async with of.floor(tmp_path) as floor:
            session = await of.state(floor, await of.begin(floor), AgentState.PREVIEW)
            first = session.engagement
            await floor.command(session.id, SkipPreview("not now"))
            waiting = await of.is_now(CallbackState.WAITING)
            assert waiting.retry_at is not None
            again = await of.state(floor, session, AgentState.PREVIEW)
            assert of.clock.now() >= waiting.retry_at
            assert first is not None
            assert again.engagement is not None
            assert again.engagement.callback_id == first.callback_id
            assert again.engagement.attempt_id != first.attempt_id

    asyncio.run(day())
    assert of.carrier.counts.originated == 1  # the agent's phone
    assert database.read_now(store.drifts) == []


def test_a_card_outlives_the_process_that_showed_it(database: Database, tmp_path: Path) -> None:
    of = Campaign(database, agents="preview_time = 600")

    async def card(former: str = "") -> str:
        """Show one in a new process, once that of the former one is taken back; return its attempt."""
        async with of.floor(tmp_path) as floor:
            sessions = floor.sessions(None)
            session = sessions[0] if sessions else await of.begin(floor)
            while True:
                found = await of.state(floor, session, AgentState.PREVIEW)
                assert found.engagement is not None
                if found.engagement.attempt_id != former:
                    return found.engagement.attempt_id
                await asyncio.sleep(0.01)

    async def day() -> None:
        of.promise(30.0, CallbackKind.STRICT_AGENT)
        second = await card(await card())
        assert (await of.is_now(CallbackState.QUEUED)).given_attempt == second

    asyncio.run(day())
    # Who died with it in hand has it: the next process takes it back.
    assert [row["state"] for row in database.read_now(targets)] == ["claimed"]
    assert database.read_now(store.drifts) == []
