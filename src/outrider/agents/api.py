"""REST for agents: accounts, skills, who is logged in, and the audit: /api/agents, /api/skills.

`app.py` includes `router`. Commands to live sessions go through the Agent Web API, which asks the floor.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query

from outrider.agents import live, service
from outrider.agents.live import LiveAgent
from outrider.agents.model import Agent
from outrider.agents.schemas import (
    LARGEST_ID,
    AgentChange,
    AgentCreated,
    AgentView,
    NewAgent,
    NewSkill,
    SessionPage,
    SessionView,
    SkillView,
    TransitionPage,
    TransitionView,
)
from outrider.db.database import Tx
from outrider.people.passwords import hash_later, new_password
from outrider.web.access import Edge, RowId, Supervisor, Viewer

router = APIRouter(prefix="/api", tags=["agents"])

Before = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/agents")
async def list_agents(edge: Edge, caller: Viewer) -> list[AgentView]:
    """List agents with skills and phones, by name."""
    found = await edge.database.read(service.agents, caller.organization_id)
    return [AgentView.model_validate(each) for each in found]


@router.post("/agents", status_code=201)
async def create_agent(body: NewAgent, edge: Edge, caller: Supervisor) -> AgentCreated:
    """Make an agent, and if it is wished a user who signs in as that agent, with a one-time password."""
    password = new_password() if body.user else None
    made = await edge.database.write(
        service.create,
        edge.clock.now(),
        caller,
        body.plan(),
        organization_id=body.organization_id,
        password_hash=None if password is None else await hash_later(password),
    )
    return AgentCreated(agent=AgentView.model_validate(made), one_time_password=password)


@router.get("/agents/live")
async def show_live_agents(edge: Edge, caller: Viewer) -> list[LiveAgent]:
    """Show everybody who is logged in: state and time in it, job, seat and the licence that covers it."""
    return await edge.database.read(live.live, caller.organization_id, edge.clock.now())


@router.get("/agents/{agent_id}")
async def show_agent(agent_id: RowId, edge: Edge, caller: Viewer) -> AgentView:
    """Show one agent."""
    found = await edge.database.read(service.agent, agent_id, caller.organization_id)
    return AgentView.model_validate(found)


@router.patch("/agents/{agent_id}")
async def change_agent(agent_id: RowId, body: AgentChange, edge: Edge, caller: Supervisor) -> AgentView:
    """Change an agent. New skills count at once; zone and phone of an open session stay until logout."""

    def work(tx: Tx) -> Agent:
        known = service.agent(tx, agent_id, caller.organization_id)
        given = body.model_dump(exclude_none=True)
        plan = replace(service.plan_of(tx, known), **given)
        return service.change(tx, edge.clock.now(), caller, agent_id, plan)

    return AgentView.model_validate(await edge.database.write(work))


@router.delete("/agents/{agent_id}", status_code=204)
async def remove_agent(agent_id: RowId, edge: Edge, caller: Supervisor) -> None:
    """Remove an agent with its history. Refused while it is logged in."""
    await edge.database.write(service.remove, edge.clock.now(), caller, agent_id)


@router.get("/agents/{agent_id}/sessions")
async def list_agent_sessions(
    agent_id: RowId, edge: Edge, caller: Viewer, before: Before = None, limit: Limit = 50
) -> SessionPage:
    """List the sessions of an agent, newest first."""
    rows, following = await edge.database.read(
        service.sessions, agent_id, caller.organization_id, before, limit
    )
    return SessionPage(items=[SessionView(**row) for row in rows], next=following)


@router.get("/agents/{agent_id}/transitions")
async def list_agent_transitions(
    agent_id: RowId, edge: Edge, caller: Viewer, before: Before = None, limit: Limit = 50
) -> TransitionPage:
    """List every change of an agent's state, newest first: the audit."""
    rows, following = await edge.database.read(
        service.transitions, agent_id, caller.organization_id, before, limit
    )
    return TransitionPage(items=[TransitionView(**row) for row in rows], next=following)


@router.get("/skills")
async def list_skills(edge: Edge, caller: Viewer) -> list[SkillView]:
    """List the skills that agents can have, by name."""
    found = await edge.database.read(service.skills, caller.organization_id)
    return [SkillView.model_validate(each) for each in found]


@router.post("/skills", status_code=201)
async def create_skill(body: NewSkill, edge: Edge, caller: Supervisor) -> SkillView:
    """Make a skill."""
    made = await edge.database.write(
        service.add_skill, edge.clock.now(), caller, body.name, organization_id=body.organization_id
    )
    return SkillView.model_validate(made)


@router.delete("/skills/{skill_id}", status_code=204)
async def remove_skill(skill_id: RowId, edge: Edge, caller: Supervisor) -> None:
    """Remove a skill: no agent has it then."""
    await edge.database.write(service.remove_skill, edge.clock.now(), caller, skill_id)
