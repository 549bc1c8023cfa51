"""What agents say of contacts: completion codes settle the attempts that wait for them.

The recorder calls `complete` after the attempt's result, in one queue with it; `time_out` ends waits for
codes that never came, because the process died in the middle of a wrap-up.
"""

import datetime as dt
from dataclasses import dataclass

from outrider.agents.commands import Callback
from outrider.campaigns.outcome import Outcome
from outrider.db.database import Row, Tx
from outrider.dialing import agent_store, code_effects, opting_out, plans, store
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.code_effects import Code, Effect
from outrider.dialing.moves import Moves
from outrider.dialing.targets import Told
from outrider.ids import AttemptId, JobId
from outrider.jobs import store as job_store
from outrider.licences import store as licence_store
from outrider.licences.service import SharingRules

MOST_ENDED_WAITS = 200
"""Contacts whose wait is over that one claim lets go on."""


@dataclass(frozen=True, slots=True)
class WrapUpDone:
    """What an agent said of an attempt at `at`; `code` None: nothing, so that its outcome alone decides."""

    attempt_id: AttemptId
    code: str | None
    note: str
    agent_id: int | None
    at: dt.datetime
    callback: Callback | None = None


def complete(
    tx: Tx,
    rules: SharingRules,
    attempt_id: AttemptId,
    code_name: str | None,
    note: str,
    agent_id: int | None,
    now: dt.datetime,
    callback: Callback | None = None,
) -> bool:
    """Write what came of a contact, and let it go on by the code's effect; return whether it was news.

    Whatever is repeated changes nothing. An attempt whose result is not written yet is settled by that.
    A contact who has moved on meanwhile (redialed, or waited for too long) only has it noted, but a wish
    not to be contacted, and a promise, hold.
    """
    row = store.awaited(tx, attempt_id)
    task = None if row is None else store.task_row(tx, row["task_id"])
    if row is None or task is None or row["wrapped_up_at"] is not None:
        return False
    licence_store.lock_pools(tx, job_store.pool_ids(tx, JobId(task["job_id"])))
    row = store.lock_awaited(tx, attempt_id)
    if row is None or not agent_store.wrap_up(tx, attempt_id, code_name, note, agent_id, now):
        return False
    plan = plans.plan_of(tx, task)
    code = code_effects.find(tx, plan, code_name)
    if code is not None and code.effect is Effect.DO_NOT_CONTACT:
        opting_out.opt_out(tx, plan, row["address"], opting_out.BY_AGENT, now)
    if row["ended_at"] is not None:
        _settle(tx, rules, plan, row, code, callback, now)
    return True


def settle(tx: Tx, rules: SharingRules, attempt_id: AttemptId, now: dt.datetime) -> None:
    """Settle an attempt that was wrapped up before its result was written. The job's pools are locked."""
    row = store.lock_awaited(tx, attempt_id)
    task = None if row is None else store.task_row(tx, row["task_id"])
    if row is not None and task is not None:
        plan = plans.plan_of(tx, task)
        _settle(tx, rules, plan, row, code_effects.find(tx, plan, row["disposition"]), None, now)


def time_out(tx: Tx, rules: SharingRules, plan: TaskPlan, now: dt.datetime) -> int:
    """End the waits of a task's contacts whose completion code did not come in time; return how many.

    The default code decides, or else the outcome. Call it before the task is locked.
    """
    agents = plan.action.agents
    waiting = [] if agents is None else agent_store.ended_waits(tx, plan.task_id, now, MOST_ENDED_WAITS)
    if not waiting or agents is None:
        return 0
    licence_store.lock_pools(tx, job_store.pool_ids(tx, plan.job_id))
    for attempt_id in waiting:
        if agents.default_code is None:
            settle(tx, rules, attempt_id, now)
        else:
            complete(tx, rules, attempt_id, agents.default_code, "", None, now)
    return len(waiting)


def _settle(
    tx: Tx,
    rules: SharingRules,
    plan: TaskPlan,
    row: Row,
    code: Code | None,
    callback: Callback | None,
    now: dt.datetime,
) -> None:
    """Let a contact go on that waits for this; its outcome is counted already."""
    name = None if code is None else code.name
    if row["awaiting"] != row["id"]:
        if name is not None:
            job_store.add_dispositions(tx, {(plan.task_id, name): (1, 0)})
        return
    outcome = Outcome(row["outcome"])
    told = Told(outcome, name, attempts=row["attempts"], earlier=outcome)
    moves = Moves()
    moves.add(plan, row["target_id"], code_effects.decision(tx, plan, row, code, callback, now), now, told)
    moves.write(tx, rules, now)
