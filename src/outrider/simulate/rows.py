"""The rows of the simulator's memory database: what is committed, and so survives a crash.

`memory` keeps them, `claiming`, `recording`, `sharing` and `seats` change them. Times are microseconds of the
agenda; records that production code takes or gives have their own.
"""

from dataclasses import dataclass, field

from outrider.agents.leg import LegPurpose
from outrider.agents.model import LegId, Session, SessionId
from outrider.campaigns.hours import ContactHours
from outrider.campaigns.outcome import Outcome
from outrider.contacts.model import Contact
from outrider.dialing.attempt import Claim, TaskPlan
from outrider.dialing.retry import Counters
from outrider.ids import AttemptId, JobId, TaskId
from outrider.licences.model import NESTED_KINDS, LicenceKind, Standing, TaskState

DUE, CLAIMED, DONE = "due", "claimed", "done"


@dataclass(slots=True)
class TargetRow:
    """One contact as a job sees it."""

    id: int
    contact: Contact
    task_id: TaskId
    next_at: int
    state: str = DUE
    address_index: int = 0
    counters: Counters = field(default_factory=Counters)
    awaiting: AttemptId | None = None
    outcome: Outcome | None = None


@dataclass(slots=True)
class TaskRow:
    """One task with its licences and its contacts. `fresh` of its list were never called yet.

    `asking` are the agents dealt to it. `bound` says what its last claim was bound by.
    """

    plan: TaskPlan
    kind: LicenceKind
    hours: ContactHours
    minimum: int
    maximum: int
    priority: int
    started: float = 0.0
    standing: Standing = Standing.OUT
    quota: int = 0
    granted: int = 0
    in_use: int = 0
    admitted_at: float | None = None
    last_attempt_at: float | None = None
    raised_until: float | None = None
    asking: int = 0
    contacts_left: int = 0
    fresh: int = 0
    fresh_from: int = 0
    pace_at: object = None
    profile: str = ""
    bound: str = "paused"
    due: list[tuple[int, int, TargetRow]] = field(default_factory=list)
    waits: list[tuple[int, int, TargetRow]] = field(default_factory=list)
    """Contacts who await a completion code, by the end of the wait."""

    @property
    def is_for_agents(self) -> bool:
        """Return whether its units are seats of agents."""
        return self.kind in NESTED_KINDS

    def state(self) -> TaskState:
        """Return the task as the rules of sharing see it."""
        return TaskState(
            str(self.plan.task_id),
            self.kind,
            self.plan.action.allocation,
            self.minimum,
            self.maximum,
            self.priority,
            self.started,
            self.standing,
            self.quota,
            self.granted,
            self.in_use,
            self.admitted_at,
            self.last_attempt_at,
            self.raised_until,
            self.contacts_left,
            self.asking,
        )

    def take(self, state: TaskState) -> None:
        """Keep what a recalculation or grant has decided."""
        self.standing = state.standing
        self.quota, self.granted = state.quota, state.granted
        self.admitted_at, self.raised_until = state.admitted_at, state.raised_until


@dataclass(slots=True)
class JobRow:
    """One job: its tasks by action, and how its contacts ended."""

    id: JobId
    name: str
    size: int
    tasks: tuple[TaskRow, ...]
    state: str = "waiting"
    finals: dict[Outcome, int] = field(default_factory=dict)
    finals_by_disposition: dict[str, int] = field(default_factory=dict)
    made: int = 0
    """Contacts that were made out of the list so far."""


@dataclass(slots=True)
class AttemptRow:
    """An open attempt: its unit (or its agent's) is charged, and a port of its server."""

    claim: Claim
    target: TargetRow
    owner: str
    preview: bool
    wrapped_up: bool = False


@dataclass(slots=True)
class SessionRow:
    """An agent's session: the last state that was written down, and the seat that it has."""

    session: Session
    task_id: TaskId | None = None
    pinned: bool = False
    leaving: bool = False
    """Whether it gives its seat back after the contact in hand."""
    campaigns: tuple[int, ...] = ()


@dataclass(slots=True)
class LegRow:
    """A call of ours that is no attempt, while its port is charged."""

    id: LegId
    session_id: SessionId
    purpose: LegPurpose
    server: str


@dataclass(slots=True)
class ServerRow:
    """A media server; `in_use` is the cached sum of its open attempts and legs."""

    name: str
    ports: int | None
    in_use: int = 0

    @property
    def free(self) -> int:
        """Return how many ports are free; many when there is no limit."""
        return 1_000_000 if self.ports is None else max(0, self.ports - self.in_use)
