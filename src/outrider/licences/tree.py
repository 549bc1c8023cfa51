"""How the entitlement is divided over zones and organizations (licensing.md 7), in whole numbers.

The supply service divides anew whenever the entitlement or an allocation changes; the pages show the
result. `tree_edit` changes it, `tree_check` judges changes. Pure.

Words: a number that an administrator has given is *configured*, what is in force is *effective*. The
default zone, and in every zone the default organization, hold whatever nobody else was given, until they
are given a number of their own; any other that has no number has nothing. So a fresh system has
everything in one pool, giving a new zone 20 of 60 ports leaves 40 where they were, and once the default
zone has a number too, what is left is *unused*. Gates (sms, email) are not used up by anybody: they are
open wherever they are open above, unless the number there is 0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from outrider.licences.model import GATE_KINDS, LicenceKind

DEFAULT_NAME = "default"

Counts = Mapping[LicenceKind, int]
"""Units per licence type; a type that is missing was given no number (configured) or is 0 (entitlement)."""


LINES = LicenceKind.TELEPHONY_PORTS


class PoolName(NamedTuple):
    """One organization in one zone."""

    zone: str
    organization: str


@dataclass(frozen=True, slots=True)
class OrganizationAllocation:
    """What one organization of a zone was given."""

    name: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class ZoneAllocation:
    """What one zone was given, and its organizations."""

    name: str
    counts: Counts
    organizations: tuple[OrganizationAllocation, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """All configured numbers. `auto_allocate` names the pool that gets what would be unused."""

    zones: tuple[ZoneAllocation, ...] = ()
    auto_allocate: PoolName | None = None
    default_zone: str = DEFAULT_NAME
    default_organization: str = DEFAULT_NAME


@dataclass(frozen=True, slots=True)
class Division:
    """The numbers in force; every mapping of counts has all licence types.

    `unused` is the entitlement minus the zones; `unallocated`, by zone, the zone minus its organizations.
    `reduced` are the types of which somebody got less than configured, because there are too few.
    """

    pools: Mapping[PoolName, Counts]
    zones: Mapping[str, Counts]
    unused: Counts
    unallocated: Mapping[str, Counts]
    reduced: frozenset[LicenceKind]


class _Level(NamedTuple):
    """One level divided for one type: what each member has, what is left, and whether there was enough."""

    effective: dict[str, int]
    left: int
    reduced: bool


def divide(tree: Tree, entitlement: Counts) -> Division:
    """Return what every zone and pool has of `entitlement`.

    Configured numbers beyond what there is are scaled down (`scale_down`), zones first, then the
    organizations of each zone. Of outbound ports no more than the telephony ports are handed out, when
    those are given; where telephony ports are divided, no more than a zone or organization has of them
    (`_limited`). The default zone and organization are always in the result.
    """
    tree = with_defaults(tree)
    zones: dict[str, dict[LicenceKind, int]] = {zone.name: {} for zone in tree.zones}
    pools: dict[PoolName, dict[LicenceKind, int]] = {pool: {} for pool in pool_names(tree)}
    unallocated: dict[str, dict[LicenceKind, int]] = {zone.name: {} for zone in tree.zones}
    unused: dict[LicenceKind, int] = {}
    reduced: set[LicenceKind] = set()
    # Telephony ports first: they limit the outbound ports.
    for kind in sorted(LicenceKind, key=lambda each: each is not LINES):
        total = available(entitlement, kind)
        upper = _divide_level(tree.zones, kind, total, tree.default_zone)
        lines = {name: counts.get(LINES, 0) for name, counts in zones.items()}
        upper = _limited(upper, tree.zones, kind, lines, tree.default_zone)
        unused[kind] = upper.left + entitlement.get(kind, 0) - total
        if upper.reduced:
            reduced.add(kind)
        for zone in tree.zones:
            count = upper.effective[zone.name]
            lower = _divide_level(zone.organizations, kind, count, tree.default_organization)
            lines = {
                each.name: pools[PoolName(zone.name, each.name)].get(LINES, 0) for each in zone.organizations
            }
            lower = _limited(lower, zone.organizations, kind, lines, tree.default_organization)
            zones[zone.name][kind] = count
            unallocated[zone.name][kind] = lower.left
            for name, share in lower.effective.items():
                pools[PoolName(zone.name, name)][kind] = share
            if lower.reduced:
                reduced.add(kind)
        if tree.auto_allocate in pools:
            # Outbound ports stay where telephony ports allow them.
            stays = kind is LicenceKind.OUTBOUND_PORTS and _lines_divided(tree)
            extra = 0 if stays else upper.left
            zones[tree.auto_allocate.zone][kind] += extra
            pools[tree.auto_allocate][kind] += extra
            unused[kind] -= extra
    return Division(pools, zones, unused, unallocated, frozenset(reduced))


def pool_names(tree: Tree) -> tuple[PoolName, ...]:
    """Return the name of every pool that `tree` lists, in its order."""
    return tuple(
        PoolName(zone.name, organization.name) for zone in tree.zones for organization in zone.organizations
    )


def available(entitlement: Counts, kind: LicenceKind) -> int:
    """Return the units of `kind` that can be handed out: no more outbound ports than telephony ports."""
    count = entitlement.get(kind, 0)
    if kind is LicenceKind.OUTBOUND_PORTS and LicenceKind.TELEPHONY_PORTS in entitlement:
        return min(count, entitlement[LicenceKind.TELEPHONY_PORTS])
    return count


def scale_down(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """Return `counts` reduced in proportion to sum to `total`, or unchanged when they fit.

    Largest remainder, ties to the higher count, then the name (licensing.md 7). Nobody gets more than
    its count, and nobody with a smaller count gets more than one with a larger.
    """
    asked = sum(counts.values())
    if asked <= total:
        return dict(counts)
    shares = {name: count * total // asked for name, count in counts.items()}
    by_remainder = sorted(counts, key=lambda name: (-(counts[name] * total % asked), -counts[name], name))
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    return shares


def with_defaults(tree: Tree) -> Tree:
    """Return `tree` with the default zone, and the default organization in every zone, added if missing."""
    zones = list(tree.zones)
    if all(zone.name != tree.default_zone for zone in zones):
        zones.insert(0, ZoneAllocation(tree.default_zone, {}))
    complete = []
    for zone in zones:
        organizations = zone.organizations
        if all(organization.name != tree.default_organization for organization in organizations):
            organizations = (OrganizationAllocation(tree.default_organization, {}), *organizations)
        complete.append(ZoneAllocation(zone.name, zone.counts, organizations))
    return Tree(tuple(complete), tree.auto_allocate, tree.default_zone, tree.default_organization)


def _lines_divided(tree: Tree) -> bool:
    """Return whether telephony ports are divided over zones or organizations: somebody has a number."""
    return any(
        LINES in zone.counts or any(LINES in each.counts for each in zone.organizations)
        for zone in tree.zones
    )


def _limited(
    level: _Level,
    members: Iterable[ZoneAllocation | OrganizationAllocation],
    kind: LicenceKind,
    lines: Mapping[str, int],
    default: str,
) -> _Level:
    """Return a level of outbound ports of which nobody has more than its telephony ports.

    Nothing changes while nobody of the level has a number of telephony ports. Those without one share what
    the others leave (`lines` has it at the default member); too much is taken from a default that has no
    number of outbound ports first, then in proportion.
    """
    members = tuple(members)
    own = [each.name for each in members if LINES in each.counts]
    if kind is not LicenceKind.OUTBOUND_PORTS or not own:
        return level
    effective = {name: min(level.effective[name], lines[name]) for name in own}
    sharing = {each.name: level.effective[each.name] for each in members if each.name not in own}
    rest = sum(lines[name] for name in sharing)
    if any(each.name == default and kind not in each.counts for each in members) and default in sharing:
        sharing[default] = max(0, sharing[default] - max(0, sum(sharing.values()) - rest))
    effective |= scale_down(sharing, rest)
    taken = sum(level.effective.values()) - sum(effective.values())
    return _Level(effective, level.left + taken, reduced=level.reduced or taken > 0)


def _divide_level(
    members: Iterable[ZoneAllocation | OrganizationAllocation], kind: LicenceKind, total: int, default: str
) -> _Level:
    """Divide `total` units of one type over the members of one level."""
    members = tuple(members)
    if kind in GATE_KINDS:
        gates = {member.name: min(total, member.counts.get(kind, total)) for member in members}
        return _Level(gates, 0, reduced=False)
    configured = {member.name: member.counts.get(kind, 0) for member in members}
    effective = scale_down(configured, total)
    left = total - sum(effective.values())
    for member in members:
        if member.name == default and kind not in member.counts:
            effective[default] = left
            left = 0
    return _Level(effective, left, reduced=sum(configured.values()) > total)
