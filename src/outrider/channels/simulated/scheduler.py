"""Lets a simulated carrier's time pass: one task for all timers of all calls, on any Clock.

`embedded` and `server` run it. It sleeps until the earliest timer, and is woken when an earlier one is set.
"""

import asyncio
import logging

from outrider.channels.simulated.carrier import SimulatedCarrier

log = logging.getLogger(__name__)

_STEPS_AT_ONCE = 500
"""After so many steps other tasks get their turn; a step takes about 20 microseconds."""


class Scheduler:
    """Runs a carrier's timers between `start` and `stop`. What fell due while stopped happens then."""

    def __init__(self, carrier: SimulatedCarrier) -> None:
        self._carrier = carrier
        self._running: asyncio.Task[None] | None = None
        self._sleep: asyncio.Task[object] | None = None

    def start(self) -> None:
        """Begin; needs a running event loop. Nothing happens when it runs already."""
        if self._running is None:
            self._carrier.on_earlier = self._wake
            self._running = asyncio.get_running_loop().create_task(self._run())
            self._running.add_done_callback(_report)

    async def stop(self) -> None:
        """Stop all timers; a task that failed shows its error here."""
        running, self._running = self._running, None
        if running is None:
            return
        self._carrier.on_earlier = None
        running.cancel()
        try:
            await running
        except asyncio.CancelledError:
            if not running.cancelled():
                raise

    async def _run(self) -> None:
        while True:
            if self._carrier.run_due(_STEPS_AT_ONCE) == _STEPS_AT_ONCE:
                await asyncio.sleep(0)
                continue
            seconds = self._carrier.seconds_to_next()
            async with asyncio.TaskGroup() as group:
                nap = asyncio.Event().wait() if seconds is None else self._carrier.clock.sleep(seconds)
                self._sleep = group.create_task(nap)
            self._sleep = None

    def _wake(self) -> None:
        if self._sleep is not None:
            self._sleep.cancel()


def _report(running: asyncio.Task[None]) -> None:
    """Say at once that time stands still, for example because the ledger's disk is full."""
    if not running.cancelled() and (error := running.exception()) is not None:
        log.error("the simulated carrier stopped: %s", error, exc_info=error)
