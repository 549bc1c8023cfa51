"""Commands that arrive together share one recalculation; each still fails or succeeds by itself."""

import asyncio
import datetime as dt

import pytest
from sqlalchemy import func, select

from outrider.clock import VirtualClock
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.errors import ConflictError, InvalidInputError
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.model import JobCommand
from outrider.jobs.service import Limits
from outrider.licences.service import SharingRules
from outrider.web.coalescing import Coalescer
from support.campaigning import NOON, Campaigning, campaigning

RULES = SharingRules(coalesce=0.05)


def _records(tx: Tx) -> int:
    return int(tx.execute(select(func.count()).select_from(schema.recalculations)).scalar_one())


def _three_jobs(database: Database) -> tuple[Campaigning, list[int]]:
    system = campaigning(database)
    system.license(outbound_ports=12)
    made = [
        system.start(system.campaign(name, [system.contact_list(name, 100)], priority=priority))
        for name, priority in (("a", 3), ("b", 2), ("c", 1))
    ]
    return system, [int(job) for job in made]


def _quotas(database: Database, job_ids: list[int]) -> list[int]:
    return [task.quota for task in database.read_now(job_store.tasks, None, job_ids=job_ids)]


def test_commands_of_one_moment_are_answered_by_one_recalculation(database: Database) -> None:
    _, job_ids = _three_jobs(database)
    before = database.read_now(_records)

    async def run() -> None:
        coalescer = Coalescer(database, RULES, VirtualClock(NOON))
        tasks = database.read_now(job_store.tasks, None, job_ids=job_ids)
        await asyncio.gather(
            *(
                coalescer.write(jobs.change_limits, RULES, task.id, None, Limits(priority=5), NOON, "eve")
                for task in tasks
            )
        )

    asyncio.run(run())
    assert database.read_now(_records) == before + 1
    assert _quotas(database, job_ids) == [4, 4, 4]


def test_a_command_that_fails_takes_nobody_along(database: Database) -> None:
    _, job_ids = _three_jobs(database)
    first, second, third = database.read_now(job_store.tasks, None, job_ids=job_ids)

    async def run() -> list[object]:
        coalescer = Coalescer(database, RULES, VirtualClock(NOON))
        works = [
            coalescer.write(jobs.change_limits, RULES, first.id, None, Limits(priority=99), NOON, "eve"),
            coalescer.write(jobs.change_limits, RULES, second.id, None, Limits(maximum=1), NOON, "eve"),
            coalescer.write(jobs.command, RULES, third.job_id, None, JobCommand.START, NOON, "eve"),
        ]
        return await asyncio.gather(*works, return_exceptions=True)

    wrong, right, illegal = asyncio.run(run())
    assert isinstance(wrong, InvalidInputError)
    assert isinstance(illegal, ConflictError)
    assert not isinstance(right, BaseException)
    assert _quotas(database, job_ids)[1] == 1
    assert sum(_quotas(database, job_ids)) == 12


def test_one_command_alone_raises_its_own_error(sqlite_database: Database) -> None:
    _, job_ids = _three_jobs(sqlite_database)

    async def run() -> None:
        coalescer = Coalescer(sqlite_database, RULES, VirtualClock(NOON))
        later = NOON + dt.timedelta(hours=1)
        with pytest.raises(ConflictError):
            await coalescer.write(jobs.command, RULES, job_ids[0], None, JobCommand.START, later, "eve")

    asyncio.run(run())
