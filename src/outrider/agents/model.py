"""Agents as records: accounts with skills, the states of a session, and what a session has in hand. Pure.

`floor.py` changes sessions; `sessions_store.py` keeps them; the API, the pages and the simulator read
them.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType

from outrider.campaigns.strategy_agents import AgentMode
from outrider.ids import AttemptId, OrganizationId, PoolId, TaskId, ZoneId

AgentId = NewType("AgentId", int)
SessionId = NewType("SessionId", int)
LegId = AttemptId
"""A call of ours that is no attempt (an agent's phone, a consulted person) has an id of the same form."""

LOWEST_PROFICIENCY, HIGHEST_PROFICIENCY = 1, 10


class AgentState(enum.StrEnum):
    """What an agent does. Exactly one at a time; every change is audited with its time."""

    LOGGED_OUT = "logged_out"
    NOT_READY = "not_ready"
    """Takes no work; the reason says why (break, training...)."""
    READY = "ready"
    PREVIEW = "preview"
    """Looks at a contact's card before it is called."""
    DIALING = "dialing"
    """Its own call (manual, preview, redial) is being made."""
    TALKING = "talking"
    HOLD = "hold"
    """The contact hears music."""
    WRAP_UP = "wrap_up"


AT_WORK = frozenset(
    {AgentState.PREVIEW, AgentState.DIALING, AgentState.TALKING, AgentState.HOLD, AgentState.WRAP_UP}
)
"""States in which a contact is in hand: moves, detachments and logouts wait for their end."""

IN_CALL = frozenset({AgentState.TALKING, AgentState.HOLD})


class NailUp(enum.StrEnum):
    """The leg to the agent's phone, which is kept between calls."""

    NONE = "none"
    DIALING = "dialing"
    UP = "up"
    LOST = "lost"
    """It broke or was not answered; it is tried again after a while, and at the agent's wish."""


class Attachment(enum.StrEnum):
    """How a session stands with jobs. A seat is charged in all but the first (licensing.md 6)."""

    FREE = "free"
    ATTACHED = "attached"
    DETACHING = "detaching"
    """Leaves after the contact in hand."""
    MOVING = "moving"
    """Goes to another job, with its seat, after the contact in hand."""


@dataclass(frozen=True, slots=True)
class Skill:
    """What an organization's agents can be good at."""

    id: int
    organization_id: OrganizationId
    name: str


@dataclass(frozen=True, slots=True)
class Agent:
    """An account. `address` is the agent's phone (SIP address or number). `skills` has proficiency 1 to 10.

    `preferred_campaigns`: ids of the only campaigns it works for; empty: any.
    """

    id: AgentId
    organization_id: OrganizationId
    zone_id: ZoneId
    name: str
    display_name: str
    address: str
    skills: Mapping[str, int]
    preferred_campaigns: tuple[int, ...]
    user_id: int | None
    enabled: bool
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Consult:
    """A third person on the line. `joined`: in the agent's room, the contact too when `conference`."""

    leg: LegId
    address: str
    joined: bool = False
    conference: bool = False


@dataclass(frozen=True, slots=True)
class Engagement:
    """The contact in hand. `card` is what the desktop shows of it (JSON).

    `customer_up`: its leg is joined to the agent's room (or held). `ended_at`: when the call was over.
    `callback_id` is the promise that is kept by it.
    """

    attempt_id: AttemptId
    task_id: TaskId
    mode: AgentMode
    card: Mapping[str, object]
    customer_up: bool = False
    answered_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    consult: Consult | None = None
    callback_id: int | None = None
    wrap_up_extensions: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """One agent from login to logout, as the floor sees it.

    `deadline` ends the present state by itself (preview: dials; wrap-up: ends with the default code), or is
    when the phone of an agent who is ready is called again after it was lost.
    `next_task` is the job that a move leads to; `pending_why` says what a pending move or detachment waits
    for, in words. `then` is the state wished for after the contact in hand (NOT_READY or LOGGED_OUT).
    """

    id: SessionId
    agent_id: AgentId
    organization_id: OrganizationId
    pool_id: PoolId
    name: str
    address: str
    skills: Mapping[str, int] = field(default_factory=dict)
    state: AgentState = AgentState.NOT_READY
    reason: str = ""
    since: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    attachment: Attachment = Attachment.FREE
    task_id: TaskId | None = None
    next_task: TaskId | None = None
    pending_why: str = ""
    then: AgentState | None = None
    then_reason: str = ""
    nail_up: NailUp = NailUp.NONE
    leg: LegId | None = None
    server: str = ""
    engagement: Engagement | None = None
    deadline: dt.datetime | None = None
    connected: bool = False
    """Whether a desktop listens now."""

    @property
    def is_usable(self) -> bool:
        """Whether it counts when agents are dealt: at work or ready, or resting with a seat it has."""
        if self.then is AgentState.LOGGED_OUT or self.state is AgentState.LOGGED_OUT:
            return False
        return self.state is not AgentState.NOT_READY or self.attachment is not Attachment.FREE

    @property
    def is_free(self) -> bool:
        """Whether it can take an answered contact of its job now: ready, attached, nailed up."""
        return (
            self.state is AgentState.READY
            and self.attachment is Attachment.ATTACHED
            and self.nail_up is NailUp.UP
        )
