"""The sharing of one large pool on numpy columns: the same steps as `share`, a hundred times as fast.

Called by `share` for pools of many tasks, and by `recalculate` and benches with a table built before.
"""

import numpy as np

from outrider.licences.cover import cover
from outrider.licences.level_columns import Order, admit_in_order, raise_levels, serve_in_order
from outrider.licences.levels import limits_of
from outrider.licences.model import (
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    NESTED_KINDS,
    SHARING_GROUPS,
    Answer,
    LicenceKind,
    Policy,
    Problem,
)
from outrider.licences.table import KIND_CODES, Bools, Ints, TaskTable


def share_table(problem: Problem, table: TaskTable) -> Answer:
    """Share the pool of `problem`; `table` holds its tasks, row by row (licensing.md 4.1 to 4.4)."""
    quotas = np.zeros(len(table.ids), np.int64)
    waits = np.zeros(len(table.ids), np.bool_)
    order = Order(table.priority, table.age, table.ids)
    units: dict[LicenceKind, int] = {}
    for group in SHARING_GROUPS:
        depths = np.full(len(KIND_CODES), -1, np.int64)
        for depth, kind in enumerate(group):
            depths[KIND_CODES[kind]] = depth
        of_task = depths[table.kind]
        rows = np.flatnonzero(of_task >= 0)
        if not len(rows):
            continue
        cap = problem.agents if group is NESTED_KINDS else None
        room = limits_of([problem.pool.get(kind, 0) for kind in group], cap)
        depth_of = of_task[rows]
        reached, refused = _share_group(problem.policy, table, rows, depth_of, room, order)
        quotas[rows], waits[rows] = reached, refused
        for depth, kind in enumerate(group):
            units[kind] = int(reached[depth_of == depth].sum())
    covered, free = cover(problem.pool, units)
    waiting = sorted(table.ids[row] for row in np.flatnonzero(waits).tolist())
    return Answer(dict(zip(table.ids, quotas.tolist(), strict=True)), tuple(waiting), covered, free)


def _share_group(
    policy: Policy, table: TaskTable, rows: Ints, depths: Ints, room: list[int], order: Order
) -> tuple[Ints, Bools]:
    """Share the limits `room` among `rows`; return their quotas and which of them wait."""
    need, rights = table.need[rows], table.minimum[rows]
    if len(room) > 1:
        rights = np.minimum(rights, need)
    running = table.running[rows]
    quotas = np.zeros(len(rows), np.int64)
    for members, serve in (
        (np.flatnonzero(running), serve_in_order),
        (np.flatnonzero(~running), admit_in_order),
    ):
        if len(members):
            quotas[members] = serve(rows[members], rights[members], depths[members], room, order)
    refused = ~running & (quotas < rights)
    maximum = table.maximum[rows]
    for ceiling in (need, table.held[rows]):
        high = np.maximum(quotas, np.minimum(ceiling, maximum))
        high[refused] = 0
        quotas = raise_in_policy(quotas, high, table.priority[rows], depths, rows, room, order, policy)
    return quotas, refused


def raise_in_policy(
    low: Ints,
    high: Ints,
    priorities: Ints,
    depths: Ints,
    rows: Ints,
    room: list[int],
    order: Order,
    policy: Policy,
) -> Ints:
    """Return `low` raised towards `high` by the weighted key, or class by class when strict (4.2)."""
    if policy is Policy.WEIGHTED:
        return raise_levels(low, high, priorities, depths, rows, room, order)
    reached = low.copy()
    open_tasks = low < high
    for priority in range(HIGHEST_PRIORITY, LOWEST_PRIORITY - 1, -1):
        members = np.flatnonzero(open_tasks & (priorities == priority))
        if not len(members):
            continue
        ones = np.ones(len(members), np.int64)
        reached[members] = raise_levels(
            low[members], high[members], ones, depths[members], rows[members], room, order
        )
    return reached
