"""REST for media servers: /api/media-servers. Platform-wide, so for administrators of the system only.

`app.py` includes `router`, and gives EdgeServices a Sealer and a ServerCheck.
"""

from fastapi import APIRouter

from outrider.db.sealed import Sealer
from outrider.media import service
from outrider.media.checking import ServerCheck
from outrider.media.port_findings import joined
from outrider.media.schemas import Drain, FindingView, MediaServerChanges, MediaServerView, NewMediaServer
from outrider.web.access import Edge, RowId, SystemAdministrator

router = APIRouter(prefix="/api/media-servers", tags=["media"])


@router.get("")
async def list_media_servers(edge: Edge, _caller: SystemAdministrator) -> list[MediaServerView]:
    """List all media servers with their ports and health; removed ones as long as calls are up there."""
    return [MediaServerView.of(each) for each in await edge.database.read(service.servers)]


@router.post("", status_code=201)
async def create_media_server(
    body: NewMediaServer, edge: Edge, caller: SystemAdministrator
) -> MediaServerView:
    """Register a media server. It has ports as soon as a worker is connected to it."""
    made = await edge.database.write(
        service.add, edge.part(Sealer), body.plan(), edge.clock.now(), caller.name
    )
    return MediaServerView.of(made)


@router.get("/{server_id}")
async def show_media_server(server_id: RowId, edge: Edge, _caller: SystemAdministrator) -> MediaServerView:
    """Show one media server."""
    return MediaServerView.of(await edge.database.read(service.server, server_id))


@router.patch("/{server_id}")
async def change_media_server(
    server_id: RowId, body: MediaServerChanges, edge: Edge, caller: SystemAdministrator
) -> MediaServerView:
    """Change a media server. With another address or user it has no ports until it is connected there."""
    changed = await edge.database.write(
        service.change, edge.part(Sealer), server_id, body.given(), edge.clock.now(), caller.name
    )
    return MediaServerView.of(changed)


@router.delete("/{server_id}", status_code=204)
async def remove_media_server(server_id: RowId, edge: Edge, caller: SystemAdministrator) -> None:
    """Remove a media server; its calls that are up end by themselves, and count until then."""
    await edge.database.write(service.remove, server_id, edge.clock.now(), caller.name)


@router.post("/{server_id}/drain")
async def drain_media_server(
    server_id: RowId, body: Drain, edge: Edge, caller: SystemAdministrator
) -> MediaServerView:
    """Let a media server start nothing more, or let it work again; its ports move to the others."""
    drained = await edge.database.write(
        service.drain, server_id, edge.clock.now(), caller.name, draining=body.draining
    )
    return MediaServerView.of(drained)


@router.post("/{server_id}/check")
async def check_media_server(server_id: RowId, edge: Edge, _caller: SystemAdministrator) -> list[FindingView]:
    """Try a media server for real and say what is wrong: address, credentials, version, modules."""
    connection = await edge.database.read(service.connection, edge.part(Sealer), server_id)
    ports = await edge.database.read(service.port_findings)
    found = joined(await edge.part(ServerCheck).run(connection), ports.get(connection.id, ()))
    return [FindingView.of(each) for each in found]
