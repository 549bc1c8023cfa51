"""Granting over random holdings: nobody's unit is taken, everything free is granted, in the right order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.licences.levels import limits_of
from outrider.licences.model import NESTED_KINDS, SHARING_GROUPS, Holding, Policy, Problem
from outrider.licences.settle import settle
from outrider.licences.settle_columns import settle_group
from outrider.licences.share import share
from support.sharing import holdings, problems
from support.unit_by_unit import fits, settle_unit_by_unit

EXAMPLES = settings(max_examples=120, deadline=None)


def settled(problem: Problem, held: list[Holding]) -> dict[str, int]:
    return settle(problem.pool, held, problem.policy, problem.agents)


@given(problem=problems(), data=st.data())
@EXAMPLES
def test_grants_equal_unit_by_unit(problem: Problem, data: st.DataObject) -> None:
    held = data.draw(holdings(problem, share(problem)))
    expected = settle_unit_by_unit(dict(problem.pool), held, problem.policy, problem.agents)
    assert settled(problem, held) == expected


@given(problem=problems(), data=st.data())
@EXAMPLES
def test_columns_grant_as_lists_do(problem: Problem, data: st.DataObject) -> None:
    held = data.draw(holdings(problem, share(problem)))
    found: dict[str, int] = {}
    for group in SHARING_GROUPS:
        members = [holding for holding in held if holding.kind in group]
        cap = problem.agents if group is NESTED_KINDS else None
        room = limits_of([problem.pool.get(kind, 0) for kind in group], cap)
        found |= settle_group(members, group, room, strict=problem.policy is Policy.STRICT)
    assert found == settled(problem, held)


@given(problem=problems(), data=st.data())
@EXAMPLES
def test_the_pool_is_never_charged_beyond_its_count(problem: Problem, data: st.DataObject) -> None:
    held = data.draw(holdings(problem, share(problem)))
    granted = settled(problem, held)
    kinds = {holding.id: holding.kind for holding in held}
    charged = {holding.id: max(granted[holding.id], holding.in_use) for holding in held}
    busy = {holding.id: holding.in_use for holding in held}
    if fits(problem, busy, kinds):
        assert fits(problem, charged, kinds)
    for holding in held:
        assert 0 <= granted[holding.id] <= holding.quota


@given(problem=problems(), data=st.data())
@EXAMPLES
def test_settling_again_changes_nothing(problem: Problem, data: st.DataObject) -> None:
    held = data.draw(holdings(problem, share(problem)))
    once = settled(problem, held)
    again = [
        Holding(h.id, h.kind, h.quota, once[h.id], h.in_use, h.right, h.priority, h.started) for h in held
    ]
    assert settled(problem, again) == once


@given(problem=problems())
@EXAMPLES
def test_with_nothing_in_use_grants_are_the_quotas(problem: Problem) -> None:
    answer = share(problem)
    held = [
        Holding(task.id, task.kind, answer.quotas[task.id], 0, 0, task.minimum, task.priority, task.started)
        for task in problem.tasks
    ]
    assert settled(problem, held) == answer.quotas
