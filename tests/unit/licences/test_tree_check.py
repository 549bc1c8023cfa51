"""The rules that a division of licences must keep, and what the messages say."""

import pytest

from outrider.errors import InvalidInputError
from outrider.licences.model import LicenceKind
from outrider.licences.tree import Counts, OrganizationAllocation, PoolName, Tree, ZoneAllocation
from outrider.licences.tree_check import check
from outrider.licences.tree_edit import set_count

PORTS = LicenceKind.OUTBOUND_PORTS
LINES = LicenceKind.TELEPHONY_PORTS
EMAIL = LicenceKind.EMAIL

RED = OrganizationAllocation("red", {PORTS: 15})
TREE = Tree(
    (
        ZoneAllocation("default", {PORTS: 40}, (OrganizationAllocation("default", {PORTS: 25}), RED)),
        ZoneAllocation("north", {PORTS: 20}),
    )
)
SIXTY: Counts = {PORTS: 60}
RAD = PoolName("default", "rad")


def problem(tree: Tree, entitlement: Counts, before: Tree | None = None) -> str:
    with pytest.raises(InvalidInputError) as caught:
        check(tree, entitlement, before)
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    assert all({"where", "problem"} <= set(each) for each in problems)
    return caught.value.message


def test_a_division_that_fits_passes() -> None:
    check(TREE, SIXTY)
    check(Tree(), {})


def test_too_much_for_the_zones_names_the_type_and_all_three_numbers() -> None:
    message = problem(set_count(TREE, PORTS, 31, "north"), SIXTY)
    assert message == (
        "outbound_ports: the zones have 71 together (default 40, north 31), but the entitlement has 60:"
        " take away 11."
    )


def test_too_much_for_the_organizations_names_the_type_and_all_three_numbers() -> None:
    message = problem(set_count(TREE, PORTS, 16, "default", "red"), SIXTY)
    assert message == (
        "outbound_ports: the organizations of zone default have 41 together (default 25, red 16),"
        " but the zone default has 40: take away 1."
    )


def test_a_zone_cannot_be_made_smaller_than_its_organizations() -> None:
    assert "take away 10" in problem(set_count(TREE, PORTS, 30, "default"), SIXTY, TREE)


def test_a_zone_without_a_number_limits_its_organizations_by_what_it_has() -> None:
    tree = Tree((ZoneAllocation("default", {}, (RED,)), ZoneAllocation("north", {PORTS: 50})))
    assert "zone default has 10" in problem(tree, SIXTY)


def test_after_a_cut_one_can_go_down_step_by_step_but_not_up() -> None:
    cut = {PORTS: 50}
    lower = set_count(TREE, PORTS, 15, "north")
    check(lower, cut, before=TREE)
    problem(lower, cut)
    assert "take away 11" in problem(set_count(TREE, PORTS, 21, "north"), cut, TREE)


def test_outbound_ports_need_telephony_ports() -> None:
    message = problem(TREE, {PORTS: 60, LINES: 50})
    assert "60 outbound_ports" in message
    assert "50 telephony_ports" in message
    check(TREE, {PORTS: 60, LINES: 60})
    in_zone = set_count(TREE, LINES, 19, "north")
    message = problem(in_zone, {PORTS: 60, LINES: 60})
    assert "zone north would have 20 outbound_ports, but only 19 telephony_ports" in message


def test_zones_without_telephony_ports_of_their_own_share_the_rest() -> None:
    fits = set_count(TREE, LINES, 20, "north")
    check(fits, {PORTS: 60, LINES: 60})
    message = problem(set_count(TREE, LINES, 21, "north"), {PORTS: 60, LINES: 60})
    assert (
        "the zones without telephony_ports of their own would have 40 outbound_ports, but only 39"
        " telephony_ports" in message
    )
    inside = set_count(set_count(fits, LINES, 40, "default"), LINES, 10, "default", "red")
    message = problem(inside, {PORTS: 60, LINES: 60})
    assert "organization red of default would have 15 outbound_ports, but only 10 telephony_ports" in message


def test_a_gate_is_not_summed_up() -> None:
    tree = set_count(set_count(TREE, EMAIL, 1, "north"), EMAIL, 1, "default")
    check(tree, {PORTS: 60, EMAIL: 1})
    assert "email of north is 1, but the entitlement has 0" in problem(tree, SIXTY)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (Tree((ZoneAllocation("north", {PORTS: -1}),)), "cannot have -1 outbound_ports"),
        (Tree((ZoneAllocation("north", {PORTS: 10**12}),)), "whole number from 0"),
        (Tree((ZoneAllocation(" ", {}),)), "has no name"),
        (Tree((ZoneAllocation("a", {}), ZoneAllocation("a", {}))), "a is there twice"),
        (Tree((ZoneAllocation("default", {}, (RED, RED)),)), "default/red is there twice"),
        (
            Tree((ZoneAllocation("default", {}, (RED,)),), PoolName("default", "rad")),
            "did you mean default/red?",
        ),
    ],
)
def test_what_is_no_tree_is_refused(tree: Tree, message: str) -> None:
    assert message in problem(tree, SIXTY)


def test_all_problems_are_named_at_once() -> None:
    tree = set_count(set_count(TREE, PORTS, 70, "north"), LicenceKind.ASR, 5, "default")
    with pytest.raises(InvalidInputError) as caught:
        check(tree, SIXTY)
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    assert {(each["kind"], each["sum"], each["limit"], each["excess"]) for each in problems} == {
        ("outbound_ports", 110, 60, 50),
        ("asr", 5, 0, 5),
    }
