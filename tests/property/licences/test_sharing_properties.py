"""The invariants of licensing.md 2 that concern one sharing, over random problems."""

import random
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from outrider.licences.certify import certify
from outrider.licences.cover import cover
from outrider.licences.model import LARGEST_COUNT, Answer, LicenceKind, Policy, Problem
from outrider.licences.share import right_of, share, share_lists
from outrider.licences.share_columns import share_table
from outrider.licences.table import TaskTable
from support.sharing import KIND_SETS, large_problem, problems, with_task
from support.unit_by_unit import fits, share_unit_by_unit

EXAMPLES = settings(max_examples=150, deadline=None)


def recovered(problem: Problem, quotas: dict[str, int], waiting: tuple[str, ...]) -> Answer:
    """Return the answer with these quotas and an honest cover."""
    units = dict.fromkeys((task.kind for task in problem.tasks), 0)
    for task in problem.tasks:
        units[task.kind] += quotas[task.id]
    return Answer(quotas, waiting, *cover(problem.pool, units))


@given(problem=problems())
@EXAMPLES
def test_closed_form_equals_unit_by_unit(problem: Problem) -> None:
    answer = share(problem)
    quotas, waiting = share_unit_by_unit(problem)
    assert answer.quotas == quotas
    assert answer.waiting == waiting


@given(problem=problems(most=14))
@EXAMPLES
def test_columns_equal_lists(problem: Problem) -> None:
    assert share_table(problem, TaskTable.of(problem.tasks)) == share_lists(problem)


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("kinds", KIND_SETS)
@pytest.mark.parametrize(
    ("load", "alike"), [(0.02, False), (0.03, True), (0.5, False), (0.6, True), (1.2, False)]
)
def test_columns_equal_lists_in_large_pools(
    policy: Policy, kinds: tuple[LicenceKind, ...], load: float, *, alike: bool
) -> None:
    problem = large_problem(1500, seed=7, kinds=kinds, policy=policy, load=load, alike=alike)
    answer = share_table(problem, TaskTable.of(problem.tasks))
    assert answer == share_lists(problem)
    assert certify(problem, answer) == ()


@given(problem=problems())
@EXAMPLES
def test_every_answer_is_certified(problem: Problem) -> None:
    assert certify(problem, share(problem)) == ()


@given(problem=problems(least=1), data=st.data())
@EXAMPLES
def test_no_other_answer_is_certified(problem: Problem, data: st.DataObject) -> None:
    answer = share(problem)
    quotas = dict(answer.quotas)
    names = st.sampled_from([task.id for task in problem.tasks])
    for _ in range(data.draw(st.integers(1, 3))):
        quotas[data.draw(names)] += data.draw(st.sampled_from([1, -1, 2]))
    waiting = data.draw(
        st.sampled_from(
            [answer.waiting, answer.waiting[1:], tuple(sorted({*answer.waiting, problem.tasks[0].id}))]
        )
    )
    assume(quotas != answer.quotas or waiting != answer.waiting)
    assert certify(problem, recovered(problem, quotas, waiting))


@given(problem=problems())
@EXAMPLES
def test_nobody_is_over_its_maximum_and_the_pool_holds(problem: Problem) -> None:
    answer = share(problem)
    assert all(0 <= answer.quotas[task.id] <= task.maximum for task in problem.tasks)
    assert fits(problem, dict(answer.quotas), {task.id: task.kind for task in problem.tasks})


@given(problem=problems())
@EXAMPLES
def test_running_tasks_keep_their_minimum_while_the_pool_holds_them(problem: Problem) -> None:
    running = {task.id: right_of(task) for task in problem.tasks if task.running}
    kinds = {task.id: task.kind for task in problem.tasks}
    assume(fits(problem, running, kinds))
    answer = share(problem)
    assert all(answer.quotas[name] >= right for name, right in running.items())


@given(problem=problems())
@EXAMPLES
def test_no_unit_is_free_that_somebody_needs(problem: Problem) -> None:
    answer = share(problem)
    kinds = {task.id: task.kind for task in problem.tasks}
    for task in problem.tasks:
        if task.id not in answer.waiting and answer.quotas[task.id] < min(task.need, task.maximum):
            more = {**answer.quotas, task.id: answer.quotas[task.id] + 1}
            assert not fits(problem, more, kinds)


@given(problem=problems(), seed=st.randoms(use_true_random=False))
@EXAMPLES
def test_the_order_of_the_input_does_not_matter(problem: Problem, seed: random.Random) -> None:
    shuffled = list(problem.tasks)
    seed.shuffle(shuffled)
    assert share(replace(problem, tasks=tuple(shuffled))) == share(problem)


@given(problem=problems())
@EXAMPLES
def test_recalculating_a_result_changes_nothing(problem: Problem) -> None:
    answer = share(problem)
    applied = tuple(
        replace(task, held=answer.quotas[task.id], running=task.id not in answer.waiting)
        for task in problem.tasks
    )
    assert share(replace(problem, tasks=applied)) == answer


@given(problem=problems(least=1), data=st.data())
@EXAMPLES
def test_one_more_licence_lowers_nobody(problem: Problem, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted({task.kind for task in problem.tasks})))
    # Where agents are what binds, a licence more lets a more important task have the agent: one comes along.
    agents = None if problem.agents is None else problem.agents + 1
    more = replace(problem, pool={**problem.pool, kind: problem.pool.get(kind, 0) + 1}, agents=agents)
    before, after = share(problem), share(more)
    assume(before.waiting == after.waiting)
    assert all(after.quotas[name] >= quota for name, quota in before.quotas.items())
    raised = sum(after.quotas.values()) - sum(before.quotas.values())
    assert 0 <= raised <= (1 if agents is None else 2)


@given(problem=problems(least=1), data=st.data())
@EXAMPLES
def test_asking_for_more_lowers_not_oneself_and_raises_nobody_else(
    problem: Problem, data: st.DataObject
) -> None:
    task = data.draw(st.sampled_from(problem.tasks))
    more = with_task(problem, task.id, need=task.need + data.draw(st.integers(1, 5)))
    before, after = share(problem), share(more)
    assume(before.waiting == after.waiting)
    assert after.quotas[task.id] >= before.quotas[task.id]
    assert all(after.quotas[name] <= quota for name, quota in before.quotas.items() if name != task.id)


@given(problem=problems(least=2), data=st.data())
@EXAMPLES
def test_a_newcomer_takes_no_minimum_of_a_running_task(problem: Problem, data: st.DataObject) -> None:
    task = data.draw(st.sampled_from(problem.tasks))
    without = replace(problem, tasks=tuple(each for each in problem.tasks if each.id != task.id))
    before, after = share(without), share(with_task(problem, task.id, running=False))
    for each in without.tasks:
        if each.running:
            assert after.quotas[each.id] >= min(right_of(each), before.quotas[each.id])


@given(problem=problems(most=4, largest=5), scale=st.sampled_from([LARGEST_COUNT // 20, 10_000_000]))
@EXAMPLES
def test_the_largest_numbers_stay_exact(problem: Problem, scale: int) -> None:
    large = Problem(
        pool={kind: count * scale for kind, count in problem.pool.items()},
        tasks=tuple(
            replace(
                task,
                minimum=task.minimum * scale,
                maximum=task.maximum * scale,
                need=task.need * scale,
                held=min(task.held * scale, LARGEST_COUNT),
                started=task.started * 10**30,
            )
            for task in problem.tasks
        ),
        policy=problem.policy,
    )
    answer = share(large)
    assert share_table(large, TaskTable.of(large.tasks)) == answer
    assert certify(large, answer) == ()
