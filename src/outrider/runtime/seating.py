"""Keeps seats in step with agents: whoever comes, gets ready, leaves or is moved, and whatever jobs do.

The worker that has the floor runs it. Seats move only in transactions (`agents/seats.py`); the floor follows
what was committed, and desktops hear of it.
"""

import asyncio
from collections.abc import Iterable

import structlog

from outrider.agents import actions, seats
from outrider.agents.model import AT_WORK, Attachment, Session, SessionId
from outrider.agents.roster import FloorTask
from outrider.agents.seats import Rebalanced
from outrider.db.database import Database, Tx
from outrider.dialing import plans, store
from outrider.errors import NotFoundError, OutriderError, StoreError
from outrider.ids import PoolId, TaskId
from outrider.jobs import service as jobs
from outrider.licences.service import SharingRules
from outrider.runtime.floor_desk import FloorDesk
from outrider.runtime.wake import wait_for

log = structlog.get_logger(__name__)

PERIOD = 1.0
"""Real seconds between two looks at all pools: what was not told is found by then."""
TOGETHER = 0.05
"""Real seconds in which changes are answered together."""


class Seating:
    """The seats of one floor."""

    def __init__(self, database: Database, rules: SharingRules, desk: FloorDesk) -> None:
        self._database = database
        self._rules = rules
        self._desk = desk
        self._pools: set[PoolId] = set()
        self._flag = asyncio.Event()
        self._tasks: dict[TaskId, FloorTask] = {}

    def nudge(self, pools: Iterable[PoolId]) -> None:
        """Deal the seats of these pools anew, soon."""
        self._pools.update(pools)
        self._flag.set()

    def nudge_all(self) -> None:
        """Deal the seats of all pools with agents anew, soon."""
        self._flag.set()

    def session_changed(self, before: Session | None, after: Session) -> None:
        """Deal anew when a session came, went, or can be used where it could not before."""
        if before is None or _matters(before) != _matters(after):
            self.nudge({after.pool_id})

    async def run(self) -> None:
        """Deal whenever something changed, and now and then, until cancelled."""
        while True:
            await wait_for(self._flag, PERIOD)
            await asyncio.sleep(TOGETHER)
            pools, self._pools = self._pools, set()
            every = {session.pool_id for session in self._desk.floor.sessions()}
            for pool_id in sorted(pools | every):
                try:
                    await self.deal(pool_id)
                except (StoreError, NotFoundError) as error:
                    # A job that was deleted in between is dealt without next.
                    log.warning("seats_not_dealt", pool=pool_id, error=error.message)
                    self._pools.add(pool_id)

    async def deal(self, pool_id: PoolId) -> None:
        """Deal the seats of a pool, and let the floor follow."""
        # A session that has just got ready must be in the database as ready.
        await self._desk.writer.flushed()
        here = [each for each in self._desk.floor.sessions() if each.pool_id == pool_id]
        working = frozenset(each.id for each in here if each.state in AT_WORK)
        # Seats that moved without the floor (a snoozed job's) are told too.
        seen = {each.id: each.task_id for each in here}
        now = self._desk.clock.now()
        done = await self._database.write(
            seats.rebalance, self._rules, pool_id, now, working, seen, ask_first=True
        )
        await self._follow(done)

    async def release(self, action: actions.ReleaseSeat) -> None:
        """Give back the seat of a session that has no contact in hand any more."""
        now = self._desk.clock.now()
        session = self._desk.floor.session(action.session_id)
        task_id = None if session is None else session.task_id
        await self._database.write(
            seats.detach, self._rules, action.session_id, now, action.why, task_id=task_id
        )
        self._desk.do(self._desk.floor.seat_released(action.session_id, now, action.why))
        self._nudge_pool_of(action.session_id)

    async def move(self, action: actions.MoveSeat) -> None:
        """Move a seat to another task in one step; what cannot hold it refuses it, and nothing changes."""
        desk, now = self._desk, self._desk.clock.now()
        try:
            await self._database.write(seats.move, self._rules, action.session_id, action.task_id, now)
        except OutriderError as error:
            desk.do(desk.floor.move_refused(action.session_id, now, error.message))
            return
        task = await self.task(action.task_id)
        desk.do(desk.floor.seat_given(action.session_id, task, now))

    async def task(self, task_id: TaskId) -> FloorTask:
        """Return what the floor must know of a task. NotFoundError when it is gone, or none of agents."""
        if task_id not in self._tasks:
            self._tasks[task_id] = await self._database.read(_floor_task, task_id)
        return self._tasks[task_id]

    async def _follow(self, done: Rebalanced) -> None:
        desk, now = self._desk, self._desk.clock.now()
        for change in done.changes:
            session = desk.floor.session(change.session_id)
            if session is None:
                continue
            if change.to_task is not None:
                task = await self.task(change.to_task)
                desk.do(desk.floor.seat_given(session.id, task, now))
            elif change.leaving:
                desk.do(desk.floor.seat_wanted(session.id, now, change.reason))
            elif change.from_task is not None:
                desk.do(desk.floor.seat_released(session.id, now, change.reason))
        for session_id, reason in done.refused.items():
            desk.do(desk.floor.seat_refused(session_id, now, reason))

    def _nudge_pool_of(self, session_id: SessionId) -> None:
        session = self._desk.floor.session(session_id)
        if session is not None:
            self.nudge({session.pool_id})


def _matters(session: Session) -> tuple[bool, bool, Attachment]:
    """Return what dealing looks at: whether a session can be used, how it is attached, or is still at work.

    Contacts come and go all the time: those of agents who have a seat and keep it change nothing.
    """
    stays = session.attachment is Attachment.ATTACHED
    return session.is_usable, session.state in AT_WORK and not stays, session.attachment


def _floor_task(tx: Tx, task_id: TaskId) -> FloorTask:
    row = store.task_row(tx, task_id)
    plan = None if row is None else plans.plan_of(tx, row)
    settings = None if plan is None else plan.action.agents
    if plan is None or settings is None:
        raise NotFoundError(f"there is no task {task_id} of agents: its job was deleted")
    job = jobs.job(tx, plan.job_id, None)
    return FloorTask(task_id, plan.job_id, plan.campaign_id, job.campaign_name, plan.action.name, settings)
