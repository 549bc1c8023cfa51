"""How long agents talk: the last handling times, begun anew when these have changed for good. Pure.

`estimates.py` owns one for each campaign.
"""

import math
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Sequence

HANDLED = 400
"""Handling times that are remembered."""
PRIOR_HANDLING, PRIOR_HANDLED = 120.0, 3.0
EXPONENTIAL = 25.0
"""How many observations the exponential form counts for, beside those that were made."""
LONGER, SHORTER = 1 / 0.6, 0.6
"""Changes of the mean, as factors, that are looked for."""
EVIDENCE = 10.0
"""The logarithm of the odds at which a change is believed."""
FEWEST = 12
"""Handling times that a change is believed of."""


class Drift:
    """Whether times have had `factor` times the usual mean for a while (Page's cumulative sum, 1954)."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._evidence = 0.0
        self.times = 0

    def observe(self, relative: float) -> bool:
        """Learn one time as a multiple of the usual mean; return whether the last `times` have changed."""
        self._evidence += (1.0 - 1.0 / self._factor) * relative - math.log(self._factor)
        self.times += 1
        if self._evidence <= 0.0:
            self._evidence, self.times = 0.0, 0
        return self._evidence > EVIDENCE and self.times >= FEWEST


class Handling:
    """Handling times: the last ones, sorted, and their mean; beside an exponential of the same mean."""

    def __init__(self) -> None:
        self._order: deque[float] = deque(maxlen=HANDLED)
        self._drifts = Drift(LONGER), Drift(SHORTER)
        self._mean: float | None = None
        self.known: list[float] = []

    def observe(self, seconds: float) -> None:
        """Learn one handling time; when times have become longer or shorter, only those since then count."""
        relative = seconds / self.mean
        changed = [drift.times for drift in self._drifts if drift.observe(relative)]
        if len(self._order) == HANDLED:
            del self.known[bisect_right(self.known, self._order[0]) - 1]
        self._order.append(seconds)
        insort(self.known, seconds)
        self._mean = None
        if changed:
            self.restore(list(self._order)[-changed[0] :])

    def recent(self) -> list[float]:
        """Return the times that are remembered, oldest first."""
        return list(self._order)

    def restore(self, times: Sequence[float]) -> None:
        """Go on with times that were remembered, oldest first."""
        self._order = deque(times, maxlen=HANDLED)
        self.known = sorted(self._order)
        self._drifts = Drift(LONGER), Drift(SHORTER)
        self._mean = None

    @property
    def mean(self) -> float:
        """Return the mean, in seconds; the newest fifty count twice, so that changes are seen."""
        if self._mean is None:
            times = list(self._order)
            newest = times[-50:]
            total = PRIOR_HANDLING * PRIOR_HANDLED + sum(times) + sum(newest)
            self._mean = total / (PRIOR_HANDLED + len(times) + len(newest))
        return self._mean

    def released_within(self, elapsed: float, seconds: float) -> float:
        """Return the chance that an agent who is busy for `elapsed` s is free within so many more."""
        begin = bisect_right(self.known, elapsed)
        end = bisect_right(self.known, elapsed + seconds)
        left = len(self.known) - begin
        usual = 1.0 - math.exp(-seconds / self.mean)
        return (end - begin + EXPONENTIAL * usual) / (left + EXPONENTIAL)
