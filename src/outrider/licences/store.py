"""SQL of the licences slice: pools, their counts, the licences of their tasks, history of recalculations.

Only `licences/service.py` and read-only pages use it. Locks are taken in one order everywhere: pools by
id, then tasks by id, so that no two transactions wait for each other.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, case, func, select, update

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert, locked
from outrider.ids import OrganizationId, PoolId, TaskId
from outrider.licences.model import Allocation, LicenceKind, Policy, Standing, TaskState, task_kind

P, C, T, R = schema.pools.c, schema.pool_counts.c, schema.tasks.c, schema.recalculations.c

COMPETING = (T.standing != Standing.OUT.value) | (T.in_use > 0) | (T.granted > 0) | (T.quota > 0)

LOCK_POOL = locked(select(P.id, P.policy).where(P.id == bindparam("pool")))
OWNER = select(P.organization_id).where(P.id == bindparam("pool"))
COUNTS = select(C.kind, C.effective).where(C.pool_id == bindparam("pool"))
_EARLIER = schema.tasks.alias("earlier")
REACHABLE = (
    select(case((schema.jobs.c.loaded, func.sum(_EARLIER.c.contacts_left))))
    .where(
        schema.jobs.c.id == T.job_id,
        _EARLIER.c.job_id == T.job_id,
        _EARLIER.c.pool_id == T.pool_id,
        _EARLIER.c.id <= T.id,
    )
    .group_by(schema.jobs.c.loaded)
    .correlate(schema.tasks)
    .scalar_subquery()
    .label("reachable")
)
"""Contacts that a task can still get: its own and those of the job's earlier actions in the same pool.

Unknown (NULL) while the job is being loaded. It never grows afterwards, so that no need grows unnoticed.
"""

COMPETITORS = (
    select(
        T.id,
        T.kind,
        T.allocation,
        T.minimum,
        T.maximum,
        T.priority,
        T.started,
        T.standing,
        T.quota,
        T.granted,
        T.in_use,
        T.admitted_at,
        T.last_attempt_at,
        T.raised_until,
        T.asking,
        REACHABLE,
    )
    .where(T.pool_id == bindparam("pool"), COMPETING)
    .order_by(T.id)
)
TASKS = locked(COMPETITORS)
SET_TASK = (
    update(schema.tasks)
    .where(T.id == bindparam("task"))
    .values(
        standing=bindparam("new_standing"),
        quota=bindparam("new_quota"),
        granted=bindparam("new_granted"),
        admitted_at=bindparam("new_admitted_at"),
        raised_until=bindparam("new_raised_until"),
    )
)
SET_GRANT = update(schema.tasks).where(T.id == bindparam("task")).values(granted=bindparam("new_granted"))
UNSETTLED = (
    select(T.id)
    .where(T.pool_id == bindparam("pool"), (T.granted < T.quota) | (T.in_use > T.granted))
    .limit(1)
)


def lock_pool(tx: Tx, pool_id: PoolId) -> Policy | None:
    """Lock a pool until commit and return its policy; None when there is no such pool."""
    row = tx.execute(LOCK_POOL, {"pool": pool_id}).one_or_none()
    return None if row is None else Policy(row.policy)


def owner(tx: Tx, pool_id: PoolId) -> OrganizationId:
    """Return whose pool it is."""
    return OrganizationId(tx.execute(OWNER, {"pool": pool_id}).scalar_one())


def lock_pools(tx: Tx, pool_ids: Iterable[PoolId]) -> None:
    """Lock several pools until commit, in the order of their ids."""
    tx.execute(locked(select(P.id).where(P.id.in_(sorted(set(pool_ids)))).order_by(P.id))).all()


def pool_counts(tx: Tx, pool_id: PoolId) -> dict[LicenceKind, int]:
    """Return the counts in force of one pool."""
    return {LicenceKind(row.kind): row.effective for row in tx.execute(COUNTS, {"pool": pool_id})}


def usable_agents(tx: Tx, pool_id: PoolId) -> int:
    """Return how many agents of a pool are logged in and can be used: ready, at work, or seated (4.4)."""
    S = schema.agent_sessions.c  # noqa: N806 - a table's columns, as elsewhere
    query = select(func.count()).where(
        S.pool_id == pool_id, S.ended_at.is_(None), (S.state != "not_ready") | (S.attachment != "free")
    )
    return int(tx.execute(query).scalar_one())


def task_states(tx: Tx, pool_id: PoolId) -> list[TaskState]:
    """Lock and return the tasks that compete in a pool, or still hold or use some of it, by id."""
    return [state_of(row) for row in tx.execute(TASKS, {"pool": pool_id})]


def snapshot_states(tx: Tx, pool_id: PoolId) -> list[TaskState]:
    """Return what `task_states` returns without locking anything: for looking, not for acting."""
    return [state_of(row) for row in tx.execute(COMPETITORS, {"pool": pool_id})]


def state_of(row: Any) -> TaskState:
    """Return the state of one row of `tasks` that was selected with REACHABLE."""
    return TaskState(
        id=str(row.id),
        kind=task_kind(row.kind),
        allocation=Allocation(row.allocation),
        minimum=row.minimum,
        maximum=row.maximum,
        priority=row.priority,
        started=row.started,
        standing=Standing(row.standing),
        quota=row.quota,
        granted=row.granted,
        in_use=row.in_use,
        admitted_at=seconds(row.admitted_at),
        last_attempt_at=seconds(row.last_attempt_at),
        raised_until=seconds(row.raised_until),
        contacts_left=None if row.reachable is None else int(row.reachable),
        asking=row.asking,
    )


def save_states(tx: Tx, states: Sequence[TaskState]) -> None:
    """Write standing, quota, granted, admission and hold of the given tasks."""
    if states:
        tx.execute(
            SET_TASK,
            [
                {
                    "task": int(state.id),
                    "new_standing": state.standing.value,
                    "new_quota": state.quota,
                    "new_granted": state.granted,
                    "new_admitted_at": moment(state.admitted_at),
                    "new_raised_until": moment(state.raised_until),
                }
                for state in states
            ],
        )


def save_grants(tx: Tx, granted: Mapping[str, int]) -> None:
    """Write the grants of the given tasks (by id as text)."""
    if granted:
        tx.execute(SET_GRANT, [{"task": int(task), "new_granted": units} for task, units in granted.items()])


def is_unsettled(tx: Tx, pool_id: PoolId) -> bool:
    """Return whether some task of the pool is not granted all of its quota yet, or still drains.

    While one drains after a cut, a call that ends must take its task's grant with it: nothing new starts
    until the excess is gone (licensing.md 2.1).
    """
    return tx.execute(UNSETTLED, {"pool": pool_id}).first() is not None


def all_pools(tx: Tx) -> list[PoolId]:
    """Return the ids of all pools, in order."""
    return [PoolId(number) for number in tx.execute(select(P.id).order_by(P.id)).scalars()]


def busy_pools(tx: Tx) -> list[PoolId]:
    """Return the ids of the pools in which some task competes, in order."""
    query = select(T.pool_id).where(T.standing != Standing.OUT.value).distinct().order_by(T.pool_id)
    return [PoolId(number) for number in tx.execute(query).scalars()]


def set_effective_counts(tx: Tx, pool_id: PoolId, counts: Mapping[LicenceKind, int]) -> None:
    """Put counts of a pool in force, leaving the configured ones as they are."""
    for kind, units in counts.items():
        statement = insert(tx, schema.pool_counts).values(pool_id=pool_id, kind=kind.value, effective=units)
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=["pool_id", "kind"], set_={"effective": statement.excluded.effective}
            )
        )


def add_recalculation(tx: Tx, values: Mapping[str, Any]) -> int:
    """Append one record to the history of a pool and return its id."""
    return int(tx.execute(schema.recalculations.insert().values(**values).returning(R.id)).scalar_one())


def recalculations(
    tx: Tx, pool_ids: Sequence[PoolId], before: int | None, limit: int, task_id: TaskId | None = None
) -> list[dict[str, Any]]:
    """Return up to `limit` records, newest first, older than record `before` (None: from the newest)."""
    query = select(schema.recalculations).where(R.pool_id.in_(pool_ids)).order_by(R.id.desc()).limit(limit)
    if before is not None:
        query = query.where(R.id < before)
    if task_id is not None:
        query = query.where(R.task_id == task_id)
    return [dict(row) for row in tx.execute(query).mappings()]


def last_change_of(tx: Tx, pool_id: PoolId, task_id: TaskId) -> dict[str, Any] | None:
    """Return the newest recalculation that changed the quota of a task, None when none did."""
    # Asked for as a number: a missing key of SQLite's JSON is the text "null", not NULL.
    recorded = R.before[(str(task_id), "quota")].as_integer()
    query = (
        select(schema.recalculations)
        .where(R.pool_id == pool_id, recorded.is_not(None))
        .order_by(R.id.desc())
        .limit(1)
    )
    row = tx.execute(query).mappings().first()
    return None if row is None else dict(row)


def units_in_use(tx: Tx) -> dict[TaskId, int]:
    """Return the number of open attempts per task: the truth that `in_use` caches (`outrider check`)."""
    A = schema.attempts.c  # noqa: N806 - a table's columns, as elsewhere
    query = select(A.task_id, func.count()).where(A.ended_at.is_(None)).group_by(A.task_id)
    return {TaskId(task): int(count) for task, count in tx.execute(query)}


def seconds(at: dt.datetime | None) -> float | None:
    """Return a time on the axis of the pure rules: seconds since 1970."""
    return None if at is None else at.timestamp()


def moment(at: float | None) -> dt.datetime | None:
    """Return a time of the pure rules' axis as UTC."""
    return None if at is None else dt.datetime.fromtimestamp(at, dt.UTC)
