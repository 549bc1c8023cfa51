"""A run, or two runs side by side, as text for people at a terminal. Pure."""

from outrider.simulate.report_rows import (
    Pair,
    Row,
    bound_rows,
    job_rows,
    paired,
    percent,
    run_rows,
    spoken_length,
)
from outrider.simulate.result import JobFigures, RunResult

MOST_DAYS = 35


def as_text(result: RunResult) -> str:
    """Return the report of one run."""
    lines = [*_title(result), "", *_rows(run_rows(result))]
    for job in result.jobs:
        lines += ["", f"{job.name}", *_rows(job_rows(job), indent=2)]
        lines += ["  why nobody (more) was called, share of time", *_rows(bound_rows(job), indent=4)]
        if len(job.days) > 1:
            lines += ["", *_days(job)]
    return "\n".join(lines) + "\n"


def as_compared_text(first: RunResult, second: RunResult) -> str:
    """Return two runs side by side, with differences (the second less the first)."""
    lines = [*_title(first), "compared with", *_title(second), ""]
    lines += _pairs(paired(run_rows(first), run_rows(second)), first.scenario, second.scenario)
    others = {job.name: job for job in second.jobs}
    for job in first.jobs:
        other = others.get(job.name)
        if other is not None:
            lines += ["", job.name]
            lines += _pairs(paired(job_rows(job), job_rows(other)), first.scenario, second.scenario)
    return "\n".join(lines) + "\n"


def _title(result: RunResult) -> list[str]:
    measured = result.length - result.warm_up
    note = "" if not result.warm_up else f", the first {spoken_length(result.warm_up)} left out"
    head = f"{result.scenario}: {spoken_length(measured)} measured{note}, seed {result.seed}"
    return [head, *([result.about] if result.about else [])]


def _rows(rows: list[Row], indent: int = 0) -> list[str]:
    width = max((len(row.label) for row in rows), default=0)
    return [f"{' ' * indent}{row.label:<{width}}  {row.shown}" for row in rows]


def _days(job: JobFigures) -> list[str]:
    lines = ["  day         attempts     live  abandoned   share    busy"]
    lines += [
        f"  {day.day}  {day.attempts:>8,} {day.live:>8,} {day.abandoned:>10,}"
        f" {percent(day.abandonment):>7} {percent(day.busy):>7}"
        for day in job.days[-MOST_DAYS:]
    ]
    return lines


def _pairs(pairs: list[Pair], first: str, second: str) -> list[str]:
    table = [Pair("", first, second, "difference"), *pairs]
    widths = [
        max(len(text) for text in column)
        for column in zip(
            *((each.label, each.first, each.second, each.difference) for each in table), strict=True
        )
    ]
    return [
        f"  {each.label:<{widths[0]}}  {each.first:>{widths[1]}}  {each.second:>{widths[2]}}"
        f"  {each.difference:>{widths[3]}}".rstrip()
        for each in table
    ]
