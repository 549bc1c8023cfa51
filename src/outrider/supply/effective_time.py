"""Time that setting this machine's clock back does not set back: what grace is counted in. Pure.

`supply/service.py` asks it before every poll is judged (licensing.md 7); the memory lives in the database.
"""

import datetime as dt
from dataclasses import dataclass, replace

from outrider.supply.authorisation import Authorisation
from outrider.supply.model import ClockMemory, Known

ZERO = dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class Elapsed:
    """What really passed since this machine's clock said `since`, by a clock that nobody can set."""

    since: dt.datetime
    span: dt.timedelta


def observe(memory: ClockMemory, wall: dt.datetime, elapsed: Elapsed | None = None) -> ClockMemory:
    """Return the memory after this machine's clock was read (`wall`, aware UTC).

    `elapsed` is None when it is not known, as after a restart; one since another reading than the last does
    not count. A jump back is owed from now on; a jump forward that follows it gives back at most what is
    owed, so effective time (`wall + offset`) never goes backwards, and advances by what really passes.
    """
    if memory.seen_at is None:
        return replace(memory, seen_at=wall)
    moved = wall - memory.seen_at
    if elapsed is None or elapsed.since != memory.seen_at:
        jump = min(moved, ZERO)
    else:
        jump = moved - max(elapsed.span, ZERO)
    if jump < ZERO:
        return ClockMemory(wall, memory.offset - jump)
    return ClockMemory(wall, memory.offset - min(jump, max(memory.offset, ZERO)))


def effective(memory: ClockMemory) -> dt.datetime:
    """Return the effective time of the last reading. ValueError when the clock was never read."""
    if memory.seen_at is None:
        raise ValueError("the clock was never read")
    return memory.seen_at + memory.offset


def before_judging(
    memory: ClockMemory, known: Known, answer: Authorisation, *, trust_server: bool
) -> ClockMemory:
    """Return the memory to judge a good answer by.

    With `trust_server` (a licence server that has a clock of its own) effective time is the server's.
    Without, a licence that runs longer than the last known one clears what is owed: it was issued since.
    """
    if not answer.features or memory.seen_at is None:
        return memory
    if trust_server:
        return replace(memory, offset=answer.server_time - memory.seen_at)
    longest = max(each.expires_at for each in answer.features)
    if known.features and longest > max(each.expires_at for each in known.features):
        return replace(memory, offset=ZERO)
    return memory


def cleared(known: Known) -> Known:
    """Return what is known with nothing owed any more: a good poll found no grace that could be extended."""
    owed = known.clock.offset
    return replace(
        known,
        fresh_at=None if known.fresh_at is None else known.fresh_at - owed,
        lease_until=None if known.lease_until is None else known.lease_until - owed,
        clock=replace(known.clock, offset=ZERO),
    )
