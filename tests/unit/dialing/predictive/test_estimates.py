"""What is learned of a campaign: shares, shapes, handling times, and that changes of them are noticed."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.dialing.predictive.estimates import Estimates, LiveShare, Shape
from outrider.dialing.predictive.handling import Handling
from outrider.dialing.predictive.model import (
    ELAPSED_STEP,
    LONGEST_ELAPSED,
    OLDEST_LINE,
    count_busy,
    count_lines,
)


def test_people_count_no_more_for_answering_sooner() -> None:
    """A tenth of lines is live: answers at 5 s count with ends at 40 s of lines of then."""
    estimates = Estimates()
    ends = []
    for number in range(4_000):
        live = number % 10 == 0
        seconds = 5.0 if live else 40.0
        ends.append((number * 0.1 + seconds, live, seconds))
    for at, live, seconds in sorted(ends)[:3_000]:
        estimates.observe_line(live=live, seconds=seconds, at=at)
    assert estimates.share.mean == pytest.approx(0.1, abs=0.015)


def test_a_line_that_rings_longer_than_people_take_is_not_answered() -> None:
    estimates = Estimates()
    draw = random.Random(4)
    for number in range(2_000):
        live = draw.random() < 0.3
        estimates.observe_line(live=live, seconds=draw.uniform(5, 15) if live else 22.0, at=number * 1.0)
    by_age = estimates.live_by_age()
    assert by_age[2] == pytest.approx(0.3, abs=0.04)
    assert by_age[12] < by_age[8] < by_age[2]
    assert by_age[18] < 0.02


def test_a_share_that_fell_is_known_after_the_lines_that_contradict_it() -> None:
    share = LiveShare()
    draw = random.Random(5)
    for _ in range(3_000):
        share.observe(live=draw.random() < 0.3)
    for _ in range(200):
        share.observe(live=draw.random() < 0.1)
    assert share.mean < 0.16


def test_handling_times_that_doubled_are_known_after_a_few() -> None:
    handling = Handling()
    draw = random.Random(6)
    for _ in range(400):
        handling.observe(draw.expovariate(1 / 120))
    assert handling.mean == pytest.approx(120, rel=0.1)
    for _ in range(90):
        handling.observe(draw.expovariate(1 / 240))
    assert handling.mean == pytest.approx(240, rel=0.25)
    assert len(handling.recent()) < 150


def test_steady_handling_times_are_not_given_up() -> None:
    handling = Handling()
    draw = random.Random(7)
    for _ in range(5_000):
        handling.observe(draw.expovariate(1 / 120))
    assert len(handling.recent()) == 400
    assert handling.known == sorted(handling.recent())


@settings(max_examples=20)
@given(seconds=st.lists(st.integers(0, 90), min_size=1, max_size=3))
def test_ages_never_seen_keep_a_chance(seconds: list[int]) -> None:
    """A month of lines of the same few ages: tables still have a value for every age."""
    shape = Shape(3, 20)
    for number in range(20_000):
        shape.observe(seconds[number % len(seconds)])
    survival = shape.survival()
    assert survival[0] == pytest.approx(1.0)
    assert survival == sorted(survival, reverse=True)
    assert survival[-1] > 0.0


def test_tables_stand_a_month_of_lines_of_one_age() -> None:
    estimates = Estimates()
    for number in range(300_000):
        estimates.observe_line(live=False, seconds=22.0, at=number * 0.5)
    assert all(0.0 <= chance < 0.4 for chance in estimates.live_by_age())


@given(st.lists(st.floats(-5, 2_000), max_size=60))
def test_everything_is_counted_once(times: list[float]) -> None:
    lines, busy = count_lines(times), count_busy(times)
    assert sum(lines) == sum(busy) == len(times)
    assert lines[OLDEST_LINE] == sum(age >= OLDEST_LINE for age in times)
    assert busy[LONGEST_ELAPSED] == sum(each >= LONGEST_ELAPSED * ELAPSED_STEP for each in times)
