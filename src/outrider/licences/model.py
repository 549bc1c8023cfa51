"""The words of licence sharing as types: kinds, policies, problems, answers and the state of a task.

Everybody imports this: the pure rules beside it, the database service, the supply side and the pages.
Plain records without behaviour beyond what their own fields say (licensing.md 1 to 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class LicenceKind(StrEnum):
    """A licence type (licensing.md 1)."""

    OUTBOUND_PORTS = "outbound_ports"
    MANUAL_AGENTS = "manual_agents"
    PREVIEW_AGENTS = "preview_agents"
    PREDICTIVE_AGENTS = "predictive_agents"
    AGENT_WEB_API = "agent_web_api"
    SMS = "sms"
    EMAIL = "email"
    TELEPHONY_PORTS = "telephony_ports"
    ASR = "asr"
    TTS = "tts"


NESTED_KINDS = (LicenceKind.PREDICTIVE_AGENTS, LicenceKind.PREVIEW_AGENTS, LicenceKind.MANUAL_AGENTS)
"""The agent kinds, dearest first: a licence serves tasks of its own kind and of every later one."""

COUNTED_KINDS = (LicenceKind.OUTBOUND_PORTS, *NESTED_KINDS, LicenceKind.AGENT_WEB_API)
"""The kinds that tasks hold in units."""

GATE_KINDS = (LicenceKind.SMS, LicenceKind.EMAIL)
"""Any non-zero count opens the channel; nothing is shared."""


class OpenKind(StrEnum):
    """A kind of task that needs no licence of its own: it runs while the pool has any licence at all."""

    WEBHOOK = "webhook"


TaskKind = LicenceKind | OpenKind
"""What a task can be of: a counted licence type, a gate, or an open kind."""

UNSHARED_KINDS: tuple[TaskKind, ...] = (*GATE_KINDS, *OpenKind)
"""The kinds of task that share nothing: they have their maximum while they are open."""


def task_kind(name: str) -> TaskKind:
    """Return the kind of that name; ValueError when there is none."""
    return OpenKind(name) if name in OpenKind.__members__.values() else LicenceKind(name)


def shared_kind(kind: TaskKind) -> LicenceKind:
    """Return the licence type of a task that shares; TypeError for an open kind, which holds nothing."""
    if isinstance(kind, OpenKind):
        raise TypeError(f"tasks of kind {kind} share no licences")
    return kind


def is_open(kind: TaskKind, counts: Mapping[LicenceKind, int]) -> bool:
    """Return whether these counts let a task of a kind run: any of its own, or for an open kind any."""
    if isinstance(kind, OpenKind):
        return any(units > 0 for units in counts.values())
    return counts.get(kind, 0) > 0


PLATFORM_KINDS = (LicenceKind.TELEPHONY_PORTS, LicenceKind.ASR, LicenceKind.TTS)
"""Counted by the platform, never held by tasks."""

SHARING_GROUPS: tuple[tuple[LicenceKind, ...], ...] = (
    (LicenceKind.OUTBOUND_PORTS,),
    NESTED_KINDS,
    (LicenceKind.AGENT_WEB_API,),
)
"""Kinds that are shared together as one problem; groups never touch each other."""

COVERED_BY: Mapping[LicenceKind, tuple[LicenceKind, ...]] = MappingProxyType(
    {
        LicenceKind.OUTBOUND_PORTS: (LicenceKind.OUTBOUND_PORTS,),
        LicenceKind.AGENT_WEB_API: (LicenceKind.AGENT_WEB_API,),
        LicenceKind.PREDICTIVE_AGENTS: (LicenceKind.PREDICTIVE_AGENTS,),
        LicenceKind.PREVIEW_AGENTS: (LicenceKind.PREVIEW_AGENTS, LicenceKind.PREDICTIVE_AGENTS),
        LicenceKind.MANUAL_AGENTS: (
            LicenceKind.MANUAL_AGENTS,
            LicenceKind.PREVIEW_AGENTS,
            LicenceKind.PREDICTIVE_AGENTS,
        ),
    }
)
"""task kind -> the licence types that may serve it, cheapest first (licensing.md 4.4)."""

LARGEST_COUNT = 1_000_000_000
"""The most units that any count, limit or need may name: keeps every sum of the rules inside 64 bits."""

DEFAULT_MINIMUM, DEFAULT_MAXIMUM, DEFAULT_PRIORITY = 1, 30, 5
LOWEST_PRIORITY, HIGHEST_PRIORITY = 1, 10


class Policy(StrEnum):
    """How priorities weigh when tasks need more than there is (licensing.md 4.2)."""

    WEIGHTED = "weighted"
    STRICT = "strict"


class Allocation(StrEnum):
    """Whether a task may give licences away while it is quiet (licensing.md 3 and 5)."""

    RESERVED = "reserved"
    DYNAMIC = "dynamic"


class Trigger(StrEnum):
    """Why quotas are recalculated (licensing.md 5)."""

    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    CHANGE = "change"
    SUPPLY = "supply"
    IDLE = "idle"
    RETURN = "return"


class Standing(StrEnum):
    """Where a task stands in its pool.

    ADMITTED competes and is served first. WAITING competes as a newcomer: it is starting, resuming or
    was refused before. OUT is paused or stopped: quota 0, and calls that are still up drain.
    """

    ADMITTED = "admitted"
    WAITING = "waiting"
    OUT = "out"


class Rule(StrEnum):
    """Which rule of licensing.md 4 gave a task its last unit."""

    MINIMUM = "minimum"
    NEED = "need"
    SURPLUS = "surplus"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TaskShare:
    """One task of a sharing problem, in units of its kind; `started` orders age, smaller is older."""

    id: str
    kind: LicenceKind
    minimum: int
    maximum: int
    priority: int
    need: int
    held: int = 0
    running: bool = True
    started: float = 0
    allocation: Allocation = Allocation.DYNAMIC


@dataclass(frozen=True, slots=True)
class Problem:
    """One pool and the tasks that compete for it; `agents` caps the three agent kinds together."""

    pool: Mapping[LicenceKind, int]
    tasks: tuple[TaskShare, ...]
    policy: Policy = Policy.WEIGHTED
    agents: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What sharing decided: quotas by task id, waiting ids sorted, cover by kind and type, free by type."""

    quotas: Mapping[str, int]
    waiting: tuple[str, ...]
    cover: Mapping[LicenceKind, Mapping[LicenceKind, int]]
    free: Mapping[LicenceKind, int]


@dataclass(frozen=True, slots=True)
class TaskState:
    """One task as it stands now; times are seconds on any one axis (the caller's clock).

    `started` orders age and never changes, `admitted_at` is the last admission by start, resume or after
    waiting. `raised_until` is the end of the minimum hold. `contacts_left` counts the contacts still to be
    finished, those being called now included; None means that it is not known. `asking` counts the agents
    attached or asking to be, for the agent kinds.
    """

    id: str
    kind: TaskKind = LicenceKind.OUTBOUND_PORTS
    allocation: Allocation = Allocation.DYNAMIC
    minimum: int = DEFAULT_MINIMUM
    maximum: int = DEFAULT_MAXIMUM
    priority: int = DEFAULT_PRIORITY
    started: float = 0
    standing: Standing = Standing.WAITING
    quota: int = 0
    granted: int = 0
    in_use: int = 0
    admitted_at: float | None = None
    last_attempt_at: float | None = None
    raised_until: float | None = None
    contacts_left: int | None = None
    asking: int = 0

    @property
    def draining(self) -> int:
        """Units in use beyond the quota; while there are any the task starts nothing."""
        return max(0, self.in_use - self.quota)

    def planned(
        self,
        quota: int,
        granted: int,
        standing: Standing,
        admitted_at: float | None,
        raised_until: float | None,
    ) -> "TaskState":
        """Return this state as a recalculation leaves it (`dataclasses.replace` takes five times as long)."""
        return TaskState(
            self.id,
            self.kind,
            self.allocation,
            self.minimum,
            self.maximum,
            self.priority,
            self.started,
            standing,
            quota,
            granted,
            self.in_use,
            admitted_at,
            self.last_attempt_at,
            raised_until,
            self.contacts_left,
            self.asking,
        )

    @property
    def charged(self) -> int:
        """Units that the task keeps from others now: the larger of granted and in use."""
        return max(self.granted, self.in_use)


@dataclass(frozen=True, slots=True)
class Holding:
    """A task as granting sees it, in units; `right` is its minimum, for an agent kind min(minimum, need)."""

    id: str
    kind: LicenceKind
    quota: int
    granted: int
    in_use: int
    right: int
    priority: int
    started: float = 0


class Binding(StrEnum):
    """What keeps a task from having more (licensing.md 8)."""

    MAXIMUM = "maximum"
    NEED = "need"
    POOL = "pool"
    SEATS = "seats"
    AGENTS = "agents"
    HELD = "held"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a task has what it has, in units of its kind.

    `limit` names the licence types whose sum is used up (POOL, SEATS), `size` their count or the number of
    agents (AGENTS), `left` what was left for a newcomer (WAITING). `held_by` are the tasks that have not yet
    given back units of this one (HELD). `next_in_line` gets the next unit that this task or its limit frees.
    """

    id: str
    kind: LicenceKind
    quota: int
    granted: int
    in_use: int
    draining: int
    need: int
    minimum: int
    maximum: int
    priority: int
    rule: Rule
    binding: Binding
    limit: tuple[LicenceKind, ...] = ()
    size: int | None = None
    left: int | None = None
    held_by: tuple[str, ...] = ()
    next_in_line: str | None = None
