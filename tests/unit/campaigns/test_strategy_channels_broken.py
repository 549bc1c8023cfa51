"""What is said of calls with menus, texts, mails, webhooks, conditions and limits that are wrong."""

import pytest

from outrider.campaigns.strategy_document import parse_strategy
from outrider.errors import InvalidInputError

CALL = '{"name": "a", "channel": "call", "prompt": {"text": "Hi"}%s}'
TEXT = '{"name": "t", "channel": "sms", "text": "T"%s}'
MAIL = '{"name": "m", "channel": "email", "subject": "S", "text": "T", "from": "a@b.example"%s}'
HOOK = '{"name": "w", "channel": "webhook", "url": "https://crm.example/"%s}'
CHOICE = '{"digit": "1", "disposition": "yes_please"}'


def menu(extra: str = "", choices: str = CHOICE) -> str:
    return f', "menu": {{"choices": [{choices}]{extra}}}'


def condition(inner: str) -> str:
    return f', "condition": {inner}'


def restrict(inner: str) -> str:
    return f', "restrictions": {{{inner}}}'


IS_SET = '{"attribute": "a", "operator": "is_set"}'

BROKEN: list[tuple[str, str, str, str, str]] = [
    ("menu without choices", CALL, ', "menu": {}', "menu.choices", "is missing"),
    ("menu of no choice", CALL, ', "menu": {"choices": []}', "menu.choices", "empty list"),
    ("choice is a text", CALL, menu(choices='"1"'), "menu.choices[0]", "must be a table"),
    ("no digit", CALL, menu(choices='{"disposition": "x"}'), "menu.choices[0].digit", "is missing"),
    ("digit", CALL, menu(choices='{"digit": "12", "disposition": "x"}'), "menu.choices[0].digit", "0 to 9"),
    ("digit A", CALL, menu(choices='{"digit": "A", "disposition": "x"}'), "menu.choices[0].digit", "keys"),
    ("digit twice", CALL, menu(choices=f"{CHOICE}, {CHOICE}"), "menu.choices[1].digit", "again"),
    ("no disposition", CALL, menu(choices='{"digit": "1"}'), "menu.choices[0].disposition", "is missing"),
    (
        "disposition of two words",
        CALL,
        menu(choices='{"digit": "1", "disposition": "Yes please"}'),
        "menu.choices[0].disposition",
        "small letters",
    ),
    (
        "disposition like an outcome",
        CALL,
        menu(choices='{"digit": "1", "disposition": "busy"}'),
        "menu.choices[0].disposition",
        "is an outcome",
    ),
    (
        "words without speech",
        CALL,
        menu(choices='{"digit": "1", "disposition": "x", "word": "yes"}'),
        "menu.speech",
        "must be true",
    ),
    ("speech without words", CALL, menu(', "speech": true'), "menu.speech", "no choice has a word"),
    (
        "word",
        CALL,
        menu(choices='{"digit": "1", "disposition": "x", "word": "1!"}'),
        "menu.choices[0].word",
        "spoken",
    ),
    ("menu timeout", CALL, menu(', "timeout": "2m"'), "menu.timeout", "from 1s to 1m"),
    ("menu repeats", CALL, menu(', "repeats": 9'), "menu.repeats", "from 0 to 5"),
    ("menu no_input", CALL, menu(', "no_input": "No input"'), "menu.no_input", "small letters"),
    (
        "say of nothing",
        CALL,
        menu(choices='{"digit": "1", "disposition": "x", "say": {}}'),
        "menu.choices[0].say",
        "exactly one",
    ),
    ("caller id", CALL, ', "caller_id": "Bank"', "caller_id", "number"),
    (
        "caller rule without condition",
        CALL,
        ', "caller_ids": [{"caller_id": "+1202555"}]',
        "caller_ids[0].condition",
        "missing",
    ),
    ("no_resource", CALL, ', "no_resource": "digit"', "no_resource", "did you mean digits?"),
    ("resource_wait", CALL, ', "resource_wait": -1', "resource_wait", "seconds"),
    ("voice", CALL, ', "voice": "en; rm"', "voice", "speech engine"),
    ("dispositions without menu", CALL, ', "dispositions": {"x": {}}', "dispositions", "need a menu"),
    (
        "disposition that nobody gives",
        CALL,
        menu() + ', "dispositions": {"yes_pleas": {}}',
        "dispositions.yes_pleas",
        "did you mean yes_please?",
    ),
    (
        "called again after a removal",
        CALL,
        menu(choices='{"digit": "9", "do_not_contact": true}')
        + ', "dispositions": {"removed": {"count": 1, "delays": [1]}}',
        "dispositions.removed",
        "must end with done",
    ),
    ("dispositions of a text", TEXT, ', "dispositions": {}', "dispositions", "is unknown"),
    ("retry_on", CALL, ', "retry_on": "looping"', "retry_on", "did you mean loop?"),
    ("reached stays", CALL, ', "reached": {"then": "next_address"}', "reached.then", "must be next_action"),
    ("reached counts", CALL, ', "reached": {"count": 1}', "reached.count", "is unknown"),
    (
        "delay to nowhere",
        CALL,
        ', "retry": {"busy": {"then": "done", "then_delay": 5}}',
        "retry.busy.then_delay",
        "nothing",
    ),
    (
        "then_delay",
        CALL,
        ', "retry": {"busy": {"then_delay": "31d"}}',
        "retry.busy.then_delay",
        "from 0s to 30d",
    ),
    ("no text", '{"name": "t", "channel": "sms"%s}', "", "text", "is missing"),
    ("text too long", TEXT.replace('"T"', f'"{"x" * 2_001}"'), "", "text", "at most 2000"),
    ("sender too long", TEXT, ', "sender": "Parcel-Service"', "sender", "11 letters"),
    ("language", TEXT, ', "language": "German"', "language", "ISO 639"),
    ("receipt_wait", TEXT, ', "receipt_wait": "8d"', "receipt_wait", "from 1s to 7d"),
    ("validity", TEXT, ', "validity": 5', "validity", "from 1m"),
    ("address of a text", TEXT, ', "addresses": ["email"]', "addresses[0]", "phone2"),
    (
        "a text of unknown fate",
        TEXT,
        ', "retry": {"unknown": {"count": 1, "delays": [1]}}',
        "retry.unknown.count",
        "must be 0",
    ),
    ("retry of a busy text", TEXT, ', "retry": {"busy": {}}', "retry.busy", "is unknown"),
    (
        "sender rule",
        TEXT,
        ', "sender_rules": [{"sender": "A", "condition": {}}]',
        "sender_rules[0].condition.attribute",
        "missing",
    ),
    ("attachment outside", MAIL, ', "attachments": ["../key.pem"]', "attachments[0]", "leaves it"),
    ("attachment again", MAIL, ', "attachments": ["a", "a"]', "attachments[1]", "again"),
    ("attachment is a number", MAIL, ', "attachments": [1]', "attachments[0]", "must be a text"),
    (
        "mail sender rule",
        MAIL,
        ', "sender_rules": [{"sender": "A", "condition": {}}]',
        "sender_rules[0].sender",
        "email",
    ),
    ("no url", '{"name": "w", "channel": "webhook"%s}', "", "url", "is missing"),
    ("plain http", HOOK.replace("https", "http"), "", "url", "https"),
    ("password in the url", HOOK.replace("crm", "me:secret@crm"), "", "url", "without a password"),
    ("port of the url", HOOK.replace("example", "example:99999"), "", "url", "https"),
    (
        "secret in plain",
        HOOK,
        ', "headers": {"authorization": "Bearer 1"}',
        "headers.authorization",
        "secret_headers",
    ),
    ("header of ours", HOOK, ', "headers": {"Content-Length": "1"}', "headers.Content-Length", "can be set"),
    ("header injection", HOOK, r', "headers": {"X-A": "1\r\nX-B: 2"}', "headers.X-A", "line breaks"),
    (
        "secret name",
        HOOK,
        ', "secret_headers": {"X-A": "Bearer 1"}',
        "secret_headers.X-A",
        "secret of the settings",
    ),
    (
        "header twice",
        HOOK,
        ', "headers": {"X-A": "1"}, "secret_headers": {"x-a": "b"}',
        "secret_headers.x-a",
        "too",
    ),
    ("body is no JSON", HOOK, ', "body": "{name}"', "body", "is not JSON"),
    ("body is a list", HOOK, ', "body": [1]', "body", "JSON object"),
    ("webhook timeout", HOOK, ', "timeout": "5m"', "timeout", "from 1s to 1m"),
    ("webhook address", HOOK, ', "addresses": ["phone"]', "addresses", "is unknown"),
    ("condition of nothing", CALL, condition("{}"), "condition.attribute", "is missing"),
    ("condition of two", CALL, condition('{"all": [], "not": {}}'), "condition", "exactly one"),
    ("condition of an empty list", CALL, condition('{"any": []}'), "condition.any", "empty list"),
    (
        "operator",
        CALL,
        condition('{"attribute": "a", "operator": "equal", "value": 1}'),
        "condition.operator",
        "did you mean equals?",
    ),
    ("no value", CALL, condition('{"attribute": "a", "operator": "less"}'), "condition.value", "is missing"),
    (
        "value of is_set",
        CALL,
        condition('{"attribute": "a", "operator": "is_set", "value": 1}'),
        "condition.value",
        "left out",
    ),
    (
        "between one",
        CALL,
        condition('{"attribute": "a", "operator": "between", "values": [1]}'),
        "condition.values",
        "lowest",
    ),
    (
        "in a text",
        CALL,
        condition('{"attribute": "a", "operator": "in", "values": "x"}'),
        "condition.values",
        "must be a list",
    ),
    (
        "value is a table",
        CALL,
        condition('{"attribute": "a", "operator": "equals", "value": {}}'),
        "condition.value",
        "a table",
    ),
    (
        "condition too deep",
        CALL,
        condition('{"not": ' * 7 + IS_SET + "}" * 7),
        "condition.not.not.not.not.not.not",
        "deep",
    ),
    (
        "limit without period",
        CALL,
        restrict('"limits": [{"attempts": 1}]'),
        "restrictions.limits[0].period",
        "missing",
    ),
    (
        "limit of 0",
        CALL,
        restrict('"limits": [{"attempts": 0, "period": 5}]'),
        "restrictions.limits[0].attempts",
        "from 1",
    ),
    (
        "limit channel",
        CALL,
        restrict('"limits": [{"attempts": 1, "period": 5, "channels": ["mail"]}]'),
        "restrictions.limits[0].channels[0]",
        "did you mean email?",
    ),
    (
        "limit outcome",
        CALL,
        restrict('"limits": [{"attempts": 1, "period": 5, "outcomes": ["hung"]}]'),
        "restrictions.limits[0].outcomes[0]",
        "one of",
    ),
    (
        "holiday",
        CALL,
        restrict('"holidays": ["25.12.2026"]'),
        "restrictions.holidays[0]",
        "such as 2026-12-25",
    ),
    (
        "holiday twice",
        CALL,
        restrict('"holidays": ["2026-12-25", "2026-12-25"]'),
        "restrictions.holidays[1]",
        "again",
    ),
    ("both windows", CALL, ', "window": {}, "windows": [{}]', "windows", "keep one"),
    (
        "window from 24:00",
        CALL,
        ', "windows": [{"start": "24:00", "end": "06:00"}]',
        "windows[0].start",
        "before 24:00",
    ),
]


@pytest.mark.parametrize(
    ("action", "extra", "where", "problem"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_broken_action_is_refused_with_the_place(action: str, extra: str, where: str, problem: str) -> None:
    found = problems(f'{{"name": "s", "actions": [{action % extra}]}}')
    assert problem in found.get(f"actions[0].{where}", f"nothing; but {found}")
    assert all("\n" not in text and len(text) < 400 for text in found.values())


@pytest.mark.parametrize(
    ("top", "where", "problem"),
    [
        ('"finish": {}', "finish", "is empty"),
        ('"finish": {"after": "soon"}', "finish.after", "such as"),
        ('"finish": {"at": "2026-05-01T18:00"}', "finish.at", "with its offset"),
        ('"finish": {"at": 7}', "finish.at", "with its offset"),
        ('"finish": {"outcomes": {"answered": 0}}', "finish.outcomes.answered", "from 1"),
        ('"finish": {"outcomes": {"accepted": 1}}', "finish.outcomes.accepted", "is unknown"),
        ('"finish": {"dispositions": {"accepted": 1}}', "finish.dispositions.accepted", "no menu gives it"),
        ('"restrictions": {"limit": []}', "restrictions.limit", "did you mean limits?"),
        ('"goal": {"sent": 1}', "goal.sent", "never be reached"),
    ],
)
def test_a_broken_strategy_is_refused_with_the_place(top: str, where: str, problem: str) -> None:
    found = problems(f'{{"name": "s", {top}, "actions": [{CALL % ""}]}}')
    assert problem in found.get(where, f"nothing; but {found}")


def problems(source: str) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        parse_strategy(source)
    listed = caught.value.facts["problems"]
    assert isinstance(listed, list)
    return {each["where"]: each["problem"] for each in listed}
