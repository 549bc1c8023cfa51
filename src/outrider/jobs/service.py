"""Jobs on the database: created, commanded, changed while they run, and ended by themselves.

The API, the pages, the worker's monitor and `dialing` call it in their transactions. Everything that
licensing.md 5 calls a trigger happens in the transaction of its cause.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.campaigns import service as campaigns
from outrider.campaigns.finish import deadline, finished
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Action, Strategy
from outrider.campaigns.strategy_document import parse_strategy
from outrider.db import log
from outrider.db.database import Row, Tx
from outrider.errors import ConflictError, InvalidInputError, LicenceShortageError, NotFoundError
from outrider.events import AgentSeatChanged, JobChanged, TaskChanged
from outrider.ids import JobId, PoolId
from outrider.jobs import store
from outrider.jobs.model import ENDED, Job, JobCommand, JobState, Task, next_state
from outrider.licences import division_store
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.licences.model import (
    COVERED_BY,
    HIGHEST_PRIORITY,
    LARGEST_COUNT,
    LOWEST_PRIORITY,
    LicenceKind,
    OpenKind,
    Standing,
    Trigger,
    is_open,
    task_kind,
)
from outrider.licences.service import SharingRules
from outrider.supply import service as supply

TRIGGERS: Mapping[JobCommand, Trigger] = {
    JobCommand.START: Trigger.START,
    JobCommand.PAUSE: Trigger.PAUSE,
    JobCommand.SNOOZE: Trigger.PAUSE,
    JobCommand.RESUME: Trigger.RESUME,
    JobCommand.STOP: Trigger.STOP,
    JobCommand.FINISH: Trigger.STOP,
}


LONGEST_REASON = 80
"""Characters that the column holds; a user's name alone may have as many."""


def create(tx: Tx, campaign_id: int, organization_id: int | None, now: dt.datetime, actor: str) -> Job:
    """Make a job of a campaign, with one task per action and zone, ready to be started.

    It uses the newest active version of the strategy, for as long as it lives. ConflictError when there is
    none, or when another job of the campaign has not ended.
    """
    campaign = campaigns.campaign(tx, campaign_id, organization_id)
    if any(job.state not in ENDED for job in store.jobs(tx, None, campaign_id=campaign.id, ended=False)):
        raise ConflictError(
            f"campaign {campaign.name!r} has a job that has not ended: stop or finish it first"
        )
    version, strategy = campaigns.runnable(tx, campaign.organization_id, campaign.strategy_name)
    job_id = store.add_job(
        tx,
        {
            "organization_id": campaign.organization_id,
            "campaign_id": campaign.id,
            "strategy_id": version.id,
            "state": JobState.READY.value,
            "created_at": now,
            "stop_at": None,
        },
    )
    pools = {
        row.zone_id: row.id
        for row in division_store.pools(tx)
        if row.organization_id == campaign.organization_id
    }
    missing = [zone_id for zone_id in campaign.zone_ids if zone_id not in pools]
    if missing or not campaign.zone_ids:
        raise ConflictError(f"campaign {campaign.name!r} names a zone that was deleted: edit its zones")
    store.add_tasks(
        tx,
        [
            _task_row(job_id, pools[zone_id], action)
            for zone_id in campaign.zone_ids
            for action in strategy.actions
        ],
    )
    log.append(
        tx,
        now,
        JobChanged(
            organization_id=campaign.organization_id,
            job_id=job_id,
            before="",
            after=JobState.READY.value,
            actor=actor,
        ),
    )
    return job(tx, job_id, None)


def command(
    tx: Tx,
    rules: SharingRules,
    job_id: int,
    organization_id: int | None,
    what: JobCommand,
    now: dt.datetime,
    actor: str,
    *,
    reason: str = "",
    until: dt.datetime | None = None,
) -> Job:
    """Do what was asked of a job, and recalculate every pool that it has tasks in (licensing.md 5).

    IllegalTransitionError when its state forbids it, LicenceShortageError when nothing is licensed.
    `until` ends a snooze by itself. A paused, snoozed or ended job starts nothing; its calls go on. Its
    agents leave after the contact in hand; only a snooze takes their seats at once.
    """
    found = job(tx, job_id, organization_id)
    pool_ids = store.pool_ids(tx, found.id)
    for pool_id in pool_ids:
        licence_store.lock_pool(tx, pool_id)
    before = store.lock_job(tx, found.id) or found.state
    after = next_state(before, what)
    if after is JobState.RUNNING:
        _refuse_unlicensed(tx, found)
    _save_state(tx, found, what, after, now, reason or f"{what} by {actor or 'the system'}", until)
    cause = reason or f"{what} of {found.campaign_name}"
    first_task = {task.pool_id: task.id for task in reversed(store.tasks(tx, None, job_ids=[found.id]))}
    if not (before is not JobState.RUNNING and after is not JobState.RUNNING):
        for pool_id in pool_ids:
            licences.request_recalculation(
                tx,
                rules,
                pool_id,
                now,
                TRIGGERS[what],
                task_id=first_task.get(pool_id),
                cause=cause,
                actor=actor,
            )
    log.append(
        tx,
        now,
        JobChanged(
            organization_id=found.organization_id,
            job_id=found.id,
            before=before.value,
            after=after.value,
            reason=reason,
            actor=actor,
        ),
    )
    return job(tx, job_id, None)


def _save_state(
    tx: Tx,
    found: Job,
    what: JobCommand,
    after: JobState,
    now: dt.datetime,
    reason: str,
    until: dt.datetime | None,
) -> None:
    """Write the job's new state, and let its tasks compete, or stand out of their pools."""
    values: dict[str, object] = {"state": after.value, "snoozed_until": until}
    if what is JobCommand.START:
        values |= {"started_at": now, "stop_at": _stop_at(tx, found, now)}
    if after in ENDED:
        values |= {"ended_at": now, "end_reason": reason[:LONGEST_REASON]}
    store.set_job(tx, found.id, **values)
    if after is JobState.RUNNING:
        age = int(now.timestamp() * 1_000_000) if what is JobCommand.START else None
        store.set_standing(tx, found.id, Standing.WAITING.value, age)
    else:
        store.set_standing(tx, found.id, Standing.OUT.value)
    if what is JobCommand.SNOOZE:
        _release_seats(tx, found, now)


def _release_seats(tx: Tx, found: Job, now: dt.datetime) -> None:
    """Give the seats of a snoozed job back at once, whatever its agents do (licensing.md 6)."""
    for row in store.release_seats(tx, found.id):
        log.append(
            tx,
            now,
            AgentSeatChanged(
                organization_id=found.organization_id,
                job_id=found.id,
                session_id=row["id"],
                agent_id=row["agent_id"],
                agent=row["name"],
                from_task=row["task_id"],
                to_task=None,
                reason=f"job {found.campaign_name} is snoozed",
            ),
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a supervisor can change of a running task; None leaves it as it is."""

    priority: int | None = None
    minimum: int | None = None
    maximum: int | None = None


def change_limits(
    tx: Tx,
    rules: SharingRules,
    task_id: int,
    organization_id: int | None,
    limits: Limits,
    now: dt.datetime,
    actor: str,
) -> Task:
    """Change priority, minimum or maximum of a task, live: the trigger `change` (licensing.md 5).

    InvalidInputError names the field; ConflictError when the job has ended.
    """
    found = task(tx, task_id, organization_id)
    owner = job(tx, found.job_id, organization_id)
    if owner.state in ENDED:
        raise ConflictError(f"job {owner.id} has {owner.state}: its limits cannot be changed any more")
    licence_store.lock_pool(tx, found.pool_id)
    before = {"priority": found.priority, "minimum": found.minimum, "maximum": found.maximum}
    after = {
        "priority": before["priority"] if limits.priority is None else limits.priority,
        "minimum": before["minimum"] if limits.minimum is None else limits.minimum,
        "maximum": before["maximum"] if limits.maximum is None else limits.maximum,
    }
    _check_limits(after)
    if after == before:
        return found
    store.set_task(tx, found.id, **after)
    if found.standing != Standing.OUT.value:
        changed = ", ".join(
            f"{name} {before[name]} to {after[name]}" for name in after if after[name] != before[name]
        )
        licences.request_recalculation(
            tx, rules, found.pool_id, now, Trigger.CHANGE, task_id=found.id, cause=changed, actor=actor
        )
    log.append(
        tx,
        now,
        TaskChanged(
            organization_id=found.organization_id,
            job_id=found.job_id,
            task_id=found.id,
            before=before,
            after=after,
            actor=actor,
        ),
    )
    return task(tx, task_id, None)


def count_finals(
    tx: Tx, rules: SharingRules, job_id: JobId, strategy: Strategy, done: int, goal: int, now: dt.datetime
) -> bool:
    """Count targets that got their final outcome; finish the job when that was the last one, or the goal.

    Returns whether it ended. The caller has locked the job's pools.
    """
    counters = store.count_finals(tx, job_id, done, goal)
    if counters["state"] not in {JobState.RUNNING.value, JobState.PAUSED.value, JobState.SNOOZED.value}:
        return False
    reason = _finished(tx, strategy, job_id, counters, now)
    if reason is None:
        return False
    command(tx, rules, job_id, None, JobCommand.FINISH, now, "", reason=reason)
    return True


def _finished(tx: Tx, strategy: Strategy, job_id: JobId, counters: Row, now: dt.datetime) -> str | None:
    """Return why a job is finished now: a goal, a criterion, nobody left; None if it is not."""
    outcomes = {} if strategy.goal is None else {strategy.goal.outcome: int(counters["goal_count"])}
    dispositions: dict[str, int] = {}
    finish = strategy.finish
    if finish.outcomes:
        found = store.outcomes(tx, [job_id]).get(job_id, {})
        outcomes |= {Outcome(name): final for name, (_, final) in found.items()}
    if finish.dispositions:
        chosen = store.dispositions(tx, [job_id]).get(job_id, {})
        dispositions = {name: final for name, (_, final) in chosen.items()}
    started_at = counters["started_at"] or now
    reason = finished(strategy, outcomes, dispositions, started_at, now)
    if reason is not None:
        return reason[:LONGEST_REASON]
    if counters["loaded"] and counters["targets_done"] >= counters["targets"]:
        return "no contact left to try"
    return None


def job(tx: Tx, job_id: int, organization_id: int | None) -> Job:
    """Return one job; NotFoundError when this caller can see none by that id."""
    found = store.job(tx, job_id, organization_id)
    if found is None:
        raise NotFoundError(f"there is no job {job_id}")
    return found


def task(tx: Tx, task_id: int, organization_id: int | None) -> Task:
    """Return one task; NotFoundError when this caller can see none by that id."""
    found = store.tasks(tx, organization_id, task_id=task_id)
    if not found:
        raise NotFoundError(f"there is no task {task_id}")
    return found[0]


def _check_limits(limits: Mapping[str, int]) -> None:
    if not LOWEST_PRIORITY <= limits["priority"] <= HIGHEST_PRIORITY:
        raise InvalidInputError(
            f"priority: {limits['priority']} is not from {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}",
            where="priority",
        )
    if not 0 <= limits["minimum"] <= LARGEST_COUNT:
        raise InvalidInputError(f"minimum: {limits['minimum']} is not a count of licences", where="minimum")
    if not limits["minimum"] <= limits["maximum"] <= LARGEST_COUNT:
        raise InvalidInputError(
            f"maximum: {limits['maximum']} is below the minimum of {limits['minimum']}", where="maximum"
        )


def _refuse_unlicensed(tx: Tx, found: Job) -> None:
    """Refuse to run a job without a valid platform licence, or none of whose licence types is authorised."""
    reason = supply.refusal(tx)
    if reason:
        raise LicenceShortageError(f"job {found.id} cannot run: {reason}", reason="platform")
    counts = division_store.effective(tx)
    tasks = store.tasks(tx, None, job_ids=[found.id])
    for kind in sorted({task_kind(task.kind) for task in tasks}):
        serving = COVERED_BY.get(kind, (kind,)) if isinstance(kind, LicenceKind) else (kind,)
        if any(is_open(each, units) for each in serving for units in counts.values()):
            return
    kinds = ", ".join(sorted({task.kind for task in tasks}))
    raise LicenceShortageError(
        f"no licence is authorised for {kinds}: load a licence file on the licences page", kinds=kinds
    )


def _stop_at(tx: Tx, found: Job, now: dt.datetime) -> dt.datetime | None:
    """Return when a job that starts now ends by time alone: the schedule's or the strategy's, None: never."""
    run_for = campaigns.campaign(tx, found.campaign_id, None).schedule.run_for
    strategy = parse_strategy(campaigns.strategy(tx, found.strategy_id, None).source)
    by_schedule = None if run_for is None else now + dt.timedelta(seconds=run_for)
    ends = [end for end in (by_schedule, deadline(strategy.finish, now)) if end is not None]
    return min(ends, default=None)


def _task_row(job_id: JobId, pool_id: PoolId, action: Action) -> dict[str, object]:
    return {
        "job_id": job_id,
        "pool_id": pool_id,
        "action": action.name,
        "kind": (action.licence or OpenKind.WEBHOOK).value,
        "allocation": action.allocation.value,
        "minimum": action.minimum,
        "maximum": action.maximum,
        "priority": action.priority,
        "pace": action.pacing,
    }
