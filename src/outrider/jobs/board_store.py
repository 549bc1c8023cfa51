"""SQL of the read side of jobs: tasks with their licences, use of pools, samples for charts, attempts.

Only `jobs/board.py` and `jobs/results.py` use it; nothing is locked and nothing is written.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import BigInteger, and_, case, func, select, type_coerce

from outrider.db import schema
from outrider.db.database import Row, Tx
from outrider.ids import PoolId
from outrider.jobs.store import TASKS
from outrider.licences import store as licence_store
from outrider.licences.model import LicenceKind, TaskState

T, A, X, H = schema.tasks.c, schema.attempts.c, schema.targets.c, schema.samples.c
K, N = schema.contacts.c, schema.agent_sessions.c

LICENSED = [kind.value for kind in LicenceKind]
"""What tasks hold licences of; webhooks hold none."""

WITH_STATE = TASKS.add_columns(licence_store.REACHABLE)


def task_rows(tx: Tx, job_ids: Sequence[int]) -> list[tuple[Row, TaskState]]:
    """Return the tasks of some jobs with the names around them and as the rules see them, by job and id."""
    rows = tx.execute(WITH_STATE.where(T.job_id.in_(job_ids)).order_by(T.job_id, T.id))
    return [(row._mapping, licence_store.state_of(row)) for row in rows]  # noqa: SLF001 - its public name


def task_row(tx: Tx, task_id: int) -> tuple[Row, TaskState] | None:
    """Return one task as `task_rows` does."""
    row = tx.execute(WITH_STATE.where(T.id == task_id)).first()
    return None if row is None else (row._mapping, licence_store.state_of(row))  # noqa: SLF001 - as above


def pool_use(tx: Tx, pool_ids: Sequence[PoolId]) -> dict[tuple[int, LicenceKind], tuple[int, int, int]]:
    """Return (granted, in use, kept from others) per pool and licence type of tasks, in units."""
    kept = case((T.granted > T.in_use, T.granted), else_=T.in_use)
    query = (
        select(T.pool_id, T.kind, func.sum(T.granted), func.sum(T.in_use), func.sum(kept))
        .where(T.pool_id.in_(pool_ids), T.kind.in_(LICENSED), (T.granted > 0) | (T.in_use > 0))
        .group_by(T.pool_id, T.kind)
    )
    return {
        (pool_id, LicenceKind(kind)): (int(granted), int(in_use), int(units))
        for pool_id, kind, granted, in_use, units in tx.execute(query)
    }


def api_use(tx: Tx, pool_ids: Sequence[PoolId]) -> dict[tuple[int, LicenceKind], tuple[int, int, int]]:
    """Return the Agent Web API licences that open sessions have, as `pool_use` does."""
    query = (
        select(N.pool_id, func.count())
        .where(N.pool_id.in_(pool_ids), N.ended_at.is_(None), N.api.is_(True))
        .group_by(N.pool_id)
    )
    return {
        (pool_id, LicenceKind.AGENT_WEB_API): (int(count), int(count), int(count))
        for pool_id, count in tx.execute(query)
    }


def samples(tx: Tx, task_ids: Sequence[int], since: dt.datetime, until: dt.datetime, step: int) -> list[Row]:
    """Return the newest sample of each task in every `step` microseconds, by time.

    Steps begin at multiples of `step`, so that those of several tasks agree.
    """
    at = type_coerce(H.at, BigInteger)
    newest = (
        select(H.task_id, func.max(at).label("newest"))
        .where(H.task_id.in_(task_ids), H.at >= since, H.at <= until)
        .group_by(H.task_id, at // step)
        .subquery()
    )
    query = (
        select(H.task_id, at.label("at"), H.quota, H.granted, H.in_use)
        .join(newest, and_(H.task_id == newest.c.task_id, at == newest.c.newest))
        .order_by(H.at, H.task_id)
    )
    return list(tx.execute(query).mappings())


def target_page(tx: Tx, job_id: int, after: int, limit: int, contact_id: int | None) -> dict[int, int]:
    """Return targets of a job (target -> contact), by contact from above `after`; or that of one contact."""
    query = (
        select(X.id, X.contact_id)
        .where(X.job_id == job_id, X.contact_id > after)
        .order_by(X.contact_id)
        .limit(limit)
    )
    if contact_id is not None:
        query = query.where(X.contact_id == contact_id)
    return {row.id: row.contact_id for row in tx.execute(query)}


def attempts(tx: Tx, target_ids: Sequence[int]) -> list[Row]:
    """Return the attempts of some targets with action and external id, by contact and number."""
    query = (
        select(
            A.id,
            A.contact_id,
            K.external_id,
            T.action,
            A.number,
            A.address,
            A.claimed_at,
            A.answered_at,
            A.ended_at,
            A.outcome,
            A.disposition,
            A.detail,
            X.outcome.label("final_outcome"),
        )
        .join(schema.targets, X.id == A.target_id)
        .join(schema.tasks, T.id == A.task_id)
        .outerjoin(schema.contacts, K.id == A.contact_id)
        .where(A.target_id.in_(target_ids))
        .order_by(A.contact_id, A.number, A.claimed_at)
    )
    return list(tx.execute(query).mappings())
