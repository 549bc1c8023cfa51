"""SIP and H.323 connections: created, changed, removed, and what telephony ports come to over them.

API, page and command line change them; the media-server registry asks for `telephony` (licensing.md 7).
"""

import datetime as dt
from dataclasses import replace

from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import ConflictError, NotFoundError
from outrider.events import RecordChanged
from outrider.licences import division_store
from outrider.licences.service import SharingRules
from outrider.supply import entitlement
from outrider.supply.connections import store
from outrider.supply.connections.model import Connection, ConnectionKind, check
from outrider.supply.ports import TelephonyPorts


def telephony(tx: Tx) -> TelephonyPorts:
    """Return the telephony ports of the system: authorised, usable over connections, and their split.

    All 0 once the licence has expired. Without any connection the simulated carrier carries everything.
    """
    return entitlement.telephony(tx)


def connections(tx: Tx) -> list[Connection]:
    """Return all connections by name."""
    return store.connections(tx)


def connection(tx: Tx, connection_id: int) -> Connection:
    """Return one connection. NotFoundError when there is none by that id."""
    for each in store.connections(tx):
        if each.id == connection_id:
            return each
    raise NotFoundError(f"there is no connection {connection_id}")


def named(tx: Tx, name: str) -> Connection:
    """Return one connection by its name. NotFoundError names those that there are."""
    found = store.connections(tx)
    for each in found:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in found) or "none yet"
    raise NotFoundError(f"there is no connection {name!r}; there are: {known}")


def add(
    tx: Tx,
    rules: SharingRules,
    now: dt.datetime,
    actor: str,
    *,
    name: str,
    kind: ConnectionKind,
    capacity: int,
    zone: str | None = None,
) -> Connection:
    """Create a connection and count its ports at once.

    `capacity` is in simultaneous calls (SIP) or stations (H.323). InvalidInputError names a bad field,
    ConflictError a name in use, NotFoundError an unknown zone.
    """
    made = Connection(0, check(name, capacity), kind, capacity, zone or None)
    _refuse_taken(tx, made)
    number = store.add(tx, made, _zone_id(tx, made.zone), now)
    made = replace(made, id=number)
    _changed(tx, rules, now, made, "created", actor)
    return made


def change(
    tx: Tx, rules: SharingRules, now: dt.datetime, actor: str, connection_id: int, wanted: Connection
) -> Connection:
    """Make a connection what `wanted` says (its id is ignored; the kind stays), and count anew.

    Raises what `add` does, and NotFoundError for an unknown id. Fewer ports cut no live call.
    """
    known = connection(tx, connection_id)
    name = check(wanted.name, wanted.capacity)
    made = replace(wanted, id=known.id, kind=known.kind, name=name, zone=wanted.zone or None)
    if made == known:
        return known
    _refuse_taken(tx, made)
    store.save(tx, made, _zone_id(tx, made.zone))
    _changed(tx, rules, now, made, "changed", actor)
    return made


def remove(tx: Tx, rules: SharingRules, now: dt.datetime, actor: str, connection_id: int) -> None:
    """Forget a connection; its ports count no more, and calls end by themselves. NotFoundError."""
    known = connection(tx, connection_id)
    store.remove(tx, known.id)
    _changed(tx, rules, now, known, "deleted", actor)


def _refuse_taken(tx: Tx, made: Connection) -> None:
    if any(each.name == made.name and each.id != made.id for each in store.connections(tx)):
        raise ConflictError(f"there is a connection {made.name!r} already: choose another name")


def _zone_id(tx: Tx, zone: str | None) -> int | None:
    if zone is None:
        return None
    known = division_store.zones(tx)
    if zone not in known:
        raise NotFoundError(f"there is no zone {zone!r}; the zones are {', '.join(known)}")
    return known[zone]


def _changed(
    tx: Tx, rules: SharingRules, now: dt.datetime, made: Connection, change: str, actor: str
) -> None:
    event = RecordChanged(record="connection", record_id=made.id, change=change, name=made.name, actor=actor)
    log.append(tx, now, event)
    entitlement.divide_anew(tx, rules, now, cause=f"connection {made.name} {change}", actor=actor)
