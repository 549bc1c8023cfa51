"""What a decision makes of a target's row, and how retry counters are kept in it. Pure.

Claims and results both write targets through here.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from outrider.campaigns.outcome import Outcome
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.retry import Counters, Decision, Final, NextAction, Retry


def counters_of(document: Mapping[str, Any] | None, attempts: int) -> Counters:
    """Return the counters that a target's row holds; `attempts` are those of the whole job."""
    if not document:
        return Counters(attempts, 0, {})
    retries = {Outcome(name): int(count) for name, count in document.get("retries", {}).items()}
    return Counters(attempts, int(document.get("action_attempts", 0)), retries)


def counters_document(counters: Counters) -> dict[str, Any] | None:
    """Return counters as a target's row keeps them; None when there is nothing but the job's attempts."""
    if not counters.action_attempts and not counters.retries:
        return None
    return {
        "action_attempts": counters.action_attempts,
        "retries": {outcome.value: count for outcome, count in counters.retries.items()},
    }


def target_row(
    plan: TaskPlan,
    target_id: int,
    decision: Decision,
    now: dt.datetime,
    attempts: int,
    last: Outcome | None = None,
) -> dict[str, object]:
    """Return the new values of a target after `decision` (parameters of `store.SET_TARGET`)."""
    row: dict[str, object] = {
        "target": target_id,
        "new_state": "due",
        "new_task": plan.task_id,
        "new_next_at": now,
        "new_index": 0,
        "new_attempts": attempts,
        "new_counters": None,
        "new_outcome": None if last is None else last.value,
        "new_finished_at": None,
    }
    match decision:
        case Retry(at, address_index, counters):
            row |= {
                "new_next_at": at,
                "new_index": address_index,
                "new_counters": counters_document(counters),
            }
        case NextAction(name, at, counters):
            row |= {
                "new_task": plan.task_of[name],
                "new_next_at": at,
                "new_counters": counters_document(counters),
            }
        case Final(outcome):
            row |= {"new_state": "done", "new_outcome": outcome.value, "new_finished_at": now}
    return row
