"""Sharing against HiGHS: the same quotas from the exact model, the same class totals from the fast one."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings

from outrider.licences.model import NESTED_KINDS, Policy, Problem
from outrider.licences.share import share
from support.highs_models import Admitted, class_totals, solve_stages, solve_units, stage_model
from support.sharing import large_problem, problems


def agents_only(problem: Problem) -> Problem:
    """Return the part of `problem` that concerns agent kinds."""
    return replace(problem, tasks=tuple(task for task in problem.tasks if task.kind in NESTED_KINDS))


@given(problem=problems(most=8))
@settings(max_examples=80, deadline=None)
def test_every_quota_equals_the_exact_model(problem: Problem) -> None:
    seats = agents_only(problem)
    answer = share(seats)
    admitted = Admitted.of(seats, answer)
    assume(int(admitted.parts.sum()) > 0)
    quotas = solve_units(seats, admitted)
    assert {name: round(units, 6) for name, units in quotas.items()} == {
        name: answer.quotas[name] for name in admitted.ids
    }


@pytest.mark.parametrize("policy", list(Policy))
def test_class_totals_of_a_large_pool_are_equal(policy: Policy) -> None:
    problem = large_problem(1500, seed=3, policy=policy)
    answer = share(problem)
    admitted = Admitted.of(problem, answer)
    by_priority = policy is Policy.STRICT
    totals = solve_stages(stage_model(problem, admitted), admitted, by_priority=by_priority)
    assert totals == class_totals(answer, admitted, by_priority=by_priority)
