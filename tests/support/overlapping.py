"""Two transactions at once: the second runs when the first has done its work, and is not committed yet.

For races that only databases with several writers have; with one writer the second waits for the first.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from outrider.db.database import Database, Tx

HELD = 0.3
"""Seconds for which the first is kept open, unless the second ends before."""


def overlap(database: Database, first: Callable[[Tx], Any], second: Callable[[Tx], Any]) -> tuple[Any, Any]:
    """Run both, and return what they return."""
    done, ended = threading.Event(), threading.Event()

    def held(tx: Tx) -> Any:
        found = first(tx)
        done.set()
        ended.wait(HELD)
        return found

    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(database.write_now, held)
        done.wait()
        found = database.write_now(second)
        ended.set()
        return waiting.result(), found
