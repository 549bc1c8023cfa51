"""Virtual time: what happens when, in whole microseconds since the start, and the clocks that show it.

`world` runs one Agenda; nothing of the simulator ever looks at the machine's time.
"""

import datetime as dt
import heapq
from collections.abc import Callable

SECOND = 1_000_000
_MICROSECOND = dt.timedelta(microseconds=1)

Do = Callable[[], None]


class Agenda:
    """A heap of what is to be done. Things due at one time are done in the order in which they were noted."""

    def __init__(self, start: dt.datetime) -> None:
        self.start = start
        self.us = 0
        self.on_rest: Do | None = None
        """Called when all that is due at one time was done, before time goes on."""
        self._heap: list[tuple[int, int, Do]] = []
        self._number = 0
        self._shown_us = 0
        self._shown = start

    def now(self) -> dt.datetime:
        """Return the present time, aware, in UTC."""
        if self._shown_us != self.us:
            self._shown_us = self.us
            self._shown = self.start + dt.timedelta(microseconds=self.us)
        return self._shown

    async def sleep(self, seconds: float) -> None:
        """Time passes only in `run`; nothing here waits. RuntimeError."""
        raise RuntimeError(f"nothing sleeps for {seconds} s in a simulation")

    def at(self, us: int, do: Do) -> None:
        """Let something be done at a time, now at the earliest."""
        self._number += 1
        heapq.heappush(self._heap, (max(us, self.us), self._number, do))

    def after(self, seconds: float, do: Do) -> None:
        """Let something be done after so many seconds."""
        self.at(self.us + round(seconds * SECOND), do)

    def us_of(self, at: dt.datetime) -> int:
        """Return an aware time as microseconds since the start."""
        return (at - self.start) // _MICROSECOND

    def run(self, until: int) -> None:
        """Let time pass until `until`, and everything that is due by then happen."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            self.us = heap[0][0]
            while heap and heap[0][0] == self.us:
                heapq.heappop(heap)[2]()
            if self.on_rest is not None:
                self.on_rest()
        self.us = max(self.us, until)

    def step(self) -> bool:
        """Do the one thing that is due next; False when nothing is left."""
        if not self._heap:
            return False
        self.us, _, do = heapq.heappop(self._heap)
        do()
        if self.on_rest is not None and not (self._heap and self._heap[0][0] == self.us):
            self.on_rest()
        return True

    @property
    def next_us(self) -> int:
        """Return when the next thing is due (us); there must be one."""
        return self._heap[0][0]

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is left to be done."""
        return not self._heap


class WallClock:
    """The clock on a worker's wall: it can be set forwards and backwards while time itself goes on."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._offset = dt.timedelta()

    def now(self) -> dt.datetime:
        """Return what the clock shows, aware, in UTC."""
        return self._agenda.now() + self._offset if self._offset else self._agenda.now()

    async def sleep(self, seconds: float) -> None:
        """Nothing here waits. RuntimeError."""
        await self._agenda.sleep(seconds)

    def jump(self, seconds: float) -> None:
        """Set the clock, forwards or (below 0) backwards."""
        self._offset += dt.timedelta(seconds=seconds)
