"""Agents' phones and consulted people on the line: their ports, their calls, and the joining of two legs.

The floor's edge asks it; what happens to the legs comes back as calls of `FloorLegs.on_up` and `on_ended`.
Every leg has its port before it is called, and bridging has one more until it is done (licensing.md 6).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from outrider.agents import legs
from outrider.agents.actions import MakeLeg
from outrider.agents.leg import Leg, LegPurpose, LegRefused
from outrider.agents.model import LegId, SessionId
from outrider.channels.base import DuplicateCallError, VoiceChannel
from outrider.channels.model import CallAnswered, CallEnded, CallEvent, CallPurpose, OutboundCall
from outrider.clock import Clock, steady_seconds
from outrider.db.database import Database
from outrider.errors import ChannelError, OutriderError
from outrider.ids import AttemptId, ZoneId, new_attempt_ids

log = structlog.get_logger(__name__)

MARGIN = 5.0
"""Seconds after its ringing time until a leg should have been heard of, and again until it is given up."""

BRIDGE_PAUSE = 0.1
"""Seconds between two tries to take the port with which a contact and an agent are joined."""

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
        self._due: dict[LegId, float] = {}
        self._condemned: set[AttemptId] = set()
        self.on_doubt: Callable[[], None] | None = None
        """Told when something could not be done, or is not known to be: the servers must be asked."""
        self._turns: dict[AttemptId, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()

    def knows(self, call_id: AttemptId) -> bool:
        """Return whether a call is a leg of ours."""
        return call_id in self._legs or call_id in self._making

    def server_id(self, leg: LegId | None) -> int | None:
        """Return the media server that has a leg; None on the simulated carrier."""
        found = None if leg is None else self._legs.get(leg)
        return None if found is None else found.server_id

    @property
    def is_open(self) -> bool:
        """Return whether a call is still to be ended, or a leg should have been heard of by now."""
        now = steady_seconds(self._clock)
        return bool(self._condemned) or any(due <= now for due in self._due.values())

    def made(self) -> list[Leg]:
        """Return the legs whose calls were made, or may have been: what a server can be asked about."""
        return [leg for leg in self._legs.values() if leg.id not in self._making]

    def condemned(self) -> frozenset[AttemptId]:
        """Return the calls that were to be ended, and could not be yet; some are of contacts."""
        return frozenset(self._condemned)

    def absolve(self, call_id: AttemptId) -> None:
        """Note that a call that was to be ended is over."""
        self._condemned.discard(call_id)

    def is_overdue(self, leg_id: LegId) -> bool:
        """Return whether a leg should have been heard of for so long that no news will come."""
        due = self._due.get(leg_id)
        return due is not None and due + MARGIN <= steady_seconds(self._clock)

    def adopt(self, leg: Leg, *, in_doubt: bool = False) -> None:
        """Take over a leg of a former life that is up, or that a silent server may have (`in_doubt`)."""
        self._legs[leg.id] = leg
        if in_doubt:
            self._expect(leg.id, 0.0)

    def make(self, wish: MakeLeg, zone_id: ZoneId, only_server: int | None) -> None:
        """Charge a port and call; `only_server` for a person who is consulted by somebody on it."""
        self._making.add(wish.leg)
        self._in_turn(wish.leg, self._make(wish, zone_id, only_server))

    def hear(self, event: CallEvent) -> None:
        """Take an event of a leg."""
        match event:
            case CallAnswered():
                self.answered(event.call_id)
            case CallEnded():
                self.lose(event.call_id, event.detail or event.cause.value)

    def answered(self, leg_id: LegId) -> None:
        """Tell that a leg is up."""
        self._due.pop(leg_id, None)
        leg = self._legs.get(leg_id)
        self._news.up(leg_id, "" if leg is None else leg.server)

    def give_up(self, leg_id: LegId, detail: str) -> None:
        """Tell of a leg's end that cannot be known; its port is kept, and it is ended, once it can be."""
        self._condemned.add(leg_id)
        self._news.ended(leg_id, detail)

    def lose(self, leg_id: LegId, detail: str) -> None:
        """Give the port of a leg that is over back, and tell."""
        self._over.add(leg_id)
        self._due.pop(leg_id, None)
        self._condemned.discard(leg_id)
        self._making.discard(leg_id)
        self._legs.pop(leg_id, None)
        self._in_turn(leg_id, self._release(leg_id))
        self._news.ended(leg_id, detail)

    def join(self, call_id: AttemptId, room: str) -> None:
        """Put a leg into its own room, or one that was bridged already elsewhere: takes no further port."""
        self._in_turn(call_id, self._quietly(partial(self._voice.join, call_id, room), "join", call_id))

    def leave(self, call_id: AttemptId) -> None:
        """Take a call out of its room, to music."""
        leave = partial(self._voice.leave, call_id, music=True)
        self._in_turn(call_id, self._quietly(leave, "leave", call_id))

    def hang_up(self, call_id: AttemptId) -> None:
        """End a call; one that is still being made is ended when it is.

        Where the server does not take it, the audit tries again until the call is over.
        """
        self._in_turn(call_id, self._hang_up(call_id))

    def send_digits(self, call_id: AttemptId, digits: str) -> None:
        """Play keys to a call."""
        send = partial(self._voice.send_digits, call_id, digits)
        self._in_turn(call_id, self._quietly(send, "send_digits", call_id))

    def bridge(
        self,
        call_id: AttemptId,
        room: str,
        session_id: SessionId,
        zone_id: ZoneId,
        done: Callable[[str], None],
        patience: float = 0.0,
    ) -> None:
        """Join a contact to its agent's room with a port of its own until that is done.

        `done` is told "" when both hear each other, else what was wrong. Where no port is free one is waited
        for, `patience` seconds at most: so long may the contact hear nobody.
        """
        self._in_turn(call_id, self._bridge(call_id, room, session_id, zone_id, done, patience))

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
        self._expect(wish.leg, wish.timeout + MARGIN)
        try:
            await self._voice.originate(call)
        except DuplicateCallError:
            log.warning("leg_was_made_before", leg=wish.leg)
        except ChannelError as error:
            if error.facts.get("outcome") == "unknown":
                # It may ring: its port is kept until the server says what it has.
                self._doubt(wish.leg, "originate", error)
            else:
                self.lose(wish.leg, error.message)
        self._making.discard(wish.leg)

    def _expect(self, leg_id: LegId, seconds: float) -> None:
        """Note when a leg must have been heard of."""
        self._due[leg_id] = steady_seconds(self._clock) + seconds

    def _doubt(self, call_id: AttemptId, command: str, error: ChannelError) -> None:
        log.info("leg_in_doubt", command=command, call_id=call_id, error=error.message)
        if self.on_doubt is not None:
            self.on_doubt()

    async def _hang_up(self, call_id: AttemptId) -> None:
        try:
            await self._voice.hang_up(call_id)
        except ChannelError as error:
            self._condemned.add(call_id)
            self._doubt(call_id, "hang_up", error)
        else:
            self._condemned.discard(call_id)

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
        # A contact who is bridged has said hello already.
        write = self._database.write_first if purpose is LegPurpose.BRIDGE else self._database.write
        try:
            taken = await write(
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
        patience: float,
    ) -> None:
        port = LegId(new_attempt_ids(self._clock.now(), 1)[0])
        server = self.server_id(LegId(AttemptId(room)))
        until = steady_seconds(self._clock) + patience
        taken = await self._take(port, session_id, LegPurpose.BRIDGE, zone_id, "", server)
        while isinstance(taken, str) and steady_seconds(self._clock) < until:
            await self._clock.sleep(BRIDGE_PAUSE)
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

    async def _quietly(self, act: Callable[[], Awaitable[None]], what: str, call_id: AttemptId) -> None:
        try:
            await act()
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
        task.add_done_callback(lambda done: self._turn_over(call_id, done, work))

    def _turn_over(
        self, call_id: AttemptId, done: asyncio.Task[None], work: Coroutine[Any, Any, None]
    ) -> None:
        # Work that never had its turn, because we close, is not to be complained about.
        work.close()
        self._running.discard(done)
        if self._turns.get(call_id) is done:
            del self._turns[call_id]
