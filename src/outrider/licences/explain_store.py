"""SQL behind explanations: a pool as it stands, and the names of its tasks. Nothing is locked or written.

Only `licences/explaining.py` uses it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from outrider.db import schema
from outrider.db.database import Tx
from outrider.ids import PoolId
from outrider.licences import store
from outrider.licences.model import UNSHARED_KINDS, Policy, TaskState
from outrider.licences.service import Pool

T, J, C, P = schema.tasks.c, schema.jobs.c, schema.campaigns.c, schema.pools.c


@dataclass(frozen=True, slots=True)
class TaskName:
    """What people call a task: its campaign and action; `state` is that of its job."""

    task_id: int
    job_id: int
    campaign: str
    action: str
    state: str


def snapshot(tx: Tx, pool_id: PoolId) -> Pool:
    """Return a pool as `licences.service.load` does, without locking anything."""
    policy = tx.execute(select(P.policy).where(P.id == pool_id)).scalar_one()
    states = store.snapshot_states(tx, pool_id)
    return Pool(
        pool_id,
        Policy(policy),
        store.pool_counts(tx, pool_id),
        tuple(state for state in states if state.kind not in UNSHARED_KINDS),
        tuple(state for state in states if state.kind in UNSHARED_KINDS),
        store.usable_agents(tx, pool_id),
    )


def task(tx: Tx, task_id: int, organization_id: int | None) -> tuple[PoolId, TaskState] | None:
    """Return the pool and the state of one task, None when this caller can see none by that id."""
    query = select(schema.tasks, store.REACHABLE).join(schema.pools, P.id == T.pool_id).where(T.id == task_id)
    if organization_id is not None:
        query = query.where(P.organization_id == organization_id)
    row = tx.execute(query).first()
    return None if row is None else (PoolId(row.pool_id), store.state_of(row))


def names(tx: Tx, task_ids: Iterable[int]) -> dict[str, TaskName]:
    """Return what people call some tasks, by id as text; deleted ones are missing."""
    query = (
        select(T.id, T.job_id, C.name, T.action, J.state)
        .join(schema.jobs, J.id == T.job_id)
        .join(schema.campaigns, C.id == J.campaign_id)
        .where(T.id.in_(sorted(set(task_ids))))
    )
    return {
        str(row.id): TaskName(row.id, row.job_id, row.name, row.action, row.state)
        for row in tx.execute(query)
    }
