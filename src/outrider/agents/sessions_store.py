"""SQL of sessions and their seats. Only `agents/sessions.py` and `agents/seats.py` use it.

A session's row is the lease of its seat: `task_id` is set while a unit of that task is charged for it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, case, delete, func, insert, select, update

from outrider.agents.model import AgentState
from outrider.db import schema
from outrider.db.database import Row, Tx
from outrider.db.dialect import locked
from outrider.ids import PoolId, TaskId
from outrider.licences.model import NESTED_KINDS, Standing

S, A, P = (schema.agent_sessions.c, schema.agents.c, schema.pools.c)
T, J, C = (schema.tasks.c, schema.jobs.c, schema.campaigns.c)
SEATS = [kind.value for kind in NESTED_KINDS]

ZONE = select(P.zone_id).where(P.id == S.pool_id).scalar_subquery()
"""Of the pool whose licences a session takes: the account's own may have been changed since the login."""
OPEN = (
    select(schema.agent_sessions, A.name, A.organization_id, ZONE.label("zone_id"), A.preferred_campaigns)
    .join(schema.agents, A.id == S.agent_id)
    .where(S.ended_at.is_(None))
    .order_by(S.id)
)
SAVE = (
    update(schema.agent_sessions)
    .where(S.id == bindparam("session"), S.ended_at.is_(None))
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        since=bindparam("new_since", type_=S.since.type),
        # Seats move in transactions of their own: the floor is heard where it agrees on the seat.
        attachment=case(
            (S.task_id == bindparam("new_task"), bindparam("new_attachment", type_=S.attachment.type)),
            else_=S.attachment,
        ),
        pending_why=bindparam("new_why"),
        next_task=bindparam("new_next"),
        nail_up=bindparam("new_nail_up"),
        leg=bindparam("new_leg"),
        engagement=bindparam("new_engagement", type_=S.engagement.type),
        deadline=bindparam("new_deadline", type_=S.deadline.type),
        wanted=bindparam("new_wanted", type_=S.wanted.type),
    )
)
TAKE_SEAT = (
    update(schema.tasks)
    .where(T.id == bindparam("task"), T.standing == Standing.ADMITTED.value, T.in_use + 1 <= T.granted)
    .values(in_use=T.in_use + 1)
)


def pool_of(tx: Tx, organization_id: int, zone_id: int) -> PoolId | None:
    """Return the pool of an organization in a zone."""
    query = select(P.id).where(P.organization_id == organization_id, P.zone_id == zone_id)
    found = tx.execute(query).scalar()
    return None if found is None else PoolId(found)


def add_session(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert a session and return its id."""
    statement = insert(schema.agent_sessions).values(**values).returning(S.id)
    return int(tx.execute(statement).scalar_one())


def open_sessions(
    tx: Tx,
    *,
    pool_id: int | None = None,
    agent_id: int | None = None,
    session_id: int | None = None,
    job_id: int | None = None,
) -> list[Row]:
    """Return open sessions with their agents, oldest first."""
    query = OPEN
    if pool_id is not None:
        query = query.where(S.pool_id == pool_id)
    if agent_id is not None:
        query = query.where(S.agent_id == agent_id)
    if session_id is not None:
        query = query.where(S.id == session_id)
    if job_id is not None:
        query = query.where(S.task_id.in_(select(T.id).where(T.job_id == job_id)))
    return list(tx.execute(query).mappings())


def lock_session(tx: Tx, session_id: int) -> Row | None:
    """Lock an open session until commit and return it as `open_sessions` does."""
    return tx.execute(locked(OPEN.where(S.id == session_id))).mappings().first()


def lock_sessions(tx: Tx, session_ids: Sequence[int]) -> None:
    """Lock some sessions until commit, in the order of their ids."""
    if session_ids:
        tx.execute(locked(select(S.id).where(S.id.in_(session_ids)).order_by(S.id))).all()


def pool_of_session(tx: Tx, session_id: int) -> PoolId | None:
    """Return the pool of an open session; it never changes."""
    found = tx.execute(select(S.pool_id).where(S.id == session_id, S.ended_at.is_(None))).scalar()
    return None if found is None else PoolId(found)


def api_sessions(tx: Tx, pool_id: PoolId) -> int:
    """Return how many open sessions of a pool came through the Agent Web API."""
    query = select(func.count()).where(
        S.pool_id == pool_id, S.ended_at.is_(None), S.api.is_(True), S.state != AgentState.LOGGED_OUT.value
    )
    return int(tx.execute(query).scalar_one())


def end_session(tx: Tx, session_id: int, now: dt.datetime, reason: str) -> None:
    """Close a session; it must have no seat."""
    tx.execute(
        update(schema.agent_sessions)
        .where(S.id == session_id, S.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason[:80], state="logged_out", engagement=None, leg=None)
    )
    commands = schema.agent_commands
    tx.execute(delete(commands).where(commands.c.session_id == session_id))


def save(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what the floor knows of sessions that are open, in the order of their ids."""
    if rows:
        tx.execute(SAVE, sorted(rows, key=lambda row: int(row["session"])))


def add_transitions(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append changes of state."""
    if rows:
        tx.execute(insert(schema.agent_transitions), list(rows))


def take_seat(tx: Tx, task_id: TaskId) -> bool:
    """Charge a seat of a task if its grant has room: the row count decides."""
    return tx.execute(TAKE_SEAT, {"task": task_id}).rowcount == 1


def give_seat(tx: Tx, task_id: int) -> None:
    """Give a seat of a task back."""
    tx.execute(update(schema.tasks).where(T.id == task_id).values(in_use=T.in_use - 1))


def set_seat(
    tx: Tx, session_id: int, task_id: int | None, attachment: str, why: str = "", *, pinned: bool = False
) -> None:
    """Note whose seat a session has, and how it is attached."""
    tx.execute(
        update(schema.agent_sessions)
        .where(S.id == session_id)
        .values(task_id=task_id, attachment=attachment, next_task=None, pinned=pinned, pending_why=why[:200])
    )


def agent_tasks(tx: Tx, pool_id: PoolId) -> list[Row]:
    """Return the tasks of agents in a pool that compete or have seats, with job, campaign and strategy."""
    query = (
        select(
            T.id,
            T.kind,
            T.action,
            T.minimum,
            T.maximum,
            T.priority,
            T.started,
            T.standing,
            T.quota,
            T.granted,
            T.in_use,
            T.asking,
            J.id.label("job_id"),
            J.state.label("job_state"),
            J.strategy_id,
            J.campaign_id,
            C.name.label("campaign"),
        )
        .join(schema.jobs, J.id == T.job_id)
        .join(schema.campaigns, C.id == J.campaign_id)
        .where(
            T.pool_id == pool_id,
            T.kind.in_(SEATS),
            (T.standing != Standing.OUT.value) | (T.in_use > 0) | (T.asking > 0),
        )
        .order_by(T.id)
    )
    return list(tx.execute(query).mappings())


def set_asking(tx: Tx, asking: Mapping[int, int]) -> None:
    """Note how many agents tasks ask for."""
    for task_id, units in sorted(asking.items()):
        tx.execute(update(schema.tasks).where(T.id == task_id).values(asking=units))


def history(tx: Tx, agent_id: int, before: int | None, limit: int) -> list[Row]:
    """Return sessions of an agent, open ones too, newest first, older than number `before`."""
    columns = (S.id, S.pool_id, S.api, S.state, S.started_at, S.ended_at, S.end_reason)
    query = select(*columns).where(S.agent_id == agent_id).order_by(S.id.desc()).limit(limit)
    if before is not None:
        query = query.where(S.id < before)
    return list(tx.execute(query).mappings())


def live(tx: Tx, organization_id: int | None) -> list[Row]:
    """Return open sessions with agent, zone and the job that they work for, by agent's name."""
    Z = schema.zones.c  # noqa: N806 - a table's columns, as elsewhere
    query = (
        select(
            schema.agent_sessions,
            A.name,
            A.display_name,
            A.organization_id,
            Z.name.label("zone"),
            T.job_id,
            T.action,
            T.kind,
            C.name.label("campaign"),
        )
        .join(schema.agents, A.id == S.agent_id)
        .join(schema.zones, Z.id == ZONE)
        .outerjoin(schema.tasks, T.id == S.task_id)
        .outerjoin(schema.jobs, J.id == T.job_id)
        .outerjoin(schema.campaigns, C.id == J.campaign_id)
        .where(S.ended_at.is_(None), S.state != AgentState.LOGGED_OUT.value)
        .order_by(A.name, S.id)
    )
    if organization_id is not None:
        query = query.where(A.organization_id == organization_id)
    return list(tx.execute(query).mappings())


def job_of(tx: Tx, task_id: int) -> int | None:
    """Return the job that a task is of, None when it was deleted."""
    return tx.execute(select(T.job_id).where(T.id == task_id)).scalar()


def label_of(tx: Tx, task_id: int, pool_id: int) -> str | None:
    """Return what people call a task of agents of this pool; None when there is none."""
    query = (
        select(C.name, T.action)
        .join(schema.jobs, J.id == T.job_id)
        .join(schema.campaigns, C.id == J.campaign_id)
        .where(T.id == task_id, T.pool_id == pool_id, T.kind.in_(SEATS))
    )
    row = tx.execute(query).first()
    return None if row is None else f"{row.name} / {row.action}"
