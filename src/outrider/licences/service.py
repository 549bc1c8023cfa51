"""Licence sharing on the database: the slow path of recalculation and the settling of freed units.

`jobs`, `dialing`, `supply` and the worker's monitor call it inside their transactions; nothing commits
here. The rules themselves are the pure functions beside it (licensing.md 4 and 5).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from outrider.db import log
from outrider.db.database import Tx
from outrider.events import CertificateFailed, QuotasRecalculated
from outrider.ids import PoolId, TaskId
from outrider.licences import deferral, need, store
from outrider.licences.model import (
    NESTED_KINDS,
    UNSHARED_KINDS,
    LicenceKind,
    Policy,
    Standing,
    TaskState,
    Trigger,
    is_open,
)
from outrider.licences.recalculate import LAZY, Recalculated, recalculate, regrant


@dataclass(frozen=True, slots=True)
class SharingRules:
    """The times of licensing.md 5, in seconds; the first two of the system's clock."""

    idle_after: float = need.IDLE_AFTER
    minimum_hold: float = 0.0
    coalesce: float = 0.02
    """Real seconds: commands that arrive within it are answered by one recalculation."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A locked pool as the rules see it: counts in force, and the tasks that compete or still drain."""

    id: PoolId
    policy: Policy
    counts: dict[LicenceKind, int]
    shared: tuple[TaskState, ...]
    gated: tuple[TaskState, ...]
    agents: int | None = None
    """How many agents can be used, where there are tasks of agents (4.4)."""


def load(tx: Tx, pool_id: PoolId) -> Pool:
    """Lock a pool and all of its competing tasks until commit, and return them."""
    policy = store.lock_pool(tx, pool_id) or Policy.WEIGHTED
    states = store.task_states(tx, pool_id)
    with_agents = any(state.kind in NESTED_KINDS for state in states)
    return Pool(
        pool_id,
        policy,
        store.pool_counts(tx, pool_id),
        tuple(state for state in states if state.kind not in UNSHARED_KINDS),
        tuple(state for state in states if state.kind in UNSHARED_KINDS),
        store.usable_agents(tx, pool_id) if with_agents else None,
    )


def request_recalculation(
    tx: Tx,
    rules: SharingRules,
    pool_id: PoolId,
    now: dt.datetime,
    trigger: Trigger,
    *,
    task_id: TaskId | None = None,
    cause: str = "",
    actor: str = "",
) -> None:
    """Recalculate a pool, now or with what else is asked for in this transaction (licensing.md 5)."""
    if not deferral.defer(tx, pool_id, deferral.Request(trigger, now, task_id, cause, actor)):
        recalculate_pool(tx, rules, pool_id, now, trigger, task_id=task_id, cause=cause, actor=actor)


def recalculate_pool(
    tx: Tx,
    rules: SharingRules,
    pool_id: PoolId,
    now: dt.datetime,
    trigger: Trigger,
    *,
    task_id: TaskId | None = None,
    cause: str = "",
    actor: str = "",
) -> Recalculated:
    """Recalculate every quota of a pool, grant what is free, and keep the record (licensing.md 4, 5, 8).

    Gate and open kinds (email, sms, webhook) are not shared: their tasks have their maximum while they are
    open. When the plan fails its certificate the old quotas stay and an alarm event is appended.
    """
    pool = load(tx, pool_id)
    return _recalculate(tx, rules, pool, now, trigger, task_id=task_id, cause=cause, actor=actor)


def due_by_time(
    states: Sequence[TaskState], rules: SharingRules, now: dt.datetime
) -> tuple[Trigger, TaskId] | None:
    """Return the trigger that is due as time passed, and its task: idle, or a return after a hold (5)."""
    donor = need.idle_due(states, now.timestamp(), rules.idle_after)
    if donor is not None:
        return Trigger.IDLE, TaskId(int(donor))
    asking = need.deferred_return(states, now.timestamp(), rules.idle_after)
    return None if asking is None else (Trigger.RETURN, TaskId(int(asking)))


def recalculate_if_due(tx: Tx, rules: SharingRules, pool_id: PoolId, now: dt.datetime) -> bool:
    """Do the trigger that is due by time, if there is one; return whether quotas changed."""
    pool = load(tx, pool_id)
    due = due_by_time(pool.shared, rules, now)
    if due is None:
        return False
    trigger, task_id = due
    cause = (
        f"no call attempt for {rules.idle_after:g} s" if trigger is Trigger.IDLE else "a minimum hold ended"
    )
    return _recalculate(tx, rules, pool, now, trigger, task_id=task_id, cause=cause).changed


def return_if_quiet(tx: Tx, rules: SharingRules, pool_id: PoolId, task_id: TaskId, now: dt.datetime) -> bool:
    """Do the `return` trigger for a task that attempts a call after having been quiet (licensing.md 5).

    The attempt counts before the recalculation, so that the task asks for its maximum again.
    """
    pool = load(tx, pool_id)
    state = next((state for state in pool.shared if state.id == str(task_id)), None)
    if state is None or not need.wants_return(state, now.timestamp(), rules.idle_after):
        return False
    asking = replace(state, last_attempt_at=now.timestamp())
    shared = tuple(asking if other.id == state.id else other for other in pool.shared)
    asked = replace(pool, shared=shared)
    cause = "calls again after a pause"
    return _recalculate(tx, rules, asked, now, Trigger.RETURN, task_id=task_id, cause=cause).changed


def settle_pool(tx: Tx, rules: SharingRules, pool_id: PoolId, now: dt.datetime) -> bool:
    """Grant freed units to the tasks that are owed some (licensing.md 4.5); return whether a grant changed.

    Ending a call is not a recalculation: quotas stay. The caller has locked the pool before its tasks.
    """
    if not store.is_unsettled(tx, pool_id):
        return False
    pool = load(tx, pool_id)
    after = regrant(
        pool.counts,
        pool.shared,
        pool.policy,
        now.timestamp(),
        agents=pool.agents,
        idle_after=rules.idle_after,
    )
    moved = {
        new.id: new.granted for old, new in zip(pool.shared, after, strict=True) if new.granted != old.granted
    }
    store.save_grants(tx, moved)
    return bool(moved)


def _recalculate(
    tx: Tx,
    rules: SharingRules,
    pool: Pool,
    now: dt.datetime,
    trigger: Trigger,
    *,
    task_id: TaskId | None = None,
    cause: str = "",
    actor: str = "",
) -> Recalculated:
    done = recalculate(
        pool.counts,
        pool.shared,
        pool.policy,
        now.timestamp(),
        trigger,
        task=None if task_id is None else str(task_id),
        agents=pool.agents,
        idle_after=rules.idle_after,
        minimum_hold=rules.minimum_hold,
    )
    before = {state.id: state for state in (*pool.shared, *pool.gated)}
    gated = tuple(_gated(state, pool.counts, now.timestamp()) for state in pool.gated)
    after = (*done.states, *gated)
    changed = [state for state in after if state != before[state.id]]
    store.save_states(tx, changed)
    if done.violations:
        owner = store.owner(tx, pool.id)
        alarm = CertificateFailed(organization_id=owner, pool_id=pool.id, violations=done.violations)
        log.append(tx, now, alarm)
    if trigger in LAZY and not done.changed:
        return done
    record = store.add_recalculation(
        tx,
        {
            "pool_id": pool.id,
            "at": now,
            "trigger": trigger.value,
            "task_id": task_id,
            "cause": cause or actor or "the system",
            "counts": {kind.value: units for kind, units in pool.counts.items()},
            "before": {state.id: _shown(before[state.id]) for state in changed},
            "after": {state.id: _shown(state) for state in after if _matters(state)},
            "violations": list(done.violations) or None,
        },
    )
    event = QuotasRecalculated(
        organization_id=store.owner(tx, pool.id),
        pool_id=pool.id,
        recalculation_id=record,
        trigger=trigger.value,
        actor=actor,
    )
    log.append(tx, now, event)
    return done


def _gated(state: TaskState, counts: dict[LicenceKind, int], now: float) -> TaskState:
    if state.standing is Standing.OUT:
        return replace(state, quota=0, granted=0)
    if not is_open(state.kind, counts):
        return replace(state, standing=Standing.WAITING, quota=0, granted=0)
    entered = state.standing is not Standing.ADMITTED
    return replace(
        state,
        standing=Standing.ADMITTED,
        quota=state.maximum,
        granted=state.maximum,
        admitted_at=now if entered else state.admitted_at,
    )


def _matters(state: TaskState) -> bool:
    return state.standing is not Standing.OUT or state.in_use > 0


def _shown(state: TaskState) -> dict[str, int | str]:
    return {
        "quota": state.quota,
        "granted": state.granted,
        "in_use": state.in_use,
        "standing": state.standing.value,
    }
