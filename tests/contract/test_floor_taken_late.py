"""A floor that is taken from a process that died: no agent waits for what that process was about to do."""

import asyncio
from dataclasses import replace

import pytest

from outrider.agents.absence import DESKTOP_LOST
from outrider.agents.model import AgentState, NailUp, SessionId
from outrider.db.database import Database
from outrider.ids import AttemptId
from outrider.runtime import store
from support.agent_campaigns import AgentWork
from support.desk_stage import NOON, SELL, DeskStage, desk_stage
from support.floor_play import engagement


def taken_with(database: Database, **values: object) -> DeskStage:
    """Return a floor that was taken from a process which left the agent's session with these values."""

    async def scenario() -> DeskStage:
        async with desk_stage(database) as stage:
            await stage.voice.open(stage.desk.driver.on_event)
            stage.admit()
            await stage.phone_up()
            stage.write(replace(stage.session, **values))  # type: ignore[arg-type]
            await stage.desk.close()
            after = stage.again()
            assert await after.keeper.try_once()
            await after.keeper.end_closed()
            await after.desk.close()
            return after

    return asyncio.run(scenario())


def test_an_agent_whose_number_was_being_claimed_can_dial_again(sqlite_database: Database) -> None:
    after = taken_with(sqlite_database, state=AgentState.DIALING, reason="")
    assert (after.session.state, after.session.nail_up) == (AgentState.READY, NailUp.UP)


def test_an_agent_who_wished_to_leave_meanwhile_is_logged_out(sqlite_database: Database) -> None:
    leaves = {"then": AgentState.LOGGED_OUT, "then_reason": "home"}
    after = taken_with(sqlite_database, state=AgentState.DIALING, reason="", **leaves)
    assert after.desk.floor.session(after.session_id) is None


def test_a_wrap_up_in_which_the_contact_was_to_be_called_again_ends_by_its_time(
    sqlite_database: Database,
) -> None:
    contact = replace(engagement("c1", SELL), answered_at=NOON, ended_at=NOON)
    after = taken_with(sqlite_database, state=AgentState.WRAP_UP, engagement=contact, deadline=None)
    assert after.session.state is AgentState.WRAP_UP
    assert after.session.deadline is not None


@pytest.mark.parametrize("state", [AgentState.TALKING, AgentState.HOLD])
def test_a_contact_in_hand_whose_call_is_closed_is_wrapped_up(
    sqlite_database: Database, state: AgentState
) -> None:
    contact = replace(engagement("c1", SELL), answered_at=NOON, customer_up=True)
    after = taken_with(sqlite_database, state=state, engagement=contact)
    assert after.session.state is AgentState.WRAP_UP


def test_desktops_of_a_former_life_must_come_back(sqlite_database: Database) -> None:
    """An agent who was ready gets no contact for ever if nobody looks at the screen any more."""
    found: list[SessionId] = []

    async def scenario() -> DeskStage:
        async with desk_stage(sqlite_database) as stage:
            await stage.voice.open(stage.desk.driver.on_event)
            stage.admit()
            await stage.phone_up()
            stage.write(stage.session)
            await stage.desk.close()
            after = stage.again()
            after.keeper.on_found = found.append
            assert await after.keeper.try_once()
            await after.desk.close()
            return after

    after = asyncio.run(scenario())
    assert found == [after.session_id]
    assert (after.session.state, after.session.connected) == (AgentState.READY, True)
    after.desk.floor.connected(after.session_id, NOON, connected=False)
    assert (after.session.state, after.session.reason) == (AgentState.NOT_READY, DESKTOP_LOST)


def test_an_agent_whose_desktop_was_lost_before_works_when_it_is_back(sqlite_database: Database) -> None:
    after = taken_with(sqlite_database, state=AgentState.NOT_READY, reason=DESKTOP_LOST)
    assert after.session.connected is False
    after.desk.floor.connected(after.session_id, NOON, connected=True)
    assert after.session.state is AgentState.READY


def test_only_attempts_that_are_closed_are_taken_for_over(database: Database) -> None:
    work = AgentWork(database, preview_agents=5)
    job = work.start(1, mode="preview", agents="", extra="")
    card = work.card(job)
    asked = [card.attempt_id, AttemptId("gone")]
    assert database.read_now(store.open_attempts, asked) == {card.attempt_id}
    assert work.give_back(card, skipped=False)
    assert database.read_now(store.open_attempts, asked) == set()
