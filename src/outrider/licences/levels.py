"""Raising tasks to a common level under nested limits, in closed form, on plain lists (small pools).

`share` and `settle` call it; `level_columns` does the same on numpy arrays for large pools. Every task is
named by its place in the order of licensing.md 4.1, so that a smaller place wins every tie.

A group has one or three nested limits. `depth` of a task is the index of the narrowest limit that binds it
(predictive 0, preview 1, manual 2): a unit of depth d uses `room[d]`, `room[d + 1]` and so on.
"""

from bisect import bisect_right
from collections.abc import Sequence

COMMON = 2520
"""lcm(1..10): k * COMMON // priority is exact, so keys k / priority compare as whole numbers."""


def limits_of(counts: Sequence[int], cap: int | None) -> list[int]:
    """Return the nested limits: sums of `counts` from the dearest kind on, none above `cap` (4.4)."""
    limits: list[int] = []
    total = 0
    for count in counts:
        total += count
        limits.append(total if cap is None else min(total, cap))
    return limits


def use(room: list[int], depth: int, units: int) -> None:
    """Take `units` of a task of `depth` out of `room`, in place."""
    for limit in range(depth, len(room)):
        room[limit] -= units


def first_open(room: Sequence[int]) -> int:
    """Return the smallest depth at which a unit still fits."""
    for limit in range(len(room) - 1, -1, -1):
        if room[limit] <= 0:
            return limit + 1
    return 0


def overdrawn(units: Sequence[int], depths: Sequence[int], room: Sequence[int]) -> bool:
    """Say whether `units` (aligned to `depths`) together pass any of the limits `room`."""
    sums = [0] * len(room)
    for depth, count in zip(depths, units, strict=True):
        use(sums, depth, -count)
    return any(total > free for total, free in zip(sums, room, strict=True))


def serve_in_order(
    places: Sequence[int], wanted: Sequence[int], depths: Sequence[int], room: list[int], *, whole: bool
) -> list[int]:
    """Serve one task after another up to `wanted`; return the units given, by position in `places`.

    With `whole` a task gets all it wants or nothing (newcomers), without it what is left (4.1). `room` is
    reduced in place; a limit that is overdrawn gives nothing.
    """
    given = []
    for place in places:
        depth, want = depths[place], wanted[place]
        fits = max(0, min(room[depth:]))
        units = (want if want <= fits else 0) if whole else min(want, fits)
        if units:
            use(room, depth, units)
        given.append(units)
    return given


def raise_levels(
    low: list[int], high: Sequence[int], weights: Sequence[int], depths: Sequence[int], room: list[int]
) -> None:
    """Raise `low` towards `high` in the key order k / weight, ties to the earlier place, while units fit.

    Closed form: the highest level at which all fit is found by bisection, then the units of the next level
    are dealt in order of place; a limit that is full freezes the tasks inside it, so there are at most as
    many rounds as limits. `low` and `room` are changed in place (licensing.md 4.2 and 4.4).
    """
    open_from = first_open(room)
    active = [i for i in range(len(low)) if low[i] < high[i] and depths[i] >= open_from]
    while active:
        if _all_fit(active, low, high, depths, room):
            for i in active:
                use(room, depths[i], high[i] - low[i])
                low[i] = high[i]
            return
        level = _common_level(active, low, high, weights, depths, room)
        for i in active:
            reached = min(high[i], level * weights[i] // COMMON)
            if reached > low[i]:
                use(room, depths[i], reached - low[i])
                low[i] = reached
        open_from = first_open(room)
        for i in active:
            if (
                depths[i] >= open_from
                and low[i] < high[i]
                and (low[i] + 1) * COMMON == (level + 1) * weights[i]
            ):
                low[i] += 1
                use(room, depths[i], 1)
                open_from = first_open(room)
        active = [i for i in active if low[i] < high[i] and depths[i] >= open_from]


def raise_in_policy(
    low: list[int],
    high: Sequence[int],
    priorities: Sequence[int],
    depths: Sequence[int],
    room: list[int],
    *,
    strict: bool,
) -> None:
    """Raise `low` towards `high` by the weighted key, or class by class when `strict` (4.2), in place."""
    if not strict:
        raise_levels(low, high, priorities, depths, room)
        return
    for priority in sorted(set(priorities), reverse=True):
        members = [i for i, own in enumerate(priorities) if own == priority]
        part = [low[i] for i in members]
        raise_levels(part, [high[i] for i in members], [1] * len(members), [depths[i] for i in members], room)
        for i, reached in zip(members, part, strict=True):
            low[i] = reached


def _all_fit(
    active: Sequence[int], low: Sequence[int], high: Sequence[int], depths: Sequence[int], room: Sequence[int]
) -> bool:
    """Say whether every active task can be raised to its `high` at once."""
    wanted = [0] * len(room)
    for i in active:
        wanted[depths[i]] += high[i] - low[i]
    total = 0
    for limit, free in enumerate(room):
        total += wanted[limit]
        if total > max(free, 0):
            return False
    return True


def _common_level(
    active: Sequence[int],
    low: Sequence[int],
    high: Sequence[int],
    weights: Sequence[int],
    depths: Sequence[int],
    room: Sequence[int],
) -> int:
    """Return the highest scaled level to which all active tasks can be raised inside every limit."""
    ceiling = max(-(-high[i] * COMMON // weights[i]) for i in active) + 1
    for limit, free in enumerate(room):
        inside = [
            (
                low[i] * COMMON // weights[i],
                -(-high[i] * COMMON // weights[i]),
                low[i],
                high[i] - low[i],
                weights[i],
            )
            for i in active
            if depths[i] <= limit
        ]

        def units(level: int, inside: list[tuple[int, int, int, int, int]] = inside) -> int:
            return sum(
                [
                    span if level >= full else level * weight // COMMON - base
                    for begin, full, base, span, weight in inside
                    if level > begin
                ]
            )

        if inside and units(ceiling - 1) > free:
            ceiling = bisect_right(range(ceiling), free, key=units)
    return ceiling - 1
