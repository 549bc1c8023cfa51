"""Rooms of the simulated carrier: which calls hear each other. `carrier` owns one; audits ask it too.

A room is there while somebody is in it. Each visit is noted in the call's record, for `mismatches`.
"""

import datetime as dt
from collections.abc import Iterator, Sequence

from outrider.channels.model import CallPurpose
from outrider.channels.simulated.call import Call
from outrider.channels.simulated.ledger import Visit


class Rooms:
    """Members by room, in the order in which they came."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[Call, None]] = {}

    def enter(self, call: Call, room: str, at: dt.datetime) -> Sequence[Call]:
        """Put a call into a room; it leaves the one it was in. Return whose company has changed by that."""
        if call.room == room:
            return ()
        left = self.leave(call, at)
        call.room = room
        call.record.visits.append(Visit(room, at))
        members = self._rooms.setdefault(room, {})
        joined = tuple(members) if len(members) == 1 else ()
        members[call] = None
        return (*left, *joined)

    def leave(self, call: Call, at: dt.datetime) -> Sequence[Call]:
        """Take a call out of its room, if it is in one. Return who is left alone there."""
        if not call.room:
            return ()
        members = self._rooms[call.room]
        del members[call]
        if not members:
            del self._rooms[call.room]
        call.room = ""
        call.record.visits[-1].until = at
        return tuple(members) if len(members) == 1 else ()

    def has_company(self, call: Call) -> bool:
        """Return whether a call is in a room with somebody else."""
        return len(self._rooms.get(call.room, ())) > 1

    def members(self, room: str) -> Iterator[Call]:
        """Return the calls in a room."""
        return iter(self._rooms.get(room, ()))

    def wrong(self) -> list[str]:
        """Return the rooms in which a contact has two agents now, or an agent two contacts."""
        found = []
        for room, members in self._rooms.items():
            purposes = [call.order.purpose for call in members]
            agents, contacts = purposes.count(CallPurpose.AGENT), purposes.count(CallPurpose.CUSTOMER)
            if agents > 1 or contacts > 1:
                found.append(f"room {room}: {agents} agents and {contacts} contacts")
        return found
