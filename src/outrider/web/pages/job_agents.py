"""Pages of a job: how its agents do, live, with a chart; why nobody is being called, or one contact is not.

`app.py` includes `router`.
"""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, JSONResponse

from outrider.agents import job_figures, pacing_view
from outrider.agents.job_figures import JobFigures
from outrider.agents.pacing_view import Pacing
from outrider.agents.supervising_api import decisions_of
from outrider.dialing.contact_why import ContactWhy, contact_why
from outrider.errors import NotFoundError
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.web.access import Caller, Edge, EdgeServices, RowId, Viewer
from outrider.web.pages import render, templates
from outrider.web.pages.console import from_script, rules_of, show

router = APIRouter(include_in_schema=False)

CHART_MINUTES = 60
MOST_TASKS = 50
"""Tasks of one job that are explained at once."""

NOTHING = "\N{EN DASH}"

BOUND_LABELS = {
    "agents": "Waiting for agents",
    "budget": "Abandonment budget",
    "ports": "Ports",
    "rate": "Originations per second",
    "window": "Calling hours",
    "contacts": "No contacts",
    "seats": "Nobody attached",
    "licence": "Licences",
    "later": "Contacts are due later",
    "pace": "Pace",
    "servers": "Media servers",
    "channel": "Carrier",
    "": "Nothing",
}


def share(value: float | None) -> str:
    """Return a share of 0 to 1 in percent; a dash for None. A template filter."""
    return NOTHING if value is None else f"{value:.1%}"


def bound_label(bound: str) -> str:
    """Return in words what binds a task. A template filter."""
    return BOUND_LABELS.get(bound, bound.capitalize())


templates.filters["share"] = share
templates.filters["bound_label"] = bound_label


@router.get("/jobs/{job_id}/agents")
async def show_job_agents(request: Request, edge: Edge, caller: Viewer, job_id: RowId) -> HTMLResponse:
    """Show how the agents of a job do; a script asks for the numbers again every few seconds."""
    figures, tasks = await _read(edge, caller, job_id)
    if from_script(request):
        return render(request, "job_agents_live.html", figures=figures, tasks=tasks)
    return await show(request, edge, "job_agents.html", figures=figures, tasks=tasks)


@router.get("/jobs/{job_id}/agents/chart")
async def show_chart(edge: Edge, caller: Viewer, job_id: RowId) -> JSONResponse:
    """Return what the agents of a job did over the last hour, for the chart."""
    begin = edge.clock.now() - dt.timedelta(minutes=CHART_MINUTES)
    found = await edge.database.read(job_figures.chart, job_id, caller.organization_id, begin)
    return JSONResponse(
        {
            "times": found.at,
            "busy": found.busy,
            "ready": found.ready,
            "lines": found.lines,
            "waiting": found.waiting,
            "abandoned": found.abandoned_today,
        }
    )


@router.get("/jobs/{job_id}/why")
async def show_why(
    request: Request,
    edge: Edge,
    caller: Viewer,
    job_id: RowId,
    contact: Annotated[str, Query(pattern=r"^\d{0,18}$")] = "",
) -> HTMLResponse:
    """Say why nobody (more) is being called for each task of a job; with `contact`, why that one is not."""
    job = await edge.database.read(jobs.job, job_id, caller.organization_id)
    tasks = await pacings(edge, caller, job_id)
    found: ContactWhy | None = None
    error = ""
    if contact:
        try:
            found = await edge.database.read(
                contact_why, job_id, int(contact), caller.organization_id, edge.clock.now()
            )
        except NotFoundError as refused:
            error = refused.message
    return await show(
        request,
        edge,
        "job_why.html",
        status=404 if error else 200,
        job=job,
        tasks=tasks,
        contact=contact,
        found=found,
        error=error,
        path=f"/jobs/{job_id}/why",
    )


async def pacings(edge: EdgeServices, caller: Caller, job_id: int) -> list[Pacing]:
    """Return why each task of a job calls nobody (more). The job was seen to be the caller's."""
    found = await edge.database.read(job_store.tasks, caller.organization_id, job_ids=[job_id])
    return [await pacing_of(edge, caller, task.id) for task in found[:MOST_TASKS]]


async def pacing_of(edge: EdgeServices, caller: Caller, task_id: int) -> Pacing:
    """Return why a task calls nobody (more). NotFoundError."""
    return await edge.database.read(
        pacing_view.pacing,
        rules_of(edge),
        task_id,
        caller.organization_id,
        edge.clock.now(),
        decisions_of(edge, task_id),
    )


async def _read(edge: EdgeServices, caller: Caller, job_id: int) -> tuple[JobFigures, list[Pacing]]:
    figures = await edge.database.read(
        job_figures.figures,
        job_id,
        caller.organization_id,
        edge.clock.now(),
        job_figures.fresh_for(edge.clock),
    )
    tasks = await pacings(edge, caller, job_id)
    return figures, [each for each in tasks if each.mode is not None]
