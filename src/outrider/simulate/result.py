"""What a run of a scenario has shown, as records: the report is written from them, as text, JSON and a page.

`figures` collects them, `report_*` and `compare` write them. Shares are 0 to 1, times are seconds.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 1
"""The version of the JSON document (docs/reference/scenarios.md)."""


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day (UTC) of one job. `busy` is the busy share of its agents."""

    day: str
    attempts: int
    live: int
    abandoned: int
    machines: int
    busy: float

    @property
    def abandonment(self) -> float:
        """Return abandoned calls over live answers."""
        return self.abandoned / self.live if self.live else 0.0


@dataclass(frozen=True, slots=True)
class JobFigures:
    """One job: how its attempts and contacts ended, and how its agents were used.

    `abandonment` is that of the last 30 days, by the denominator of the strategy; `busy` the share of the
    time of agents with a seat of it in which they had a contact in hand, `states` the shares of all states.
    `wait_mean` and `wait_95` are how long people who answered waited for an agent, `idle_mean` how long
    agents waited for people. `bounds` are the shares of time in which something kept the job from (more)
    calls. `seats_mean` and `lines_mean` are averages over time.
    """

    name: str
    mode: str
    attempts: int
    outcomes: Mapping[str, int]
    finals: Mapping[str, int]
    contacts: int
    contacts_left: int
    live: int
    abandoned: int
    machines: int
    abandonment: float
    limit: float | None
    worst_day: float
    busy: float
    states: Mapping[str, float]
    wait_mean: float
    wait_95: float
    idle_mean: float
    seats_mean: float
    lines_mean: float
    lines_most: int
    bounds: Mapping[str, float]
    days: tuple[DayFigures, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time: `at` are seconds since the start; `lines` values by name."""

    at: tuple[float, ...]
    values: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run. `busy` is the share of all agents' working time with a contact in hand."""

    scenario: str
    about: str
    seed: int
    start: str
    length: float
    warm_up: float
    agents: int
    attempts: int
    busy: float
    abandonment: float
    ports_mean: float
    ports_most: int
    recalculations: int
    licences_moved: int
    jobs: tuple[JobFigures, ...]
    series: Mapping[str, Series] = field(default_factory=dict)
    """Charts by name: utilisation, abandonment, ports, seats."""


def to_json(result: RunResult) -> dict[str, Any]:
    """Return a run as the JSON document that `outrider simulate --json` writes."""
    return {"format": FORMAT, **asdict(result)}
