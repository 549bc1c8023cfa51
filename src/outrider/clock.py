"""Time, behind one Protocol: real, scaled (the demo runs an hour in minutes) or virtual (tests).

The only module that reads the machine's clock. Everything else is given a Clock, or a time in UTC.
"""

import asyncio
import datetime as dt
import heapq
import itertools
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and lets it pass."""

    def now(self) -> dt.datetime:
        """Return the present time, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of this clock's time pass."""
        ...


class RealClock:
    """The machine's own time."""

    def now(self) -> dt.datetime:
        """Return the present time, aware, in UTC."""
        return dt.datetime.now(dt.UTC)

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of real time pass."""
        await asyncio.sleep(seconds)


class ScaledClock:
    """Time that runs `speed` times as fast as the machine's since `anchor`.

    The anchor is an absolute time, so that a process that is killed and started again with the same
    anchor and speed goes on in the same scaled time, never backwards.
    """

    def __init__(self, speed: float, anchor: dt.datetime) -> None:
        if speed <= 0:
            raise ValueError("the speed of a scaled clock must be positive")
        self.speed = speed
        self.anchor = anchor

    def now(self) -> dt.datetime:
        """Return the present scaled time, aware, in UTC."""
        return self.anchor + (dt.datetime.now(dt.UTC) - self.anchor) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of scaled time pass."""
        await asyncio.sleep(seconds / self.speed)


class VirtualClock:
    """Time that stands still until a test advances it; sleepers wake in order of their due times."""

    def __init__(self, start: dt.datetime) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[dt.datetime, int, asyncio.Future[None]]] = []

    def now(self) -> dt.datetime:
        """Return the present virtual time, aware, in UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until a test has advanced the clock by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._now + dt.timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (due, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, waking each sleeper at its own time and letting it run before the next."""
        end = self._now + dt.timedelta(seconds=seconds)
        await _let_others_run()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not future.done():
                future.set_result(None)
            await _let_others_run()
        self._now = end


async def _let_others_run() -> None:
    """Yield often enough for chains of coroutines that wait on each other to come to rest."""
    for _ in range(20):
        await asyncio.sleep(0)


def stopwatch() -> float:
    """Return a monotonic reading in real seconds, for measuring durations only."""
    return time.perf_counter()


JUMP = 0.5
"""Real seconds by which a clock must have been set to be believed: reading two clocks takes a moment."""


class SteadyClock:
    """A clock's time as it was when this began, gone on steadily though the clock is set meanwhile.

    Deadlines of people are durations: whoever keeps some asks `follow` now and then, and moves them.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.speed = float(getattr(clock, "speed", 1.0))
        self._anchor, self._began = clock.now(), steady_seconds(clock)

    def now(self) -> dt.datetime:
        """Return the present time, aware, in UTC; never before one that was returned since `follow`."""
        return self._anchor + dt.timedelta(seconds=steady_seconds(self._clock) - self._began)

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of the clock's time pass."""
        await self._clock.sleep(seconds)

    def follow(self) -> dt.timedelta:
        """Show what the clock shows from now on, and return by how much it was set; mostly by nothing."""
        shown = self._clock.now()
        by = shown - self.now()
        if abs(by.total_seconds()) < JUMP * self.speed:
            return dt.timedelta()
        self._anchor, self._began = shown, steady_seconds(self._clock)
        return by


def steady_seconds(clock: Clock) -> float:
    """Return a reading in seconds of this clock's time that setting the machine's clock does not change.

    For deadlines that are durations, within one process.
    """
    if isinstance(clock, VirtualClock):
        return clock.now().timestamp()
    return time.monotonic() * float(getattr(clock, "speed", 1.0))
