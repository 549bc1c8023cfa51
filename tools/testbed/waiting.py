"""Waiting for facts about other programs: looked at again and again, with a deadline.

The servers of the bed use it, and tests.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY = 0.02
PATIENCE = 60.0
"""Seconds after which something that should have happened long ago is a failure."""


class NotSoError(AssertionError):
    """Something that a program should have done, it has not; a test that meets it has failed."""


def eventually(what: str, fact: Callable[[], T | None], within: float = PATIENCE) -> T:
    """Return the first true answer of `fact`; NotSoError when there is none `within` seconds."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while True:
        found = fact()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise NotSoError(f"not within {within:g} s: {what}")
        pause.wait(LOOK_EVERY)
