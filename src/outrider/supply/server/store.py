"""SQL of the licence server's clients and leases.

Only `supply/server/service.py` and `clients.py` use it, inside the lock that `file_store.lock` takes.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert
from outrider.licences.model import LicenceKind
from outrider.supply.server.model import Client, Lease, Limit

C, M, L = schema.licence_clients.c, schema.licence_client_limits.c, schema.licence_leases.c

_RENEW = (
    schema.licence_clients.update()
    .where(C.id == bindparam("key"))
    .values(
        installation=bindparam("new_installation"),
        sequence=bindparam("new_sequence"),
        renewed_at=bindparam("new_renewed_at"),
        expires_at=bindparam("new_expires_at"),
    )
)
_CLIENTS = select(
    C.id,
    C.name,
    C.created_at,
    C.token_hash,
    C.about,
    C.installation,
    C.sequence,
    C.renewed_at,
    C.expires_at,
    C.retired_at,
).order_by(C.id)
_LIMITS = select(M.client_id, M.kind, M.minimum, M.maximum)
_LEASES = select(L.client_id, L.kind, L.wanted, L.count, L.granted_at, L.believed, L.believed_until)
_KINDS = {kind.value: kind for kind in LicenceKind}


def clients(tx: Tx) -> list[Client]:
    """Return all clients with their limits and leases, the retired ones too, oldest first."""
    limits: dict[int, dict[LicenceKind, Limit]] = defaultdict(dict)
    for client_id, kind, minimum, maximum in tx.execute(_LIMITS):
        limits[client_id][_KINDS[kind]] = Limit(minimum, maximum)
    leases: dict[int, dict[LicenceKind, Lease]] = defaultdict(dict)
    for client_id, kind, *columns in tx.execute(_LEASES):
        leases[client_id][_KINDS[kind]] = Lease(*columns)
    return [Client(*row[:10], limits.get(row[0], {}), leases.get(row[0], {})) for row in tx.execute(_CLIENTS)]


def save(tx: Tx, changes: Iterable[tuple[Client, Client]]) -> None:
    """Store what became of clients, given as (before, after): their renewals, and the leases that changed."""
    renewals: list[Mapping[str, Any]] = []
    leases: list[Mapping[str, Any]] = []
    gone: list[Mapping[str, Any]] = []
    for before, after in changes:
        renewals.append(
            {
                "key": after.id,
                "new_installation": after.installation,
                "new_sequence": after.sequence,
                "new_renewed_at": after.renewed_at,
                "new_expires_at": after.expires_at,
            }
        )
        gone += [
            {"gone_client": after.id, "gone_kind": kind.value}
            for kind in before.leases
            if kind not in after.leases
        ]
        leases += [
            _lease_row(after.id, kind, lease)
            for kind, lease in after.leases.items()
            if before.leases.get(kind) != lease
        ]
    _store(tx, renewals, leases, gone)


def _store(
    tx: Tx,
    renewals: Sequence[Mapping[str, Any]],
    leases: Sequence[Mapping[str, Any]],
    gone: Sequence[Mapping[str, Any]],
) -> None:
    if renewals:
        tx.execute(_RENEW, renewals)
    if gone:
        statement = delete(schema.licence_leases).where(
            L.client_id == bindparam("gone_client"), L.kind == bindparam("gone_kind")
        )
        tx.execute(statement, gone)
    if leases:
        row = insert(tx, schema.licence_leases)
        new = {name: row.excluded[name] for name in leases[0] if name not in {"client_id", "kind"}}
        tx.execute(row.on_conflict_do_update(index_elements=["client_id", "kind"], set_=new), leases)


def find(tx: Tx, name: str) -> Client | None:
    """Return the client by that name, retired or not, without limits and leases."""
    row = tx.execute(_CLIENTS.where(C.name == name)).first()
    return None if row is None else Client(*row)


def add(tx: Tx, name: str, about: str, token_hash: str | None, now: dt.datetime) -> None:
    """Store a new client, or bring a retired one back with another token."""
    row = insert(tx, schema.licence_clients).values(
        name=name, about=about, token_hash=token_hash, created_at=now
    )
    again = {"about": about, "token_hash": token_hash, "retired_at": None}
    tx.execute(row.on_conflict_do_update(index_elements=["name"], set_=again))


def retire(tx: Tx, client_id: int, now: dt.datetime) -> None:
    """Let a client ask no more; its units come free when its lease ends."""
    row = schema.licence_clients.update().where(C.id == client_id)
    tx.execute(row.values(retired_at=now, token_hash=None))
    tx.execute(delete(schema.licence_client_limits).where(M.client_id == client_id))


def set_token(tx: Tx, client_id: int, token_hash: str) -> None:
    """Replace a client's token."""
    tx.execute(schema.licence_clients.update().where(C.id == client_id).values(token_hash=token_hash))


def free(tx: Tx, client_id: int, now: dt.datetime) -> None:
    """End a client's leases at once, whatever it may still believe."""
    tx.execute(delete(schema.licence_leases).where(L.client_id == client_id))
    row = schema.licence_clients.update().where(C.id == client_id)
    tx.execute(row.values(expires_at=now, installation="", sequence=C.sequence + 1))


def set_limit(tx: Tx, client_id: int, kind: LicenceKind, limit: Limit) -> None:
    """Store a client's limit of one feature."""
    values = {"minimum": limit.minimum, "maximum": limit.maximum}
    row = insert(tx, schema.licence_client_limits).values(client_id=client_id, kind=kind.value, **values)
    tx.execute(row.on_conflict_do_update(index_elements=["client_id", "kind"], set_=values))


def _lease_row(client_id: int, kind: LicenceKind, lease: Lease) -> Mapping[str, Any]:
    return {
        "client_id": client_id,
        "kind": kind.value,
        "wanted": lease.wanted,
        "count": lease.count,
        "granted_at": lease.granted_at,
        "believed": lease.believed,
        "believed_until": lease.believed_until,
    }
