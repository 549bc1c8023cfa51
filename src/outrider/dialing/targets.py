"""What a decision makes of a target's row, and how retry counters are kept in it. Pure.

Claims and results both write targets through here.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outrider.campaigns.outcome import Outcome
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.retry import AwaitNews, Counters, Decision, Final, NextAction, Reinstated, Retry
from outrider.ids import AttemptId


@dataclass(frozen=True, slots=True)
class Told:
    """What the attempt that led to a decision has told: nothing at all when none was made.

    `attempts` are those of the contact in this job so far. `earlier` is the outcome that the attempt was
    counted with before: the true one takes its place. `attempt_id` and `address_index` say which message
    is awaited news of, and where it went.
    """

    outcome: Outcome | None = None
    disposition: str | None = None
    attempts: int = 0
    earlier: Outcome | None = None
    attempt_id: AttemptId | None = None
    address_index: int = 0


def counters_of(document: Mapping[str, Any] | None, attempts: int) -> Counters:
    """Return the counters that a target's row holds; `attempts` are those of the whole job."""
    if not document:
        return Counters(attempts, 0, {})
    retries = {str(name): int(count) for name, count in document.get("retries", {}).items()}
    return Counters(attempts, int(document.get("action_attempts", 0)), retries)


def counters_document(counters: Counters) -> dict[str, Any] | None:
    """Return counters as a target's row keeps them; None when there is nothing but the job's attempts."""
    if not counters.action_attempts and not counters.retries:
        return None
    return {
        "action_attempts": counters.action_attempts,
        "retries": {str(cause): count for cause, count in counters.retries.items()},
    }


def target_row(
    plan: TaskPlan, target_id: int, decision: Decision, now: dt.datetime, told: Told
) -> dict[str, object]:
    """Return the new values of a target after `decision` (parameters of `store.SET_TARGET`)."""
    row: dict[str, object] = {
        "target": target_id,
        "new_state": "due",
        "new_task": plan.task_id,
        "new_next_at": now,
        "new_index": 0,
        "new_attempts": told.attempts,
        "new_counters": None,
        "new_outcome": None if told.outcome is None else told.outcome.value,
        "new_disposition": told.disposition,
        "new_awaiting": None,
        "new_finished_at": None,
    }
    match decision:
        case Retry(at, address_index, counters):
            row |= {
                "new_next_at": at,
                "new_index": address_index,
                "new_counters": counters_document(counters),
            }
        case AwaitNews(until, counters):
            row |= {
                "new_next_at": until,
                "new_index": told.address_index,
                "new_counters": counters_document(counters),
                "new_awaiting": told.attempt_id,
            }
        case NextAction(name, at, counters):
            row |= {
                "new_task": plan.task_of[name],
                "new_next_at": at,
                "new_counters": counters_document(counters),
            }
        case Final(outcome):
            row |= {"new_state": "done", "new_outcome": outcome.value, "new_finished_at": now}
        case Reinstated(outcome, disposition):
            row |= {
                "new_state": "done",
                "new_outcome": outcome.value,
                "new_disposition": disposition,
                "new_finished_at": now,
            }
    return row
