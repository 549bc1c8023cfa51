"""What is simulated: licences, jobs, people, agents, media servers, and what changes or fails when. Pure.

`read_scenario` makes it of a TOML document, `world` plays it. Times are seconds since the start.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.campaigns.strategy import Strategy
from outrider.channels.simulated.behaviour import Span
from outrider.licences.model import LicenceKind, Policy

DAY = 86_400.0


class Shape(enum.StrEnum):
    """How a time is drawn around its mean."""

    FIXED = "fixed"
    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"


@dataclass(frozen=True, slots=True)
class Duration:
    """A time that is drawn: `mean` seconds; `cv` is the coefficient of variation of a lognormal one."""

    mean: float
    shape: Shape = Shape.EXPONENTIAL
    cv: float = 0.7


@dataclass(frozen=True, slots=True)
class People:
    """How the people of a list behave. Shares of calls; what they leave is not answered.

    `setup`, `ring` and `machine_ring` are seconds, `talk` the mean of an exponential talk.
    """

    answers: float = 0.3
    machines: float = 0.0
    busy: float = 0.0
    failed: float = 0.0
    congestion: float = 0.0
    setup: Span = field(default_factory=lambda: Span(0.5, 2.5))
    ring: Span = field(default_factory=lambda: Span(5.0, 15.0))
    machine_ring: Span = field(default_factory=lambda: Span(12.0, 20.0))
    talk: float = 120.0
    unrecognised: float = 0.0


@dataclass(frozen=True, slots=True)
class HourRule:
    """Between two minutes of the local day people behave otherwise: `values` are fields of People."""

    begin: int
    end: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SimulatedJob:
    """One job over a list of `contacts` people, who all live in the time zone of the scenario."""

    name: str
    strategy: Strategy
    contacts: int
    people: People = field(default_factory=People)
    hours: tuple[HourRule, ...] = ()
    starts_at: float | None = 0.0
    """None: a change starts it."""


@dataclass(frozen=True, slots=True)
class Break:
    """A rest of `length` seconds that begins at a minute of the local day."""

    begin: int
    length: float


@dataclass(frozen=True, slots=True)
class Team:
    """Agents who work alike. `shift` are minutes of the local day (None: always), `days` weekdays from 0.

    `stagger` is how many seconds later every next agent comes, rests and goes.
    """

    name: str
    count: int
    skills: Mapping[str, int] = field(default_factory=dict)
    campaigns: tuple[str, ...] = ()
    shift: tuple[int, int] | None = None
    days: frozenset[int] = frozenset(range(7))
    breaks: tuple[Break, ...] = ()
    stagger: float = 0.0
    wrap_up: Duration = field(default_factory=lambda: Duration(0.0, Shape.FIXED))
    preview: Duration = field(default_factory=lambda: Duration(5.0, Shape.FIXED))
    """How long an agent looks at a card before the call."""


@dataclass(frozen=True, slots=True)
class MediaServer:
    """A simulated media server: telephony ports (None: no limit), and originations per second."""

    name: str = ""
    ports: int | None = None
    originations_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class PeopleChange:
    """From then on the people of a job behave otherwise."""

    job: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TeamChange:
    """So many agents of a team are there from then on; None: all."""

    team: str
    present: int | None


@dataclass(frozen=True, slots=True)
class LicenceChange:
    """The pool's counts are these from then on; kinds that are not named stay."""

    counts: Mapping[LicenceKind, int]


class Verb(enum.StrEnum):
    """What a supervisor does to a job."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    LIMITS = "limits"


@dataclass(frozen=True, slots=True)
class JobChange:
    """A supervisor starts, pauses, resumes or stops a job, or changes its tasks' limits."""

    job: str
    verb: Verb
    minimum: int | None = None
    maximum: int | None = None
    priority: int | None = None


What = PeopleChange | TeamChange | LicenceChange | JobChange


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changes at a time."""

    at: float
    what: What


class FaultKind(enum.StrEnum):
    """What can go wrong."""

    SERVER_AWAY = "server_away"
    """The media server does not answer; its calls go on, and their news comes afterwards."""
    SERVER_SLOW = "server_slow"
    """Commands and news take `seconds`."""
    CALLS_DROPPED = "calls_dropped"
    """The media server loses all its calls."""
    EVENTS_LOST = "events_lost"
    """The next `count` events never come."""
    WORKER_CRASH = "worker_crash"
    """The process is killed, and another one takes over after `length`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong at a time, for `length` seconds."""

    at: float
    kind: FaultKind
    length: float = 0.0
    server: str = ""
    seconds: float = 0.0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """All of it. `length` is seconds; `warm_up` seconds at the beginning are left out of the results."""

    name: str
    start: dt.datetime
    length: float
    licences: Mapping[LicenceKind, int]
    jobs: tuple[SimulatedJob, ...]
    about: str = ""
    seed: int = 1
    time_zone: str = "UTC"
    warm_up: float = 0.0
    policy: Policy = Policy.WEIGHTED
    idle_after: float = 60.0
    minimum_hold: float = 0.0
    decide_every: float = 0.5
    """Pacing decides at every event, and no more often than this (seconds)."""
    teams: tuple[Team, ...] = ()
    servers: tuple[MediaServer, ...] = (MediaServer(),)
    changes: tuple[Change, ...] = ()
    faults: tuple[Fault, ...] = ()
