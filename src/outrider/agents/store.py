"""SQL of agents: accounts, skills, changes of state. Sessions and their seats have `sessions_store.py`.

Only `agents/service.py` uses it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from outrider.agents.model import Agent, AgentId, Skill
from outrider.db import schema
from outrider.db.database import Row, Tx
from outrider.db.dialect import insert as upsert
from outrider.ids import OrganizationId, ZoneId

A, K, P, H = (schema.agents.c, schema.skills.c, schema.agent_skills.c, schema.agent_transitions.c)


def add_agent(tx: Tx, values: Mapping[str, Any]) -> AgentId:
    """Insert an account and return its id."""
    return AgentId(tx.execute(insert(schema.agents).values(**values).returning(A.id)).scalar_one())


def set_agent(tx: Tx, agent_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of an account."""
    tx.execute(update(schema.agents).where(A.id == agent_id).values(**values))


def delete_agent(tx: Tx, agent_id: int) -> None:
    """Delete an account with its sessions."""
    tx.execute(delete(schema.agents).where(A.id == agent_id))


def agents(
    tx: Tx,
    organization_id: int | None,
    *,
    agent_id: int | None = None,
    user_id: int | None = None,
    name: str | None = None,
) -> list[Agent]:
    """Return accounts with their skills, by name; of one organization, or of all."""
    query = select(schema.agents).order_by(A.name, A.id)
    wanted = ((A.organization_id, organization_id), (A.id, agent_id), (A.user_id, user_id), (A.name, name))
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    rows = list(tx.execute(query))
    skills = skills_by_agent(tx, [row.id for row in rows])
    return [
        Agent(
            id=AgentId(row.id),
            organization_id=OrganizationId(row.organization_id),
            zone_id=ZoneId(row.zone_id),
            name=row.name,
            display_name=row.display_name,
            address=row.address,
            skills=skills.get(row.id, {}),
            preferred_campaigns=tuple(row.preferred_campaigns),
            user_id=row.user_id,
            enabled=row.enabled,
            created_at=row.created_at,
        )
        for row in rows
    ]


def skills_by_agent(tx: Tx, agent_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return the skills of agents with their proficiency, by agent."""
    query = (
        select(P.agent_id, K.name, P.proficiency)
        .join(schema.skills, K.id == P.skill_id)
        .where(P.agent_id.in_(agent_ids))
        .order_by(K.name)
    )
    found: dict[int, dict[str, int]] = {}
    for agent_id, name, proficiency in tx.execute(query):
        found.setdefault(agent_id, {})[name] = proficiency
    return found


def set_skills(tx: Tx, organization_id: int, agent_id: int, skills: Mapping[str, int]) -> None:
    """Let an agent have exactly these skills; those the organization does not know yet are made."""
    tx.execute(delete(schema.agent_skills).where(P.agent_id == agent_id))
    for name in sorted(skills):
        row = upsert(tx, schema.skills).values(organization_id=organization_id, name=name)
        tx.execute(row.on_conflict_do_nothing(index_elements=["organization_id", "name"]))
    ids = {each.name: each.id for each in skills_of(tx, organization_id)}
    if skills:
        rows = [
            {"agent_id": agent_id, "skill_id": ids[name], "proficiency": proficiency}
            for name, proficiency in skills.items()
        ]
        tx.execute(insert(schema.agent_skills), rows)


def skills_of(tx: Tx, organization_id: int | None, skill_id: int | None = None) -> list[Skill]:
    """Return the skills of an organization, or of all, by name."""
    query = select(schema.skills).order_by(K.name, K.id)
    if organization_id is not None:
        query = query.where(K.organization_id == organization_id)
    if skill_id is not None:
        query = query.where(K.id == skill_id)
    return [Skill(row.id, OrganizationId(row.organization_id), row.name) for row in tx.execute(query)]


def add_skill(tx: Tx, organization_id: int, name: str) -> int:
    """Insert a skill and return its id."""
    statement = insert(schema.skills).values(organization_id=organization_id, name=name).returning(K.id)
    return int(tx.execute(statement).scalar_one())


def delete_skill(tx: Tx, skill_id: int) -> None:
    """Delete a skill; agents have it no more."""
    tx.execute(delete(schema.skills).where(K.id == skill_id))


def transitions(tx: Tx, agent_id: int, before: int | None, limit: int) -> list[Row]:
    """Return the changes of state of an agent, newest first, older than number `before`."""
    query = select(schema.agent_transitions).where(H.agent_id == agent_id).order_by(H.id.desc()).limit(limit)
    if before is not None:
        query = query.where(H.id < before)
    return list(tx.execute(query).mappings())
