"""Properties of dividing licences (licensing.md 7), over random trees and entitlements."""

from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from outrider.licences.model import GATE_KINDS, LicenceKind
from outrider.licences.tree import (
    LINES,
    OrganizationAllocation,
    PoolName,
    Tree,
    ZoneAllocation,
    divide,
    pool_names,
    scale_down,
    with_defaults,
)

NAMES = st.sampled_from(["default", "a", "b", "c", "d"])
COUNTS = st.dictionaries(st.sampled_from(LicenceKind), st.integers(0, 100), max_size=4)
ORGANIZATIONS = st.builds(OrganizationAllocation, NAMES, COUNTS)
ZONES = st.builds(
    ZoneAllocation, NAMES, COUNTS, st.lists(ORGANIZATIONS, max_size=4, unique_by=lambda o: o.name).map(tuple)
)
TREES = st.builds(
    Tree,
    st.lists(ZONES, max_size=4, unique_by=lambda zone: zone.name).map(tuple),
    st.none() | st.builds(PoolName, NAMES, NAMES),
)
SHARES = st.dictionaries(st.text(max_size=3), st.integers(0, 10**9), max_size=8)


@given(SHARES, st.integers(0, 10**9))
def test_scaling_is_exact_proportional_and_fair(counts: dict[str, int], total: int) -> None:
    scaled = scale_down(counts, total)
    asked = sum(counts.values())
    assert sum(scaled.values()) == min(asked, total)
    for name, count in counts.items():
        assert 0 <= scaled[name] <= count
        if asked > total:
            assert abs(scaled[name] - Fraction(count * total, asked)) < 1
        assert all(scaled[name] >= scaled[other] for other in counts if counts[other] < count)


@given(SHARES, st.integers(0, 10**9), st.randoms(use_true_random=False))
def test_scaling_does_not_depend_on_order(counts: dict[str, int], total: int, random: Random) -> None:
    names = list(counts)
    random.shuffle(names)
    assert scale_down({name: counts[name] for name in names}, total) == scale_down(counts, total)


@given(TREES, COUNTS)
def test_every_licence_is_in_one_pool_or_unallocated_or_unused(
    tree: Tree, entitlement: dict[LicenceKind, int]
) -> None:
    division = divide(tree, entitlement)
    for kind in set(LicenceKind) - set(GATE_KINDS):
        zones = sum(counts[kind] for counts in division.zones.values())
        assert zones + division.unused[kind] == entitlement.get(kind, 0)
        for zone, counts in division.zones.items():
            inside = sum(share[kind] for pool, share in division.pools.items() if pool.zone == zone)
            assert inside + division.unallocated[zone][kind] == counts[kind]
    figures = [*division.pools.values(), *division.zones.values(), *division.unallocated.values()]
    assert all(count >= 0 for counts in [*figures, division.unused] for count in counts.values())


@given(TREES, COUNTS)
def test_nobody_with_a_number_gets_more_except_the_automatic_pool(
    tree: Tree, entitlement: dict[LicenceKind, int]
) -> None:
    division = divide(tree, entitlement)
    for zone in tree.zones:
        for organization in zone.organizations:
            pool = PoolName(zone.name, organization.name)
            if pool != tree.auto_allocate:
                effective = division.pools[pool]
                assert all(effective[kind] <= count for kind, count in organization.counts.items())


@given(TREES, COUNTS)
def test_the_configured_numbers_come_back_with_the_entitlement(
    tree: Tree, entitlement: dict[LicenceKind, int]
) -> None:
    without_surplus = Tree(tree.zones)
    plenty = dict.fromkeys(LicenceKind, 10_000)
    division = divide(without_surplus, plenty)
    assert division.zones == divide(with_defaults(without_surplus), plenty).zones
    for zone in tree.zones:
        for kind, count in zone.counts.items():
            # Where others have telephony ports, a zone without any of its own may have none left for calls.
            of_others = LINES not in zone.counts and any(LINES in each.counts for each in tree.zones)
            if kind is LicenceKind.OUTBOUND_PORTS and of_others:
                assert division.zones[zone.name][kind] <= count
                continue
            most = zone.counts.get(LINES, count) if kind is LicenceKind.OUTBOUND_PORTS else count
            assert division.zones[zone.name][kind] == min(count, most)
    assert set(divide(tree, entitlement).pools) == set(pool_names(with_defaults(tree)))


@given(TREES, COUNTS)
def test_nobody_has_more_outbound_ports_than_telephony_ports(
    tree: Tree, entitlement: dict[LicenceKind, int]
) -> None:
    division = divide(tree, entitlement)
    ports = LicenceKind.OUTBOUND_PORTS
    if LINES in entitlement:
        assert sum(counts[ports] for counts in division.zones.values()) <= entitlement[LINES]
    own = [zone.name for zone in tree.zones if LINES in zone.counts]
    assert all(division.zones[name][ports] <= division.zones[name][LINES] for name in own)
    if own:
        others = [counts for name, counts in division.zones.items() if name not in own]
        assert sum(counts[ports] for counts in others) <= sum(counts[LINES] for counts in others)
    for zone in tree.zones:
        for organization in zone.organizations:
            if LINES in organization.counts:
                pool = division.pools[PoolName(zone.name, organization.name)]
                assert pool[ports] <= pool[LINES]


@given(SHARES, st.integers(0, 10**6))
def test_a_scaled_division_that_fits_is_left_alone(counts: dict[str, int], total: int) -> None:
    scaled = scale_down(counts, total)
    assert scale_down(scaled, total) == scaled
