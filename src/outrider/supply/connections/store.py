"""SQL of the configured connections. Only `connections/service.py` uses it."""

import datetime as dt

from sqlalchemy import delete, select, update

from outrider.db import schema
from outrider.db.database import Tx
from outrider.supply.connections.model import Connection, ConnectionKind

C, Z = schema.connections.c, schema.zones.c


def connections(tx: Tx) -> list[Connection]:
    """Return all connections by name; the zone of one whose zone was deleted is None."""
    query = (
        select(C.id, C.name, C.kind, C.capacity, Z.name.label("zone"), C.enabled)
        .join(schema.zones, (Z.id == C.zone_id) & Z.retired_at.is_(None), isouter=True)
        .order_by(C.name)
    )
    return [
        Connection(
            id=row["id"],
            name=row["name"],
            kind=ConnectionKind(row["kind"]),
            capacity=row["capacity"],
            zone=row["zone"],
            enabled=row["enabled"],
        )
        for row in tx.execute(query).mappings()
    ]


def add(tx: Tx, connection: Connection, zone_id: int | None, now: dt.datetime) -> int:
    """Store a new connection (its id is chosen here) and return its id."""
    row = schema.connections.insert().values(**_values(connection, zone_id), created_at=now)
    return int(tx.execute(row.returning(C.id)).scalar_one())


def save(tx: Tx, connection: Connection, zone_id: int | None) -> None:
    """Store what a connection is now."""
    statement = update(schema.connections).where(C.id == connection.id)
    tx.execute(statement.values(**_values(connection, zone_id)))


def remove(tx: Tx, connection_id: int) -> None:
    """Forget a connection."""
    tx.execute(delete(schema.connections).where(C.id == connection_id))


def _values(connection: Connection, zone_id: int | None) -> dict[str, object]:
    return {
        "name": connection.name,
        "kind": connection.kind.value,
        "capacity": connection.capacity,
        "zone_id": zone_id,
        "enabled": connection.enabled,
    }
