"""What must happen without anybody asking: idle donation, snoozes ending, schedules, loading, samples.

One process at a time does it, by a lease in the database; `app.py` runs it beside the worker. Every step is
a transaction of its own that looks again before it acts, so a second monitor would do no harm.
"""

import asyncio
import datetime as dt
import secrets

import structlog

from outrider.campaigns import service as campaigns
from outrider.campaigns.strategy_document import parse_strategy
from outrider.clock import Clock
from outrider.db.database import Database, Tx
from outrider.errors import OutriderError, StoreError
from outrider.ids import JobId, PoolId
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.loading import load_targets
from outrider.jobs.model import JobCommand
from outrider.licences import division_store
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.licences.model import UNSHARED_KINDS
from outrider.licences.service import SharingRules
from outrider.media import sharing as media
from outrider.runtime import store
from outrider.speech import service as speech

log = structlog.get_logger(__name__)

LEASE = "monitor"
LEASE_TIME = dt.timedelta(seconds=10)
SHORTEST_TICK = 0.1
SAMPLES_KEPT = dt.timedelta(days=2)
PURGE_EVERY = dt.timedelta(hours=1)


class Monitor:
    """The system's own clockwork. A tick is one second of `clock`, at least 0.1 s of real time."""

    def __init__(self, database: Database, rules: SharingRules, clock: Clock, real_clock: Clock) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock
        self._real_clock = real_clock
        self._owner = secrets.token_hex(8)
        self._purged_at: dt.datetime | None = None

    async def run(self) -> None:
        """Tick until cancelled."""
        tick = max(SHORTEST_TICK, 1.0 / float(getattr(self._clock, "speed", 1.0)))
        while True:
            try:
                if await self._leads():
                    await self.tick()
            except StoreError as error:
                log.warning("monitor_waits_for_database", error=error.message)
            await asyncio.sleep(tick)

    async def close(self) -> None:
        """Let another process be the monitor at once."""
        try:
            await self._database.write(store.drop_lease, LEASE, self._owner)
        except StoreError as error:
            log.warning("monitor_lease_left", error=error.message)

    async def tick(self) -> None:
        """Do everything that is due now. A step that fails is logged, and does not keep the others."""
        now = self._clock.now()
        for step in (
            self._share_ports,
            self._start_scheduled,
            self._end_snoozes_and_runs,
            self._load,
            self._finish,
            self._lend,
            self._sample,
        ):
            try:
                await step(now)
            except StoreError:
                raise
            except Exception:
                log.exception("monitor_step_failed", step=step.__name__)

    async def _leads(self) -> bool:
        now = self._real_clock.now()
        return await self._database.write(store.take_lease, LEASE, self._owner, now, now + LEASE_TIME)

    async def _lend(self, now: dt.datetime) -> None:
        """Do the triggers that come with time: idle, and a return that waited for a minimum hold."""
        for pool_id in await self._database.read(_pools_to_lend, self._rules, now):
            await self._database.write(licences.recalculate_if_due, self._rules, pool_id, now)

    async def _sample(self, now: dt.datetime) -> None:
        await self._database.write(store.add_samples, now)
        if self._purged_at is None or now - self._purged_at >= PURGE_EVERY:
            self._purged_at = now
            await self._database.write(store.drop_samples, now - SAMPLES_KEPT)

    async def _share_ports(self, now: dt.datetime) -> None:
        """Split ports and speech connections anew when what is licensed, or who lives, has changed."""
        real_now = self._real_clock.now()
        if await self._database.read(media.is_stale, real_now):
            await self._database.write(media.watch, now, real_now)
        if await self._database.read(speech.is_stale):
            await self._database.write(speech.rebalance)

    async def _start_scheduled(self, now: dt.datetime) -> None:
        for campaign in await self._database.read(campaigns.due_campaigns, now):
            try:
                await self._database.write(_start_scheduled, self._rules, campaign.id, now)
            except StoreError:
                raise
            except OutriderError as error:
                log.warning("scheduled_start_refused", campaign=campaign.name, error=error.message)
                await self._database.write(campaigns.schedule_next, campaign, now)

    async def _end_snoozes_and_runs(self, now: dt.datetime) -> None:
        for column, command, reason in (
            ("snoozed_until", JobCommand.RESUME, "snooze ended"),
            ("stop_at", JobCommand.FINISH, "its time was over"),
        ):
            for job_id in await self._database.read(job_store.jobs_due, column, now):
                await self._command(job_id, command, now, reason, column)

    async def _load(self, now: dt.datetime) -> None:
        for job_id in await self._database.read(job_store.unloaded_jobs):
            if await self._leads():
                await self._database.write(load_targets, self._rules, job_id, now)

    async def _finish(self, now: dt.datetime) -> None:
        for job_id in await self._database.read(store.finished_unnoticed):
            await self._database.write(_finish, self._rules, job_id, now)
        for job_id in await self._database.read(job_store.orphaned_jobs):
            gone = ", ".join(await self._database.read(job_store.retired_names, job_id))
            await self._command(job_id, JobCommand.STOP, now, f"deleted: {gone}"[:80])
        await self._database.write(division_store.purge_retired)

    async def _command(
        self, job_id: JobId, command: JobCommand, now: dt.datetime, reason: str, column: str | None = None
    ) -> None:
        try:
            await self._database.write(_command, self._rules, job_id, command, now, reason, column)
        except StoreError:
            raise
        except OutriderError as error:
            log.warning("job_command_refused", job=job_id, command=command.value, error=error.message)


def _pools_to_lend(tx: Tx, rules: SharingRules, now: dt.datetime) -> list[PoolId]:
    """Return the pools in which time alone calls for a recalculation, without locking anything."""
    found = []
    for pool_id in licence_store.busy_pools(tx):
        states = [
            state for state in licence_store.snapshot_states(tx, pool_id) if state.kind not in UNSHARED_KINDS
        ]
        if licences.due_by_time(states, rules, now) is not None:
            found.append(pool_id)
    return found


def _command(
    tx: Tx,
    rules: SharingRules,
    job_id: JobId,
    command: JobCommand,
    now: dt.datetime,
    reason: str,
    column: str | None,
) -> None:
    """Command a job, unless what was due by `column` is due no more: somebody was faster."""
    if column is not None and job_id not in job_store.jobs_due(tx, column, now):
        return
    jobs.command(tx, rules, job_id, None, command, now, "", reason=reason)


def _start_scheduled(tx: Tx, rules: SharingRules, campaign_id: int, now: dt.datetime) -> None:
    campaign = campaigns.campaign(tx, campaign_id, None)
    if campaign.next_start_at is None or campaign.next_start_at > now:
        return
    campaigns.schedule_next(tx, campaign, now)
    job = jobs.create(tx, campaign_id, None, now, "schedule")
    jobs.command(tx, rules, job.id, None, JobCommand.START, now, "schedule")


def _finish(tx: Tx, rules: SharingRules, job_id: JobId, now: dt.datetime) -> None:
    job = jobs.job(tx, job_id, None)
    strategy = parse_strategy(campaigns.strategy(tx, job.strategy_id, None).source)
    for pool_id in job_store.pool_ids(tx, job_id):
        licence_store.lock_pool(tx, pool_id)
    jobs.count_finals(tx, rules, job_id, strategy, 0, 0, now)
