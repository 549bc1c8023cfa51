"""Pacing by attempts per second: never faster over time, and a small catching-up after a pause."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.dialing.pacing import BURST, TOGETHER, next_start, paced

NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)


def test_without_a_pace_everything_may_start() -> None:
    assert paced(None, None, NOON, 50) == (50, None)


def test_the_first_attempt_may_start_at_once() -> None:
    allowed, mark = paced(2.0, None, NOON, 10)
    assert allowed == 1
    assert mark == NOON


def test_after_a_second_two_per_second_allows_two() -> None:
    _, mark = paced(2.0, None, NOON, 10)
    allowed, _ = paced(2.0, mark, NOON + dt.timedelta(seconds=1), 10)
    assert allowed == 2


def test_a_long_pause_is_not_made_up_for() -> None:
    _, mark = paced(5.0, None, NOON, 1)
    allowed, _ = paced(5.0, mark, NOON + dt.timedelta(hours=1), 1000)
    assert allowed == 5


def test_slow_paces_below_one_per_second_work() -> None:
    _, mark = paced(0.1, None, NOON, 1)
    assert paced(0.1, mark, NOON + dt.timedelta(seconds=9), 1)[0] == 0
    assert paced(0.1, mark, NOON + dt.timedelta(seconds=10), 1)[0] == 1


@pytest.mark.parametrize("wanted", [0, -3])
def test_nobody_who_wants_nothing_starts(wanted: int) -> None:
    assert paced(2.0, NOON, NOON, wanted) == (0, NOON)


def test_next_start_is_when_the_next_one_is_paid_for() -> None:
    _, mark = paced(2.0, None, NOON, 1)
    assert next_start(2.0, mark, NOON) == NOON + dt.timedelta(seconds=0.5)
    assert next_start(None, mark, NOON) == NOON


@given(st.floats(0.1, 50), st.lists(st.tuples(st.floats(0, 5), st.integers(1, 100)), min_size=1, max_size=40))
def test_over_any_time_no_more_start_than_pace_and_burst_allow(
    pace: float, asks: list[tuple[float, int]]
) -> None:
    now, mark, started = NOON, None, 0
    for pause, wanted in asks:
        now += dt.timedelta(seconds=pause)
        allowed, mark = paced(pace, mark, now, wanted)
        assert 0 <= allowed <= wanted
        started += allowed
    elapsed = (now - NOON).total_seconds()
    assert started <= pace * (elapsed + BURST.total_seconds()) + 2


def test_a_fast_pace_is_asked_again_when_several_may_start_together() -> None:
    again_at = next_start(200.0, NOON, NOON)
    assert again_at == NOON + TOGETHER
    assert paced(200.0, NOON, again_at, 100)[0] == 20


def test_a_clock_that_was_set_back_holds_nobody_up() -> None:
    _, mark = paced(2.0, None, NOON, 1)
    earlier = NOON - dt.timedelta(hours=1)
    assert next_start(2.0, mark, earlier) == earlier
    assert paced(2.0, mark, earlier, 10) == (1, earlier)


def test_a_clock_that_is_a_little_behind_gains_nothing() -> None:
    _, mark = paced(2.0, None, NOON, 1)
    assert paced(2.0, mark, NOON - dt.timedelta(milliseconds=300), 10)[0] == 0
