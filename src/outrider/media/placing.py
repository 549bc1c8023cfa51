"""Placing calls: ports of media servers charged for a batch of attempts, and given back with their results.

`dialing/claims.py` and `dialing/results.py` call it in their transactions; it is as fast as they are. Whoever
locks pools or tasks does so before calling this.
"""

import datetime as dt
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

from outrider.db.database import Tx
from outrider.ids import ZoneId
from outrider.media import rate, sharing, store
from outrider.media.model import MediaServerId, Placed, Placement
from outrider.media.placement import Slot, choose, in_turn


def place(
    tx: Tx,
    zone_id: ZoneId,
    wanted: int,
    now: dt.datetime,
    *,
    without: Container[int] = (),
    only: int | None = None,
    spare: int = 0,
) -> Placed | None:
    """Charge ports for up to `wanted` calls of a zone; None when no media server is registered anywhere.

    Each call goes where most of the granted ports are free, within the servers' originations per second.
    The guarded update decides: in use never passes the grant, however many workers place at once. Rows
    stay locked until commit. With None calls go over the simulated carrier. `without` are servers that the
    caller itself is not connected to, though others may be. `only` is the one server that will do, as for
    calls that are to be joined to a leg there; `spare` of its ports are left free.
    """
    if not store.any_server(tx):
        return None
    slots = [
        slot
        for slot in store.lock_slots(tx, zone_id)
        if slot.id not in without and (only is None or slot.id == only)
    ]
    if not slots:
        return Placed((), "server")
    room = max(0, sum(slot.free for slot in slots) - spare)
    placed = _charge(tx, zone_id, slots, min(wanted, room) if spare else wanted, now)
    return replace(placed, bound="ports") if spare and room < wanted and not placed.bound else placed


def place_leg(
    tx: Tx, zone_id: ZoneId, now: dt.datetime, *, only: int | None = None, prefer: Sequence[int] = ()
) -> Placement | None:
    """Charge one port for a leg that is no attempt; None when no server that will do has one free.

    The first of the `prefer`red servers with a port free has it, else the emptiest; `only`: no other one.
    It is never held back by the rate of originations: calls to contacts wait for it instead.
    """
    slots = [slot for slot in store.lock_slots(tx, zone_id) if slot.free and only in (None, slot.id)]
    if not slots:
        return None
    rank = {server: number for number, server in enumerate(prefer)}
    best = min(slots, key=lambda slot: (rank.get(slot.id, len(rank)), -slot.free / slot.granted, slot.id))
    mark = rate.advanced(best.per_second, best.mark, now, 1)
    if not store.charge(tx, [{"server": best.id, "calls": 1, "mark": mark}]):
        raise RuntimeError(f"zone {zone_id}: a media server's grant shrank under a locked row")
    return Placement(MediaServerId(best.id), best.name)


def hold(tx: Tx, zone_id: ZoneId, server_id: int) -> Placement | None:
    """Charge one more port of this server without a call, as while two legs are bridged; None: none is free.

    One statement: it runs at every answered call.
    """
    name = store.charge_one(tx, zone_id, server_id)
    return None if name is None else Placement(MediaServerId(server_id), name)


def hold_for_drained(tx: Tx, zone_id: ZoneId, server_id: int) -> Placement | None:
    """Charge one more port for two calls on a server that drains; None: it does not, or none is free.

    Such a server's grant is gone, and its calls are to be joined nevertheless: with a port of another server,
    as the licence counts them in the zone, or with one that no server has.
    """
    if not any(each.draining for each in store.servers(tx, server_id=server_id)):
        return None
    ports = store.zone_ports(tx, zone_id) or 0
    rows = store.lock_members(tx, [zone_id])
    slots = [slot for slot in store.lock_slots(tx, zone_id) if slot.free]
    if slots:
        return hold(tx, zone_id, min(slots, key=lambda slot: (-slot.free / slot.granted, slot.id)).id)
    charged = sum(max(row["granted"], row["in_use"]) for row in rows)
    if charged >= ports:
        return None
    return Placement(MediaServerId(server_id), store.charge_beyond(tx, server_id))


def _charge(tx: Tx, zone_id: ZoneId, slots: Sequence[Slot], wanted: int, now: dt.datetime) -> Placed:
    """Charge ports of locked servers for up to `wanted` calls."""
    choice = choose(slots, wanted, now)
    if choice.calls:
        charges = [
            {
                "server": slot.id,
                "calls": choice.calls[slot.id],
                "mark": rate.advanced(slot.per_second, slot.mark, now, choice.calls[slot.id]),
            }
            for slot in slots
            if slot.id in choice.calls
        ]
        if not store.charge(tx, charges):
            raise RuntimeError(f"zone {zone_id}: a media server's grant shrank under a locked row")
    names = {slot.id: slot.name for slot in slots}
    placements = tuple(Placement(MediaServerId(server), names[server]) for server in in_turn(choice.calls))
    return Placed(placements, choice.bound, choice.again_at)


def unplace(tx: Tx, placements: Iterable[Placement]) -> None:
    """Give back ports of this transaction's own `place` for which there was nobody to call.

    What they cost of the rate stays spent.
    """
    unused = Counter(int(each.server_id) for each in placements)
    if unused:
        store.release(tx, unused)


def release(tx: Tx, calls: Mapping[int, int]) -> bool:
    """Give back the ports of calls that are known to be over, by server id; return whether a grant changed.

    Call it last in the transaction, once per batch, with attempts that were open until now: each port is
    given back once. A failed server's ports become free for the others by it, never before.
    """
    over = {server: count for server, count in calls.items() if count}
    if not over:
        return False
    ports = store.lock_zones_of(tx, over)
    members = store.lock_members(tx, ports)
    store.release(tx, over)
    changed = False
    for zone_id, total in ports.items():
        holdings = [store.holding_of(row) for row in members if row["zone_id"] == zone_id]
        left = [replace(each, in_use=each.in_use - over.get(each.id, 0)) for each in holdings]
        changed |= sharing.regrant(tx, total, left)
    return changed
