"""The figures of a run as rows of words: what text and page show, alone or two runs side by side. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from outrider.simulate.result import JobFigures, RunResult

BOUNDS = {
    "dialing": "dialing, held by nothing",
    "agents": "waiting for agents",
    "budget": "abandonment budget",
    "ports": "ports",
    "servers": "media servers",
    "rate": "originations per second",
    "pace": "the action's own pace",
    "window": "calling hours",
    "contacts": "no contacts left",
    "later": "contacts not due yet",
    "seats": "no seats",
    "licences": "licences",
    "paused": "not running",
}
"""Why nobody (more) is called, in words."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: its name, its value in words, and as a number for differences (None: has none)."""

    label: str
    shown: str
    value: float | None = None
    show: Callable[[float], str] | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One figure of two runs, and the second less the first."""

    label: str
    first: str
    second: str
    difference: str


def percent(share: float) -> str:
    """Return a share as per cent with one digit."""
    return f"{100 * share:.1f} %"


def seconds(time: float) -> str:
    """Return seconds with one digit."""
    return f"{time:.1f} s"


def count(number: float) -> str:
    """Return a whole number with thousands set apart, or one digit after the point."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"


def spoken_length(length: float) -> str:
    """Return a length in days, hours and minutes."""
    days, rest = divmod(round(length), 86_400)
    hours, rest = divmod(rest, 3_600)
    parts = [(days, "d"), (hours, "h"), (rest // 60, "min")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or f"{rest} s"


def run_rows(result: RunResult) -> list[Row]:
    """Return the figures of a whole run."""
    return [
        _row("attempts", result.attempts, count),
        _row("agents", result.agents, count),
        _row("busy share of agents", result.busy, percent),
        _row("abandonment", result.abandonment, percent),
        _row("ports in use, mean", result.ports_mean, count),
        _row("ports in use, most", result.ports_most, count),
        _row("recalculations", result.recalculations, count),
        _row("licences moved", result.licences_moved, count),
    ]


def job_rows(job: JobFigures) -> list[Row]:
    """Return the figures of one job."""
    rows = [
        Row("mode", job.mode),
        _row("attempts", job.attempts, count),
        *(_row(f"  {name.replace('_', ' ')}", number, count) for name, number in job.outcomes.items()),
        _row("contacts left", job.contacts_left, count),
        _row("lines, mean", job.lines_mean, count),
        _row("lines, most", job.lines_most, count),
    ]
    if job.mode == "no agents":
        return [*rows, _row("licences in use, mean", job.seats_mean, count)]
    limit = "" if job.limit is None else f" (limit {percent(job.limit)})"
    return [
        *rows,
        _row("seats taken, mean", job.seats_mean, count),
        _row("busy share of agents", job.busy, percent),
        _row("live answers", job.live, count),
        Row(
            "abandonment, last 30 days",
            f"{100 * job.abandonment:.2f} %{limit}",
            job.abandonment,
            lambda value: f"{100 * value:.2f} %",
        ),
        _row("abandonment, worst day", job.worst_day, percent),
        _row("wait for an agent, mean", job.wait_mean, seconds),
        _row("wait for an agent, 95 %", job.wait_95, seconds),
        _row("agents wait for people, mean", job.idle_mean, seconds),
    ]


def bound_rows(job: JobFigures) -> list[Row]:
    """Return why nobody (more) was called, in shares of time, the longest first."""
    return [_row(BOUNDS.get(why, why), share, percent) for why, share in job.bounds.items()]


def paired(first: list[Row], second: list[Row]) -> list[Pair]:
    """Return rows of two runs side by side, in the order of the first; what only one has stays."""
    other = {row.label: row for row in second}
    labels = [row.label for row in first] + [row.label for row in second if row.label not in _labels(first)]
    mine = {row.label: row for row in first}
    return [_pair(label, mine.get(label), other.get(label)) for label in labels]


def _labels(rows: list[Row]) -> set[str]:
    return {row.label for row in rows}


def _pair(label: str, first: Row | None, second: Row | None) -> Pair:
    difference = ""
    numbers = [row.value for row in (first, second) if row is not None and row.value is not None]
    shown = (first or second).show if first or second else None  # type: ignore[union-attr] # one is there
    if len(numbers) == len(("first", "second")) and shown is not None:
        change = numbers[1] - numbers[0]
        difference = f"{'+' if change > 0 else '-' if change < 0 else ''}{shown(abs(change))}"
    return Pair(
        label, "" if first is None else first.shown, "" if second is None else second.shown, difference
    )


def _row(label: str, value: float, show: Callable[[float], str]) -> Row:
    return Row(label, show(value), float(value), show)
