"""Rooms of the simulated carrier: which calls hear each other. `carrier` owns one; audits ask it too.

A room is there while somebody is in it. Whoever is in one hears all others in it; whoever left it with music
hears that.
"""

from collections.abc import Iterator

from outrider.channels.model import CallPurpose
from outrider.channels.simulated.call import Call


class Rooms:
    """Members by room, in the order in which they came."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[Call, None]] = {}

    def enter(self, call: Call, room: str) -> None:
        """Put a call into a room; it leaves the one it was in."""
        if call.room != room:
            self.leave(call)
            call.room = room
            self._rooms.setdefault(room, {})[call] = None

    def leave(self, call: Call) -> None:
        """Take a call out of its room, if it is in one."""
        members = self._rooms.get(call.room)
        if members is not None:
            members.pop(call, None)
            if not members:
                del self._rooms[call.room]
        call.room = ""

    def members(self, room: str) -> Iterator[Call]:
        """Return the calls in a room."""
        return iter(self._rooms.get(room, ()))

    def wrong(self) -> list[str]:
        """Return the rooms in which a contact has two agents, or an agent two contacts."""
        found = []
        for room, members in self._rooms.items():
            purposes = [call.order.purpose for call in members]
            agents, contacts = purposes.count(CallPurpose.AGENT), purposes.count(CallPurpose.CUSTOMER)
            if agents > 1 or contacts > 1:
                found.append(f"room {room}: {agents} agents and {contacts} contacts")
        return found
