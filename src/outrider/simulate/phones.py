"""Legs of a worker's floor: agents' phones, people who are consulted, and the joining of two calls.

As `runtime/floor_legs.py`: a port before every leg, and one more while two calls are being joined
(licensing.md 6). The desk asks it.
"""

from collections.abc import Callable, Sequence
from functools import partial

from outrider.agents.actions import MakeLeg
from outrider.agents.leg import LegPurpose
from outrider.agents.model import LegId, SessionId
from outrider.channels.model import CallAnswered, CallEnded, CallEvent, CallPurpose, OutboundCall
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from outrider.simulate.link import Link
from outrider.simulate.memory import Memory
from outrider.simulate.rows import LegRow

PURPOSES = {CallPurpose.AGENT: LegPurpose.AGENT, CallPurpose.CONSULT: LegPurpose.CONSULT}

Up = Callable[[LegId, str], None]
Ended = Callable[[LegId, str], None]


def take_leg(
    memory: Memory,
    leg: LegId,
    session_id: SessionId,
    purpose: LegPurpose,
    server: str | None,
    away: frozenset[str],
) -> LegRow | str:
    """Charge a port for a leg, on `server` if one is given; the row, or why there is none."""
    place = memory.server_with_most_room(away) if server is None else memory.servers.get(server)
    if place is None or place.name in away:
        return "no media server answers"
    if place.free <= 0:
        return f"all {place.ports} ports are in use"
    place.in_use += 1
    memory.legs[leg] = LegRow(leg, session_id, purpose, place.name)
    return memory.legs[leg]


def release_legs(memory: Memory, legs: Sequence[LegId]) -> None:
    """Give the ports of legs back; each once."""
    for leg in legs:
        row = memory.legs.pop(leg, None)
        if row is not None:
            memory.servers[row.server].in_use -= 1


class Phones:
    """All legs of one floor that are charged now."""

    def __init__(self, memory: Memory, links: dict[str, Link], up: Up, ended: Ended) -> None:
        self.away: frozenset[str] = frozenset()
        """Media servers that do not answer."""
        self._memory = memory
        self._links = links
        self._up = up
        self._ended = ended
        self._legs: dict[AttemptId, LegRow] = {}

    def knows(self, call_id: AttemptId) -> bool:
        """Return whether a call is a leg of ours."""
        return call_id in self._legs

    def server(self, leg: LegId | None) -> str | None:
        """Return the media server of a leg."""
        row = None if leg is None else self._legs.get(leg)
        return None if row is None else row.server

    def adopt(self, row: LegRow) -> None:
        """Take over a leg of a former life that is up."""
        self._legs[row.id] = row

    def all(self) -> list[LegRow]:
        """Return every leg that is charged, as this process knows it."""
        return list(self._legs.values())

    def make(self, wish: MakeLeg, server: str | None) -> None:
        """Charge a port and call."""
        purpose = PURPOSES[wish.purpose]
        row = self._memory.write(take_leg, wish.leg, wish.session_id, purpose, server, self.away)
        if isinstance(row, str):
            self._ended(wish.leg, row)
            return
        self._legs[wish.leg] = row
        call = OutboundCall(
            wish.leg, wish.address, wish.timeout, server=row.server, purpose=wish.purpose, profile=""
        )
        self._links[row.server].command(
            lambda carrier: carrier.originate(call), partial(self._made, wish.leg)
        )

    def hear(self, event: CallEvent) -> None:
        """Take an event of a leg."""
        match event:
            case CallAnswered():
                self._up(LegId(event.call_id), self._legs[event.call_id].server)
            case CallEnded():
                self.lose(LegId(event.call_id), event.detail or event.cause.value)

    def lose(self, leg: LegId, detail: str) -> None:
        """Give the port of a leg that is over back, and tell."""
        if self._legs.pop(leg, None) is not None:
            self._memory.write(release_legs, [leg])
            self._ended(leg, detail)

    def bridge(
        self, call_id: AttemptId, server: str, room: str, session_id: SessionId, done: Callable[[str], None]
    ) -> None:
        """Join a contact to its agent's room, with a port of its own until that is done."""
        port = LegId(self._memory.new_id())
        taken = self._memory.write(take_leg, port, session_id, LegPurpose.BRIDGE, server, self.away)
        if isinstance(taken, str):
            done(taken)
            return
        self._links[server].command(
            lambda carrier: carrier.join(call_id, room), partial(self._joined, port, done)
        )

    def _joined(self, port: LegId, done: Callable[[str], None], trouble: ChannelError | None) -> None:
        self._memory.write(release_legs, [port])
        done("" if trouble is None else trouble.message)

    def _made(self, leg: LegId, trouble: ChannelError | None) -> None:
        if trouble is not None:
            self.lose(leg, trouble.message)
