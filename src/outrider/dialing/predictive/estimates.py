"""What is learned of a campaign: how many lines are answered, when, and for how long agents talk. Pure.

`pacer.py` owns one. Everything is learned with its uncertainty, begins cautiously, forgets slowly, and begins
anew when the last minutes contradict what was known.
"""

import heapq
import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from outrider.dialing.predictive.handling import Handling
from outrider.dialing.predictive.model import ELAPSED_STEP, LONGEST_ELAPSED, OLDEST_LINE

PRIOR_LIVE, PRIOR_LINES = 4.0, 10.0
"""Before anything is known 40 % of lines are taken to be answered, which dials little."""
MEMORY = 1_500.0
"""Lines that the share of live answers remembers."""
RECENT = 150
"""The last lines that may contradict what is known, and by how many standard errors."""
CONTRADICTION = 4.2
SHAPE_MEMORY, FULL = 500.0, 1.25
"""Durations that a shape remembers, and how many times that it holds before older ones fade."""
PRIOR_SHAPE, RARE = 8.0, 0.002
"""Durations that are taken to have been seen at first, and of each second that is unlikely."""
SETTLED, FIRST_SETTLED = 0.95, 30.0
"""The share of lines that have ended when those of their start count, and the seconds until then at first."""
RENEW_EVERY = 20
"""Observations after which the tables are made anew."""


def _quantile(survival: Sequence[float], share: float) -> float:
    """Return the seconds by which this share of durations is over."""
    return next((float(age) for age, left in enumerate(survival) if left <= 1.0 - share), float(OLDEST_LINE))


class LiveShare:
    """The share of lines that a person answers: a Beta posterior that forgets (mean and deviation)."""

    def __init__(self) -> None:
        self.live, self.lines = PRIOR_LIVE, PRIOR_LINES
        self._recent: deque[bool] = deque(maxlen=RECENT)
        self._lately = 0

    def observe(self, *, live: bool) -> bool:
        """Learn from one line; return whether what was known was given up for what is seen now."""
        keep = 1.0 - 1.0 / MEMORY
        self.live = self.live * keep + live
        self.lines = self.lines * keep + 1.0
        if len(self._recent) == RECENT:
            self._lately -= self._recent[0]
        self._recent.append(live)
        self._lately += live
        return self._contradicted()

    @property
    def mean(self) -> float:
        """Return the expected share."""
        return self.live / self.lines

    @property
    def deviation(self) -> float:
        """Return the posterior's standard deviation."""
        return math.sqrt(self.mean * (1.0 - self.mean) / (self.lines + 1.0))

    def _contradicted(self) -> bool:
        if len(self._recent) < RECENT or self.lines < 2.0 * RECENT:
            return False
        seen = self._lately / RECENT
        known = (self.live - self._lately) / max(1.0, self.lines - RECENT)
        known = min(0.99, max(0.01, known))
        error = math.sqrt(known * (1.0 - known) * (1.0 / RECENT + 1.0 / self.lines))
        if abs(seen - known) < CONTRADICTION * error:
            return False
        self.live, self.lines = self._lately + 0.5, RECENT + 1.0
        return True


class Shape:
    """A distribution of seconds in steps of one, learned as counts over a prior; of one sort of line."""

    def __init__(self, low: float, high: float) -> None:
        steps = range(OLDEST_LINE + 1)
        inside = [low <= step <= high for step in steps]
        self.counts = [PRIOR_SHAPE / sum(inside) if each else RARE for each in inside]
        self._total = sum(self.counts)

    def observe(self, seconds: float) -> None:
        """Learn one duration."""
        self.counts[min(OLDEST_LINE, max(0, int(seconds)))] += 1.0
        self._total += 1.0
        if self._total > FULL * SHAPE_MEMORY:
            # What fades must not vanish: a line of an age never seen still has some chance.
            self.counts = [max(RARE, count / FULL) for count in self.counts]
            self._total = sum(self.counts)

    def restore(self, counts: Sequence[float]) -> None:
        """Go on with counts of before."""
        self.counts = [max(RARE, float(each)) for each in counts]
        self._total = sum(self.counts)

    def survival(self) -> list[float]:
        """Return, by age, the share of durations that are longer."""
        left, found = 0.0, []
        for count in reversed(self.counts):
            left += count
            found.append(left / self._total)
        return found[::-1]

    def mean(self) -> float:
        """Return the mean in seconds."""
        return sum((step + 0.5) * count for step, count in enumerate(self.counts)) / self._total


class Estimates:
    """Everything that is learned of one campaign, with tables for quick decisions."""

    def __init__(self) -> None:
        self.share = LiveShare()
        self.answering = Shape(3, 20)
        self.ending = Shape(5, 45)
        self.handling = Handling()
        self.lines_seen = 0
        self.answer_seconds = self.answering.mean()
        self._stale = 0
        self._live_by_age: list[float] = []
        self._release: list[float] = []
        self._ended: list[tuple[float, bool]] = []
        self._settled_after = FIRST_SETTLED

    def observe_line(self, *, live: bool, seconds: float, at: float) -> None:
        """Learn from the end of a line, or the answer of a person, at `at`.

        People answer sooner than others are given up: so lines count in the order in which they were
        started, once nearly all of that time have ended.
        """
        (self.answering if live else self.ending).observe(seconds)
        heapq.heappush(self._ended, (at - seconds, live))
        settled = at - self._settled_after
        while self._ended and self._ended[0][0] <= settled:
            _, was_live = heapq.heappop(self._ended)
            self.lines_seen += 1
            contradicted = self.share.observe(live=was_live)
            self._stale = RENEW_EVERY if contradicted else self._stale + 1

    def observe_talk(self, seconds: float) -> None:
        """Learn from the end of a contact."""
        self.handling.observe(seconds)
        self._stale += 1

    def live_by_age(self) -> list[float]:
        """Return, by age of a line that still rings, the chance that a person will answer it."""
        self._renew()
        return self._live_by_age

    def release(self) -> list[float]:
        """Return, by elapsed time, the chance that a busy agent is free when a new line is answered."""
        self._renew()
        return self._release

    def _renew(self) -> None:
        if self._live_by_age and self._stale < RENEW_EVERY:
            return
        self._stale = 0
        p = self.share.mean
        answers, ends = self.answering.survival(), self.ending.survival()
        self._live_by_age = [
            p * live / (p * live + (1.0 - p) * dead) for live, dead in zip(answers, ends, strict=True)
        ]
        self._settled_after = _quantile(ends, SETTLED)
        self.answer_seconds = self.answering.mean()
        horizon = self.answer_seconds + 1.0
        self._release = [
            self.handling.released_within((step + 0.5) * ELAPSED_STEP, horizon)
            for step in range(LONGEST_ELAPSED + 1)
        ]

    def snapshot(self) -> dict[str, Any]:
        """Return what is known as JSON data."""
        return {
            "live": self.share.live,
            "lines": self.share.lines,
            "answering": self.answering.counts,
            "ending": self.ending.counts,
            "handling": self.handling.recent(),
            "seen": self.lines_seen,
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on with what `snapshot` returned."""
        self.share.live, self.share.lines = float(data["live"]), float(data["lines"])
        self.answering.restore(data["answering"])
        self.ending.restore(data["ending"])
        self.handling.restore([float(seconds) for seconds in data["handling"]])
        self.lines_seen = int(data["seen"])
        self._live_by_age = []
