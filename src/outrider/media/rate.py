"""Originations per second of a media server, by the generic cell rate algorithm (ITU-T I.371). Pure.

`media/placement.py` asks it inside the charge of ports, so that all workers together keep one rate.
"""

import datetime as dt

TOLERANCE = dt.timedelta(milliseconds=100)
"""A server that fell behind may catch up by this much of its rate at once, or by one call."""

TOGETHER = TOLERANCE / 2
"""Who must wait is asked to come again when this much of the rate can start at once."""


def allowed(per_second: float | None, mark: dt.datetime | None, now: dt.datetime, wanted: int) -> int:
    """Return how many of `wanted` calls may start at `now`; all without a rate.

    The mark is the time at which everything started so far is paid for: n calls advance it by n / rate.
    """
    if per_second is None:
        return wanted
    return max(0, min(wanted, (now - _base(per_second, mark, now)) // _step(per_second)))


def advanced(
    per_second: float | None, mark: dt.datetime | None, now: dt.datetime, calls: int
) -> dt.datetime | None:
    """Return the mark after `calls` started at `now`."""
    if per_second is None or calls <= 0:
        return mark
    return _base(per_second, mark, now) + calls * _step(per_second)


def next_start(per_second: float | None, mark: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """Return when the next few calls may start together; `now` or later."""
    if per_second is None:
        return now
    step = _step(per_second)
    return max(now, _base(per_second, mark, now) + max(1, TOGETHER // step) * step)


def _step(per_second: float) -> dt.timedelta:
    return dt.timedelta(seconds=1 / per_second)


def _base(per_second: float, mark: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    earliest = now - max(TOLERANCE, _step(per_second))
    return earliest if mark is None else max(mark, earliest)
