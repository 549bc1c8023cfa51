"""The pages of callbacks: what was promised, to whom and by whom; supervisors make, change and cancel them.

`app.py` includes `router`.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import HTMLResponse

from outrider.agents import service as agents
from outrider.callbacks import service
from outrider.callbacks.model import LONGEST_NOTE, Callback, CallbackPlan
from outrider.campaigns import service as campaigns
from outrider.campaigns.contact_zones import zone
from outrider.campaigns.strategy_agents import CallbackKind, CallbackState
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError
from outrider.people.model import Caller
from outrider.web.access import Edge, EdgeServices, RowId, Supervisor
from outrider.web.pages import redirect, templates
from outrider.web.pages.console import optional_number, show, whole_number

router = APIRouter(include_in_schema=False)

AT_ONCE = 100
"""Callbacks on one page."""

KINDS: Mapping[CallbackKind, str] = {
    CallbackKind.AGENT: "This agent, or anybody once it is overdue",
    CallbackKind.STRICT_AGENT: "This agent alone, until it expires",
    CallbackKind.CAMPAIGN: "Any agent of the campaign",
}
STATES: Mapping[CallbackState, tuple[str, str]] = {
    CallbackState.WAITING: ("Waiting", "info"),
    CallbackState.QUEUED: ("In hand", "accent"),
    CallbackState.EXPIRED: ("Expired", "warn"),
    CallbackState.DONE: ("Kept", "good"),
    CallbackState.CANCELLED: ("Cancelled", "neutral"),
}
"""Words and tones of the states."""

Number = Annotated[str, Query(max_length=20)]
templates.globals["callback_kinds"] = KINDS
templates.globals["callback_states"] = STATES


def there(value: dt.datetime, time_zone: str) -> str:
    """Return a time as it is on the clock of a zone, "" for UTC. A template filter."""
    return f"{there_time(value, time_zone)} {time_zone.replace('_', ' ') or 'UTC'}"


def there_time(value: dt.datetime, time_zone: str) -> str:
    """Return a time as it is on the clock of a zone, which is said beside it. A template filter."""
    return value.astimezone(ZoneInfo(time_zone or "UTC")).strftime("%Y-%m-%d %H:%M")


templates.filters["there"] = there
templates.filters["there_time"] = there_time


async def typed(request: Request) -> dict[str, str]:
    """Return the fields of the form as they were typed."""
    form = await request.form()
    return {
        name: value.strip()[: LONGEST_NOTE + 1].replace("\0", "").replace("\r\n", "\n")
        for name, value in form.items()
        if isinstance(value, str) and name != "csrf_token"
    }


Fields = Annotated[dict[str, str], Depends(typed)]


@router.get("/callbacks")
async def show_callbacks(
    request: Request,
    edge: Edge,
    caller: Supervisor,
    campaign: Number = "",
    agent: Number = "",
    state: Number = "",
    after: Number = "",
) -> HTMLResponse:
    """Show callbacks, soonest first: those that are open, or in one state."""
    chosen = (CallbackState(state),) if state in set(CallbackState) else ()

    def read(tx: Tx) -> tuple[list[Callback], int | None]:
        return service.callbacks(
            tx,
            caller.organization_id,
            campaign_id=optional_number(campaign, "campaign"),
            agent_id=optional_number(agent, "agent"),
            states=chosen,
            after=optional_number(after, "after"),
            limit=AT_ONCE,
        )

    found, following = await edge.database.read(read)
    return await show(
        request,
        edge,
        "callbacks.html",
        callbacks=found,
        following=following,
        filters={"campaign": campaign, "agent": agent, "state": state},
        now=edge.clock.now(),
        **await edge.database.read(_choices, caller),
    )


@router.get("/callbacks/new")
async def show_new(
    request: Request, edge: Edge, caller: Supervisor, campaign: Number = "", contact: Number = ""
) -> HTMLResponse:
    """Show the form for another callback."""
    given = {"kind": CallbackKind.CAMPAIGN.value, "campaign_id": campaign, "contact": contact}
    return await _form(request, edge, caller, None, given)


@router.post("/callbacks/new")
async def handle_new(request: Request, edge: Edge, caller: Supervisor, given: Fields) -> Response:
    """Make a callback, or show the form again with the reason."""

    def work(tx: Tx) -> Callback:
        campaign_id = whole_number(given.get("campaign_id", ""), "campaign_id")
        contact_id = service.contact_of(tx, caller, campaign_id, given.get("contact", ""))
        return service.create(tx, edge.clock.now(), caller, campaign_id, contact_id, _read(given))

    try:
        made = await edge.database.write(work)
    except (InvalidInputError, ConflictError) as error:
        return await _form(request, edge, caller, None, given, error)
    return redirect("/callbacks", f"{made.address} is called back at {there(made.due_at, made.time_zone)}.")


@router.get("/callbacks/{callback_id}")
async def show_callback(request: Request, edge: Edge, caller: Supervisor, callback_id: RowId) -> HTMLResponse:
    """Show one callback, in its form while it may be changed."""
    found = await edge.database.read(service.callback, callback_id, caller.organization_id)
    return await _form(request, edge, caller, found, _shown(found))


@router.post("/callbacks/{callback_id}")
async def handle_change(
    request: Request, edge: Edge, caller: Supervisor, callback_id: RowId, given: Fields
) -> Response:
    """Change a callback, or show the form again with the reason."""
    known = await edge.database.read(service.callback, callback_id, caller.organization_id)
    try:
        plan = _read(given, known)
        made = await edge.database.write(service.change, edge.clock.now(), caller, callback_id, plan)
    except (InvalidInputError, ConflictError) as error:
        return await _form(request, edge, caller, known, given, error)
    return redirect("/callbacks", f"{made.address} is called back at {there(made.due_at, made.time_zone)}.")


@router.post("/callbacks/{callback_id}/cancel")
async def handle_cancel(
    request: Request, edge: Edge, caller: Supervisor, callback_id: RowId, given: Fields
) -> Response:
    """Cancel a callback; its contact goes on like any other."""
    try:
        gone = await edge.database.write(
            service.cancel, edge.clock.now(), caller, callback_id, given.get("why", "")
        )
    except ConflictError as error:
        known = await edge.database.read(service.callback, callback_id, caller.organization_id)
        return await _form(request, edge, caller, known, _shown(known), error)
    return redirect("/callbacks", f"{gone.address} is not called back.")


async def _form(
    request: Request,
    edge: EdgeServices,
    caller: Supervisor,
    callback: Callback | None,
    given: Mapping[str, str],
    error: InvalidInputError | ConflictError | None = None,
) -> HTMLResponse:
    changeable = callback is None or (callback.is_open and callback.state is not CallbackState.QUEUED)
    return await show(
        request,
        edge,
        "callback.html",
        status=200 if error is None else 422,
        callback=callback,
        changeable=changeable,
        given=given,
        error="" if error is None else error.message,
        where="" if error is None else str(error.facts.get("where", "")),
        path="/callbacks/new" if callback is None else f"/callbacks/{callback.id}",
        **await edge.database.read(_choices, caller),
    )


def _choices(tx: Tx, caller: Caller) -> dict[str, Any]:
    """Return the campaigns and agents to choose from."""
    own = caller.organization_id
    return {
        "campaigns": [(str(each.id), each.name) for each in campaigns.campaigns(tx, own)],
        "agents": [(str(each.id), each.display_name or each.name) for each in agents.agents(tx, own)],
    }


def _shown(callback: Callback) -> dict[str, str]:
    local = callback.due_at.astimezone(ZoneInfo(callback.time_zone or "UTC"))
    return {
        "at": local.strftime("%Y-%m-%dT%H:%M"),
        "time_zone": callback.time_zone or "UTC",
        "kind": callback.kind.value,
        "agent_id": "" if callback.agent_id is None else str(callback.agent_id),
        "address": callback.address,
        "note": callback.note,
    }


def _read(given: Mapping[str, str], known: Callback | None = None) -> CallbackPlan:
    """Return the form as the service takes it; InvalidInputError names the first bad field.

    A time that is left as it was stays to the second, with its expiry.
    """
    kind = given.get("kind", "")
    if kind not in set(CallbackKind):
        raise InvalidInputError("kind: choose who calls", where="kind")
    try:
        at = dt.datetime.fromisoformat(given.get("at", ""))
    except ValueError:
        raise InvalidInputError("at: give a date and a time", where="at") from None
    if given.get("time_zone"):
        zone(given["time_zone"])
    shown = {} if known is None else _shown(known)
    same = known is not None and all(given.get(name) == shown[name] for name in ("at", "time_zone"))
    own = CallbackKind(kind) is not CallbackKind.CAMPAIGN
    return CallbackPlan(
        at=known.due_at if known is not None and same else at,
        kind=CallbackKind(kind),
        agent_id=optional_number(given.get("agent_id", ""), "agent_id") if own else None,
        address=given.get("address", ""),
        note=given.get("note", ""),
        time_zone=given.get("time_zone", ""),
        expires_at=known.expires_at if known is not None and same else None,
        shift=given.get("shift") == "true",
    )
