"""What must hold of every recalculation in a fault simulation (licensing.md 2: 3, 5, 6 and 7).

`faults` lets the memory database tell `check_recalculation` of each.
"""

import random
from dataclasses import replace

from outrider.licences.model import NESTED_KINDS, SHARING_GROUPS, LicenceKind, Problem, TaskShare
from outrider.licences.recalculate import Recalculated
from outrider.licences.share import right_of, share
from outrider.simulate.audit import fail


def check_recalculation(done: Recalculated, drawn: random.Random) -> None:
    """Check minimums, work conservation, purity, stability and monotony of one recalculation."""
    problem, quotas = done.problem, done.answer.quotas
    _check_minimums(problem, done)
    _check_conservation(problem, done)
    shuffled = list(problem.tasks)
    drawn.shuffle(shuffled)
    if share(replace(problem, tasks=tuple(shuffled))).quotas != quotas:
        fail("the order of the tasks changes their quotas")
    again = tuple(
        replace(task, held=quotas[task.id], running=task.running or task.id not in done.answer.waiting)
        for task in problem.tasks
    )
    repeated = share(replace(problem, tasks=again))
    if repeated.quotas != quotas or repeated.waiting != done.answer.waiting:
        fail(f"recalculating a result changes {dict(quotas)} to {dict(repeated.quotas)}")
    _check_one_more(problem, done, drawn)


def _check_minimums(problem: Problem, done: Recalculated) -> None:
    """Check that running tasks keep their minimums when all of these fit into the pool."""
    for group in SHARING_GROUPS:
        running = [task for task in problem.tasks if task.kind in group and task.running]
        if not _fit(problem, group, running):
            continue
        for task in running:
            if done.answer.quotas[task.id] < min(right_of(task), task.maximum):
                fail(f"task {task.id} lost its minimum of {task.minimum} though it fits")


def _fit(problem: Problem, group: tuple[LicenceKind, ...], running: list[TaskShare]) -> bool:
    cap = problem.agents if group is NESTED_KINDS else None
    total = sum(right_of(task) for task in running)
    if cap is not None and total > cap:
        return False
    for depth in range(len(group)):
        size = sum(problem.pool.get(kind, 0) for kind in group[: depth + 1])
        if sum(right_of(task) for task in running if task.kind in group[: depth + 1]) > size:
            return False
    return True


def _check_conservation(problem: Problem, done: Recalculated) -> None:
    """Check that no port stays free while an admitted task needs it."""
    ports = [task for task in problem.tasks if task.kind is LicenceKind.OUTBOUND_PORTS]
    free = problem.pool.get(LicenceKind.OUTBOUND_PORTS, 0) - sum(
        done.answer.quotas[task.id] for task in ports
    )
    for task in ports:
        wants = min(task.need, task.maximum)
        if free > 0 and task.id not in done.answer.waiting and done.answer.quotas[task.id] < wants:
            fail(f"{free} ports are free, and task {task.id} needs {wants}")


def _check_one_more(problem: Problem, done: Recalculated, drawn: random.Random) -> None:
    """Check that one more licence (and agent) lowers nobody's quota while the same tasks are admitted."""
    kind = drawn.choice((LicenceKind.OUTBOUND_PORTS, *NESTED_KINDS))
    pool = {**problem.pool, kind: problem.pool.get(kind, 0) + 1}
    agents = None if problem.agents is None else problem.agents + 1
    more = share(replace(problem, pool=pool, agents=agents))
    if more.waiting != done.answer.waiting:
        return
    for task_id, quota in done.answer.quotas.items():
        if more.quotas[task_id] < quota:
            fail(f"one more {kind} lowers task {task_id} from {quota} to {more.quotas[task_id]}")
