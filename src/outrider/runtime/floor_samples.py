"""Samples of what agents do, every few seconds while this process has the floor: for charts and shares.

`floor_service.py` runs it beside the floor.
"""

import asyncio

import structlog

from outrider.agents import job_figures, samples_store
from outrider.agents.job_figures import KEPT, AgentSample
from outrider.agents.model import AT_WORK, AgentState
from outrider.db.database import Database
from outrider.errors import StoreError
from outrider.ids import TaskId
from outrider.runtime.floor_desk import FloorDesk

log = structlog.get_logger(__name__)

PERIOD = 5.0
"""Real seconds between two samples."""
DROP_EVERY = 120
"""Samples between two looks for those that are too old."""


async def keep_sampling(database: Database, desk: FloorDesk, held: asyncio.Event) -> None:
    """Write samples until cancelled. What the database does not take is not missed for long."""
    await held.wait()
    number = 0
    while True:
        try:
            await _sample(database, desk, number)
        except StoreError as error:
            log.warning("agent_samples_not_kept", error=error.message)
        number += 1
        await asyncio.sleep(PERIOD)


async def _sample(database: Database, desk: FloorDesk, number: int) -> None:
    now = desk.clock.now()
    if samples := samples_of(desk):
        await database.write(job_figures.keep, samples, now)
    if number % DROP_EVERY == 0:
        await database.write(samples_store.drop, now - KEPT)


def samples_of(desk: FloorDesk) -> list[AgentSample]:
    """Return what the agents of every task do now that has any, or lines in the air."""
    busy: dict[TaskId, int] = {}
    ready: dict[TaskId, int] = {}
    servers: dict[TaskId, set[str]] = {}
    for session in desk.floor.sessions():
        if session.task_id is None:
            continue
        task_id = session.task_id
        servers.setdefault(task_id, {""}).add(session.server)
        busy[task_id] = busy.get(task_id, 0) + (session.state in AT_WORK)
        ready[task_id] = ready.get(task_id, 0) + (session.state is AgentState.READY)
    for task_id, server in desk.lines.cells():
        servers.setdefault(task_id, {""}).add(server)
    return [
        AgentSample(
            task_id=task_id,
            busy=busy.get(task_id, 0),
            ready=ready.get(task_id, 0),
            lines=sum(len(desk.lines.lines((task_id, server))) for server in names),
            waiting=sum(desk.floor.waiting(task_id, server) for server in names),
        )
        for task_id, names in sorted(servers.items())
    ]
