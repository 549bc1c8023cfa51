"""The chance that one more live answer finds no agent, and how many lines keep it small enough. Pure.

With A live answers still to come from the lines in the air, R releases until then, and S agents free and not
spoken for, one more live answer finds no agent when A - R >= S. Small floors are counted exactly (sums of
independent yes-or-noes), large ones by the normal law.
"""

import math
from collections.abc import Sequence

EXACT_UP_TO, EXACT_SPARE = 36, 12
"""Lines and busy agents together, and agents to spare, up to which the exact distribution is worked out."""
MOST_LINES, MOST_EXACT_LINES = 4_000, 250
_ROOT_HALF = math.sqrt(0.5)

Chances = Sequence[tuple[float, int]]
"""Pairs: a chance, and how many lines or agents have it."""


def lines_within(
    spare: int, answering: Chances, releasing: Chances, share: float, share_deviation: float, allowed: float
) -> tuple[int, float]:
    """Return how many lines more keep the risk within `allowed`, and the risk of the line after them.

    `spare` are agents free less calls waiting; `answering` are the lines in the air, `releasing` the busy
    agents; `share` and its deviation are those of a new line's being answered.
    """
    things = sum(count for _, count in answering) + sum(count for _, count in releasing)
    if things > EXACT_UP_TO:
        return _normally(spare, answering, releasing, share, share_deviation, allowed)
    exact = _exactly(min(spare, EXACT_SPARE), answering, releasing, share, allowed)
    if spare <= EXACT_SPARE:
        return exact
    # The larger of both, so that one agent more never means fewer lines.
    return max(exact, _normally(spare, answering, releasing, share, share_deviation, allowed))


def abandoned_share(attempts: int, free: int, share: float) -> float:
    """Return the share of live answers that find no agent: `attempts` lines, `free` agents, no releases."""
    chances = [1.0]
    for _ in range(attempts):
        chances = _one_more(chances, share, attempts)
    mean = attempts * share
    return math.fsum((live - free) * chances[live] for live in range(free + 1, attempts + 1)) / mean


def _exactly(
    spare: int, answering: Chances, releasing: Chances, share: float, allowed: float
) -> tuple[int, float]:
    """Work with the distribution of A + (busy agents not released) >= S + busy agents."""
    needed = spare + sum(count for _, count in releasing)
    if needed <= 0:
        return 0, 1.0
    chances = [1.0]
    for chance, count in answering:
        for _ in range(count):
            chances = _one_more(chances, chance, needed - 1)
    for chance, count in releasing:
        for _ in range(count):
            chances = _one_more(chances, 1.0 - chance, needed - 1)
    lines = 0
    risk = 1.0 - math.fsum(chances) if len(chances) == needed else 0.0
    while risk <= allowed and lines < MOST_EXACT_LINES:
        lines += 1
        chances = _one_more(chances, share, needed - 1)
        risk = 1.0 - math.fsum(chances) if len(chances) == needed else 0.0
    return lines, max(0.0, risk)


def _one_more(chances: list[float], chance: float, most: int) -> list[float]:
    """Return the distribution of a count, up to `most`, with one more thing that happens with this chance."""
    rest = 1.0 - chance
    found = [
        each * rest + before * chance for each, before in zip(chances, [0.0, *chances[:-1]], strict=True)
    ]
    if len(chances) <= most:
        found.append(chances[-1] * chance)
    return found


def _normally(
    spare: int, answering: Chances, releasing: Chances, share: float, share_deviation: float, allowed: float
) -> tuple[int, float]:
    mean = variance = lines_in_air = 0.0
    for chance, count in answering:
        mean += chance * count
        variance += chance * (1.0 - chance) * count
        lines_in_air += count
    for chance, count in releasing:
        mean -= chance * count
        variance += chance * (1.0 - chance) * count
    per_line = share * (1.0 - share)

    def risk(lines: int) -> float:
        doubt = share_deviation * (lines_in_air + lines)
        spread = math.sqrt(variance + per_line * lines + doubt * doubt) or 1e-9
        return 0.5 * math.erfc((spare - 0.5 - mean - share * lines) / spread * _ROOT_HALF)

    # The risk grows with the lines: a bisection finds the first that is too much.
    low, high = 0, 1
    while high < MOST_LINES and risk(high) <= allowed:
        low, high = high, min(MOST_LINES, 2 * high)
    if low == 0 and risk(0) > allowed:
        return 0, risk(0)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if risk(middle) <= allowed else (low, middle)
    return high, risk(high)
