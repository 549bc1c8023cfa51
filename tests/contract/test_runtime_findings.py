"""What a review of the running system found once, and must not come back."""

import datetime as dt
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import update

from outrider.db import dialect, schema
from outrider.db.database import Database, Tx
from outrider.dialing import claims, plans
from outrider.errors import StoreError
from outrider.ids import TaskId
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.loading import load_targets
from outrider.jobs.model import JobCommand
from outrider.licences import service as licences
from outrider.licences.service import SharingRules
from outrider.runtime import store
from support.campaigning import NOON, campaigning
from support.databases import sqlite_url

HOLDING = SharingRules(minimum_hold=15)


def test_a_locked_database_is_told_as_one_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "SQLITE_BUSY_MS", 20)
    with sqlite_url(tmp_path) as url:
        database = Database(url)
        other = sqlite3.connect(database.url.database or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            database.write_now(lambda _: None)
        other.execute("ROLLBACK")
        other.close()
        assert database.write_now(lambda _: "well again") == "well again"
        database.close()


def test_a_return_that_waits_for_a_minimum_hold_comes_when_the_hold_ends(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=10)
    made = [system.start(system.campaign(name, [system.contact_list(name, 50)])) for name in ("a", "b")]
    first, second = database.read_now(job_store.tasks, None, job_ids=made)

    def attempt(task_id: TaskId, seconds: float) -> None:
        at = NOON + dt.timedelta(seconds=seconds)
        column = schema.tasks.c
        database.write_now(
            lambda tx: tx.execute(update(schema.tasks).where(column.id == task_id).values(last_attempt_at=at))
        )

    def due(seconds: float) -> bool:
        at = NOON + dt.timedelta(seconds=seconds)
        return database.write_now(licences.recalculate_if_due, HOLDING, first.pool_id, at)

    def quotas() -> list[int]:
        return [task.quota for task in database.read_now(job_store.tasks, None, job_ids=made)]

    assert quotas() == [5, 5]
    attempt(second.id, 55)
    assert due(61)
    assert quotas() == [1, 9]
    now = NOON + dt.timedelta(seconds=63)
    assert not database.write_now(licences.return_if_quiet, HOLDING, first.pool_id, first.id, now)
    attempt(first.id, 63)
    attempt(second.id, 70)
    assert not due(75)
    assert due(77)
    assert quotas() == [5, 5]
    assert not due(78)


def test_attempts_of_a_worker_that_nobody_remembers_are_recovered(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=10)
    job_id = system.start(system.campaign("a", [system.contact_list("a", 5)]))
    database.write_now(load_targets, SharingRules(), job_id, NOON)
    _, (plan,) = database.read_now(plans.admitted_plans, frozenset())
    now = NOON + dt.timedelta(seconds=1)
    database.write_now(claims.take_batch, SharingRules(), plan, 5, "forgotten", now)

    def asked(tx: Tx) -> bool:
        return store.anything_to_recover(tx, "a slot", "a worker", now)

    assert database.read_now(asked)


def test_a_job_can_be_stopped_by_somebody_with_a_very_long_name(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=10)
    job_id = system.start(system.campaign("a", [system.contact_list("a", 5)]))
    name = "x" * 80
    database.write_now(jobs.command, SharingRules(), job_id, None, JobCommand.STOP, NOON, name)
    assert system.job(job_id).end_reason == f"stop by {name}"[:80]
