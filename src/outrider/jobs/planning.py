"""What-if over jobs and campaigns: turns "start this campaign" into changes of a pool's tasks.

`jobs/api.py` and the pages call `what_if` in a read transaction; nothing is written (licensing.md 8).
"""

import datetime as dt
from collections.abc import Iterator, Sequence

from outrider.campaigns import service as campaigns
from outrider.db.database import Tx
from outrider.errors import InvalidInputError, NotFoundError
from outrider.jobs import board_store, service
from outrider.jobs.model import ENDED, JobState
from outrider.jobs.schemas import ChangeLicences, ChangeLimits, StartCampaign, StartJob, StopJob, Supposed
from outrider.licences import explaining
from outrider.licences.division_store import PoolRow
from outrider.licences.explained import Supposition
from outrider.licences.history import visible_pool
from outrider.licences.model import COUNTED_KINDS, UNSHARED_KINDS, Standing, TaskState
from outrider.licences.service import SharingRules
from outrider.licences.what_if import Change, ChangeCount, ChangeTask, StartTask, StopTask


def what_if(
    tx: Tx,
    rules: SharingRules,
    pool_id: int,
    organization_id: int | None,
    supposed: Sequence[Supposed],
    now: dt.datetime,
) -> Supposition:
    """Return what the quotas of a pool would be after these changes.

    NotFoundError for a pool, campaign, job or task that this caller cannot see or that is not in this pool,
    InvalidInputError for a change that cannot be made.
    """
    planned = _Planned(tx, visible_pool(tx, pool_id, organization_id), now)
    changes = [change for each in supposed for change in planned.changes(each)]
    return explaining.suppose(
        tx, rules, planned.pool.id, changes, now, planned.names, leaving=planned.entering
    )


class _Planned:
    """The changes to one pool as they are worked out, with the names of tasks that do not exist yet."""

    def __init__(self, tx: Tx, pool: PoolRow, now: dt.datetime) -> None:
        self.pool = pool
        self.names: dict[str, str] = {}
        self.entering: set[str] = set()
        self._tx, self._age = tx, int(now.timestamp() * 1_000_000)

    def changes(self, supposed: Supposed) -> Iterator[Change]:
        """Yield the changes of the pool's tasks that one wish amounts to."""
        match supposed:
            case StartCampaign():
                yield from self._start_campaign(supposed.campaign_id)
            case StartJob():
                yield from self._start_job(supposed.job_id)
            case StopJob():
                yield from self._stop_job(supposed.job_id)
            case ChangeLimits():
                found = service.task(self._tx, supposed.task_id, self.pool.organization_id)
                if found.pool_id != self.pool.id:
                    raise NotFoundError(f"there is no task {supposed.task_id} in pool {self.pool.id}")
                yield ChangeTask(str(found.id), supposed.priority, supposed.minimum, supposed.maximum)
            case ChangeLicences():
                if supposed.kind not in COUNTED_KINDS:
                    counted = ", ".join(COUNTED_KINDS)
                    raise InvalidInputError(
                        f"kind: {supposed.kind} is not shared by count; choose one of {counted}", where="kind"
                    )
                yield ChangeCount(supposed.kind, supposed.by)

    def _start_campaign(self, campaign_id: int) -> Iterator[Change]:
        campaign = campaigns.campaign(self._tx, campaign_id, self.pool.organization_id)
        if self.pool.zone_id not in campaign.zone_ids:
            raise InvalidInputError(
                f"campaign {campaign.name!r} does not run in zone {self.pool.zone!r}", where="campaign_id"
            )
        _, strategy = campaigns.runnable(self._tx, campaign.organization_id, campaign.strategy_name)
        for action in strategy.actions:
            licence = action.licence
            if licence is None or licence in UNSHARED_KINDS:
                continue
            task = f"campaign {campaign.id} {action.name}"
            self.names[task] = f"{campaign.name} / {action.name} (new)"
            yield StartTask(
                TaskState(
                    id=task,
                    kind=licence,
                    allocation=action.allocation,
                    minimum=action.minimum,
                    maximum=action.maximum,
                    priority=action.priority,
                    started=self._age,
                )
            )

    def _start_job(self, job_id: int) -> Iterator[Change]:
        job = service.job(self._tx, job_id, self.pool.organization_id)
        if job.state is JobState.RUNNING or job.state in ENDED:
            raise InvalidInputError(f"job {job.id} is {job.state}: it cannot be started", where="job_id")
        for state in self._tasks(job_id):
            self.entering.add(state.id)
            yield StartTask(state)

    def _stop_job(self, job_id: int) -> Iterator[Change]:
        job = service.job(self._tx, job_id, self.pool.organization_id)
        for state in self._tasks(job_id):
            if state.standing is Standing.OUT and state.id not in self.entering:
                raise InvalidInputError(f"job {job.id} is {job.state}: it holds nothing now", where="job_id")
            yield StopTask(state.id)

    def _tasks(self, job_id: int) -> list[TaskState]:
        states = [
            state
            for row, state in board_store.task_rows(self._tx, [job_id])
            if row["pool_id"] == self.pool.id and state.kind not in UNSHARED_KINDS
        ]
        if not states:
            raise NotFoundError(f"job {job_id} has no task that shares licences in pool {self.pool.id}")
        return states
