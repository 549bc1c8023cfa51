"""The pages of media servers: their ports and health, live; to add, change, drain, remove and check them.

`app.py` includes `router`. Media servers belong to the whole platform: only its administrators see them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from starlette.responses import HTMLResponse, StreamingResponse

from outrider.channel_reports import service as channel_reports
from outrider.clock import RealClock
from outrider.db.database import Tx
from outrider.db.sealed import Sealer
from outrider.errors import ConflictError, InvalidInputError
from outrider.licences import division_store
from outrider.media import service
from outrider.media.checking import Finding, ServerCheck
from outrider.media.model import MediaServer, Plan, ZonePorts
from outrider.media.port_findings import joined
from outrider.people.model import Caller, Credential
from outrider.web.access import Edge, EdgeServices, RowId, SignedIn, SystemAdministrator, authenticate
from outrider.web.pages import redirect, render, templates
from outrider.web.pages.console import done, from_script, show, whole_number
from outrider.web.sse import Message, event_stream

router = APIRouter(include_in_schema=False)

STANDINGS: Mapping[str, tuple[str, str]] = {
    "in_service": ("In service", "good"),
    "draining": ("Draining", "warn"),
    "disabled": ("Switched off", "neutral"),
    "new": ("Not connected yet", "info"),
    "failed": ("Failed", "bad"),
    "removed": ("Removed", "neutral"),
}
"""Where a server stands: the words and the tone of its badge."""

NUMBERS = ("maximum_ports", "weight")
BLANK = Plan(name="", url="http://127.0.0.1:8088", username="outrider", secret="")
"""What the form of a new server begins with."""

templates.globals["media_standings"] = STANDINGS

Troubles = Mapping[int, Sequence[str]]
"""Sentences by the ids of media servers."""

Typed = Annotated[str, Form(max_length=1000)]


def typed(
    name: Typed = "",
    zone: Typed = "default",
    url: Typed = "",
    username: Typed = "",
    secret: Typed = "",
    app: Typed = "outrider",
    trunk: Typed = "",
    caller_id: Typed = "",
    maximum_ports: Typed = "",
    weight: Typed = "1",
    originations_per_second: Typed = "",
    enabled: Typed = "",
) -> dict[str, str]:
    """Return the fields of the form as they were typed."""
    return {key: value.strip() for key, value in locals().items()}


Fields = Annotated[dict[str, str], Depends(typed)]


@router.get("/media")
async def show_servers(request: Request, edge: Edge, _caller: SystemAdministrator) -> HTMLResponse:
    """Show all media servers; from then on the page's stream keeps it up to date."""
    zones, troubles = await edge.database.read(_seen)
    return await show(request, edge, "media.html", zones=zones, troubles=troubles, path="/media")


@router.get("/media/stream", response_class=StreamingResponse)
async def stream(
    request: Request, edge: Edge, caller: SystemAdministrator, credential: SignedIn
) -> StreamingResponse:
    """Follow the media servers: events `media` with the table as HTML whenever it changed."""
    seen = ""

    async def source(last: int) -> tuple[Sequence[Message], int]:
        nonlocal seen
        html = servers_html(*await edge.database.read(_seen), caller, credential)
        if html == seen:
            return [], last
        seen = html
        return [Message(last + 1, "media", html)], last + 1

    async def permission() -> None:
        request.state.credential = None
        (await authenticate(request, edge)).caller.require(caller.role)

    return event_stream(request, edge, source, start=0, permission=permission)


def servers_html(
    zones: Sequence[ZonePorts], troubles: Troubles, caller: Caller, credential: Credential
) -> str:
    """Return the part of the page that changes."""
    template = templates.get_template("media_servers.html")
    return template.render(zones=zones, troubles=troubles, caller=caller, csrf_token=credential.csrf_token)


def _seen(tx: Tx) -> tuple[list[ZonePorts], Troubles]:
    """Return all zones with their servers, and what workers find wrong with those they are connected to."""
    return service.zones(tx), channel_reports.media_troubles(tx, RealClock().now())


@router.get("/media/new")
async def show_new(request: Request, edge: Edge, _caller: SystemAdministrator) -> HTMLResponse:
    """Show the form for another media server."""
    return await _form(request, edge, None, _shown(BLANK))


@router.post("/media/new")
async def handle_new(request: Request, edge: Edge, caller: SystemAdministrator, given: Fields) -> Response:
    """Register a media server, or show the form again with the reason."""
    try:
        plan = Plan(**_read(given))
        made = await edge.database.write(service.add, edge.part(Sealer), plan, edge.clock.now(), caller.name)
    except (InvalidInputError, ConflictError) as error:
        return await _form(request, edge, None, given, error=error)
    return redirect(
        f"/media/{made.id}", f"{made.name} is registered. It has ports as soon as it is connected."
    )


@router.get("/media/{server_id}")
async def show_server(
    request: Request, edge: Edge, _caller: SystemAdministrator, server_id: RowId
) -> HTMLResponse:
    """Show one media server with its form."""
    server = await edge.database.read(service.server, server_id)
    return await _form(request, edge, server, _shown(server))


@router.post("/media/{server_id}")
async def handle_change(
    request: Request, edge: Edge, caller: SystemAdministrator, server_id: RowId, given: Fields
) -> Response:
    """Change a media server, or show the form again with the reason."""
    try:
        changed = await edge.database.write(
            service.change, edge.part(Sealer), server_id, _read(given), edge.clock.now(), caller.name
        )
    except (InvalidInputError, ConflictError) as error:
        server = await edge.database.read(service.server, server_id)
        return await _form(request, edge, server, given, error=error)
    return redirect(f"/media/{server_id}", f"{changed.name} is saved.")


@router.post("/media/{server_id}/drain")
async def handle_drain(
    request: Request,
    edge: Edge,
    caller: SystemAdministrator,
    server_id: RowId,
    *,
    draining: Annotated[bool, Form()],
) -> Response:
    """Let a media server start nothing more, or let it work again."""
    drained = await edge.database.write(
        service.drain, server_id, edge.clock.now(), caller.name, draining=draining
    )
    what = "starts nothing more; its calls go on" if draining else "works again"
    return done(request, "/media", f"{drained.name} {what}.")


@router.post("/media/{server_id}/remove")
async def handle_remove(edge: Edge, caller: SystemAdministrator, server_id: RowId) -> Response:
    """Take a media server out of the registry."""
    await edge.database.write(service.remove, server_id, edge.clock.now(), caller.name)
    return redirect("/media", "The media server is removed; calls that are up there end by themselves.")


@router.post("/media/{server_id}/check")
async def handle_check(
    request: Request, edge: Edge, _caller: SystemAdministrator, server_id: RowId
) -> HTMLResponse:
    """Try a media server for real, and show what was found."""
    connection = await edge.database.read(service.connection, edge.part(Sealer), server_id)
    ports = await edge.database.read(service.port_findings)
    findings = joined(await edge.part(ServerCheck).run(connection), ports.get(connection.id, ()))
    if from_script(request):
        return render(request, "media_check.html", findings=findings)
    server = await edge.database.read(service.server, server_id)
    return await _form(request, edge, server, _shown(server), findings=findings)


async def _form(
    request: Request,
    edge: EdgeServices,
    server: MediaServer | None,
    given: Mapping[str, object],
    *,
    error: InvalidInputError | ConflictError | None = None,
    findings: tuple[Finding, ...] | None = None,
) -> HTMLResponse:
    zones = await edge.database.read(division_store.zones)
    _, troubles = await edge.database.read(_seen)
    where = "" if error is None else str(error.facts.get("where", ""))
    return await show(
        request,
        edge,
        "media_server.html",
        status=200 if error is None else 422,
        server=server,
        troubles=() if server is None else troubles.get(server.id, ()),
        given=given,
        zones=[(name, name) for name in zones],
        error="" if error is None else error.message,
        where=where,
        findings=findings,
        checkable=ServerCheck in edge.parts,
        # After a POST the address is that of the action; forms and links shall lead back here.
        path="/media/new" if server is None else f"/media/{server.id}",
    )


def _shown(configured: Plan | MediaServer) -> dict[str, object]:
    """Return what the form shows; never the secret."""
    shown: dict[str, object] = {
        field.name: getattr(configured, field.name) for field in fields(Plan) if field.name != "secret"
    }
    rate = configured.originations_per_second
    return {**shown, "originations_per_second": "" if rate is None else f"{rate:g}"}


def _read(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of the form as Plan takes them; InvalidInputError names the first bad one."""
    found: dict[str, Any] = dict(given)
    for name in NUMBERS:
        found[name] = whole_number(given[name], name)
    rate = given["originations_per_second"]
    try:
        found["originations_per_second"] = float(rate) if rate else None
    except ValueError:
        raise InvalidInputError(
            "originations_per_second: give a number, or nothing for no limit", where="originations_per_second"
        ) from None
    found["enabled"] = bool(given["enabled"])
    return found
