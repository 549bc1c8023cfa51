"""Reasons and sentences for every binding, and what-if."""

import pytest

from outrider.errors import InvalidInputError, NotFoundError
from outrider.licences.explain import explain_json, why
from outrider.licences.explain_sentence import sentence_of
from outrider.licences.model import (
    Binding,
    LicenceKind,
    Policy,
    Problem,
    Rule,
    Standing,
    TaskShare,
    TaskState,
)
from outrider.licences.share import share
from outrider.licences.what_if import Change, ChangeCount, ChangeTask, StartTask, StopTask, what_if

PORTS, MANUAL, PREVIEW, PREDICTIVE = (
    LicenceKind.OUTBOUND_PORTS,
    LicenceKind.MANUAL_AGENTS,
    LicenceKind.PREVIEW_AGENTS,
    LicenceKind.PREDICTIVE_AGENTS,
)


def ports(name: str, minimum: int, maximum: int, priority: int, need: int, **rest: int) -> TaskShare:
    running, held = bool(rest.get("running", 1)), rest.get("held", 0)
    return TaskShare(name, PORTS, minimum, maximum, priority, need, held, running, rest.get("started", 0))


def sentences(problem: Problem) -> dict[str, str]:
    return {name: sentence_of(reason) for name, reason in why(problem, share(problem)).items()}


def test_pool_maximum_and_waiting() -> None:
    problem = Problem(
        {PORTS: 10}, (ports("a", 1, 3, 9, 3), ports("b", 1, 30, 4, 30), ports("c", 9, 30, 9, 30, running=0))
    )
    assert sentences(problem) == {
        "a": "a has 3 outbound ports, its maximum; next in line for a freed unit is c.",
        "b": (
            "b has 7 outbound ports of the 30 it could use: all 10 outbound ports are given out, "
            "shared by priority (this one has 4); next in line for a freed unit is c."
        ),
        "c": (
            "c waits: it starts with its whole minimum of 9 outbound ports, and only 8 are left beside the "
            "minimums that come before it; it is next in line for a freed unit."
        ),
    }


def test_need_surplus_and_kept_minimum() -> None:
    problem = Problem(
        {PORTS: 20},
        (ports("quiet", 2, 30, 5, 2, held=9), ports("low", 3, 30, 5, 1), ports("full", 1, 9, 5, 4)),
    )
    assert sentences(problem) == {
        "quiet": "quiet has 9 outbound ports: it needs 2 now and keeps 7 more that nobody else needs.",
        "low": "low has 3 outbound ports, its minimum, although it needs 1 now.",
        "full": "full has 4 outbound ports, all that it needs now.",
    }


def test_a_cut_pool_says_who_came_first() -> None:
    problem = Problem({PORTS: 5}, (ports("a", 4, 9, 8, 9), ports("b", 4, 9, 3, 9)))
    reasons = why(problem, share(problem))
    assert reasons["b"].quota == 1
    assert reasons["b"].rule is Rule.MINIMUM
    assert "minimums of more important or older tasks come first" in sentence_of(reasons["b"])


def test_nested_seats_and_agents() -> None:
    def seats(name: str, kind: LicenceKind) -> TaskShare:
        return TaskShare(name, kind, 1, 30, 5, 9)

    tasks = (seats("p", PREDICTIVE), seats("v", PREVIEW), seats("m", MANUAL))
    problem = Problem({PREDICTIVE: 2, PREVIEW: 3, MANUAL: 20}, tasks)
    reasons = why(problem, share(problem))
    assert reasons["p"].binding is Binding.POOL
    assert reasons["p"].limit == (PREDICTIVE,)
    assert reasons["v"].binding is Binding.SEATS
    assert (reasons["v"].limit, reasons["v"].size) == ((PREDICTIVE, PREVIEW), 5)
    assert "all 5 licences of the types predictive and preview are given out" in sentence_of(reasons["v"])
    assert reasons["m"].binding is Binding.NEED
    assert (reasons["p"].next_in_line, reasons["v"].next_in_line) == ("p", "v")
    few = Problem(problem.pool, tasks, agents=4)
    capped = why(few, share(few))["m"]
    assert capped.binding is Binding.AGENTS
    assert "all 4 agents logged in are given out" in sentence_of(capped)


def test_no_licence_at_all() -> None:
    problem = Problem({}, (ports("a", 0, 5, 5, 5),))
    assert sentences(problem)["a"].startswith(
        "a has 0 outbound ports of the 5 it could use: there is no outbound port"
    )
    assert why(problem, share(problem))["a"].rule is Rule.NONE


def test_units_that_others_hold_and_draining() -> None:
    problem = Problem({PORTS: 10}, (ports("a", 1, 30, 10, 30), ports("b", 1, 30, 5, 30)))
    answer = share(problem)
    states = [
        TaskState("a", quota=7, granted=2, in_use=2, standing=Standing.ADMITTED),
        TaskState("b", quota=3, granted=3, in_use=6, standing=Standing.ADMITTED),
        TaskState("gone", in_use=2, standing=Standing.OUT),
    ]
    reasons = why(problem, answer, states)
    assert reasons["a"].binding is Binding.HELD
    assert reasons["a"].held_by == ("b", "gone")
    assert reasons["b"].draining == 3
    assert reasons["b"].next_in_line == "a"
    assert sentence_of(reasons["a"]) == (
        "a has 7 outbound ports by right and may use 2 now: 5 are still with b, gone; "
        "it is next in line for a freed unit."
    )
    assert "3 units of its 6 in use must drain before it starts anything" in sentence_of(reasons["b"])


def test_facts_as_json() -> None:
    problem = Problem({PORTS: 10}, (ports("a", 1, 3, 9, 3),))
    assert explain_json(why(problem, share(problem))["a"]) == {
        "quota": 3,
        "granted": 3,
        "in_use": 0,
        "draining": 0,
        "need": 3,
        "rule": "need",
        "binding": "maximum",
        "limit": [],
        "held_by": [],
        "next": None,
        "sentence": "a has 3 outbound ports, its maximum.",
    }


RUNNING = [
    TaskState("a", minimum=1, priority=8, quota=8, granted=8, standing=Standing.ADMITTED, admitted_at=0),
    TaskState("b", minimum=1, priority=2, quota=2, granted=2, standing=Standing.ADMITTED, admitted_at=0),
]


@pytest.mark.parametrize(
    ("changes", "after", "waiting"),
    [
        ([ChangeCount(PORTS, 50)], {"a": 30, "b": 30}, ()),
        ([ChangeCount(PORTS, -5)], {"a": 4, "b": 1}, ()),
        ([ChangeTask("b", priority=8)], {"a": 5, "b": 5}, ()),
        ([StopTask("a")], {"b": 10}, ()),
        ([StartTask(TaskState("c", minimum=9))], {"a": 8, "b": 2, "c": 0}, ("c",)),
        ([ChangeTask("a", maximum=3), StartTask(TaskState("c", priority=2))], {"a": 3, "b": 4, "c": 3}, ()),
    ],
)
def test_what_if(changes: list[Change], after: dict[str, int], waiting: tuple[str, ...]) -> None:
    found = what_if({PORTS: 10}, RUNNING, Policy.WEIGHTED, 1, changes)
    assert found.before == {"a": 8, "b": 2}
    assert found.after == after
    assert found.waiting == waiting
    assert found.plan.violations == ()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (StopTask("x"), NotFoundError),
        (ChangeTask("x", priority=1), NotFoundError),
        (ChangeTask("a", priority=11), InvalidInputError),
        (ChangeTask("a", minimum=31), InvalidInputError),
        (ChangeCount(PORTS, -11), InvalidInputError),
        (StartTask(TaskState("a")), InvalidInputError),
    ],
)
def test_what_if_refuses(change: Change, error: type[Exception]) -> None:
    with pytest.raises(error):
        what_if({PORTS: 10}, RUNNING, Policy.WEIGHTED, 1, [change])
