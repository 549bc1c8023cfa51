"""Why a task has the quota it has: the sentence, the facts, the recalculation that set it, and what-if.

`app.py` includes `router`.
What-if changes nothing, so it is a query: its address can be kept (licensing.md 8).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import HTMLResponse

from outrider.campaigns import service as campaigns
from outrider.db.database import Tx
from outrider.errors import InvalidInputError, OutriderError
from outrider.jobs import planning
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.model import ENDED, Job, Task
from outrider.jobs.schemas import Supposed
from outrider.licences import explaining
from outrider.licences.division_store import PoolRow
from outrider.licences.explained import Explained, Recalculation, Supposition
from outrider.licences.history import visible_pool
from outrider.licences.model import UNSHARED_KINDS, Standing
from outrider.licences.service import SharingRules
from outrider.people.model import Caller
from outrider.web.access import Edge, EdgeServices, RowId, Viewer
from outrider.web.pages import render, templates
from outrider.web.pages.board_feed import bound_words
from outrider.web.pages.console import from_script, optional_number, rules_of, show
from outrider.web.pages.job_agents import pacing_of

router = APIRouter(include_in_schema=False)

SUPPOSED: TypeAdapter[Supposed] = TypeAdapter(Supposed)

RULES = {
    "minimum": "Its minimum",
    "need": "Its need, in the order of priority",
    "surplus": "Surplus that nobody else needs",
    "none": "None: it has no unit",
}
BINDINGS = {
    "maximum": "Its own maximum",
    "need": "Its need: it could not use more now",
    "pool": "The pool: all its licences are given out",
    "seats": "The seats: licences that could stand in are given out too",
    "agents": "The agents who are logged in",
    "held": "Units that others have not given back yet",
    "waiting": "Its minimum is not free: it waits",
}
TRIGGERS = {
    "start": "A job started",
    "stop": "A job stopped or finished",
    "pause": "A job was paused or snoozed",
    "resume": "A job was resumed",
    "change": "A supervisor changed limits",
    "supply": "The licences of the pool changed",
    "idle": "A quiet task gave up licences",
    "return": "A quiet task called again",
}

Typed = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class Difference:
    """What one recalculation did to one task's quota, in units."""

    task_id: int
    name: str
    before: int
    after: int
    waits: bool

    @property
    def by(self) -> int:
        """How much it changed."""
        return self.after - self.before


def differences(record: Recalculation) -> list[Difference]:
    """Return the tasks of a recalculation, those first whose quota changed. A template filter."""
    found = []
    for task in {**record.before, **record.after}:
        after = record.after.get(task)
        before = record.before.get(task, after)
        quota = 0 if after is None else after.quota
        found.append(
            Difference(
                int(task),
                record.names.get(task, f"task {task}"),
                quota if before is None else before.quota,
                quota,
                after is not None and after.standing is Standing.WAITING,
            )
        )
    return sorted(found, key=lambda each: (not each.by, each.task_id))


templates.filters["differences"] = differences
templates.globals["rule_words"] = RULES
templates.globals["binding_words"] = BINDINGS
templates.globals["trigger_words"] = TRIGGERS


@dataclass(frozen=True, slots=True)
class WhyView:
    """Everything that the page shows. `startable` and `stoppable` are what can be supposed besides."""

    task: Task
    job: Job
    pool: PoolRow
    explained: Explained
    others: Sequence[Explained]
    counts: Mapping[str, int]
    startable: Sequence[tuple[int, str]]
    stoppable: Sequence[tuple[int, str]]

    @property
    def shared(self) -> bool:
        """Whether its licences are counted and shared, so that what-if has an answer."""
        return self.explained.kind not in UNSHARED_KINDS


def why_no_more(view: WhyView) -> str:
    """Return why no more of the task's contacts are being reached, in a few words. For templates."""
    it = view.explained
    return bound_words(
        view.job.state,
        it.kind,
        view.task.bound,
        waits=it.standing is Standing.WAITING,
        drains=it.draining > 0,
    )


templates.globals["why_no_more"] = why_no_more


@router.get("/tasks/{task_id}/why")
async def show_why(
    request: Request,
    edge: Edge,
    caller: Viewer,
    task_id: RowId,
    *,
    priority: Typed = "",
    minimum: Typed = "",
    maximum: Typed = "",
    more: Typed = "",
    start: Typed = "",
    stop: Typed = "",
) -> HTMLResponse:
    """Explain a task; with other limits or numbers in the query, also what would be then."""
    typed = {
        "priority": priority,
        "minimum": minimum,
        "maximum": maximum,
        "more": more,
        "start": start,
        "stop": stop,
    }
    view = await edge.database.read(_view, rules_of(edge), task_id, caller, edge.clock.now())
    supposition, error = None, ""
    if any(text.strip() for text in typed.values()):
        try:
            supposition = await _suppose(edge, caller, view, typed)
        except OutriderError as refused:
            error = refused.message
    context: dict[str, Any] = {
        "view": view,
        "supposition": supposition,
        "what_if_error": error,
        "typed": typed,
    }
    if from_script(request):
        return render(request, "what_if.html", **context)
    context["pacing"] = await pacing_of(edge, caller, task_id)
    return await show(request, edge, "why.html", status=422 if error else 200, **context)


def _view(tx: Tx, rules: SharingRules, task_id: int, caller: Caller, now: dt.datetime) -> WhyView:
    task = jobs.task(tx, task_id, caller.organization_id)
    pool = visible_pool(tx, task.pool_id, caller.organization_id)
    whole = explaining.why_pool(tx, rules, pool.id, caller.organization_id, now)
    living = job_store.jobs(tx, pool.organization_id, ended=False)
    busy = {job.campaign_id for job in living if job.state not in ENDED}
    own = {other.job_id for other in job_store.tasks(tx, pool.organization_id, pool_id=pool.id)}
    return WhyView(
        task=task,
        job=jobs.job(tx, task.job_id, caller.organization_id),
        pool=pool,
        explained=explaining.why_task(tx, rules, task_id, caller.organization_id, now),
        others=whole.tasks,
        counts={kind.value: units for kind, units in whole.counts.items()},
        startable=[
            (each.id, each.name)
            for each in campaigns.campaigns(tx, pool.organization_id)
            if each.id not in busy and pool.zone_id in each.zone_ids
        ],
        stoppable=[(job.id, job.campaign_name) for job in living if job.id in own and job.state == "running"],
    )


async def _suppose(
    edge: EdgeServices, caller: Caller, view: WhyView, typed: Mapping[str, str]
) -> Supposition:
    limits = {name: optional_number(typed[name], name) for name in ("priority", "minimum", "maximum")}
    wishes: list[dict[str, object]] = []
    if any(value is not None for value in limits.values()):
        wishes.append({"what": "change_task", "task_id": view.task.id, **limits})
    if by := optional_number(typed["more"], "licences"):
        wishes.append({"what": "change_count", "kind": view.explained.kind, "by": by})
    if (campaign := optional_number(typed["start"], "campaign")) is not None:
        wishes.append({"what": "start_campaign", "campaign_id": campaign})
    if (job := optional_number(typed["stop"], "job")) is not None:
        wishes.append({"what": "stop_job", "job_id": job})
    return await edge.database.read(
        planning.what_if,
        rules_of(edge),
        view.pool.id,
        caller.organization_id,
        [_supposed(wish) for wish in wishes],
        edge.clock.now(),
    )


def _supposed(wish: Mapping[str, object]) -> Supposed:
    try:
        return SUPPOSED.validate_python(wish)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][-1])
        raise InvalidInputError(f"{field}: {first['msg']}", where=field) from None
