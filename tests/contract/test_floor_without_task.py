"""A floor is taken although jobs that its sessions worked for were deleted meanwhile, over each database."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from outrider.agents.engagement_document import write_engagement
from outrider.agents.model import AgentState, Attachment, Session
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.db import schema
from outrider.db.database import Database
from outrider.errors import StoreError
from outrider.ids import TaskId
from outrider.licences import division_store
from support.agent_campaigns import AgentWork
from support.agent_sessions import log_in
from support.campaigning import NOON, campaigning
from support.floor_play import engagement, task
from support.workers import ShiftedClock, a_worker

GONE = TaskId(77)
IN_HAND = write_engagement(engagement("c1", task(GONE)))


@pytest.mark.parametrize(
    "row",
    [
        {"task_id": GONE, "attachment": "attached"},
        {"next_task": GONE},
        {
            "task_id": GONE,
            "attachment": "moving",
            "next_task": GONE,
            "state": "preview",
            "engagement": IN_HAND,
        },
        {"state": "wrap_up", "engagement": IN_HAND, "deadline": NOON},
        {"state": "talking", "engagement": IN_HAND, "nail_up": "up", "leg": "leg"},
    ],
    ids=["seat", "move", "card", "wrap-up", "call"],
)
def test_a_floor_whose_sessions_worked_for_deleted_jobs_is_taken_and_they_are_free(
    database: Database, tmp_path: Path, row: Mapping[str, Any]
) -> None:
    campaigning(database).license(NOON, telephony_ports=5, predictive_agents=5)
    pool = database.read_now(division_store.pools)[0].id
    _, session_id = log_in(database, pool, "ada", NOON)
    sessions = schema.agent_sessions
    mine = sessions.c.id == session_id
    database.write_now(lambda tx: tx.execute(update(sessions).where(mine).values(**row)))

    async def scenario() -> Session:
        clock = ShiftedClock(1.0, NOON)
        voice = EmbeddedCarrier(SimulatedCarrier(clock, seed=1))
        worker = a_worker(database, clock, voice, tmp_path, with_floor=True)
        assert worker.floor is not None
        running = asyncio.ensure_future(worker.run())
        try:
            async with asyncio.timeout(20):
                held = asyncio.ensure_future(worker.floor.keeper.held.wait())
                await asyncio.wait((held, running), return_when=asyncio.FIRST_COMPLETED)
                assert not running.done(), running.exception()
                while await database.read(lambda tx: tx.execute(select(sessions.c.task_id)).scalar()):  # noqa: ASYNC110 - rows tell nobody
                    await asyncio.sleep(0.01)
                await worker.floor.desk.writer.flushed()
            found = worker.floor.session(session_id)
            assert found is not None
            return found
        finally:
            await worker.stop()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await worker.close()

    found = asyncio.run(scenario())
    assert (found.state, found.attachment) == (AgentState.READY, Attachment.FREE)
    assert (found.task_id, found.next_task, found.engagement) == (None, None, None)


def test_a_task_that_was_deleted_while_another_process_had_the_floor_is_not_dialed_for(
    sqlite_database: Database, tmp_path: Path
) -> None:
    work = AgentWork(sqlite_database)
    plan = work.plan(work.start(1))
    clock = ShiftedClock(1.0, NOON)
    worker = a_worker(
        sqlite_database, clock, EmbeddedCarrier(SimulatedCarrier(clock)), tmp_path, with_floor=True
    )
    assert worker.floor is not None
    floor = worker.floor
    campaigns = schema.campaigns
    sqlite_database.write_now(lambda tx: tx.execute(campaigns.delete()))

    async def scenario() -> None:
        async with asyncio.timeout(10):
            dialing = asyncio.ensure_future(floor.dial(plan, lambda: True))
            await asyncio.sleep(0)
            floor.keeper.held.set()
            await dialing

    asyncio.run(scenario())
    assert plan.task_id not in floor.desk.floor.roster.tasks


def test_a_database_that_is_away_holds_a_task_up_and_ends_no_worker(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = AgentWork(sqlite_database)
    plan = work.plan(work.start(1))
    clock = ShiftedClock(1.0, NOON)
    worker = a_worker(
        sqlite_database, clock, EmbeddedCarrier(SimulatedCarrier(clock)), tmp_path, with_floor=True
    )
    assert worker.floor is not None
    floor = worker.floor
    read, away = sqlite_database.read, [True]

    async def broken(*args: Any, **kwargs: Any) -> Any:
        if away:
            away.pop()
            raise StoreError("the database is away")
        return await read(*args, **kwargs)

    monkeypatch.setattr(sqlite_database, "read", broken)

    async def scenario() -> None:
        floor.keeper.held.set()
        await floor.dial(plan, lambda: False)
        assert plan.task_id not in floor.desk.floor.roster.tasks
        await floor.dial(plan, lambda: False)

    asyncio.run(scenario())
    assert plan.task_id in floor.desk.floor.roster.tasks
