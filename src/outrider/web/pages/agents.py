"""/agents: who is logged in, live, with seats and what supervisors may do; accounts and skills below it.

`app.py` includes `router`. Accounts are changed in `pages/agent_accounts.py`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from starlette.responses import HTMLResponse, StreamingResponse

from outrider.agents import live, service
from outrider.agents.desk_callers_api import floor_of
from outrider.agents.desk_doing import do_once
from outrider.agents.desk_messages import FOR_SUPERVISORS, command_of, read_body
from outrider.agents.live import LiveAgent
from outrider.agents.model import AgentId
from outrider.clock import stopwatch
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotFoundError
from outrider.jobs import board
from outrider.jobs import store as job_store
from outrider.jobs.views import PoolView
from outrider.licences import division_store
from outrider.licences.model import NESTED_KINDS, Standing
from outrider.web.access import Edge, EdgeServices, RowId, SignedIn, Supervisor, authenticate
from outrider.web.pages import templates
from outrider.web.pages.console import FormNumber, done, optional_number, organization_names, show
from outrider.web.sse import Message, event_stream

router = APIRouter(include_in_schema=False)

SPACING = 0.5
"""Real seconds between two looks at the database for one open page, at least."""

STATE_TONES: Mapping[str, str] = {
    "not_ready": "neutral",
    "ready": "good",
    "preview": "info",
    "dialing": "info",
    "talking": "accent",
    "hold": "warn",
    "wrap_up": "warn",
}
NAIL_UP_TONES: Mapping[str, str] = {"none": "neutral", "dialing": "info", "up": "good", "lost": "bad"}
NAIL_UPS: Mapping[str, str] = {"none": "Not called", "dialing": "Calling", "up": "Connected", "lost": "Lost"}
PAST: Mapping[str, str] = {
    "move": "is being moved",
    "detach": "leaves the job",
    "log_out": "is being logged out",
    "ready": "is ready",
    "not_ready": "takes no more contacts",
}

templates.globals["agent_tones"] = STATE_TONES
templates.globals["nail_up_tones"] = NAIL_UP_TONES
templates.globals["nail_up_words"] = NAIL_UPS


@dataclass(frozen=True, slots=True)
class Destination:
    """A task that an agent of the pool may be moved to."""

    task_id: int
    pool_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Floor:
    """What the live part of the page shows. `skills` are of those who are logged in, by agent."""

    agents: tuple[LiveAgent, ...]
    pools: tuple[PoolView, ...]
    destinations: tuple[Destination, ...]
    skills: Mapping[int, str]

    def name_of(self, task_id: int | None) -> str:
        """Return the name of a task that agents may be moved to."""
        return next((each.name for each in self.destinations if each.task_id == task_id), f"task {task_id}")

    def without_time(self) -> "Floor":
        """Return it without what changes by itself: the page counts seconds on."""
        return replace(self, agents=tuple(replace(each, seconds=0.0) for each in self.agents))


def read_floor(tx: Tx, organization_id: int | None, now: dt.datetime) -> Floor:
    """Return what a supervisor of that organization (None: of the whole system) sees now."""
    found = live.live(tx, organization_id, now)
    pools = tuple(each for each in board.pools(tx, organization_id) if each.seats)
    tasks = [
        task
        for task in job_store.tasks(tx, organization_id)
        if task.kind in NESTED_KINDS and task.standing == Standing.ADMITTED.value
    ]
    several = len({task.zone_name for task in tasks}) > 1
    there = {each.agent_id for each in found}
    return Floor(
        agents=tuple(found),
        pools=pools,
        destinations=tuple(
            Destination(
                task.id,
                task.pool_id,
                f"{task.campaign_name} / {task.action}{f' in {task.zone_name}' if several else ''}",
            )
            for task in tasks
        ),
        skills={
            each.id: skills_text(each.skills)
            for each in service.agents(tx, organization_id)
            if each.id in there
        },
    )


def skills_text(skills: Mapping[str, int]) -> str:
    """Return skills as they are typed and shown: dutch=7; loans=3."""
    return "; ".join(f"{name}={level}" for name, level in sorted(skills.items()))


def duration(seconds: float) -> str:
    """Return how long something lasts, as 1:05 or 2:03:04. A template filter."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


templates.filters["skills_text"] = skills_text
templates.filters["duration"] = duration


@router.get("/agents")
async def show_agents(request: Request, edge: Edge, caller: Supervisor) -> HTMLResponse:
    """Show who is logged in, and all accounts and skills; the page's stream keeps the first up to date."""
    return await agents_page(request, edge, caller)


async def agents_page(
    request: Request, edge: EdgeServices, caller: Supervisor, *, status: int = 200, error: str = ""
) -> HTMLResponse:
    """Return the page; `error` is told on top of it."""

    def read(tx: Tx) -> dict[str, Any]:
        return {
            "floor": read_floor(tx, caller.organization_id, edge.clock.now()),
            "accounts": service.agents(tx, caller.organization_id),
            "skills": service.skills(tx, caller.organization_id),
            "zones": {
                number: name for name, number in division_store.zones_of(tx, caller.organization_id).items()
            },
            "organizations": organization_names(tx, caller),
        }

    found = await edge.database.read(read)
    there = {each.agent_id for each in found["floor"].agents}
    return await show(
        request,
        edge,
        "agents.html",
        status=status,
        **found,
        there=there,
        error=error,
        path="/agents",
        **_times(edge),
    )


def _times(edge: EdgeServices) -> dict[str, float]:
    return {"now": edge.clock.now().timestamp(), "speed": float(getattr(edge.clock, "speed", 1.0))}


@router.get("/agents/stream", response_class=StreamingResponse)
async def stream(request: Request, edge: Edge, caller: Supervisor, credential: SignedIn) -> StreamingResponse:
    """Follow the agents: events `agents` with the live part as HTML whenever it changed."""
    seen: Floor | None = None
    looked = -SPACING

    async def source(last: int) -> tuple[Sequence[Message], int]:
        nonlocal seen, looked
        if stopwatch() - looked < SPACING:
            return [], last
        looked = stopwatch()
        floor = await edge.database.read(read_floor, caller.organization_id, edge.clock.now())
        still = floor.without_time()
        if still == seen:
            return [], last
        seen = still
        html = templates.get_template("agents_live.html").render(
            floor=floor, csrf_token=credential.csrf_token, **_times(edge)
        )
        return [Message(last + 1, "agents", html)], last + 1

    async def permission() -> None:
        request.state.credential = None
        (await authenticate(request, edge)).caller.require(caller.role)

    return event_stream(request, edge, source, start=0, permission=permission)


async def typed(request: Request) -> dict[str, object]:
    """Return what a command's form says, as the Agent Web API would be told."""
    form = await request.form()
    fields: dict[str, object] = {}
    for name in ("reason", "task_id", "force"):
        value = form.get(name)
        if isinstance(value, str) and value.strip():
            plain = value.strip()[:200].replace("\0", "")
            fields[name] = int(plain) if name == "task_id" and plain.isdecimal() else plain
    return fields


@router.post("/agents/{agent_id}/commands/{name}")
async def handle_command(
    request: Request,
    edge: Edge,
    caller: Supervisor,
    agent_id: RowId,
    name: str,
    fields: Annotated[dict[str, object], Depends(typed)],
) -> Response:
    """Move an agent, let it leave its job, log it out, or let it be ready or not."""
    if name not in FOR_SUPERVISORS:
        raise InvalidInputError(f"command: use one of {', '.join(FOR_SUPERVISORS)}", where="command")
    floor = floor_of(edge)
    session = floor.desk.session_of(AgentId(agent_id))
    if session is None or not caller.sees(session.organization_id):
        raise NotFoundError(f"agent {agent_id} is not logged in")
    command = command_of(name, read_body(name, fields))
    await do_once(floor, edge.database, edge.clock, session, name, command, "")
    return done(request, "/agents", f"{session.name} {PAST[name]}.")


@router.post("/skills/new")
async def handle_new_skill(
    request: Request,
    edge: Edge,
    caller: Supervisor,
    *,
    name: Annotated[str, Form(max_length=200)] = "",
    organization_id: FormNumber = "",
) -> Response:
    """Make a skill, or say why not."""
    try:
        made = await edge.database.write(
            service.add_skill,
            edge.clock.now(),
            caller,
            name,
            organization_id=optional_number(organization_id, "organization_id"),
        )
    except (InvalidInputError, ConflictError) as error:
        return await agents_page(request, edge, caller, status=422, error=error.message)
    return done(request, "/agents#skills", f"{made.name} is added.")


@router.post("/skills/{skill_id}/remove")
async def handle_remove_skill(request: Request, edge: Edge, caller: Supervisor, skill_id: RowId) -> Response:
    """Remove a skill: no agent has it then."""
    await edge.database.write(service.remove_skill, edge.clock.now(), caller, skill_id)
    return done(request, "/agents#skills", "The skill is removed.")
