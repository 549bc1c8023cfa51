"""REST for speech servers: /api/speech-servers. Platform-wide, so for administrators of the system only.

`app.py` includes `router`, and gives EdgeServices a SpeechCheck.
"""

from fastapi import APIRouter

from outrider.speech import service
from outrider.speech.check import SpeechCheck
from outrider.speech.overview import overview
from outrider.speech.schemas import (
    FindingView,
    JobUseView,
    KindUseView,
    NewSpeechServer,
    SpeechServerChanges,
    SpeechServerView,
    SpeechUseView,
)
from outrider.web.access import Edge, RowId, SystemAdministrator

router = APIRouter(prefix="/api/speech-servers", tags=["speech"])


@router.get("")
async def list_speech_servers(edge: Edge, _caller: SystemAdministrator) -> list[SpeechServerView]:
    """List all speech servers with their connections."""
    return [SpeechServerView.of(each) for each in await edge.database.read(service.servers)]


@router.post("", status_code=201)
async def create_speech_server(
    body: NewSpeechServer, edge: Edge, caller: SystemAdministrator
) -> SpeechServerView:
    """Configure a speech server. Refused while no connection of its kind is licensed."""
    made = await edge.database.write(service.add, body.plan(), edge.clock.now(), caller.name)
    return SpeechServerView.of(made)


@router.get("/use")
async def show_speech_use(edge: Edge, _caller: SystemAdministrator) -> SpeechUseView:
    """Show the licensed connections of each kind, and those that each job's calls have now."""
    found = await edge.database.read(overview)
    return SpeechUseView(
        kinds=[KindUseView.of(each) for each in found.kinds],
        jobs=[JobUseView.of(each) for each in found.jobs],
    )


@router.get("/{server_id}")
async def show_speech_server(server_id: RowId, edge: Edge, _caller: SystemAdministrator) -> SpeechServerView:
    """Show one speech server."""
    return SpeechServerView.of(await edge.database.read(service.server, server_id))


@router.patch("/{server_id}")
async def change_speech_server(
    server_id: RowId, body: SpeechServerChanges, edge: Edge, caller: SystemAdministrator
) -> SpeechServerView:
    """Change a speech server; connections that calls have are never cut."""
    known = await edge.database.read(service.server, server_id)
    changed = await edge.database.write(
        service.change, server_id, body.plan(known), edge.clock.now(), caller.name
    )
    return SpeechServerView.of(changed)


@router.delete("/{server_id}", status_code=204)
async def remove_speech_server(server_id: RowId, edge: Edge, caller: SystemAdministrator) -> None:
    """Remove a speech server. Refused while calls use it: switch it off first."""
    await edge.database.write(service.remove, server_id, edge.clock.now(), caller.name)


@router.post("/{server_id}/check")
async def check_speech_server(
    server_id: RowId, edge: Edge, _caller: SystemAdministrator
) -> list[FindingView]:
    """Try a speech server for real: it says a sentence, or recognises words."""
    server = await edge.database.read(service.server, server_id)
    return [FindingView.of(each) for each in await edge.part(SpeechCheck).run(server)]
