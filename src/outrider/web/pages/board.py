"""The live board: jobs and their tasks, pools, a chart; commands and limits in place; its event stream.

`app.py` includes `router`. The stream tells changed parts of the page as HTML, at most about twice a second.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse

from outrider.db.database import Tx
from outrider.errors import ConflictError, LicenceShortageError
from outrider.jobs import board as read_side
from outrider.jobs import service as jobs
from outrider.jobs.model import Job, JobCommand
from outrider.jobs.service import Limits
from outrider.jobs.views import Chart
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.people.model import Caller, Credential, Role
from outrider.web.access import AnyUser, Edge, EdgeServices, RowId, SignedIn, Supervisor, Viewer, authenticate
from outrider.web.coalescing import Coalescer
from outrider.web.pages import own_address, redirect
from outrider.web.pages.board_feed import Feed, Viewing, parts, read_snapshot
from outrider.web.pages.console import done, from_script, optional_number, rules_of, show
from outrider.web.sse import Message, event_stream

router = APIRouter(include_in_schema=False)

LONGEST_SNOOZE = 7 * 24 * 60
"""Minutes."""

PAST = {
    JobCommand.START: "is started",
    JobCommand.PAUSE: "is paused",
    JobCommand.RESUME: "goes on",
    JobCommand.STOP: "is stopped",
    JobCommand.SNOOZE: "is snoozed",
    JobCommand.FINISH: "is finished",
}


@router.get("/")
async def show_board(request: Request, edge: Edge, caller: AnyUser) -> Response:
    """Show the board; from then on its stream keeps it up to date. Agents are led to their desktop."""
    if caller.role is Role.AGENT:
        return redirect("/desktop")
    return await _page(request, edge, caller)


async def _page(
    request: Request, edge: EdgeServices, caller: Caller, *, status: int = 200, error: str = ""
) -> HTMLResponse:
    snapshot = await edge.database.read(
        read_snapshot, rules_of(edge), caller.organization_id, edge.clock.now()
    )
    found = parts(snapshot, caller, _csrf(request))
    return await show(
        request,
        edge,
        "board.html",
        status=status,
        snapshot=snapshot,
        pools=[html for name, html in found.items() if name.startswith("pool-")],
        jobs=[html for name, html in found.items() if name.startswith("job-")],
        start=found["board-start"],
        error=error,
        path="/",
    )


def _csrf(request: Request) -> str:
    credential = getattr(request.state, "credential", None)
    return credential.csrf_token if isinstance(credential, Credential) else ""


@router.get("/board/stream", response_class=StreamingResponse)
async def stream(request: Request, edge: Edge, caller: Viewer, credential: SignedIn) -> StreamingResponse:
    """Follow the board: events `board` with the parts of the page that changed."""
    feeds: dict[int | None, Feed] = request.app.state.__dict__.setdefault("board_feeds", {})
    feed = feeds.setdefault(caller.organization_id, Feed(caller.organization_id))
    viewing = Viewing(caller, credential.csrf_token)

    async def source(last: int) -> tuple[Sequence[Message], int]:
        snapshot = await feed.look(edge, rules_of(edge))
        message = viewing.news(snapshot, last + 1)
        return ([message], last + 1) if message is not None else ([], last)

    async def permission() -> None:
        request.state.credential = None
        await authenticate(request, edge)

    return event_stream(request, edge, source, start=0, permission=permission)


@router.get("/board/chart")
async def chart(
    edge: Edge, caller: Viewer, minutes: Annotated[int, Query(ge=1, le=2 * 24 * 60)] = 15
) -> JSONResponse:
    """Return what each job had of the outbound ports over the last minutes, for the chart."""
    now = edge.clock.now()
    found = await edge.database.read(
        read_side.board_chart,
        caller.organization_id,
        LicenceKind.OUTBOUND_PORTS,
        now - dt.timedelta(minutes=minutes),
        now,
    )
    return JSONResponse(chart_document(found))


def chart_document(found: Chart) -> dict[str, Any]:
    """Return a chart as the scripts of pages read it; times are seconds since 1970."""
    return {
        "times": found.at,
        "series": [
            {
                "job": each.job_id,
                "task": each.task_id,
                "name": each.name,
                "quota": each.quota,
                "granted": each.granted,
                "in_use": each.in_use,
            }
            for each in found.series
        ],
    }


Typed = Annotated[str, Form(max_length=20)]


@router.post("/tasks/{task_id}/limits")
async def handle_limits(
    request: Request,
    edge: Edge,
    caller: Supervisor,
    task_id: RowId,
    *,
    priority: Typed = "",
    minimum: Typed = "",
    maximum: Typed = "",
) -> Response:
    """Change priority, minimum or maximum of a task, live."""
    limits = Limits(
        optional_number(priority, "priority"),
        optional_number(minimum, "minimum"),
        optional_number(maximum, "maximum"),
    )
    changed = await edge.part(Coalescer).write(
        jobs.change_limits,
        rules_of(edge),
        task_id,
        caller.organization_id,
        limits,
        edge.clock.now(),
        caller.name,
    )
    return done(request, "/", f"The limits of {changed.campaign_name} are changed.")


@router.post("/jobs/{job_id}/commands/{command}")
async def handle_command(
    request: Request,
    edge: Edge,
    caller: Supervisor,
    job_id: RowId,
    command: JobCommand,
    *,
    minutes: Typed = "",
    to: Annotated[str, Form(max_length=200)] = "/",
) -> Response:
    """Start, pause, resume, stop, snooze (for some minutes, or until resumed) or finish a job."""
    now = edge.clock.now()
    length = optional_number(minutes, "minutes")
    until = None
    if command is JobCommand.SNOOZE and length is not None:
        until = now + dt.timedelta(minutes=min(max(1, length), LONGEST_SNOOZE))
    try:
        job = await edge.part(Coalescer).write(
            jobs.command,
            rules_of(edge),
            job_id,
            caller.organization_id,
            command,
            now,
            caller.name,
            until=until,
        )
    except (ConflictError, LicenceShortageError) as error:
        if from_script(request):
            raise
        return await _page(request, edge, caller, status=409, error=error.message)
    return done(request, own_address(to), f"{job.campaign_name} {PAST[command]}.")


@router.post("/campaigns/{campaign_id}/start")
async def handle_start(
    request: Request,
    edge: Edge,
    caller: Supervisor,
    campaign_id: RowId,
    to: Annotated[str, Form(max_length=200)] = "/",
) -> Response:
    """Make a job of a campaign and start it."""
    try:
        job = await edge.part(Coalescer).write(
            start_campaign, rules_of(edge), campaign_id, caller, edge.clock.now()
        )
    except (ConflictError, LicenceShortageError) as error:
        if from_script(request):
            raise
        return await _page(request, edge, caller, status=409, error=error.message)
    if from_script(request):
        return Response(status_code=204)
    return redirect(own_address(to), f"{job.campaign_name} is started.")


def start_campaign(tx: Tx, rules: SharingRules, campaign_id: int, caller: Caller, now: dt.datetime) -> Job:
    """Make a job of a campaign and start it, in one transaction: both or nothing."""
    made = jobs.create(tx, campaign_id, caller.organization_id, now, caller.name)
    return jobs.command(tx, rules, made.id, caller.organization_id, JobCommand.START, now, caller.name)
