"""Rooms on one Asterisk: mixing bridges of ours, named after the room, made and destroyed as they are needed.

`server` owns one. A bridge's id is that of its room with a prefix, so that joins can be repeated, and who
comes after a crash finds who is where.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from outrider.channels.asterisk.client import AriClient
from outrider.channels.asterisk.messages import Answer
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)

PREFIX = "room-"
KEYS = frozenset("0123456789*#ABCD")
NOT_FOUND, EXISTS = 404, 409
"""ARI's answers for a bridge that is gone (for a channel it is 400), and for one that is there already."""

REMEMBERED = 20_000
"""Rooms and calls whose last move is known; no look at a server takes longer than so many moves."""

TRIES = 3
"""How often a bridge is made that somebody else destroys before the call is in it."""


class Rooms:
    """Who is in which room, as far as we put them there or `found` told us."""

    def __init__(self, client: Callable[[], AriClient]) -> None:
        self._client = client
        self._room_of: dict[AttemptId, str] = {}
        self._members: dict[str, set[AttemptId]] = {}
        self._music: set[AttemptId] = set()
        """Calls that hear music on hold, or may: of a former life."""
        self._gates: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._looks = 0
        self._touched: dict[str, int] = {}
        """Rooms and calls that we moved, and after which look at the server that was."""
        self._suspects: frozenset[str] = frozenset()
        """Rooms of others that were empty at the last look."""

    def room_of(self, call_id: AttemptId) -> str:
        """Return the room of a call; "" for none."""
        return self._room_of.get(call_id, "")

    async def join(self, call_id: AttemptId, room: str) -> None:
        """Put a call into a room; adding it to a bridge takes it out of the one it was in.

        Raises ChannelError when the call, or the connection, is gone.
        """
        async with self._gate(room):
            if call_id in self._music:
                self._music.discard(call_id)
                await self._client().request("DELETE", f"channels/{call_id}/moh")
            answer = await self._add(call_id, room)
            before = self._put(call_id, room) if answer.ok else room
        await self.close(before)
        if not answer.ok:
            raise ChannelError(f"call {call_id} could not join room {room}: {answer.complaint}")

    async def leave(self, call_id: AttemptId, *, music: bool) -> None:
        """Take a call out of its room, and let it hear music on hold if that is wished."""
        room = self.room_of(call_id)
        if room:
            async with self._gate(room):
                path = f"bridges/{PREFIX}{room}/removeChannel?channel={call_id}"
                await self._client().request("POST", path)
                self._take_out(call_id)
            await self.close(room)
        if music:
            answer = await self._client().request("POST", f"channels/{call_id}/moh")
            if answer.ok:
                self._music.add(call_id)

    async def send_digits(self, call_id: AttemptId, digits: str) -> None:
        """Play keys to a call's far end. Raises ChannelError when it is not up, or for other keys."""
        if not digits or set(digits) - KEYS:
            raise ChannelError(f"{digits!r} cannot be sent: use the keys 0 to 9, *, # and A to D")
        sent = digits.replace("#", "%23")
        answer = await self._client().request("POST", f"channels/{call_id}/dtmf?dtmf={sent}")
        if not answer.ok:
            raise ChannelError(f"keys could not be sent on call {call_id}: {answer.complaint}")

    def adopt(self, call_id: AttemptId) -> None:
        """Take over an answered call of a former life: outside of a room it may be hearing music."""
        if not self.room_of(call_id):
            self._music.add(call_id)

    def over(self, call_id: AttemptId) -> str:
        """Forget a call that is over; return its room if that is empty now, to be closed."""
        room = self.room_of(call_id)
        self._take_out(call_id)
        self._music.discard(call_id)
        return room if room and not self._members.get(room) else ""

    async def close(self, room: str) -> None:
        """Destroy the bridge of a room, if that is empty. A failure is for a later look to make up for."""
        if not room or self._members.get(room):
            return
        async with self._gate(room):
            if self._members.get(room):
                return
            self._members.pop(room, None)
            try:
                await self._client().request("DELETE", f"bridges/{PREFIX}{room}")
            except ChannelError as error:
                log.info("room %s is left to be closed later: %s", room, error.message)

    def look(self) -> int:
        """Return a number for `found`: what we do from now on is newer than the answer that is asked for."""
        self._looks += 1
        return self._looks

    def found(self, bridges: Iterable[Mapping[str, Any]], look: int) -> list[str]:
        """Learn from `GET /bridges` who is where; return the rooms that are empty, to be closed.

        Of another controller's rooms only those that were empty at the last look too: the others may have
        been made for somebody who comes in a moment.
        """
        self._members = {room: members for room, members in self._members.items() if members}
        newer = {name for name, when in self._touched.items() if when >= look}
        self._touched = {name: self._touched[name] for name in newer}
        for call_id in [one for one, room in self._room_of.items() if not {one, room} & newer]:
            self._forget(call_id)
        empty: list[str] = []
        suspects: set[str] = set()
        for bridge in bridges:
            name = str(bridge.get("id", ""))
            room = name.removeprefix(PREFIX)
            if room == name or room in newer:
                continue
            members = [AttemptId(str(each)) for each in bridge.get("channels", ())]
            for call_id in members:
                if call_id not in newer:
                    self._note(call_id, room)
            if not members:
                ours = bridge.get("name") == self._client().settings.application
                if ours or room in self._suspects:
                    empty.append(room)
                else:
                    suspects.add(room)
        self._suspects = frozenset(suspects)
        return empty

    def clear(self) -> None:
        """Forget everything: Asterisk was started anew, or we leave it."""
        for known in (self._room_of, self._members, self._music, self._touched):
            known.clear()
        self._suspects = frozenset()

    async def _add(self, call_id: AttemptId, room: str) -> Answer:
        """Add a call to a room's bridge, made first where it is not known to be there.

        Nobody in it is told who comes: a phone would be sent a re-INVITE for that.
        """
        bridge = f"bridges/{PREFIX}{room}"
        add = f"{bridge}/addChannel?channel={call_id}&inhibitConnectedLineUpdates=true"
        answer = Answer(NOT_FOUND)
        if self._members.get(room):
            answer = await self._client().request("POST", add)
        for _ in range(TRIES):
            if answer.status != NOT_FOUND:
                break
            name = self._client().settings.application
            made = await self._client().request("POST", f"{bridge}?type=mixing&name={name}")
            if not made.ok and made.status != EXISTS:
                raise ChannelError(f"room {room} could not be made: {made.complaint}")
            answer = await self._client().request("POST", add)
        return answer

    def _gate(self, room: str) -> asyncio.Lock:
        """Return the lock of a room: who closes it and who joins it wait for each other."""
        gate = self._gates.get(room)
        if gate is None:
            gate = self._gates[room] = asyncio.Lock()
        return gate

    def _put(self, call_id: AttemptId, room: str) -> str:
        """Note that a call is in a room; return the other one that it was in."""
        before = self.room_of(call_id)
        if before == room:
            return ""
        self._take_out(call_id)
        self._touch(call_id, room)
        self._note(call_id, room)
        return before

    def _take_out(self, call_id: AttemptId) -> None:
        room = self.room_of(call_id)
        if room:
            self._touch(call_id, room)
            self._forget(call_id)

    def _touch(self, *names: str) -> None:
        for name in names:
            self._touched.pop(name, None)
            self._touched[name] = self._looks
        while len(self._touched) > REMEMBERED:
            del self._touched[next(iter(self._touched))]

    def _note(self, call_id: AttemptId, room: str) -> None:
        self._room_of[call_id] = room
        self._members.setdefault(room, set()).add(call_id)

    def _forget(self, call_id: AttemptId) -> None:
        members = self._members.get(self._room_of.pop(call_id, ""))
        if members is not None:
            members.discard(call_id)
