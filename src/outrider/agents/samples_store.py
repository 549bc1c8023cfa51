"""SQL of what agents did every few seconds. The floor's sampler writes it; `job_figures.py` reads it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Float, RowMapping, delete, func, select, type_coerce

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert

M, T, J = schema.agent_samples.c, schema.tasks.c, schema.jobs.c


def campaigns_of(tx: Tx, task_ids: Sequence[int]) -> dict[int, int]:
    """Return the campaigns of tasks, by task; tasks that are gone are missing."""
    query = select(T.id, J.campaign_id).join(schema.jobs, J.id == T.job_id).where(T.id.in_(task_ids))
    return {row.id: row.campaign_id for row in tx.execute(query)}


def add(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep samples; a second one of the same task and moment is dropped."""
    if rows:
        statement = insert(tx, schema.agent_samples).values(list(rows))
        tx.execute(statement.on_conflict_do_nothing(index_elements=["task_id", "at"]))


def drop(tx: Tx, before: dt.datetime) -> None:
    """Forget samples older than `before`."""
    tx.execute(delete(schema.agent_samples).where(M.at < before))


def since(tx: Tx, task_ids: Sequence[int], begin: dt.datetime) -> list[RowMapping]:
    """Return the samples of tasks since then, oldest first."""
    query = select(schema.agent_samples).where(M.task_id.in_(task_ids), M.at >= begin).order_by(M.at)
    return list(tx.execute(query).mappings())


def newest(tx: Tx, task_ids: Sequence[int], begin: dt.datetime) -> dict[int, RowMapping]:
    """Return the newest sample of each task since then, by task."""
    latest = (
        select(M.task_id, func.max(M.at).label("at"))
        .where(M.task_id.in_(task_ids), M.at >= begin)
        .group_by(M.task_id)
        .subquery()
    )
    query = select(schema.agent_samples).join(latest, (M.task_id == latest.c.task_id) & (M.at == latest.c.at))
    return {row["task_id"]: row for row in tx.execute(query).mappings()}


def means(tx: Tx, task_ids: Sequence[int], begin: dt.datetime) -> dict[int, tuple[float, float]]:
    """Return how many agents were busy and how many ready on average since then, by task."""
    query = (
        select(
            M.task_id,
            type_coerce(func.avg(M.busy), Float).label("busy"),
            type_coerce(func.avg(M.ready), Float).label("ready"),
        )
        .where(M.task_id.in_(task_ids), M.at >= begin)
        .group_by(M.task_id)
    )
    return {row.task_id: (float(row.busy), float(row.ready)) for row in tx.execute(query)}
