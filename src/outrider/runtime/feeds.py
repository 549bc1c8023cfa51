"""What each desktop is told: numbered, kept for those who come back, handed to those who listen now.

The floor's edge adds notifications, the Agent Web API's websockets read them. Numbers grow through restarts:
they begin with the time, so that "everything after 1764400000000123" is never answered with less.
"""

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from outrider.agents.desk import SlowReaderError
from outrider.agents.model import SessionId
from outrider.agents.notifications import Notification

KEPT = 1_000
"""Notifications of a session that a desktop which comes back can still get."""
LONGEST_QUEUE = 2_000
"""Notifications that a desktop may lag behind before it is dropped: it gets them when it comes back."""


@dataclass(frozen=True, slots=True)
class Told:
    """One notification as it was sent: its number, which grows, and its time."""

    id: int
    at: dt.datetime
    notification: Notification


class Feed:
    """What one desktop hears from now on."""

    def __init__(self, history: "deque[Told]") -> None:
        self._history = history
        self._queue: asyncio.Queue[Told | None] = asyncio.Queue()
        self._overrun = False

    @property
    def last_id(self) -> int:
        """Return the number of the last notification of the session so far, 0 when there was none."""
        return self._history[-1].id if self._history else 0

    def replay(self, after: int) -> list[Told] | None:
        """Return what was told after that number, None when that is not known any more."""
        kept = tuple(self._history)
        if not kept:
            return None
        if after < kept[0].id and len(kept) == KEPT:
            return None
        return [each for each in kept if each.id > after] if any(each.id == after for each in kept) else None

    async def get(self) -> Told | None:
        """Wait for the next notification; None when the session is over. SlowReaderError."""
        if self._overrun:
            raise SlowReaderError
        return await self._queue.get()

    def put(self, told: Told | None) -> None:
        """Hand one over."""
        if self._queue.qsize() >= LONGEST_QUEUE:
            self._overrun = True
        else:
            self._queue.put_nowait(told)


class Feeds:
    """The feeds of all sessions of a floor."""

    def __init__(self) -> None:
        self._history: dict[SessionId, deque[Told]] = {}
        self._listening: dict[SessionId, set[Feed]] = {}
        self._last = 0

    def tell(self, session_id: SessionId, notification: Notification, at: dt.datetime) -> Told:
        """Number a notification, keep it, and hand it to whoever listens."""
        self._last = max(self._last + 1, int(at.timestamp() * 1_000_000))
        told = Told(self._last, at, notification)
        if session_id not in self._history:
            self._history[session_id] = deque(maxlen=KEPT)
        self._history[session_id].append(told)
        for feed in self._listening.get(session_id, ()):
            feed.put(told)
        return told

    def last_id(self, session_id: SessionId) -> int:
        """Return the number of the last notification of a session, 0 when there was none."""
        history = self._history.get(session_id)
        return history[-1].id if history else 0

    @contextmanager
    def subscribe(self, session_id: SessionId) -> Iterator[Feed]:
        """Give a feed for as long as the block lasts."""
        if session_id not in self._history:
            self._history[session_id] = deque(maxlen=KEPT)
        feed = Feed(self._history[session_id])
        self._listening.setdefault(session_id, set()).add(feed)
        try:
            yield feed
        finally:
            self._listening.get(session_id, set()).discard(feed)

    def end(self, session_id: SessionId) -> None:
        """Let those who listen to a session that is over come to their end."""
        for feed in self._listening.pop(session_id, ()):
            feed.put(None)
        self._history.pop(session_id, None)
