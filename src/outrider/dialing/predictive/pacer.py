"""Pacing of one campaign: told what happens, it says how many lines more to dial, and why. Pure, no knobs.

The dial loops of agents own one per task (`runtime/agent_loops.py`, the simulator, the benchmark model).
"""

from collections.abc import Mapping
from typing import Any

from outrider.dialing.predictive.budget import Budget
from outrider.dialing.predictive.estimates import Estimates
from outrider.dialing.predictive.model import (
    Bound,
    Counts,
    Decision,
    FloorView,
    LineEnd,
    Observation,
    PacingMode,
    Sought,
)
from outrider.dialing.predictive.risk import lines_within
from outrider.dialing.predictive.waiting import Waiting

FIRST_LINES = 30
"""Lines of an unknown campaign that are dialed one for each free agent."""
QUANTILE = 1.645
"""Standard deviations of a 90 % interval."""


class Pacer:
    """One campaign's pacing, in memory. Times are seconds on any one axis; days grow by one."""

    def __init__(
        self, mode: PacingMode, limit: float = 0.03, days: int = 30, denominator: str = "live"
    ) -> None:
        self.mode = mode
        self.budget = Budget(limit, days, denominator)
        self.waiting = Waiting()
        self.estimates = Estimates()

    def observe(self, observation: Observation) -> None:
        """Learn from the end of a line or of a contact, and from how long people wait."""
        if isinstance(observation, LineEnd):
            self.estimates.observe_line(live=observation.live, seconds=observation.seconds, at=observation.at)
        elif isinstance(observation, Sought):
            self.waiting.observe(waits=observation.waits)
        else:
            self.estimates.observe_talk(observation.seconds)

    def observe_answer(self, *, abandoned: bool) -> None:
        """Learn what became of a person who answered."""
        self.budget.observe(abandoned=abandoned)

    def begin_day(self, day: int, known: Mapping[int, Counts] | None = None) -> None:
        """Go on with a day; `known` replaces the counts by day, as after a restart."""
        self.budget.begin_day(day, known)

    def decide(self, view: FloorView) -> Decision:
        """Return how many lines more to dial now, and what bound it."""
        ringing = sum(view.lines)
        spare = view.free - view.waiting
        singly = max(0, spare - ringing)
        allowed = self.budget.allowed() if self.mode is PacingMode.PREDICTIVE else 0.0
        by_age, release = self.estimates.live_by_age(), self.estimates.release()
        answering = [(by_age[age], count) for age, count in enumerate(view.lines) if count]
        trust = self.waiting.trust
        releasing = [(trust * release[step], count) for step, count in enumerate(view.busy) if count]
        share, deviation = self.estimates.share.mean, self.estimates.share.deviation
        wanted, bound = singly, Bound.AGENTS
        risk = 0.0
        if self.mode is PacingMode.PREDICTIVE:
            known = self.estimates.lines_seen >= FIRST_LINES
            risky, risk = lines_within(spare, answering, releasing, share, deviation, allowed)
            wanted = max(singly, risky) if known else singly
            bound = Bound.BUDGET if allowed <= 0.0 else Bound.AGENTS
        lines, bound = _within(view, wanted, bound)
        return Decision(
            lines=lines,
            bound=bound,
            free=view.free,
            busy=sum(view.busy),
            ringing=ringing,
            waiting=view.waiting,
            expected_answers=sum(chance * count for chance, count in answering),
            expected_releases=sum(chance * count for chance, count in releasing),
            live_share=share,
            live_low=max(0.0, share - QUANTILE * deviation),
            live_high=min(1.0, share + QUANTILE * deviation),
            answer_seconds=self.estimates.answer_seconds,
            handling_seconds=self.estimates.handling.mean,
            risk=risk,
            allowed=allowed,
            abandonment=self.budget.share,
            abandonment_today=self.budget.share_today,
            limit=self.budget.limit,
            waited=self.waiting.share,
        )

    def snapshot(self) -> dict[str, Any]:
        """Return what was learned as JSON data, so that a restart does not begin anew."""
        return {
            "estimates": self.estimates.snapshot(),
            "budget": self.budget.snapshot(),
            "waiting": self.waiting.snapshot(),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on with what `snapshot` returned."""
        self.estimates.restore(data["estimates"])
        self.budget.restore(data["budget"])
        self.waiting.restore(data["waiting"])


def _within(view: FloorView, wanted: int, bound: Bound) -> tuple[int, Bound]:
    """Return the lines that the caller's ceilings leave, and the ceiling that bound."""
    if not view.free and not sum(view.busy) and not view.waiting:
        return 0, Bound.SEATS
    if not view.window:
        return 0, Bound.WINDOW
    if not view.contacts:
        return 0, Bound.CONTACTS
    for ceiling, name in ((view.ports, Bound.PORTS), (view.rate, Bound.RATE)):
        if ceiling is not None and ceiling < wanted:
            wanted, bound = max(0, ceiling), name
    return wanted, bound
