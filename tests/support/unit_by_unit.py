"""The sharing and granting rules dealt one unit at a time, as licensing.md 4 words them: slow and plain.

The reference that the closed form is tested against. It shares no code with the product but the records.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction

from outrider.licences.model import (
    NESTED_KINDS,
    SHARING_GROUPS,
    Holding,
    LicenceKind,
    Policy,
    Problem,
    TaskShare,
)

Units = dict[str, int]


def share_unit_by_unit(problem: Problem) -> tuple[Units, tuple[str, ...]]:
    """Return quotas by id and the waiting ids, sorted."""
    quotas: Units = {task.id: 0 for task in problem.tasks}
    kinds = {task.id: task.kind for task in problem.tasks}

    def room() -> bool:
        return fits(problem, quotas, kinds)

    order = sorted(problem.tasks, key=importance)
    for task in order:
        if task.running:
            for _ in range(right(task)):
                give(task.id, 1, quotas, room)
    waiting = [
        task.id
        for task in order
        if not task.running and right(task) and not give(task.id, right(task), quotas, room)
    ]
    admitted = [task for task in order if task.id not in waiting]
    for top in (lambda task: min(task.need, task.maximum), lambda task: min(task.held, task.maximum)):
        deal(admitted, top, quotas, room, problem.policy)
    return quotas, tuple(sorted(waiting))


def deal(
    tasks: Sequence[TaskShare],
    top: Callable[[TaskShare], int],
    quotas: Units,
    room: Callable[[], bool],
    policy: Policy,
) -> None:
    """Deal units up to `top` of each task, each to the smallest key of 4.2, until none fits."""
    blocked: set[str] = set()
    while True:
        able = [task for task in tasks if task.id not in blocked and quotas[task.id] < top(task)]
        if not able:
            return
        best = min(
            able, key=lambda task: key(policy, quotas[task.id] + 1, task.priority, task.started, task.id)
        )
        if not give(best.id, 1, quotas, room):
            blocked.add(best.id)


def give(name: str, units: int, quotas: Units, room: Callable[[], bool]) -> bool:
    """Give `units` to `name` if they fit, all or nothing."""
    quotas[name] += units
    if room():
        return True
    quotas[name] -= units
    return False


def key(policy: Policy, unit: int, priority: int, started: float, name: str) -> tuple[object, ...]:
    """Return the key of a task's `unit`-th unit (4.2)."""
    if policy is Policy.STRICT:
        return (-priority, unit, started, name)
    return (Fraction(unit, priority), -priority, started, name)


def importance(task: TaskShare) -> tuple[int, float, str]:
    """Return the order of 4.1."""
    return (-task.priority, task.started, task.id)


def right(task: TaskShare) -> int:
    """Return the effective minimum (3)."""
    return min(task.minimum, task.need) if task.kind in NESTED_KINDS else task.minimum


def fits(problem: Problem, units: Units, kinds: dict[str, LicenceKind]) -> bool:
    """Say whether `units` keep every limit of the pool (4.4)."""
    of_kind = dict.fromkeys(LicenceKind, 0)
    for name, count in units.items():
        of_kind[kinds[name]] += count
    for group in SHARING_GROUPS:
        used = allowed = 0
        for kind in group:
            used += of_kind[kind]
            allowed += problem.pool.get(kind, 0)
            if used > allowed:
                return False
    seats = sum(of_kind[kind] for kind in NESTED_KINDS)
    return problem.agents is None or seats <= problem.agents


def settle_unit_by_unit(
    pool: dict[LicenceKind, int], holdings: Sequence[Holding], policy: Policy, agents: int | None = None
) -> Units:
    """Return the new grants (4.5), growing one unit at a time."""
    problem = Problem(pool=pool, tasks=(), policy=policy, agents=agents)
    kinds = {holding.id: holding.kind for holding in holdings}
    granted = {holding.id: min(holding.granted, holding.quota) for holding in holdings}
    quotas = {holding.id: holding.quota for holding in holdings}
    for group in SHARING_GROUPS:
        members = [holding for holding in holdings if holding.kind in group]
        charged = {holding.id: max(granted[holding.id], holding.in_use) for holding in members}
        if not fits(problem, charged, kinds):
            kept = {holding.id: granted[holding.id] for holding in members}
            granted.update({holding.id: min(kept[holding.id], holding.in_use) for holding in members})
            grow(problem, members, granted, kept)
        grow(problem, members, granted, quotas)
    return granted


def grow(problem: Problem, members: Sequence[Holding], granted: Units, tops: Units) -> None:
    """Let the grants of one group grow up to `tops`, in place: rights in 4.1 order, then by key."""
    for holding in sorted(members, key=lambda each: (-each.priority, each.started, each.id)):
        while may_grow(problem, members, granted, holding, min(holding.right, tops[holding.id])):
            granted[holding.id] += 1
    while ready := [each for each in members if may_grow(problem, members, granted, each, tops[each.id])]:
        best = min(
            ready,
            key=lambda each: key(problem.policy, granted[each.id] + 1, each.priority, each.started, each.id),
        )
        granted[best.id] += 1


def may_grow(
    problem: Problem, members: Sequence[Holding], granted: Units, holding: Holding, top: int
) -> bool:
    """Say whether the grant of `holding` may grow by one: a unit of its own use, or a free one."""
    wanted = granted[holding.id] + 1
    if wanted > top or wanted <= holding.in_use:
        return wanted <= top
    group = next(group for group in SHARING_GROUPS if holding.kind in group)
    of_kind = dict.fromkeys(LicenceKind, 0)
    for each in members:
        of_kind[each.kind] += max(wanted if each is holding else granted[each.id], each.in_use)
    # limits that the task is not inside may be overfull already
    for index in range(group.index(holding.kind), len(group)):
        inside = group[: index + 1]
        allowed = sum(problem.pool.get(kind, 0) for kind in inside)
        if group is NESTED_KINDS and problem.agents is not None:
            allowed = min(allowed, problem.agents)
        if sum(of_kind[kind] for kind in inside) > allowed:
            return False
    return True
