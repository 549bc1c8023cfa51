"""The sharing of one pool: quotas for all tasks at once, in closed form, in whole numbers (licensing.md 4).

`recalculate`, the explanations, what-if and `outrider licences share` call it. Small pools take the plain
path here; large ones the same steps on columns (`share_columns`), which gives equal answers.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from outrider.licences.cover import cover
from outrider.licences.levels import limits_of, raise_in_policy, serve_in_order
from outrider.licences.model import (
    NESTED_KINDS,
    SHARING_GROUPS,
    Answer,
    LicenceKind,
    Policy,
    Problem,
    TaskShare,
)

if TYPE_CHECKING:
    from outrider.licences.table import TaskTable

SMALL = 300
"""Pools with fewer tasks are shared on plain lists: measured, that is faster there, and needs no numpy."""


def right_of(task: TaskShare) -> int:
    """Return the units a task may claim before all needs; an agent kind's is a right on demand (3)."""
    return min(task.minimum, task.need) if task.kind in NESTED_KINDS else task.minimum


def share(problem: Problem, table: "TaskTable | None" = None) -> Answer:
    """Share the pool of `problem` among its tasks by the rules of licensing.md 4.1 to 4.4.

    The tasks must be valid: ids distinct, kinds counted, 0 <= minimum <= maximum, priority 1 to 10, no
    number above LARGEST_COUNT. The order of the tasks does not matter. `table` is the columns of the tasks
    when the caller has them already; small pools do not need them.
    """
    if len(problem.tasks) < SMALL:
        return share_lists(problem)
    # numpy takes longer to import than a small pool takes to share
    from outrider.licences.share_columns import share_table  # noqa: PLC0415 - see the line above
    from outrider.licences.table import TaskTable as Table  # noqa: PLC0415 - see above

    return share_table(problem, Table.of(problem.tasks) if table is None else table)


def share_lists(problem: Problem) -> Answer:
    """Share as `share` does, on plain lists whatever the size (the small-pool path, and its test twin)."""
    quotas: dict[str, int] = {}
    waiting: list[str] = []
    for group in SHARING_GROUPS:
        members = [task for task in problem.tasks if task.kind in group]
        if not members:
            continue
        members.sort(key=lambda task: (-task.priority, task.started, task.id))
        cap = problem.agents if group is NESTED_KINDS else None
        limits = limits_of([problem.pool.get(kind, 0) for kind in group], cap)
        reached, refused = _share_group(members, group, limits, strict=problem.policy is Policy.STRICT)
        quotas.update(zip((task.id for task in members), reached, strict=True))
        waiting.extend(members[place].id for place in refused)
    units = dict.fromkeys((kind for group in SHARING_GROUPS for kind in group), 0)
    for task in problem.tasks:
        units[task.kind] += quotas[task.id]
    covered, free = cover(problem.pool, units)
    return Answer({task.id: quotas[task.id] for task in problem.tasks}, tuple(sorted(waiting)), covered, free)


def _share_group(
    members: Sequence[TaskShare], group: tuple[LicenceKind, ...], room: list[int], *, strict: bool
) -> tuple[list[int], list[int]]:
    """Share the limits `room` among `members` in 4.1 order; return quotas and the places that wait."""
    depths = [group.index(task.kind) for task in members]
    rights = [right_of(task) for task in members]
    old = [place for place, task in enumerate(members) if task.running]
    new = [place for place, task in enumerate(members) if not task.running]
    quotas = [0] * len(members)
    refused = []
    for place, given in zip(old, serve_in_order(old, rights, depths, room, whole=False), strict=True):
        quotas[place] = given
    for place, given in zip(new, serve_in_order(new, rights, depths, room, whole=True), strict=True):
        quotas[place] = given
        if given < rights[place]:
            refused.append(place)
    served = sorted(set(range(len(members))).difference(refused))
    low = [quotas[place] for place in served]
    tasks = [members[place] for place in served]
    priorities = [task.priority for task in tasks]
    bound = [depths[place] for place in served]
    for ceilings in (
        [min(task.need, task.maximum) for task in tasks],
        [min(task.held, task.maximum) for task in tasks],
    ):
        high = [max(base, top) for base, top in zip(low, ceilings, strict=True)]
        raise_in_policy(low, high, priorities, bound, room, strict=strict)
    for place, quota in zip(served, low, strict=True):
        quotas[place] = quota
    return quotas, refused
