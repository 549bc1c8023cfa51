"""REST of supervising: why nobody is being called, for a task and for a contact, and how a job's agents do.

`app.py` includes `router`. Decisions of pacing are told where this process has the floor.
"""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query

from outrider.agents import job_figures, pacing_view
from outrider.agents.desk import AgentDesk
from outrider.agents.job_figures import JobChart, JobFigures
from outrider.agents.pacing_view import Decisions, Pacing
from outrider.dialing.contact_why import ContactWhy, contact_why
from outrider.ids import TaskId
from outrider.licences.service import SharingRules
from outrider.web.access import Edge, EdgeServices, RowId, Viewer

router = APIRouter(prefix="/api", tags=["jobs"])

Minutes = Annotated[int, Query(ge=1, le=2 * 24 * 60)]


def decisions_of(edge: EdgeServices, task_id: int) -> Decisions:
    """Return what pacing last decided for a task; nothing where this process has no floor."""
    found = edge.parts.get(AgentDesk)
    return found.desk.decisions(TaskId(task_id)) if isinstance(found, AgentDesk) else ()


@router.get("/tasks/{task_id}/pacing")
async def show_pacing(task_id: RowId, edge: Edge, caller: Viewer) -> Pacing:
    """Say why nobody (more) is being called for a task, with every number that led there."""
    return await edge.database.read(
        pacing_view.pacing,
        edge.part(SharingRules),
        task_id,
        caller.organization_id,
        edge.clock.now(),
        decisions_of(edge, task_id),
    )


@router.get("/jobs/{job_id}/contacts/{contact_id}/why")
async def show_contact_why(job_id: RowId, contact_id: RowId, edge: Edge, caller: Viewer) -> ContactWhy:
    """Say why a contact of a job is not being called now, and until when; its task says the rest."""
    return await edge.database.read(contact_why, job_id, contact_id, caller.organization_id, edge.clock.now())


@router.get("/jobs/{job_id}/agents")
async def show_job_agents(job_id: RowId, edge: Edge, caller: Viewer) -> JobFigures:
    """Show how the agents of a job do: busy share, lines, abandonment. 404 for a job without agents."""
    return await edge.database.read(
        job_figures.figures,
        job_id,
        caller.organization_id,
        edge.clock.now(),
        job_figures.fresh_for(edge.clock),
    )


@router.get("/jobs/{job_id}/agents/samples")
async def show_job_agent_samples(
    job_id: RowId, edge: Edge, caller: Viewer, minutes: Minutes = 60
) -> JobChart:
    """Give what the agents of a job did over the last minutes, for a chart."""
    begin = edge.clock.now() - dt.timedelta(minutes=minutes)
    return await edge.database.read(job_figures.chart, job_id, caller.organization_id, begin)
