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
    waiting = []
    for task in order:
        if not task.running and right(task) and not give(task.id, right(task), quotas, room):
            waiting.append(task.id)
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
        best = min(able, key=lambda task: key(policy, quotas[task.id] + 1, task.priority, task.started, task.id))
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
    used = {holding.id: holding.in_use for holding in holdings}
    granted = {holding.id: min(holding.granted, holding.quota) for holding in holdings}
    order = sorted(holdings, key=lambda holding: (-holding.priority, holding.started, holding.id))

    def charged(grants: Units) -> Units:
        return {name: max(units, used[name]) for name, units in grants.items()}

    def grow(tops: Units) -> None:
        def able(holding: Holding, top: int) -> bool:
            if granted[holding.id] >= top:
                return False
            more = {**granted, holding.id: granted[holding.id] + 1}
            # a unit in use is charged already; any other must leave its own limits kept
            return more[holding.id] <= used[holding.id] or not breaks(charged(more), holding.kind)

        for holding in order:
            while able(holding, min(holding.right, tops[holding.id])):
                granted[holding.id] += 1
        while True:
            ready = [holding for holding in holdings if able(holding, tops[holding.id])]
            if not ready:
                return
            best = min(
                ready, key=lambda each: key(policy, granted[each.id] + 1, each.priority, each.started, each.id)
            )
            granted[best.id] += 1

    def breaks(units: Units, kind: LicenceKind) -> bool:
        """Say whether a unit of `kind` overfills a limit around it; other limits may be overfull already."""
        group = next(group for group in SHARING_GROUPS if kind in group)
        of_kind = dict.fromkeys(LicenceKind, 0)
        for name, count in units.items():
            of_kind[kinds[name]] += count
        for index in range(group.index(kind), len(group)):
            allowed = sum(pool.get(each, 0) for each in group[: index + 1])
            if group is NESTED_KINDS and agents is not None:
                allowed = min(allowed, agents)
            if sum(of_kind[each] for each in group[: index + 1]) > allowed:
                return True
        return False

    for group in SHARING_GROUPS:
        names = [holding.id for holding in holdings if holding.kind in group]
        inside = {name: count for name, count in charged(granted).items() if name in names}
        if not fits(problem, inside, kinds):
            kept = {name: granted[name] for name in names}
            granted.update({name: min(kept[name], used[name]) for name in names})
            grow({**granted, **kept})
    grow({holding.id: holding.quota for holding in holdings})
    return granted
