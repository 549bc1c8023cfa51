"""Claiming: a task asks for work and gets attempts whose units are charged and whose rows are written.

The fast path of licence sharing. The worker's dial loops call it, one transaction a batch; it touches the
task's row and never the pool's, except when a quiet task asks for its licences back (licensing.md 5).
"""

import datetime as dt

from outrider.db.database import Row, Tx
from outrider.dialing import store
from outrider.dialing.attempt import Batch, Means, TaskPlan
from outrider.dialing.claiming import UNBOUNDED, Ask, bound, claim_due, finish_if_due, put_off, take_turn
from outrider.dialing.retry import Retry
from outrider.dialing.sorting import sort_out
from outrider.ids import TaskId
from outrider.licences import service as licences
from outrider.licences.model import Standing
from outrider.licences.service import SharingRules

REFUSED_EVERY = dt.timedelta(seconds=1)
"""A task that keeps asking in vain is noted as asking at most this often."""

MOST_ENDED_WAITS = 500
"""Contacts whose wait is over that one claim lets go on."""


def take_batch(
    tx: Tx,
    rules: SharingRules,
    plan: TaskPlan,
    wanted: int,
    owner: str,
    now: dt.datetime,
    means: Means = UNBOUNDED,
) -> Batch:
    """Claim up to `wanted` attempts of a task, no more than its grant, pace and due contacts allow.

    Each claim is a lease of one unit, held by `owner`. Contacts outside their window are put off to its
    opening, those on a do-not-contact list or without an address go on to what follows. `means` is what
    `owner` has to make them with. Nothing for a task of agents: `agent_claims.py` claims for those.
    """
    if plan.action.agents is not None:
        return Batch(bound="agents")
    finish_if_due(tx, rules, plan, now)
    _ask_for_return(tx, rules, plan, now)
    take_turn(tx, plan)
    row = store.task(tx, plan.task_id)
    if row is None or row["standing"] != Standing.ADMITTED.value:
        return not_admitted(row)
    _end_waits(tx, plan, now)
    free = row["granted"] - row["in_use"]
    if free <= 0:
        return _refused(tx, row, now)
    return claim_due(tx, plan, row, Ask(wanted, free, owner, now, means))


def not_admitted(row: Row | None) -> Batch:
    """Return the empty batch of a task that does not run: it waits for licences, or its job is stopped."""
    return Batch(bound="licence" if row and row["standing"] == Standing.WAITING.value else "paused")


def note_unreachable(tx: Tx, task_id: TaskId) -> None:
    """Note that a task has nothing to claim with: its carrier or mail server cannot be reached."""
    row = store.task(tx, task_id)
    if row is not None:
        bound(tx, row, Batch(bound="channel"))


def _ask_for_return(tx: Tx, rules: SharingRules, plan: TaskPlan, now: dt.datetime) -> None:
    """Do the `return` trigger when the task was quiet and has somebody to call (before any row is locked)."""
    quiet_since = now - dt.timedelta(seconds=rules.idle_after)
    if store.may_return(tx, plan.task_id, quiet_since) and store.has_due(tx, plan.task_id, now):
        licences.return_if_quiet(tx, rules, plan.pool_id, plan.task_id, now)
        store.note(tx, plan.task_id, last_attempt_at=now)


def _refused(tx: Tx, row: Row, now: dt.datetime) -> Batch:
    """Note that the task asks in vain: an attempt that is refused is an attempt (licensing.md 9)."""
    asked = row["last_attempt_at"]
    stale = asked is None or now - asked >= REFUSED_EVERY
    if stale and store.has_due(tx, row["id"], now):
        store.note(tx, row["id"], last_attempt_at=now, bound="ports")
    return Batch(bound="ports")


def _end_waits(tx: Tx, plan: TaskPlan, now: dt.datetime) -> None:
    """Let contacts go on whose messages no news came of in time: that takes no licence and no pace."""
    action = plan.action
    waits = (action.sms is not None and action.sms.receipt_wait is not None) or (
        action.email is not None and action.email.bounce_wait is not None
    )
    taken = store.take_ended_waits(tx, plan.task_id, now, MOST_ENDED_WAITS) if waits else []
    if taken:
        sorted_out = sort_out(tx, plan, taken, now)
        closed = sum(not isinstance(each.decision, Retry) for each in sorted_out.decided)
        store.release(tx, plan.task_id, 0, -closed)
        put_off(tx, plan, sorted_out, now)
