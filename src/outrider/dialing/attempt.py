"""One attempt from its claim to its result, as records that travel between service, worker and engine. Pure.

A claim says all that is needed to make the attempt without another look at the database.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Action, Strategy
from outrider.contacts.model import Contact
from outrider.dialing.retry import Counters
from outrider.ids import AttemptId, JobId, OrganizationId, PoolId, TargetId, TaskId


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """What a worker knows of a task for as long as its job lives: the strategy version never changes."""

    task_id: TaskId
    job_id: JobId
    pool_id: PoolId
    organization_id: OrganizationId
    strategy: Strategy
    action: Action
    task_of: Mapping[str, TaskId]
    """action name -> the job's task of that action in the same pool."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt that was claimed: its unit is charged, its row is written, nothing was sent yet."""

    attempt_id: AttemptId
    plan: TaskPlan
    target_id: TargetId
    contact: Contact
    address: str
    address_index: int
    addresses: int
    counters: Counters
    profile: str = ""

    @property
    def number(self) -> int:
        """Return which attempt of the contact in this job it is, from 1."""
        return self.counters.attempts


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt has come to; `answered_at` None when nobody took it.

    `untried`: the server could not be reached, so the contact is due again as if nothing had been.
    """

    claim: Claim
    outcome: Outcome
    ended_at: dt.datetime
    answered_at: dt.datetime | None = None
    detail: str = ""
    untried: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """What a task got when it asked for work.

    `bound` names what limited it, for "why is nobody being called?": "" (it got all it wanted), "ports",
    "contacts", "later", "pace", "licence", "channel", "paused". `again_at` is when asking again may help,
    None: when nudged.
    """

    claims: tuple[Claim, ...] = ()
    bound: str = ""
    again_at: dt.datetime | None = None
