"""The timers of a simulated carrier: what happens next to each call, in whole microseconds of its clock.

`carrier` owns one; `scheduler` runs what is due. A call has one timer at most: a new one replaces it.
"""

import datetime as dt
import heapq
from collections.abc import Callable

from outrider.channels.simulated.behaviour import ALWAYS_THERE
from outrider.channels.simulated.call import Call
from outrider.clock import Clock

Step = Callable[[Call, int], None]
"""What happens to a call, and when it was due."""

SECOND = 1_000_000
_MICROSECOND = dt.timedelta(microseconds=1)


class Timers:
    """Timers by when they are due; those of the same instant in the order in which they were set."""

    def __init__(self, clock: Clock) -> None:
        self.on_earlier: Callable[[], None] | None = None
        """Called when a timer is set that is due before all others."""
        self._clock = clock
        self._epoch = clock.now()
        self._heap: list[tuple[int, int, Call, Step]] = []
        self._number = 0

    def now(self) -> int:
        """Return the microseconds since the carrier began."""
        return (self._clock.now() - self._epoch) // _MICROSECOND

    def time(self, microseconds: int) -> dt.datetime:
        """Return an instant as a time."""
        return self._epoch + dt.timedelta(microseconds=microseconds)

    def set(self, call: Call, start: int, seconds: float, step: Step) -> None:
        """Let `step` be the next thing that happens to a call, in place of what was planned.

        Who waits for ALWAYS_THERE or longer needs no timer.
        """
        self._number += 1
        call.timer = self._number
        if seconds >= ALWAYS_THERE:
            return
        heap = self._heap
        due = start + round(seconds * SECOND)
        earlier = not heap or due < heap[0][0]
        heapq.heappush(heap, (due, self._number, call, step))
        if earlier and self.on_earlier is not None:
            self.on_earlier()

    def run_due(self, limit: int | None = None) -> int:
        """Let everything happen that is due by now, at most `limit` steps; return how many there were."""
        now = self.now()
        done = 0
        heap = self._heap
        while heap and heap[0][0] <= now and done != limit:
            due, number, call, step = heapq.heappop(heap)
            if call.timer == number:
                done += 1
                step(call, due)
        return done

    def seconds_to_next(self) -> float | None:
        """Return the seconds of clock time until something is due, None when nothing will happen."""
        heap = self._heap
        while heap and heap[0][2].timer != heap[0][1]:
            heapq.heappop(heap)
        return max(0.0, (heap[0][0] - self.now()) / SECOND) if heap else None
