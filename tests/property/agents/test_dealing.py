"""Dealing agents to jobs: seats, maxima, skills, fairness and stability, for whatever pools and people."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from outrider.agents.dealing import Dealt, Why, deal
from outrider.agents.model import SessionId
from outrider.agents.working import WorkingAgent, WorkingTask
from outrider.ids import TaskId
from outrider.licences.levels import limits_of
from outrider.licences.model import NESTED_KINDS, LicenceKind, Policy, Problem, TaskShare
from outrider.licences.share import share

SKILLS = ("dutch", "loans", "tact")
Pool = Mapping[LicenceKind, int]


@st.composite
def tasks_strategy(draw: st.DrawFn, *, skilled: bool = True, settled: bool = False) -> list[WorkingTask]:
    tasks = []
    for number in range(draw(st.integers(0, 5))):
        minimum = draw(st.integers(0, 4))
        levels = st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 10), max_size=2)
        task = WorkingTask(
            id=TaskId(number + 7),
            label=f"job {number}",
            kind=draw(st.sampled_from(NESTED_KINDS)),
            minimum=minimum,
            maximum=minimum + draw(st.integers(0, 6)),
            priority=draw(st.integers(1, 10)),
            campaign_id=draw(st.integers(1, 2)),
            started=draw(st.integers(0, 2)),
            running=settled or draw(st.booleans()),
            skills=draw(levels) if skilled else {},
        )
        tasks.append(task)
    return tasks


@st.composite
def agents_strategy(draw: st.DrawFn, tasks: Sequence[WorkingTask]) -> list[WorkingAgent]:
    agents = []
    for number in range(draw(st.integers(0, 12))):
        task_id = draw(st.sampled_from([None, *(task.id for task in tasks)]))
        agent = WorkingAgent(
            id=SessionId(number + 1),
            skills=draw(st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 10))),
            campaigns=draw(st.sampled_from([(), (), (1,), (2,)])),
            task_id=task_id,
            pinned=task_id is not None and draw(st.integers(0, 5)) == 0,
        )
        agents.append(agent)
    return agents


POOLS = st.fixed_dictionaries({kind: st.integers(0, 6) for kind in NESTED_KINDS})
POLICIES = st.sampled_from(list(Policy))


@st.composite
def settings_strategy(
    draw: st.DrawFn, *, settled: bool = False
) -> tuple[Pool, list[WorkingTask], list[WorkingAgent], Policy]:
    tasks = draw(tasks_strategy(settled=settled))
    return draw(POOLS), tasks, draw(agents_strategy(tasks)), draw(POLICIES)


def used(tasks: Sequence[WorkingTask], dealt: Dealt) -> list[int]:
    """Return the seats that are taken inside each nested limit."""
    units = Counter[LicenceKind]()
    for task in tasks:
        units[task.kind] += len(dealt.agents[task.id])
    return limits_of([units[kind] for kind in NESTED_KINDS], None)


def limits(pool: Pool) -> list[int]:
    return limits_of([pool[kind] for kind in NESTED_KINDS], None)


@given(settings_strategy())
def test_seats_maxima_and_skills_are_kept(
    setting: tuple[Pool, list[WorkingTask], list[WorkingAgent], Policy],
) -> None:
    pool, tasks, agents, policy = setting
    dealt = deal(pool, tasks, agents, policy)
    known = {agent.id: agent for agent in agents}
    given_to = [agent for members in dealt.agents.values() for agent in members]
    assert len(given_to) == len(set(given_to))
    assert set(given_to) | dealt.left.keys() == known.keys()
    assert not set(given_to) & dealt.left.keys()
    assert all(taken <= limit for taken, limit in zip(used(tasks, dealt), limits(pool), strict=True))
    for task in tasks:
        members = dealt.agents[task.id]
        assert len(members) <= task.maximum
        assert all(known[agent].may_work_for(task) for agent in members)
        skills = [known[agent].proficiency(task) for agent in members]
        assert skills == sorted(skills, reverse=True)


@given(settings_strategy())
def test_nobody_is_left_free_who_fits_somewhere(
    setting: tuple[Pool, list[WorkingTask], list[WorkingAgent], Policy],
) -> None:
    pool, tasks, agents, policy = setting
    dealt = deal(pool, tasks, agents, policy)
    room = [limit - taken for limit, taken in zip(limits(pool), used(tasks, dealt), strict=True)]
    for agent in agents:
        if agent.id not in dealt.left:
            continue
        for task in tasks:
            wanted = agent.may_work_for(task) and task.id not in dealt.waiting
            if wanted and len(dealt.agents[task.id]) < task.maximum:
                assert min(room[NESTED_KINDS.index(task.kind) :]) <= 0


@given(settings_strategy())
def test_what_agents_are_told_is_true(
    setting: tuple[Pool, list[WorkingTask], list[WorkingAgent], Policy],
) -> None:
    pool, tasks, agents, policy = setting
    dealt = deal(pool, tasks, agents, policy)
    known = {task.id: task for task in tasks}
    free = [limit - taken for limit, taken in zip(limits(pool), used(tasks, dealt), strict=True)]
    for agent in agents:
        left = dealt.left.get(agent.id)
        if left is None:
            continue
        able = [task for task in tasks if agent.may_work_for(task)]
        assert left.reason
        match left.why:
            case Why.NO_JOB:
                assert not tasks
            case Why.SKILLS:
                assert not any(agent.has_skills(task) for task in tasks)
            case Why.CAMPAIGNS:
                assert not able
            case Why.MAXIMUM if left.task_id is not None:
                assert len(dealt.agents[left.task_id]) == known[left.task_id].maximum == left.size
            case Why.WAITING:
                assert left.task_id in dealt.waiting
            case _:
                assert free[len(left.limit) - 1] <= 0
                assert left.size == limits(pool)[len(left.limit) - 1]


@given(settings_strategy(), st.randoms())
def test_the_order_of_the_input_does_not_matter(
    setting: tuple[Pool, list[WorkingTask], list[WorkingAgent], Policy], chance: random.Random
) -> None:
    pool, tasks, agents, policy = setting
    dealt = deal(pool, tasks, agents, policy)
    chance.shuffle(tasks)
    chance.shuffle(agents)
    again = deal(pool, tasks, agents, policy)
    assert again.agents == dealt.agents
    assert again.left == dealt.left
    assert again.asking == dealt.asking


@given(settings_strategy(settled=True))
def test_dealing_a_result_again_moves_nobody(
    setting: tuple[Pool, list[WorkingTask], list[WorkingAgent], Policy],
) -> None:
    pool, tasks, agents, policy = setting
    agents = [replace(agent, pinned=False) for agent in agents]
    where = deal(pool, tasks, agents, policy).task_of()
    settled = [replace(agent, task_id=where.get(agent.id)) for agent in agents]
    assert deal(pool, tasks, settled, policy).task_of() == where


@given(POOLS, tasks_strategy(skilled=False), st.integers(0, 14), POLICIES)
def test_with_all_skills_everywhere_agents_are_dealt_like_licences(
    pool: Pool, tasks: list[WorkingTask], count: int, policy: Policy
) -> None:
    agents = [WorkingAgent(SessionId(number)) for number in range(1, count + 1)]
    dealt = deal(pool, tasks, agents, policy)
    wanted = {task.id: min(task.maximum, count) for task in tasks}
    answer = share(problem(pool, tasks, wanted, count, policy))
    assert {str(task): len(members) for task, members in dealt.agents.items()} == answer.quotas
    assert answer.waiting == tuple(sorted(str(task) for task in dealt.waiting))


@given(settings_strategy())
def test_what_tasks_ask_for_is_what_they_get(
    setting: tuple[Pool, list[WorkingTask], list[WorkingAgent], Policy],
) -> None:
    pool, tasks, agents, policy = setting
    dealt = deal(pool, tasks, agents, policy)
    answer = share(problem(pool, tasks, dealt.asking, len(agents), policy))
    assert {str(task): len(members) for task, members in dealt.agents.items()} == answer.quotas
    assert answer.waiting == tuple(sorted(str(task) for task in dealt.waiting))


def problem(
    pool: Pool, tasks: Sequence[WorkingTask], needs: Mapping[TaskId, int], agents: int, policy: Policy
) -> Problem:
    """Return the problem of licences that these tasks pose when they need so many."""
    shares = [
        TaskShare(
            id=str(task.id),
            kind=task.kind,
            minimum=task.minimum,
            maximum=task.maximum,
            priority=task.priority,
            need=needs[task.id],
            running=task.running,
            started=task.started,
        )
        for task in tasks
    ]
    return Problem(pool, tuple(shares), policy, agents)
