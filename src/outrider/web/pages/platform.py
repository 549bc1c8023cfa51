"""The platform page: the licence's state and polls, server, features, telephony ports, connections, alarms.

`app.py` includes `router`. Everybody reads the state; administrators of the system see and change the rest.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import HTMLResponse

from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotFoundError
from outrider.licences import division_store
from outrider.licences.model import GATE_KINDS
from outrider.licences.service import SharingRules
from outrider.people.model import Caller
from outrider.supply import service as supply
from outrider.supply.connections import service as connections
from outrider.supply.connections.model import LABELS, Connection, ConnectionKind
from outrider.supply.platform import platform
from outrider.web.access import Edge, EdgeServices, RowId, SystemAdministrator, Viewer
from outrider.web.pages import redirect, templates
from outrider.web.pages.console import FormNumber, Line, done, from_script, rules_of, show, whole_number

router = APIRouter(include_in_schema=False)

STATES = {
    "none": ("No licence", "bad"),
    "normal": ("Normal", "good"),
    "stale": ("Stale", "warn"),
    "grace": ("Grace", "warn"),
    "expired": ("Expired", "bad"),
}
"""The states of the licence: the words and the tone of their badge."""

FAULTS = {
    "unreachable": "does not answer",
    "refused": "refuses this platform",
    "forged": "is not the one that is trusted",
    "too_old": "is too old",
    "broken": "answers nonsense",
}
"""What is wrong with a licence server, in words."""

SEVERITY_TONES = {"info": "info", "warning": "warn", "critical": "bad"}

templates.globals["platform_states"] = STATES
templates.globals["server_faults"] = FAULTS
templates.globals["severity_tones"] = SEVERITY_TONES
templates.globals["connection_labels"] = LABELS


@router.get("/platform")
async def show_platform(request: Request, edge: Edge, caller: Viewer) -> HTMLResponse:
    """Show the platform."""
    return await _page(request, edge, caller)


async def _page(
    request: Request, edge: EdgeServices, caller: Caller, *, error: str = "", status: int = 200
) -> HTMLResponse:
    found = await edge.database.read(platform)
    return await show(
        request,
        edge,
        "platform.html",
        status=status,
        view=found,
        whole=caller.organization_id is None,
        editable=caller.is_system_administrator,
        zones=[("", "All zones"), *((name, name) for name in await edge.database.read(division_store.zones))],
        gates=GATE_KINDS,
        now=edge.clock.now(),
        error=error,
        path="/platform",
    )


@router.post("/platform/poll")
async def handle_poll(edge: Edge, _caller: SystemAdministrator) -> Response:
    """Ask for a poll at once."""
    await edge.database.write(supply.request_poll, edge.clock.now())
    return redirect(
        "/platform", "The licence server is being polled; this page shows the result in a moment."
    )


@router.post("/platform/connections")
async def handle_new_connection(
    request: Request,
    edge: Edge,
    caller: SystemAdministrator,
    *,
    name: Line = "",
    kind: Annotated[ConnectionKind, Form()] = ConnectionKind.SIP,
    capacity: FormNumber = "",
    zone: Line = "",
) -> Response:
    """Create a connection, or show the page again with the reason."""
    try:
        made = await edge.database.write(
            connections.add,
            rules_of(edge),
            edge.clock.now(),
            caller.name,
            name=name,
            kind=kind,
            capacity=whole_number(capacity, "capacity"),
            zone=zone or None,
        )
    except (InvalidInputError, ConflictError, NotFoundError) as error:
        return await _page(request, edge, caller, error=error.message, status=422)
    return redirect("/platform#connections", f"{made.name} is added; its ports count now.")


@router.post("/platform/connections/{connection_id}")
async def handle_change(
    request: Request,
    edge: Edge,
    caller: SystemAdministrator,
    connection_id: RowId,
    *,
    capacity: FormNumber = "",
    enabled: Annotated[bool | None, Form()] = None,
) -> Response:
    """Change the capacity of a connection, or switch it on or off."""
    try:
        units = whole_number(capacity, "capacity") if capacity else None
        await edge.database.write(_change, rules_of(edge), edge, caller, connection_id, units, enabled)
    except (InvalidInputError, NotFoundError) as error:
        if from_script(request):
            raise
        return await _page(request, edge, caller, error=error.message, status=422)
    return done(request, "/platform#connections", "The connection is changed.")


def _change(
    tx: Tx,
    rules: SharingRules,
    edge: EdgeServices,
    caller: Caller,
    connection_id: int,
    capacity: int | None,
    enabled: bool | None,  # noqa: FBT001 - a value of the form
) -> Connection:
    known = connections.connection(tx, connection_id)
    wanted = replace(
        known,
        capacity=known.capacity if capacity is None else capacity,
        enabled=known.enabled if enabled is None else enabled,
    )
    return connections.change(tx, rules, edge.clock.now(), caller.name, known.id, wanted)


@router.post("/platform/connections/{connection_id}/delete")
async def handle_delete(edge: Edge, caller: SystemAdministrator, connection_id: RowId) -> Response:
    """Delete a connection."""
    rules = rules_of(edge)
    await edge.database.write(connections.remove, rules, edge.clock.now(), caller.name, connection_id)
    return redirect(
        "/platform#connections", "The connection is deleted; calls that are up end by themselves."
    )
