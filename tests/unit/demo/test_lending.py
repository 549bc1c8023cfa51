"""Loans as the history of recalculations tells them: donated, borrowed, returned, and for how long."""

import datetime as dt
from collections.abc import Mapping

import pytest

from outrider.demo.lending import lending
from outrider.licences.explained import Holding, Recalculation
from outrider.licences.model import Standing, Trigger

START = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)


def later(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


def record(
    seconds: float, trigger: Trigger, before: Mapping[str, int], after: Mapping[str, int | None]
) -> Recalculation:
    """Quotas before and after by task; None stands for a task that has stopped."""
    return Recalculation(
        id=int(seconds),
        pool_id=1,
        at=later(seconds),
        trigger=trigger,
        task=None,
        cause="",
        counts={"outbound_ports": 60},
        before={task: Holding(quota, quota, 0, Standing.ADMITTED) for task, quota in before.items()},
        after={
            task: Holding(0, 0, 0, Standing.OUT)
            if quota is None
            else Holding(quota, quota, 0, Standing.ADMITTED)
            for task, quota in after.items()
        },
        names={},
    )


def test_a_loan_from_idle_to_return() -> None:
    history = [
        record(0, Trigger.START, {"a": 0, "b": 0, "c": 0}, {"a": 32, "b": 20, "c": 8}),
        record(100, Trigger.IDLE, {"a": 32, "b": 20, "c": 8}, {"a": 4, "b": 30, "c": 26}),
        record(160, Trigger.RETURN, {"a": 4, "b": 30, "c": 26}, {"a": 32, "b": 20, "c": 8}),
    ]
    accounts = lending(history, later(1000))
    assert (accounts["a"].donated, accounts["a"].returned, accounts["a"].donations) == (28, 28, 1)
    assert (accounts["b"].borrowed, accounts["c"].borrowed) == (10, 18)
    assert accounts["a"].donated_seconds == pytest.approx(28 * 60)
    assert accounts["b"].borrowed_seconds + accounts["c"].borrowed_seconds == pytest.approx(28 * 60)
    assert accounts["a"].donating == accounts["b"].borrowing == accounts["c"].borrowing == 0


def test_starts_and_stops_are_no_loans() -> None:
    history = [
        record(0, Trigger.START, {"a": 0}, {"a": 40}),
        record(10, Trigger.START, {"a": 40, "b": 0}, {"a": 30, "b": 30}),
        record(20, Trigger.STOP, {"a": 30, "b": 30}, {"a": None, "b": 40}),
    ]
    for account in lending(history, later(60)).values():
        assert (account.donated, account.borrowed, account.donated_seconds) == (0, 0, 0)


def test_a_loan_ends_when_the_donor_stops() -> None:
    history = [
        record(0, Trigger.IDLE, {"a": 30, "b": 30}, {"a": 10, "b": 50}),
        record(50, Trigger.STOP, {"a": 10, "b": 50}, {"a": None, "b": 50}),
    ]
    accounts = lending(history, later(1000))
    assert accounts["a"].donated_seconds == accounts["b"].borrowed_seconds == pytest.approx(20 * 50)
    assert accounts["a"].returned == 0


def test_a_partial_return_leaves_the_rest_lent() -> None:
    history = [
        record(0, Trigger.IDLE, {"a": 30, "b": 30}, {"a": 10, "b": 50}),
        record(10, Trigger.RETURN, {"a": 10, "b": 50}, {"a": 25, "b": 35}),
    ]
    accounts = lending(history, later(20))
    assert (accounts["a"].donating, accounts["a"].returned, accounts["b"].borrowing) == (5, 15, 5)
    assert accounts["a"].donated_seconds == pytest.approx(20 * 10 + 5 * 10)


def test_a_loan_that_lasts_counts_until_the_end() -> None:
    history = [record(0, Trigger.IDLE, {"a": 30, "b": 30}, {"a": 10, "b": 50})]
    assert lending(history, later(60))["b"].borrowed_seconds == pytest.approx(20 * 60)


def test_nobody_borrows_more_than_is_donated() -> None:
    """What was free before an idle recalculation is dealt by it too, but it is nobody's gift."""
    history = [record(0, Trigger.IDLE, {"a": 30, "b": 20}, {"a": 20, "b": 40})]
    accounts = lending(history, later(1))
    assert (accounts["a"].donating, accounts["b"].borrowing) == (10, 10)


def test_a_borrower_pays_back_before_it_donates() -> None:
    history = [
        record(0, Trigger.IDLE, {"a": 30, "b": 20}, {"a": 10, "b": 40}),
        record(10, Trigger.IDLE, {"b": 40, "c": 10}, {"a": 10, "b": 15, "c": 35}),
    ]
    accounts = lending(history, later(10))
    assert (accounts["b"].donated, accounts["b"].borrowing) == (5, 0)
    assert (accounts["a"].donating, accounts["b"].donating, accounts["c"].borrowing) == (20, 5, 25)
