"""REST of the SIP and H.323 connections: /api/connections, for users of the whole system.

`supply/api.py` includes `router`.
"""

from dataclasses import replace

from fastapi import APIRouter

from outrider.db.database import Tx
from outrider.errors import NotAllowedError
from outrider.licences.service import SharingRules
from outrider.supply import ports
from outrider.supply.connections import service
from outrider.supply.connections.model import Connection
from outrider.supply.platform_schemas import ConnectionChange, ConnectionView, NewConnection
from outrider.web.access import Caller, Edge, EdgeServices, RowId, SystemAdministrator, Viewer

router = APIRouter(prefix="/connections", tags=["platform"])


@router.get("")
async def list_connections(edge: Edge, caller: Viewer) -> list[ConnectionView]:
    """List the connections with the ports that each carries now. For users of the whole system only."""
    if caller.organization_id is not None:
        raise NotAllowedError("connections are those of the whole system; ask its administrator")
    return await edge.database.read(_views)


@router.post("", status_code=201)
async def create_connection(body: NewConnection, edge: Edge, caller: SystemAdministrator) -> ConnectionView:
    """Create a connection; its ports count at once. 409 for a name in use."""
    return await edge.database.write(_add, edge, body, caller)


@router.patch("/{connection_id}")
async def change_connection(
    connection_id: RowId, body: ConnectionChange, edge: Edge, caller: SystemAdministrator
) -> ConnectionView:
    """Change a connection; what is left out stays. Fewer ports cut no live call."""
    return await edge.database.write(_change, edge, connection_id, body, caller)


@router.delete("/{connection_id}", status_code=204)
async def delete_connection(connection_id: RowId, edge: Edge, caller: SystemAdministrator) -> None:
    """Delete a connection; its ports count no more, and calls end by themselves."""
    rules = edge.part(SharingRules)
    await edge.database.write(service.remove, rules, edge.clock.now(), caller.name, connection_id)


def _views(tx: Tx) -> list[ConnectionView]:
    found = service.connections(tx)
    parts = ports.per_connection(service.telephony(tx), found)
    return [ConnectionView.of(each, parts[each.id]) for each in found]


def _add(tx: Tx, edge: EdgeServices, body: NewConnection, caller: Caller) -> ConnectionView:
    made = service.add(
        tx,
        edge.part(SharingRules),
        edge.clock.now(),
        caller.name,
        name=body.name,
        kind=body.kind,
        capacity=body.capacity,
        zone=body.zone,
    )
    return _view(tx, made)


def _change(
    tx: Tx, edge: EdgeServices, connection_id: int, body: ConnectionChange, caller: Caller
) -> ConnectionView:
    known = service.connection(tx, connection_id)
    given = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    rules, now = edge.part(SharingRules), edge.clock.now()
    return _view(tx, service.change(tx, rules, now, caller.name, known.id, replace(known, **given)))


def _view(tx: Tx, made: Connection) -> ConnectionView:
    parts = ports.per_connection(service.telephony(tx), service.connections(tx))
    return ConnectionView.of(made, parts[made.id])
