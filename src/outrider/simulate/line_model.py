"""A floor reduced to what pacing is about: agents, lines, answers; thousands of calls a second of real time.

Benchmarks and tests of pacing run it with the production pacer and with the rules of other engines. The model
is that of the field's published figures: each line is live with probability p and answered after U(5, 15) s,
else it is held for a while; a live caller without an agent waits 2 s, and is abandoned then.
"""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from outrider.dialing.predictive.model import (
    ELAPSED_STEP,
    LONGEST_ELAPSED,
    OLDEST_LINE,
    FloorView,
    LineEnd,
    Sought,
    TalkEnd,
)

PATIENCE = 2.0
ANSWERED_AFTER = (5.0, 15.0)
ANSWERED, ENDED, RELEASED, GIVEN_UP, TICK, CHANGE = range(6)


@dataclass(frozen=True, slots=True)
class Setting:
    """One campaign and its floor; times are seconds.

    `cv` above 0: handling times are lognormal. `patience` is how long a caller waits for an agent.
    """

    agents: int
    live: float
    handling: float
    unanswered: float
    cv: float = 0.0
    patience: float = PATIENCE


@dataclass(slots=True)
class Measured:
    """What came of a run, by day too."""

    seconds: float = 0.0
    busy: float = 0.0
    live: int = 0
    waited: int = 0
    abandoned: int = 0
    lines: int = 0
    agent_seconds: float = 0.0
    days: list[tuple[int, int]] = field(default_factory=list)

    @property
    def occupancy(self) -> float:
        """Return the share of agents' time with contacts."""
        return self.busy / self.agent_seconds if self.agent_seconds else 0.0

    @property
    def abandonment(self) -> float:
        """Return abandoned over live answers."""
        return self.abandoned / self.live if self.live else 0.0

    @property
    def worst_day(self) -> float:
        """Return the highest abandonment of a day."""
        return max((lost / live for live, lost in self.days if live), default=0.0)


class Policy(Protocol):
    """Decides how many lines to dial; is told what happens."""

    every: float
    """Seconds between two decisions."""

    def lines(self, model: "LineModel") -> int:
        """Return how many lines to dial now."""
        ...

    def line_ended(self, end: LineEnd) -> None:
        """Take the end of a line, or the answer of a person."""
        ...

    def sought(self, sought: Sought) -> None:
        """Take whether a person who answered has to wait."""
        ...

    def answered(self, *, abandoned: bool) -> None:
        """Take what became of a person who answered."""
        ...

    def talked(self, end: TalkEnd) -> None:
        """Take the end of a contact."""
        ...

    def day_begins(self, day: int) -> None:
        """Take the beginning of a day."""
        ...


class LineModel:
    """One floor on its own clock, seeded and repeatable."""

    def __init__(self, setting: Setting, policy: Policy, seed: int = 0) -> None:
        self.setting = setting
        self.policy = policy
        self.now = 0.0
        self.free = setting.agents
        self.waiting: dict[int, None] = {}
        self.busy_since: dict[int, float] = {}
        self.started: dict[int, float] = {}
        self.measured = Measured()
        self._random = random.Random(seed)  # noqa: S311 - a simulation, not a secret
        self._events: list[tuple[float, int, int]] = []
        self._number = 0
        self._leaving = 0
        self._changes: list[Callable[[LineModel], None]] = []
        self._begun: dict[int, float] = {}

    def view(self) -> FloorView:
        """Return what the production pacer looks at."""
        lines = [0] * (OLDEST_LINE + 1)
        now = self.now
        for begun in self.started.values():
            lines[min(OLDEST_LINE, int(now - begun))] += 1
        busy = [0] * (LONGEST_ELAPSED + 1)
        for begun in self.busy_since.values():
            busy[min(LONGEST_ELAPSED, int((now - begun) / ELAPSED_STEP))] += 1
        return FloorView(now, self.free, busy, lines, len(self.waiting))

    def at(self, seconds: float, change: Callable[["LineModel"], None]) -> None:
        """Let something change after so many seconds from the start."""
        self._changes.append(change)
        heapq.heappush(self._events, (seconds, CHANGE, len(self._changes) - 1))

    def set_agents(self, agents: int) -> None:
        """Let agents come, or leave: those who are free at once, others after their contact."""
        difference = agents - self.setting.agents
        self.setting = replace(self.setting, agents=agents)
        if difference >= 0:
            self.free += difference
        else:
            gone = min(self.free, -difference)
            self.free -= gone
            self._leaving += -difference - gone

    def run(self, seconds: float, warm_up: float = 0.0, day: float = 8 * 3600.0) -> Measured:
        """Run from now on for so many seconds; what happens in the warm-up is not measured."""
        end, begin = self.now + seconds, self.now + warm_up
        heapq.heappush(self._events, (self.now, TICK, 0))
        today = -1
        marks = (0, 0)
        began_at = None
        while self._events:
            at, kind, number = heapq.heappop(self._events)
            if at >= end:
                break
            if at >= begin and began_at is None:
                began_at = begin
                self.measured = Measured()
                marks = (0, 0)
            if began_at is not None:
                span = at - max(self.now, begin)
                self.measured.busy += span * len(self.busy_since)
                self.measured.agent_seconds += span * (self.free + len(self.busy_since))
            self.now = at
            if int(at // day) != today:
                if today >= 0 and began_at is not None:
                    self._close_day(marks)
                    marks = (self.measured.live, self.measured.abandoned)
                today = int(at // day)
                self.policy.day_begins(today)
            self._happen(kind, number)
        self._close_day(marks)
        self.measured.seconds = end - begin
        self.now = end
        self._events = [event for event in self._events if event[1] != TICK]
        heapq.heapify(self._events)
        return self.measured

    def _close_day(self, marks: tuple[int, int]) -> None:
        self.measured.days.append((self.measured.live - marks[0], self.measured.abandoned - marks[1]))

    def _happen(self, kind: int, number: int) -> None:
        if kind == TICK:
            for _ in range(self.policy.lines(self)):
                self._dial()
            heapq.heappush(self._events, (self.now + self.policy.every, TICK, 0))
        elif kind == ENDED:
            begun = self.started.pop(number)
            self.policy.line_ended(LineEnd(False, self.now - begun, self.now))
        elif kind == ANSWERED:
            begun = self.started.pop(number)
            self.policy.line_ended(LineEnd(True, self.now - begun, self.now))
            self._answered(number)
        elif kind == RELEASED:
            self._released(number)
        elif kind == GIVEN_UP:
            self._given_up(number)
        else:
            self._changes[number](self)

    def _dial(self) -> None:
        self._number += 1
        self.measured.lines += 1
        self.started[self._number] = self.now
        if self._random.random() < self.setting.live:
            after, kind = self._random.uniform(*ANSWERED_AFTER), ANSWERED
        else:
            after, kind = self.setting.unanswered, ENDED
        heapq.heappush(self._events, (self.now + after, kind, self._number))

    def _answered(self, number: int) -> None:
        self.measured.live += 1
        self.measured.waited += self.free == 0
        self.policy.sought(Sought(self.free == 0))
        if self.free > 0:
            self.free -= 1
            self._talk(number)
        else:
            self.waiting[number] = None
            heapq.heappush(self._events, (self.now + self.setting.patience, GIVEN_UP, number))

    def _talk(self, number: int) -> None:
        self.policy.answered(abandoned=False)
        self.busy_since[number] = self.now
        heapq.heappush(self._events, (self.now + self._handling(), RELEASED, number))

    def _released(self, number: int) -> None:
        self.policy.talked(TalkEnd(self.now - self.busy_since.pop(number)))
        if self._leaving:
            self._leaving -= 1
        elif self.waiting:
            first = next(iter(self.waiting))
            del self.waiting[first]
            self._talk(first)
        else:
            self.free += 1

    def _given_up(self, number: int) -> None:
        if number in self.waiting:
            del self.waiting[number]
            self.measured.abandoned += 1
            self.policy.answered(abandoned=True)

    def _handling(self) -> float:
        setting = self.setting
        if not setting.cv:
            return self._random.expovariate(1.0 / setting.handling)
        variance = math.log1p(setting.cv**2)
        mean = math.log(setting.handling) - variance / 2
        return self._random.lognormvariate(mean, variance**0.5)
