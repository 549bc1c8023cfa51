"""Jobs as people and programs look at them: the live board, one job, its chart, its attempts. Pure.

`jobs/board.py` and `jobs/results.py` fill them, the API, the pages and the board's event stream show them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.jobs.model import JobCommand, JobState
from outrider.licences.model import Allocation, LicenceKind, Standing, TaskKind


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many attempts came to an outcome, and for how many contacts it was the final one."""

    attempts: int
    final: int


@dataclass(frozen=True, slots=True)
class TaskView:
    """One action of a job in one zone, with its licences in units (licensing.md 1).

    `need` is what it could use now. `bound` says what kept its last look for work from more: ports, pace,
    window (no contact may be called now), contacts (none is left or all are being called), or nothing.
    """

    id: int
    job_id: int
    campaign_name: str
    pool_id: int
    zone_name: str
    organization_name: str
    action: str
    kind: TaskKind
    allocation: Allocation
    priority: int
    minimum: int
    maximum: int
    standing: Standing
    waiting: bool
    quota: int
    granted: int
    in_use: int
    draining: int
    need: int
    contacts_left: int
    bound: str
    admitted_at: dt.datetime | None
    last_attempt_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class JobView:
    """One run of a campaign. `targets` are its contacts, `targets_done` those with a final outcome.

    `dispositions` are what people chose in menus, or web services answered. `commands` are what can be asked
    of it now. `loaded` is false while its contacts are still being read.
    """

    id: int
    organization_id: int
    organization_name: str
    campaign_id: int
    campaign_name: str
    strategy_id: int
    strategy_name: str
    strategy_version: int
    state: JobState
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    end_reason: str
    snoozed_until: dt.datetime | None
    stop_at: dt.datetime | None
    loaded: bool
    targets: int
    targets_done: int
    goal_count: int
    commands: tuple[JobCommand, ...]
    tasks: tuple[TaskView, ...]
    outcomes: Mapping[str, OutcomeCount]
    dispositions: Mapping[str, OutcomeCount]


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, newest first; `next` is the `before` of the following page, null on the last."""

    items: tuple[JobView, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class PoolKind:
    """One licence type of a pool: what is in force, granted, in use, and what nobody keeps.

    Several agent types stand in for each other, so their `free` counts the units that no task covers.
    Nothing of a gate (email, sms) is ever used up: its `free` is its count.
    """

    kind: LicenceKind
    count: int
    granted: int
    in_use: int
    free: int


@dataclass(frozen=True, slots=True)
class SeatKind:
    """The seats of tasks of one agent kind, and how many licences of each type cover those in use.

    That is accounting: licences of dearer types stand in where cheaper ones are used up (licensing.md 4.4).
    """

    kind: LicenceKind
    granted: int
    in_use: int
    cover: Mapping[LicenceKind, int]


@dataclass(frozen=True, slots=True)
class PoolView:
    """One organization in one zone, with the licence types that it has or that its tasks hold."""

    id: int
    zone_id: int
    zone: str
    organization_id: int
    organization: str
    policy: str
    kinds: tuple[PoolKind, ...]
    seats: tuple[SeatKind, ...] = ()


@dataclass(frozen=True, slots=True)
class SupplyLine:
    """How far the counts in force can be relied on: the line that every page shows (licensing.md 7)."""

    state: str
    version: str
    last_poll_at: dt.datetime | None
    last_success_at: dt.datetime | None
    last_changed_at: dt.datetime | None
    grace_ends_at: dt.datetime | None
    message: str


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the live board shows, as of `at`; /api/events from `event_id` on tells what is new."""

    at: dt.datetime
    event_id: int
    supply: SupplyLine
    pools: tuple[PoolView, ...]
    jobs: tuple[JobView, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one task, or of all tasks of one job (`task_id` null); null where there is none."""

    job_id: int
    task_id: int | None
    name: str
    kind: TaskKind
    quota: tuple[int | None, ...]
    granted: tuple[int | None, ...]
    in_use: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Samples for a chart: `at` are seconds since 1970 (UTC), the same for every series."""

    since: dt.datetime
    until: dt.datetime
    at: tuple[float, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt to reach a contact; without `ended_at` it is under way."""

    id: str
    contact_id: int
    external_id: str | None
    action: str
    number: int
    address: str
    claimed_at: dt.datetime
    answered_at: dt.datetime | None
    ended_at: dt.datetime | None
    outcome: str | None
    disposition: str | None
    detail: str
    final_outcome: str | None


@dataclass(frozen=True, slots=True)
class AttemptPage:
    """Attempts by contact; `next` is the `after` of the following page, null on the last."""

    items: tuple[AttemptView, ...]
    next: int | None
