"""Runs a scenario to its end, and makes a RunResult of what was seen.

`outrider simulate` calls `run`, benchmarks and tests too.
"""

import datetime as dt
import gc
from collections import Counter
from collections.abc import Callable

from outrider.agents.actions import STATES_OF_WORK
from outrider.campaigns.outcome import Outcome
from outrider.dialing.predictive.budget import DENOMINATORS
from outrider.dialing.predictive.model import Counts
from outrider.simulate.figures import Figures, TaskBook
from outrider.simulate.result import DayFigures, JobFigures, RunResult, Series
from outrider.simulate.rows import JobRow
from outrider.simulate.scenario import Scenario
from outrider.simulate.world import World

STEPS = 100
"""How often progress is told."""
LARGE = 100_000
"""Young objects before a collection: a run makes many that are gone at once, and few cycles."""


def run(scenario: Scenario, progress: Callable[[float], None] | None = None) -> RunResult:
    """Play a scenario; `progress` is told the share that is done, 0 to 1."""
    figures = Figures(scenario.warm_up)
    world = World(scenario, figures)
    figures.begin(world)
    thresholds = gc.get_threshold()
    gc.set_threshold(LARGE)
    try:
        world.begin()
        for step in range(1, STEPS + 1):
            world.run(scenario.length * step / STEPS)
            if progress is not None:
                progress(step / STEPS)
    finally:
        gc.set_threshold(*thresholds)
    figures.end()
    return _result(scenario, world, figures)


def _result(scenario: Scenario, world: World, figures: Figures) -> RunResult:
    jobs = tuple(_job(scenario, row, figures) for row in world.memory.jobs.values())
    working = sum(figures.working.values())
    busy = sum(figures.working[state] for state in STATES_OF_WORK)
    live, abandoned = sum(job.live for job in jobs), sum(job.abandoned for job in jobs)
    return RunResult(
        scenario=scenario.name,
        about=scenario.about,
        seed=scenario.seed,
        start=scenario.start.isoformat(),
        length=scenario.length,
        warm_up=scenario.warm_up,
        agents=len(world.staff.people),
        attempts=figures.attempts,
        busy=busy / working if working else 0.0,
        abandonment=abandoned / live if live else 0.0,
        ports_mean=_mean(figures.ports),
        ports_most=max(figures.ports, default=0),
        recalculations=world.memory.recalculations,
        licences_moved=world.memory.moved,
        jobs=jobs,
        series=_series(world, figures),
    )


def _job(scenario: Scenario, row: JobRow, figures: Figures) -> JobFigures:
    books = [figures.tasks[task.plan.task_id] for task in row.tasks]
    samples = [figures.samples[task.plan.task_id] for task in row.tasks]
    outcomes: Counter[Outcome] = sum((book.outcomes for book in books), Counter())
    settings = next((task.plan.action.agents for task in row.tasks if task.plan.action.agents), None)
    days = _days(scenario, books)
    rule = None if settings is None else settings.abandonment
    window = days if rule is None else days[-rule.days :]
    counts = Counts(
        sum(day.live for day in window),
        sum(day.abandoned for day in window),
        sum(day.machines for day in window),
    )
    share = DENOMINATORS["live" if rule is None else rule.denominator]
    states: Counter[str] = Counter()
    for book in books:
        states.update({state.value: spent for state, spent in book.states.items()})
    seated = sum(states.values())
    waits = sorted(wait for book in books for wait in book.waits)
    bounds: Counter[str] = sum((book.bounds for book in books), Counter())
    all_bounds = sum(bounds.values())
    return JobFigures(
        name=row.name,
        mode="no agents" if settings is None else settings.mode.value,
        attempts=sum(book.attempts for book in books),
        outcomes={outcome.value: count for outcome, count in sorted(outcomes.items())},
        finals={outcome.value: count for outcome, count in sorted(row.finals.items())},
        contacts=row.size,
        contacts_left=sum(task.contacts_left for task in row.tasks),
        live=sum(day.live for day in days),
        abandoned=sum(day.abandoned for day in days),
        machines=sum(day.machines for day in days),
        abandonment=share(counts),
        limit=None if rule is None or not settings or not settings.mode.is_paced else rule.limit,
        worst_day=max((day.abandonment for day in days), default=0.0),
        busy=sum(states[state.value] for state in STATES_OF_WORK) / seated if seated else 0.0,
        states={state: spent / seated for state, spent in sorted(states.items())} if seated else {},
        wait_mean=_mean(waits),
        wait_95=waits[int(len(waits) * 0.95)] if waits else 0.0,
        idle_mean=_mean([idle for book in books for idle in book.idle]),
        seats_mean=sum(_mean(each.get("in_use", [])) for each in samples),
        lines_mean=sum(_mean(each.get("lines", [])) for each in samples),
        lines_most=sum(book.most_lines for book in books),
        bounds={why: spent / all_bounds for why, spent in bounds.most_common()} if all_bounds else {},
        days=days,
    )


def _days(scenario: Scenario, books: list[TaskBook]) -> tuple[DayFigures, ...]:
    numbers = sorted({day for book in books for day in (*book.by_day, *book.seated_by_day)})
    found = []
    for number in numbers:
        counted: Counter[str] = sum((book.by_day.get(number, Counter()) for book in books), Counter())
        seated = sum(book.seated_by_day[number] for book in books)
        busy = sum(book.busy_by_day[number] for book in books)
        found.append(
            DayFigures(
                day=(scenario.start + dt.timedelta(days=number)).date().isoformat(),
                attempts=counted["attempts"],
                live=counted["live"],
                abandoned=counted["abandoned"],
                machines=counted["machines"],
                busy=busy / seated if seated else 0.0,
            )
        )
    return tuple(found)


def _series(world: World, figures: Figures) -> dict[str, Series]:
    """Return what is drawn over time: busy agents, abandonment, lines and ports, licences."""
    at = tuple(figures.at)
    busy: dict[str, tuple[float, ...]] = {}
    abandoned: dict[str, tuple[float, ...]] = {}
    lines: dict[str, tuple[float, ...]] = {}
    quotas: dict[str, tuple[float, ...]] = {}
    for row in world.memory.jobs.values():
        for task in row.tasks:
            name = row.name if len(row.tasks) == 1 else f"{row.name}: {task.plan.action.name}"
            sample = figures.samples[task.plan.task_id]
            lines[name] = tuple(sample.get("lines", ()))
            quotas[name] = tuple(sample.get("quota", ()))
            if task.is_for_agents:
                pairs = zip(sample.get("busy", ()), sample.get("in_use", ()), strict=True)
                busy[name] = tuple(100.0 * part / whole if whole else 0.0 for part, whole in pairs)
                both = zip(sample.get("abandoned", ()), sample.get("live", ()), strict=True)
                abandoned[name] = tuple(100.0 * part / whole if whole else 0.0 for part, whole in both)
    ports = {"ports in use": tuple(float(count) for count in figures.ports)}
    found = {
        "busy": Series(at, busy),
        "abandonment": Series(at, abandoned),
        "lines": Series(at, {**lines, **ports}),
        "licences": Series(at, quotas),
    }
    return {name: series for name, series in found.items() if series.values}


def _mean(values: list[float] | list[int]) -> float:
    return sum(values) / len(values) if values else 0.0
