"""Numbers that agents dial, over each database: whoever is gone when one is claimed has nobody called."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from outrider.agents.commands import Command, Dial, LogOut, Ready, Redial, WrapUp
from outrider.agents.model import AgentId, AgentState, Session, SessionId
from outrider.channels.simulated.behaviour import CarrierProfile, FarEnd, Span
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.db import schema
from outrider.db.database import Database
from outrider.errors import ConflictError
from outrider.jobs.loading import load_targets
from outrider.runtime import store
from outrider.runtime.floor_service import FloorService
from support.agent_campaigns import SOURCE
from support.agent_floor import add_agents
from support.campaigning import NOON, RULES, Campaigning, campaigning
from support.outreach import attempts
from support.workers import ShiftedClock, a_worker

SPEED = 60.0
TALKS = {"default": CarrierProfile(outcomes={FarEnd.HUMAN: 1.0}, hangs_up_early=0.0, talk=Span(20.0, 20.0))}


class Dialing:
    """A manual campaign with one contact, and its agent at a floor."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = ShiftedClock(SPEED, NOON)
        self.system: Campaigning = campaigning(database)
        self.system.license(NOON, telephony_ports=30, manual_agents=5)
        add_agents(database, 1)
        source = SOURCE.format(name="a", mode="manual", extra="", agents="wrap_up = 600", top="")
        campaign = self.system.campaign("a", [self.system.contact_list("a", 1)], source=source)
        database.write_now(load_targets, RULES, self.system.start(campaign, NOON), NOON)

    def ids(self, table: str) -> list[int]:
        """Return the ids of a table's rows."""
        column = schema.metadata.tables[table].c.id
        return self.database.read_now(lambda tx: list(tx.execute(select(column)).scalars()))

    def play(self, folder: Path, scene: Callable[[FloorService, SessionId], Awaitable[None]]) -> None:
        """Play a scene at a floor with its agent ready to dial."""

        async def day() -> None:
            carrier = SimulatedCarrier(self.clock, TALKS)
            worker = a_worker(self.database, self.clock, EmbeddedCarrier(carrier), folder, with_floor=True)
            assert worker.floor is not None
            running = asyncio.ensure_future(worker.run())
            try:
                async with asyncio.timeout(60):
                    await worker.floor.keeper.held.wait()
                    (agent,) = self.ids("agents")
                    made = await worker.floor.log_in(AgentId(agent), api=False, now=self.clock.now())
                    await worker.floor.command(made, Ready())
                    await until(worker.floor, made, lambda each: each.is_free)
                    await scene(worker.floor, made)
            finally:
                await worker.stop()
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await worker.close()

        asyncio.run(day())
        assert self.database.read_now(store.drifts) == []


async def until(floor: FloorService, session_id: SessionId, what: Callable[[Session], bool]) -> Session:
    """Wait until something is so of a session."""
    while True:
        found = floor.session(session_id)
        assert found is not None
        if what(found):
            return found
        await asyncio.sleep(0.01)


def meanwhile(floor: FloorService, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let something happen when a number has been claimed, before the floor hears of it."""
    claim = floor.work._claim

    async def claimed(action: object) -> object:
        found = await claim(action)  # type: ignore[arg-type]
        act()
        return found

    monkeypatch.setattr(floor.work, "_claim", claimed)


@pytest.mark.parametrize("command", [LogOut("home", force=True), LogOut("home")], ids=["forced", "wished"])
def test_nobody_is_called_for_an_agent_who_left_while_the_number_was_claimed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    stage = Dialing(database)

    async def scene(floor: FloorService, session_id: SessionId) -> None:
        desk = floor.desk
        meanwhile(
            floor, monkeypatch, lambda: desk.do(desk.floor.command(session_id, command, desk.clock.now()))
        )
        (contact,) = stage.ids("contacts")
        with pytest.raises(ConflictError, match="not dialed"):
            await floor.command(session_id, Dial("", contact))
        assert floor.session(session_id) is None
        assert desk.driver.in_flight == 0

    stage.play(tmp_path, scene)
    (row,) = database.read_now(attempts)
    assert (row["outcome"], row["answered_at"]) == ("skipped", None)


def test_a_contact_is_not_called_again_for_an_agent_who_left_the_wrap_up(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Dialing(database)

    async def scene(floor: FloorService, session_id: SessionId) -> None:
        desk = floor.desk
        (contact,) = stage.ids("contacts")
        await floor.command(session_id, Dial("", contact))
        await until(floor, session_id, lambda each: each.state is AgentState.WRAP_UP)
        meanwhile(
            floor,
            monkeypatch,
            lambda: desk.do(desk.floor.command(session_id, WrapUp("done"), desk.clock.now())),
        )
        with pytest.raises(ConflictError, match="not dialed"):
            await floor.command(session_id, Redial())
        found = floor.session(session_id)
        assert found is not None
        assert (found.state, found.engagement) == (AgentState.READY, None)

    stage.play(tmp_path, scene)
    assert [row["outcome"] for row in database.read_now(attempts)] == ["answered", "skipped"]


def test_a_redial_calls_the_number_that_was_called_before(database: Database, tmp_path: Path) -> None:
    stage = Dialing(database)

    async def scene(floor: FloorService, session_id: SessionId) -> None:
        (contact,) = stage.ids("contacts")
        await floor.command(session_id, Dial("030 12345699", contact))
        first = await until(floor, session_id, lambda each: each.state is AgentState.WRAP_UP)
        await floor.command(session_id, Redial())
        await until(
            floor,
            session_id,
            lambda each: each.state is AgentState.WRAP_UP and each.engagement != first.engagement,
        )

    stage.play(tmp_path, scene)
    assert [row["address"] for row in database.read_now(attempts)] == ["+493012345699"] * 2


def test_an_agent_whose_number_could_not_be_claimed_can_go_on(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Dialing(database)

    def broken() -> None:
        raise ZeroDivisionError

    async def scene(floor: FloorService, session_id: SessionId) -> None:
        (contact,) = stage.ids("contacts")
        with monkeypatch.context() as patched:
            patched.setattr(floor.work, "_means_of", lambda _: broken())
            with pytest.raises(ZeroDivisionError):
                await floor.command(session_id, Dial("", contact))
        found = floor.session(session_id)
        assert found is not None
        assert found.is_free
        await floor.command(session_id, Dial("", contact))
        await until(floor, session_id, lambda each: each.state is AgentState.WRAP_UP)

    stage.play(tmp_path, scene)
    assert [row["outcome"] for row in database.read_now(attempts)] == ["answered"]
