"""Pages of strategies: all versions, and an editor that checks while one writes.

`app.py` includes `router`. Everybody reads; administrators write. Active versions never change: editing one
makes the next version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import HTMLResponse

from outrider.campaigns import service
from outrider.campaigns.model import StrategyState, StrategyVersion
from outrider.campaigns.schemas import StrategyCheck
from outrider.campaigns.strategy import Strategy
from outrider.campaigns.strategy_document import LARGEST_DOCUMENT, parse_strategy
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError
from outrider.jobs import store as job_store
from outrider.licences.ownership import owner_of_new
from outrider.people.model import Caller
from outrider.web.access import Administrator, Edge, EdgeServices, RowId, Text, Viewer
from outrider.web.pages import redirect, render
from outrider.web.pages.console import (
    FormNumber,
    Line,
    optional_number,
    organization_choice,
    organization_names,
    show,
)
from outrider.web.pages.strategy_templates import TEMPLATES

router = APIRouter(include_in_schema=False)

BODY_LIMIT = 4 * LARGEST_DOCUMENT
"""Bytes: a document of the largest size, escaped as a form."""

Source = Annotated[Text, Form(max_length=LARGEST_DOCUMENT)]
"""The document as it was typed; browsers send its line ends as CR LF."""


@dataclass(frozen=True, slots=True)
class Named:
    """A strategy with all of its versions, newest first, and how many living jobs run each (by id)."""

    organization_id: int
    name: str
    versions: tuple[StrategyVersion, ...]
    running: dict[int, int]

    @property
    def active(self) -> StrategyVersion | None:
        """The version that new jobs use."""
        return next((each for each in self.versions if each.state is StrategyState.ACTIVE), None)


@dataclass(frozen=True, slots=True)
class Checked:
    """What is to be said about a document: its problems, or what was read from it."""

    problems: Sequence[tuple[str, str]]
    strategy: Strategy | None


def checked(source: str) -> Checked:
    """Check a document as activation would."""
    found = StrategyCheck.of(source)
    problems = [(each.where, each.problem) for each in found.problems]
    return Checked(problems, parse_strategy(source) if found.valid else None)


def by_name(tx: Tx, caller: Caller) -> list[Named]:
    """Return the strategies that the caller sees, by name."""
    running: dict[int, int] = {}
    for job in job_store.jobs(tx, caller.organization_id, ended=False, limit=1_000):
        running[job.strategy_id] = running.get(job.strategy_id, 0) + 1
    groups: dict[tuple[int, str], list[StrategyVersion]] = {}
    for version in service.strategies(tx, caller.organization_id):
        groups.setdefault((version.organization_id, version.name), []).append(version)
    return [
        Named(owner, name, tuple(versions), running)
        for (owner, name), versions in sorted(groups.items(), key=lambda pair: (pair[0][1].lower(), pair[0]))
    ]


@router.get("/strategies")
async def show_strategies(request: Request, edge: Edge, caller: Viewer) -> HTMLResponse:
    """Show all strategies with their versions."""
    return await show(
        request,
        edge,
        "strategies.html",
        strategies=await edge.database.read(by_name, caller),
        organization_names=await edge.database.read(organization_names, caller),
        templates=TEMPLATES,
    )


@router.get("/strategies/new")
async def show_new(
    request: Request,
    edge: Edge,
    caller: Administrator,
    template: Annotated[Text, Query(max_length=40)] = "call",
    base: Annotated[int | None, Query(alias="from", ge=1, le=2**63 - 1)] = None,
) -> HTMLResponse:
    """Show the editor with a template, or with a version that the next one begins from."""
    found = None
    if base is not None:
        found = await edge.database.read(service.strategy, base, caller.organization_id)
    chosen = next((each for each in TEMPLATES if each.key == template), TEMPLATES[0])
    return await _editor(
        request,
        edge,
        caller,
        source=chosen.source if found is None else found.source,
        organization_id="" if found is None else str(found.organization_id),
        base=found,
    )


async def _editor(
    request: Request,
    edge: EdgeServices,
    caller: Caller,
    *,
    source: str,
    organization_id: str = "",
    version: StrategyVersion | None = None,
    base: StrategyVersion | None = None,
    error: str = "",
) -> HTMLResponse:
    return await show(
        request,
        edge,
        "strategy.html",
        status=422 if error else 200,
        source=source,
        version=version,
        base=base,
        found=checked(source),
        organizations=await edge.database.read(organization_choice, caller),
        organization_id=organization_id,
        templates=TEMPLATES,
        editable=caller.role == "administrator" and (version is None or version.state is StrategyState.DRAFT),
        error=error,
        path="/strategies",
    )


@router.post("/strategies/check", max_body_size=BODY_LIMIT)
async def handle_check(request: Request, _: Viewer, source: Source = "") -> HTMLResponse:
    """Say what is wrong with a document: the part of the editor that follows the typing."""
    return render(request, "strategy_check.html", found=checked(_plain(source)))


@router.post("/strategies", max_body_size=BODY_LIMIT)
async def handle_new(
    request: Request,
    edge: Edge,
    caller: Administrator,
    *,
    source: Source = "",
    then: Line = "activate",
    organization_id: FormNumber = "",
) -> Response:
    """Check a document, save it as a draft, or save it as the version that new jobs use."""
    text = _plain(source)
    if then == "check":
        return await _editor(request, edge, caller, source=text, organization_id=organization_id)
    try:
        made = await edge.database.write(_create, edge, caller, text, organization_id, then == "draft")
    except (InvalidInputError, ConflictError, NotAllowedError) as error:
        return await _editor(
            request, edge, caller, source=text, organization_id=organization_id, error=error.message
        )
    return redirect(f"/strategies/{made.id}", f"{made.name}, version {made.version}, is {_state(made)}.")


def _create(
    tx: Tx,
    edge: EdgeServices,
    caller: Caller,
    source: str,
    organization_id: str,
    draft: bool,  # noqa: FBT001 - passed on by the database by position
) -> StrategyVersion:
    owner = owner_of_new(tx, caller.organization_id, optional_number(organization_id, "organization"))
    return service.create_strategy(
        tx, owner, source, edge.clock.now(), caller.name, draft_name="Untitled" if draft else None
    )


@router.get("/strategies/{strategy_id}")
async def show_one(request: Request, edge: Edge, caller: Viewer, strategy_id: RowId) -> HTMLResponse:
    """Show one version: an active one to read, a draft to edit."""
    found = await edge.database.read(service.strategy, strategy_id, caller.organization_id)
    return await _editor(request, edge, caller, source=found.source, version=found)


@router.post("/strategies/{strategy_id}", max_body_size=BODY_LIMIT)
async def handle_draft(
    request: Request,
    edge: Edge,
    caller: Administrator,
    strategy_id: RowId,
    *,
    source: Source = "",
    then: Line = "draft",
) -> Response:
    """Check or save a draft, or save and activate it."""
    text = _plain(source)
    found = await edge.database.read(service.strategy, strategy_id, caller.organization_id)
    if then == "check":
        return await _editor(request, edge, caller, source=text, version=found)
    try:
        saved = await edge.database.write(_save, edge, caller, strategy_id, text, then == "activate")
    except (InvalidInputError, ConflictError) as error:
        return await _editor(request, edge, caller, source=text, version=found, error=error.message)
    return redirect(
        f"/strategies/{strategy_id}", f"{saved.name}, version {saved.version}, is {_state(saved)}."
    )


def _save(
    tx: Tx,
    edge: EdgeServices,
    caller: Caller,
    strategy_id: int,
    source: str,
    activate: bool,  # noqa: FBT001 - passed on by the database by position
) -> StrategyVersion:
    now, owner = edge.clock.now(), caller.organization_id
    saved = service.change_draft(tx, strategy_id, owner, source, now, caller.name)
    return service.activate(tx, strategy_id, owner, now, caller.name) if activate else saved


@router.post("/strategies/{strategy_id}/delete")
async def handle_delete(request: Request, edge: Edge, caller: Administrator, strategy_id: RowId) -> Response:
    """Delete a version that no job ever ran."""
    found = await edge.database.read(service.strategy, strategy_id, caller.organization_id)
    try:
        await edge.database.write(
            service.delete_strategy, strategy_id, caller.organization_id, edge.clock.now(), caller.name
        )
    except ConflictError as error:
        return await _editor(request, edge, caller, source=found.source, version=found, error=error.message)
    return redirect("/strategies", f"{found.name}, version {found.version}, is deleted.")


def _state(version: StrategyVersion) -> str:
    return "active: new jobs use it" if version.state is StrategyState.ACTIVE else "saved as a draft"


def _plain(source: str) -> str:
    return source.replace("\r\n", "\n").replace("\r", "\n")
