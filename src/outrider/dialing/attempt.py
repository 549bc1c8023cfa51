"""One attempt from its claim to its result, as records that travel between service, worker and engine. Pure.

A claim says all that is needed to make the attempt without another look at the database.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Action, Strategy
from outrider.channels.model import TextSent
from outrider.contacts.model import Contact
from outrider.dialing.retry import Counters
from outrider.ids import AttemptId, CampaignId, JobId, OrganizationId, PoolId, TargetId, TaskId, ZoneId
from outrider.licences.model import LicenceKind

REFERENCE_DIGITS = 4


def text_reference(attempt_id: AttemptId) -> int:
    """Return the reference of a text, 1 to 65,535: the end of its id, so that nothing need be kept."""
    return int(attempt_id[-REFERENCE_DIGITS:], 16) or 1


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """What a worker knows of a task for as long as its job lives: the strategy version never changes."""

    task_id: TaskId
    job_id: JobId
    pool_id: PoolId
    zone_id: ZoneId
    organization_id: OrganizationId
    campaign_id: CampaignId
    strategy: Strategy
    action: Action
    task_of: Mapping[str, TaskId]
    """action name -> the job's task of that action in the same pool."""
    needs_attributes: bool = True
    """Whether attempts, or the choice whom to attempt, look at a contact's attributes."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a contact had ended in this job, before an agent wished to call it once more."""

    outcome: Outcome
    disposition: str | None = None


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
    server: str = ""
    """The media server whose port the call has; empty: the simulated carrier."""
    server_id: int | None = None
    held: frozenset[LicenceKind] = frozenset()
    """Speech units that an attempt of a former life holds."""
    session_id: int | None = None
    """The session of the agent whom the call is made for; None: for any, or without agents."""
    preview: bool = False
    """Whether the agent only looks at the card so far: nothing was dialed."""
    ended_before: Ended | None = None

    @property
    def number(self) -> int:
        """Return which attempt of the contact in this job it is, from 1."""
        return self.counters.attempts


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt has come to; `answered_at` None when nobody took it.

    `untried`: the server could not be reached, so the contact is due again as if nothing had been.
    `disposition` is what the person chose, `do_not_contact` that it wants no more of this, and `sent` the
    message centre's ids of a text. `agent_id` and `session_id` say who talked to the person, from
    `joined_at` on.
    """

    claim: Claim
    outcome: Outcome
    ended_at: dt.datetime
    answered_at: dt.datetime | None = None
    detail: str = ""
    untried: bool = False
    disposition: str | None = None
    do_not_contact: bool = False
    sent: TextSent | None = None
    agent_id: int | None = None
    session_id: int | None = None
    joined_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What bounds a worker's claims beside licences: media servers that it is not connected to, and the
    attempts per second that the task's channel has for it (None: no limit).
    """

    without: frozenset[int] = frozenset()
    per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What a task got when it asked for work.

    `bound` names what limited it, for "why is nobody being called?": "" (it got all it wanted), "ports",
    "contacts", "later", "pace", "licence", "channel", "paused", "servers" (no port on a media server),
    "agents" (only agents ask for it).
    `again_at` is when asking again may help, None: when nudged.
    """

    claims: tuple[Claim, ...] = ()
    bound: str = ""
    again_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a contact or number is not called at an agent's wish, in words; `again_at` is when it may be."""

    reason: str
    again_at: dt.datetime | None = None
