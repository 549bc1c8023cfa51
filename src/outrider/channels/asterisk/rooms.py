"""Rooms on one Asterisk: mixing bridges of ours, named after the room, made and destroyed as they are needed.

`server` owns one. A bridge's id is that of its room with a prefix, so that joins can be repeated, and who
comes after a crash finds who is where.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from outrider.channels.asterisk.client import AriClient
from outrider.channels.asterisk.messages import Answer
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)

PREFIX = "room-"
KEYS = frozenset("0123456789*#ABCD")
NOT_FOUND, NOT_HERE = 404, 422
"""ARI's answers for a bridge or channel that is gone, and for one that is not in the application."""


class Rooms:
    """Who is in which room, as far as we put them there or `survey` told us."""

    def __init__(self, client: Callable[[], AriClient]) -> None:
        self._client = client
        self._room_of: dict[AttemptId, str] = {}
        self._members: dict[str, set[AttemptId]] = {}
        self._music: set[AttemptId] = set()

    def room_of(self, call_id: AttemptId) -> str:
        """Return the room of a call; "" for none."""
        return self._room_of.get(call_id, "")

    async def join(self, call_id: AttemptId, room: str) -> None:
        """Put a call into a room; adding it to a bridge takes it out of the one it was in.

        Raises ChannelError when the call, or the connection, is gone.
        """
        if call_id in self._music:
            self._music.discard(call_id)
            await self._client().request("DELETE", f"channels/{call_id}/moh")
        bridge = f"bridges/{PREFIX}{room}"
        add = f"{bridge}/addChannel?channel={call_id}"
        answer = Answer(NOT_FOUND, "")
        if self._members.get(room):
            answer = await self._client().request("POST", add)
        if answer.status == NOT_FOUND:
            made = await self._client().request("POST", f"{bridge}?type=mixing")
            if not made.ok:
                raise ChannelError(f"room {room} could not be made: {made.complaint}")
            answer = await self._client().request("POST", add)
        if not answer.ok:
            await self._close_if_empty(room)
            raise ChannelError(f"call {call_id} could not join room {room}: {answer.complaint}")
        before = self._put(call_id, room)
        await self._close_if_empty(before)

    async def leave(self, call_id: AttemptId, *, music: bool) -> None:
        """Take a call out of its room, and let it hear music on hold if that is wished."""
        room = self.room_of(call_id)
        if room:
            await self._client().request("POST", f"bridges/{PREFIX}{room}/removeChannel?channel={call_id}")
            self._take_out(call_id)
            await self._close_if_empty(room)
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

    def over(self, call_id: AttemptId) -> str:
        """Forget a call that is over; return its room if that is empty now, to be closed."""
        room = self.room_of(call_id)
        self._take_out(call_id)
        self._music.discard(call_id)
        return room if room and not self._members.get(room) else ""

    async def close(self, room: str) -> None:
        """Destroy the bridge of a room that is empty."""
        await self._close_if_empty(room)

    def found(self, bridges: Iterable[Mapping[str, Any]]) -> list[str]:
        """Learn from `GET /bridges` who is where; return the rooms of ours that are empty."""
        self._room_of.clear()
        self._members.clear()
        empty = []
        for bridge in bridges:
            name = str(bridge.get("id", ""))
            if name.startswith(PREFIX):
                room = name.removeprefix(PREFIX)
                members = [AttemptId(str(each)) for each in bridge.get("channels", ())]
                for call_id in members:
                    self._put(call_id, room)
                if not members:
                    empty.append(room)
        return empty

    def clear(self) -> None:
        """Forget everything: Asterisk was started anew, or we leave it."""
        self._room_of.clear()
        self._members.clear()
        self._music.clear()

    def _put(self, call_id: AttemptId, room: str) -> str:
        before = self.room_of(call_id)
        if before != room:
            self._take_out(call_id)
        self._room_of[call_id] = room
        self._members.setdefault(room, set()).add(call_id)
        return before if before != room else ""

    def _take_out(self, call_id: AttemptId) -> None:
        room = self._room_of.pop(call_id, "")
        members = self._members.get(room)
        if members is not None:
            members.discard(call_id)

    async def _close_if_empty(self, room: str) -> None:
        if room and not self._members.get(room):
            self._members.pop(room, None)
            try:
                await self._client().request("DELETE", f"bridges/{PREFIX}{room}")
            except ChannelError as error:
                log.info("room %s is left to be closed later: %s", room, error.message)
