"""What a run of the demo came to, as frozen figures. Pure; units as in licensing.md 1.

`collecting` fills them from the database, `findings` judges them, `report` and the JSON file show them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from outrider.demo.contact_files import ContactFile
from outrider.demo.lending import Lending


@dataclass(frozen=True, slots=True)
class ImportFigures:
    """One import, beside what its file was written with. `reasons` counts rejected rows."""

    list_name: str
    file_name: str
    encoding: str
    delimiter: str
    state: str
    rows: int
    added: int
    duplicates: int
    rejected: int
    rejects_path: str
    reasons: Mapping[str, int]
    countries: Mapping[str, int]
    """Contacts by the country of their calling code."""
    wrong_numbers: int
    """Numbers that differ from those that the file was made of."""
    written: ContactFile = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutcomeFigures:
    """Attempts that came to an outcome, and contacts for whom it was the last word."""

    attempts: int
    final: int


@dataclass(frozen=True, slots=True)
class JobFigures:
    """One job with its one task. Seconds are of the system's (scaled) clock."""

    job_id: int
    task_id: int
    name: str
    kind: str
    allocation: str
    priority: int
    minimum: int
    maximum: int
    state: str
    end_reason: str
    contacts: int
    done: int
    outcomes: Mapping[str, OutcomeFigures]
    seconds: float
    started_after: float
    mean_in_use: float
    mean_granted: float
    most_in_use: int
    seconds_at_maximum: float
    """Time during which its grant was its maximum."""
    lending: Lending
    quota_over_time: Sequence[float]
    in_use_over_time: Sequence[float]

    @property
    def attempts(self) -> int:
        """Count its attempts."""
        return sum(count.attempts for count in self.outcomes.values())

    @property
    def calls(self) -> bool:
        """Whether it uses counted licences."""
        return self.kind == "outbound_ports"


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """The ports of the pool, over the time in which call jobs ran."""

    ports: int
    most_granted: int
    most_in_use: int
    most_held: int
    """The greatest sum over tasks of max(granted, in use): never above `ports` (licensing.md 2.1)."""
    mean_granted: float
    mean_in_use: float
    mean_while_contested: tuple[float, float]
    """Mean granted and in use for as long as at least two call jobs ran."""
    in_use_over_time: Sequence[float]


@dataclass(frozen=True, slots=True)
class MailFigures:
    """What our side says of the mails, and what the mail server says."""

    delivered: int
    hard_bounces: int
    soft_bounces: int
    failed: int
    server_accepted: int
    server_no_mailbox: int
    server_refused_for_now: int
    server_refused_by_policy: int


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """One media server over the run: its part of the telephony ports, and those in use."""

    name: str
    version: str
    quota: int
    calls: int
    most_in_use: int
    mean_in_use: float
    most_above: int
    """Ports in use beyond its part, at the worst moment: 0 unless its part was cut under living calls."""
    quota_over_time: Sequence[float]
    in_use_over_time: Sequence[float]


@dataclass(frozen=True, slots=True)
class SpeechFigures:
    """Speech connections of one kind (asr, tts): `most_in_use` as seen twice a second."""

    kind: str
    licensed: int
    refused: int
    most_in_use: int
    mean_in_use: float
    in_use_over_time: Sequence[float]


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """The agents of one job. Busy: a contact is in hand, from the talk to the end of its wrap-up."""

    job_id: int
    name: str
    mode: str
    seats: int
    """Licensed."""
    most_seated: int
    talked: int
    """Contacts with whom an agent talked, as the attempts say."""
    told: int
    """Contacts of whom desktops were told that they are on the line, as the desktops counted."""
    live: int
    abandoned: int
    """Live answers, and those of them for whom no agent was free in time."""
    share: float
    limit: float
    days: int
    """The abandoned share as its budget counts it, and the budget: a share over so many days."""
    busy_share: float
    """Of the time for which agents were busy or ready while the job ran."""
    codes: Mapping[str, int]
    """Completion codes."""
    shared_contacts: int
    """Contacts with more than one agent: there must be none."""
    doubled_agents: int
    """Talks that began before the same agent's last one was over: there must be none."""
    busy_over_time: Sequence[float]


@dataclass(frozen=True, slots=True)
class CountedTwice:
    """What somebody outside counted, beside our own count of the same; they must be equal."""

    what: str
    theirs: int
    ours: int
    as_: str
    """What we call it."""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """The whole run. `recalculations` are counted by trigger, `moves` tell the idle and return ones."""

    seed: int
    speed: float
    real_seconds: float
    setup_seconds: float
    simulated_seconds: float
    imports: tuple[ImportFigures, ...]
    jobs: tuple[JobFigures, ...]
    pool: PoolFigures
    mail: MailFigures
    recalculations: Mapping[str, int]
    moves: tuple[str, ...]
    alarms: int
    """Plans that failed their certificate."""
    drifts: tuple[str, ...]
    servers: tuple[ServerFigures, ...] = ()
    """Of real media servers; none where the simulated carrier makes the calls."""
    speech: tuple[SpeechFigures, ...] = ()
    agents: tuple[AgentFigures, ...] = ()
    counted_outside: tuple[CountedTwice, ...] = ()
    """What the real public network, and whoever else is outside, counted."""
