"""Samples of licences over time as step functions: areas, times at a value, and columns for a chart. Pure.

`figures` feeds it what `store` read. A sample holds until the next one.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sample:
    """Quota, grant and use of one task, in units, as of `at`."""

    at: dt.datetime
    quota: int
    granted: int
    in_use: int


BARS: Final = " ▁▂▃▄▅▆▇█"


def area(samples: Sequence[Sample], value: Callable[[Sample], float], until: dt.datetime) -> float:
    """Return the integral of `value` over the samples' time up to `until`, in units times seconds."""
    ends = [sample.at for sample in samples[1:]] + [until]
    return sum(
        value(sample) * max(0.0, (end - sample.at).total_seconds())
        for sample, end in zip(samples, ends, strict=False)
    )


def total(tasks: Sequence[Sequence[Sample]]) -> list[Sample]:
    """Return the sums over several tasks at every moment at which any of them was sampled.

    The monitor samples all tasks of a system in one transaction, at one time: sums are true snapshots.
    """
    sums: dict[dt.datetime, tuple[int, int, int]] = {}
    for samples in tasks:
        for each in samples:
            quota, granted, in_use = sums.get(each.at, (0, 0, 0))
            sums[each.at] = (quota + each.quota, granted + each.granted, in_use + each.in_use)
    return [Sample(at, *sums[at]) for at in sorted(sums)]


def columns(
    samples: Sequence[Sample],
    value: Callable[[Sample], float],
    begin: dt.datetime,
    end: dt.datetime,
    count: int,
) -> list[float]:
    """Return the mean of `value` in each of `count` equal parts of the time from `begin` to `end`.

    Before the first sample, and from a final sample on that says nothing is held, it is 0.
    """
    length = (end - begin).total_seconds() / count
    means = []
    for number in range(count):
        start = begin + dt.timedelta(seconds=length * number)
        stop = start + dt.timedelta(seconds=length)
        means.append(_mean(samples, value, start, stop))
    return means


def bars(values: Sequence[float], top: float) -> str:
    """Return one character a value, its height in eighths of `top`; anything above nothing shows."""
    steps = len(BARS) - 1
    heights = [0 if value <= 0 else max(1, min(steps, round(value / top * steps))) for value in values]
    return "".join(BARS[height] for height in heights)


def _mean(
    samples: Sequence[Sample], value: Callable[[Sample], float], start: dt.datetime, stop: dt.datetime
) -> float:
    inside = [sample for sample in samples if start < sample.at < stop]
    before = next((sample for sample in reversed(samples) if sample.at <= start), None)
    pieces = [(sample.at, sample) for sample in inside]
    if before is not None:
        pieces.insert(0, (start, before))
    if not pieces:
        return 0.0
    ends = [at for at, _ in pieces[1:]] + [stop]
    covered = sum(
        value(sample) * (end - at).total_seconds() for (at, sample), end in zip(pieces, ends, strict=True)
    )
    return covered / (stop - start).total_seconds()
