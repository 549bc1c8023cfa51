"""The history of a pool's recalculations with the names of its tasks, and which of them set a quota.

`licences/explaining.py`, the API and the pages call it in read transactions (licensing.md 8).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from outrider.db.database import Tx
from outrider.errors import NotFoundError
from outrider.ids import PoolId, TaskId
from outrider.licences import division_store, explain_store, store
from outrider.licences.division_store import PoolRow
from outrider.licences.explain_store import TaskName
from outrider.licences.explained import Holding, NamedTask, Recalculation, RecalculationPage
from outrider.licences.model import Standing, Trigger

PAGES, PAGE = 25, 200
"""How much history is read in one go before single tasks are looked up."""

NOTHING = {"quota": 0, "granted": 0, "in_use": 0, "standing": Standing.OUT.value}


def visible_pool(tx: Tx, pool_id: int, organization_id: int | None) -> PoolRow:
    """Return one pool in use; NotFoundError when this caller can see none by that id."""
    for row in division_store.pools(tx):
        if row.id == pool_id and organization_id in (None, row.organization_id):
            return row
    raise NotFoundError(f"there is no pool {pool_id}")


def recalculations(
    tx: Tx,
    pool_id: int,
    organization_id: int | None,
    *,
    before: int | None = None,
    limit: int = 50,
    task_id: int | None = None,
) -> RecalculationPage:
    """Return up to `limit` records of a pool, newest first; with `task_id` those that it caused."""
    pool = visible_pool(tx, pool_id, organization_id)
    only = None if task_id is None else TaskId(task_id)
    found = store.recalculations(tx, [pool.id], before, limit + 1, only)
    following = int(found[limit - 1]["id"]) if len(found) > limit else None
    return RecalculationPage(_records(tx, found[:limit]), following)


def set_by(tx: Tx, pool_id: PoolId, tasks: Sequence[str]) -> dict[str, Recalculation]:
    """Return for each task the newest recalculation that changed its quota or standing."""
    missing = set(tasks)
    chosen: dict[str, Mapping[str, Any]] = {}
    before: int | None = None
    for _ in range(PAGES):
        page = store.recalculations(tx, [pool_id], before, PAGE)
        for row in page:
            for task in missing & row["before"].keys():
                if _moved(row["before"][task], row["after"].get(task, NOTHING)):
                    chosen[task] = row
            missing -= chosen.keys()
        if not missing or len(page) < PAGE:
            break
        before = page[-1]["id"]
    else:
        for task in sorted(missing):
            last = store.last_change_of(tx, pool_id, TaskId(int(task)))
            if last is not None:
                chosen[task] = last
    rows = {row["id"]: row for row in chosen.values()}
    records = {record.id: record for record in _records(tx, list(rows.values()))}
    return {task: records[row["id"]] for task, row in chosen.items()}


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return bool(before["quota"] != after["quota"] or before["standing"] != after["standing"])


def _records(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> tuple[Recalculation, ...]:
    ids = {int(task) for row in rows for task in (*row["before"], *row["after"])}
    ids |= {row["task_id"] for row in rows if row["task_id"] is not None}
    labels = labels_of(explain_store.names(tx, ids)) if ids else {}
    return tuple(_record(row, labels) for row in rows)


def _record(row: Mapping[str, Any], labels: Mapping[str, str]) -> Recalculation:
    before = {task: _holding(values) for task, values in row["before"].items()}
    after = {task: _holding(values) for task, values in row["after"].items()}
    return Recalculation(
        id=row["id"],
        pool_id=row["pool_id"],
        at=row["at"],
        trigger=Trigger(row["trigger"]),
        task=None if row["task_id"] is None else named(str(row["task_id"]), labels),
        cause=row["cause"],
        counts=row["counts"],
        before=before,
        after=after,
        names={task: labels[task] for task in (before | after) if task in labels},
        violations=row["violations"] or (),
    )


def _holding(values: Mapping[str, Any]) -> Holding:
    return Holding(values["quota"], values["granted"], values["in_use"], Standing(values["standing"]))


def labels_of(names: Mapping[str, TaskName]) -> dict[str, str]:
    """Return campaign and action by task id, with the job's number where that alone is not distinct."""
    plain = {task: f"{name.campaign} / {name.action}" for task, name in names.items()}
    seen = list(plain.values())
    return {
        task: label if seen.count(label) == 1 else f"{label} (job {names[task].job_id})"
        for task, label in plain.items()
    }


def named(task: str, labels: Mapping[str, str]) -> NamedTask:
    """Return a task by id as text; one that does not exist yet has no number."""
    return NamedTask(int(task) if task.isdigit() else None, labels.get(task, f"task {task}"))
