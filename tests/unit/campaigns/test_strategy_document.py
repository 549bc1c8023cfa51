"""Strategy documents: what is read, and what is said of the ones that are wrong."""

import datetime as dt
import json

import pytest

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import (
    Channel,
    Goal,
    OnMachine,
    Prompt,
    RetryCounter,
    RetryRule,
    Strategy,
    Then,
    Window,
)
from outrider.campaigns.strategy_document import document_name, parse_strategy, to_document
from outrider.errors import InvalidInputError
from outrider.licences.model import Allocation, LicenceKind

FULL = """
name = "Reminder"
description = "Call, then write."
max_attempts = 9
retry_counter = "per_outcome"
goal = { answered = 500 }

[[actions]]
name = "call"
channel = "call"
addresses = ["phone", "phone2"]
minimum = 2
maximum = 40
priority = 8
allocation = "reserved"
pacing = 2.5
max_attempts = 6
ring_timeout = 30
prompt = { text = "Hello, this is a reminder." }
on_machine = "leave_message"
retry_interrupted = true
window = { start = 09:00:00, end = "20:30", days = ["mon", "tue", "sat"] }

[actions.retry]
busy = { count = 3, delays = [30, "2m", "1h30m"] }
no_answer = { delays = ["15m"], then = "next_action" }
failed = { then = "mail" }
machine = { count = 0, then = "done" }

[[actions]]
name = "mail"
channel = "email"
subject = "Your appointment"
text = '''Hello,
see you.'''
html = "<p>Hello</p>"
from = "Team <team@example.org>"
reply_to = "desk@example.org"
unsubscribe = "https://example.org/u"
retry.soft_bounce = { count = 4, delays = ["10m"] }
"""

CALL = '{"name": "a", "channel": "call", "prompt": {"text": "Hi"}%s}'
MAIL = '{"name": "m", "channel": "email", "subject": "S", "text": "T", "from": "a@b.example"%s}'


def one(action: str = CALL, extra: str = "", top: str = "") -> str:
    """Return a JSON document of one action with something added to it, or to the top."""
    return f'{{"name": "s", "actions": [{action % extra}]{top}}}'


def problems(source: str | bytes) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        parse_strategy(source)
    found = caught.value.facts["problems"]
    assert isinstance(found, list)
    assert found[0]["where"] in caught.value.message
    return {each["where"]: each["problem"] for each in found}


def test_everything_that_a_document_can_say() -> None:
    strategy = parse_strategy(FULL)
    assert (strategy.name, strategy.max_attempts) == ("Reminder", 9)
    assert strategy.goal == Goal(Outcome.ANSWERED, 500)
    assert strategy.retry_counter is RetryCounter.PER_OUTCOME
    call, mail = strategy.actions
    assert call.channel is Channel.CALL
    assert call.channel.licence is LicenceKind.OUTBOUND_PORTS
    assert call.addresses == ("phone", "phone2")
    assert (call.minimum, call.maximum, call.priority) == (2, 40, 8)
    assert call.allocation is Allocation.RESERVED
    assert (call.pacing, call.max_attempts, call.retry_interrupted) == (2.5, 6, True)
    assert call.call is not None
    assert call.call.prompt == Prompt(text="Hello, this is a reminder.")
    assert (call.call.ring_timeout, call.call.on_machine) == (30, OnMachine.LEAVE_MESSAGE)
    assert call.windows == (Window(9 * 60, 20 * 60 + 30, frozenset({0, 1, 5})),)
    assert call.retry == {
        Outcome.BUSY: RetryRule(3, (30, 120, 5400)),
        Outcome.NO_ANSWER: RetryRule(1, (900,), Then.NEXT_ACTION),
        Outcome.FAILED: RetryRule(0, (), Then.NEXT_ACTION, "mail"),
        Outcome.MACHINE: RetryRule(0, (), Then.DONE),
    }
    assert mail.channel is Channel.EMAIL
    assert mail.channel.licence is LicenceKind.EMAIL
    assert mail.email is not None
    assert mail.email.text == "Hello,\nsee you."
    assert mail.email.sender == "Team <team@example.org>"
    assert mail.email.unsubscribe == "https://example.org/u"
    assert mail.retry == {Outcome.SOFT_BOUNCE: RetryRule(4, (600,))}


def test_what_a_document_leaves_out_has_the_published_defaults() -> None:
    [call] = parse_strategy(one()).actions
    assert (call.minimum, call.maximum, call.priority) == (1, 30, 5)
    assert call.allocation is Allocation.DYNAMIC
    assert (call.pacing, call.max_attempts, call.addresses) == (None, None, ("phone",))
    assert call.windows == (Window(8 * 60, 21 * 60, frozenset(range(7))),)
    assert call.call is not None
    assert (call.call.ring_timeout, call.call.on_machine) == (45, OnMachine.HANGUP)
    assert call.rule(Outcome.BUSY) == RetryRule(0, (), Then.NEXT_ADDRESS)
    assert parse_strategy(one(MAIL)).actions[0].addresses == ("email",)
    assert parse_strategy(one()).retry_counter is RetryCounter.SHARED


def test_a_machine_that_was_left_the_message_is_done_unless_a_rule_says_more() -> None:
    [told] = parse_strategy(one(extra=', "on_machine": "leave_message"')).actions
    assert told.rule(Outcome.MACHINE).then is Then.DONE
    assert told.rule(Outcome.BUSY).then is Then.NEXT_ADDRESS


@pytest.mark.parametrize("source", [FULL, one(), one(MAIL), one(extra=', "window": {"end": "24:00"}')])
def test_a_document_written_out_says_the_same(source: str) -> None:
    strategy = parse_strategy(source)
    document = to_document(strategy)
    assert parse_strategy(json.dumps(document)) == strategy
    assert to_document(parse_strategy(json.dumps(document), "json")) == document


def test_the_format_is_found_or_given() -> None:
    assert parse_strategy(b"\xef\xbb\xbf" + FULL.encode(), "toml").name == "Reminder"
    assert parse_strategy(f"\n  {one()}", "json").name == "s"
    with pytest.raises(InvalidInputError, match="line 1"):
        parse_strategy(one(), "toml")


def test_delays_can_be_written_in_many_ways() -> None:
    delays = '[0, 1.5, "90s", "5m", "2h", "1d", "1h30m", "0s"]'
    [call] = parse_strategy(one(extra=f', "retry": {{"busy": {{"delays": {delays}}}}}')).actions
    assert call.retry[Outcome.BUSY].delays == (0, 1.5, 90, 300, 7200, 86_400, 5400, 0)
    assert call.retry[Outcome.BUSY].count == 8
    assert call.retry[Outcome.BUSY].delay(1) == 1.5
    assert call.retry[Outcome.BUSY].delay(50) == 0


BROKEN: list[tuple[str, str | bytes, str, str]] = [
    ("empty", "", "document", "is empty"),
    ("blank", b" \r\n", "document", "is empty"),
    ("binary", b"\x89PNG\r\n\x1a\n\x00\xff", "document", "UTF-8"),
    ("lone surrogate", 'name = "\ud800"', "document", "UTF-8"),
    ("too large", "#" * 2_000_001, "document", "larger"),
    ("TOML syntax", 'name = "s"\n[[actions]]\nname = call\n', "line 3", "is not TOML"),
    ("TOML cut short", 'name = "s"\nactions = [', "line 2", "is not TOML"),
    ("TOML key twice", 'name = "s"\nname = "t"\n', "line 2", "is not TOML"),
    ("JSON syntax", '{\n "name": "s",\n "actions": [,]\n}', "line 3", "is not JSON"),
    ("JSON cut short", '{"name": "s"', "line 1", "is not JSON"),
    ("JSON key twice", '{"name": "s", "name": "t"}', "name", "twice"),
    ("JSON nested deep", '{"a":' * 100_000, "document", "too deep"),
    ("JSON number too long", '{"name": ' + "9" * 5_000 + "}", "document", "too long"),
    ("NUL", 'name = "s\x00"', "line 1", "is not TOML"),
    ("no name", '{"actions": [{}]}', "name", "is missing"),
    ("name is a number", '{"name": 3}', "name", "must be a text"),
    ("name of two lines", r'{"name": "a\nb"}', "name", "line breaks"),
    ("name too long", one(top=', "name2": 1').replace('"s"', '"' + "s" * 81 + '"'), "name", "at most 80"),
    ("no actions", '{"name": "s"}', "actions", "is missing"),
    ("empty actions", '{"name": "s", "actions": []}', "actions", "is an empty list"),
    ("actions are a table", '{"name": "s", "actions": {}}', "actions", "must be a list"),
    ("action is a text", '{"name": "s", "actions": ["call"]}', "actions[0]", "must be a table"),
    (
        "unknown field on top",
        one(top=', "retry_countr": "shared"'),
        "retry_countr",
        "did you mean retry_counter?",
    ),
    ("unknown field", one(extra=', "priorty": 3'), "actions[0].priorty", "did you mean priority?"),
    ("email field on a call", one(extra=', "subject": "S"'), "actions[0].subject", "is unknown"),
    ("unknown channel", one().replace('"call"', '"cal"'), "actions[0].channel", "did you mean call?"),
    ("no channel", '{"name": "s", "actions": [{"name": "a"}]}', "actions[0].channel", "is missing"),
    ("bad action name", one().replace('"a"', '"1 a"'), "actions[0].name", "letters, digits"),
    ("reserved name", one().replace('"a"', '"done"'), "actions[0].name", "has a meaning"),
    ("name again", f'{{"name": "s", "actions": [{CALL % ""}, {CALL % ""}]}}', "actions[1].name", "again"),
    ("negative minimum", one(extra=', "minimum": -1'), "actions[0].minimum", "from 0"),
    ("maximum 0", one(extra=', "maximum": 0'), "actions[0].maximum", "from 1"),
    ("minimum over maximum", one(extra=', "minimum": 31'), "actions[0].minimum", "30 (the default)"),
    ("priority 11", one(extra=', "priority": 11'), "actions[0].priority", "from 1 to 10, not 11"),
    ("priority true", one(extra=', "priority": true'), "actions[0].priority", "not True"),
    ("priority 2.5", one(extra=', "priority": 2.5'), "actions[0].priority", "whole number"),
    ("allocation", one(extra=', "allocation": "reserve"'), "actions[0].allocation", "did you mean reserved?"),
    ("pacing 0", one(extra=', "pacing": 0'), "actions[0].pacing", "from 0.001"),
    ("pacing NaN", one(extra=', "pacing": NaN'), "actions[0].pacing", "must be a number"),
    ("pacing huge", one(extra=f', "pacing": {10**400}'), "actions[0].pacing", "that large"),
    ("attempts 0", one(extra=', "max_attempts": 0'), "actions[0].max_attempts", "from 1"),
    ("ring too short", one(extra=', "ring_timeout": 14'), "actions[0].ring_timeout", "from 15"),
    (
        "no prompt",
        '{"name": "s", "actions": [{"name": "a", "channel": "call"}]}',
        "actions[0].prompt",
        "missing",
    ),
    ("empty prompt", one().replace('{"text": "Hi"}', "{}"), "actions[0].prompt", "exactly one"),
    ("two prompts", one().replace('"Hi"', '"Hi", "file": "x.wav"'), "actions[0].prompt", "exactly one"),
    (
        "prompt outside",
        one().replace('"text": "Hi"', '"file": "../x"'),
        "actions[0].prompt.file",
        "leaves it",
    ),
    ("on_machine", one(extra=', "on_machine": "hang up"'), "actions[0].on_machine", "did you mean hangup?"),
    ("address", one(extra=', "addresses": ["phone", "email"]'), "actions[0].addresses[1]", "phone2"),
    ("address twice", one(extra=', "addresses": ["phone", "phone"]'), "actions[0].addresses[1]", "again"),
    ("no address", one(extra=', "addresses": []'), "actions[0].addresses", "empty list"),
    ("retry is a list", one(extra=', "retry": []'), "actions[0].retry", "must be a table"),
    ("retry of an answer", one(extra=', "retry": {"answered": {}}'), "actions[0].retry.answered", "unknown"),
    ("retry misspelt", one(extra=', "retry": {"bussy": {}}'), "actions[0].retry.bussy", "did you mean busy?"),
    (
        "delay",
        one(extra=', "retry": {"busy": {"delays": ["soon"]}}'),
        "actions[0].retry.busy.delays[0]",
        "seconds",
    ),
    (
        "negative delay",
        one(extra=', "retry": {"busy": {"delays": [5, -1]}}'),
        "actions[0].retry.busy.delays[1]",
        "not -1",
    ),
    (
        "no delays",
        one(extra=', "retry": {"busy": {"count": 2}}'),
        "actions[0].retry.busy.delays",
        "2 retries",
    ),
    (
        "delays too many",
        one(extra=', "retry": {"busy": {"count": 1, "delays": [1, 2]}}'),
        "actions[0].retry.busy.delays",
        "2 entries for 1",
    ),
    (
        "then",
        one(extra=', "retry": {"busy": {"then": "next_adress"}}'),
        "actions[0].retry.busy.then",
        "did you mean next_address?",
    ),
    (
        "then itself",
        one(extra=', "retry": {"busy": {"then": "a"}}'),
        "actions[0].retry.busy.then",
        "later action",
    ),
    (
        "retry of a hard bounce",
        one(MAIL, ', "retry": {"hard_bounce": {"count": 1, "delays": [9]}}'),
        "actions[0].retry.hard_bounce.count",
        "must be 0",
    ),
    ("window", one(extra=', "window": {"start": "8"}'), "actions[0].window.start", "such as 08:00"),
    (
        "window past midnight",
        one(extra=', "window": {"end": "24:30"}'),
        "actions[0].window.end",
        "00:00 to 24:00",
    ),
    (
        "window of no length",
        one(extra=', "window": {"start": "06:00", "end": "06:00"}'),
        "actions[0].window.end",
        "00:00 to 24:00",
    ),
    ("window day", one(extra=', "window": {"days": ["monday"]}'), "actions[0].window.days[0]", "mon, tue"),
    ("window without days", one(extra=', "window": {"days": []}'), "actions[0].window.days", "empty list"),
    ("no sender", one(MAIL).replace(', "from": "a@b.example"', ""), "actions[0].from", "is missing"),
    ("sender", one(MAIL).replace("a@b.example", "Team"), "actions[0].from", "email address"),
    (
        "header injection",
        one(MAIL).replace("a@b.example", r"a@b.c\nBcc: x@y.z"),
        "actions[0].from",
        "line breaks",
    ),
    ("blank subject", one(MAIL).replace('"S"', '" "'), "actions[0].subject", "is empty"),
    ("text with NUL", one(MAIL).replace('"T"', r'"T\u0000"'), "actions[0].text", "control characters"),
    (
        "text with half a character",
        one(MAIL).replace('"T"', r'"\ud83d"'),
        "actions[0].text",
        "control characters",
    ),
    ("unsubscribe", one(MAIL, ', "unsubscribe": "http://example.org/"'), "actions[0].unsubscribe", "https"),
    ("goal of two", one(top=', "goal": {"answered": 1, "delivered": 1}'), "goal", "exactly one"),
    ("goal of nothing", one(top=', "goal": {}'), "goal", "exactly one"),
    ("goal 0", one(top=', "goal": {"answered": 0}'), "goal.answered", "from 1"),
    ("goal out of reach", one(top=', "goal": {"delivered": 5}'), "goal.delivered", "never be reached"),
]


@pytest.mark.parametrize(
    ("source", "where", "problem"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_broken_document_is_refused_with_the_place(source: str | bytes, where: str, problem: str) -> None:
    found = problems(source)
    assert where in found
    assert problem in found[where]
    assert all("\n" not in text and len(text) < 300 for text in found.values())


def test_all_problems_are_found_at_once_in_the_order_of_the_document() -> None:
    extra = ', "priority": 0, "pacing": -1, "retry": {"busy": {"count": "2"}}, "colour": "red"'
    found = problems(one(extra=extra, top=', "goal": 7'))
    assert list(found) == [
        "actions[0].priority",
        "actions[0].pacing",
        "actions[0].retry.busy.count",
        "actions[0].colour",
        "goal",
    ]
    with pytest.raises(InvalidInputError, match=r"actions\[0\].priority .*\(and 4 more problems\)"):
        parse_strategy(one(extra=extra, top=', "goal": 7'))


def test_a_draft_says_its_name_whatever_else_is_wrong() -> None:
    assert document_name('{"name": "s", "actions": 3}') == "s"
    assert document_name(FULL) == "Reminder"
    for source in ('{"actions": []}', "{", '{"name": ""}'):
        with pytest.raises(InvalidInputError):
            document_name(source)


def test_actions_are_found_by_name_and_order() -> None:
    strategy: Strategy = parse_strategy(FULL)
    call, mail = strategy.actions
    assert strategy.action("mail") is mail
    assert strategy.following("call") is mail
    assert strategy.following("mail") is None
    with pytest.raises(KeyError):
        strategy.action("fax")
    assert call.windows[0].start == dt.time(9).hour * 60
