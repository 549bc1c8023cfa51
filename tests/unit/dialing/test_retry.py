"""What follows an attempt: retries, addresses, actions, the end."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Strategy
from outrider.campaigns.strategy_document import parse_strategy
from outrider.dialing.retry import (
    MOST_INTERRUPTIONS,
    Counters,
    Decision,
    Final,
    NextAction,
    Retry,
    decide,
    skip,
)

NOW = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
BUSY, SILENT, FAILED = Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED
MAIL = {"name": "mail", "channel": "email", "subject": "S", "text": "T", "from": "a@b.example"}


def strategy(
    *, then_mail: bool = False, counter: str = "shared", top: int | None = None, **call: object
) -> Strategy:
    action = {"name": "call", "channel": "call", "prompt": {"text": "Hi"}, **call}
    actions = [action, MAIL] if then_mail else [action]
    document = {"name": "s", "retry_counter": counter, "max_attempts": top, "actions": actions}
    return parse_strategy(json.dumps(document))


def follow(plan: Strategy, outcomes: list[Outcome], addresses: int = 1) -> list[Decision]:
    """Play a contact's attempts one after another and return what was decided after each."""
    counters, action, index, now = Counters(), plan.actions[0].name, 0, NOW
    decisions: list[Decision] = []
    for outcome in outcomes:
        counters = counters.with_attempt()
        decision = decide(plan, action, counters, outcome, now, index, addresses)
        decisions.append(decision)
        if isinstance(decision, Final):
            break
        counters, now = decision.counters, decision.at
        if isinstance(decision, NextAction):
            action, index = decision.name, 0
        else:
            index = decision.address_index
    return decisions


def waits(decisions: list[Decision]) -> list[float | Outcome]:
    """Return the seconds waited before each further attempt, and the final outcome."""
    answer: list[float | Outcome] = []
    now = NOW
    for decision in decisions:
        if isinstance(decision, Final):
            answer.append(decision.outcome)
        else:
            answer.append((decision.at - now).total_seconds())
            now = decision.at
    return answer


PUBLISHED = {
    "busy": {"count": 2, "delays": [30], "then": "done"},
    "no_answer": {"count": 4, "delays": [60], "then": "done"},
}


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([BUSY, BUSY, SILENT, BUSY], [30, 30, 60, BUSY]),
        ([BUSY, BUSY, SILENT, SILENT, SILENT], [30, 30, 60, 60, SILENT]),
        ([SILENT, SILENT, BUSY], [60, 60, BUSY]),
    ],
)
def test_the_published_examples_of_the_shared_counter(
    outcomes: list[Outcome], expected: list[object]
) -> None:
    assert waits(follow(strategy(retry=PUBLISHED), outcomes)) == expected


def test_with_a_counter_per_outcome_each_has_its_own_limit() -> None:
    plan = strategy(retry=PUBLISHED, counter="per_outcome")
    outcomes = [BUSY, SILENT, BUSY, SILENT, SILENT, SILENT, BUSY]
    assert waits(follow(plan, outcomes)) == [30, 60, 30, 60, 60, 60, BUSY]


def test_a_list_of_delays_is_used_in_order_and_its_last_repeats() -> None:
    exact = strategy(retry={"busy": {"count": 3, "delays": [10, 20, 30]}})
    assert waits(follow(exact, [BUSY] * 9)) == [10, 20, 30, BUSY]
    short = strategy(retry={"busy": {"count": 4, "delays": [10, 20]}})
    assert waits(follow(short, [BUSY] * 9)) == [10, 20, 20, 20, BUSY]


@pytest.mark.parametrize("outcome", ["answered", "delivered", "do_not_contact", "expired"])
def test_some_outcomes_are_final_whatever_the_rules(outcome: str) -> None:
    plan = strategy(then_mail=True, retry={"busy": {"count": 5, "delays": [1]}})
    assert follow(plan, [Outcome(outcome)], addresses=3) == [Final(Outcome(outcome))]


def test_without_a_rule_every_address_is_tried_once_and_then_the_next_action() -> None:
    plan = strategy(then_mail=True)
    first, second, third = follow(plan, [BUSY, SILENT, FAILED], addresses=3)
    assert isinstance(first, Retry)
    assert (first.address_index, first.at) == (1, NOW)
    assert isinstance(second, Retry)
    assert second.address_index == 2
    assert third == NextAction("mail", NOW, Counters(attempts=3))


def test_each_address_has_its_own_retries() -> None:
    plan = strategy(retry={"busy": {"count": 1, "delays": [30]}})
    decisions = follow(plan, [BUSY] * 9, addresses=2)
    assert waits(decisions) == [30, 0, 30, BUSY]
    assert [d.address_index for d in decisions if isinstance(d, Retry)] == [0, 1, 1]


def test_then_done_ends_the_contact_and_then_a_name_goes_there() -> None:
    rules = {"busy": {"then": "done"}, "no_answer": {"then": "mail"}, "failed": {"then": "next_action"}}
    plan = strategy(then_mail=True, retry=rules)
    assert follow(plan, [BUSY], addresses=2) == [Final(BUSY)]
    assert follow(plan, [SILENT], addresses=2) == [NextAction("mail", NOW, Counters(1))]
    assert follow(plan, [FAILED], addresses=2) == [NextAction("mail", NOW, Counters(1))]


def test_a_named_action_may_leave_others_out() -> None:
    plan = strategy(then_mail=True, retry={"busy": {"then": "mail"}})
    middle = replace(plan.actions[0], name="again")
    plan = replace(plan, actions=(plan.actions[0], middle, plan.actions[1]))
    assert follow(plan, [BUSY]) == [NextAction("mail", NOW, Counters(1))]
    assert follow(plan, [SILENT]) == [NextAction("again", NOW, Counters(1))]


def test_the_actions_limit_ends_the_action() -> None:
    rules = {"busy": {"count": 50, "delays": [10]}}
    assert waits(follow(strategy(retry=rules, max_attempts=3), [BUSY] * 9, addresses=2)) == [10, 10, BUSY]
    onward = follow(strategy(then_mail=True, retry=rules, max_attempts=3), [BUSY] * 3, addresses=2)
    assert onward[-1] == NextAction("mail", NOW + dt.timedelta(seconds=20), Counters(3))


def test_the_strategys_limit_ends_the_contact() -> None:
    rules = {"busy": {"count": 50, "delays": [10]}}
    assert waits(follow(strategy(then_mail=True, retry=rules, top=2), [BUSY] * 9)) == [10, BUSY]


def test_an_action_begins_with_fresh_counters_but_the_total_goes_on() -> None:
    plan = strategy(then_mail=True, top=3, retry={"busy": {"count": 1, "delays": [10]}})
    soft = Outcome.SOFT_BOUNCE
    assert waits(follow(plan, [BUSY, BUSY, soft])) == [10, 0, soft]


def test_an_interrupted_attempt_is_final_unless_the_action_says_otherwise() -> None:
    cut = Outcome.INTERRUPTED
    assert follow(strategy(then_mail=True), [cut], addresses=2) == [Final(cut)]
    again = strategy(then_mail=True, retry_interrupted=True, retry={"busy": {"count": 1, "delays": [30]}})
    assert waits(follow(again, [cut, BUSY, cut, BUSY], addresses=1)) == [0, 30, 0, 0]
    assert waits(follow(again, [cut] * 99)) == [0] * MOST_INTERRUPTIONS + [cut]
    assert waits(follow(strategy(retry_interrupted=True, max_attempts=1), [cut] * 9)) == [cut]


def test_a_hard_bounce_goes_where_its_rule_says() -> None:
    done = {**MAIL, "name": "m1", "retry": {"hard_bounce": {"then": "done"}}}
    onward, last = {**MAIL, "name": "m1"}, {**MAIL, "name": "m2"}
    plan = parse_strategy(json.dumps({"name": "s", "actions": [done, last]}))
    assert follow(plan, [Outcome.HARD_BOUNCE]) == [Final(Outcome.HARD_BOUNCE)]
    plan = parse_strategy(json.dumps({"name": "s", "actions": [onward, last]}))
    assert follow(plan, [Outcome.HARD_BOUNCE]) == [NextAction("m2", NOW, Counters(1))]


def test_an_action_without_address_is_skipped() -> None:
    plan = strategy(then_mail=True)
    assert skip(plan, "call", Counters(), NOW) == NextAction("mail", NOW, Counters())
    assert skip(plan, "mail", Counters(), NOW) == Final(Outcome.EXPIRED)
    assert skip(plan, "mail", Counters(attempts=1), NOW, last=BUSY) == Final(BUSY)
    limited = strategy(then_mail=True, top=1)
    assert skip(limited, "call", Counters(attempts=1), NOW, last=BUSY) == Final(BUSY)


def test_an_unknown_action_is_an_error() -> None:
    with pytest.raises(KeyError):
        decide(strategy(), "fax", Counters(1, 1), BUSY, NOW, 0, 1)
