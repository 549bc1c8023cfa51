"""Which sessions have a desktop that listens; the floor is told when one has been away for too long.

The websocket of the Agent Web API counts its connections here.
"""

import asyncio
from collections import Counter
from collections.abc import Callable

from outrider.agents.model import SessionId

Tell = Callable[[SessionId, bool], None]


class Desktops:
    """Connections by session, and the alarms of those that have none any more."""

    def __init__(self) -> None:
        self._open: Counter[SessionId] = Counter()
        self._alarms: dict[SessionId, asyncio.TimerHandle] = {}
        self._gone: set[SessionId] = set()

    def opened(self, session_id: SessionId, tell: Tell) -> None:
        """Note a connection; `tell(session, True)` for the first one."""
        self._open[session_id] += 1
        self._gone.discard(session_id)
        alarm = self._alarms.pop(session_id, None)
        if alarm is not None:
            alarm.cancel()
        if self._open[session_id] == 1:
            tell(session_id, True)

    def closed(self, session_id: SessionId, tell: Tell, patience: float) -> None:
        """Note the end of one; `tell(session, False)` when there is none for `patience` real seconds."""
        self._open[session_id] -= 1
        if self._open[session_id] > 0:
            return
        del self._open[session_id]
        self._wind(session_id, tell, patience)

    def asked(self, session_id: SessionId, tell: Tell, patience: float) -> None:
        """Note a request of a desktop: one that has lost its connection, and asks, is there nevertheless.

        A desktop that never had a connection is never missed.
        """
        alarm = self._alarms.pop(session_id, None)
        if alarm is not None:
            alarm.cancel()
        elif session_id not in self._gone:
            return
        if session_id in self._gone:
            self._gone.discard(session_id)
            tell(session_id, True)
        self._wind(session_id, tell, patience)

    def expected(self, session_id: SessionId, tell: Tell, patience: float) -> None:
        """Note a session of a former life; `tell(session, False)` unless its desktop comes, or asks."""
        if not self._open[session_id] and session_id not in self._alarms:
            self._wind(session_id, tell, patience)

    def count(self) -> int:
        """Return how many connections there are."""
        return self._open.total()

    def _wind(self, session_id: SessionId, tell: Tell, patience: float) -> None:
        loop = asyncio.get_running_loop()
        self._alarms[session_id] = loop.call_later(patience, self._ring, session_id, tell)

    def _ring(self, session_id: SessionId, tell: Tell) -> None:
        self._alarms.pop(session_id, None)
        self._gone.add(session_id)
        tell(session_id, False)
