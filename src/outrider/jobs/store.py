"""SQL of jobs, their tasks and their targets; reads are limited to an organization (None: all).

`jobs/service.py` and `dialing` use it. The pool is always locked before its tasks.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.engine import RowMapping

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import chunks, insert, locked, parameter_limit
from outrider.ids import ContactId, JobId, ListId, PoolId, TaskId
from outrider.jobs.model import ENDED, Job, JobState, Task

J, T, C, S = schema.jobs.c, schema.tasks.c, schema.campaigns.c, schema.strategies.c
P, Z, G, X = schema.pools.c, schema.zones.c, schema.organizations.c, schema.targets.c

JOBS: Select[Any] = (
    select(
        schema.jobs,
        C.name.label("campaign_name"),
        S.name.label("strategy_name"),
        S.version.label("strategy_version"),
    )
    .join(schema.campaigns, C.id == J.campaign_id)
    .join(schema.strategies, S.id == J.strategy_id)
)

TASKS: Select[Any] = (
    select(
        schema.tasks,
        J.organization_id,
        C.name.label("campaign_name"),
        Z.name.label("zone_name"),
        G.name.label("organization_name"),
    )
    .join(schema.jobs, J.id == T.job_id)
    .join(schema.campaigns, C.id == J.campaign_id)
    .join(schema.pools, P.id == T.pool_id)
    .join(schema.zones, Z.id == P.zone_id)
    .join(schema.organizations, G.id == P.organization_id)
)


def add_job(tx: Tx, values: Mapping[str, Any]) -> JobId:
    """Insert a job and return its id."""
    return JobId(tx.execute(schema.jobs.insert().values(**values).returning(J.id)).scalar_one())


def add_tasks(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the tasks of a job."""
    tx.execute(schema.tasks.insert(), list(rows))


def job(tx: Tx, job_id: int, organization_id: int | None) -> Job | None:
    """Return one job, None when this organization has none by that id."""
    query = JOBS.where(J.id == job_id)
    if organization_id is not None:
        query = query.where(J.organization_id == organization_id)
    row = tx.execute(query).mappings().first()
    return None if row is None else _job(row)


def jobs(
    tx: Tx,
    organization_id: int | None,
    *,
    ended: bool | None = None,
    limit: int = 200,
    campaign_id: int | None = None,
    before: int | None = None,
    ended_since: dt.datetime | None = None,
) -> list[Job]:
    """Return jobs, newest first: all, those that have ended, or those that have not.

    `before` pages on from a job's id; `ended_since` leaves out those that ended earlier.
    """
    query = JOBS.order_by(J.id.desc()).limit(limit)
    if organization_id is not None:
        query = query.where(J.organization_id == organization_id)
    if campaign_id is not None:
        query = query.where(J.campaign_id == campaign_id)
    if ended is not None:
        final = [state.value for state in ENDED]
        query = query.where(J.state.in_(final) if ended else J.state.not_in(final))
    if before is not None:
        query = query.where(J.id < before)
    if ended_since is not None:
        query = query.where(J.ended_at.is_(None) | (J.ended_at >= ended_since))
    return [_job(row) for row in tx.execute(query).mappings()]


def set_job(tx: Tx, job_id: JobId, **values: object) -> None:
    """Change columns of a job."""
    tx.execute(update(schema.jobs).where(J.id == job_id).values(**values))


def lock_job(tx: Tx, job_id: int) -> JobState | None:
    """Lock a job until commit and return its state; None when it does not exist."""
    state = tx.execute(locked(select(J.state).where(J.id == job_id))).scalar()
    return None if state is None else JobState(state)


def tasks(
    tx: Tx,
    organization_id: int | None,
    *,
    job_ids: Iterable[int] | None = None,
    task_id: int | None = None,
    pool_id: int | None = None,
) -> list[Task]:
    """Return tasks by job and id: of the given jobs, the one by id, or those of a pool."""
    query = TASKS.order_by(T.job_id, T.id)
    if organization_id is not None:
        query = query.where(J.organization_id == organization_id)
    if job_ids is not None:
        query = query.where(T.job_id.in_(tuple(job_ids)))
    if task_id is not None:
        query = query.where(T.id == task_id)
    if pool_id is not None:
        query = query.where(T.pool_id == pool_id)
    return [_task(row) for row in tx.execute(query).mappings()]


def set_standing(tx: Tx, job_id: JobId, standing: str, started: int | None = None) -> None:
    """Let all tasks of a job compete, wait or stand out; `started` orders age (smaller is older)."""
    values: dict[str, object] = {"standing": standing}
    if started is not None:
        values["started"] = started
    tx.execute(update(schema.tasks).where(T.job_id == job_id).values(**values))


def release_seats(tx: Tx, job_id: JobId) -> list[RowMapping]:
    """Give back all seats of a job's agents at once; return the sessions as they were, with their agents."""
    A, N = schema.agents.c, schema.agent_sessions.c  # noqa: N806 - tables' columns, as elsewhere
    seated = select(T.id).where(T.job_id == job_id)
    query = (
        select(N.id, N.task_id, N.agent_id, A.name)
        .join(schema.agents, A.id == N.agent_id)
        .where(N.task_id.in_(seated), N.ended_at.is_(None))
        .order_by(N.id)
    )
    rows = list(tx.execute(query).mappings())
    freed = {"task_id": None, "next_task": None, "attachment": "free", "pinned": False}
    tx.execute(update(schema.agent_sessions).where(N.id.in_([row["id"] for row in rows])).values(freed))
    for task_id, units in sorted(Counter(row["task_id"] for row in rows).items()):
        tx.execute(update(schema.tasks).where(T.id == task_id).values(in_use=T.in_use - units))
    return rows


def set_task(tx: Tx, task_id: TaskId, **values: object) -> None:
    """Change columns of a task."""
    tx.execute(update(schema.tasks).where(T.id == task_id).values(**values))


def add_contacts_left(tx: Tx, task_id: int, count: int) -> None:
    """Add to (or take from) the number of unfinished targets of a task."""
    tx.execute(update(schema.tasks).where(T.id == task_id).values(contacts_left=T.contacts_left + count))


def loaded_through(tx: Tx, job_id: JobId) -> int:
    """Return the id of the last contact that was looked at for a job."""
    return int(tx.execute(select(J.loaded_through).where(J.id == job_id)).scalar_one())


def contact_page(tx: Tx, list_ids: Sequence[ListId], after: int, limit: int) -> list[RowMapping]:
    """Return up to `limit` contacts of the lists with ids above `after`, in order, with their list's zone."""
    K, L = schema.contacts.c, schema.contact_lists.c  # noqa: N806 - tables' columns, as elsewhere
    query = (
        select(schema.contacts, L.zone_id, L.default_country)
        .join(schema.contact_lists, L.id == K.list_id)
        .where(K.list_id.in_(list_ids), K.id > after)
        .order_by(K.id)
        .limit(limit)
    )
    return list(tx.execute(query).mappings())


def add_loaded(tx: Tx, job_id: JobId, added: int, through: int, *, loaded: bool) -> None:
    """Count targets that were added to a job, and note the last contact that was looked at."""
    values = {"targets": J.targets + added, "loaded_through": through, "loaded": loaded}
    tx.execute(update(schema.jobs).where(J.id == job_id).values(values))


def add_targets(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> frozenset[ContactId]:
    """Insert targets; a contact that the job has already is left alone. Returns the contacts that are new."""
    added: set[ContactId] = set()
    if not rows:
        return frozenset()
    for chunk in chunks(rows, parameter_limit(tx) // len(rows[0])):
        statement = insert(tx, schema.targets).values(list(chunk))
        new = statement.on_conflict_do_nothing(index_elements=["job_id", "contact_id"])
        contact_ids = tx.execute(new.returning(X.contact_id)).scalars()
        added.update(ContactId(number) for number in contact_ids)
    return frozenset(added)


def unloaded_jobs(tx: Tx) -> list[JobId]:
    """Return running jobs whose contacts have not all become targets yet."""
    query = select(J.id).where(J.state == JobState.RUNNING.value, J.loaded.is_(False)).order_by(J.id)
    return [JobId(number) for number in tx.execute(query).scalars()]


def jobs_due(tx: Tx, column: str, now: dt.datetime) -> list[JobId]:
    """Return jobs that have not ended and whose `snoozed_until` or `stop_at` has come."""
    final = [state.value for state in ENDED]
    query = select(J.id).where(J[column] <= now, J.state.not_in(final)).order_by(J.id)
    return [JobId(number) for number in tx.execute(query).scalars()]


def orphaned_jobs(tx: Tx) -> list[JobId]:
    """Return running jobs of which every task stands out: their zones or organization were deleted."""
    competing = select(T.id).where(T.job_id == J.id, T.standing != "out").exists()
    query = select(J.id).where(J.state == JobState.RUNNING.value, ~competing)
    return [JobId(number) for number in tx.execute(query).scalars()]


def retired_names(tx: Tx, job_id: JobId) -> list[str]:
    """Return the zones and organizations that a job runs in and that were deleted meanwhile."""
    query = (
        select(Z.name, Z.retired_at, G.name.label("organization"), G.retired_at.label("organization_gone"))
        .join(schema.pools, P.id == T.pool_id)
        .join(schema.zones, Z.id == P.zone_id)
        .join(schema.organizations, G.id == P.organization_id)
        .where(T.job_id == job_id)
    )
    gone = []
    for row in tx.execute(query):
        gone += [row.name] if row.retired_at else []
        gone += [row.organization] if row.organization_gone else []
    return sorted(set(gone))


def count_finals(tx: Tx, job_id: int, done: int, goal: int) -> RowMapping:
    """Add finished targets (and those that count for the goal) to a job; return its new counters."""
    statement = (
        update(schema.jobs)
        .where(J.id == job_id)
        .values(targets_done=J.targets_done + done, goal_count=J.goal_count + goal)
        .returning(J.state, J.loaded, J.targets, J.targets_done, J.goal_count, J.started_at)
    )
    return tx.execute(statement).mappings().one()


def outcomes(tx: Tx, job_ids: Iterable[int]) -> dict[JobId, dict[str, tuple[int, int]]]:
    """Return per job and outcome: attempts that came to it, and targets that ended with it."""
    O = schema.outcome_counts.c  # noqa: E741, N806 - a table's columns, as elsewhere
    query = (
        select(T.job_id, O.outcome, func.sum(O.attempts), func.sum(O.final))
        .join(schema.tasks, T.id == O.task_id)
        .where(T.job_id.in_(tuple(job_ids)))
        .group_by(T.job_id, O.outcome)
        .order_by(T.job_id, O.outcome)
    )
    found: dict[JobId, dict[str, tuple[int, int]]] = {}
    for job_id, outcome, attempts, final in tx.execute(query):
        found.setdefault(JobId(job_id), {})[outcome] = (int(attempts), int(final))
    return found


def add_outcomes(tx: Tx, counts: Mapping[tuple[int, str], tuple[int, int]]) -> None:
    """Add attempts and finals to the counts per task and outcome."""
    for (task_id, outcome), (attempts, final) in sorted(counts.items()):
        row = insert(tx, schema.outcome_counts).values(
            task_id=task_id, outcome=outcome, attempts=attempts, final=final
        )
        table: dict[str, ColumnElement[int]] = {
            name: schema.outcome_counts.c[name] + row.excluded[name] for name in ("attempts", "final")
        }
        tx.execute(row.on_conflict_do_update(index_elements=["task_id", "outcome"], set_=table))


def add_dispositions(tx: Tx, counts: Mapping[tuple[int, str], tuple[int, int]]) -> None:
    """Add attempts and finals to the counts per task and disposition."""
    for (task_id, disposition), (attempts, final) in sorted(counts.items()):
        row = insert(tx, schema.disposition_counts).values(
            task_id=task_id, disposition=disposition, attempts=attempts, final=final
        )
        table: dict[str, ColumnElement[int]] = {
            name: schema.disposition_counts.c[name] + row.excluded[name] for name in ("attempts", "final")
        }
        tx.execute(row.on_conflict_do_update(index_elements=["task_id", "disposition"], set_=table))


def dispositions(tx: Tx, job_ids: Iterable[int]) -> dict[JobId, dict[str, tuple[int, int]]]:
    """Return per job and disposition: attempts that came to it, and targets that ended with it."""
    D = schema.disposition_counts.c  # noqa: N806 - a table's columns, as elsewhere
    query = (
        select(T.job_id, D.disposition, func.sum(D.attempts), func.sum(D.final))
        .join(schema.tasks, T.id == D.task_id)
        .where(T.job_id.in_(list(job_ids)))
        .group_by(T.job_id, D.disposition)
        .order_by(D.disposition)
    )
    found: dict[JobId, dict[str, tuple[int, int]]] = {}
    for job_id, disposition, attempts, final in tx.execute(query):
        found.setdefault(JobId(job_id), {})[disposition] = (int(attempts), int(final))
    return found


def pool_ids(tx: Tx, job_id: int) -> list[PoolId]:
    """Return the pools that a job has tasks in, in order."""
    query = select(T.pool_id).where(T.job_id == job_id).distinct().order_by(T.pool_id)
    return [PoolId(number) for number in tx.execute(query).scalars()]


def _job(row: RowMapping) -> Job:
    return Job(
        **{name: row[name] for name in Job.__dataclass_fields__ if name != "state"},
        state=JobState(row["state"]),
    )


def _task(row: RowMapping) -> Task:
    return Task(**{name: row[name] for name in Task.__dataclass_fields__})
