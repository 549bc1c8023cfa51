"""Every fact that the system records for people and machines, as frozen dataclasses.

Services append them with `db.log.append` in the transaction of the change itself; SSE, wake-ups and the
audit pages read them. Losing the news loses nothing: the log is the truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base: whom it concerns (None: everybody), which job, and who caused it ("" : the system)."""

    kind: ClassVar[str] = "event"
    organization_id: int | None = None
    job_id: int | None = None
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChanged(Event):
    """A job went from one state to another."""

    kind: ClassVar[str] = "job_changed"
    before: str
    after: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLoaded(Event):
    """The first, or the last, of a job's contacts became its targets: there is somebody to call."""

    kind: ClassVar[str] = "job_loaded"
    targets: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChanged(Event):
    """A supervisor changed a task's priority, minimum or maximum."""

    kind: ClassVar[str] = "task_changed"
    task_id: int
    before: Mapping[str, int]
    after: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotasRecalculated(Event):
    """A recalculation changed something in a pool; the full record is in `recalculations`."""

    kind: ClassVar[str] = "quotas_recalculated"
    pool_id: int
    recalculation_id: int
    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFailed(Event):
    """A plan did not pass its independent check: the old quotas stay. This is an alarm."""

    kind: ClassVar[str] = "certificate_failed"
    pool_id: int
    violations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyChanged(Event):
    """What is authorised, or how it is divided, changed."""

    kind: ClassVar[str] = "supply_changed"
    cause: str
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportChanged(Event):
    """An import of contacts began, progressed or ended."""

    kind: ClassVar[str] = "import_changed"
    import_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChanged(Event):
    """A record of the configuration was created, changed or deleted (campaign, list, strategy, user...)."""

    kind: ClassVar[str] = "record_changed"
    record: str
    record_id: int
    change: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(Event):
    """Somebody signed in, or tried to."""

    kind: ClassVar[str] = "sign_in"
    succeeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecovered(Event):
    """Attempts whose owner was gone were taken over or closed."""

    kind: ClassVar[str] = "worker_recovered"
    taken_over: int
    interrupted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformStateChanged(Event):
    """The platform's licence went from one state to another (licensing.md 7); the message says why."""

    kind: ClassVar[str] = "platform_state_changed"
    before: str
    after: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised(Event):
    """An alarm about the platform's licence was raised; the webhook, if there is one, is told."""

    kind: ClassVar[str] = "alarm_raised"
    alarm: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaServerChanged(Event):
    """A media server connected or failed: `message` says why."""

    kind: ClassVar[str] = "media_server_changed"
    server_id: int
    name: str
    before: str
    after: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPortsMoved(Event):
    """The ports of a zone were split anew over its media servers: quotas by server id, before and after."""

    kind: ClassVar[str] = "media_ports_moved"
    zone_id: int
    ports: int
    cause: str
    before: Mapping[str, int]
    after: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReceived(Event):
    """A person texted us; `meaning` is stop, start, help, review (a person should read it) or nothing."""

    kind: ClassVar[str] = "text_received"
    address: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSeatChanged(Event):
    """An agent took a seat of a task, gave it back, or moved; `reason` is what the agent is told."""

    kind: ClassVar[str] = "agent_seat_changed"
    session_id: int
    agent_id: int
    agent: str
    from_task: int | None
    to_task: int | None
    reason: str = ""
