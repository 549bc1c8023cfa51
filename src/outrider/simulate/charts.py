"""Line charts as SVG, drawn here so that a report is one file that needs nothing. Pure.

`report_page` puts them in. Lines differ in colour and in dashes, so that nobody needs to tell colours apart.
"""

import html
import math
from collections.abc import Mapping

from outrider.simulate.result import Series

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 26
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 4")
COLOURS = 6
TICKS = 4
DAY, HOUR, MINUTE = 86_400.0, 3_600.0, 60.0
MOST_HOURS = 48.0


def line_chart(title: str, unit: str, series: Series, limit: float | None = None) -> str:
    """Return a figure: the chart with a legend. `limit` is drawn as a line across."""
    lines = {name: values for name, values in series.values.items() if len(values) == len(series.at)}
    if not series.at or not lines:
        return ""
    top = _nice(max([*(max(values) for values in lines.values()), limit or 0.0, 1e-9]))
    end = series.at[-1]
    said = html.escape(_said(title, unit, lines))
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">']
    parts += _grid(top, end, unit)
    if limit is not None:
        y = _y(limit, top)
        parts.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
    for number, values in enumerate(lines.values()):
        points = " ".join(
            f"{_x(at, end):.1f},{_y(value, top):.1f}" for at, value in zip(series.at, values, strict=True)
        )
        parts.append(
            f'<polyline class="l{number % COLOURS}" stroke-dasharray="{DASHES[number % len(DASHES)]}"'
            f' points="{points}"/>'
        )
    parts.append("</svg>")
    caption = f"<figcaption><b>{html.escape(title)}</b>{_legend(lines, limit, unit)}</figcaption>"
    return f'<figure class="chart">{caption}{"".join(parts)}</figure>'


def _legend(lines: Mapping[str, tuple[float, ...]], limit: float | None, unit: str) -> str:
    items = [
        f'<span class="key"><svg viewBox="0 0 26 8" aria-hidden="true"><line class="l{number % COLOURS}"'
        f' stroke-dasharray="{DASHES[number % len(DASHES)]}" x1="1" x2="25" y1="4" y2="4"/></svg>'
        f"{html.escape(name)}</span>"
        for number, name in enumerate(lines)
    ]
    if limit is not None:
        items.append(
            '<span class="key"><svg viewBox="0 0 26 8" aria-hidden="true"><line class="limit" x1="1" x2="25"'
            f' y1="4" y2="4"/></svg>limit, {limit:g}{unit}</span>'
        )
    return "".join(items)


def _grid(top: float, end: float, unit: str) -> list[str]:
    parts = []
    for tick in range(TICKS + 1):
        value = top * tick / TICKS
        y = _y(value, top)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}{unit}</text>')
    size, name = _time_unit(end)
    step = max(1, math.ceil(end / size / 8))
    for number in range(0, int(end / size) + 1, step):
        x = _x(number * size, end)
        anchor = "start" if number == 0 else "end" if x > WIDTH - RIGHT - 20 else "middle"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{number} {name}</text>')
    return parts


def _time_unit(end: float) -> tuple[float, str]:
    if end > MOST_HOURS * HOUR:
        return DAY, "d"
    return (HOUR, "h") if end > 2 * HOUR else (MINUTE, "min")


def _nice(value: float) -> float:
    """Return the next round number."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 2.5, 4, 5, 8, 10) if step * power >= value * 0.999)


def _x(at: float, end: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / end


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(value, top) / top


def _said(title: str, unit: str, lines: Mapping[str, tuple[float, ...]]) -> str:
    """Return what the chart shows, for those who cannot see it."""
    ends = "; ".join(
        f"{name}: from {min(values):.1f}{unit} to {max(values):.1f}{unit}, in the end {values[-1]:.1f}{unit}"
        for name, values in lines.items()
    )
    return f"{title}. {ends}"
