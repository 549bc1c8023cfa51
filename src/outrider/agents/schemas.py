"""What requests about agents may say, and how accounts, skills and their history are shown.

Only `agents/api.py` uses them.
"""

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from outrider.agents.accounts import (
    LONGEST_ADDRESS,
    LONGEST_DISPLAY,
    MOST_CAMPAIGNS,
    MOST_SKILLS,
    AccountPlan,
)
from outrider.agents.model import HIGHEST_PROFICIENCY, LOWEST_PROFICIENCY, AgentState
from outrider.web.access import Text, Text80

LARGEST_ID = 2**63 - 1
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Display = Annotated[Text, Field(max_length=LONGEST_DISPLAY)]
Phone = Annotated[Text, Field(min_length=1, max_length=LONGEST_ADDRESS)]
Zone = Annotated[Text, Field(max_length=80)]
Proficiency = Annotated[int, Field(ge=LOWEST_PROFICIENCY, le=HIGHEST_PROFICIENCY)]
Skills = Annotated[dict[Text80, Proficiency], Field(max_length=MOST_SKILLS)]
Campaigns = Annotated[list[Id], Field(max_length=MOST_CAMPAIGNS)]


class Strict(BaseModel):
    """A body without unknown fields, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid")


class NewAgent(Strict):
    """An agent to be made. `address` is its phone: sip:name@host, a number, or an extension.

    `skills` have proficiency 1 to 10; unknown ones are made. `preferred_campaigns` are the only ones it works
    for; empty: any. With `user` a user of the same name with a one-time password is made (administrators).
    """

    name: Text80
    address: Phone
    display_name: Display = ""
    zone: Zone = "default"
    skills: Skills = Field(default_factory=dict)
    preferred_campaigns: Campaigns = Field(default_factory=list)
    enabled: bool = True
    organization_id: Id | None = None
    user: bool = False

    def plan(self) -> AccountPlan:
        """Return it as the service takes it."""
        return AccountPlan(**self.model_dump(exclude={"organization_id", "user"}))


class AgentChange(Strict):
    """What is to change about an agent; what is left out stays. `skills` replaces all of them."""

    name: Text80 | None = None
    address: Phone | None = None
    display_name: Display | None = None
    zone: Zone | None = None
    skills: Skills | None = None
    preferred_campaigns: Campaigns | None = None
    enabled: bool | None = None


class NewSkill(Strict):
    """A skill that agents can be given."""

    name: Text80
    organization_id: Id | None = None


class AgentView(BaseModel):
    """An account as it is."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    organization_id: int
    zone_id: int
    name: str
    display_name: str
    address: str
    skills: dict[str, int]
    preferred_campaigns: list[int]
    user_id: int | None
    enabled: bool
    created_at: dt.datetime


class AgentCreated(BaseModel):
    """A new agent, and the one-time password of its user, when one was made: it cannot be shown again."""

    agent: AgentView
    one_time_password: str | None


class SkillView(BaseModel):
    """A skill."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    organization_id: int
    name: str


class SessionView(BaseModel):
    """One session of an agent, from login to logout; `ended_at` null while it is open."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    pool_id: int
    api: bool
    state: AgentState
    started_at: dt.datetime
    ended_at: dt.datetime | None
    end_reason: str


class SessionPage(BaseModel):
    """Sessions, newest first; `next` is the `before` of the following page, null on the last."""

    items: list[SessionView]
    next: int | None


class TransitionView(BaseModel):
    """One change of an agent's state, with the job and the contact it was about."""

    id: int
    session_id: int
    at: dt.datetime
    before: AgentState
    after: AgentState
    reason: str
    task_id: int | None
    attempt_id: str | None


class TransitionPage(BaseModel):
    """Changes, newest first; `next` is the `before` of the following page, null on the last."""

    items: list[TransitionView]
    next: int | None
