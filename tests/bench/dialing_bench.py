"""Speed of dialing on SQLite: claims, recalculation through the database, calls through a whole worker.

`make bench` calls `figures`; run it alone with `python -m tests.bench.dialing_bench`.
"""

import asyncio
import datetime as dt
import statistics
import sys
import tempfile
from pathlib import Path

from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.clock import RealClock, ScaledClock, stopwatch
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.dialing import claims, plans
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.loading import load_targets
from outrider.jobs.service import Limits
from support.campaigning import RULES, Campaigning, campaigning
from support.databases import sqlite_url
from support.workers import a_worker

START = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
BATCH = 50
ROUNDS = 15
Figure = tuple[str, str, str]


def loaded_job(system: Campaigning, contacts: int, ports: int) -> int:
    """Start a job over `contacts` contacts with room for `ports` calls, all of them loaded."""
    now = RealClock().now()
    system.license(now, outbound_ports=ports)
    source = system.campaign("bench", [system.contact_list("bench", contacts)], maximum=ports)
    job_id = system.start(source, now)
    while not system.database.write_now(load_targets, RULES, job_id, START, 10_000):
        pass
    return job_id


async def claims_per_second(database: Database, count: int = 40_000, loops: int = 2) -> float:
    """Return attempts claimed per second in batches of 50, by as many dial loops as a busy worker has."""
    system = campaigning(database)
    await asyncio.to_thread(loaded_job, system, count, count)
    _, (plan,) = await database.read(plans.admitted_plans, frozenset())
    claimed = 0

    async def dial() -> None:
        nonlocal claimed
        while True:
            now = START + dt.timedelta(seconds=stopwatch() - begun)
            batch = await database.write(claims.take_batch, RULES, plan, BATCH, "bench", now)
            if not batch.claims:
                return
            claimed += len(batch.claims)

    begun = stopwatch()
    await asyncio.gather(*(dial() for _ in range(loops)))
    return claimed / (stopwatch() - begun)


def recalculation_milliseconds(database: Database, tasks: int = 1_000) -> float:
    """Return the median time of a live change in a pool of `tasks` running tasks, history kept."""
    system = campaigning(database)
    system.license(outbound_ports=tasks * 5)
    campaign = system.campaign("bench", [system.contact_list("bench", 10)])
    job_id = system.start(campaign)

    def multiply(tx: Tx) -> None:
        """Make many jobs of one: a pool as large as a big floor's; a campaign runs one job at a time."""
        campaign = dict(tx.execute(schema.campaigns.select()).mappings().one())
        job = dict(tx.execute(schema.jobs.select()).mappings().one())
        task = dict(tx.execute(schema.tasks.select()).mappings().one())
        first_campaign, first_job, first_task = campaign.pop("id"), job.pop("id"), task.pop("id")
        numbers = range(1, tasks)
        tx.execute(
            schema.campaigns.insert(),
            [{**campaign, "id": first_campaign + n, "name": f"bench {n}"} for n in numbers],
        )
        tx.execute(
            schema.jobs.insert(),
            [{**job, "id": first_job + n, "campaign_id": first_campaign + n} for n in numbers],
        )
        own = {"contacts_left": 1000}
        tx.execute(
            schema.tasks.insert(),
            [
                {**task, **own, "id": first_task + n, "job_id": first_job + n, "priority": 1 + n % 10}
                for n in numbers
            ],
        )

    database.write_now(multiply)
    task_id = database.read_now(job_store.tasks, None, job_ids=[job_id])[0].id
    times = []
    for number in range(ROUNDS):
        limits = Limits(priority=1 + number % 10)
        begun = stopwatch()
        database.write_now(jobs.change_limits, RULES, task_id, None, limits, START, "bench")
        times.append((stopwatch() - begun) * 1000)
    return statistics.median(times)


async def calls_per_second(database: Database, folder: Path, contacts: int = 12_000) -> float:
    """Return calls per real second through one worker, from claim to persisted result, while work lasts."""
    system = campaigning(database)
    loaded_job(system, contacts, 3_000)
    anchor = RealClock().now()
    clock = _DayClock(25, anchor)
    worker = a_worker(database, clock, EmbeddedCarrier(SimulatedCarrier(clock, seed=3)), folder, poll=1.0)
    running = asyncio.ensure_future(worker.run())
    begun = stopwatch()
    while worker.recorder.recorded < contacts * 0.9 and not running.done():
        await clock.sleep(1)
    rate = worker.recorder.recorded / (stopwatch() - begun)
    await worker.stop(1.0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await worker.close()
    return rate


class _DayClock(ScaledClock):
    """Scaled time that begins at noon of the bench's day, so that every calling window is open."""

    def __init__(self, speed: float, anchor: dt.datetime) -> None:
        super().__init__(speed, anchor)
        self._shift = START - anchor

    def now(self) -> dt.datetime:
        return super().now() + self._shift


def figures() -> list[Figure]:
    """Return (what, value, target) of every measurement, each over a database of its own."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with sqlite_url(folder) as url:
            database = Database(url)
            rate = asyncio.run(claims_per_second(database))
            found.append(("claims in batches of 50, SQLite", f"{rate:,.0f}/s", ">= 20,000/s"))
            database.close()
        with sqlite_url(folder) as url:
            database = Database(url)
            value = recalculation_milliseconds(database)
            found.append(("recalculation of 1,000 tasks through SQLite", f"{value:.1f} ms", "<= 50 ms"))
            database.close()
        with sqlite_url(folder) as url:
            database = Database(url)
            rate = asyncio.run(calls_per_second(database, folder / "data"))
            found.append(("simulated calls through one worker, SQLite", f"{rate:,.0f}/s", ">= 300/s"))
            database.close()
    return found


if __name__ == "__main__":
    for what, value, target in figures():
        sys.stdout.write(f"{what:55} {value:>15}   {target}\n")
