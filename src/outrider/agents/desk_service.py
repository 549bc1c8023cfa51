"""What an agent's desktop may read and write in the database: codes, jobs, callbacks, its contact, figures.

The Agent Web API calls it in its transactions. What happens on the floor (states, calls) is not decided here.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from outrider.agents import desk_store, sessions_store, store
from outrider.agents.model import Agent, AgentId, Session
from outrider.campaigns import service as campaigns
from outrider.campaigns.strategy import Strategy
from outrider.campaigns.strategy_agents import AgentMode, AgentSettings
from outrider.campaigns.strategy_document import parse_strategy
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.contacts.do_not_contact.model import BadAddress, read_address
from outrider.contacts.model import Contact
from outrider.contacts.numbers import check_country
from outrider.db.database import Row, Tx
from outrider.dialing import opting_out
from outrider.errors import InvalidInputError, NotAllowedError, NotFoundError

MOST_CALLBACKS = 200
MOST_ATTRIBUTES = 200
LONGEST_ATTRIBUTE = 4_000
NO_COUNTRY = "ZZ"


@dataclass(frozen=True, slots=True)
class OfferedJob:
    """A running action of agents in an agent's pool; `why_not` is "" when the agent may work for it."""

    task_id: int
    job_id: int
    campaign_id: int
    campaign: str
    action: str
    mode: AgentMode
    skills: Mapping[str, int]
    agents: int
    maximum: int
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """An agent's work since a time: calls with contacts, seconds, and how many ended with each code."""

    since: dt.datetime
    calls: int = 0
    attempts: int = 0
    talk_seconds: float = 0.0
    wrap_up_seconds: float = 0.0
    codes: Mapping[str, int] = field(default_factory=dict)


def agent_of_user(tx: Tx, user_id: int) -> Agent:
    """Return the agent account that a user is bound to. NotAllowedError when there is none."""
    found = store.agents(tx, None, user_id=user_id)
    if not found:
        raise _no_agent()
    return found[0]


def agent_id_of_user(tx: Tx, user_id: int) -> AgentId:
    """Return the agent that a user is bound to. NotAllowedError when there is none, or it is switched off."""
    row = desk_store.account(tx, user_id)
    if row is None:
        raise _no_agent()
    if not row["enabled"]:
        raise NotAllowedError(f"agent {row['name']} is switched off: ask a supervisor")
    return AgentId(row["id"])


def _no_agent() -> NotAllowedError:
    return NotAllowedError(
        "you are bound to no agent account: a supervisor binds a user to one on the page Agents"
    )


def jobs(tx: Tx, agent: Agent) -> list[OfferedJob]:
    """Return what runs for agents in an agent's pool, and why it may not work for some of it."""
    pool_id = sessions_store.pool_of(tx, agent.organization_id, agent.zone_id)
    rows = () if pool_id is None else sessions_store.agent_tasks(tx, pool_id)
    found = []
    for row in rows:
        source = campaigns.strategy(tx, row["strategy_id"], None).source
        settings = _parsed(source).action(row["action"]).agents
        if row["job_state"] == "running" and settings is not None:
            found.append(_offered(agent, row, settings))
    return found


def prefer(tx: Tx, agent: Agent, campaign_ids: Sequence[int]) -> Agent:
    """Let an agent work for these campaigns only (none: for any). InvalidInputError for an unknown one."""
    wanted = list(dict.fromkeys(campaign_ids))
    known = desk_store.campaigns(tx, agent.organization_id, wanted)
    unknown = [each for each in wanted if each not in known]
    if unknown:
        raise InvalidInputError(f"campaigns: there is no campaign {unknown[0]}", where="campaigns")
    store.set_agent(tx, agent.id, {"preferred_campaigns": wanted})
    return store.agents(tx, None, agent_id=agent.id)[0]


def contact(tx: Tx, agent: Agent, session: Session, contact_id: int) -> Contact:
    """Return a contact that the agent has in hand or has promised to call. NotFoundError for any other."""
    in_hand = contact_in_hand(session) == contact_id
    if in_hand or desk_store.has_callback(tx, agent.id, contact_id):
        found = desk_store.contact(tx, agent.organization_id, contact_id)
        if found is not None:
            return found
    raise NotFoundError(f"contact {contact_id} is neither in your hands nor one of your callbacks")


def set_attributes(
    tx: Tx, agent: Agent, session: Session, contact_id: int, attributes: Mapping[str, str]
) -> Contact:
    """Set attributes of the contact in hand; those that are not named stay, "" removes one.

    NotFoundError when it is not in hand; InvalidInputError for too many or too long ones.
    """
    if contact_in_hand(session) != contact_id:
        raise NotFoundError(f"contact {contact_id} is not in your hands: only that one can be changed")
    found = contact(tx, agent, session, contact_id)
    values = {**found.attributes, **attributes}
    values = {name: value for name, value in values.items() if value}
    if len(values) > MOST_ATTRIBUTES:
        raise InvalidInputError(f"attributes: at most {MOST_ATTRIBUTES} can be kept", where="attributes")
    desk_store.set_attributes(tx, contact_id, values)
    return contact(tx, agent, session, contact_id)


def contact_in_hand(session: Session) -> int | None:
    """Return the contact that a session has in hand, None when it has none."""
    if session.engagement is None:
        return None
    found = session.engagement.card.get("contact_id")
    return found if isinstance(found, int) else None


def is_blocked(tx: Tx, agent: Agent, address: str, country: str) -> tuple[str, bool]:
    """Return an address as it is stored, and whether nobody may contact it. InvalidInputError."""
    read = _address(address, country)
    return read, bool(do_not_contact.blocked(tx, agent.organization_id, [read]))


def block(tx: Tx, agent: Agent, address: str, country: str, now: dt.datetime) -> str:
    """Put an address on the list of those who opted out; return it as it is stored. InvalidInputError."""
    read = _address(address, country)
    do_not_contact.opt_out(
        tx,
        now,
        organization_id=agent.organization_id,
        list_name=opting_out.LIST_NAME,
        addresses=[read],
        source=opting_out.BY_AGENT,
        actor=agent.name,
    )
    return read


def figures(tx: Tx, agent: Agent, since: dt.datetime) -> Figures:
    """Return what an agent has done since a time."""
    calls, attempts, talk, wrap_up = 0, 0, 0.0, 0.0
    codes: Counter[str] = Counter()
    for row in desk_store.attempts(tx, agent.id, since):
        attempts += 1
        if row["joined_at"] is None or row["ended_at"] is None:
            continue
        calls += 1
        talk += (row["ended_at"] - row["joined_at"]).total_seconds()
        if row["wrapped_up_at"] is not None:
            wrap_up += max(0.0, (row["wrapped_up_at"] - row["ended_at"]).total_seconds())
            codes[row["disposition"] or ""] += 1
    return Figures(since, calls, attempts, talk, wrap_up, dict(codes))


def _offered(agent: Agent, row: Row, settings: AgentSettings) -> OfferedJob:
    why_not = ""
    missing = [
        f"{skill} {least}" for skill, least in settings.skills.items() if agent.skills.get(skill, 0) < least
    ]
    if missing:
        why_not = f"it asks for skills that you do not have: {', '.join(missing)}"
    elif agent.preferred_campaigns and row["campaign_id"] not in agent.preferred_campaigns:
        why_not = "you prefer other campaigns"
    return OfferedJob(
        task_id=row["id"],
        job_id=row["job_id"],
        campaign_id=row["campaign_id"],
        campaign=row["campaign"],
        action=row["action"],
        mode=settings.mode,
        skills=dict(settings.skills),
        agents=row["in_use"],
        maximum=row["maximum"],
        why_not=why_not,
    )


def _address(address: str, country: str) -> str:
    found = read_address(address, check_country(country) if country else NO_COUNTRY)
    if isinstance(found, BadAddress):
        raise InvalidInputError(
            f"address: {address[:80]!r} is neither a number nor a mail address ({found.reason});"
            " give a number as +44..., or its country",
            where="address",
        )
    return found


@lru_cache(maxsize=64)
def _parsed(source: str) -> Strategy:
    return parse_strategy(source)
