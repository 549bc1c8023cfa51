"""Properties of calling hours and of retries, over random windows, zones, strategies and outcomes."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from outrider.campaigns.hours import next_open, window_state
from outrider.campaigns.outcome import CALL_RETRYABLE, CLOSED, REACHED, Outcome
from outrider.campaigns.strategy import (
    Action,
    CallSettings,
    Channel,
    Hours,
    Prompt,
    RetryCounter,
    RetryOn,
    RetryRule,
    Strategy,
    Then,
    Window,
)
from outrider.dialing.retry import Counters, Final, NextAction, Retry, decide

ZONES = st.sampled_from(
    [
        "UTC", "Europe/Paris", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia",
        "Australia/Lord_Howe", "Africa/Cairo", "America/Asuncion", "Africa/Casablanca", "Antarctica/Troll",
    ]
)  # fmt: skip
MOMENTS = st.integers(0, 6 * 366 * 86_400).map(
    lambda seconds: dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
)
WINDOWS = st.builds(
    lambda start, end, days: Window(start, end + (end >= start), frozenset(days)),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sets(st.integers(0, 6), min_size=1),
)
DATES = st.integers(0, 6 * 366).map(lambda days: dt.date(2024, 1, 1) + dt.timedelta(days=days))
HOURS = st.builds(
    lambda windows, holidays: Hours(tuple(windows), frozenset(holidays)),
    st.lists(WINDOWS, min_size=1, max_size=3),
    st.sets(DATES, max_size=4),
)
"""Windows that go over midnight and holidays included."""


@given(st.lists(ZONES, min_size=1, max_size=3, unique=True), HOURS, MOMENTS, st.data())
def test_the_next_opening_is_open_and_nothing_before_it_is(
    zones: list[str], window: Hours, now: dt.datetime, data: st.DataObject
) -> None:
    opening = next_open(zones, window, now)
    if opening is None:
        end = now + dt.timedelta(days=16)
    else:
        assert opening >= now
        assert opening.tzinfo is dt.UTC
        assert window_state(zones, window, opening)
        assert next_open(zones, window, opening) == opening
        end = opening
    seconds = int((end - now).total_seconds())
    if seconds:
        probes = data.draw(st.lists(st.integers(0, seconds - 1), max_size=50))
        probes += range(max(0, seconds - 7_200), seconds, 60)
        assert not any(window_state(zones, window, now + dt.timedelta(seconds=probe)) for probe in probes)


@given(ZONES, HOURS, MOMENTS)
def test_one_zone_always_opens_again(zone: str, hours: Hours, now: dt.datetime) -> None:
    assert next_open(zone, hours, now) is not None


@given(ZONES, WINDOWS, MOMENTS, st.integers(1, 40))
def test_a_run_of_holidays_is_waited_out(zone: str, window: Window, now: dt.datetime, days: int) -> None:
    holidays = frozenset(now.date() + dt.timedelta(days=each - 1) for each in range(days + 2))
    opening = next_open(zone, Hours((window,), holidays), now)
    assert opening is not None
    assert window_state(zone, Hours((window,), holidays), opening)
    assert opening >= now + dt.timedelta(days=days - 1)


RULES = st.builds(
    lambda delays, extra, then: RetryRule(len(delays) + (extra if delays else 0), tuple(delays), then),
    st.lists(st.floats(0, 3600), max_size=3),
    st.integers(0, 2),
    st.sampled_from(Then),
)
LIMITS = st.none() | st.integers(1, 12)


def _action(
    name: str, retry: dict[Outcome, RetryRule], most: int | None, *, interrupted: bool, on: RetryOn
) -> Action:
    return Action(
        name, Channel.CALL, ("phone",), call=CallSettings(Prompt(text="Hi")), retry=retry,
        max_attempts=most, retry_interrupted=interrupted, retry_on=on,
    )  # fmt: skip


ACTIONS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(CALL_RETRYABLE), RULES),
        LIMITS,
        st.booleans(),
        st.sampled_from(RetryOn),
    ),
    min_size=1,
    max_size=3,
).map(
    lambda parts: tuple(
        _action(f"a{index}", retry, most, interrupted=interrupted, on=on)
        for index, (retry, most, interrupted, on) in enumerate(parts)
    )
)
STRATEGIES = st.builds(
    lambda actions, most, counter: Strategy("s", actions, max_attempts=most, retry_counter=counter),
    ACTIONS,
    LIMITS,
    st.sampled_from(RetryCounter),
)
UNREACHED = st.sampled_from([*CALL_RETRYABLE, Outcome.INTERRUPTED])


@given(STRATEGIES, st.integers(1, 4), st.data())
def test_every_contact_comes_to_its_end_within_its_limits(
    strategy: Strategy, addresses: int, data: st.DataObject
) -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    counters, name, index, in_action = Counters(), strategy.actions[0].name, 0, 0
    order = [action.name for action in strategy.actions]
    most = sum(
        addresses * (4 + sum(rule.count for rule in action.retry.values())) for action in strategy.actions
    )
    for attempt in range(1, most + 2):
        counters = counters.with_attempt()
        in_action += 1
        outcome = data.draw(UNREACHED)
        decision = decide(strategy, name, counters, outcome, now, index, addresses)
        assert strategy.max_attempts is None or attempt <= strategy.max_attempts
        limit = strategy.action(name).max_attempts
        assert limit is None or in_action <= limit
        if isinstance(decision, Final):
            assert decision.outcome is outcome
            return
        assert isinstance(decision, Retry | NextAction)
        assert decision.at >= now
        assert decision.counters.attempts == attempt
        if isinstance(decision, Retry):
            looping = strategy.action(name).retry_on is RetryOn.LOOP
            assert (0 if looping else index) <= decision.address_index < addresses
            index = decision.address_index
        else:
            assert isinstance(decision, NextAction)
            assert order.index(decision.name) > order.index(name)
            name, index, in_action = decision.name, 0, 0
        counters, now = decision.counters, decision.at
    raise AssertionError(f"no end after {most} attempts")


@given(STRATEGIES, st.sampled_from(sorted(REACHED | CLOSED)), st.integers(1, 4))
def test_what_is_reached_or_closed_is_final(strategy: Strategy, outcome: Outcome, addresses: int) -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    first = strategy.actions[0].name
    assert decide(strategy, first, Counters(1, 1), outcome, now, 0, addresses) == Final(outcome)
