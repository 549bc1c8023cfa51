"""Pages of jobs: all of them, and one with its tasks, outcomes, chart and attempts.

`app.py` includes `router`. Commands and limits are those of the board (`pages/board.py`).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, JSONResponse

from outrider.agents import job_figures
from outrider.campaigns.outcome import CLOSED, REACHED
from outrider.jobs import board as read_side
from outrider.jobs import results
from outrider.web.access import Edge, RowId, Viewer
from outrider.web.pages import render
from outrider.web.pages.board import chart_document
from outrider.web.pages.console import from_script, rules_of, show

router = APIRouter(include_in_schema=False)

PAGE = 25
ATTEMPTS_OF = 25
"""Contacts per page of attempts."""
LARGEST_ID = 2**63 - 1
Id = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]


@router.get("/jobs")
async def show_jobs(request: Request, edge: Edge, caller: Viewer, before: Id = None) -> HTMLResponse:
    """Show all jobs, newest first."""
    found = await edge.database.read(
        read_side.jobs,
        rules_of(edge),
        caller.organization_id,
        edge.clock.now(),
        ended=None,
        before=before,
        limit=PAGE,
    )
    return await show(request, edge, "jobs.html", found=found, before=before)


@router.get("/jobs/{job_id}")
async def show_job(
    request: Request,
    edge: Edge,
    caller: Viewer,
    job_id: RowId,
    contact: Annotated[str, Query(pattern=r"^\d{0,18}$")] = "",
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
) -> HTMLResponse:
    """Show one job; `contact` limits the attempts to those of one contact."""
    job = await edge.database.read(
        read_side.job, rules_of(edge), job_id, caller.organization_id, edge.clock.now()
    )
    shares: dict[str, Any] = {"job": job, "reached": REACHED, "closed": CLOSED}
    if from_script(request):
        return render(request, "job_live.html", **shares, path=f"/jobs/{job_id}")
    attempts = await edge.database.read(
        results.attempts,
        job_id,
        caller.organization_id,
        after=after,
        limit=ATTEMPTS_OF,
        contact_id=int(contact) if contact and int(contact) else None,
    )
    has_agents = await edge.database.read(job_figures.has_agents, job_id, caller.organization_id)
    return await show(
        request,
        edge,
        "job.html",
        **shares,
        attempts=attempts,
        contact=contact,
        after=after,
        has_agents=has_agents,
    )


@router.get("/jobs/{job_id}/chart")
async def chart(edge: Edge, caller: Viewer, job_id: RowId) -> JSONResponse:
    """Return what the tasks of a job had over its life, for the chart."""
    found = await edge.database.read(
        read_side.job_chart, job_id, caller.organization_id, None, edge.clock.now()
    )
    return JSONResponse(chart_document(found))
