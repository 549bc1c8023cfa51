"""Who has the floor: one process at a time, by the lease `floor`; and what it finds when it takes it.

The worker runs it before it takes over calls of former lives. The lease belongs to the worker's slot, so
that a process that was killed and starts again has the floor at once.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from outrider.agents import legs, sessions
from outrider.agents.leg import Leg, LegPurpose
from outrider.agents.model import AgentState, NailUp, Session
from outrider.agents.roster import FloorTask
from outrider.channels.base import VoiceChannel
from outrider.channels.model import Living
from outrider.clock import Clock
from outrider.db.database import Database
from outrider.errors import ChannelError, StoreError
from outrider.ids import AttemptId, TaskId
from outrider.runtime import store
from outrider.runtime.floor_desk import FloorDesk

log = structlog.get_logger(__name__)

LEASE = "floor"
LEASE_TIME = dt.timedelta(seconds=10)
PERIOD = 2.0
"""Real seconds between two renewals, or two tries to take it."""


class FloorLostError(Exception):
    """Another process has taken the floor: this worker must start anew without it."""


class FloorKeeper:
    """Takes and keeps the floor for one worker; `held` says whether it has it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        real_clock: Clock,
        voice: VoiceChannel,
        desk: FloorDesk,
        slot: str,
        worker_id: str,
        task: Callable[[TaskId], Awaitable[FloorTask]],
    ) -> None:
        """`task` tells what the floor must know of a task."""
        self._database = database
        self._clock = clock
        self._real_clock = real_clock
        self._voice = voice
        self._desk = desk
        self._slot = slot
        self._worker_id = worker_id
        self._task = task
        self.held = asyncio.Event()

    async def try_once(self) -> bool:
        """Take the floor if nobody has it, with all sessions and legs that are there; say whether we have it.

        ChannelError when the media servers cannot say what is up: then it is tried again.
        """
        if self.held.is_set():
            return True
        if not await self._take():
            return False
        await self._restore()
        self.held.set()
        return True

    async def run(self) -> None:
        """Keep the floor, or try to get it, until cancelled. FloorLostError when another has it."""
        while True:
            await asyncio.sleep(PERIOD)
            try:
                if not self.held.is_set():
                    await self.try_once()
                elif not await self._take():
                    raise FloorLostError(self._slot)
            except (StoreError, ChannelError) as error:
                log.warning("floor_waits", error=error.message)

    async def give_up(self) -> None:
        """Let another process have the floor: this one stops."""
        if self.held.is_set():
            try:
                await self._database.write(store.drop_lease, LEASE, self._slot)
            except StoreError as error:
                log.warning("floor_lease_left", error=error.message)

    def settle(self) -> None:
        """After calls were taken over: end the contacts in hand whose calls are over."""
        desk = self._desk
        for session in desk.floor.sessions():
            engagement = session.engagement
            if engagement is None or session.state is AgentState.WRAP_UP:
                continue
            if not desk.driver.is_live(engagement.attempt_id):
                now = self._clock.now()
                desk.do(desk.floor.call_ended(engagement.attempt_id, now, outcome="interrupted", by="fault"))

    async def _take(self) -> bool:
        now = self._real_clock.now()
        return await self._database.write(store.take_lease, LEASE, self._slot, now, now + LEASE_TIME)

    async def _restore(self) -> None:
        """Take in the sessions of a former life, with the legs that are still up."""
        found = await self._database.read(sessions.open_sessions)
        charged = await self._database.read(legs.every)
        living = await self._voice.living() if charged else Living()
        up = {call.call_id: call for call in living.calls}
        kept = {leg.id for leg in charged if leg.id in up and up[leg.id].answered}
        await self._database.write(legs.adopt, sorted(kept), self._worker_id)
        for leg in charged:
            self._restore_leg(leg, up=leg.id in kept)
        for each in found:
            for task_id in _tasks_of(each.session):
                self._desk.floor.know_task(await self._task(task_id))
            self._desk.zones[each.session.pool_id] = each.zone_id
            session = _as_found(each.session, kept)
            self._desk.do(self._desk.floor.admit(session, self._clock.now()))
        log.info("floor_taken", sessions=len(found), legs=len(kept))

    def _restore_leg(self, leg: Leg, *, up: bool) -> None:
        if up and leg.purpose is not LegPurpose.BRIDGE:
            self._desk.adopt_leg(leg)
        else:
            self._desk.lose_leg(leg, "it was over, or not answered, when the system came back")


def _tasks_of(session: Session) -> set[TaskId]:
    """Return the tasks whose settings a session's next steps depend on."""
    engaged = None if session.engagement is None else session.engagement.task_id
    return {task for task in (session.task_id, session.next_task, engaged) if task is not None}


def _as_found(session: Session, kept: set[AttemptId]) -> Session:
    """Return a session of a former life with its phone as it is now."""
    if session.leg is not None and session.leg in kept:
        return replace(session, nail_up=NailUp.UP, connected=False)
    lost = NailUp.NONE if session.nail_up is NailUp.NONE else NailUp.LOST
    return replace(session, nail_up=lost, leg=None, connected=False)
