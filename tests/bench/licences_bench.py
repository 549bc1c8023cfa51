"""How fast licences are shared, beside HiGHS on the same pools in the same run (`make bench`).

`figures` returns names, measured values and targets as text; every measured answer is certified.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial

from outrider.licences.certify import certify
from outrider.licences.model import Answer, Policy, Problem
from outrider.licences.share import share
from outrider.licences.table import TaskTable
from support.highs_models import Admitted, class_totals, solve_stages, solve_units, stage_model
from support.sharing import large_problem

ROUNDS = 9
"""Repetitions behind every median."""

Figure = tuple[str, str, str]


def share_and_certify(problem: Problem) -> Answer:
    """Do what a recalculation does: columns once, share, certify."""
    table = TaskTable.of(problem.tasks)
    answer = share(problem, table)
    violations = certify(problem, answer, table)
    if violations:
        raise AssertionError("; ".join(violations))
    return answer


def milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median time of `work` in ms; the first run warms up and does not count."""
    work()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


def sharing_figures() -> list[Figure]:
    """Measure share and certify together, from dataclasses to a certified answer, on one core."""
    targets = {100: 2, 10_000: 20, 100_000: 200}
    found = []
    for size, target in targets.items():
        for policy in Policy:
            problem = large_problem(size, policy=policy)
            taken = milliseconds(partial(share_and_certify, problem))
            found.append((f"share + certify, {size:,} tasks, {policy}", f"{taken:.2f} ms", f"<= {target} ms"))
    alike = large_problem(10_000, alike=True, load=0.03)
    taken = milliseconds(partial(share_and_certify, alike))
    found.append(("share + certify, 10,000 equal tasks, minimums cut", f"{taken:.2f} ms", "<= 20 ms"))
    return found


def highs_figures() -> list[Figure]:
    """Measure HiGHS on the same pools: its solving time only, its model is built before.

    At 10,000 tasks its fastest formulation found: each class maximised in turn with warm starts, which gives
    class totals but no shares inside a class. At 500 tasks the exact model, one column per unit.
    """
    found = []
    problem = large_problem(10_000, policy=Policy.STRICT)
    answer = share_and_certify(problem)
    admitted = Admitted.of(problem, answer)
    solvers = [stage_model(problem, admitted) for _ in range(2)]
    times = []
    for solver in solvers:
        begin = time.perf_counter()
        totals = solve_stages(solver, admitted, by_priority=True)
        times.append((time.perf_counter() - begin) * 1000)
        if totals != class_totals(answer, admitted, by_priority=True):
            raise AssertionError("HiGHS finds other class totals")
    own, theirs = milliseconds(partial(share_and_certify, problem)), min(times)
    found.append(("HiGHS, class totals of 10,000 tasks, strict", f"{theirs:.0f} ms", "equal totals"))
    found.append(("share + certify against HiGHS, 10,000 tasks", f"{theirs / own:.0f} x", ">= 100 x"))
    problem = large_problem(500)
    answer = share_and_certify(problem)
    admitted = Admitted.of(problem, answer)
    begin = time.perf_counter()
    quotas = solve_units(problem, admitted)
    theirs = (time.perf_counter() - begin) * 1000
    if any(abs(units - answer.quotas[name]) > 0.5 for name, units in quotas.items()):
        raise AssertionError("HiGHS finds other quotas")
    own = milliseconds(partial(share_and_certify, problem))
    found.append(("HiGHS, every quota of 500 tasks, weighted", f"{theirs:.0f} ms", "equal quotas"))
    found.append(("share + certify against HiGHS, 500 tasks", f"{theirs / own:.0f} x", ">= 100 x"))
    return found


def figures() -> list[Figure]:
    """Return (name, value, target) of everything measured here; about 15 seconds."""
    return [*sharing_figures(), *highs_figures()]
