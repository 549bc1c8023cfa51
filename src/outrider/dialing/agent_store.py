"""SQL of attempts for agents: one contact's target taken whatever its state, cards, numbers dialed by hand.

Only `agent_claims.py`, `agent_targets.py` and `wrap_ups.py` use it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.engine import RowMapping

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert, locked
from outrider.dialing.store import IS_DUE
from outrider.ids import AttemptId, ContactId, JobId, TargetId, TaskId

T, X, A, J = schema.tasks.c, schema.targets.c, schema.attempts.c, schema.jobs.c
C, L = schema.campaign_lists.c, schema.contact_lists.c

TARGET = locked(
    select(schema.targets).where(X.job_id == bindparam("job"), X.contact_id == bindparam("contact"))
)
TAKE = (
    update(schema.targets)
    .where(
        X.id == bindparam("target"),
        X.state == bindparam("old_state"),
        X.attempts == bindparam("old_attempts"),
    )
    .values(
        state="claimed",
        attempts=X.attempts + 1,
        task_id=bindparam("new_task"),
        address_index=bindparam("new_index"),
        counters=bindparam("new_counters"),
        awaiting=None,
    )
)
START_PREVIEW = (
    update(schema.attempts)
    .where(A.id == bindparam("attempt"), A.ended_at.is_(None), A.preview.is_(True))
    .values(preview=False)
)
LOCK_PREVIEW = locked(
    select(A.id).where(A.id == bindparam("attempt"), A.ended_at.is_(None), A.preview.is_(True))
)


def target(tx: Tx, job_id: JobId, contact_id: int) -> RowMapping | None:
    """Lock the target that a contact is in a job, until commit; None when it is none."""
    return tx.execute(TARGET, {"job": job_id, "contact": contact_id}).mappings().first()


def take_target(
    tx: Tx, row: RowMapping, task_id: TaskId, index: int, counters: Mapping[str, Any] | None
) -> bool:
    """Claim a target as it was read, for a task; `finished_at` stays, and tells that it had ended."""
    values = {
        "target": row["id"],
        "old_state": row["state"],
        "old_attempts": row["attempts"],
        "new_task": task_id,
        "new_index": index,
        "new_counters": counters,
    }
    return tx.execute(TAKE, values).rowcount == 1


def add_target(tx: Tx, job_id: JobId, task_id: TaskId, contact_id: ContactId, now: dt.datetime) -> TargetId:
    """Make a contact a target of a job, due now; counted in the job and in the task."""
    row = insert(tx, schema.targets).values(
        job_id=job_id, task_id=task_id, contact_id=contact_id, state="due", next_at=now
    )
    target_id = tx.execute(row.returning(X.id)).scalar_one()
    tx.execute(update(schema.tasks).where(T.id == task_id).values(contacts_left=T.contacts_left + 1))
    tx.execute(update(schema.jobs).where(J.id == job_id).values(targets=J.targets + 1))
    return TargetId(target_id)


def pool_of(tx: Tx, task_id: int) -> int:
    """Return the pool of a task."""
    return int(tx.execute(select(T.pool_id).where(T.id == task_id)).scalar_one())


def lists_of(tx: Tx, campaign_id: int) -> dict[int, str]:
    """Return the contact lists of a campaign with their default countries, by id."""
    query = (
        select(L.id, L.default_country)
        .join(schema.campaign_lists, C.list_id == L.id)
        .where(C.campaign_id == campaign_id)
        .order_by(L.id)
    )
    return {row.id: row.default_country for row in tx.execute(query)}


def start_preview(tx: Tx, attempt_id: AttemptId) -> bool:
    """Let a card become a call; return whether it was one that is still looked at."""
    return tx.execute(START_PREVIEW, {"attempt": attempt_id}).rowcount == 1


def lock_preview(tx: Tx, attempt_id: AttemptId) -> bool:
    """Lock an attempt until commit; return whether it is a card that is still looked at."""
    return tx.execute(LOCK_PREVIEW, {"attempt": attempt_id}).first() is not None


NOTE_AGENT = (
    update(schema.attempts)
    .where(A.id == bindparam("attempt"))
    .values(
        agent_id=func.coalesce(bindparam("agent", type_=A.agent_id.type), A.agent_id),
        session_id=func.coalesce(bindparam("session", type_=A.session_id.type), A.session_id),
        joined_at=bindparam("joined", type_=A.joined_at.type),
    )
)
WRAP_UP = (
    update(schema.attempts)
    .where(A.id == bindparam("attempt"), A.wrapped_up_at.is_(None))
    .values(
        disposition=bindparam("code"),
        note=bindparam("words"),
        agent_id=func.coalesce(bindparam("agent", type_=A.agent_id.type), A.agent_id),
        wrapped_up_at=bindparam("at", type_=A.wrapped_up_at.type),
    )
)
LOCK_TARGETS = locked(
    select(X.id)
    .where(X.id.in_(select(A.target_id).where(A.id.in_(bindparam("ids", expanding=True))).scalar_subquery()))
    .order_by(X.id)
)
AWAITED = (
    select(A.id, A.task_id, A.address, A.outcome, A.disposition, A.ended_at, A.wrapped_up_at)
    .add_columns(X.id.label("target_id"), X.contact_id, X.address_index, X.counters, X.attempts, X.awaiting)
    .join(schema.targets, X.id == A.target_id)
    .where(A.id.in_(bindparam("ids", expanding=True)))
)
ENDED_WAITS = (
    select(X.awaiting)
    .where(
        X.task_id == bindparam("task"),
        X.awaiting.is_not(None),
        X.state == IS_DUE,
        X.next_at <= bindparam("now", type_=X.next_at.type),
    )
    .order_by(X.next_at)
    .limit(bindparam("most"))
)


def note_agents(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write who talked on attempts, and since when."""
    if rows:
        tx.execute(NOTE_AGENT, list(rows))


def wrap_up(
    tx: Tx, attempt_id: AttemptId, code: str | None, note: str, agent_id: int | None, now: dt.datetime
) -> bool:
    """Write what an agent said of an attempt; return whether nobody had before."""
    values = {"attempt": attempt_id, "code": code, "words": note, "agent": agent_id, "at": now}
    return tx.execute(WRAP_UP, values).rowcount == 1


def lock_awaited(tx: Tx, attempt_ids: Sequence[AttemptId]) -> dict[AttemptId, RowMapping]:
    """Lock the targets of attempts until commit, and return both as they are then, by attempt."""
    if not attempt_ids:
        return {}
    tx.execute(LOCK_TARGETS, {"ids": list(attempt_ids)})
    found = tx.execute(AWAITED, {"ids": list(attempt_ids)}).mappings()
    return {AttemptId(row["id"]): row for row in found}


def ended_waits(tx: Tx, task_id: TaskId, now: dt.datetime, most: int) -> list[AttemptId]:
    """Return attempts of a task whose completion code did not come in time."""
    found = tx.execute(ENDED_WAITS, {"task": task_id, "now": now, "most": most}).scalars()
    return [AttemptId(attempt_id) for attempt_id in found if attempt_id is not None]
