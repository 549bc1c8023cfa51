"""Collects results and wrap-ups, and writes them in batches: 50 at once, or whatever came within 50 ms.

The driver adds results, the floor wrap-ups, the worker runs it. Each is held until its transaction is
committed; a database that is away is tried again, for as long as it takes.
"""

import asyncio
from collections.abc import Callable

import structlog

from outrider.clock import Clock
from outrider.db.database import Database
from outrider.dialing import recording
from outrider.dialing.attempt import Result
from outrider.dialing.recording import Recorded
from outrider.dialing.wrap_ups import WrapUpDone
from outrider.errors import StoreError
from outrider.licences.service import SharingRules
from outrider.runtime.wake import Wake

log = structlog.get_logger(__name__)

BATCH = 50
LONGEST_PAUSE = 5.0


class Recorder:
    """One queue of results and wrap-ups, and the coroutine that empties it. `delay` is real seconds."""

    def __init__(
        self, database: Database, rules: SharingRules, clock: Clock, wake: Wake, delay: float = 0.05
    ) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock
        self._wake = wake
        self._delay = delay
        self._waiting: list[Recorded] = []
        self._arrived = asyncio.Event()
        self._written = asyncio.Event()
        self._written.set()
        self.on_written: Callable[[], None] | None = None
        """Called after each batch: what its calls held is free."""
        self.recorded = 0
        """Attempts written since the start, for metrics and reports."""

    def add(self, result: Result) -> None:
        """Queue one result."""
        self._queue(result)

    def add_wrap_up(self, done: WrapUpDone) -> None:
        """Queue what an agent said of an attempt; its result may come later, when a transferred call ends."""
        self._queue(done)

    async def flushed(self) -> None:
        """Wait until everything that was added is committed."""
        await self._written.wait()

    async def run(self) -> None:
        """Write batches until cancelled; cancel only after `flushed`, or results wait for recovery."""
        while True:
            await self._arrived.wait()
            if len(self._waiting) < BATCH:
                await asyncio.sleep(self._delay)
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if not self._waiting:
                self._arrived.clear()
            await self._write(batch)
            if not self._waiting:
                self._written.set()

    def _queue(self, item: Recorded) -> None:
        self._waiting.append(item)
        self._written.clear()
        self._arrived.set()

    async def _write(self, batch: list[Recorded]) -> None:
        pause = self._delay
        while True:
            try:
                pools = await self._database.write(
                    recording.record_all, self._rules, batch, self._clock.now()
                )
            except StoreError as error:
                log.warning("results_wait_for_database", results=len(batch), error=error.message)
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2 or 0.05)
            else:
                self.recorded += sum(isinstance(each, Result) for each in batch)
                self._wake.nudge(pools)
                if self.on_written is not None:
                    self.on_written()
                return
