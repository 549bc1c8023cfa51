"""Changes to the division of licences: numbers set, zones and organizations added and removed.

The licence pages and API build the tree that they want with these, have it judged by `tree_check`, and
store it; `tree.divide` then says what is in force. Pure.
"""

from dataclasses import replace

from outrider.errors import ConflictError, NotFoundError
from outrider.licences.model import LicenceKind
from outrider.licences.tree import (
    Counts,
    OrganizationAllocation,
    PoolName,
    Tree,
    ZoneAllocation,
    with_defaults,
)


def set_count(
    tree: Tree, kind: LicenceKind, count: int | None, zone: str, organization: str | None = None
) -> Tree:
    """Return `tree` with one number changed: of a zone, or of an organization in it. None takes it away.

    Raises NotFoundError for an unknown zone or organization; `tree_check.check` judges the number.
    """
    found = _zone(tree, zone)
    if organization is None:
        return _with_zone(tree, replace(found, counts=_changed(found.counts, kind, count)))
    member = _organization(found, organization)
    member = replace(member, counts=_changed(member.counts, kind, count))
    others = tuple(member if each.name == organization else each for each in found.organizations)
    return _with_zone(tree, replace(found, organizations=others))


def add_zone(tree: Tree, name: str) -> Tree:
    """Return `tree` with a new zone that has nothing yet. Raises ConflictError when the name is taken."""
    if any(zone.name == name for zone in tree.zones):
        raise ConflictError(f"there is a zone {name!r} already: choose another name.", zone=name)
    return with_defaults(replace(tree, zones=(*tree.zones, ZoneAllocation(name, {}))))


def add_organization(tree: Tree, zone: str, name: str) -> Tree:
    """Return `tree` with a new organization in `zone` that has nothing yet.

    Raises NotFoundError for an unknown zone, ConflictError when the name is taken there.
    """
    found = _zone(tree, zone)
    if any(organization.name == name for organization in found.organizations):
        raise ConflictError(
            f"zone {zone!r} has an organization {name!r} already: choose another name.", organization=name
        )
    added = (*found.organizations, OrganizationAllocation(name, {}))
    return _with_zone(tree, replace(found, organizations=added))


def remove_zone(tree: Tree, name: str) -> Tree:
    """Return `tree` without a zone; its licences are unused again (licensing.md 7).

    Raises NotFoundError for an unknown zone and ConflictError for the default zone.
    """
    found = _zone(tree, name)
    if name == tree.default_zone:
        raise ConflictError(
            f"zone {name!r} is the default zone, which always exists: set its numbers to 0 instead.",
            zone=name,
        )
    pool = tree.auto_allocate
    return replace(
        tree,
        zones=tuple(zone for zone in tree.zones if zone is not found),
        auto_allocate=None if pool and pool.zone == name else pool,
    )


def remove_organization(tree: Tree, zone: str, name: str) -> Tree:
    """Return `tree` without an organization of `zone`; its licences are unallocated there again.

    Raises NotFoundError when there is none, and ConflictError for the default organization.
    """
    found = _zone(tree, zone)
    member = _organization(found, name)
    if name == tree.default_organization:
        raise ConflictError(
            f"organization {name!r} is the default of zone {zone!r}, which always exists:"
            " set its numbers to 0 instead.",
            zone=zone,
            organization=name,
        )
    others = tuple(each for each in found.organizations if each is not member)
    smaller = _with_zone(tree, replace(found, organizations=others))
    removed = tree.auto_allocate == PoolName(zone, name)
    return replace(smaller, auto_allocate=None if removed else tree.auto_allocate)


def _zone(tree: Tree, name: str) -> ZoneAllocation:
    for zone in tree.zones:
        if zone.name == name:
            return zone
    known = ", ".join(zone.name for zone in tree.zones)
    raise NotFoundError(f"there is no zone {name!r}; the zones are {known}.", zone=name)


def _organization(zone: ZoneAllocation, name: str) -> OrganizationAllocation:
    for organization in zone.organizations:
        if organization.name == name:
            return organization
    known = ", ".join(organization.name for organization in zone.organizations)
    raise NotFoundError(
        f"zone {zone.name!r} has no organization {name!r}; it has {known}.", zone=zone.name, organization=name
    )


def _with_zone(tree: Tree, changed: ZoneAllocation) -> Tree:
    zones = tuple(changed if zone.name == changed.name else zone for zone in tree.zones)
    return replace(tree, zones=zones)


def _changed(counts: Counts, kind: LicenceKind, count: int | None) -> Counts:
    rest = {each: number for each, number in counts.items() if each is not kind}
    return rest if count is None else {**rest, kind: count}
