"""Dividing licences over zones and organizations: who has what (licensing.md 7)."""

from collections.abc import Callable

import pytest

from outrider.licences.model import LicenceKind
from outrider.licences.tree import (
    Counts,
    Division,
    OrganizationAllocation,
    PoolName,
    Tree,
    ZoneAllocation,
    divide,
    scale_down,
)

PORTS = LicenceKind.OUTBOUND_PORTS
LINES = LicenceKind.TELEPHONY_PORTS
EMAIL = LicenceKind.EMAIL


def ports(count: int | None) -> Counts:
    return {} if count is None else {PORTS: count}


def zone(name: str, count: int | None, **organizations: int | None) -> ZoneAllocation:
    members = tuple(OrganizationAllocation(each, ports(given)) for each, given in organizations.items())
    return ZoneAllocation(name, ports(count), members)


def pool_ports(division: Division) -> dict[str, int]:
    return {"/".join(name): counts[PORTS] for name, counts in division.pools.items()}


def test_a_fresh_system_has_everything_in_one_pool() -> None:
    division = divide(Tree(), {PORTS: 60, EMAIL: 1})
    assert division.pools[PoolName("default", "default")][PORTS] == 60
    assert division.pools[PoolName("default", "default")][EMAIL] == 1
    assert division.pools[PoolName("default", "default")][LicenceKind.ASR] == 0
    assert division.unused[PORTS] == 0
    assert division.unallocated["default"][PORTS] == 0
    assert not division.reduced


def test_what_one_zone_is_given_the_default_zone_gives_up() -> None:
    division = divide(Tree((zone("north", 20),)), {PORTS: 60})
    assert pool_ports(division) == {"default/default": 40, "north/default": 20}
    assert division.unused[PORTS] == 0


def test_an_organization_without_a_number_has_nothing_but_the_default_has_the_rest() -> None:
    division = divide(Tree((zone("default", None, default=None, red=25, blue=None),)), {PORTS: 60})
    assert pool_ports(division) == {"default/default": 35, "default/red": 25, "default/blue": 0}


def test_once_everybody_has_a_number_the_rest_is_unused_and_unallocated() -> None:
    tree = Tree((zone("default", 30, default=5, red=10), zone("north", 20, default=20)))
    division = divide(tree, {PORTS: 60})
    assert division.unused[PORTS] == 10
    assert division.unallocated["default"][PORTS] == 15
    assert division.unallocated["north"][PORTS] == 0
    assert division.zones["default"][PORTS] == 30
    assert pool_ports(division) == {"default/default": 5, "default/red": 10, "north/default": 20}


def test_a_cut_scales_zones_and_then_their_organizations_and_is_undone_with_it() -> None:
    tree = Tree((zone("default", 40, default=10, red=30), zone("north", 20, default=20)))
    cut = divide(tree, {PORTS: 30})
    assert {name: counts[PORTS] for name, counts in cut.zones.items()} == {"default": 20, "north": 10}
    assert pool_ports(cut) == {"default/default": 5, "default/red": 15, "north/default": 10}
    assert cut.reduced == {PORTS}
    assert cut.unused[PORTS] == 0
    restored = divide(tree, {PORTS: 60})
    assert pool_ports(restored) == {"default/default": 10, "default/red": 30, "north/default": 20}
    assert not restored.reduced


def test_a_cut_that_the_organizations_do_not_fill_leaves_them_alone() -> None:
    division = divide(Tree((zone("default", 40, default=10, red=10),)), {PORTS: 20})
    assert pool_ports(division) == {"default/default": 10, "default/red": 10}
    assert division.unallocated["default"][PORTS] == 0


def test_all_licences_lost_is_zero_everywhere() -> None:
    tree = Tree((zone("default", 40, default=10, red=30), zone("north", 20)), PoolName("north", "default"))
    division = divide(tree, {})
    assert set(pool_ports(division).values()) == {0}
    assert all(count == 0 for count in division.unused.values())


@pytest.mark.parametrize(
    ("counts", "total", "expected"),
    [
        ({"a": 10, "b": 10, "c": 10}, 20, {"a": 7, "b": 7, "c": 6}),  # equal: the name decides
        ({"c": 10, "b": 10, "a": 10}, 20, {"a": 7, "b": 7, "c": 6}),  # whatever the order
        ({"a": 1, "b": 3}, 2, {"a": 0, "b": 2}),  # equal remainders: the higher count first
        ({"a": 5, "b": 3, "c": 1}, 4, {"a": 2, "b": 1, "c": 1}),  # remainders 2/9, 3/9, 4/9
        ({"a": 7, "b": 0}, 3, {"a": 3, "b": 0}),
        ({"a": 7}, 0, {"a": 0}),
        ({"a": 3, "b": 4}, 7, {"a": 3, "b": 4}),
        ({}, 5, {}),
    ],
)
def test_scaling_down_is_by_largest_remainder(
    counts: dict[str, int], total: int, expected: dict[str, int]
) -> None:
    assert scale_down(counts, total) == expected


def test_the_automatic_pool_takes_what_would_be_unused() -> None:
    zones = (zone("default", 30, default=30), zone("north", 20, default=10, red=5))
    tree = Tree(zones, auto_allocate=PoolName("north", "red"))
    division = divide(tree, {PORTS: 60})
    assert pool_ports(division) == {"default/default": 30, "north/default": 10, "north/red": 15}
    assert division.zones["north"][PORTS] == 30
    assert division.unallocated["north"][PORTS] == 5
    assert division.unused[PORTS] == 0
    exact = divide(tree, {PORTS: 50})
    assert pool_ports(exact) == {"default/default": 30, "north/default": 10, "north/red": 5}


def test_an_automatic_pool_that_is_gone_takes_nothing() -> None:
    tree = Tree((zone("default", 30),), auto_allocate=PoolName("south", "default"))
    assert divide(tree, {PORTS: 60}).unused[PORTS] == 30


def test_a_gate_is_open_for_everybody_unless_it_is_shut() -> None:
    red = OrganizationAllocation("red", {EMAIL: 0})
    blue = OrganizationAllocation("blue", {EMAIL: 1})
    tree = Tree((ZoneAllocation("default", {}, (red, blue)), ZoneAllocation("north", {EMAIL: 0}, (blue,))))
    division = divide(tree, {EMAIL: 1})
    opened = {"/".join(name) for name, counts in division.pools.items() if counts[EMAIL]}
    assert opened == {"default/default", "default/blue"}
    assert division.unused[EMAIL] == 0
    assert not division.reduced
    assert not any(counts[EMAIL] for counts in divide(tree, {}).pools.values())


def test_no_more_outbound_ports_are_handed_out_than_there_are_telephony_ports() -> None:
    division = divide(Tree((zone("north", 20),)), {PORTS: 60, LINES: 45})
    assert pool_ports(division) == {"default/default": 25, "north/default": 20}
    assert division.unused[PORTS] == 15
    assert divide(Tree(), {PORTS: 60, LINES: 0}).unused[PORTS] == 60


@pytest.mark.parametrize("of", [lambda division: division.pools, lambda division: division.zones])
def test_every_mapping_has_every_type(of: Callable[[Division], dict[object, Counts]]) -> None:
    division = divide(Tree((zone("north", 1, red=1),)), {PORTS: 1})
    assert all(set(counts) == set(LicenceKind) for counts in of(division).values())
    assert set(division.unused) == set(LicenceKind)
