"""Samples as step functions: areas, sums, columns and bars."""

import datetime as dt

import pytest

from outrider.demo.series import Sample, area, bars, columns, total

START = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)


def at(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


def sample(seconds: float, in_use: int) -> Sample:
    return Sample(at(seconds), in_use + 1, in_use, in_use)


SAMPLES = [sample(0, 10), sample(30, 20), sample(60, 0)]


def test_a_sample_holds_until_the_next() -> None:
    assert area(SAMPLES, lambda each: each.in_use, at(90)) == pytest.approx(10 * 30 + 20 * 30)
    assert area(SAMPLES[:1], lambda each: each.in_use, at(90)) == pytest.approx(10 * 90)
    assert area([], lambda each: each.in_use, at(90)) == 0


def test_sums_are_per_moment() -> None:
    sums = total([[sample(0, 1), sample(10, 2)], [sample(10, 5)]])
    assert [(each.at, each.in_use) for each in sums] == [(at(0), 1), (at(10), 7)]


def test_columns_are_means_of_their_time() -> None:
    found = columns(SAMPLES, lambda each: each.in_use, at(0), at(80), 4)
    assert found == pytest.approx([10, (10 * 10 + 20 * 10) / 20, 20, 0])


def test_columns_before_the_first_sample_are_empty() -> None:
    assert columns([sample(10, 4)], lambda each: each.in_use, at(0), at(20), 2) == pytest.approx([0, 4])


def test_bars_show_little_as_something() -> None:
    assert bars([0, 0.1, 30, 60, 99], 60) == " ▁▄██"
