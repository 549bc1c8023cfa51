"""Ports of a zone over its media servers, on the database: reports, health, splits and grants.

Workers report what they see, the registry and the monitor ask for new splits, `media/placing.py` regrants.
The rules are the pure functions of `split.py` and `health.py`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from outrider.db import log
from outrider.db.database import Row, Tx
from outrider.events import MediaPortsMoved, MediaServerChanged
from outrider.ids import ZoneId
from outrider.media import store, telephony
from outrider.media.health import Seen, Verdict, judge
from outrider.media.model import Health, Report
from outrider.media.split import Holding, grant, split

LONGEST_MESSAGE, LONGEST_VERSION = 500, 80


def report(
    tx: Tx, worker_id: str, reports: Sequence[Report], now: dt.datetime, real_now: dt.datetime | None = None
) -> bool:
    """Note what a worker sees of media servers; return whether quotas or grants changed.

    A worker reports at every change, and for each server that it should be connected to. When a server
    connects or fails by it, its zone's ports are split anew at once. Reports of a worker that was declared
    dead, and of servers that are not there, do not count. `real_now` is the time that workers' leases are
    kept in.
    """
    if not reports or not store.is_worker(tx, worker_id):
        return False
    zones = store.zones_of(tx, [each.server_id for each in reports])
    known = {each.id for each in store.servers(tx)}
    store.lock_zones(tx, zones)
    kept = [
        Report(each.server_id, each.seen_as, each.message[:LONGEST_MESSAGE], each.version[:LONGEST_VERSION])
        for each in reports
        if each.server_id in known
    ]
    store.add_reports(tx, worker_id, kept, now)
    return _look_again(tx, zones, now, real_now)


def is_stale(tx: Tx, real_now: dt.datetime | None = None) -> bool:
    """Return whether `watch` has something to do: cheap, and nothing is locked.

    Workers die, and telephony ports and zones change, without anybody telling the media servers.
    """
    known = store.split_ports(tx)
    if not known and not store.any_server(tx):
        return False
    if store.homeless(tx):
        return True
    zones = store.zones_of(tx).union(known)
    ports = telephony.zone_ports(tx)
    if any(ports.get(zone, 0) != known.get(zone, 0) for zone in zones):
        return True
    seen = store.seen(tx, zones, real_now)
    return any(
        judge(Verdict(each.health, each.message, each.version), seen.get(each.id, ())).health
        is not each.health
        for each in store.servers(tx)
    )


def watch(tx: Tx, now: dt.datetime, real_now: dt.datetime | None = None) -> bool:
    """Bring every zone up to date: health by the workers that live, ports by what the zones have now.

    Media servers of a deleted zone move to the default zone. Returns whether quotas or grants changed. The
    monitor calls it when `is_stale`.
    """
    lost = store.homeless(tx)
    zones = store.zones_of(tx)
    if lost:
        zones.add(store.default_zone(tx))
        store.lock_zones(tx, zones)
        store.lock_members(tx, zones)
        store.move(tx, lost, store.default_zone(tx))
    health = _look_again(tx, zones, now, real_now)
    # A zone without any server has ports too: calls over the simulated carrier share them.
    noted = zones.union(store.split_ports(tx))
    ports = [rebalance(tx, zone_id, now, "ports of the zone changed") for zone_id in sorted(noted)]
    return health or any(ports)


def rebalance(tx: Tx, zone_id: ZoneId, now: dt.datetime, cause: str) -> bool:
    """Split a zone's ports over its media servers anew and grant what is free; return whether any moved.

    Only servers in service have a quota. Locks the zone, then its servers.
    """
    before = store.lock_zones(tx, [zone_id])[zone_id]
    ports = telephony.zone_ports(tx).get(zone_id, 0)
    if ports != before:
        store.set_zone_ports(tx, zone_id, ports)
    holdings = [store.holding_of(row) for row in store.lock_members(tx, [zone_id])]
    quotas = split(ports, holdings)
    changed = _save(tx, ports, holdings, quotas)
    if any(quotas[each.id] != each.quota for each in holdings):
        event = MediaPortsMoved(
            zone_id=zone_id,
            ports=ports,
            cause=cause,
            before={str(each.id): each.quota for each in holdings},
            after={str(server): quota for server, quota in quotas.items()},
        )
        log.append(tx, now, event)
    return changed


def regrant(tx: Tx, ports: int, holdings: Sequence[Holding]) -> bool:
    """Grant ports that became free to the servers that are owed some (licensing.md 4.5); quotas stay.

    `holdings` are all servers of one zone, locked, as they are now; `ports` is what they share. Returns
    whether a grant changed.
    """
    unsettled = any(each.granted < each.quota or each.in_use > each.granted for each in holdings)
    return unsettled and _save(tx, ports, holdings, {each.id: each.quota for each in holdings})


def drifts(tx: Tx) -> list[str]:
    """Return every disagreement between ports in use and open calls, and every zone with too much granted.

    For `outrider check`; empty when all is sound.
    """
    truth = store.units_in_use(tx)
    shares = store.all_shares(tx)
    found = [
        f"media server {row['id']} ({row['name']}): ports in use is {row['in_use']}, "
        f"should be {truth.get(row['id'], 0)}"
        for row in shares
        if row["in_use"] != truth.get(row["id"], 0)
    ]
    known = {row["id"] for row in shares}
    found += [
        f"{count} open calls name the media server {server}, which there is not"
        for server, count in sorted(truth.items())
        if server not in known
    ]
    for zone_id, ports in sorted(store.split_ports(tx).items()):
        granted = sum(row["granted"] for row in shares if row["zone_id"] == zone_id)
        if granted > ports:
            found.append(f"zone {zone_id}: {granted} ports are granted to its media servers, it has {ports}")
    return found


def _look_again(tx: Tx, zones: Iterable[ZoneId], now: dt.datetime, real_now: dt.datetime | None) -> bool:
    """Judge the health of all servers of these zones anew, and split where one connected or failed."""
    zones = sorted(zones)
    store.lock_zones(tx, zones)
    seen = store.seen(tx, zones, real_now)
    turned: dict[ZoneId, str] = {}
    for row in store.lock_members(tx, zones):
        after = _judge(tx, row, seen.get(row["id"], ()), now)
        if after is not None:
            turned[ZoneId(row["zone_id"])] = f"{row['name']} {after.value}"
    changed = [rebalance(tx, zone_id, now, cause) for zone_id, cause in sorted(turned.items())]
    return any(changed)


def _judge(tx: Tx, row: Row, seen: Sequence[Seen], now: dt.datetime) -> Health | None:
    """Write what is held of a server now; return its health when that changed."""
    before = Verdict(Health(row["health"]), row["message"], row["version"])
    verdict = judge(before, seen)
    if verdict == before:
        return None
    turned = verdict.health is not before.health
    store.set_verdict(tx, row["id"], verdict, now if turned else None)
    if not turned:
        return None
    event = MediaServerChanged(
        server_id=row["id"],
        name=row["name"],
        before=before.health.value,
        after=verdict.health.value,
        message=verdict.message,
    )
    log.append(tx, now, event)
    return verdict.health


def _save(tx: Tx, ports: int, holdings: Sequence[Holding], quotas: Mapping[int, int]) -> bool:
    """Grant what is free of `ports` for these quotas, and write what changed; return whether anything did."""
    wanted = [replace(each, quota=quotas[each.id]) for each in holdings]
    granted = grant(ports, wanted)
    shares = {
        each.id: (quotas[each.id], granted[each.id])
        for each in holdings
        if (each.quota, each.granted) != (quotas[each.id], granted[each.id])
    }
    store.save_shares(tx, shares)
    return bool(shares)
