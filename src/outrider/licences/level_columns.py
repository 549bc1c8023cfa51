"""Raising tasks to a common level under nested limits, in closed form, on numpy columns (large pools).

The twin of `levels`, called by `share_columns` and `settle_columns`; tests hold the two equal. Nothing here
is sorted by id unless a tie that decides something needs it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outrider.licences import levels as plain
from outrider.licences.levels import COMMON, first_open, use
from outrider.licences.table import Ints


@dataclass(frozen=True, slots=True)
class Order:
    """The order of licensing.md 4.1 over rows: high priority first, then age, then id."""

    priority: Ints
    age: Ints
    ids: Sequence[str]

    def coarse(self, rows: Ints) -> Ints:
        """Sort `rows` by priority and age only; rows equal in both stay in any order."""
        return rows[np.lexsort((self.age[rows], -self.priority[rows]))]

    def settle_run(self, rows: Ints, place: int) -> None:
        """Sort by id, in place, the run of `rows` around `place` whose priority and age are equal."""
        equal = (self.age[rows] == self.age[rows[place]]) & (
            self.priority[rows] == self.priority[rows[place]]
        )
        run = np.flatnonzero(equal)
        if len(run) > 1:
            first, last = int(run[0]), int(run[-1]) + 1
            rows[first:last] = sorted(rows[first:last].tolist(), key=self.ids.__getitem__)

    def full(self, rows: Ints) -> Ints:
        """Return `rows` in the complete order, ids included."""
        if len(set(self.age[rows].tolist())) < len(rows):
            rows = np.array(sorted(rows.tolist(), key=self.ids.__getitem__), np.int64)
        return self.coarse(rows)


def inside_sums(amounts: Ints, depths: Ints, limits: int) -> list[int]:
    """Return for each nested limit the sum of `amounts` of the tasks inside it."""
    if limits == 1:
        return [int(amounts.sum())]
    return [int(amounts[depths <= limit].sum()) for limit in range(limits)]


def fits(wanted: Sequence[int], room: Sequence[int]) -> bool:
    """Say whether the nested sums `wanted` fit `room`; nothing wanted fits even an overdrawn limit."""
    return all(want <= max(free, 0) for want, free in zip(wanted, room, strict=True))


def serve_in_order(rows: Ints, wanted: Ints, depths: Ints, room: list[int], order: Order) -> Ints:
    """Return the units given to each of `rows`, served up to `wanted` in 4.1 order, the last one partly.

    One pass per limit that fills up: everybody before the first that does not fit is served, it gets what
    is left, and the tasks inside the full limit are out. Only the equals around that place are sorted by id.
    All columns are aligned to `rows`; `room` is reduced in place.
    """
    if _take_all(wanted, depths, room):
        return wanted.copy()
    place = np.empty(len(order.ids), np.int64)
    place[rows] = np.arange(len(rows))
    given = np.zeros(len(rows), np.int64)
    queue = order.coarse(rows)
    while True:
        queue = queue[depths[place[queue]] >= first_open(room)]
        cut = _first_refused(wanted[place[queue]], depths[place[queue]], room)
        if cut < len(queue):
            order.settle_run(queue, cut)
            cut = _first_refused(wanted[place[queue]], depths[place[queue]], room)
        before = place[queue[:cut]]
        given[before] = wanted[before]
        for limit, units in enumerate(inside_sums(wanted[before], depths[before], len(room))):
            room[limit] -= units
        if cut == len(queue):
            return given
        last = int(place[queue[cut]])
        given[last] = min(room[int(depths[last]) :])
        use(room, int(depths[last]), int(given[last]))
        queue = queue[cut + 1 :]


def admit_in_order(rows: Ints, wanted: Ints, depths: Ints, room: list[int], order: Order) -> Ints:
    """Return the units given to each of `rows` in 4.1 order: all that it wants, or none (4.1, newcomers)."""
    if _take_all(wanted, depths, room):
        return wanted.copy()
    place = np.empty(len(order.ids), np.int64)
    place[rows] = np.arange(len(rows))
    places = place[order.full(rows)].tolist()
    given = np.zeros(len(rows), np.int64)
    given[places] = plain.serve_in_order(places, wanted.tolist(), depths.tolist(), room, whole=True)
    return given


def _take_all(wanted: Ints, depths: Ints, room: list[int]) -> bool:
    """Take all of `wanted` out of `room` if it fits, and say so."""
    sums = inside_sums(wanted, depths, len(room))
    if not fits(sums, room):
        return False
    for limit, units in enumerate(sums):
        room[limit] -= units
    return True


def _first_refused(wanted: Ints, depths: Ints, room: Sequence[int]) -> int:
    """Return how many tasks of a queue can have all they want before the first that cannot."""
    cut = len(wanted)
    for limit, free in enumerate(room):
        sums = np.cumsum(np.where(depths <= limit, wanted, 0))
        cut = min(cut, int(np.searchsorted(sums, max(free, 0), side="right")))
    return cut


def raise_levels(
    low: Ints, high: Ints, weights: Ints, depths: Ints, rows: Ints, room: list[int], order: Order
) -> Ints:
    """Return `low` raised towards `high` in key order k / weight while units fit; `room` is reduced in place.

    All columns are aligned; `rows` names the tasks in `order` for ties (licensing.md 4.2 and 4.4).
    """
    reached = low.copy()
    active = np.flatnonzero(low < high)
    while True:
        open_from = first_open(room)
        active = active[(reached[active] < high[active]) & (depths[active] >= open_from)]
        if not len(active):
            return reached
        base, top, depth = reached[active], high[active], depths[active]
        if _take_all(top - base, depth, room):
            reached[active] = top
            return reached
        weight = weights[active]
        level = _common_level(base, top, weight, depth, room)
        now = np.clip(level * weight // COMMON, base, top)
        for limit, units in enumerate(inside_sums(now - base, depth, len(room))):
            room[limit] -= units
        tied = np.flatnonzero((now < top) & ((now + 1) * COMMON == (level + 1) * weight))
        ones = np.ones(len(tied), np.int64)
        now[tied] += serve_in_order(rows[active[tied]], ones, depth[tied], room, order)
        reached[active] = now


def _common_level(base: Ints, top: Ints, weight: Ints, depth: Ints, room: Sequence[int]) -> int:
    """Return the highest scaled level to which all tasks can be raised inside every limit."""
    ceiling = int((-(-top * COMMON // weight)).max()) + 1
    for limit, free in enumerate(room):
        inside = depth <= limit
        lows, tops, scale = base[inside], top[inside], weight[inside]
        start = int(lows.sum())

        def units(
            level: int, lows: Ints = lows, tops: Ints = tops, scale: Ints = scale, start: int = start
        ) -> int:
            reached = level * scale
            reached //= COMMON
            np.minimum(reached, tops, out=reached)
            np.maximum(reached, lows, out=reached)
            return int(reached.sum()) - start

        if len(lows) and units(ceiling - 1) > free:
            ceiling = bisect_right(range(ceiling), free, key=units)
    return ceiling - 1
