"""The sharing problem as linear programmes for HiGHS, the independent solver of tests and benches.

Three nested rows (licensing.md 4.4); columns are either single units with their place in the deal as weight
(`unit_model`: the whole problem, exactly) or the parts of tasks by stage (`stage_model`: class totals).
Newcomers that wait are left out: whole-or-nothing admission is not linear.
"""

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from outrider.licences.model import NESTED_KINDS, Answer, Policy, Problem
from outrider.licences.share import right_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STAGES = 3
"""Minimums, needs, held surplus."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The tasks that do not wait, as columns; `parts` are the most units of each stage, one row per stage."""

    ids: list[str]
    depth: Ints
    priority: Ints
    age: Ints
    running: Ints
    parts: Ints

    @classmethod
    def of(cls, problem: Problem, answer: Answer) -> "Admitted":
        """Read the columns; all tasks must be of agent kinds."""
        waiting = set(answer.waiting)
        tasks = [task for task in problem.tasks if task.id not in waiting]
        right = np.array([right_of(task) for task in tasks], np.int64)
        need = np.array([min(task.need, task.maximum) for task in tasks], np.int64)
        held = np.array([min(task.held, task.maximum) for task in tasks], np.int64)
        need = np.maximum(right, need)
        return cls(
            ids=[task.id for task in tasks],
            depth=np.array([NESTED_KINDS.index(task.kind) for task in tasks], np.int64),
            priority=np.array([task.priority for task in tasks], np.int64),
            age=np.array([task.started for task in tasks], np.int64),
            running=np.array([task.running for task in tasks], np.int64),
            parts=np.stack([right, need - right, np.maximum(need, held) - need]),
        )


def limits(problem: Problem) -> Floats:
    """Return the three nested limits."""
    sums = np.cumsum([problem.pool.get(kind, 0) for kind in NESTED_KINDS]).astype(np.float64)
    return sums if problem.agents is None else np.minimum(sums, problem.agents)


def model(upper: Ints, depth: Ints, rows: Floats, cost: Floats) -> highspy.Highs:
    """Return a quiet, single-threaded HiGHS holding: minimise cost x, 0 <= x <= upper, nested rows kept."""
    count = len(upper)
    solver = highspy.Highs()  # type: ignore[no-untyped-call] # the package is only half typed
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = count, len(rows)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(count), upper.astype(np.float64)
    lp.row_lower_, lp.row_upper_ = np.full(len(rows), -highspy.kHighsInf), rows
    entries = len(rows) - depth
    start = np.concatenate(([0], np.cumsum(entries)))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = start
    lp.a_matrix_.index_ = np.arange(start[-1]) - np.repeat(start[:-1], entries) + np.repeat(depth, entries)
    lp.a_matrix_.value_ = np.ones(int(start[-1]))
    solver.passModel(lp)
    return solver


def unit_model(problem: Problem, admitted: Admitted) -> tuple[highspy.Highs, Ints]:
    """Return the exact model, one column per unit, and the task of each column; earlier units weigh more."""
    tops = admitted.parts.sum(axis=0)
    own = np.repeat(np.arange(len(tops)), tops)
    unit = np.arange(len(own)) - np.repeat(np.cumsum(tops) - tops, tops) + 1
    right = admitted.parts[0][own]
    need = right + admitted.parts[1][own]
    newcomer = 1 - admitted.running[own]
    stage = np.where(unit <= right, newcomer, np.where(unit <= need, 2, 3))
    rank = -admitted.priority[own]
    dealt = stage >= 2
    names = np.argsort(np.argsort(admitted.ids))[own]
    if problem.policy is Policy.STRICT:
        keys = (names, admitted.age[own], np.where(dealt, unit, 0), rank, stage)
    else:
        keys = (names, admitted.age[own], rank, np.where(dealt, unit * 2520 // -rank, 0), stage)
    place = np.empty(len(own), np.float64)
    place[np.lexsort(keys)] = np.arange(len(own))
    return model(np.ones(len(own), np.int64), admitted.depth[own], limits(problem), place - len(own)), own


def solve_units(problem: Problem, admitted: Admitted) -> dict[str, float]:
    """Return the quotas of the admitted tasks that the exact model finds."""
    solver, own = unit_model(problem, admitted)
    solver.run()
    units = np.array(solver.getSolution().col_value)
    totals = np.bincount(own, weights=units, minlength=len(admitted.ids))
    return dict(zip(admitted.ids, totals.tolist(), strict=True))


def stage_model(problem: Problem, admitted: Admitted) -> highspy.Highs:
    """Return the model whose columns are the parts of tasks, stage after stage, without a goal yet."""
    count = len(admitted.ids)
    depth = np.tile(admitted.depth, STAGES)
    return model(admitted.parts.reshape(-1), depth, limits(problem), np.zeros(STAGES * count))


def solve_stages(solver: highspy.Highs, admitted: Admitted, *, by_priority: bool) -> list[int]:
    """Maximise each class in turn and fix it; return the class totals.

    Classes are the stages, inside each the priorities from 10 to 1 when `by_priority` (the strict policy).
    """
    count = len(admitted.ids)
    totals: list[int] = []
    everyone = np.arange(count)
    for stage in range(STAGES):
        classes = [np.flatnonzero(admitted.priority == priority) for priority in range(10, 0, -1)]
        for members in classes if by_priority else [everyone]:
            columns = (members + stage * count).astype(np.int32)
            solver.changeColsCost(len(columns), columns, -np.ones(len(columns)))
            solver.run()
            totals.append(round(-solver.getInfo().objective_function_value))
            solver.changeColsCost(len(columns), columns, np.zeros(len(columns)))
            solver.addRow(totals[-1], highspy.kHighsInf, len(columns), columns, np.ones(len(columns)))
    return totals


def class_totals(answer: Answer, admitted: Admitted, *, by_priority: bool) -> list[int]:
    """Return the totals of the same classes in `answer`."""
    rest = np.array([answer.quotas[name] for name in admitted.ids], np.int64)
    totals: list[int] = []
    for stage in range(STAGES):
        given = np.minimum(rest, admitted.parts[stage])
        rest = rest - given
        if by_priority:
            totals.extend(int(given[admitted.priority == priority].sum()) for priority in range(10, 0, -1))
        else:
            totals.append(int(given.sum()))
    return totals
