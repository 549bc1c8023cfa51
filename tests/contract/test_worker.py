"""A whole worker over each database: jobs dial through the simulated carrier until they end."""

import asyncio
import datetime as dt
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select

from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.clock import RealClock
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.jobs.model import JobState
from outrider.runtime import store
from outrider.runtime.monitor import Monitor
from support.campaigning import RULES, campaigning
from support.workers import ShiftedClock, a_worker

START = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)


RETRY = """
[actions.retry.busy]
count = 2
delays = [30]
[actions.retry.no_answer]
count = 1
delays = ["1m"]
"""


async def _run_until(
    database: Database, folder: Path, done: Callable[[], bool], speed: float = 200
) -> SimulatedCarrier:
    clock = ShiftedClock(speed, START)
    carrier = SimulatedCarrier(clock, seed=7)
    worker = a_worker(database, clock, EmbeddedCarrier(carrier), folder)
    monitor = Monitor(database, RULES, clock, RealClock())
    running = asyncio.ensure_future(worker.run())
    try:
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(done):
                assert not running.done(), running.exception()
                await monitor.tick()
                await asyncio.sleep(0.02)
    finally:
        await worker.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await worker.close()
    return carrier


def _attempts(tx: Tx) -> int:
    return int(tx.execute(select(func.count()).select_from(schema.attempts)).scalar_one())


def test_two_jobs_share_ports_and_finish(database: Database, tmp_path: Path) -> None:
    system = campaigning(database)
    system.license(outbound_ports=20)
    first = system.campaign("first", [system.contact_list("first", 150)], priority=8, extra=RETRY)
    second = system.campaign("second", [system.contact_list("second", 100)], priority=2)
    jobs = [system.start(first, START), system.start(second, START)]

    def done() -> bool:
        return all(system.job(job).state is JobState.FINISHED for job in jobs)

    async def run() -> SimulatedCarrier:
        return await _run_until(database, tmp_path / "data", done)

    carrier = asyncio.run(run())
    assert [sum(system.final_outcomes(job).values()) for job in jobs] == [150, 100]
    assert "" not in system.final_outcomes(jobs[0]) | system.final_outcomes(jobs[1])
    assert database.read_now(store.drifts) == []
    assert carrier.counts.originated == database.read_now(_attempts)
    assert carrier.counts.duplicates_refused == 0
    assert [system.job(job).end_reason for job in jobs] == ["no contact left to try"] * 2
