"""What the Agent Web API takes and answers, beside its commands (`desk_messages.py`).

Only `agents/desk_*_api.py` uses it; `of` makes an answer from what the services return.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from outrider.agents.desk_messages import LONGEST
from outrider.agents.desk_service import LONGEST_ATTRIBUTE, MOST_ATTRIBUTES, Figures, OfferedJob
from outrider.agents.model import Agent
from outrider.contacts.model import Contact
from outrider.db.database import Row
from outrider.licences.model import LicenceKind
from outrider.web.access import Text, Text80

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Address = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]
Country = Annotated[Text, StringConstraints(max_length=2)]


class Strict(BaseModel):
    """A body without unknown fields, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid")


class LogInBody(Strict):
    """Where the agent's phone is today (default: the account's address), and whether to be ready at once."""

    address: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=LONGEST["address"])] = ""
    ready: bool = False


class AgentSessionView(BaseModel):
    """The whole state of an agent's session at a time.

    `last_id` is the number of the last notification that it contains: `GET /api/agent/events?after=` that.
    """

    at: AwareDatetime
    last_id: int
    session: dict[str, Any]


class LoggingOut(BaseModel):
    """Whether the session is over, or else ends after the contact in hand."""

    over: bool


class Done(BaseModel):
    """A command was done, now or when it came first under this id."""

    id: str | None
    command: str
    ok: bool = True


class CodeView(BaseModel):
    """A completion code: what an agent may say of a contact. `shortcut` is a key of the desktop."""

    name: str
    label: str
    effect: str
    retry_after: float | None
    shortcut: str

    @classmethod
    def of(cls, row: Row) -> "CodeView":
        """Return the view of a row."""
        return cls(**{name: row[name] for name in cls.model_fields})


class JobView(BaseModel):
    """A running action of agents; `why_not` says why this agent may not work for it ("": it may)."""

    task_id: int
    job_id: int
    campaign_id: int
    campaign: str
    action: str
    mode: str
    licence: LicenceKind
    skills: dict[str, int]
    agents: int
    maximum: int
    attached: bool
    why_not: str

    @classmethod
    def of(cls, job: OfferedJob, attached_to: int | None) -> "JobView":
        """Return the view of a job for an agent that is attached to a task."""
        return cls(
            task_id=job.task_id,
            job_id=job.job_id,
            campaign_id=job.campaign_id,
            campaign=job.campaign,
            action=job.action,
            mode=job.mode.value,
            licence=job.mode.licence,
            skills=dict(job.skills),
            agents=job.agents,
            maximum=job.maximum,
            attached=job.task_id == attached_to,
            why_not=job.why_not,
        )


class PreferredBody(Strict):
    """The only campaigns that the agent works for; none: any."""

    campaigns: Annotated[list[Id], Field(max_length=1000)]


class OwnAccount(BaseModel):
    """The agent's own account."""

    id: int
    organization_id: int
    name: str
    display_name: str
    address: str
    skills: dict[str, int]
    preferred_campaigns: list[int]

    @classmethod
    def of(cls, agent: Agent) -> "OwnAccount":
        """Return the view of an account."""
        return cls(
            id=agent.id,
            organization_id=agent.organization_id,
            name=agent.name,
            display_name=agent.display_name,
            address=agent.address,
            skills=dict(agent.skills),
            preferred_campaigns=list(agent.preferred_campaigns),
        )


class CallbackView(BaseModel):
    """A promise to call again that is not kept yet."""

    id: int
    campaign_id: int
    campaign: str
    contact_id: int
    address: str
    kind: str
    due_at: AwareDatetime
    expires_at: AwareDatetime
    time_zone: str
    state: str
    note: str

    @classmethod
    def of(cls, row: Row) -> "CallbackView":
        """Return the view of a row."""
        return cls(**{name: row[name] for name in cls.model_fields})


class ContactView(BaseModel):
    """A contact with everything that is known of it."""

    id: int
    external_id: str | None
    phone: str | None
    other_phones: list[str]
    email: str | None
    time_zone: str | None
    attributes: dict[str, str]

    @classmethod
    def of(cls, contact: Contact) -> "ContactView":
        """Return the view of a contact."""
        return cls(
            id=contact.id,
            external_id=contact.external_id,
            phone=contact.phone,
            other_phones=list(contact.other_phones),
            email=contact.email,
            time_zone=contact.time_zone,
            attributes=dict(contact.attributes),
        )


AttributeValue = Annotated[Text, StringConstraints(max_length=LONGEST_ATTRIBUTE)]


class AttributesBody(Strict):
    """Attributes to set; those that are not named stay, and an empty text removes one."""

    attributes: Annotated[Mapping[Text80, AttributeValue], Field(max_length=MOST_ATTRIBUTES)]


class AddressBody(Strict):
    """A number (E.164, or national with its country, ISO 3166) or a mail address."""

    address: Address
    country: Country = ""


class BlockedView(BaseModel):
    """An address as it is stored, and whether nobody of the organization may contact it."""

    address: str
    blocked: bool


class FiguresView(BaseModel):
    """The agent's work since a time: calls with contacts, seconds, and how many ended with each code."""

    since: dt.datetime
    calls: int
    attempts: int
    talk_seconds: float
    wrap_up_seconds: float
    codes: dict[str, int]

    @classmethod
    def of(cls, found: Figures) -> "FiguresView":
        """Return the view of figures."""
        return cls(
            since=found.since,
            calls=found.calls,
            attempts=found.attempts,
            talk_seconds=found.talk_seconds,
            wrap_up_seconds=found.wrap_up_seconds,
            codes=dict(found.codes),
        )
