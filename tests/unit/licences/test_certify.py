"""What the certificate refuses, one broken answer at a time."""

from dataclasses import replace
from typing import Any

import pytest

from outrider.licences.certify import certify
from outrider.licences.model import Answer, LicenceKind, Policy, Problem, TaskShare
from outrider.licences.share import share

PORTS = LicenceKind.OUTBOUND_PORTS
MANUAL, PREVIEW, PREDICTIVE = (
    LicenceKind.MANUAL_AGENTS,
    LicenceKind.PREVIEW_AGENTS,
    LicenceKind.PREDICTIVE_AGENTS,
)


def a_task(name: str, **fields: Any) -> TaskShare:
    plain = TaskShare(id=name, kind=PORTS, minimum=1, maximum=30, priority=5, need=30)
    return replace(plain, **fields)


PROBLEM = Problem(
    pool={PORTS: 10},
    tasks=(
        a_task("a", priority=8, maximum=6),
        a_task("b", priority=2, minimum=2),
        a_task("c", minimum=8, running=False, started=9),
    ),
)


def an_answer(a: int, b: int, c: int, waiting: tuple[str, ...] = ("c",)) -> Answer:
    used = a + b + c
    cover = {PORTS: {PORTS: used}} if used > 0 else {}
    return Answer({"a": a, "b": b, "c": c}, waiting, cover, {PORTS: 10 - used})


def test_the_right_answer_passes() -> None:
    assert certify(PROBLEM, share(PROBLEM)) == certify(PROBLEM, an_answer(6, 4, 0)) == ()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (an_answer(7, 3, 0), "task a has more than its maximum"),
        (an_answer(6, 5, 0), "limit 0: 11 units where 10 fit"),
        (an_answer(6, 3, 0), "a unit is free that task b could use"),
        (an_answer(5, 5, 0), "task a has the better claim to a unit that task b has"),
        (an_answer(6, -1, 0), "task b has a negative quota"),
        (an_answer(6, 4, 0, ("c", "c")), "waiting list"),
        (an_answer(6, 4, 0, ("x",)), "waiting list"),
        (an_answer(6, 4, 0, ("b", "c")), "task b waits although it was running"),
        (an_answer(6, 4, 0, ()), "task c was admitted without its whole minimum"),
        (an_answer(6, 2, 2), "task c waits with a quota"),
        (replace(an_answer(6, 4, 0), quotas={"a": 6, "b": 4}), "task c has no quota"),
        (replace(an_answer(6, 4, 0), quotas={"a": 6, "b": 4, "c": 0, "d": 0}), "one whole number per task"),
        (replace(an_answer(6, 4, 0), quotas={"a": 6, "b": True, "c": 0}), "one whole number per task"),
        (replace(an_answer(6, 4, 0), free={PORTS: 1}), "1 outbound_ports licences are called free, 0 are"),
        (replace(an_answer(6, 4, 0), cover={PORTS: {PORTS: 9}}), "9 of 10 outbound_ports units are covered"),
        (replace(an_answer(6, 4, 0), cover={PORTS: {MANUAL: 10}}), "a manual_agents licence cannot serve"),
    ],
)
def test_a_broken_answer_is_refused(answer: Answer, message: str) -> None:
    found = certify(PROBLEM, answer)
    assert any(message in violation for violation in found), found


def test_a_newcomer_that_fits_may_not_wait() -> None:
    problem = replace(PROBLEM, tasks=(PROBLEM.tasks[0], a_task("n", minimum=4, running=False)))
    answer = Answer({"a": 6, "n": 0}, ("n",), {PORTS: {PORTS: 6}}, {PORTS: 4})
    assert certify(problem, answer) == ("task n waits although its minimum fitted at its turn",)


def test_a_newcomer_may_not_have_the_minimum_of_a_running_task() -> None:
    problem = Problem(
        pool={PORTS: 5}, tasks=(a_task("r", minimum=3), a_task("n", minimum=4, running=False, priority=10))
    )
    answer = Answer({"r": 1, "n": 4}, (), {PORTS: {PORTS: 5}}, {PORTS: 0})
    assert certify(problem, answer) == ("task r has the better claim to a unit that task n has",)


def test_surplus_goes_by_key_too() -> None:
    tasks = (
        a_task("a", need=0, minimum=0, held=9, priority=8),
        a_task("b", need=0, minimum=0, held=9, priority=2),
    )
    problem = Problem(pool={PORTS: 10}, tasks=tasks)
    assert share(problem).quotas == {"a": 8, "b": 2}
    answer = Answer({"a": 7, "b": 3}, (), {PORTS: {PORTS: 10}}, {PORTS: 0})
    assert certify(problem, answer) == ("task a has the better claim to a unit that task b has",)


def test_strict_and_weighted_answers_are_not_interchangeable() -> None:
    tasks = (a_task("a", priority=8), a_task("b", priority=2))
    weighted = Problem(pool={PORTS: 10}, tasks=tasks)
    strict = replace(weighted, policy=Policy.STRICT)
    assert certify(strict, share(weighted)) != ()
    assert certify(weighted, share(strict)) != ()


def test_a_dear_licence_for_a_cheap_use_is_refused() -> None:
    problem = Problem(
        pool={MANUAL: 2, PREVIEW: 2, PREDICTIVE: 2}, tasks=(a_task("m", kind=MANUAL, need=3, maximum=3),)
    )
    free = {MANUAL: 0, PREVIEW: 2, PREDICTIVE: 1}
    answer = Answer({"m": 3}, (), {MANUAL: {MANUAL: 2, PREDICTIVE: 1}}, free)
    assert certify(problem, answer) == (
        "manual_agents uses predictive_agents while preview_agents licences are free",
    )
    upward = Problem(pool={MANUAL: 5, PREDICTIVE: 1}, tasks=(a_task("p", kind=PREDICTIVE, need=2),))
    refused = Answer({"p": 2}, (), {PREDICTIVE: {PREDICTIVE: 1, MANUAL: 1}}, {MANUAL: 4, PREDICTIVE: 0})
    assert "a manual_agents licence cannot serve predictive_agents" in certify(upward, refused)
