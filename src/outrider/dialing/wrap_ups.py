"""What agents say of contacts: completion codes settle the attempts that wait for them.

The recorder calls `complete_all` in one queue with the attempts' results: after them, but for a contact who
was handed over and talks on. `time_out` ends waits for codes that never came, because the process died in the
middle of a wrap-up.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outrider.agents.commands import Callback
from outrider.campaigns.outcome import Outcome
from outrider.completion.model import Effect
from outrider.db.database import Row, Tx
from outrider.dialing import agent_store, code_effects, opting_out, promises, store
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.code_effects import Known
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
    """Write what came of one contact, as `complete_all` does; return whether it was news."""
    done = WrapUpDone(attempt_id, code_name, note, agent_id, now, callback)
    return complete_all(tx, rules, [done], now) == 1


def complete_all(tx: Tx, rules: SharingRules, done: Sequence[WrapUpDone], now: dt.datetime) -> int:
    """Write what came of contacts, and let them go on by their codes' effects; return how many were news.

    Whatever is repeated changes nothing. An attempt whose result is not written yet is settled by that.
    A contact who has moved on meanwhile (redialed, or waited for too long) only has it noted, but a wish
    not to be contacted, and a promise, hold.
    """
    ids = [each.attempt_id for each in done]
    _lock_pools(tx, store.jobs_of_attempts(tx, ids))
    rows = agent_store.lock_awaited(tx, ids)
    known = Known(tx, rows.values())
    moves = Moves()
    fresh = []
    for each in done:
        row = rows.get(each.attempt_id)
        if row is None or row["wrapped_up_at"] is not None or each.attempt_id in fresh:
            continue
        fresh.append(each.attempt_id)
        agent_store.wrap_up(tx, each.attempt_id, each.code, each.note, each.agent_id, each.at)
        plan = known.plan(row)
        code = known.code(plan, each.code)
        if code is not None and code.effect is Effect.DO_NOT_CONTACT:
            opting_out.opt_out(tx, plan, row["address"], opting_out.BY_AGENT, now)
        promised = None
        if each.callback is not None:
            promised = promises.make(tx, plan, row, each.callback, each.agent_id, each.at)
        if row["ended_at"] is not None:
            _settle(moves, known, plan, row, each.code, promised, each.at)
    moves.write(tx, rules, now)
    return len(fresh)


def settle(tx: Tx, rules: SharingRules, attempt_ids: Iterable[AttemptId], now: dt.datetime) -> None:
    """Settle attempts that await their code by what was said of them so far, be it nothing.

    Those that were wrapped up before their result was written, and those whose wait is over. The jobs'
    pools are locked.
    """
    rows = agent_store.lock_awaited(tx, list(attempt_ids))
    known, moves = Known(tx, rows.values()), Moves()
    for row in rows.values():
        plan = known.plan(row)
        promised = promises.expiry(tx, plan, row) if row["wrapped_up_at"] is not None else None
        _settle(moves, known, plan, row, row["disposition"], promised, now)
    moves.write(tx, rules, now)


def time_out(tx: Tx, rules: SharingRules, plan: TaskPlan, now: dt.datetime) -> int:
    """End the waits of a task's contacts whose completion code did not come in time; return how many.

    The default code decides, or else the outcome. Call it before the task is locked.
    """
    agents = plan.action.agents
    waiting = [] if agents is None else agent_store.ended_waits(tx, plan.task_id, now, MOST_ENDED_WAITS)
    if not waiting or agents is None:
        return 0
    _lock_pools(tx, [plan.job_id])
    code = agents.default_code
    if code is None:
        settle(tx, rules, waiting, now)
    else:
        complete_all(tx, rules, [WrapUpDone(each, code, "", None, now) for each in waiting], now)
    return len(waiting)


def _lock_pools(tx: Tx, job_ids: Iterable[int]) -> None:
    jobs = [JobId(job_id) for job_id in job_ids]
    licence_store.lock_pools(tx, {pool for job_id in jobs for pool in job_store.pool_ids(tx, job_id)})


def _settle(
    moves: Moves,
    known: Known,
    plan: TaskPlan,
    row: Row,
    code_name: str | None,
    promised: dt.datetime | None,
    now: dt.datetime,
) -> None:
    """Let a contact go on that waits for this; its outcome is counted already."""
    if row["awaiting"] != row["id"]:
        if code_name is not None:
            moves.note_disposition(plan, code_name)
        return
    decision = code_effects.decision(known, plan, row, known.code(plan, code_name), promised, now)
    outcome = Outcome(row["outcome"])
    told = Told(outcome, code_name, attempts=row["attempts"], earlier=outcome)
    moves.add(plan, row["target_id"], decision, now, told)
