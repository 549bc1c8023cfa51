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
    AwaitNews,
    Counters,
    Final,
    Following,
    NextAction,
    Retry,
    asked_again,
    decide,
    longest_wrap_up,
    skip,
    timed_out,
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


def follow(plan: Strategy, outcomes: list[Outcome], addresses: int = 1) -> list[Following]:
    """Play a contact's attempts one after another and return what was decided after each."""
    counters, action, index, now = Counters(), plan.actions[0].name, 0, NOW
    decisions: list[Following] = []
    for outcome in outcomes:
        counters = counters.with_attempt()
        decision = decide(plan, action, counters, outcome, now, index, addresses)
        decisions.append(decision)
        if isinstance(decision, Final):
            break
        assert not isinstance(decision, AwaitNews)
        counters, now = decision.counters, decision.at
        if isinstance(decision, NextAction):
            action, index = decision.name, 0
        else:
            index = decision.address_index
    return decisions


def waits(decisions: list[Following]) -> list[float | Outcome]:
    """Return the seconds waited before each further attempt, and the final outcome."""
    answer: list[float | Outcome] = []
    now = NOW
    for decision in decisions:
        if isinstance(decision, Final):
            answer.append(decision.outcome)
        else:
            assert not isinstance(decision, AwaitNews)
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


@pytest.mark.parametrize(
    "outcome", ["answered", "delivered", "sent", "do_not_contact", "expired", "restricted"]
)
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


def test_a_named_action_may_be_due_later() -> None:
    rules = {"busy": {"then": "mail", "then_delay": "30m"}, "failed": {"then_delay": 60}}
    plan = strategy(then_mail=True, retry=rules)
    assert follow(plan, [BUSY]) == [NextAction("mail", NOW + dt.timedelta(minutes=30), Counters(1))]
    first, second = follow(plan, [FAILED, FAILED], addresses=2)
    assert isinstance(first, Retry)
    assert first.at == NOW
    assert second == NextAction("mail", NOW + dt.timedelta(minutes=1), Counters(2))


def addresses_of(decisions: list[Following]) -> list[int]:
    return [decision.address_index for decision in decisions if isinstance(decision, Retry)]


def test_retries_may_go_to_the_next_address_first() -> None:
    rules = {"busy": {"count": 3, "delays": [30]}}
    onward = follow(strategy(retry=rules, retry_on="next_address"), [BUSY] * 9, addresses=3)
    assert addresses_of(onward) == [1, 2, 2]
    assert waits(onward) == [30, 30, 30, BUSY]
    single = follow(strategy(retry=rules, retry_on="next_address"), [BUSY] * 9, addresses=1)
    assert addresses_of(single) == [0, 0, 0]


def test_after_the_retries_the_addresses_that_are_left_are_tried() -> None:
    rules = {"busy": {"count": 1, "delays": [30]}}
    decisions = follow(strategy(retry=rules, retry_on="next_address"), [BUSY] * 9, addresses=3)
    assert addresses_of(decisions) == [1, 2, 2]
    assert waits(decisions) == [30, 0, 30, BUSY]


def test_retries_may_loop_over_the_addresses() -> None:
    rules = {"busy": {"count": 4, "delays": [30]}, "no_answer": {"count": 1, "delays": [60]}}
    looping = strategy(retry=rules, retry_on="loop", then_mail=True)
    decisions = follow(looping, [BUSY] * 5, addresses=3)
    assert addresses_of(decisions) == [1, 2, 0, 1]
    assert waits(decisions) == [30, 30, 30, 30, 0]
    assert decisions[-1] == NextAction("mail", NOW + dt.timedelta(minutes=2), Counters(5))
    mixed = follow(looping, [BUSY, SILENT], addresses=3)
    assert mixed[-1] == NextAction("mail", NOW + dt.timedelta(seconds=30), Counters(2))
    apart = strategy(retry=rules, retry_on="loop", counter="per_outcome")
    assert addresses_of(follow(apart, [BUSY, SILENT, BUSY, SILENT], addresses=2)) == [1, 0, 1]


MENU = {
    "choices": [{"digit": "1", "disposition": "later"}, {"digit": "2", "disposition": "wrong_number"}],
    "no_input": "silent",
}


def result(plan: Strategy, disposition: str | None, made: int = 0, index: int = 0) -> Following:
    retries = {disposition: made} if disposition and made else {}
    counters = Counters(1 + made, 1 + made, retries)
    return decide(plan, "call", counters, Outcome.ANSWERED, NOW, index, 2, disposition=disposition)


def test_a_disposition_has_a_rule_of_its_own() -> None:
    rules = {
        "later": {"count": 1, "delays": ["2h"], "then": "mail"},
        "wrong_number": {"then": "next_address"},
    }
    plan = strategy(then_mail=True, menu=MENU, dispositions=rules)
    in_two_hours = NOW + dt.timedelta(hours=2)
    assert result(plan, "later") == Retry(in_two_hours, 0, Counters(1, 1, {"later": 1}))
    assert result(plan, "later", made=1) == NextAction("mail", NOW, Counters(2))
    assert result(plan, "wrong_number") == Retry(NOW, 1, Counters(1, 1, {}))
    assert result(plan, "wrong_number", index=1) == NextAction("mail", NOW, Counters(1))
    assert result(plan, "silent") == Final(Outcome.ANSWERED)
    assert result(plan, None) == Final(Outcome.ANSWERED)


def test_something_may_follow_when_the_contact_was_reached() -> None:
    plan = strategy(then_mail=True, reached={"then": "mail", "then_delay": 60})
    assert result(plan, None) == NextAction("mail", NOW + dt.timedelta(minutes=1), Counters(1))
    assert result(strategy(then_mail=True, reached={}), None) == Final(Outcome.ANSWERED)


def decided(plan: Strategy, outcome: Outcome, *, awaited: bool = False) -> Following:
    return decide(plan, plan.actions[0].name, Counters(1, 1), outcome, NOW, 0, 1, awaited=awaited)


def messages(**text: object) -> Strategy:
    action = {"name": "text", "channel": "sms", "text": "Hi", **text}
    return parse_strategy(json.dumps({"name": "s", "actions": [action, MAIL]}))


def test_a_text_waits_for_its_receipt() -> None:
    plan = messages(receipt_wait="2h", retry={"undelivered": {"count": 1, "delays": [60]}})
    until = NOW + dt.timedelta(hours=2)
    assert decided(plan, Outcome.SENT) == AwaitNews(until, Counters(1, 1))
    assert decided(plan, Outcome.UNKNOWN) == AwaitNews(until, Counters(1, 1))
    assert decided(plan, Outcome.DELIVERED, awaited=True) == Final(Outcome.DELIVERED)
    again = decided(plan, Outcome.UNDELIVERED, awaited=True)
    assert isinstance(again, Retry)
    assert again.at == NOW + dt.timedelta(minutes=1)
    assert timed_out(plan.actions[0], Outcome.SENT) is Outcome.NO_RECEIPT
    assert decided(plan, Outcome.NO_RECEIPT, awaited=True) == NextAction("mail", NOW, Counters(1))


def test_a_text_of_unknown_fate_is_never_sent_again_by_itself() -> None:
    plan = messages(receipt_wait="2h")
    assert timed_out(plan.actions[0], Outcome.UNKNOWN) is Outcome.UNKNOWN
    assert decided(plan, Outcome.UNKNOWN, awaited=True) == Final(Outcome.UNKNOWN)
    assert decided(messages(), Outcome.UNKNOWN) == Final(Outcome.UNKNOWN)
    asked = messages(retry={"unknown": {"then": "next_action"}})
    assert decided(asked, Outcome.UNKNOWN) == NextAction("mail", NOW, Counters(1))


def test_without_a_wait_a_message_that_was_taken_is_final() -> None:
    assert decided(messages(), Outcome.SENT) == Final(Outcome.SENT)
    mail = parse_strategy(json.dumps({"name": "s", "actions": [MAIL]}))
    assert decided(mail, Outcome.DELIVERED) == Final(Outcome.DELIVERED)


def test_a_mail_may_wait_for_a_bounce() -> None:
    mail = parse_strategy(json.dumps({"name": "s", "actions": [{**MAIL, "bounce_wait": 600}]}))
    assert decided(mail, Outcome.DELIVERED) == AwaitNews(NOW + dt.timedelta(minutes=10), Counters(1, 1))
    assert timed_out(mail.actions[0], Outcome.DELIVERED) is Outcome.DELIVERED
    assert decided(mail, Outcome.DELIVERED, awaited=True) == Final(Outcome.DELIVERED)
    assert decided(mail, Outcome.HARD_BOUNCE, awaited=True) == Final(Outcome.HARD_BOUNCE)


AGENTS = {"mode": "predictive", "abandoned": {"text": "Nobody is free."}, "wrap_up": 40}


def test_a_contact_who_was_talked_to_waits_for_a_code() -> None:
    plan = parse_strategy(
        json.dumps({"name": "s", "actions": [{"name": "talk", "channel": "call", "agents": AGENTS}]})
    )
    agents = plan.actions[0].agents
    assert agents is not None
    seconds = longest_wrap_up(agents)
    assert seconds == 40 + 3 * 30 + 60

    def ended(outcome: Outcome, *, talked: bool, awaited: bool = False) -> Following:
        return decide(plan, "talk", Counters(1, 1), outcome, NOW, 0, 1, talked=talked, awaited=awaited)

    waits = AwaitNews(NOW + dt.timedelta(seconds=seconds), Counters(1, 1))
    assert ended(Outcome.ANSWERED, talked=True) == waits
    assert ended(Outcome.INTERRUPTED, talked=True) == waits
    assert ended(Outcome.ANSWERED, talked=True, awaited=True) == Final(Outcome.ANSWERED)
    assert ended(Outcome.ANSWERED, talked=False) == Final(Outcome.ANSWERED)
    assert ended(BUSY, talked=False) == Final(BUSY)


def test_what_is_asked_again_ends_with_the_attempts_that_are_allowed() -> None:
    at = NOW + dt.timedelta(minutes=5)

    def asked(plan: Strategy, made: int) -> Following:
        return asked_again(plan, "call", Counters(made, made), Outcome.ANSWERED, "later", at, 0)

    plan = strategy(then_mail=True, top=4, max_attempts=2)
    assert asked(plan, 1) == Retry(at, 0, Counters(1, 1, {"later": 1}))
    assert asked(plan, 2) == Final(Outcome.ANSWERED)
    assert asked(strategy(top=1), 1) == Final(Outcome.ANSWERED)
    onward = strategy(then_mail=True, max_attempts=1, reached={"then": "mail"})
    assert asked(onward, 1) == NextAction("mail", at, Counters(1))
