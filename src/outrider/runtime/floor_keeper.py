"""Who has the floor: one process at a time, by the lease `floor`; and what it finds when it takes it.

The worker runs it before it takes over calls of former lives. The lease belongs to the worker's slot, so
that a process that was killed and starts again has the floor at once.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

import structlog

from outrider.agents import legs, sessions
from outrider.agents.absence import presumed
from outrider.agents.leg import LegPurpose
from outrider.agents.model import AgentState, NailUp, Session, SessionId
from outrider.agents.roster import FloorTask
from outrider.channels.base import VoiceChannel
from outrider.channels.model import Living
from outrider.clock import Clock
from outrider.db.database import Database
from outrider.errors import ChannelError, NotFoundError, StoreError
from outrider.ids import AttemptId, TaskId
from outrider.runtime import store
from outrider.runtime.floor_desk import FloorDesk

log = structlog.get_logger(__name__)

LEASE = "floor"
LEASE_TIME = dt.timedelta(seconds=10)
PERIOD = 2.0
"""Real seconds between two renewals, or two tries to take it."""
OVER = "it was over when the system came back"
RESTARTED = "the system restarted while the number was being looked up: dial again"


class FloorLostError(Exception):
    """Another process has taken the floor: this worker must start anew without it."""


class FloorKeeper:
    """Takes and keeps the floor for one worker; `held` says whether it has it."""

    def __init__(
        self,
        database: Database,
        real_clock: Clock,
        voice: VoiceChannel,
        desk: FloorDesk,
        slot: str,
        worker_id: str,
        task: Callable[[TaskId], Awaitable[FloorTask]],
    ) -> None:
        """`task` tells what the floor must know of a task; NotFoundError when it is gone."""
        self._database = database
        self._real_clock = real_clock
        self._voice = voice
        self._desk = desk
        self._slot = slot
        self._worker_id = worker_id
        self._task = task
        self.held = asyncio.Event()
        self.on_found: Callable[[SessionId], None] | None = None
        """Told of every session of a former life: its desktop has to come back."""

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
                else:
                    await self.end_closed()
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
                self._end(engagement.attempt_id)

    async def end_closed(self) -> None:
        """End the contacts in hand whose attempts are closed: nobody told this floor.

        A floor that is taken from a process that died has them: its calls may be decided before the floor is
        ours, or after, and then by what its media server says.
        """
        doubtful = self._without_calls()
        if not doubtful:
            return
        still = await self._database.read(store.open_attempts, sorted(doubtful))
        for attempt_id in sorted((doubtful & self._without_calls()) - still):
            log.warning("contact_in_hand_is_over", attempt=attempt_id)
            self._end(attempt_id)

    def _without_calls(self) -> set[AttemptId]:
        """Return the attempts that agents have in hand, and that are neither under way here nor cards."""
        return {
            session.engagement.attempt_id
            for session in self._desk.floor.sessions()
            if session.engagement is not None
            and session.engagement.ended_at is None
            and session.state is not AgentState.WRAP_UP
            and session.engagement.attempt_id not in self._desk.cards
            and not self._desk.driver.is_live(session.engagement.attempt_id)
        }

    def _end(self, attempt_id: AttemptId) -> None:
        now = self._desk.clock.now()
        self._desk.do(self._desk.floor.call_ended(attempt_id, now, outcome="interrupted", by="fault"))

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
        unknown = {leg.id for leg in charged if leg.server in living.silent} - kept
        servers = {leg.id: leg.server for leg in charged}
        await self._database.write(legs.adopt, [leg.id for leg in charged], self._worker_id)
        # Legs that are over are told of when there are sessions that may have consulted somebody on them.
        for leg in charged:
            if leg.purpose is not LegPurpose.BRIDGE and leg.id in kept | unknown:
                self._desk.adopt_leg(leg, in_doubt=leg.id in unknown)
        for each in found:
            deleted = await self._learn(_tasks_of(each.session))
            self._desk.zones[each.session.pool_id] = each.zone_id
            session = _as_found(each.session, servers, kept, unknown)
            self._desk.do(self._desk.floor.admit(session, self._desk.clock.now(), deleted))
        for leg in charged:
            if leg.purpose is LegPurpose.BRIDGE or leg.id not in kept | unknown | up.keys():
                self._desk.lose_leg(leg.id, OVER)
            elif leg.id not in kept | unknown:
                self._desk.end_leg(leg)
        self._end_consultations()
        self._end_claims()
        for session in self._desk.floor.sessions():
            if self.on_found is not None:
                self.on_found(session.id)
        log.info("floor_taken", sessions=len(found), legs=len(kept))

    async def _learn(self, tasks: AbstractSet[TaskId]) -> set[TaskId]:
        """Let the floor know these tasks; return those that were deleted while nobody had the floor."""
        deleted = set()
        for task_id in tasks:
            try:
                self._desk.floor.know_task(await self._task(task_id))
            except NotFoundError as error:
                log.warning("task_of_session_is_gone", task=task_id, error=error.message)
                deleted.add(task_id)
        return deleted

    def _end_consultations(self) -> None:
        """Lead agents back whose consulted person had gone before that was written down."""
        for session in self._desk.floor.sessions():
            consult = None if session.engagement is None else session.engagement.consult
            if consult is not None and not self._desk.knows(consult.leg):
                self._desk.lose_leg(consult.leg, OVER)

    def _end_claims(self) -> None:
        """Let agents dial again whose number was being claimed: the process that did it is gone.

        If it was claimed, and called, that call finds its agent free.
        """
        for session in self._desk.floor.sessions():
            claimed = session.state is AgentState.DIALING and session.engagement is None
            again = session.state is AgentState.WRAP_UP and session.deadline is None
            if claimed or again:
                now = self._desk.clock.now()
                self._desk.do(self._desk.floor.dial_refused(session.id, now, RESTARTED))


def _tasks_of(session: Session) -> set[TaskId]:
    """Return the tasks whose settings a session's next steps depend on."""
    engaged = None if session.engagement is None else session.engagement.task_id
    return {task for task in (session.task_id, session.next_task, engaged) if task is not None}


def _as_found(
    session: Session, servers: Mapping[AttemptId, str], kept: set[AttemptId], unknown: set[AttemptId]
) -> Session:
    """Return a session of a former life with its phone as it is now, or was when its server fell silent.

    `servers` are those of the legs, by name: only calls on the same one can be joined.
    """
    if session.leg is not None and session.leg in kept | unknown:
        nail_up = NailUp.UP if session.leg in kept else session.nail_up
        return replace(session, nail_up=nail_up, server=servers[session.leg], connected=presumed(session))
    lost = NailUp.NONE if session.nail_up is NailUp.NONE else NailUp.LOST
    return replace(session, nail_up=lost, leg=None, connected=presumed(session))
