"""Which server makes the next calls, and how fast."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from outrider.media import rate
from outrider.media.placement import Slot, choose, in_turn
from support.web import START

MS = dt.timedelta(milliseconds=1)


def test_calls_go_where_most_is_free_relative_to_the_grant() -> None:
    slots = [Slot(1, "a", 20, 10), Slot(2, "b", 10, 0), Slot(3, "c", 5, 5)]
    assert choose(slots, 5, START).calls == {2: 5}
    assert choose(slots, 8, START).calls == {1: 2, 2: 6}
    assert choose(slots, 20, START).calls == {1: 10, 2: 10}


def test_what_binds_is_named() -> None:
    assert choose([Slot(1, "a", 4, 1)], 3, START).bound == ""
    assert choose([Slot(1, "a", 4, 1)], 4, START).bound == "ports"
    slow = choose([Slot(1, "a", 100, 0, 20.0)], 10, START)
    assert (slow.calls, slow.bound, slow.again_at) == ({1: 2}, "rate", START + 50 * MS)
    mixed = choose([Slot(1, "a", 100, 0, 20.0), Slot(2, "b", 3, 0)], 10, START)
    assert (mixed.calls, mixed.bound) == ({1: 2, 2: 3}, "rate")


def test_a_server_that_was_drained_below_its_use_gets_nothing() -> None:
    assert choose([Slot(1, "a", 2, 7)], 5, START).calls == {}


def test_a_batch_is_mixed_evenly() -> None:
    assert in_turn({1: 2, 2: 4}) == [2, 1, 2, 2, 1, 2]
    assert in_turn({}) == []


@given(st.floats(0.2, 500.0), st.lists(st.tuples(st.integers(0, 200), st.integers(1, 80)), max_size=60))
def test_no_window_gets_more_than_the_rate_and_a_tenth_of_a_second(
    per_second: float, asks: list[tuple[int, int]]
) -> None:
    now, mark = START, None
    started: list[tuple[dt.datetime, int]] = []
    for wait, wanted in asks:
        now += wait * MS
        calls = rate.allowed(per_second, mark, now, wanted)
        assert 0 <= calls <= wanted
        mark = rate.advanced(per_second, mark, now, calls)
        started.append((now, calls))
    step = 1 / per_second
    for first, (begin, _) in enumerate(started):
        total = 0
        for end, calls in started[first:]:
            total += calls
            window = (end - begin).total_seconds()
            assert total * step <= window + max(0.1, step) + step * 1e-3


@given(st.floats(0.2, 500.0), st.integers(1, 100))
def test_who_comes_again_when_told_gets_something(per_second: float, first: int) -> None:
    calls = rate.allowed(per_second, None, START, first)
    mark = rate.advanced(per_second, None, START, calls)
    again_at = rate.next_start(per_second, mark, START)
    assert rate.allowed(per_second, mark, again_at, 1) == 1


def test_without_a_rate_all_may_start() -> None:
    assert rate.allowed(None, None, START, 70) == 70
    assert rate.advanced(None, None, START, 70) is None
    assert rate.next_start(None, None, START) == START
