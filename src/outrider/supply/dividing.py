"""The division of what is authorised now, as the pages and the API show and edit it (licensing.md 7).

It puts the entitlement of the last poll into `licences.division`, in the caller's transaction, and hides from
an organization what is others'.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.db.database import Tx
from outrider.errors import NotFoundError
from outrider.licences import division, division_store
from outrider.licences.model import LicenceKind
from outrider.licences.service import SharingRules
from outrider.licences.tree import Counts, Division, PoolName, Tree
from outrider.supply import store


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """One organization in one zone: what it was given (types without a number are missing), what it has."""

    pool_id: int
    organization_id: int
    organization: str
    configured: Mapping[LicenceKind, int]
    effective: Mapping[LicenceKind, int]


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """One zone and its organizations. An organization's user sees no numbers of the zone itself (null)."""

    zone_id: int
    zone: str
    configured: Mapping[LicenceKind, int] | None
    effective: Mapping[LicenceKind, int] | None
    unallocated: Mapping[LicenceKind, int] | None
    organizations: tuple[OrganizationRow, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The zone and organization grid. `reduced` are types of which somebody has less than it was given.

    `entitlement`, `unused` and `reduced` are null for an organization's user: they tell of others.
    """

    entitlement: Mapping[LicenceKind, int] | None
    unused: Mapping[LicenceKind, int] | None
    reduced: tuple[LicenceKind, ...] | None
    zones: tuple[ZoneRow, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A zone or an organization."""

    id: int
    name: str


def grid(tx: Tx, organization_id: int | None) -> Grid:
    """Return the whole grid, or what one organization may see of it."""
    entitlement = store.current(tx).counts
    tree, divided = division.view(tx, entitlement)
    rows = tuple(
        row
        for row in _zone_rows(tx, tree, divided, organization_id)
        if organization_id is None or row.organizations
    )
    if organization_id is not None:
        return Grid(None, None, None, rows)
    reduced = tuple(kind for kind in LicenceKind if kind in divided.reduced)
    return Grid(_shown(entitlement), _shown(divided.unused), reduced, rows)


def own_counts(tx: Tx, organization_id: int | None) -> dict[LicenceKind, int]:
    """Return what a caller has: all that is authorised, or the sum over the pools of its organization."""
    if organization_id is None:
        return dict(store.current(tx).authorised)
    effective = division_store.effective(tx)
    total: dict[LicenceKind, int] = {}
    for pool in division_store.pools(tx):
        if pool.organization_id == organization_id:
            for kind, units in effective.get(pool.id, {}).items():
                total[kind] = total.get(kind, 0) + units
    return total


def set_counts(
    tx: Tx,
    rules: SharingRules,
    zone: str,
    organization: str | None,
    counts: Mapping[LicenceKind, int | None],
    now: dt.datetime,
    actor: str,
) -> Grid:
    """Set numbers of a zone or of an organization in it (None takes one away); return the new grid.

    Raises what `division.set_counts` does.
    """
    division.lock(tx)
    entitlement = store.current(tx).counts
    division.set_counts(tx, rules, entitlement, now, zone, organization, counts, actor=actor)
    return grid(tx, None)


def zones(tx: Tx, organization_id: int | None) -> list[Named]:
    """Return the zones by name: all, or those that an organization works in."""
    if organization_id is None:
        return [Named(zone_id, name) for name, zone_id in division_store.zones(tx).items()]
    pools = division_store.pools(tx)
    return [Named(pool.zone_id, pool.zone) for pool in pools if pool.organization_id == organization_id]


def organizations(tx: Tx, organization_id: int | None) -> list[Named]:
    """Return the organizations by name: all, or one's own."""
    known = division_store.organizations(tx).items()
    return [Named(number, name) for name, number in known if organization_id in (None, number)]


def add_zone(tx: Tx, name: str, now: dt.datetime, actor: str) -> Named:
    """Create a zone with nothing in it. ConflictError for a name in use, InvalidInputError for a bad one."""
    number = division.add_zone(tx, name, now, actor)
    return _named(division_store.zones(tx), number, "zone")


def add_organization(tx: Tx, name: str, zone_ids: tuple[int, ...], now: dt.datetime, actor: str) -> Named:
    """Create an organization in these zones (default: the default zone), with no licences yet.

    ConflictError for a name in use, InvalidInputError for a bad one, NotFoundError for an unknown zone.
    """
    known = division_store.zones(tx)
    names = tuple(_named(known, zone_id, "zone").name for zone_id in zone_ids)
    number = division.add_organization(tx, name, names, now, actor)
    return _named(division_store.organizations(tx), number, "organization")


def add_to_zone(tx: Tx, zone_id: int, organization_id: int, now: dt.datetime, actor: str) -> Grid:
    """Let an organization work in a zone. NotFoundError, ConflictError when it does already."""
    zone = _named(division_store.zones(tx), zone_id, "zone")
    organization = _named(division_store.organizations(tx), organization_id, "organization")
    division.add_to_zone(tx, zone.name, organization.name, now, actor)
    return grid(tx, None)


def remove_zone(tx: Tx, rules: SharingRules, zone_id: int, now: dt.datetime, actor: str) -> None:
    """Delete a zone; its tasks drain. NotFoundError, ConflictError for the default zone."""
    division.lock(tx)
    zone = _named(division_store.zones(tx), zone_id, "zone")
    division.remove_zone(tx, rules, store.current(tx).counts, zone.name, now, actor)


def remove_organization(
    tx: Tx, rules: SharingRules, organization_id: int, now: dt.datetime, actor: str
) -> None:
    """Delete an organization; its tasks drain. NotFoundError, ConflictError for the default one."""
    division.lock(tx)
    found = _named(division_store.organizations(tx), organization_id, "organization")
    division.remove_organization(tx, rules, store.current(tx).counts, found.name, now, actor)


def _zone_rows(tx: Tx, tree: Tree, divided: Division, organization_id: int | None) -> list[ZoneRow]:
    pools = {row.name: row for row in division_store.pools(tx)}
    numbers = division_store.zones(tx)
    whole = organization_id is None
    return [
        ZoneRow(
            zone_id=numbers[zone.name],
            zone=zone.name,
            configured=_shown(zone.counts) if whole else None,
            effective=_shown(divided.zones[zone.name]) if whole else None,
            unallocated=_shown(divided.unallocated[zone.name]) if whole else None,
            organizations=tuple(
                OrganizationRow(
                    pool_id=pool.id,
                    organization_id=pool.organization_id,
                    organization=member.name,
                    configured=_shown(member.counts),
                    effective=_shown(divided.pools[pool.name]),
                )
                for member in zone.organizations
                if (pool := pools.get(PoolName(zone.name, member.name))) is not None
                and organization_id in (None, pool.organization_id)
            ),
        )
        for zone in tree.zones
        if zone.name in numbers
    ]


def _shown(counts: Counts) -> dict[LicenceKind, int]:
    return {kind: counts[kind] for kind in LicenceKind if kind in counts}


def _named(known: Mapping[str, int], number: int, what: str) -> Named:
    for name, each in known.items():
        if each == number:
            return Named(number, name)
    raise NotFoundError(f"there is no {what} {number}")
