"""How many attempts may start now, for actions that are paced by attempts per second. Pure.

`dialing/service.py` asks it inside the claim, so that several workers together keep one pace.
"""

import datetime as dt

BURST = dt.timedelta(seconds=1)
"""A task that fell behind may catch up by at most this much of its pace at once."""

TOGETHER = dt.timedelta(milliseconds=100)
"""Who must wait is asked to come again when this much of the pace can start at once: a claim costs a
transaction, so that many small ones would cost more than the calls."""


def paced(
    per_second: float | None, pace_at: dt.datetime | None, now: dt.datetime, wanted: int
) -> tuple[int, dt.datetime | None]:
    """Return how many of `wanted` attempts may start at `now`, and the new pace mark.

    The mark is the time at which everything started so far is paid for (the generic cell rate algorithm,
    ITU-T I.371): n attempts advance it by n / per_second. No pace: all may start. A mark far in the future
    says that the clock was set back since: the task begins anew, and is not held up for so long.
    """
    if per_second is None or wanted <= 0:
        return max(0, wanted), pace_at
    step = dt.timedelta(seconds=1 / per_second)
    burst = max(BURST, step)
    pace_at = _still_true(pace_at, now, burst)
    mark = max(pace_at, now - burst) if pace_at is not None else now - step
    allowed = min(wanted, (now - mark) // step)
    return max(0, allowed), mark + step * max(0, allowed)


def next_start(per_second: float | None, pace_at: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """Return when the pace lets the next few attempts start together; `now` or later."""
    if per_second is None:
        return now
    step = dt.timedelta(seconds=1 / per_second)
    pace_at = _still_true(pace_at, now, max(BURST, step))
    return now if pace_at is None else max(now, pace_at + max(1, TOGETHER // step) * step)


def _still_true(pace_at: dt.datetime | None, now: dt.datetime, burst: dt.timedelta) -> dt.datetime | None:
    """Return the mark, None when it cannot be of this time: marks are never made ahead of the clock."""
    return None if pace_at is not None and pace_at > now + burst else pace_at
