"""The pages of speech servers: licensed connections, who uses them; to add, change, remove and check servers.

`app.py` includes `router`. Speech belongs to the whole platform: only its administrators see it.
"""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import HTMLResponse

from outrider.errors import ConflictError, InvalidInputError
from outrider.licences.model import LicenceKind
from outrider.media.checking import Finding
from outrider.speech import service
from outrider.speech.check import SpeechCheck
from outrider.speech.model import ENGINES, Engine, Plan, SpeechServer
from outrider.speech.options import OPTIONS, checked
from outrider.speech.overview import overview
from outrider.web.access import Edge, EdgeServices, RowId, SystemAdministrator
from outrider.web.pages import redirect, render, templates
from outrider.web.pages.console import from_script, show, whole_number

router = APIRouter(include_in_schema=False)

KIND_LABELS: Mapping[str, tuple[str, str]] = {
    "asr": ("Speech recognition (ASR)", "One connection for a call, from its first recognition to its end."),
    "tts": ("Text to speech (TTS)", "One connection for a call, only while a text is being said."),
}
ENGINE_LABELS: Mapping[Engine, str] = {
    Engine.ESPEAK: "espeak-ng",
    Engine.HTTP: "Web service",
    Engine.COMMAND: "Another program",
    Engine.POCKETSPHINX: "pocketsphinx",
}
OPTION = "option_"
"""What the names of fields of options begin with."""
LONGEST = 1000

templates.globals["speech_kinds"] = KIND_LABELS
templates.globals["speech_engines"] = ENGINE_LABELS


async def typed(request: Request) -> dict[str, str]:
    """Return the fields of the form as they were typed."""
    form = await request.form()
    return {
        name: value.strip()[:LONGEST].replace("\0", "")
        for name, value in form.items()
        if isinstance(value, str) and name != "csrf_token"
    }


Fields = Annotated[dict[str, str], Depends(typed)]
Chosen = Annotated[Engine | None, Query(alias="engine")]


@router.get("/speech")
async def show_speech(request: Request, edge: Edge, _caller: SystemAdministrator) -> HTMLResponse:
    """Show all speech servers and who uses them; the page asks for the tables again every few seconds."""
    return await show(
        request, edge, "speech.html", overview=await edge.database.read(overview), path="/speech"
    )


@router.get("/speech/new")
async def show_new(
    request: Request, edge: Edge, _caller: SystemAdministrator, engine: Chosen = None
) -> HTMLResponse:
    """Show the form for another speech server."""
    chosen = engine or Engine.ESPEAK
    blank = {"name": "", "maximum": "10", "weight": "1", "enabled": "true"}
    return await _form(request, edge, None, chosen, blank | _defaults(chosen))


@router.post("/speech/new")
async def handle_new(
    request: Request, edge: Edge, caller: SystemAdministrator, given: Fields, engine: Chosen = None
) -> Response:
    """Configure a speech server, or show the form again with the reason."""
    chosen = engine or Engine.ESPEAK
    try:
        plan = _read(given, _kind_of(chosen), chosen)
        made = await edge.database.write(service.add, plan, edge.clock.now(), caller.name)
    except (InvalidInputError, ConflictError) as error:
        return await _form(request, edge, None, chosen, given, error=error)
    return redirect(f"/speech/{made.id}", f"{made.name} is added. Check it before calls use it.")


@router.get("/speech/{server_id}")
async def show_server(
    request: Request, edge: Edge, _caller: SystemAdministrator, server_id: RowId, engine: Chosen = None
) -> HTMLResponse:
    """Show one speech server with its form."""
    server = await edge.database.read(service.server, server_id)
    chosen = engine if engine in ENGINES[server.kind] else server.engine
    return await _form(request, edge, server, chosen, _shown(server, chosen))


@router.post("/speech/{server_id}")
async def handle_change(
    request: Request,
    edge: Edge,
    caller: SystemAdministrator,
    server_id: RowId,
    given: Fields,
    engine: Chosen = None,
) -> Response:
    """Change a speech server, or show the form again with the reason."""
    server = await edge.database.read(service.server, server_id)
    chosen = engine or server.engine
    try:
        plan = _read(given, server.kind, chosen)
        changed = await edge.database.write(service.change, server_id, plan, edge.clock.now(), caller.name)
    except (InvalidInputError, ConflictError) as error:
        return await _form(request, edge, server, chosen, given, error=error)
    return redirect(f"/speech/{server_id}", f"{changed.name} is saved.")


@router.post("/speech/{server_id}/remove")
async def handle_remove(
    request: Request, edge: Edge, caller: SystemAdministrator, server_id: RowId
) -> Response:
    """Remove a speech server, or say why it stays."""
    server = await edge.database.read(service.server, server_id)
    try:
        await edge.database.write(service.remove, server_id, edge.clock.now(), caller.name)
    except ConflictError as error:
        return await _form(request, edge, server, server.engine, _shown(server, server.engine), error=error)
    return redirect("/speech", f"{server.name} is removed; its connections go to the others.")


@router.post("/speech/{server_id}/check")
async def handle_check(
    request: Request, edge: Edge, _caller: SystemAdministrator, server_id: RowId
) -> HTMLResponse:
    """Try a speech server for real, and show what was found."""
    server = await edge.database.read(service.server, server_id)
    findings = await edge.part(SpeechCheck).run(server)
    if from_script(request):
        return render(request, "media_check.html", findings=findings)
    shown = _shown(server, server.engine)
    return await _form(request, edge, server, server.engine, shown, findings=findings)


async def _form(
    request: Request,
    edge: EdgeServices,
    server: SpeechServer | None,
    engine: Engine,
    given: Mapping[str, str],
    *,
    error: InvalidInputError | ConflictError | None = None,
    findings: tuple[Finding, ...] | None = None,
) -> HTMLResponse:
    # After a POST the address is that of the action; forms and links shall lead back here.
    path = "/speech/new" if server is None else f"/speech/{server.id}"
    kind = _kind_of(engine) if server is None else server.kind
    choices = tuple(ENGINE_LABELS) if server is None else ENGINES[server.kind]
    where = "" if error is None else str(error.facts.get("where", "")).replace("options.", OPTION)
    return await show(
        request,
        edge,
        "speech_server.html",
        status=200 if error is None else 422,
        server=server,
        kind=kind.value,
        engine=engine,
        tabs=[(_tab(each), f"{path}?engine={each.value}") for each in choices],
        options=OPTIONS[engine],
        given=given,
        error="" if error is None else error.message,
        where=where,
        findings=findings,
        licensed=await edge.database.read(service.licensed, kind),
        checkable=SpeechCheck in edge.parts,
        path=path,
    )


def _tab(engine: Engine) -> str:
    return f"{ENGINE_LABELS[engine]} ({_kind_of(engine).upper()})"


def _kind_of(engine: Engine) -> LicenceKind:
    return next(kind for kind, engines in ENGINES.items() if engine in engines)


def _defaults(engine: Engine) -> dict[str, str]:
    return {f"{OPTION}{option.name}": option.default for option in OPTIONS[engine]}


def _shown(server: SpeechServer, engine: Engine) -> dict[str, str]:
    """Return what the form shows; the server's own options belong to its present engine only."""
    own = server.options if engine is server.engine else {}
    return {
        "name": server.name,
        "maximum": str(server.maximum),
        "weight": str(server.weight),
        "enabled": "true" if server.enabled else "",
        **_defaults(engine),
        **{f"{OPTION}{name}": value for name, value in own.items()},
    }


def _read(given: Mapping[str, str], kind: LicenceKind, engine: Engine) -> Plan:
    """Return the form as the service takes it; InvalidInputError names the first bad field."""
    options = {name.removeprefix(OPTION): value for name, value in given.items() if name.startswith(OPTION)}
    return checked(
        Plan(
            name=given.get("name", ""),
            kind=kind,
            engine=engine,
            maximum=whole_number(given.get("maximum", ""), "maximum"),
            weight=whole_number(given.get("weight", ""), "weight"),
            enabled=bool(given.get("enabled")),
            options=options,
        )
    )
