"""The abandonment budget of a campaign: how much risk a line may have, so that its share is kept. Pure.

`pacer.py` asks it at every decision and tells it of every answered person. The risk per line is found by
stochastic approximation (Robbins and Monro 1951): each abandoned call lowers it, each other one raises it a
little, in steps that get smaller; so it settles where the share of abandoned calls is what is aimed at.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from outrider.dialing.predictive.model import Counts

AIM = 0.965
"""The share of the limit that is aimed at: what is measured may be off by chance."""
FIRST_RISK, LOWEST_RISK, HIGHEST_RISK = 0.03, 0.0005, 0.6
SENSITIVITY = 0.8
"""How the abandoned share follows the risk: share ~ risk ** 0.8, as measured over floors of all sizes."""
FIRST_STEPS, STEADY_STEPS = 150.0, 4_000.0
"""Answers after which steps begin to shrink, and after which they shrink no more."""
PULL = 2_000.0
"""Live answers over which a deviation of the window is made good."""
MARGIN = 0.985
"""The share of the limit beyond which nothing is risked any more."""
EARLY = 60
"""Live answers before which the share of the window says nothing."""


def us_share(counts: Counts) -> float:
    """Return abandoned over live answers (47 CFR 64.1200(a)(7))."""
    return counts.abandoned / counts.live if counts.live else 0.0


def uk_share(counts: Counts) -> float:
    """Return abandoned less estimated machines among them, over agent-answered people and that (Ofcom).

    Machines are taken to be among the abandoned calls as among all answered ones. 29 drops, 9 people with
    agents and 7 machines give 64.44 %.
    """
    answered = counts.live - counts.abandoned
    reached = answered + counts.machines
    machines = counts.abandoned * counts.machines / reached if reached else 0.0
    abandoned = counts.abandoned - machines
    return abandoned / (answered + abandoned) if answered + abandoned else 0.0


DENOMINATORS: Mapping[str, Callable[[Counts], float]] = MappingProxyType({"live": us_share, "uk": uk_share})
"""How the share is reckoned, by the names that strategies use."""


class Budget:
    """One campaign's. `limit` is a share; days are whole numbers that grow (such as ordinals of dates)."""

    def __init__(self, limit: float = 0.03, days: int = 30, denominator: str = "live") -> None:
        self.limit = limit
        self._days = days
        self._share = DENOMINATORS[denominator]
        self._by_day: dict[int, Counts] = {}
        self._window = Counts()
        self._today = 0
        self._log_risk = math.log(min(FIRST_RISK, max(LOWEST_RISK, limit)))
        self._answers = 0.0

    @property
    def share(self) -> float:
        """Return the abandoned share of the window."""
        return self._share(self._window)

    @property
    def share_today(self) -> float:
        """Return the abandoned share of the present day."""
        return self._share(self._by_day.get(self._today, Counts()))

    def begin_day(self, day: int, known: Mapping[int, Counts] | None = None) -> None:
        """Go on with a day; `known` are counts by day from elsewhere, which replace ours."""
        if known is not None:
            self._by_day = dict(known)
        elif day == self._today:
            return
        self._today = day
        self._by_day = {each: counts for each, counts in self._by_day.items() if each > day - self._days}
        self._window = sum(self._by_day.values(), Counts())

    def observe(self, *, abandoned: bool) -> None:
        """Learn that a person answered, and whether an agent was there."""
        one = Counts(1, int(abandoned))
        self._by_day[self._today] = self._by_day.get(self._today, Counts()) + one
        self._window += one
        self._answers += 1.0
        steps = min(STEADY_STEPS, FIRST_STEPS + self._answers)
        aim = self._aim()
        step = (aim - abandoned) / (SENSITIVITY * max(self.limit, 0.001) * steps)
        self._log_risk = min(math.log(HIGHEST_RISK), max(math.log(LOWEST_RISK), self._log_risk + step))

    def allowed(self) -> float:
        """Return the risk that a line may have now; 0 when the budget is spent: one line per free agent."""
        if self.limit <= 0.0 or self.is_spent():
            return 0.0
        return math.exp(self._log_risk)

    def is_spent(self) -> bool:
        """Return whether the window, or the day by more than chance, is at its limit."""
        window, today = self._window, self._by_day.get(self._today, Counts())
        spent = self._share(window) * window.live
        if window.live >= EARLY and spent + 1 > MARGIN * self.limit * window.live + 2:
            return True
        usual = self.limit * today.live
        return today.abandoned > usual + 3.0 * math.sqrt(usual + 1.0) + 1.0

    def _aim(self) -> float:
        """Return the share that the next answers should have, so that the window comes out as it should."""
        window = self._window
        behind = AIM * self.limit * window.live - self._share(window) * window.live
        return min(1.5 * self.limit, max(0.3 * self.limit, AIM * self.limit + behind / PULL))

    def snapshot(self) -> dict[str, Any]:
        """Return what is known as JSON data; counts by day are kept elsewhere."""
        return {"log_risk": self._log_risk, "answers": self._answers}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on with what `snapshot` returned."""
        self._log_risk, self._answers = float(data["log_risk"]), float(data["answers"])
