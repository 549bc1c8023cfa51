"""Agents' phones and consulted people on the line: their ports, their calls, and the joining of two legs.

The floor's edge asks it; what happens to the legs comes back as calls of `FloorLegs.on_up` and `on_ended`.
Every leg has its port before it is called, and bridging has one more until it is done (licensing.md 6).
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from outrider.agents import legs
from outrider.agents.actions import MakeLeg
from outrider.agents.leg import Leg, LegPurpose, LegRefused
from outrider.agents.model import LegId, SessionId
from outrider.channels.base import DuplicateCallError, VoiceChannel
from outrider.channels.model import CallAnswered, CallEnded, CallEvent, CallPurpose, OutboundCall
from outrider.clock import Clock
from outrider.db.database import Database
from outrider.errors import ChannelError, OutriderError
from outrider.ids import AttemptId, ZoneId, new_attempt_ids

log = structlog.get_logger(__name__)

PURPOSES = {CallPurpose.AGENT: LegPurpose.AGENT, CallPurpose.CONSULT: LegPurpose.CONSULT}


@dataclass(frozen=True)
class LegNews:
    """Whom to tell of legs: up on a server, or over and why."""

    up: Callable[[LegId, str], None]
    ended: Callable[[LegId, str], None]


class FloorLegs:
    """All legs of one floor that are charged now."""

    def __init__(
        self, database: Database, clock: Clock, voice: VoiceChannel, owner: str, news: LegNews
    ) -> None:
        self._database = database
        self._clock = clock
        self._voice = voice
        self._owner = owner
        self._news = news
        self._legs: dict[LegId, Leg] = {}
        self._making: set[LegId] = set()
        self._over: set[LegId] = set()
        self._turns: dict[AttemptId, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()

    def knows(self, call_id: AttemptId) -> bool:
        """Return whether a call is a leg of ours."""
        return call_id in self._legs or call_id in self._making

    def server_id(self, leg: LegId | None) -> int | None:
        """Return the media server that has a leg; None on the simulated carrier."""
        found = None if leg is None else self._legs.get(leg)
        return None if found is None else found.server_id

    def adopt(self, leg: Leg) -> None:
        """Take over a leg of a former life that is up."""
        self._legs[leg.id] = leg

    def make(self, wish: MakeLeg, zone_id: ZoneId, only_server: int | None) -> None:
        """Charge a port and call; `only_server` for a person who is consulted by somebody on it."""
        self._making.add(wish.leg)
        self._in_turn(wish.leg, self._make(wish, zone_id, only_server))

    def hear(self, event: CallEvent) -> None:
        """Take an event of a leg."""
        match event:
            case CallAnswered():
                leg = self._legs.get(event.call_id)
                self._news.up(event.call_id, "" if leg is None else leg.server)
            case CallEnded():
                self.lose(event.call_id, event.detail or event.cause.value)

    def lose(self, leg_id: LegId, detail: str) -> None:
        """Give the port of a leg that is over back, and tell."""
        self._over.add(leg_id)
        self._making.discard(leg_id)
        self._legs.pop(leg_id, None)
        self._in_turn(leg_id, self._release(leg_id))
        self._news.ended(leg_id, detail)

    def join(self, call_id: AttemptId, room: str) -> None:
        """Put a leg into its own room, or one that was bridged already elsewhere: takes no further port."""
        self._in_turn(call_id, self._quietly(self._voice.join(call_id, room), "join", call_id))

    def leave(self, call_id: AttemptId) -> None:
        """Take a call out of its room, to music."""
        self._in_turn(call_id, self._quietly(self._voice.leave(call_id, music=True), "leave", call_id))

    def hang_up(self, call_id: AttemptId) -> None:
        """End a call; one that is still being made is ended when it is."""
        self._in_turn(call_id, self._quietly(self._voice.hang_up(call_id), "hang_up", call_id))

    def send_digits(self, call_id: AttemptId, digits: str) -> None:
        """Play keys to a call."""
        work = self._quietly(self._voice.send_digits(call_id, digits), "send_digits", call_id)
        self._in_turn(call_id, work)

    def bridge(
        self,
        call_id: AttemptId,
        room: str,
        session_id: SessionId,
        zone_id: ZoneId,
        done: Callable[[str], None],
    ) -> None:
        """Join a contact to its agent's room with a port of its own until that is done.

        `done` is told "" when both hear each other, else what was wrong.
        """
        self._in_turn(call_id, self._bridge(call_id, room, session_id, zone_id, done))

    async def close(self) -> None:
        """End what still runs; legs that are up live on."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _make(self, wish: MakeLeg, zone_id: ZoneId, only_server: int | None) -> None:
        leg = await self._take(
            wish.leg, wish.session_id, PURPOSES[wish.purpose], zone_id, wish.address, only_server
        )
        if isinstance(leg, str):
            self._making.discard(wish.leg)
            self._news.ended(wish.leg, leg)
            return
        self._legs[wish.leg] = leg
        call = OutboundCall(
            wish.leg, wish.address, wish.timeout, server=leg.server, purpose=wish.purpose, profile=""
        )
        try:
            await self._voice.originate(call)
        except DuplicateCallError:
            log.warning("leg_was_made_before", leg=wish.leg)
        except ChannelError as error:
            self.lose(wish.leg, error.message)
        self._making.discard(wish.leg)

    async def _take(
        self,
        leg_id: LegId,
        session_id: SessionId,
        purpose: LegPurpose,
        zone_id: ZoneId,
        address: str,
        only_server: int | None,
    ) -> Leg | str:
        """Charge a port; return the leg, or why there is none."""
        try:
            taken = await self._database.write(
                legs.take,
                leg_id,
                session_id,
                purpose,
                zone_id,
                self._owner,
                self._clock.now(),
                address=address,
                only_server=only_server,
            )
        except OutriderError as error:
            return error.message
        return taken.reason if isinstance(taken, LegRefused) else taken

    async def _bridge(
        self,
        call_id: AttemptId,
        room: str,
        session_id: SessionId,
        zone_id: ZoneId,
        done: Callable[[str], None],
    ) -> None:
        port = LegId(new_attempt_ids(self._clock.now(), 1)[0])
        server = self.server_id(LegId(AttemptId(room)))
        taken = await self._take(port, session_id, LegPurpose.BRIDGE, zone_id, "", server)
        if isinstance(taken, str):
            done(taken)
            return
        trouble = ""
        try:
            await self._voice.join(call_id, room)
        except ChannelError as error:
            trouble = error.message
        done(trouble)
        await self._release(port)

    async def _release(self, leg_id: LegId) -> None:
        pause = 0.05
        while True:
            try:
                await self._database.write(legs.release, [leg_id])
            except OutriderError as error:
                log.warning("leg_waits_for_database", leg=leg_id, error=error.message)
                await asyncio.sleep(pause)
                pause = min(5.0, pause * 2)
            else:
                self._over.discard(leg_id)
                return

    async def _quietly(self, work: Coroutine[Any, Any, None], what: str, call_id: AttemptId) -> None:
        try:
            await work
        except ChannelError as error:
            log.info("leg_command_failed", command=what, call_id=call_id, error=error.message)

    def _in_turn(self, call_id: AttemptId, work: Coroutine[Any, Any, None]) -> None:
        """Do something with a call after what was asked of it before."""
        before = self._turns.get(call_id)

        async def in_turn() -> None:
            if before is not None:
                await asyncio.wait((before,))
            try:
                await work
            except Exception:
                log.exception("leg_work_failed", call_id=call_id)

        task = asyncio.get_running_loop().create_task(in_turn())
        self._turns[call_id] = task
        self._running.add(task)
        task.add_done_callback(lambda done: self._turn_over(call_id, done))

    def _turn_over(self, call_id: AttemptId, done: asyncio.Task[None]) -> None:
        self._running.discard(done)
        if self._turns.get(call_id) is done:
            del self._turns[call_id]
