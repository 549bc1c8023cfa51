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

    def opened(self, session_id: SessionId, tell: Tell) -> None:
        """Note a connection; `tell(session, True)` for the first one."""
        self._open[session_id] += 1
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
        loop = asyncio.get_running_loop()
        self._alarms[session_id] = loop.call_later(patience, self._ring, session_id, tell)

    def count(self) -> int:
        """Return how many connections there are."""
        return self._open.total()

    def _ring(self, session_id: SessionId, tell: Tell) -> None:
        self._alarms.pop(session_id, None)
        tell(session_id, False)
