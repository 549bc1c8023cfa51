"""Accounts of agents and their skills inside a transaction: made, changed, removed, imported.

Called by `agents/api.py`, the Agent Web API, the pages and `cli/agents.py`. Supervisors look after accounts;
a user who may sign in as an agent is made by administrators.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from outrider.agents import sessions_store, store
from outrider.agents.accounts import AccountFile, AccountPlan, checked, checked_skill
from outrider.agents.model import Agent, Skill
from outrider.campaigns import service as campaigns
from outrider.db import log
from outrider.db.database import Row, Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from outrider.events import RecordChanged
from outrider.licences import division_store
from outrider.licences.ownership import owner_of_new
from outrider.licences.tree import DEFAULT_NAME
from outrider.people import service as people
from outrider.people.model import Caller, Role


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file of accounts did: names made, and names that were there and have been changed."""

    created: tuple[str, ...]
    changed: tuple[str, ...]


def agents(tx: Tx, organization_id: int | None) -> list[Agent]:
    """Return the accounts that the caller can see, by name."""
    return store.agents(tx, organization_id)


def agent(tx: Tx, agent_id: int, organization_id: int | None) -> Agent:
    """Return one account; NotFoundError when this caller can see none by that id."""
    found = store.agents(tx, organization_id, agent_id=agent_id)
    if not found:
        raise NotFoundError(f"there is no agent {agent_id}")
    return found[0]


def agent_by_name(tx: Tx, name: str, organization_id: int | None) -> Agent:
    """Return one account by name; NotFoundError when there is none, ConflictError when several have it."""
    found = store.agents(tx, organization_id, name=name.strip().casefold())
    if not found:
        raise NotFoundError(f"there is no agent named {name!r}")
    if len(found) > 1:
        raise ConflictError(f"agents of several organizations are named {name!r}: say which organization")
    return found[0]


def agent_of_user(tx: Tx, user_id: int) -> Agent | None:
    """Return the account that a user works with, None when it is no agent."""
    found = store.agents(tx, None, user_id=user_id)
    return found[0] if found else None


def create(
    tx: Tx,
    now: dt.datetime,
    caller: Caller,
    plan: AccountPlan,
    *,
    organization_id: int | None = None,
    password_hash: str | None = None,
) -> Agent:
    """Make an account; with a `password_hash` also the user of the same name, who signs in with it.

    InvalidInputError names the field, ConflictError a name in use; NotAllowedError for a user when the
    caller is no administrator.
    """
    caller.require(Role.SUPERVISOR)
    plan = checked(plan)
    owner = owner_of_new(tx, caller.organization_id, organization_id)
    if store.agents(tx, owner, name=plan.name):
        raise ConflictError(f"an agent named {plan.name!r} exists already; choose another name")
    values = _values(tx, owner, plan)
    if password_hash is not None:
        user = people.create_user(
            tx,
            now,
            caller,
            name=plan.name,
            role=Role.AGENT,
            organization_id=owner,
            password_hash=password_hash,
        )
        values["user_id"] = user.id
    number = store.add_agent(tx, {**values, "organization_id": owner, "created_at": now})
    store.set_skills(tx, owner, number, plan.skills)
    made = agent(tx, number, None)
    _record(tx, now, caller, made, "created")
    return made


def change(tx: Tx, now: dt.datetime, caller: Caller, agent_id: int, plan: AccountPlan) -> Agent:
    """Let an account be as planned. A session that is open keeps its zone and phone until it is over.

    NotFoundError when not visible; InvalidInputError and ConflictError as for `create`.
    """
    caller.require(Role.SUPERVISOR)
    known = agent(tx, agent_id, caller.organization_id)
    plan = checked(plan)
    if any(each.id != known.id for each in store.agents(tx, known.organization_id, name=plan.name)):
        raise ConflictError(f"an agent named {plan.name!r} exists already; choose another name")
    store.set_agent(tx, known.id, _values(tx, known.organization_id, plan))
    store.set_skills(tx, known.organization_id, known.id, plan.skills)
    _record(tx, now, caller, known, "changed")
    return agent(tx, agent_id, None)


def remove(tx: Tx, now: dt.datetime, caller: Caller, agent_id: int) -> None:
    """Remove an account and its history of sessions; its user is disabled.

    ConflictError while the agent is logged in.
    """
    caller.require(Role.SUPERVISOR)
    known = agent(tx, agent_id, caller.organization_id)
    if sessions_store.open_sessions(tx, agent_id=known.id):
        raise ConflictError(f"agent {known.name} is logged in: log it out first")
    if known.user_id is not None:
        if not caller.role.includes(Role.ADMINISTRATOR):
            raise NotAllowedError(
                f"agent {known.name} is a user, whom only an administrator may take away; "
                "switch the agent off instead",
                needed=Role.ADMINISTRATOR.value,
            )
        people.change_user(tx, now, caller, known.user_id, disabled=True)
    store.delete_agent(tx, known.id)
    _record(tx, now, caller, known, "removed")


def import_accounts(
    tx: Tx, now: dt.datetime, caller: Caller, file: AccountFile, *, organization_id: int | None = None
) -> Imported:
    """Make the accounts of a file, or change those that there are by name: all of them, or none.

    What a file does not say stays: columns that it has not, preferred campaigns, whether one is switched on.
    """
    owner = owner_of_new(tx, caller.organization_id, organization_id)
    known = {each.name: each for each in store.agents(tx, owner)}
    created, changed = [], []
    for plan in file.plans:
        there = known.get(plan.name)
        if there is None:
            create(tx, now, caller, plan, organization_id=organization_id)
            created.append(plan.name)
        else:
            said: dict[str, Any] = {column: getattr(plan, column) for column in file.columns}
            change(tx, now, caller, there.id, replace(plan_of(tx, there), **said))
            changed.append(plan.name)
    return Imported(tuple(created), tuple(changed))


def plan_of(tx: Tx, known: Agent) -> AccountPlan:
    """Return what an account says now, as a plan to change."""
    zones = {number: name for name, number in division_store.zones(tx).items()}
    return AccountPlan(
        name=known.name,
        address=known.address,
        display_name=known.display_name,
        zone=zones.get(known.zone_id, ""),
        skills=known.skills,
        preferred_campaigns=known.preferred_campaigns,
        enabled=known.enabled,
    )


def skills(tx: Tx, organization_id: int | None) -> list[Skill]:
    """Return the skills that the caller can see, by name."""
    return store.skills_of(tx, organization_id)


def add_skill(
    tx: Tx, now: dt.datetime, caller: Caller, name: str, *, organization_id: int | None = None
) -> Skill:
    """Make a skill that agents can be given. ConflictError when there is one of that name."""
    caller.require(Role.SUPERVISOR)
    owner = owner_of_new(tx, caller.organization_id, organization_id)
    cleaned = checked_skill(name)
    if any(each.name == cleaned for each in store.skills_of(tx, owner)):
        raise ConflictError(f"there is a skill {cleaned!r} already")
    made = store.skills_of(tx, owner, store.add_skill(tx, owner, cleaned))[0]
    _record_skill(tx, now, caller, made, "created")
    return made


def remove_skill(tx: Tx, now: dt.datetime, caller: Caller, skill_id: int) -> None:
    """Remove a skill; no agent has it then. NotFoundError when not visible."""
    caller.require(Role.SUPERVISOR)
    found = store.skills_of(tx, caller.organization_id, skill_id)
    if not found:
        raise NotFoundError(f"there is no skill {skill_id}")
    store.delete_skill(tx, skill_id)
    _record_skill(tx, now, caller, found[0], "removed")


def transitions(
    tx: Tx, agent_id: int, organization_id: int | None, before: int | None, limit: int
) -> tuple[list[Row], int | None]:
    """Return changes of state of an agent, newest first, and the `before` of the following page."""
    known = agent(tx, agent_id, organization_id)
    return _page(store.transitions(tx, known.id, before, limit + 1), limit)


def sessions(
    tx: Tx, agent_id: int, organization_id: int | None, before: int | None, limit: int
) -> tuple[list[Row], int | None]:
    """Return sessions of an agent, newest first, and the `before` of the following page."""
    known = agent(tx, agent_id, organization_id)
    return _page(sessions_store.history(tx, known.id, before, limit + 1), limit)


def _page(rows: list[Row], limit: int) -> tuple[list[Row], int | None]:
    following = int(rows[limit - 1]["id"]) if len(rows) > limit else None
    return rows[:limit], following


def _values(tx: Tx, organization_id: int, plan: AccountPlan) -> dict[str, object]:
    zones: Mapping[str, int] = division_store.zones_of(tx, organization_id)
    zone = plan.zone or DEFAULT_NAME
    if zone not in zones:
        raise InvalidInputError(
            f"zone: the organization is in no zone {zone!r}, but in: {', '.join(sorted(zones)) or 'none'}; "
            "let an administrator put it there",
            where="zone",
        )
    for campaign_id in plan.preferred_campaigns:
        try:
            campaigns.campaign(tx, campaign_id, organization_id)
        except NotFoundError as error:
            message = f"preferred_campaigns: {error.message}"
            raise InvalidInputError(message, where="preferred_campaigns") from None
    return {
        "zone_id": zones[zone],
        "name": plan.name,
        "display_name": plan.display_name,
        "address": plan.address,
        "preferred_campaigns": list(plan.preferred_campaigns),
        "enabled": plan.enabled,
    }


def _record(tx: Tx, now: dt.datetime, caller: Caller, what: Agent, change: str) -> None:
    event = RecordChanged(
        organization_id=what.organization_id,
        actor=caller.name,
        record="agent",
        record_id=what.id,
        change=change,
        name=what.name,
    )
    log.append(tx, now, event)


def _record_skill(tx: Tx, now: dt.datetime, caller: Caller, what: Skill, change: str) -> None:
    event = RecordChanged(
        organization_id=what.organization_id,
        actor=caller.name,
        record="skill",
        record_id=what.id,
        change=change,
        name=what.name,
    )
    log.append(tx, now, event)
