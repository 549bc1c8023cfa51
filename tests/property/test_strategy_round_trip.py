"""Any strategy that can be built can be written as a document, and reading that gives the same strategy."""

import datetime as dt
import json

from hypothesis import given
from hypothesis import strategies as st

from outrider.campaigns.changes import differences
from outrider.campaigns.condition import AllOf, AnyOf, Comparison, Condition, Not, Operator, matches
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import (
    Action,
    AttemptLimit,
    CallerRule,
    CallSettings,
    Channel,
    FinishCriteria,
    LimitPer,
    LimitScope,
    Menu,
    MenuChoice,
    NoResource,
    OnMachine,
    Prompt,
    Restrictions,
    RetryOn,
    RetryRule,
    SenderRule,
    SmsSettings,
    Strategy,
    Then,
    WhenLimited,
    Window,
)
from outrider.campaigns.strategy_actions import RETRYABLE
from outrider.campaigns.strategy_document import parse_strategy, to_document

TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=20
).filter(lambda text: text == text.strip())
NUMBERS = st.from_regex(r"\+[1-9][0-9]{6,12}", fullmatch=True)
DELAYS = st.integers(1, 86_400).map(float) | st.sampled_from([0.5, 12.25])
WAITS = DELAYS.filter(lambda delay: delay >= 1)
DISPOSITIONS = st.sampled_from(["confirmed", "later", "removed", "x9_"])


def _comparison(operator: Operator, values: list[str], attribute: str) -> Comparison:
    if operator in (Operator.IS_SET, Operator.IS_EMPTY):
        return Comparison(attribute, operator)
    if operator in (Operator.IN, Operator.NOT_IN):
        return Comparison(attribute, operator, tuple(values))
    return Comparison(attribute, operator, tuple(values[: 2 if operator is Operator.BETWEEN else 1]))


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.builds(_comparison, st.sampled_from(Operator), st.lists(TEXTS, min_size=2, max_size=4), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=4,
).filter(lambda condition: _depth(condition) <= 6)


def _depth(condition: Condition) -> int:
    match condition:
        case AllOf(parts) | AnyOf(parts):
            return 1 + max(_depth(part) for part in parts)
        case Not(part):
            return 1 + _depth(part)
    return 1


PROMPTS = st.builds(Prompt, text=TEXTS) | st.builds(Prompt, file=st.just("a/b.wav"))
CHOICES = st.lists(
    st.builds(MenuChoice, st.sampled_from("0123456789*#"), DISPOSITIONS, say=st.none() | PROMPTS),
    min_size=1, max_size=5, unique_by=lambda choice: choice.digit,
).map(tuple)  # fmt: skip
MENUS = st.builds(Menu, CHOICES, st.floats(1, 60), st.integers(0, 5), no_input=st.none() | st.just("silent"))
CALLS = st.builds(
    CallSettings,
    PROMPTS,
    st.floats(15, 300),
    st.sampled_from(OnMachine),
    st.booleans(),
    st.none() | MENUS,
    st.none() | NUMBERS,
    st.lists(st.builds(CallerRule, CONDITIONS, NUMBERS), max_size=2).map(tuple),
    st.sampled_from(NoResource),
    st.floats(0, 300),
    st.sampled_from(["", "en", "mb-de1"]),
)
SENDERS = NUMBERS | st.sampled_from(["Parcels", "A 1"])
SMS = st.builds(
    SmsSettings,
    TEXTS,
    st.just("") | SENDERS,
    st.lists(st.builds(SenderRule, CONDITIONS, SENDERS), max_size=2).map(tuple),
    st.none() | WAITS,
    st.sampled_from(["en", "pt-BR"]),
    st.none() | st.integers(60, 86_400).map(float),
)
WINDOWS = st.builds(
    lambda start, end, days: Window(start, end + (end >= start), frozenset(days)),
    st.integers(0, 1439), st.integers(0, 1439), st.sets(st.integers(0, 6), min_size=1),
)  # fmt: skip
LIMITS = st.builds(
    AttemptLimit,
    st.integers(1, 100),
    WAITS,
    st.sampled_from(LimitPer),
    st.frozensets(st.sampled_from([Channel.CALL, Channel.SMS, Channel.EMAIL])),
    st.sampled_from(LimitScope),
    st.frozensets(st.sampled_from(Outcome), max_size=2),
)
RESTRICTIONS = st.builds(
    Restrictions,
    st.lists(LIMITS, max_size=2).map(tuple),
    st.frozensets(st.dates(dt.date(1900, 1, 1), dt.date(2400, 1, 1)), max_size=3),
    st.sampled_from(WhenLimited),
)


MOMENTS = st.integers(0, 10**10).map(
    lambda micros: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
)


@st.composite
def actions(draw: st.DrawFn, name: str, later: list[str]) -> Action:
    def rule() -> RetryRule:
        delays = tuple(draw(st.lists(DELAYS, max_size=3)))
        count = len(delays) + (draw(st.integers(0, 2)) if delays else 0)
        chosen = draw(st.sampled_from(Then))
        wait = 0.0 if chosen is Then.DONE else draw(st.just(0.0) | DELAYS)
        if later and chosen is Then.NEXT_ACTION and draw(st.booleans()):
            return RetryRule(count, delays, chosen, draw(st.sampled_from(later)), wait)
        return RetryRule(count, delays, chosen, None, wait)

    channel = draw(st.sampled_from([Channel.CALL, Channel.SMS]))
    call = draw(CALLS) if channel is Channel.CALL else None
    sms = None if call else draw(SMS)
    menu = call.menu if call else None
    retryable = [outcome for outcome in RETRYABLE[channel] if outcome is not Outcome.UNKNOWN]
    reached = draw(st.none() | st.sampled_from([Then.NEXT_ACTION, Then.DONE]))
    minimum = draw(st.integers(0, 50))
    return Action(
        name,
        channel,
        tuple(draw(st.lists(st.sampled_from(["phone", "phone2", "phone10"]), min_size=1, unique=True))),
        call=call,
        sms=sms,
        condition=draw(st.none() | CONDITIONS),
        minimum=minimum,
        maximum=minimum + draw(st.integers(1, 50)),
        pacing=draw(st.none() | st.floats(0.001, 10_000)),
        max_attempts=draw(st.none() | st.integers(1, 1_000)),
        retry={outcome: rule() for outcome in retryable if draw(st.booleans())},
        retry_on=draw(st.sampled_from(RetryOn)),
        retry_interrupted=draw(st.booleans()),
        dispositions={each: rule() for each in (menu.dispositions if menu else ()) if draw(st.booleans())},
        reached=None if reached is None else RetryRule(then=reached),
        windows=tuple(draw(st.lists(WINDOWS, min_size=1, max_size=3))),
        restrictions=draw(RESTRICTIONS),
    )


@st.composite
def strategies(draw: st.DrawFn) -> Strategy:
    names = ["first", "second", "third"][: draw(st.integers(1, 3))]
    finish = FinishCriteria(
        outcomes=draw(st.dictionaries(st.sampled_from(Outcome), st.integers(1, 10**6), max_size=2)),
        after=draw(st.none() | WAITS),
        at=draw(st.none() | MOMENTS),
    )
    made = tuple(draw(actions(name, names[index + 1 :])) for index, name in enumerate(names))
    return Strategy(draw(TEXTS), made, finish=finish, restrictions=draw(RESTRICTIONS))


@given(strategies())
def test_writing_and_reading_gives_the_same_strategy(strategy: Strategy) -> None:
    document = to_document(strategy)
    read = parse_strategy(json.dumps(document))
    assert read == strategy
    assert to_document(read) == document
    assert differences(strategy, read) == []


@given(CONDITIONS, st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_a_condition_always_answers_and_its_negation_the_contrary(
    condition: Condition, attributes: dict[str, str]
) -> None:
    assert matches(condition, attributes) is not matches(Not(condition), attributes)
    assert matches(AllOf((condition, Not(condition))), attributes) is False
    assert matches(AnyOf((condition, Not(condition))), attributes) is True
