"""Rules by which dialers pace, for the benchmark model: ours, one line per agent, and those of other engines.

Each is as its makers document it; figures of other engines are those of their rules in this model, not of
their products.
"""

import math
import random

from outrider.dialing.predictive.model import FloorView, LineEnd, PacingMode, Sought, TalkEnd
from outrider.dialing.predictive.pacer import Pacer
from outrider.simulate.line_model import LineModel


class Unheeding:
    """What all rules share that learn nothing."""

    every = 1.0

    def line_ended(self, end: LineEnd) -> None:
        """Take no notice."""

    def sought(self, sought: Sought) -> None:
        """Take no notice."""

    def answered(self, *, abandoned: bool) -> None:
        """Take no notice."""

    def talked(self, end: TalkEnd) -> None:
        """Take no notice."""

    def day_begins(self, day: int) -> None:
        """Take no notice."""


class Progressive(Unheeding):
    """One line for each free agent."""

    def lines(self, model: LineModel) -> int:
        """Return how many lines to dial now."""
        return max(0, model.free - len(model.waiting) - len(model.started))


class OpenLoop(Unheeding):
    """A Poisson stream of lines that looks at nothing; with patience 0 this is Erlang's loss system."""

    every = 0.25

    def __init__(self, per_second: float, seed: int = 1) -> None:
        self._rate = per_second
        self._random = random.Random(seed)  # noqa: S311 - a simulation, not a secret
        self._next = 0.0

    def lines(self, model: LineModel) -> int:
        """Return how many lines to dial now."""
        found = 0
        while self._next <= model.now:
            self._next += self._random.expovariate(self._rate)
            found += 1
        return found


class FixedLevel(Unheeding):
    """Lines and talks together: level x agents (VICIdial's actuator, with a level that somebody chose)."""

    def __init__(self, level: float) -> None:
        self.level = level

    def lines(self, model: LineModel) -> int:
        """Return how many lines to dial now."""
        calls = len(model.started) + len(model.busy_since) + len(model.waiting)
        return max(0, round(self.level * model.setting.agents) - calls)


class VicidialAdaptive(FixedLevel):
    """VICIdial's adaptive rule with its defaults: every 15 s the level follows waiting agents and calls."""

    every = 2.5
    LONGEST, LIMIT, PERIOD = 3.0, 0.03, 15.0
    MANY_A_MINUTE, MANY_A_DAY = 20, 50

    def __init__(self) -> None:
        super().__init__(1.0)
        self._seen: list[tuple[int, int]] = []
        self._minute: list[tuple[float, bool]] = []
        self._live = self._dropped = 0
        self._next = self.PERIOD

    def lines(self, model: LineModel) -> int:
        """Return how many lines to dial now."""
        self._now = model.now
        self._seen.append((model.free, len(model.waiting)))
        if model.now >= self._next:
            self._next = model.now + self.PERIOD
            self._adapt(model)
        return super().lines(model)

    def answered(self, *, abandoned: bool) -> None:
        """Count today's answers and drops."""
        self._live += 1
        self._dropped += abandoned
        self._minute.append((self._now, abandoned))

    def day_begins(self, day: int) -> None:  # noqa: ARG002 - as the protocol
        """Begin to count anew."""
        self._live = self._dropped = 0
        self._now = 0.0

    def _adapt(self, model: LineModel) -> None:
        agents = sum(free for free, _ in self._seen) / len(self._seen)
        calls = sum(waiting for _, waiting in self._seen) / len(self._seen)
        self._seen.clear()
        self.level *= 1 + (agents - calls) / model.setting.agents
        self.level = min(self.LONGEST, max(1.0, self.level))
        self._minute = [each for each in self._minute if each[0] > model.now - 60]
        drops = sum(abandoned for _, abandoned in self._minute)
        if len(self._minute) > self.MANY_A_MINUTE and drops > len(self._minute) / 2:
            self.level = max(1.0, self.level / 2)
        if self._live > self.MANY_A_DAY and self._dropped / self._live > self.LIMIT:
            self.level = 1.0


class Omnidialer(Unheeding):
    """OMniDialer's pacer: the deficit of agents over the hit rate, scaled by gamma, with its latch."""

    FIRST_CALLS = 50
    """Calls with agents that are dialed one to one."""

    def __init__(self, limit: float = 0.03, aggressiveness: float = 1.0) -> None:
        self.limit, self.aggressiveness = limit, aggressiveness
        self.hit_rate = 0.3
        self.drops = 0.0
        self._over = 0
        self._strict = False
        self._calls = 0
        self._ring = 10.0
        self._handling = 120.0

    def lines(self, model: LineModel) -> int:
        """Return how many lines to dial now."""
        self._latch()
        if self._strict or self._calls < self.FIRST_CALLS:
            return max(0, model.free - len(model.waiting) - len(model.started))
        left = 0.0
        for begun in model.busy_since.values():
            rest = max(1.0, self._handling - (model.now - begun))
            left += 1 - math.exp(-self._ring / rest)
        return omnidialer_dials(model.free, left, len(model.started), self.hit_rate, self.gamma())

    def gamma(self) -> float:
        """Return the factor: from the aggressiveness down to 0.2 as drops go from half the limit to it."""
        low, high = self.limit / 2, self.limit
        share = min(1.0, max(0.0, (self.drops - low) / (high - low)))
        return self.aggressiveness + (0.2 - self.aggressiveness) * share

    def line_ended(self, end: LineEnd) -> None:
        """Learn the hit rate."""
        self.hit_rate = max(0.05, self.hit_rate * 0.9 + 0.1 * end.live)

    def answered(self, *, abandoned: bool) -> None:
        """Learn the drop rate."""
        self._calls += not abandoned
        self.drops = self.drops * 0.9 + 0.1 * abandoned

    def talked(self, end: TalkEnd) -> None:
        """Learn the handling time."""
        self._handling = self._handling * 0.9 + 0.1 * end.seconds

    def _latch(self) -> None:
        self._over = self._over + 1 if self.drops > self.limit else 0
        if self._over >= 5:  # noqa: PLR2004 - ticks, as documented
            self._strict = True
        if self._strict and self.drops < 0.8 * self.limit:
            self._strict = False


def omnidialer_dials(free: int, releases: float, ringing: int, hit_rate: float, gamma: float) -> int:
    """Return floor((free + releases - ringing x hit rate) / hit rate x gamma), 0 or more."""
    return max(0, math.floor((free + releases - ringing * hit_rate) / hit_rate * gamma))


class Ours:
    """The production pacer, unchanged."""

    every = 1.0

    def __init__(self, pacer: Pacer | None = None) -> None:
        self.pacer = pacer or Pacer(PacingMode.PREDICTIVE)

    def lines(self, model: LineModel) -> int:
        """Return how many lines to dial now."""
        return self.pacer.decide(self._view(model)).lines

    def line_ended(self, end: LineEnd) -> None:
        """Learn."""
        self.pacer.observe(end)

    def sought(self, sought: Sought) -> None:
        """Learn."""
        self.pacer.observe(sought)

    def answered(self, *, abandoned: bool) -> None:
        """Learn."""
        self.pacer.observe_answer(abandoned=abandoned)

    def talked(self, end: TalkEnd) -> None:
        """Learn."""
        self.pacer.observe(end)

    def day_begins(self, day: int) -> None:
        """Go on with a day."""
        self.pacer.begin_day(day)

    def _view(self, model: LineModel) -> FloorView:
        return model.view()


class TunedRisk(Ours):
    """The production pacer with a risk per line that somebody found offline, and no budget."""

    def __init__(self, risk: float) -> None:
        super().__init__()
        self.pacer.budget.allowed = lambda: risk  # type: ignore[method-assign]
