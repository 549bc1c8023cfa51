"""Granting on worked examples (licensing.md 4.5)."""

import pytest

from outrider.licences.model import Holding, LicenceKind, Policy
from outrider.licences.settle import settle

PORTS, MANUAL, PREDICTIVE = (
    LicenceKind.OUTBOUND_PORTS,
    LicenceKind.MANUAL_AGENTS,
    LicenceKind.PREDICTIVE_AGENTS,
)


def ports(name: str, quota: int, granted: int, in_use: int, **fields: int) -> Holding:
    return Holding(
        name,
        PORTS,
        quota,
        granted,
        in_use,
        fields.get("right", 1),
        fields.get("priority", 5),
        fields.get("started", 0),
    )


@pytest.mark.parametrize(
    ("holdings", "granted"),
    [
        ([ports("a", 3, 10, 0), ports("b", 7, 0, 0)], {"a": 3, "b": 7}),
        ([ports("a", 3, 10, 10), ports("b", 7, 0, 0)], {"a": 3, "b": 0}),
        ([ports("a", 3, 3, 6), ports("b", 7, 0, 0)], {"a": 3, "b": 4}),
        ([ports("a", 0, 0, 4), ports("b", 5, 2, 0), ports("c", 5, 2, 0)], {"a": 0, "b": 3, "c": 3}),
        ([ports("a", 8, 2, 6), ports("b", 2, 0, 0)], {"a": 8, "b": 2}),
    ],
)
def test_grants_grow_out_of_free_units_only(holdings: list[Holding], granted: dict[str, int]) -> None:
    assert settle({PORTS: 10}, holdings) == granted


def test_minimums_come_before_shares() -> None:
    holdings = [
        ports("gone", 0, 0, 7),
        ports("low", 4, 0, 0, right=3, priority=1),
        ports("high", 6, 0, 0, right=0, priority=10),
    ]
    assert settle({PORTS: 10}, holdings) == {"gone": 0, "low": 3, "high": 0}


@pytest.mark.parametrize(("policy", "high"), [(Policy.WEIGHTED, 3), (Policy.STRICT, 4)])
def test_the_policy_orders_what_is_freed(policy: Policy, high: int) -> None:
    holdings = [
        ports("gone", 0, 0, 6),
        ports("low", 5, 0, 0, right=0, priority=3),
        ports("high", 5, 0, 0, right=0, priority=9),
    ]
    assert settle({PORTS: 10}, holdings, policy) == {"gone": 0, "low": 4 - high, "high": high}


def test_after_a_cut_nobody_may_begin_a_call_until_the_excess_has_drained() -> None:
    holdings = [ports("a", 2, 6, 4), ports("b", 4, 4, 0)]
    assert settle({PORTS: 6}, holdings) == {"a": 2, "b": 2}
    assert settle({PORTS: 3}, [ports("a", 1, 6, 4), ports("b", 2, 4, 0)]) == {"a": 1, "b": 0}


def test_nested_seats_hold_for_grants() -> None:
    holdings = [
        Holding("manual", MANUAL, 3, 0, 0, 0, 9),
        Holding("old", MANUAL, 0, 0, 2, 0, 5),
        Holding("predictive", PREDICTIVE, 2, 0, 0, 0, 1),
    ]
    assert settle({PREDICTIVE: 2, MANUAL: 2}, holdings) == {"manual": 2, "old": 0, "predictive": 0}
    assert settle({PREDICTIVE: 2, MANUAL: 3}, holdings, agents=4) == {"manual": 2, "old": 0, "predictive": 0}
    assert settle({PREDICTIVE: 2, MANUAL: 3}, holdings) == {"manual": 3, "old": 0, "predictive": 0}


def test_many_tasks_take_the_columns_and_agree() -> None:
    holdings = [ports(f"t{index}", 3, index % 5, index % 4, started=index) for index in range(400)]
    granted = settle({PORTS: 1100}, holdings)
    assert sum(max(granted[each.id], each.in_use) for each in holdings) <= 1100
    assert all(granted[each.id] >= min(each.granted, each.quota) for each in holdings)
    assert sum(granted.values()) > sum(min(each.granted, each.quota) for each in holdings)
