"""The registry of media servers: add, change, drain, remove, and what workers need to connect.

The API, pages and `outrider media` call it. Every change splits the zone's ports anew (`sharing.rebalance`).
"""

import dataclasses
import datetime as dt
from typing import Any

from outrider.db import log
from outrider.db.database import Tx
from outrider.db.sealed import Sealer
from outrider.errors import ConflictError, InvalidInputError, NotFoundError, StoreError
from outrider.events import RecordChanged
from outrider.ids import ZoneId
from outrider.licences import division_store
from outrider.media import port_findings as judging
from outrider.media import sharing, store, telephony
from outrider.media.checking import Finding
from outrider.media.model import Connection, Health, MediaServer, MediaServerId, Plan, ZonePorts, check

PURPOSE = "media server"
"""What its secrets are sealed for."""

ADDRESS_FIELDS = frozenset({"driver", "url", "username", "secret", "app"})
"""Change one, and it is another server as far as we know: it has no ports until it is connected."""

CONNECTION_FIELDS = ADDRESS_FIELDS | {"name", "trunk", "caller_id", "enabled"}


def servers(tx: Tx) -> list[MediaServer]:
    """Return all media servers by name, removed ones too while calls are up there."""
    return store.servers(tx)


def zones(tx: Tx) -> list[ZonePorts]:
    """Return the zones that have media servers, by name, with the ports that these share."""
    ports = store.split_ports(tx)
    found: dict[ZoneId | None, list[MediaServer]] = {}
    for each in store.servers(tx):
        found.setdefault(each.zone_id, []).append(each)
    overview = [
        ZonePorts(members[0].zone, 0 if zone_id is None else ports.get(zone_id, 0), tuple(members))
        for zone_id, members in found.items()
    ]
    return sorted(overview, key=lambda zone: zone.name)


def port_findings(tx: Tx) -> dict[MediaServerId, tuple[Finding, ...]]:
    """Return what the registry finds wrong with each media server, by id: no ports, or registered twice."""
    ports = telephony.zone_ports(tx)
    total = sum(ports.values())
    known = [each for each in store.servers(tx) if each.retired_at is None and each.enabled]
    return {
        each.id: (
            *judging.shared_findings(each, known),
            *judging.port_findings(each, ports.get(each.zone_id, 0) if each.zone_id else 0, total),
        )
        for each in known
    }


def server(tx: Tx, server_id: int) -> MediaServer:
    """Return one media server. NotFoundError."""
    found = store.servers(tx, server_id=server_id)
    if not found:
        raise NotFoundError(f"there is no media server {server_id}")
    return found[0]


def server_named(tx: Tx, name: str) -> MediaServer:
    """Return one media server by its name. NotFoundError lists the names there are."""
    found = store.servers(tx, name=name)
    if not found:
        names = ", ".join(each.name for each in store.servers(tx)) or "none"
        raise NotFoundError(f"there is no media server named {name!r}; there are: {names}")
    return found[0]


def add(tx: Tx, sealer: Sealer, plan: Plan, now: dt.datetime, actor: str) -> MediaServer:
    """Register a media server; it has ports as soon as a worker is connected to it.

    InvalidInputError for a bad field or an unknown zone, ConflictError for a name in use.
    """
    check(plan)
    zone_id = _zone(tx, plan.zone)
    _unused(tx, plan.name)
    values = _columns(dataclasses.asdict(plan), sealer)
    server_id = store.add(tx, {**values, "zone_id": zone_id, "created_at": now})
    _note(tx, now, server_id, "created", plan.name, actor)
    sharing.rebalance(tx, zone_id, now, f"{plan.name} added")
    return server(tx, server_id)


def change(
    tx: Tx, sealer: Sealer, server_id: int, changes: dict[str, Any], now: dt.datetime, actor: str
) -> MediaServer:
    """Change fields of `Plan`, others stay; an empty or missing secret keeps the one there is.

    InvalidInputError for a bad field, ConflictError for a name in use, or for another zone while calls are
    up. After a new address or user, or being switched on, it has no ports until a worker is connected.
    """
    given = {name: value for name, value in changes.items() if name != "secret" or value}
    before = _living(tx, server_id)
    known = {
        field.name: getattr(before, field.name)
        for field in dataclasses.fields(Plan)
        if field.name != "secret"
    }
    check(Plan(**{**known, "secret": "unchanged", **given}))
    moved = {name: value for name, value in given.items() if name == "secret" or known[name] != value}
    if not moved:
        return before
    zone_id = _zone(tx, moved["zone"]) if "zone" in moved else before.zone_id
    zones = {zone for zone in (zone_id, before.zone_id) if zone is not None}
    _lock(tx, *zones)
    if zone_id != before.zone_id and server(tx, server_id).in_use:
        raise ConflictError(f"{before.name} has calls up: drain it before you put it into another zone")
    if "name" in moved:
        _rename(tx, before, moved["name"])
    values = _columns(moved, sealer)
    if zone_id != before.zone_id:
        values |= {"zone_id": zone_id, "quota": 0, "granted": 0}
    if ADDRESS_FIELDS & moved.keys() or moved.get("enabled"):
        # What workers saw before says nothing of the new address, or of a server they had left.
        values |= {"health": Health.NEW.value, "health_at": now, "message": "", "version": ""}
        store.forget_reports(tx, server_id)
    store.change(tx, server_id, anew=bool(CONNECTION_FIELDS & moved.keys()), **values)
    _note(tx, now, server_id, "changed", str(moved.get("name", before.name)), actor)
    for zone in sorted(zones):
        sharing.rebalance(tx, zone, now, f"{before.name} changed")
    return server(tx, server_id)


def drain(tx: Tx, server_id: int, now: dt.datetime, actor: str, *, draining: bool) -> MediaServer:
    """Let a media server start nothing more, or let it work again; calls that are up go on."""
    before = _living(tx, server_id)
    if before.draining is draining:
        return before
    _lock(tx, before.zone_id)
    store.change(tx, server_id, anew=False, draining=draining)
    _note(tx, now, server_id, "drained" if draining else "undrained", before.name, actor)
    if before.zone_id is not None:
        what = "drains" if draining else "works again"
        sharing.rebalance(tx, before.zone_id, now, f"{before.name} {what}")
    return server(tx, server_id)


def remove(tx: Tx, server_id: int, now: dt.datetime, actor: str) -> None:
    """Take a media server out of the registry; calls that are up end by themselves.

    Its ports in use stay counted until then, and it stays listed as removed, under its name.
    """
    before = _living(tx, server_id)
    _lock(tx, before.zone_id)
    store.change(tx, server_id, anew=True, retired_at=now)
    _note(tx, now, server_id, "removed", before.name, actor)
    if before.zone_id is not None:
        sharing.rebalance(tx, before.zone_id, now, f"{before.name} removed")


def connections(tx: Tx, sealer: Sealer) -> tuple[Connection, ...]:
    """Return what a worker is to be connected to, by id: servers that are enabled, or have calls up.

    StoreError names a server whose secret was sealed with another key.
    """
    wanted = [each for each in store.servers(tx) if each.in_use or (each.enabled and not each.retired_at)]
    sealed = store.secrets_of(tx, [each.id for each in wanted])
    found = [_connection(each, sealed[each.id], sealer) for each in wanted]
    return tuple(sorted(found, key=lambda each: each.id))


def connection(tx: Tx, sealer: Sealer, server_id: int) -> Connection:
    """Return what is needed to connect to one server, as for a check. NotFoundError, StoreError."""
    found = server(tx, server_id)
    return _connection(found, store.secrets_of(tx, [server_id])[server_id], sealer)


def _connection(found: MediaServer, sealed: str, sealer: Sealer) -> Connection:
    try:
        secret = sealer.open(sealed, PURPOSE)
    except StoreError as error:
        raise StoreError(f"{found.name}: {error.message}") from None
    return Connection(
        id=found.id,
        name=found.name,
        driver=found.driver,
        url=found.url,
        username=found.username,
        secret=secret,
        app=found.app,
        trunk=found.trunk,
        caller_id=found.caller_id,
        revision=found.revision,
        wanted=found.enabled and found.retired_at is None,
    )


def _living(tx: Tx, server_id: int) -> MediaServer:
    found = server(tx, server_id)
    if found.retired_at is not None:
        raise ConflictError(f"{found.name}: it is removed already; its last calls end by themselves")
    return found


def _lock(tx: Tx, *zone_ids: ZoneId | None) -> None:
    """Lock zones and their servers in the order that everybody keeps, before anything of them is changed."""
    zones = {zone for zone in zone_ids if zone is not None}
    store.lock_zones(tx, zones)
    store.lock_members(tx, zones)


def _columns(values: dict[str, Any], sealer: Sealer) -> dict[str, Any]:
    columns = {name: value for name, value in values.items() if name != "zone"}
    if "secret" in columns:
        columns["secret"] = sealer.seal(columns["secret"], PURPOSE)
    if "driver" in columns:
        columns["driver"] = str(columns["driver"])
    return columns


def _zone(tx: Tx, name: str) -> ZoneId:
    zones = division_store.zones(tx)
    if name not in zones:
        known = ", ".join(zones)
        raise InvalidInputError(f"zone: there is no zone {name!r}; there are: {known}", where="zone")
    return zones[name]


def _unused(tx: Tx, name: str) -> None:
    for found in store.servers(tx, name=name):
        if found.retired_at is None:
            raise ConflictError(f"there is a media server named {name!r} already", where="name")
        raise ConflictError(
            f"calls are still up on the removed media server {name!r}: wait for their end, "
            "or take another name",
            where="name",
        )


def _rename(tx: Tx, before: MediaServer, name: str) -> None:
    """Refuse a name in use; and any while calls are up, which know their server by its name."""
    if server(tx, before.id).in_use:
        raise ConflictError(f"{before.name} has calls up: drain it before you rename it", where="name")
    _unused(tx, name)


def _note(
    tx: Tx, now: dt.datetime, server_id: MediaServerId | int, change: str, name: str, actor: str
) -> None:
    event = RecordChanged(record="media_server", record_id=server_id, change=change, name=name, actor=actor)
    log.append(tx, now, event)
