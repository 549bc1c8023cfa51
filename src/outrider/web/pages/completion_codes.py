"""The pages of completion codes: what agents may say of contacts, and what follows; supervisors change them.

`app.py` includes `router`.
"""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import HTMLResponse

from outrider.completion import service
from outrider.completion.model import CodePlan, CompletionCode, Effect
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError
from outrider.people.model import Role
from outrider.web.access import Edge, EdgeServices, RowId, Supervisor, Viewer
from outrider.web.pages import redirect, templates
from outrider.web.pages.console import (
    optional_number,
    organization_choice,
    organization_names,
    show,
    whole_number,
)

router = APIRouter(include_in_schema=False)

EFFECT_LABELS: Mapping[Effect, str] = {
    Effect.DONE: "Done",
    Effect.RETRY: "Call again later",
    Effect.CALLBACK: "Call back as promised",
    Effect.DO_NOT_CONTACT: "Never contact again",
}
MINUTE = 60
LONGEST = 200

templates.globals["code_effects"] = EFFECT_LABELS


async def typed(request: Request) -> dict[str, str]:
    """Return the fields of the form as they were typed."""
    form = await request.form()
    return {
        name: value.strip()[:LONGEST].replace("\0", "")
        for name, value in form.items()
        if isinstance(value, str) and name != "csrf_token"
    }


Fields = Annotated[dict[str, str], Depends(typed)]


@router.get("/completion-codes")
async def show_codes(request: Request, edge: Edge, caller: Viewer) -> HTMLResponse:
    """Show all codes in their order."""
    return await show(
        request,
        edge,
        "completion_codes.html",
        codes=await edge.database.read(service.codes, caller.organization_id),
        organizations=await edge.database.read(organization_names, caller),
        changeable=caller.role.includes(Role.SUPERVISOR),
        path="/completion-codes",
    )


@router.get("/completion-codes/new")
async def show_new(request: Request, edge: Edge, caller: Supervisor) -> HTMLResponse:
    """Show the form for another code."""
    return await _form(request, edge, caller, None, {"effect": Effect.DONE.value, "position": "0"})


@router.post("/completion-codes/new")
async def handle_new(request: Request, edge: Edge, caller: Supervisor, given: Fields) -> Response:
    """Make a code, or show the form again with the reason."""
    try:
        owner = optional_number(given.get("organization_id", ""), "organization_id")
        plan = _read(given, given.get("name", ""))
        made = await edge.database.write(
            service.create, edge.clock.now(), caller, plan, organization_id=owner
        )
    except (InvalidInputError, ConflictError) as error:
        return await _form(request, edge, caller, None, given, error)
    return redirect("/completion-codes", f"{made.label} is added.")


@router.get("/completion-codes/{code_id}")
async def show_code(request: Request, edge: Edge, caller: Supervisor, code_id: RowId) -> HTMLResponse:
    """Show one code in its form."""
    code = await edge.database.read(service.code, code_id, caller.organization_id)
    return await _form(request, edge, caller, code, _shown(code))


@router.post("/completion-codes/{code_id}")
async def handle_change(
    request: Request, edge: Edge, caller: Supervisor, code_id: RowId, given: Fields
) -> Response:
    """Change a code, or show the form again with the reason."""
    code = await edge.database.read(service.code, code_id, caller.organization_id)
    try:
        plan = _read(given, code.name)
        made = await edge.database.write(service.change, edge.clock.now(), caller, code_id, plan)
    except (InvalidInputError, ConflictError) as error:
        return await _form(request, edge, caller, code, given, error)
    return redirect("/completion-codes", f"{made.label} is saved.")


@router.post("/completion-codes/{code_id}/retire")
async def handle_retire(edge: Edge, caller: Supervisor, code_id: RowId) -> Response:
    """Take a code out of use."""

    def work(tx: Tx) -> str:
        label = service.code(tx, code_id, caller.organization_id).label
        service.retire(tx, edge.clock.now(), caller, code_id)
        return label

    label = await edge.database.write(work)
    return redirect("/completion-codes", f"{label} is out of use; the history keeps it.")


async def _form(
    request: Request,
    edge: EdgeServices,
    caller: Supervisor,
    code: CompletionCode | None,
    given: Mapping[str, str],
    error: InvalidInputError | ConflictError | None = None,
) -> HTMLResponse:
    return await show(
        request,
        edge,
        "completion_code.html",
        status=200 if error is None else 422,
        code=code,
        given=given,
        error="" if error is None else error.message,
        where="" if error is None else str(error.facts.get("where", "")),
        owners=None if code else await edge.database.read(organization_choice, caller),
        path="/completion-codes/new" if code is None else f"/completion-codes/{code.id}",
    )


def _shown(code: CompletionCode) -> dict[str, str]:
    after = "" if code.retry_after is None else str(round(code.retry_after / MINUTE))
    return {
        "label": code.label,
        "effect": code.effect.value,
        "retry_after": after,
        "shortcut": code.shortcut,
        "position": str(code.position),
    }


def _read(given: Mapping[str, str], name: str) -> CodePlan:
    """Return the form as the service takes it; InvalidInputError names the first bad field."""
    effect = given.get("effect", "")
    if effect not in set(Effect):
        raise InvalidInputError("effect: choose what follows", where="effect")
    minutes = optional_number(given.get("retry_after", ""), "retry_after")
    retries = effect == Effect.RETRY and minutes is not None
    return CodePlan(
        name=name,
        label=given.get("label", ""),
        effect=Effect(effect),
        retry_after=float((minutes or 0) * MINUTE) if retries else None,
        shortcut=given.get("shortcut", ""),
        position=whole_number(given.get("position", "") or "0", "position"),
    )
