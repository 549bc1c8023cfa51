"""The chance that one more live answer finds no agent, and how many lines keep it small enough. Pure.

With A live answers still to come from the lines in the air, R releases until then, and S agents free and not
spoken for, one more live answer finds no agent when A - R >= S. Small floors are counted exactly (sums of
independent yes-or-noes), large ones by the normal law.
"""

import math
from collections.abc import Sequence

EXACT_UP_TO = 36
"""Lines and busy agents together, up to which the exact distribution is worked out."""
MOST_LINES = 400
_ROOT_HALF = math.sqrt(0.5)


def lines_within(
    spare: int,
    answering: Sequence[tuple[float, int]],
    releasing: Sequence[tuple[float, int]],
    share: float,
    share_deviation: float,
    allowed: float,
) -> tuple[int, float]:
    """Return how many lines more keep the risk within `allowed`, and the risk of the line after them.

    `spare` are agents free less calls waiting; `answering` and `releasing` are (chance, how many lines or
    agents have it); `share` and its deviation are those of a new line's being answered.
    """
    things = sum(count for _, count in answering) + sum(count for _, count in releasing)
    if things <= EXACT_UP_TO:
        return _exactly(spare, answering, releasing, share, allowed)
    return _normally(spare, answering, releasing, share, share_deviation, allowed)


def _exactly(
    spare: int,
    answering: Sequence[tuple[float, int]],
    releasing: Sequence[tuple[float, int]],
    share: float,
    allowed: float,
) -> tuple[int, float]:
    """Work with the distribution of A + (busy agents not released) >= S + busy agents."""
    busy = sum(count for _, count in releasing)
    chances = [1.0]
    for chance, count in answering:
        for _ in range(count):
            chances = _one_more(chances, chance)
    for chance, count in releasing:
        for _ in range(count):
            chances = _one_more(chances, 1.0 - chance)
    needed = spare + busy
    lines = 0
    risk = _at_least(chances, needed)
    while risk <= allowed and lines < MOST_LINES:
        lines += 1
        chances = _one_more(chances, share)
        risk = _at_least(chances, needed)
    return lines, risk


def _one_more(chances: list[float], chance: float) -> list[float]:
    """Return the distribution of a count with one more thing that happens with this chance."""
    rest = 1.0 - chance
    before = 0.0
    found = []
    for each in chances:
        found.append(each * rest + before * chance)
        before = each
    found.append(before * chance)
    return found


def _at_least(chances: Sequence[float], needed: int) -> float:
    if needed <= 0:
        return 1.0
    return math.fsum(chances[needed:])


def _normally(
    spare: int,
    answering: Sequence[tuple[float, int]],
    releasing: Sequence[tuple[float, int]],
    share: float,
    share_deviation: float,
    allowed: float,
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
    lines = 0
    while True:
        doubt = share_deviation * (lines_in_air + lines)
        spread = math.sqrt(variance + per_line * lines + doubt * doubt) or 1e-9
        risk = 0.5 * math.erfc((spare - 0.5 - mean - share * lines) / spread * _ROOT_HALF)
        if risk > allowed or lines >= MOST_LINES:
            return lines, risk
        lines += 1
