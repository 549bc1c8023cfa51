"""The division of licences over zones and organizations, on the database (licensing.md 7).

The API and pages edit it, `supply` puts a new entitlement into it. Every change that moves a pool's
counts recalculates that pool with the trigger `supply`. The rules are in `tree*.py`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotFoundError
from outrider.events import RecordChanged, SupplyChanged
from outrider.ids import PoolId
from outrider.licences import division_store, service, store, tree_edit
from outrider.licences.model import LicenceKind, Trigger
from outrider.licences.service import SharingRules
from outrider.licences.tree import DEFAULT_NAME, Counts, Division, PoolName, Tree, divide
from outrider.licences.tree_check import check

DIVIDED_ANEW = "the division of licences changed"
"""What an organization learns of a change that concerns another one."""

FORBIDDEN_IN_NAMES = frozenset(",'\\<>()\"&?+=:!/")


def lock(tx: Tx) -> None:
    """Lock every pool until commit: what is read of the division and its entitlement afterwards stays true.

    Whoever changes the division calls it before reading what the change is made from.
    """
    pools: list[PoolId] | None = None
    # Somebody else may have added a pool while we waited.
    while (found := store.all_pools(tx)) != pools:
        pools = found
        store.lock_pools(tx, pools)


def view(tx: Tx, entitlement: Counts, auto_allocate: PoolName | None = None) -> tuple[Tree, Division]:
    """Return what was configured and what is in force of `entitlement`."""
    tree = division_store.tree(tx, auto_allocate)
    return tree, divide(tree, entitlement)


def apply(
    tx: Tx,
    rules: SharingRules,
    entitlement: Counts,
    now: dt.datetime,
    *,
    cause: str,
    actor: str = "",
    auto_allocate: PoolName | None = None,
    concerns: str | None = None,
) -> tuple[PoolName, ...]:
    """Put the division of `entitlement` in force; recalculate, and return, the pools whose counts changed.

    When the cause `concerns` one organization, the others only learn that the division changed. The caller
    has called `lock` before it read `entitlement`.
    """
    lock(tx)
    _, division = view(tx, entitlement, auto_allocate)
    rows = division_store.pools(tx)
    before = division_store.effective(tx)
    changed = []
    for row in rows:
        counts = division.pools[row.name]
        old = before.get(row.id, {})
        if any(old.get(kind, 0) != counts[kind] for kind in LicenceKind):
            store.set_effective_counts(tx, row.id, counts)
            changed.append(row)
    for row in sorted(changed, key=lambda row: row.id):
        told = cause if concerns in (None, row.organization) else DIVIDED_ANEW
        service.request_recalculation(tx, rules, row.id, now, Trigger.SUPPLY, cause=told, actor=actor)
    if changed:
        told = cause if concerns is None else DIVIDED_ANEW
        log.append(tx, now, SupplyChanged(cause=told, actor=actor))
    return tuple(row.name for row in changed)


def set_counts(
    tx: Tx,
    rules: SharingRules,
    entitlement: Counts,
    now: dt.datetime,
    zone: str,
    organization: str | None,
    counts: Mapping[LicenceKind, int | None],
    *,
    actor: str,
) -> None:
    """Set numbers of a zone, or of an organization in it; None takes a number away.

    InvalidInputError names the type and all three numbers when a sum would be too large, NotFoundError an
    unknown zone or organization. The caller has called `lock` before it read `entitlement`.
    """
    lock(tx)
    before = division_store.tree(tx, None)
    tree = before
    for kind, units in counts.items():
        tree = tree_edit.set_count(tree, kind, units, zone, organization)
    check(tree, entitlement, before)
    changed = next(each for each in tree.zones if each.name == zone)
    if organization is None:
        division_store.save_zone_counts(tx, division_store.zones(tx)[zone], changed.counts)
    else:
        member = next(each for each in changed.organizations if each.name == organization)
        pool = next(row for row in division_store.pools(tx) if row.name == PoolName(zone, organization))
        division_store.save_pool_counts(tx, pool.id, member.counts)
    whom = zone if organization is None else f"{organization} in {zone}"
    apply(tx, rules, entitlement, now, cause=f"numbers of {whom} changed", actor=actor, concerns=organization)


def add_zone(tx: Tx, name: str, now: dt.datetime, actor: str) -> int:
    """Create a zone, with a pool for the default organization. Returns its id."""
    name = checked_name(name, "zone")
    lock(tx)
    tree_edit.add_zone(division_store.tree(tx, None), name)
    zone = division_store.add_zone(tx, name, now)
    division_store.add_pool(tx, zone, division_store.organizations(tx)[DEFAULT_NAME])
    _log(tx, now, "zone", zone, "created", name, actor)
    return zone


def add_organization(tx: Tx, name: str, zones: tuple[str, ...], now: dt.datetime, actor: str) -> int:
    """Create an organization with a pool in each of `zones` (default: the default zone). Returns its id."""
    name = checked_name(name, "organization")
    lock(tx)
    if name in division_store.organizations(tx):
        raise ConflictError(f"there is an organization {name!r} already: choose another name.")
    organization = division_store.add_organization(tx, name, now)
    known = division_store.zones(tx)
    for zone in zones or (DEFAULT_NAME,):
        if zone not in known:
            raise NotFoundError(f"there is no zone {zone!r}; the zones are {', '.join(known)}.")
        division_store.add_pool(tx, known[zone], organization)
    _log(tx, now, "organization", organization, "created", name, actor)
    return organization


def add_to_zone(tx: Tx, zone: str, organization: str, now: dt.datetime, actor: str) -> None:
    """Let an organization work in a zone, with no licences there yet."""
    lock(tx)
    tree_edit.add_organization(division_store.tree(tx, None), zone, organization)
    organization_id = division_store.organizations(tx).get(organization)
    if organization_id is None:
        raise NotFoundError(f"there is no organization {organization!r}: create it first.")
    division_store.add_pool(tx, division_store.zones(tx)[zone], organization_id)
    _log(tx, now, "organization", organization_id, f"added to zone {zone}", organization, actor)


def remove_zone(
    tx: Tx, rules: SharingRules, entitlement: Counts, name: str, now: dt.datetime, actor: str
) -> None:
    """Delete a zone: its licences become unused, its tasks start nothing more and drain (licensing.md 7).

    Its contact lists move to the default zone. The rows go when the calls have. NotFoundError for an unknown
    zone, ConflictError for the default one.
    """
    lock(tx)
    tree_edit.remove_zone(division_store.tree(tx, None), name)
    zone_id = division_store.zones(tx)[name]
    _drain(tx, rules, division_store.retire_zone(tx, zone_id, now), now, f"zone {name} deleted", actor)
    _log(tx, now, "zone", zone_id, "deleted", name, actor)
    apply(tx, rules, entitlement, now, cause=f"zone {name} deleted", actor=actor)


def remove_organization(
    tx: Tx, rules: SharingRules, entitlement: Counts, name: str, now: dt.datetime, actor: str
) -> None:
    """Delete an organization with its lists, campaigns and jobs; its licences become unallocated.

    NotFoundError for an unknown one, ConflictError for the default. Calls that are up end by themselves.
    """
    lock(tx)
    organization_id = division_store.organizations(tx).get(name)
    if organization_id is None:
        raise NotFoundError(f"there is no organization {name!r}.")
    if name == DEFAULT_NAME:
        raise ConflictError("the default organization always exists: set its numbers to 0 instead.")
    pools = division_store.retire_organization(tx, organization_id, now)
    _drain(tx, rules, pools, now, f"organization {name} deleted", actor)
    _log(tx, now, "organization", organization_id, "deleted", name, actor)
    apply(tx, rules, entitlement, now, cause=f"organization {name} deleted", actor=actor, concerns=name)


def checked_name(name: str, what: str) -> str:
    """Return `name` without outer spaces; InvalidInputError when it is empty, too long or has odd signs."""
    name = " ".join(name.split())
    largest = 80
    if not name or len(name) > largest:
        raise InvalidInputError(f"{what}: a name has 1 to {largest} characters", where="name")
    odd = sorted(FORBIDDEN_IN_NAMES & set(name))
    if odd or not name.isprintable():
        raise InvalidInputError(f"{what}: a name has none of {' '.join(odd)}", where="name")
    return name


def _drain(
    tx: Tx, rules: SharingRules, pools: Sequence[PoolId], now: dt.datetime, cause: str, actor: str
) -> None:
    for pool_id in pools:
        service.request_recalculation(tx, rules, pool_id, now, Trigger.SUPPLY, cause=cause, actor=actor)


def _log(tx: Tx, now: dt.datetime, record: str, record_id: int, change: str, name: str, actor: str) -> None:
    event = RecordChanged(
        organization_id=record_id if record == "organization" else None,
        record=record,
        record_id=record_id,
        change=change,
        name=name,
        actor=actor,
    )
    log.append(tx, now, event)
