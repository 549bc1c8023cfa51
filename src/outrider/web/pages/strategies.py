"""Pages of strategies: all versions, what changed between them, and the source view of the editor.

`app.py` includes `router`, with the form of `strategy_editor` in it. Everybody reads; administrators write.
Active versions never change: editing one makes the next version.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import HTMLResponse

from outrider.campaigns import service
from outrider.campaigns.changes import Difference
from outrider.campaigns.model import StrategyState, StrategyVersion
from outrider.campaigns.strategy_document import LARGEST_DOCUMENT
from outrider.campaigns.templates import template, templates
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError
from outrider.jobs import store as job_store
from outrider.people.model import Caller
from outrider.web.access import Administrator, Edge, RowId, Text, Viewer
from outrider.web.pages import redirect, render, strategy_editor
from outrider.web.pages.console import FormNumber, Line, organization_names, show
from outrider.web.pages.strategy_editor import Edited, checked, create, editor_page, plain, save, saved

router = APIRouter(include_in_schema=False)
router.include_router(strategy_editor.router)

BODY_LIMIT = 4 * LARGEST_DOCUMENT
"""Bytes: a document of the largest size, escaped as a form."""

Source = Annotated[Text, Form(max_length=LARGEST_DOCUMENT)]
"""The document as it was typed."""

View = Annotated[Literal["form", "source"], Query()]


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
        templates=templates(),
    )


@router.get("/strategies/new")
async def show_new(
    request: Request,
    edge: Edge,
    caller: Administrator,
    start: Annotated[Text, Query(max_length=40, alias="template")] = "call",
    base: Annotated[int | None, Query(alias="from", ge=1, le=2**63 - 1)] = None,
    view: View = "form",
) -> HTMLResponse:
    """Show the editor with a template, or with a version that the next one begins from."""
    found = None
    if base is not None:
        found = await edge.database.read(service.strategy, base, caller.organization_id)
    edited = Edited(
        source=template(start).source if found is None else found.source,
        organization_id="" if found is None else str(found.organization_id),
        base=found,
        view=view,
    )
    return await editor_page(request, edge, caller, edited)


@router.post("/strategies/check", max_body_size=BODY_LIMIT)
async def handle_check(request: Request, _: Viewer, source: Source = "") -> HTMLResponse:
    """Say what is wrong with a document: the part of the editor that follows the typing."""
    return render(request, "strategy_check.html", found=checked(plain(source)))


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
    """Check a document, show it as a form, save it as a draft, or as the version that new jobs use."""
    text = plain(source)
    edited = Edited(source=text, organization_id=organization_id, view="form" if then == "form" else "source")
    if then in ("check", "form"):
        return await editor_page(request, edge, caller, edited)
    try:
        made = await edge.database.write(create, edge, caller, text, organization_id, then == "draft")
    except (InvalidInputError, ConflictError, NotAllowedError) as error:
        failed = Edited(source=text, organization_id=organization_id, view="source", error=error.message)
        return await editor_page(request, edge, caller, failed)
    return saved(made)


@router.get("/strategies/{strategy_id}")
async def show_one(
    request: Request, edge: Edge, caller: Viewer, strategy_id: RowId, view: View = "form"
) -> HTMLResponse:
    """Show one version: an active one to read, a draft to edit."""
    found = await edge.database.read(service.strategy, strategy_id, caller.organization_id)
    return await editor_page(request, edge, caller, Edited(source=found.source, version=found, view=view))


@router.get("/strategies/{strategy_id}/changes")
async def show_changes(
    request: Request,
    edge: Edge,
    caller: Viewer,
    strategy_id: RowId,
    since: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> HTMLResponse:
    """Show what changed in a version since another one, or the one before it."""
    found = await edge.database.read(service.strategy, strategy_id, caller.organization_id)
    error = ""
    before: StrategyVersion | None = None
    changes: list[Difference] = []
    try:
        before, changes = await edge.database.read(
            service.compare, strategy_id, since, caller.organization_id
        )
    except InvalidInputError as refused:
        error = refused.message
    return await show(
        request,
        edge,
        "strategy_changes.html",
        version=found,
        before=before,
        changes=changes,
        error=error,
        path="/strategies",
    )


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
    """Check or save a draft, show it as a form, or save and activate it."""
    text = plain(source)
    found = await edge.database.read(service.strategy, strategy_id, caller.organization_id)
    if then in ("check", "form"):
        edited = Edited(source=text, version=found, view="form" if then == "form" else "source")
        return await editor_page(request, edge, caller, edited)
    try:
        made = await edge.database.write(save, edge, caller, strategy_id, text, then == "activate")
    except (InvalidInputError, ConflictError) as error:
        failed = Edited(source=text, version=found, view="source", error=error.message)
        return await editor_page(request, edge, caller, failed)
    return saved(made)


@router.post("/strategies/{strategy_id}/delete")
async def handle_delete(request: Request, edge: Edge, caller: Administrator, strategy_id: RowId) -> Response:
    """Delete a version that no job ever ran."""
    found = await edge.database.read(service.strategy, strategy_id, caller.organization_id)
    try:
        await edge.database.write(
            service.delete_strategy, strategy_id, caller.organization_id, edge.clock.now(), caller.name
        )
    except ConflictError as error:
        failed = Edited(source=found.source, version=found, error=error.message)
        return await editor_page(request, edge, caller, failed)
    return redirect("/strategies", f"{found.name}, version {found.version}, is deleted.")
