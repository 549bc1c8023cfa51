"""How the agents of a job do: busy share, abandonment against its budget, lines, and samples for a chart.

The API, the page of a job's agents and its live part call it in read transactions; `keep` is the floor's.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from outrider.agents import samples_store as store
from outrider.campaigns.strategy_agents import AbandonmentRule, AgentMode
from outrider.clock import Clock
from outrider.db.database import Tx
from outrider.dialing import abandonment, plans
from outrider.dialing import store as dialing_store
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.predictive.budget import DENOMINATORS
from outrider.dialing.predictive.model import Counts
from outrider.errors import NotFoundError
from outrider.ids import TaskId
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store

HOUR = dt.timedelta(hours=1)
FRESH = dt.timedelta(seconds=30)
"""How old the newest sample may be to be told as now, where the system's clock is no faster than real."""
KEPT = dt.timedelta(days=2)
POINTS = 240


@dataclass(frozen=True, slots=True)
class AgentSample:
    """What a task's agents did at one moment; `busy` have a contact in hand, `ready` wait for one."""

    task_id: TaskId
    busy: int
    ready: int
    lines: int
    waiting: int


@dataclass(frozen=True, slots=True)
class TaskFigures:
    """One task of agents. Shares are 0 to 1, null where nobody was there or nothing was counted.

    `busy_share` is of agents busy or ready, now and over the last hour; `lines` are in the air, `waiting` are
    answered contacts without an agent. Numbers of now are null where no fresh sample is there.
    """

    task_id: TaskId
    action: str
    zone: str
    mode: AgentMode
    busy: int | None
    ready: int | None
    lines: int | None
    waiting: int | None
    busy_share: float | None
    busy_share_hour: float | None


@dataclass(frozen=True, slots=True)
class JobFigures:
    """All agents of a job. `abandonment` is its campaign's share in the last `days`, `limit` its budget."""

    job_id: int
    campaign: str
    tasks: tuple[TaskFigures, ...]
    abandonment: float | None
    abandonment_today: float | None
    limit: float
    days: int
    live: int
    abandoned: int
    live_today: int
    abandoned_today: int


@dataclass(frozen=True, slots=True)
class JobChart:
    """Samples of all tasks of a job, summed, oldest first; `at` is seconds since 1970.

    Where there are too many to draw, each point is the mean of several.

    `abandoned_today` is the share of the day's live answers until then, null before the first.
    """

    at: tuple[float, ...]
    busy: tuple[float, ...]
    ready: tuple[float, ...]
    lines: tuple[float, ...]
    waiting: tuple[float, ...]
    abandoned_today: tuple[float | None, ...]


def fresh_for(clock: Clock) -> dt.timedelta:
    """Return how old a sample may be by that clock, which may be faster than real, to be told as now."""
    return FRESH * max(1.0, float(getattr(clock, "speed", 1.0)))


def keep(tx: Tx, samples: Sequence[AgentSample], now: dt.datetime) -> None:
    """Write what agents do at `now`, beside what their campaigns counted that day."""
    campaigns = store.campaigns_of(tx, [each.task_id for each in samples])
    today = now.astimezone(dt.UTC).date()
    counted = abandonment.days(tx, set(campaigns.values()), today)
    rows = []
    for each in samples:
        if each.task_id not in campaigns:
            continue
        live, abandoned, _ = counted.get(campaigns[each.task_id], {}).get(today, (0, 0, 0))
        rows.append(
            {
                "task_id": each.task_id,
                "at": now,
                "busy": each.busy,
                "ready": each.ready,
                "lines": each.lines,
                "waiting": each.waiting,
                "live": live,
                "abandoned": abandoned,
            }
        )
    store.add(tx, rows)


def has_agents(tx: Tx, job_id: int, organization_id: int | None) -> bool:
    """Return whether agents talk in some task of a job. NotFoundError when it is not visible."""
    return bool(_plans(tx, int(jobs.job(tx, job_id, organization_id).id)))


def figures(
    tx: Tx, job_id: int, organization_id: int | None, now: dt.datetime, fresh: dt.timedelta = FRESH
) -> JobFigures:
    """Return how the agents of a job do; samples older than `fresh` are not told as now.

    NotFoundError when it is not visible, or has no task for agents.
    """
    job = jobs.job(tx, job_id, organization_id)
    found = _plans(tx, job_id)
    if not found:
        raise NotFoundError(f"job {job_id} has no action with agents")
    ids = [plan.task_id for plan, _ in found]
    newest, means = store.newest(tx, ids, now - fresh), store.means(tx, ids, now - HOUR)
    tasks = []
    for plan, zone in found:
        sample, mean = newest.get(plan.task_id), means.get(plan.task_id)
        tasks.append(
            TaskFigures(
                task_id=plan.task_id,
                action=plan.action.name,
                zone=zone,
                mode=_mode(plan),
                busy=None if sample is None else sample["busy"],
                ready=None if sample is None else sample["ready"],
                lines=None if sample is None else sample["lines"],
                waiting=None if sample is None else sample["waiting"],
                busy_share=None if sample is None else _part(sample["busy"], sample["ready"]),
                busy_share_hour=None if mean is None else _part(*mean),
            )
        )
    rule = _strictest(found)
    today = now.astimezone(dt.UTC).date()
    first = today - dt.timedelta(days=rule.days - 1)
    by_day = abandonment.days(tx, [found[0][0].campaign_id], first).get(found[0][0].campaign_id, {})
    window = sum((Counts(*counts) for counts in by_day.values()), Counts())
    of_today = Counts(*by_day.get(today, (0, 0, 0)))
    return JobFigures(
        job_id=int(job.id),
        campaign=job.campaign_name,
        tasks=tuple(tasks),
        abandonment=_abandoned(window, rule),
        abandonment_today=_abandoned(of_today, rule),
        limit=rule.limit,
        days=rule.days,
        live=window.live,
        abandoned=window.abandoned,
        live_today=of_today.live,
        abandoned_today=of_today.abandoned,
    )


def chart(tx: Tx, job_id: int, organization_id: int | None, begin: dt.datetime) -> JobChart:
    """Return the samples of a job since then, as at most POINTS points. NotFoundError."""
    jobs.job(tx, job_id, organization_id)
    moments: dict[float, list[int]] = {}
    for row in store.since(tx, [plan.task_id for plan, _ in _plans(tx, job_id)], begin):
        sums = moments.setdefault(row["at"].timestamp(), [0, 0, 0, 0, 0, 0])
        for place, name in enumerate(("busy", "ready", "lines", "waiting")):
            sums[place] += row[name]
        # Those of the campaign: each task's sample says the same.
        sums[4:] = [row["live"], row["abandoned"]]
    every = sorted(moments)
    step = max(1, -(-len(every) // POINTS))
    groups = [every[first : first + step] for first in range(0, len(every), step)]
    last = [moments[group[-1]] for group in groups]
    busy, ready, lines, waiting = (
        tuple(round(sum(moments[at][place] for at in group) / len(group), 2) for group in groups)
        for place in range(4)
    )
    return JobChart(
        at=tuple(group[-1] for group in groups),
        busy=busy,
        ready=ready,
        lines=lines,
        waiting=waiting,
        abandoned_today=tuple(found[5] / found[4] if found[4] else None for found in last),
    )


def _plans(tx: Tx, job_id: int) -> list[tuple[TaskPlan, str]]:
    """Return the plans of those tasks of a job in which agents talk, with their zones."""
    found = []
    for task in job_store.tasks(tx, None, job_ids=[jobs.job(tx, job_id, None).id]):
        row = dialing_store.task_row(tx, task.id)
        plan = None if row is None else plans.plan_of(tx, row)
        if plan is not None and plan.action.agents is not None:
            found.append((plan, task.zone_name))
    return found


def _mode(plan: TaskPlan) -> AgentMode:
    if plan.action.agents is None:
        raise ValueError(f"task {plan.task_id} is no task of agents")
    return plan.action.agents.mode


def _strictest(found: Sequence[tuple[TaskPlan, str]]) -> AbandonmentRule:
    rules = [plan.action.agents.abandonment for plan, _ in found if plan.action.agents is not None]
    return min(rules, key=lambda rule: (rule.limit, -rule.days))


def _part(busy: float, ready: float) -> float | None:
    return busy / (busy + ready) if busy + ready else None


def _abandoned(counts: Counts, rule: AbandonmentRule) -> float | None:
    return DENOMINATORS[rule.denominator](counts) if counts.live else None
