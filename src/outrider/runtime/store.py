"""SQL of the runtime: workers and their leases, the leader's lease, samples for charts, and the audit.

Only the modules of `runtime/` and `outrider check` use it.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, case, delete, func, insert, literal_column, select, update

from outrider.db import schema
from outrider.db.database import Row, Tx
from outrider.db.dialect import insert as upsert
from outrider.dialing import abandonment
from outrider.ids import AttemptId, JobId
from outrider.jobs.model import ENDED, JobState
from outrider.licences.model import NESTED_KINDS, SHARING_GROUPS, Standing
from outrider.media import sharing
from outrider.speech import service as speech

W, E, T, X, A, J, S = (
    schema.workers.c,
    schema.leases.c,
    schema.tasks.c,
    schema.targets.c,
    schema.attempts.c,
    schema.jobs.c,
    schema.agent_sessions.c,
)
SEATS = tuple(kind.value for kind in NESTED_KINDS)
"""Kinds of tasks whose units are agents, not attempts."""


def add_worker(tx: Tx, worker_id: str, slot: str, now: dt.datetime, until: dt.datetime) -> None:
    """Register a worker."""
    tx.execute(insert(schema.workers).values(id=worker_id, slot=slot, started_at=now, lease_until=until))


def renew_worker(tx: Tx, worker_id: str, until: dt.datetime) -> bool:
    """Extend a worker's lease; False when it was declared dead meanwhile."""
    return tx.execute(update(schema.workers).where(W.id == worker_id).values(lease_until=until)).rowcount == 1


def remove_workers(tx: Tx, worker_ids: Sequence[str]) -> None:
    """Forget workers."""
    tx.execute(delete(schema.workers).where(W.id.in_(worker_ids)))


def dead_workers(tx: Tx, slot: str, own_id: str, now: dt.datetime) -> list[str]:
    """Return former lives of our slot, and workers whose lease ran out (real time)."""
    query = select(W.id).where(W.id != own_id, (W.slot == slot) | (W.lease_until < now))
    return list(tx.execute(query).scalars())


def anything_to_recover(tx: Tx, slot: str, own_id: str, now: dt.datetime) -> bool:
    """Return whether a worker is gone, or open attempts belong to one that was removed already."""
    return bool(dead_workers(tx, slot, own_id, now) or set(unowned(tx)) - {own_id})


def unowned(tx: Tx) -> list[str]:
    """Return the owners of open attempts that no worker's row stands for."""
    query = select(A.owner).where(A.ended_at.is_(None), A.owner.not_in(select(W.id))).distinct()
    return [owner for owner in tx.execute(query).scalars() if owner is not None]


def open_attempts(tx: Tx, attempt_ids: Sequence[AttemptId]) -> set[AttemptId]:
    """Return which of these attempts are not closed."""
    query = select(A.id).where(A.id.in_(attempt_ids), A.ended_at.is_(None))
    return set(tx.execute(query).scalars())


def take_lease(tx: Tx, name: str, owner: str, now: dt.datetime, until: dt.datetime) -> bool:
    """Take or renew a named lease; return whether `owner` has it now."""
    row = upsert(tx, schema.leases).values(name=name, owner=owner, until=until)
    statement = row.on_conflict_do_update(
        index_elements=["name"],
        set_={"owner": owner, "until": until},
        where=(E.owner == owner) | (E.until < now),
    )
    return tx.execute(statement.returning(E.name)).first() is not None


def drop_lease(tx: Tx, name: str, owner: str) -> None:
    """Give a named lease up."""
    tx.execute(delete(schema.leases).where(E.name == name, E.owner == owner))


def add_samples(tx: Tx, now: dt.datetime) -> None:
    """Keep quota, grant and use of every task that competes or still has calls, as of `now`."""
    A_ = schema.samples  # noqa: N806 - a table, as elsewhere
    busy = select(T.id, T.quota, T.granted, T.in_use).where(
        (T.standing != Standing.OUT.value) | (T.in_use > 0)
    )
    rows = [
        {"task_id": row.id, "at": now, "quota": row.quota, "granted": row.granted, "in_use": row.in_use}
        for row in tx.execute(busy)
    ]
    if rows:
        statement = upsert(tx, A_).values(rows)
        tx.execute(statement.on_conflict_do_nothing(index_elements=["task_id", "at"]))


def drop_samples(tx: Tx, before: dt.datetime) -> None:
    """Forget samples older than `before`."""
    tx.execute(delete(schema.samples).where(schema.samples.c.at < before))


def finished_unnoticed(tx: Tx) -> list[JobId]:
    """Return running jobs that are loaded and have no unfinished target left."""
    query = select(J.id).where(
        J.state == JobState.RUNNING.value, J.loaded.is_(True), J.targets_done >= J.targets
    )
    return [JobId(number) for number in tx.execute(query).scalars()]


def reset_stranded_targets(tx: Tx) -> int:
    """Make claimed targets without an open attempt due again; return how many there were."""
    attempt = select(A.id).where(A.target_id == X.id, A.ended_at.is_(None)).exists()
    stranded = update(schema.targets).where(X.state == literal_column("'claimed'"), ~attempt)
    statement = stranded.values(state="due", finished_at=None)
    return tx.execute(statement).rowcount


def drifts(tx: Tx) -> list[str]:
    """Return every disagreement between cached sums and the rows that they sum up; empty when sound."""
    found = []
    found += _wrong_sums(
        tx,
        "units in use",
        T.in_use,
        select(A.task_id, func.count().label("truth")).where(A.ended_at.is_(None)).group_by(A.task_id),
        T.kind.not_in(SEATS),
    )
    found += _wrong_sums(
        tx,
        "seats in use",
        T.in_use,
        select(S.task_id, func.count().label("truth"))
        .where(S.ended_at.is_(None), S.task_id.is_not(None))
        .group_by(S.task_id),
        T.kind.in_(SEATS),
    )
    found += _wrong_sums(
        tx,
        "contacts left",
        T.contacts_left,
        select(X.task_id, func.count().label("truth")).where(X.state != "done").group_by(X.task_id),
    )
    done = func.sum(case((X.state == "done", 1), else_=0))
    counts = select(X.job_id, func.count().label("all"), done.label("done")).group_by(X.job_id).subquery()
    query = (
        select(J.id, J.targets, J.targets_done, counts.c.all, counts.c.done)
        .outerjoin(counts, counts.c.job_id == J.id)
        .where(
            (J.targets != func.coalesce(counts.c.all, 0))
            | (J.targets_done != func.coalesce(counts.c.done, 0))
        )
    )
    found += [
        f"job {row.id}: counts {row.targets_done} of {row.targets} targets done, "
        f"there are {row.done} of {row.all}"
        for row in tx.execute(query)
    ]
    stranded = select(func.count()).where(
        X.state == literal_column("'claimed'"),
        ~select(A.id).where(A.target_id == X.id, A.ended_at.is_(None)).exists(),
    )
    count = tx.execute(stranded).scalar_one()
    found += [f"{count} targets are claimed, but no attempt of them is open"] if count else []
    found += _wrong_counts(tx, schema.outcome_counts, "outcome")
    found += _wrong_counts(tx, schema.disposition_counts, "disposition")
    found += abandonment.drifts(tx)
    return found + sharing.drifts(tx) + speech.drifts(tx) + overcommitted(tx)


def overcommitted(tx: Tx) -> list[str]:
    """Return pools whose tasks were granted more than there is (licensing.md 2.1).

    A licence of a dearer agent kind serves cheaper ones too: they are summed from the dearest on (4.4).
    """
    query = select(T.pool_id, T.kind, func.sum(T.granted)).where(T.granted > 0).group_by(T.pool_id, T.kind)
    granted = {(pool_id, kind): int(units) for pool_id, kind, units in tx.execute(query)}
    counts = {(row.pool_id, row.kind): row.effective for row in tx.execute(select(schema.pool_counts))}
    found = []
    for pool_id in sorted({pool_id for pool_id, _ in granted}):
        for group in SHARING_GROUPS:
            for end in range(1, len(group) + 1):
                kinds = group[:end]
                units = sum(granted.get((pool_id, kind.value), 0) for kind in kinds)
                authorised = sum(counts.get((pool_id, kind.value), 0) for kind in kinds)
                if units > authorised:
                    names = " and ".join(kinds)
                    found.append(f"pool {pool_id}: {units} {names} are granted of {authorised}")
    return found


def _wrong_counts(tx: Tx, counts: Table, name: str) -> list[str]:
    """Compare what is counted per task and outcome (or disposition) with its attempts and ended targets."""
    tables: tuple[tuple[str, Table, ColumnElement[bool]], ...] = (
        ("attempts", schema.attempts, A.ended_at.is_not(None)),
        ("final", schema.targets, X.state == "done"),
    )
    found = []
    for column, table, counted in tables:
        named = table.c[name]
        query = (
            select(table.c.task_id, named, func.count())
            .where(counted, named.is_not(None))
            .group_by(table.c.task_id, named)
        )
        truth = {(row[0], row[1]): int(row[2]) for row in tx.execute(query)}
        kept = select(counts.c.task_id, counts.c[name], counts.c[column])
        cached = {(row[0], row[1]): int(row[2]) for row in tx.execute(kept)}
        found += [
            f"task {key[0]}: {column} counted {key[1]} is {cached.get(key, 0)}, should be {truth.get(key, 0)}"
            for key in sorted(truth.keys() | cached.keys())
            if truth.get(key, 0) != cached.get(key, 0)
        ]
    return found


def _wrong_sums(
    tx: Tx, what: str, cached: Any, truth: Any, tasks: ColumnElement[bool] | None = None
) -> list[str]:
    sums = truth.subquery()
    query = (
        select(T.id, cached.label("cached"), func.coalesce(sums.c.truth, 0).label("truth"))
        .outerjoin(sums, sums.c.task_id == T.id)
        .where(cached != func.coalesce(sums.c.truth, 0))
        .order_by(T.id)
    )
    query = query if tasks is None else query.where(tasks)
    return [f"task {row.id}: {what} is {row.cached}, should be {row.truth}" for row in tx.execute(query)]


def workers(tx: Tx) -> list[Row]:
    """Return all workers, oldest first."""
    return list(tx.execute(select(schema.workers).order_by(W.started_at)).mappings())


def figures(tx: Tx) -> dict[str, float]:
    """Return the figures of the moment that Prometheus scrapes, by the names of their gauges."""
    final = [state.value for state in ENDED]
    jobs = select(J.state, func.count()).where(J.state.not_in(final)).group_by(J.state)
    by_state = {state: int(count) for state, count in tx.execute(jobs)}
    found = {f"jobs_{state}": float(by_state.get(state, 0)) for state in JobState if state not in ENDED}
    units = select(
        T.kind, func.sum(T.quota), func.sum(T.granted), func.sum(T.in_use), func.sum(T.contacts_left)
    ).group_by(T.kind)
    for kind, quota, granted, in_use, left in tx.execute(units):
        found |= {
            f"{kind}_quota": float(quota),
            f"{kind}_granted": float(granted),
            f"{kind}_in_use": float(in_use),
            f"{kind}_contacts_left": float(left),
        }
    return found
