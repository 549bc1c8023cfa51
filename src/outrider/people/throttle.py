"""Slows down the guessing of passwords: after some failures, each further one doubles the wait. Pure.

One per process, in memory, for `people/api.py` and the sign-in page: a restart forgives, and a flood of
invented names cannot fill the database.
"""

import datetime as dt
import math
from collections import OrderedDict
from dataclasses import dataclass

from outrider.people.model import ThrottledError

FREE_TRIES_PER_USER = 5
"""Failures of one user from one address before the first wait."""
FREE_TRIES_PER_ADDRESS = 30
"""Failures of all users together from one address before the first wait."""
FIRST_WAIT = dt.timedelta(seconds=15)
LONGEST_WAIT = dt.timedelta(minutes=15)
MEMORY = 20_000
"""How many users and addresses are remembered; the longest unused are forgotten first."""


@dataclass(slots=True)
class _Record:
    failures: int
    last: dt.datetime
    blocked_until: dt.datetime


class SignInThrottle:
    """Counts tries that have not succeeded, per (user, address) and per address."""

    def __init__(self) -> None:
        self._records: OrderedDict[tuple[str, str], _Record] = OrderedDict()

    def begin(self, user: str, address: str, now: dt.datetime) -> None:
        """Count a try before it is made, so that parallel tries are counted too.

        ThrottledError, with the whole seconds to wait in the fact `retry_after`, when it must not be made.
        """
        keys = (((user, address), FREE_TRIES_PER_USER), (("", address), FREE_TRIES_PER_ADDRESS))
        waits = [
            record.blocked_until - now
            for key, _ in keys
            if (record := self._records.get(key)) is not None and record.blocked_until > now
        ]
        if waits:
            seconds = math.ceil(max(waits).total_seconds())
            raise ThrottledError(
                f"too many sign-ins failed; wait {seconds} s, then try again", retry_after=seconds
            )
        for key, free in keys:
            self._count(key, free, now)

    def succeed(self, user: str, address: str) -> None:
        """Forget the failures of this user, and this try of the address."""
        self._records.pop((user, address), None)
        record = self._records.get(("", address))
        if record is not None:
            record.failures = max(0, record.failures - 1)
            record.blocked_until = record.last

    def _count(self, key: tuple[str, str], free: int, now: dt.datetime) -> None:
        record = self._records.pop(key, None)
        if record is None or now - record.last > LONGEST_WAIT:
            record = _Record(0, now, now)
        record.failures += 1
        record.last = now
        excess = record.failures - free
        if excess >= 0:
            record.blocked_until = now + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(excess, 10))
        self._records[key] = record
        while len(self._records) > MEMORY:
            self._records.popitem(last=False)
