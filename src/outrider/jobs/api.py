"""REST for jobs, their tasks, the live board and what-if: /api/jobs, /api/tasks, /api/board.

`app.py` includes `router`. Parse, authorise, one call in one transaction.
"""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from outrider.db.database import Tx
from outrider.errors import InvalidInputError
from outrider.jobs import board, planning, results, service
from outrider.jobs.model import JobCommand
from outrider.jobs.schemas import LARGEST_ID, CommandBody, NewJob, TaskChange, UtcTime, WhatIfBody
from outrider.jobs.service import Limits
from outrider.jobs.views import AttemptPage, Board, Chart, JobPage, JobView, OutcomeCount, PoolView, TaskView
from outrider.licences import explaining
from outrider.licences.explained import Explained, Supposition
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.web.access import Caller, Edge, EdgeServices, RowId, Supervisor, Viewer
from outrider.web.coalescing import Coalescer

router = APIRouter(prefix="/api", tags=["jobs"])

Since = Annotated[UtcTime | None, Query(description="ISO 8601 with offset.")]
CHART_OF_BOARD = dt.timedelta(hours=1)


@router.get("/board")
async def show_board(edge: Edge, caller: Viewer) -> Board:
    """Show what the live board shows: supply, pools, and jobs that live or ended within the last hour."""
    return await edge.database.read(
        board.board, edge.part(SharingRules), caller.organization_id, edge.clock.now()
    )


@router.get("/board/samples")
async def show_board_samples(
    edge: Edge, caller: Viewer, kind: LicenceKind = LicenceKind.OUTBOUND_PORTS, since: Since = None
) -> Chart:
    """Give licences of one type per job over time, for a stacked chart; by default of the last hour."""
    now = edge.clock.now()
    begin = since or now - CHART_OF_BOARD
    return await edge.database.read(board.board_chart, caller.organization_id, kind, begin, now)


@router.get("/jobs")
async def list_jobs(
    edge: Edge,
    caller: Viewer,
    ended: bool | None = None,  # noqa: FBT001 - a query parameter, always given by name
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JobPage:
    """List jobs with their tasks and outcomes, newest first: all, those that have ended, or the others."""
    return await edge.database.read(
        board.jobs,
        edge.part(SharingRules),
        caller.organization_id,
        edge.clock.now(),
        ended=ended,
        before=before,
        limit=limit,
    )


@router.post("/campaigns/{campaign_id}/jobs", status_code=201)
async def create_job(
    campaign_id: RowId, edge: Edge, caller: Supervisor, body: NewJob | None = None
) -> JobView:
    """Create a job of a campaign and start it, unless `start` is false. 409 while another has not ended."""
    start = (body or NewJob()).start
    job_id = await edge.part(Coalescer).write(_create, edge, campaign_id, caller, start=start)
    return await _view(edge, job_id, caller)


@router.get("/jobs/{job_id}")
async def show_job(job_id: RowId, edge: Edge, caller: Viewer) -> JobView:
    """Show one job with its tasks, quotas, outcomes and what can be asked of it now."""
    return await _view(edge, job_id, caller)


@router.post("/jobs/{job_id}/{command}")
async def command_job(
    job_id: RowId, command: JobCommand, edge: Edge, caller: Supervisor, body: CommandBody | None = None
) -> JobView:
    """Start, pause, resume, stop, snooze or finish a job. 409 when its state does not allow it.

    A stopped, paused or snoozed job starts nothing more; its calls end by themselves.
    """
    until = None if body is None else body.end(edge.clock.now())
    if until is not None and command is not JobCommand.SNOOZE:
        raise InvalidInputError(f"until and seconds are for snooze only, not for {command}", where="until")
    if until is not None and until <= edge.clock.now():
        raise InvalidInputError("until: this time has passed already; give a later one", where="until")
    await edge.part(Coalescer).write(
        service.command,
        edge.part(SharingRules),
        job_id,
        caller.organization_id,
        command,
        edge.clock.now(),
        caller.name,
        until=until,
    )
    return await _view(edge, job_id, caller)


@router.get("/jobs/{job_id}/outcomes")
async def show_outcomes(job_id: RowId, edge: Edge, caller: Viewer) -> dict[str, OutcomeCount]:
    """Count attempts and final outcomes of a job, by outcome."""
    return dict((await _view(edge, job_id, caller)).outcomes)


@router.get("/jobs/{job_id}/attempts")
async def list_attempts(
    job_id: RowId,
    edge: Edge,
    caller: Viewer,
    contact: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Of this contact only.")] = None,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
    limit: Annotated[int, Query(ge=1, le=500, description="Contacts per page.")] = 100,
) -> AttemptPage:
    """List the attempts of a job, contact by contact, or of one contact."""
    return await edge.database.read(
        results.attempts, job_id, caller.organization_id, after=after, limit=limit, contact_id=contact
    )


@router.get("/jobs/{job_id}/samples")
async def show_samples(job_id: RowId, edge: Edge, caller: Viewer, since: Since = None) -> Chart:
    """Give quota, grant and use of each task of a job over time, from its start on, at most 600 points."""
    return await edge.database.read(board.job_chart, job_id, caller.organization_id, since, edge.clock.now())


@router.get(
    "/jobs/{job_id}/results.csv",
    response_class=StreamingResponse,
    responses={200: {"description": "One line per attempt.", "content": {"text/csv": {}}}},
)
async def export_results(job_id: RowId, edge: Edge, caller: Viewer) -> StreamingResponse:
    """Export every attempt of a job as CSV, contact by contact."""
    first = await edge.database.read(results.attempts, job_id, caller.organization_id)
    return StreamingResponse(
        _csv(edge, job_id, caller, first),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="job-{job_id}-results.csv"'},
    )


@router.get("/tasks/{task_id}")
async def show_task(task_id: RowId, edge: Edge, caller: Viewer) -> TaskView:
    """Show one task with its licences."""
    return await edge.database.read(_task, edge, task_id, caller)


@router.patch("/tasks/{task_id}")
async def change_task(task_id: RowId, body: TaskChange, edge: Edge, caller: Supervisor) -> TaskView:
    """Change priority, minimum or maximum of a task while it runs; the answer has the new quota."""
    limits = Limits(body.priority, body.minimum, body.maximum)
    await edge.part(Coalescer).write(
        service.change_limits,
        edge.part(SharingRules),
        task_id,
        caller.organization_id,
        limits,
        edge.clock.now(),
        caller.name,
    )
    return await edge.database.read(_task, edge, task_id, caller)


@router.get("/tasks/{task_id}/why")
async def explain_task(task_id: RowId, edge: Edge, caller: Viewer) -> Explained:
    """Explain why a task has what it has: a sentence, the facts, and the recalculation that set it."""
    return await edge.database.read(
        explaining.why_task, edge.part(SharingRules), task_id, caller.organization_id, edge.clock.now()
    )


@router.get("/pools")
async def list_pools(edge: Edge, caller: Viewer) -> list[PoolView]:
    """List the pools of one's organization: counts in force, granted, in use and free."""
    return list(await edge.database.read(board.pools, caller.organization_id))


@router.post("/pools/{pool_id}/what-if")
async def what_if(pool_id: RowId, body: WhatIfBody, edge: Edge, caller: Viewer) -> Supposition:
    """Tell what the quotas of a pool would be after some changes. Changes nothing."""
    return await edge.database.read(
        planning.what_if,
        edge.part(SharingRules),
        pool_id,
        caller.organization_id,
        body.changes,
        edge.clock.now(),
    )


async def _view(edge: EdgeServices, job_id: int, caller: Caller) -> JobView:
    return await edge.database.read(
        board.job, edge.part(SharingRules), job_id, caller.organization_id, edge.clock.now()
    )


def _create(tx: Tx, edge: EdgeServices, campaign_id: int, caller: Caller, *, start: bool) -> int:
    now, rules = edge.clock.now(), edge.part(SharingRules)
    job = service.create(tx, campaign_id, caller.organization_id, now, caller.name)
    if start:
        service.command(tx, rules, job.id, caller.organization_id, JobCommand.START, now, caller.name)
    return job.id


def _task(tx: Tx, edge: EdgeServices, task_id: int, caller: Caller) -> TaskView:
    found = service.task(tx, task_id, caller.organization_id)
    return board.task(tx, edge.part(SharingRules), found.id, edge.clock.now())


async def _csv(edge: EdgeServices, job_id: int, caller: Caller, page: AttemptPage) -> AsyncIterator[str]:
    yield results.csv_header()
    while True:
        yield results.csv_lines(page.items)
        if page.next is None:
            return
        page = await edge.database.read(results.attempts, job_id, caller.organization_id, after=page.next)
