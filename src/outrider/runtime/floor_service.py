"""The floor of one worker, whole: desk, seats, dial loops and lease, as the worker and the Agent API use it.

`background.py` makes one for a process that serves pages; `agents/desk.Desk` is how the API sees it.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import structlog

from outrider.agents import actions, service, sessions
from outrider.agents.commands import Command
from outrider.agents.model import AgentId, Session, SessionId
from outrider.agents.session_document import write_session
from outrider.channels.base import VoiceChannel
from outrider.clock import Clock
from outrider.db.database import Database, Tx
from outrider.dialing import plans, store
from outrider.dialing.attempt import Means, TaskPlan
from outrider.errors import ChannelError, NotFoundError, StoreError
from outrider.ids import TaskId
from outrider.licences.service import SharingRules
from outrider.runtime.agent_loops import AgentLoops
from outrider.runtime.driver import Driver
from outrider.runtime.feeds import Feed
from outrider.runtime.floor_desk import FloorDesk
from outrider.runtime.floor_keeper import FloorKeeper
from outrider.runtime.floor_samples import keep_sampling
from outrider.runtime.floor_work import FloorWork
from outrider.runtime.recorder import Recorder
from outrider.runtime.seating import Seating

log = structlog.get_logger(__name__)


class FloorService:
    """One floor. `available` while this process has the lease."""

    def __init__(
        self,
        database: Database,
        rules: SharingRules,
        clock: Clock,
        real_clock: Clock,
        voice: VoiceChannel,
        driver: Driver,
        recorder: Recorder,
        slot: str,
        worker_id: str,
        means_of: Callable[[TaskPlan], Means],
    ) -> None:
        self._database = database
        self._plans: dict[TaskId, TaskPlan] = {}
        self.desk = FloorDesk(database, clock, voice, driver, recorder, worker_id)
        self.seating = Seating(database, rules, self.desk)
        self.work = FloorWork(database, rules, self.desk, self.seating, worker_id, self.plan_of, means_of)
        self.loops = AgentLoops(database, rules, self.desk, self.work, worker_id, means_of)
        self.keeper = FloorKeeper(database, real_clock, voice, self.desk, slot, worker_id, self.seating.task)
        self.desk.on_change = self._changed
        self.desk.on_work = self.work.begin
        self.address = ""

    # The worker's side.

    async def begin(self, group: asyncio.TaskGroup) -> None:
        """Take the floor if nobody has it, and run what belongs to it, or wait for it."""
        try:
            await self.keeper.try_once()
        except (StoreError, ChannelError) as error:
            log.warning("floor_waits", error=error.message)
        self.desk.driver.hall = self.desk
        group.create_task(self.desk.writer.run())
        group.create_task(self.keeper.run())
        group.create_task(self.desk.audit.run(self.keeper.held))
        group.create_task(self._run_when_held())
        group.create_task(keep_sampling(self._database, self.desk, self.keeper.held))

    async def dial(self, plan: TaskPlan, admitted: Callable[[], bool]) -> None:
        """Dial for the agents of a task while it is admitted, once the floor is ours.

        Returns early where the database is away, or the task was deleted while another process had the floor:
        the worker calls it again for what is still admitted.
        """
        self._plans[plan.task_id] = plan
        await self.keeper.held.wait()
        try:
            task = await self.seating.task(plan.task_id)
        except (NotFoundError, StoreError) as error:
            log.warning("task_not_dialed_for_yet", task=plan.task_id, error=error.message)
            return
        self.desk.floor.know_task(task)
        await self.loops.run(plan, admitted)

    async def stop(self) -> None:
        """Write what is known, and let another process have the floor."""
        await self.loops.save()
        if self.keeper.held.is_set():
            await self.desk.writer.flushed()
        await self.keeper.give_up()
        await self.work.close()
        await self.desk.close()

    async def plan_of(self, task_id: TaskId) -> TaskPlan:
        """Return the plan of a task. NotFoundError when it is gone."""
        if task_id not in self._plans:
            self._plans[task_id] = await self._database.read(_plan, task_id)
        return self._plans[task_id]

    def doubt(self) -> None:
        """Look soon at what the media servers have of legs: one came back, or news may have been missed."""
        self.desk.audit.doubt()

    def restored(self) -> None:
        """After calls of former lives were taken over: end the contacts in hand whose calls are over."""
        if self.keeper.held.is_set():
            self.keeper.settle()
            self.seating.nudge_all()

    # The Agent Web API's side (agents/desk.Desk).

    @property
    def available(self) -> bool:
        """Return whether this process has the floor."""
        return self.keeper.held.is_set()

    async def log_in(
        self, agent_id: AgentId, *, api: bool, now: dt.datetime, address: str | None = None
    ) -> SessionId:
        """Open a session, not ready. LicenceShortageError, ConflictError, NotAllowedError."""

        def open_it(tx: Tx) -> sessions.Kept:
            agent = service.agent(tx, agent_id, None)
            return sessions.open_session(tx, agent, now, api=api, address=address)

        kept = await self._database.write(open_it)
        self.desk.zones[kept.session.pool_id] = kept.zone_id
        self.desk.do(self.desk.floor.admit(kept.session, now))
        return kept.session.id

    async def command(self, session_id: SessionId, command: Command) -> None:
        """Do what was asked; NotFoundError, IllegalTransitionError, InvalidInputError, ConflictError."""
        done = self.desk.floor.command(session_id, command, self.desk.clock.now())
        self.desk.do([each for each in done if not isinstance(each, actions.ClaimNumber)])
        for each in done:
            if isinstance(each, actions.ClaimNumber):
                await self.work.claim_number(each)

    def session(self, session_id: SessionId) -> Session | None:
        """Return a session as it is now, None when it is over."""
        return self.desk.floor.session(session_id)

    def session_of(self, agent_id: AgentId) -> Session | None:
        """Return the session of an agent, None when it is logged out."""
        return next((each for each in self.desk.floor.sessions() if each.agent_id == agent_id), None)

    def sessions(self, organization_id: int | None) -> Sequence[Session]:
        """Return the sessions of an organization, or of all, oldest first."""
        every = self.desk.floor.sessions()
        return [each for each in every if organization_id in (None, each.organization_id)]

    def subscribe(self, session_id: SessionId) -> AbstractContextManager[Feed]:
        """Listen to a session for as long as the block lasts."""
        return self.desk.feeds.subscribe(session_id)

    def last_id(self, session_id: SessionId) -> int:
        """Return the number of the last notification of a session, 0 when there was none."""
        return self.desk.feeds.last_id(session_id)

    def snapshot(self, session_id: SessionId) -> Mapping[str, object]:
        """Return the whole state of a session as JSON data; NotFoundError when it is over."""
        found = self.desk.floor.session(session_id)
        if found is None:
            raise NotFoundError("the session is over: log in again")
        return write_session(found, self.desk.floor.roster.tasks)

    def connected(self, session_id: SessionId, connected: bool) -> None:  # noqa: FBT001 - as the protocol
        """Note that a desktop listens to the session, or has been gone for too long."""
        self.desk.do(self.desk.floor.connected(session_id, self.desk.clock.now(), connected=connected))

    async def _run_when_held(self) -> None:
        await self.keeper.held.wait()
        await self.seating.run()

    def _changed(self, before: Session | None, after: Session) -> None:
        self.seating.session_changed(before, after)
        self.loops.session_changed(before, after)


def _plan(tx: Tx, task_id: TaskId) -> TaskPlan:
    row = store.task_row(tx, task_id)
    if row is None:
        raise NotFoundError(f"there is no task {task_id}")
    return plans.plan_of(tx, row)
