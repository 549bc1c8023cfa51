"""Changing the division of licences, and where the licences of what is deleted go."""

import pytest

from outrider.errors import ConflictError, NotFoundError
from outrider.licences.model import LicenceKind
from outrider.licences.tree import PoolName, Tree, divide, with_defaults
from outrider.licences.tree_edit import (
    add_organization,
    add_zone,
    remove_organization,
    remove_zone,
    set_count,
)

PORTS = LicenceKind.OUTBOUND_PORTS
SIXTY = {PORTS: 60}


def divided() -> Tree:
    """Return a system where everybody has a number: default 30 (red 10), north 20."""
    tree = add_organization(add_zone(with_defaults(Tree()), "north"), "default", "red")
    tree = set_count(tree, PORTS, 30, "default")
    tree = set_count(tree, PORTS, 20, "default", "default")
    tree = set_count(tree, PORTS, 10, "default", "red")
    return set_count(tree, PORTS, 20, "north")


def test_numbers_are_set_and_taken_away_again() -> None:
    tree = divided()
    division = divide(tree, SIXTY)
    assert division.unused[PORTS] == 10
    assert division.pools[PoolName("default", "red")][PORTS] == 10
    assert division.pools[PoolName("north", "default")][PORTS] == 20
    undivided = set_count(tree, PORTS, None, "default")
    assert divide(undivided, SIXTY).zones["default"][PORTS] == 40
    assert divide(tree, SIXTY) == division, "the tree that was changed from is as it was"


def test_deleting_a_zone_returns_its_licences_to_unused() -> None:
    smaller = remove_zone(divided(), "north")
    assert divide(smaller, SIXTY).unused[PORTS] == 30


def test_deleting_an_organization_returns_its_licences_to_unallocated() -> None:
    division = divide(remove_organization(divided(), "default", "red"), SIXTY)
    assert division.unallocated["default"][PORTS] == 10
    assert division.unused[PORTS] == 10


def test_deleting_the_automatic_pool_ends_automatic_allocation() -> None:
    base = divided()
    red = Tree(base.zones, auto_allocate=PoolName("default", "red"))
    assert remove_zone(red, "north").auto_allocate == PoolName("default", "red")
    assert remove_organization(red, "default", "red").auto_allocate is None
    north = Tree(base.zones, auto_allocate=PoolName("north", "default"))
    assert remove_organization(north, "default", "red").auto_allocate == PoolName("north", "default")
    assert remove_zone(north, "north").auto_allocate is None


def test_a_new_zone_and_a_new_organization_begin_with_nothing() -> None:
    tree = add_organization(add_zone(Tree(), "north"), "north", "red")
    division = divide(tree, SIXTY)
    assert division.pools[PoolName("north", "red")][PORTS] == 0
    assert division.pools[PoolName("default", "default")][PORTS] == 60


def test_defaults_stay_and_names_are_unique() -> None:
    tree = divided()
    with pytest.raises(ConflictError, match="default zone"):
        remove_zone(tree, "default")
    with pytest.raises(ConflictError, match="default of zone 'north'"):
        remove_organization(tree, "north", "default")
    with pytest.raises(ConflictError, match="already"):
        add_zone(tree, "north")
    with pytest.raises(ConflictError, match="already"):
        add_organization(tree, "default", "red")


def test_what_does_not_exist_is_named_with_what_does() -> None:
    with pytest.raises(NotFoundError, match="the zones are default, north"):
        remove_zone(divided(), "south")
    with pytest.raises(NotFoundError, match="it has default, red"):
        set_count(divided(), PORTS, 1, "default", "blue")
