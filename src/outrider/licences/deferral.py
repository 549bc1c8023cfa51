"""Recalculations asked for within one transaction and answered together at its end (licensing.md 5).

`web/coalescing.py` collects commands that arrive within a few milliseconds of each other and runs them
between `defer` and `answer`; everywhere else `service.request_recalculation` recalculates at once.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from outrider.db.database import Tx
from outrider.ids import PoolId, TaskId
from outrider.licences.model import Trigger

KEY = "outrider.deferred_recalculations"
LONGEST_CAUSE = 200


@dataclass(frozen=True, slots=True)
class Request:
    """One event that calls for a recalculation of a pool."""

    trigger: Trigger
    at: dt.datetime
    task_id: TaskId | None = None
    cause: str = ""
    actor: str = ""


@contextmanager
def deferring(tx: Tx) -> Iterator[dict[PoolId, list[Request]]]:
    """Collect what is asked for on `tx` inside the block, by pool, in order of arrival."""
    collected: dict[PoolId, list[Request]] = {}
    tx.info[KEY] = collected
    try:
        yield collected
    finally:
        del tx.info[KEY]


def defer(tx: Tx, pool_id: PoolId, request: Request) -> bool:
    """Put a request with the others if `tx` is collecting; return whether it was."""
    collected: dict[PoolId, list[Request]] | None = tx.info.get(KEY)
    if collected is None:
        return False
    collected.setdefault(pool_id, []).append(request)
    return True


def together(requests: list[Request]) -> Request:
    """Return one request that answers several: the trigger and task of the first, every cause, all actors."""
    first = requests[0]
    if len(requests) == 1:
        return first
    causes = "; ".join(dict.fromkeys(f"{each.trigger}: {each.cause}" for each in requests))
    actors = ", ".join(dict.fromkeys(each.actor for each in requests if each.actor))
    return Request(first.trigger, requests[-1].at, first.task_id, causes[:LONGEST_CAUSE], actors[:80])
