"""News of committed changes, carried from any thread to whoever waits for them on an event loop.

SSE streams (and anything else in the process) wait here instead of polling fast. Losing news loses nothing:
every waiter also reads the event log after its timeout.
"""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from outrider.db.database import Database
from outrider.events import Event


class Subscription:
    """One waiter's own flag, set by each piece of news until the waiter has seen it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, closed: bool) -> None:
        self._loop = loop
        self._flag = asyncio.Event()
        self.closed = closed
        """The process is about to end: whoever waits should finish."""

    async def wait(self, timeout: float) -> bool:  # noqa: ASYNC109 - the pause between two polls, not a deadline
        """Wait for news at most `timeout` real seconds; return whether there was any."""
        try:
            async with asyncio.timeout(0 if self.closed else timeout):
                await self._flag.wait()
        except TimeoutError:
            return False
        self._flag.clear()
        return True

    def ring(self) -> None:
        """Wake the waiter; from any thread."""
        # A loop that has ended refuses: then nobody waits any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._flag.set)


class News:
    """Wakes all subscriptions when a transaction with events was committed by this process."""

    def __init__(self, database: Database | None = None) -> None:
        """Listen to `database`, if there is one, for as long as it lives."""
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self._closed = False
        if database is not None:
            database.listen(self._heard)

    @property
    def closed(self) -> bool:
        """Return whether `close` was called."""
        return self._closed

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """Give a subscription of the running event loop, for as long as the block lasts."""
        subscription = Subscription(asyncio.get_running_loop(), closed=self._closed)
        with self._lock:
            self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions.discard(subscription)

    def ring(self) -> None:
        """Wake everybody; from any thread."""
        with self._lock:
            waiting = tuple(self._subscriptions)
        for subscription in waiting:
            subscription.ring()

    def close(self) -> None:
        """Tell all streams to end, now and in future; from any thread, and more than once if need be."""
        with self._lock:
            self._closed = True
            for subscription in self._subscriptions:
                subscription.closed = True
        self.ring()

    def _heard(self, _events: Sequence[Event]) -> None:
        self.ring()
