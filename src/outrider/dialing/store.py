"""SQL of dialing: claims by guarded update, open attempts as the lease of a unit, results in batches.

Only `dialing/service.py` and `dialing/recovery.py` use it. Statements are built once; a batch of 50 costs
a handful of round trips however many rows it touches.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select, update
from sqlalchemy.engine import RowMapping

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert_rows, locked
from outrider.ids import PoolId, TaskId
from outrider.licences.model import Allocation, LicenceKind, Standing

T, X, A = schema.tasks.c, schema.targets.c, schema.attempts.c
K, L, J = schema.contacts.c, schema.contact_lists.c, schema.jobs.c

IS_DUE: ColumnElement[str] = literal_column("'due'")
"""Written out, not bound: only then do databases use the index that holds nothing but due targets."""

TASK = locked(
    select(
        T.id,
        T.job_id,
        T.kind,
        T.pool_id,
        T.allocation,
        T.standing,
        T.quota,
        T.maximum,
        T.granted,
        T.in_use,
        T.pace,
        T.pace_at,
        T.admitted_at,
        T.last_attempt_at,
        T.bound,
    ).where(T.id == bindparam("task"))
)
CHARGE = (
    update(schema.tasks)
    .where(
        T.id == bindparam("task"),
        T.standing == Standing.ADMITTED.value,
        T.in_use + bindparam("units") <= T.granted,
    )
    .values(
        in_use=T.in_use + bindparam("units"),
        contacts_left=T.contacts_left - bindparam("closed"),
        last_attempt_at=bindparam("now", type_=schema.tasks.c.last_attempt_at.type),
        pace_at=bindparam("mark", type_=schema.tasks.c.pace_at.type),
        bound=bindparam("bound_by"),
    )
)
NOTE_CLAIMS = (
    update(schema.tasks)
    .where(T.id == bindparam("task"))
    .values(
        contacts_left=T.contacts_left - bindparam("closed"),
        last_attempt_at=bindparam("now", type_=schema.tasks.c.last_attempt_at.type),
        pace_at=bindparam("mark", type_=schema.tasks.c.pace_at.type),
        bound=bindparam("bound_by"),
    )
)
DUE = (
    select(X.id)
    .where(
        X.task_id == bindparam("task"), X.state == IS_DUE, X.next_at <= bindparam("now", type_=X.next_at.type)
    )
    .order_by(X.next_at, X.id)
    .limit(bindparam("units"))
)
ANY_DUE = (
    select(X.id)
    .where(
        X.task_id == bindparam("task"), X.state == IS_DUE, X.next_at <= bindparam("now", type_=X.next_at.type)
    )
    .limit(1)
)
SINCE = bindparam("since", type_=T.last_attempt_at.type)
MAY_RETURN = select(T.id).where(
    T.id == bindparam("task"),
    T.standing == Standing.ADMITTED.value,
    T.kind == LicenceKind.OUTBOUND_PORTS.value,
    T.allocation == Allocation.DYNAMIC.value,
    T.quota < T.maximum,
    T.admitted_at <= SINCE,
    T.last_attempt_at.is_(None) | (T.last_attempt_at <= SINCE),
)
TAKEN = (X.id, X.contact_id, X.address_index, X.attempts, X.counters, X.outcome, X.disposition, X.awaiting)
TAKE = (
    update(schema.targets)
    .where(X.id.in_(locked(DUE, skip=True).scalar_subquery()))
    .values(state="claimed", attempts=X.attempts + 1)
    .returning(*TAKEN)
    .execution_options(synchronize_session=False)
)
ENDED_WAITS = (
    select(X.id)
    .where(
        X.task_id == bindparam("task"),
        X.awaiting.is_not(None),
        X.state == IS_DUE,
        X.next_at <= bindparam("now", type_=X.next_at.type),
    )
    .order_by(X.next_at)
    .limit(bindparam("units"))
)
TAKE_ENDED_WAITS = (
    update(schema.targets)
    .where(X.id.in_(locked(ENDED_WAITS, skip=True).scalar_subquery()))
    .values(state="claimed", attempts=X.attempts + 1)
    .returning(*TAKEN)
    .execution_options(synchronize_session=False)
)
WITHOUT_ATTRIBUTES = [column for column in schema.contacts.c if column.name != "attributes"]
CONTACTS = {
    attributes: (
        select(*columns, L.carrier_profile, L.default_country)
        .join(schema.contact_lists, L.id == K.list_id)
        .where(K.id.in_(bindparam("ids", expanding=True)))
    )
    for attributes, columns in ((True, list(schema.contacts.c)), (False, WITHOUT_ATTRIBUTES))
}
"""With and without attributes, which only messages need and which take long to read."""

NEXT_DUE = select(func.min(X.next_at)).where(X.task_id == bindparam("task"), X.state == IS_DUE)
ATTEMPT_COLUMNS = (
    "id",
    "task_id",
    "target_id",
    "contact_id",
    "number",
    "address",
    "server_id",
    "owner",
    "claimed_at",
)
SESSION_COLUMNS = ("session_id", "preview")
CLOSE_ATTEMPT = (
    update(schema.attempts)
    .where(A.id == bindparam("attempt"), A.ended_at.is_(None))
    .values(
        answered_at=bindparam("answered"),
        ended_at=bindparam("ended"),
        outcome=bindparam("result"),
        disposition=func.coalesce(bindparam("chosen", type_=A.disposition.type), A.disposition),
        detail=bindparam("words"),
    )
)
SET_TARGET = (
    update(schema.targets)
    .where(X.id == bindparam("target"))
    .values(
        state=bindparam("new_state"),
        task_id=bindparam("new_task"),
        next_at=bindparam("new_next_at"),
        address_index=bindparam("new_index"),
        attempts=bindparam("new_attempts"),
        counters=bindparam("new_counters"),
        outcome=bindparam("new_outcome"),
        disposition=bindparam("new_disposition"),
        awaiting=bindparam("new_awaiting"),
        finished_at=bindparam("new_finished_at"),
    )
)
OPEN_ATTEMPT = select(A.id, A.preview, A.wrapped_up_at).where(
    A.id.in_(bindparam("ids", expanding=True)), A.ended_at.is_(None)
)

PLANNED = (
    select(
        T.id,
        T.job_id,
        T.pool_id,
        T.action,
        J.organization_id,
        J.campaign_id,
        J.strategy_id,
        schema.pools.c.zone_id,
    )
    .join(schema.jobs, J.id == T.job_id)
    .join(schema.pools, schema.pools.c.id == T.pool_id)
)
"""What a plan is made of."""


def task(tx: Tx, task_id: TaskId) -> RowMapping | None:
    """Lock one task's row until commit and return it; None when it is gone."""
    return tx.execute(TASK, {"task": task_id}).mappings().first()


def may_return(tx: Tx, task_id: TaskId, quiet_since: dt.datetime) -> bool:
    """Return whether a task has been quiet since then and could hold more: cheap, and locks nothing."""
    return tx.execute(MAY_RETURN, {"task": task_id, "since": quiet_since}).first() is not None


def has_due(tx: Tx, task_id: TaskId, now: dt.datetime) -> bool:
    """Return whether some target of a task is due."""
    return tx.execute(ANY_DUE, {"task": task_id, "now": now}).first() is not None


def take_targets(tx: Tx, task_id: TaskId, now: dt.datetime, units: int) -> list[RowMapping]:
    """Claim up to `units` targets that are due, in order of their time; other workers skip them."""
    rows = tx.execute(TAKE, {"task": task_id, "now": now, "units": units}).mappings().all()
    return sorted(rows, key=lambda row: int(row["id"]))


def take_ended_waits(tx: Tx, task_id: TaskId, now: dt.datetime, most: int) -> list[RowMapping]:
    """Claim targets whose wait for news of a message is over, as `take_targets` does."""
    rows = tx.execute(TAKE_ENDED_WAITS, {"task": task_id, "now": now, "units": most}).mappings().all()
    return sorted(rows, key=lambda row: int(row["id"]))


def charge(tx: Tx, task_id: TaskId, values: Mapping[str, Any], *, guarded: bool = True) -> bool:
    """Charge units to a task if its grant has room (the row count decides); note pace and what bound it.

    Not `guarded`: agents are the units, charged by their sessions.
    """
    statement = CHARGE if guarded else NOTE_CLAIMS
    given = values if guarded else {name: value for name, value in values.items() if name != "units"}
    return tx.execute(statement, {"task": task_id, **given}).rowcount == 1


def note(tx: Tx, task_id: TaskId, **values: object) -> None:
    """Change columns of a task that has nothing to claim."""
    tx.execute(update(schema.tasks).where(T.id == task_id).values(**values))


def contacts(tx: Tx, ids: Sequence[int], *, attributes: bool) -> dict[int, RowMapping]:
    """Return contacts with the carrier profile and country of their list, by id."""
    found = tx.execute(CONTACTS[attributes], {"ids": list(ids)})
    return {row["id"]: row for row in found.mappings()}


def next_due(tx: Tx, task_id: TaskId) -> dt.datetime | None:
    """Return the earliest time at which a target of the task is due, None when none waits."""
    return tx.execute(NEXT_DUE, {"task": task_id}).scalar()


def add_attempts(tx: Tx, rows: Sequence[tuple[object, ...]], *, of_sessions: bool = False) -> None:
    """Write the rows (ATTEMPT_COLUMNS) of attempts about to be made: each is the lease of one unit.

    Those `of_sessions` of agents say which, and whether the card is looked at first (SESSION_COLUMNS).
    """
    columns = ATTEMPT_COLUMNS + SESSION_COLUMNS if of_sessions else ATTEMPT_COLUMNS
    insert_rows(tx, schema.attempts, columns, rows)


def open_attempts(tx: Tx, ids: Sequence[str]) -> dict[str, RowMapping]:
    """Return those of these attempts that have no result yet, by id: preview, wrapped_up_at."""
    found = tx.execute(OPEN_ATTEMPT, {"ids": list(ids)}).mappings()
    return {row["id"]: row for row in found}


def close_attempts(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the results of attempts that are open."""
    if rows:
        tx.execute(CLOSE_ATTEMPT, list(rows))


def set_targets(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what comes next for targets."""
    if rows:
        tx.execute(SET_TARGET, list(rows))


def release(tx: Tx, task_id: int, units: int, contacts_left: int) -> None:
    """Give units of a task back, and add to (or take from) its unfinished targets."""
    tx.execute(
        update(schema.tasks)
        .where(T.id == task_id)
        .values(in_use=T.in_use - units, contacts_left=T.contacts_left + contacts_left)
    )


def runnable_tasks(tx: Tx) -> list[RowMapping]:
    """Return every admitted task of a running job: what a worker keeps a dial loop for."""
    query = PLANNED.where(T.standing == Standing.ADMITTED.value).order_by(T.id)
    return list(tx.execute(query).mappings())


def text_tasks(tx: Tx) -> list[RowMapping]:
    """Return every SMS task that runs: id, priority, started, pace."""
    query = (
        select(T.id, T.priority, T.started, T.pace)
        .where(T.kind == LicenceKind.SMS.value, T.standing == Standing.ADMITTED.value)
        .order_by(T.id)
    )
    return list(tx.execute(query).mappings())


def task_row(tx: Tx, task_id: int) -> RowMapping | None:
    """Return what `runnable_tasks` returns, for one task in whatever state."""
    return tx.execute(PLANNED.where(T.id == task_id)).mappings().first()


def tasks_by_action(tx: Tx, job_id: int, pool_id: PoolId) -> dict[str, TaskId]:
    """Return the tasks of a job in one pool, by the name of their action."""
    query = select(T.action, T.id).where(T.job_id == job_id, T.pool_id == pool_id)
    return {action: TaskId(number) for action, number in tx.execute(query)}


def attempts_of_owners(tx: Tx, owners: Sequence[str]) -> list[RowMapping]:
    """Return the open attempts of these workers with their targets' state, oldest first."""
    query = (
        select(
            A.id,
            A.task_id,
            A.target_id,
            A.contact_id,
            A.number,
            A.address,
            A.claimed_at,
            A.server_id,
            A.session_id,
            A.preview,
            X.address_index,
            X.counters,
            X.outcome,
            X.disposition,
            X.finished_at,
        )
        .join(schema.targets, X.id == A.target_id)
        .where(A.ended_at.is_(None), A.owner.in_(owners))
        .order_by(A.claimed_at, A.id)
    )
    return list(tx.execute(query).mappings())


AWAITED = (
    select(
        A.id, A.task_id, A.address, A.number, A.outcome, X.id.label("target_id"), X.address_index, X.counters
    )
    .add_columns(X.contact_id, X.attempts, X.awaiting)
    .join(schema.targets, X.id == A.target_id)
    .where(A.id == bindparam("attempt"))
)


LOCK_TARGET = locked(
    select(X.id).where(X.id == select(A.target_id).where(A.id == bindparam("attempt")).scalar_subquery())
)


def awaited(tx: Tx, attempt_id: str) -> RowMapping | None:
    """Return a message's attempt with its target, whether that still awaits its fate or not."""
    return tx.execute(AWAITED, {"attempt": attempt_id}).mappings().first()


def lock_awaited(tx: Tx, attempt_id: str) -> RowMapping | None:
    """Lock the target of a message's attempt until commit, and return both as they are then."""
    tx.execute(LOCK_TARGET, {"attempt": attempt_id})
    return awaited(tx, attempt_id)


def set_outcome(tx: Tx, attempt_id: str, outcome: str, detail: str | None = None) -> None:
    """Correct the outcome of an attempt that was closed before its fate was known, and perhaps the words."""
    values = {"outcome": outcome} if detail is None else {"outcome": outcome, "detail": detail}
    tx.execute(update(schema.attempts).where(A.id == attempt_id).values(**values))


def jobs_of_attempts(tx: Tx, attempt_ids: Sequence[str]) -> list[int]:
    """Return the jobs that these attempts were made for."""
    query = select(T.job_id).join(schema.attempts, A.task_id == T.id).where(A.id.in_(attempt_ids)).distinct()
    return list(tx.execute(query).scalars())


def set_owner(tx: Tx, ids: Sequence[str], owners: Sequence[str], owner: str) -> set[str]:
    """Hand open attempts of these owners over to another worker; return the ids of those that it has now."""
    statement = (
        update(schema.attempts)
        .where(A.id.in_(ids), A.ended_at.is_(None), A.owner.in_(owners))
        .values(owner=owner)
        .returning(A.id)
    )
    return set(tx.execute(statement).scalars())
