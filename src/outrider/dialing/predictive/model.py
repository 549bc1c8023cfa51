"""What pacing looks at, learns from and answers, as records. Pure.

The dial loops of agents (`runtime/agent_loops.py`, the simulator, the benchmark model) make views and
observations; `pacer.Pacer` answers with decisions.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OLDEST_LINE = 63
"""Lines are counted by their age in whole seconds; this one stands for all that are older."""
ELAPSED_STEP = 5.0
LONGEST_ELAPSED = 127
"""Busy agents are counted by elapsed time in steps of 5 s; the last one stands for all that is longer."""


class PacingMode(enum.StrEnum):
    """How many lines there may be for a free agent."""

    PROGRESSIVE = "progressive"
    """One."""
    PREDICTIVE = "predictive"
    """As many as the risk budget allows."""


class Bound(enum.StrEnum):
    """What kept a decision from more lines."""

    AGENTS = "agents"
    """Every free agent has its lines: waiting for agents."""
    BUDGET = "budget"
    """The abandonment budget allows one line for a free agent only."""
    PORTS = "ports"
    RATE = "rate"
    WINDOW = "window"
    CONTACTS = "contacts"
    SEATS = "seats"
    """Nobody is attached."""


@dataclass(frozen=True, slots=True)
class LineEnd:
    """A line came to its end, or to a person, at `at`: `seconds` after it was started."""

    live: bool
    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class TalkEnd:
    """An agent is done with a contact, wrap-up included: `seconds` after the first word."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Sought:
    """A person answered, and had to wait for an agent, or did not."""

    waits: bool


Observation = LineEnd | TalkEnd | Sought


@dataclass(frozen=True, slots=True)
class FloorView:
    """One cell as it is now: `now` in seconds, counts of agents and lines, and the caller's hard ceilings.

    `lines` counts lines in the air by age (`count_lines`), `busy` agents with a contact by elapsed time
    (`count_busy`); `waiting` are answered calls without an agent. `ports` and `rate` are how many lines may
    start now at all (None: any number); `contacts` whether somebody is due, `window` whether hours are open.
    """

    now: float
    free: int
    busy: Sequence[int]
    lines: Sequence[int]
    waiting: int = 0
    ports: int | None = None
    rate: int | None = None
    contacts: bool = True
    window: bool = True


@dataclass(frozen=True, slots=True)
class Counts:
    """Answered calls of one day, or of several: persons who answered, those without agent, machines."""

    live: int = 0
    abandoned: int = 0
    machines: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.live + other.live, self.abandoned + other.abandoned, self.machines + other.machines
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """How many lines more to dial now, and all numbers that led there (shares are 0 to 1).

    `risk` is the chance that one more live answer would find no agent, `allowed` the risk that the budget
    allows for a line, `live_share` the estimated share of lines that a person answers, from `live_low` to
    `live_high` (90 %), `waited` the share of people who lately had to wait for an agent.
    """

    lines: int
    bound: Bound
    free: int
    busy: int
    ringing: int
    waiting: int
    expected_answers: float
    expected_releases: float
    live_share: float
    live_low: float
    live_high: float
    answer_seconds: float
    handling_seconds: float
    risk: float
    allowed: float
    abandonment: float
    abandonment_today: float
    limit: float
    waited: float = 0.0

    @property
    def sentence(self) -> str:
        """Return the decision in words."""
        what = f"dials {self.lines} more" if self.lines else "dials nobody"
        why = {
            Bound.AGENTS: f"{_counted_as(self.free, 'agent is', 'agents are')} free,"
            f" {_counted_as(self.ringing, 'line rings', 'lines ring')}; one more live answer"
            f" would find no agent with a chance of {self.risk:.1%}, and {self.allowed:.1%} is allowed",
            Bound.BUDGET: f"{self.abandonment:.2%} of live answers were abandoned, {self.limit:.1%} may be:"
            " one line for each free agent until that is better",
            Bound.PORTS: "no port is free for more",
            Bound.RATE: "the originations per second allow no more now",
            Bound.WINDOW: "the calling hours of those who are left are over for now",
            Bound.CONTACTS: "no contact is due",
            Bound.SEATS: "no agent is attached",
        }[self.bound]
        return f"{what}: {why}"


def _counted_as(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def count_lines(ages: Sequence[float]) -> list[int]:
    """Count lines by age in whole seconds; ages are seconds."""
    return count_steps(map(int, ages), OLDEST_LINE)


def count_busy(elapsed: Sequence[float]) -> list[int]:
    """Count busy agents by elapsed time in steps of 5 s; times are seconds."""
    return count_steps([int(each / ELAPSED_STEP) for each in elapsed], LONGEST_ELAPSED)


def count_steps(steps: Iterable[int], last: int) -> list[int]:
    """Count whole steps 0 to `last`; what is beyond either end counts there."""
    counts = [0] * (last + 1)
    for step, count in Counter(steps).items():
        counts[min(last, max(0, step))] += count
    return counts
