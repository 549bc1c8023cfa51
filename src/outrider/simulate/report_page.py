"""A run, or two runs side by side, as one HTML file that works offline, on paper and on a phone. Pure."""

import html
from pathlib import Path

from outrider.simulate.charts import line_chart
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
from outrider.simulate.result import JobFigures, RunResult, Series

STYLE = Path(__file__).with_name("report.css")
CHARTS = {
    "busy": ("Busy agents", " %"),
    "abandonment": ("Abandoned live answers, since the start", " %"),
    "lines": ("Lines and ports", ""),
    "licences": ("Licences (quotas)", ""),
}


def as_page(result: RunResult) -> str:
    """Return the report of one run."""
    body = [_header(result), _tiles(run_rows(result)), _charts(result)]
    body += [_job(job) for job in result.jobs]
    return _document(result.scenario, "".join(body))


def as_compared_page(first: RunResult, second: RunResult) -> str:
    """Return two runs side by side, with differences (the second less the first)."""
    names = (first.scenario, second.scenario)
    body = [_header(first), _header(second), "<section><h2>Both together</h2>"]
    body += [_pairs(paired(run_rows(first), run_rows(second)), names), "</section>"]
    others = {job.name: job for job in second.jobs}
    for job in first.jobs:
        other = others.get(job.name)
        if other is not None:
            table = _pairs(paired(job_rows(job), job_rows(other)), names)
            body.append(f"<section><h2>{html.escape(job.name)}</h2>{table}</section>")
    body.append('<div class="sides">')
    body += [f"<div><h2>{html.escape(each.scenario)}</h2>{_charts(each)}</div>" for each in (first, second)]
    body.append("</div>")
    return _document(f"{names[0]} and {names[1]}", "".join(body))


def _document(title: str, body: str) -> str:
    style = STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}: simulation</title><style>{style}</style></head>"
        f"<body><main>{body}<footer>Made by <code>outrider simulate</code>: the same scenario and seed give"
        " the same figures.</footer></main></body></html>\n"
    )


def _header(result: RunResult) -> str:
    about = f"<p>{html.escape(result.about)}</p>" if result.about else ""
    warm = f" The first {spoken_length(result.warm_up)} are left out." if result.warm_up else ""
    return (
        f"<header><h1>{html.escape(result.scenario)}</h1>{about}"
        f'<p class="quiet">{spoken_length(result.length)} simulated from {html.escape(result.start)},'
        f" seed {result.seed}.{warm}</p></header>"
    )


def _tiles(rows: list[Row]) -> str:
    tiles = "".join(
        f"<div><dt>{html.escape(row.label)}</dt><dd>{html.escape(row.shown)}</dd></div>" for row in rows
    )
    return f'<dl class="tiles">{tiles}</dl>'


def _charts(result: RunResult) -> str:
    limits = {job.limit for job in result.jobs if job.limit is not None}
    found = []
    for name, (title, unit) in CHARTS.items():
        series = result.series.get(name)
        if series is None:
            continue
        limit = 100.0 * min(limits) if name == "abandonment" and limits else None
        found.append(line_chart(title, unit, _told(series, name), limit))
    return f'<div class="charts">{"".join(found)}</div>'


def _told(series: Series, name: str) -> Series:
    """Leave out jobs without agents from what is about agents: their lines would be zero."""
    if name not in ("busy", "abandonment"):
        return series
    return Series(
        series.at, {job: values for job, values in series.values.items() if any(values)} or series.values
    )


def _job(job: JobFigures) -> str:
    rows = "".join(
        f'<tr><th scope="row"{_inset(row)}>{html.escape(row.label.strip())}</th>'
        f"<td>{html.escape(row.shown)}</td></tr>"
        for row in job_rows(job)
    )
    return (
        f"<section><h2>{html.escape(job.name)}</h2>{_bounds(job)}"
        f'<div class="scrolls" tabindex="0"><table class="figures"><tbody>{rows}</tbody></table></div>'
        f"{_days(job)}</section>"
    )


def _inset(row: Row) -> str:
    return ' class="inset"' if row.label.startswith(" ") else ""


def _bounds(job: JobFigures) -> str:
    """Return why nobody (more) was called: a bar, and the same in words."""
    rows = bound_rows(job)
    bars = "".join(
        f'<span class="b{number % 6}" style="flex-grow:{row.value or 0:.4f}"></span>'
        for number, row in enumerate(rows)
    )
    words = "".join(
        f'<li><span class="swatch b{number % 6}"></span>{html.escape(row.label)}'
        f" <b>{html.escape(row.shown)}</b></li>"
        for number, row in enumerate(rows)
    )
    return (
        "<h3>Why nobody (more) was called, share of time</h3>"
        f'<div class="bar" aria-hidden="true">{bars}</div><ul class="words">{words}</ul>'
    )


def _days(job: JobFigures) -> str:
    if not job.days:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{day.day}</th><td>{day.attempts:,}</td><td>{day.live:,}</td>'
        f"<td>{day.abandoned:,}</td><td>{100 * day.abandonment:.2f} %</td><td>{percent(day.busy)}</td></tr>"
        for day in job.days
    )
    opened = " open" if 1 < len(job.days) <= 31 else ""  # noqa: PLR2004 - a month is looked at as a whole
    return (
        f'<details{opened}><summary>Day by day</summary><div class="scrolls" tabindex="0"><table>'
        '<thead><tr><th scope="col">day (UTC)</th><th scope="col">attempts</th><th scope="col">live</th>'
        '<th scope="col">abandoned</th><th scope="col">share</th><th scope="col">busy</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _pairs(pairs: list[Pair], names: tuple[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html.escape(each.label.strip())}</th><td>{html.escape(each.first)}</td>'
        f"<td>{html.escape(each.second)}</td><td><b>{html.escape(each.difference)}</b></td></tr>"
        for each in pairs
    )
    heads = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in (*names, "difference"))
    return (
        f'<div class="scrolls" tabindex="0"><table><thead><tr><th scope="col">figure</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
