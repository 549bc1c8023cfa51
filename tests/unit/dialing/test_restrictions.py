"""Limits of attempts: who is held back, by which limit, and until when."""

import datetime as dt

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import AttemptLimit, Channel, LimitPer, LimitScope
from outrider.dialing.restrictions import (
    HistoryNeeded,
    PastAttempt,
    Planned,
    explained,
    history_needed,
    next_allowed,
)

NOW = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = 86_400
PLANNED = Planned(Channel.CALL, campaign_id=1, contact_id=7, address="+1202")


def past(
    hours: float,
    *,
    channel: Channel = Channel.CALL,
    campaign: int = 1,
    contact: int = 7,
    address: str = "+1202",
    outcome: Outcome | None = Outcome.BUSY,
) -> PastAttempt:
    return PastAttempt(NOW - hours * HOUR, channel, campaign, contact, address, outcome)


def held_until(limit: AttemptLimit, *history: PastAttempt) -> dt.datetime | None:
    held = next_allowed((limit,), history, PLANNED, NOW)
    return None if held is None else held.until


def test_three_in_a_day() -> None:
    limit = AttemptLimit(3, DAY)
    assert held_until(limit) is None
    assert held_until(limit, past(1), past(2)) is None
    assert held_until(limit, past(5), past(1), past(2)) == NOW + 19 * HOUR
    assert held_until(limit, past(5), past(1), past(2), past(30)) == NOW + 19 * HOUR
    assert held_until(limit, past(5), past(1), past(2), past(9)) == NOW + 19 * HOUR
    assert held_until(limit, past(1), past(2), past(24)) is None


def test_after_the_wait_it_is_allowed() -> None:
    limit, history = AttemptLimit(2, DAY), (past(5), past(1), past(20))
    until = held_until(limit, *history)
    assert until is not None
    assert next_allowed((limit,), history, PLANNED, until) is None
    assert next_allowed((limit,), history, PLANNED, until - dt.timedelta(seconds=1)) is not None


def test_contact_and_address_are_counted_apart() -> None:
    by_contact, by_address = AttemptLimit(1, DAY), AttemptLimit(1, DAY, LimitPer.ADDRESS)
    other_number, other_contact = past(1, address="+1303"), past(1, contact=8)
    assert held_until(by_contact, other_number) == NOW + 23 * HOUR
    assert held_until(by_contact, other_contact) is None
    assert held_until(by_address, other_number) is None
    assert held_until(by_address, other_contact) == NOW + 23 * HOUR
    webhook = Planned(Channel.WEBHOOK, 1, 7, "")
    assert next_allowed((by_address,), (past(1, channel=Channel.WEBHOOK, address=""),), webhook, NOW) is None


def test_channels_campaigns_and_outcomes() -> None:
    calls = AttemptLimit(1, DAY, channels=frozenset({Channel.CALL}))
    assert held_until(calls, past(1, channel=Channel.SMS)) is None
    assert held_until(calls, past(1)) is not None
    mail = Planned(Channel.EMAIL, 1, 7, "a@b.example")
    assert next_allowed((calls,), (past(1),), mail, NOW) is None
    assert held_until(AttemptLimit(1, DAY), past(1, campaign=2)) is None
    everywhere = AttemptLimit(1, DAY, campaigns=LimitScope.ORGANIZATION)
    assert held_until(everywhere, past(1, campaign=2)) is not None
    conversation = AttemptLimit(1, 7 * DAY, outcomes=frozenset({Outcome.ANSWERED}))
    assert held_until(conversation, past(1), past(2, outcome=None)) is None
    assert held_until(conversation, past(24, outcome=Outcome.ANSWERED)) == NOW + 6 * 24 * HOUR
    assert held_until(AttemptLimit(1, DAY), past(0, outcome=None)) == NOW + 24 * HOUR


def test_the_longest_of_several_limits_binds_and_is_told() -> None:
    limits = (AttemptLimit(1, 3_600), AttemptLimit(2, DAY, LimitPer.ADDRESS, frozenset({Channel.CALL})))
    held = next_allowed(limits, (past(0.5), past(10)), PLANNED, NOW)
    assert held is not None
    assert held.until == NOW + 14 * HOUR
    assert explained(held) == "at most 2 attempts by call in 24 h per address, over this campaign"


def test_what_has_to_be_known() -> None:
    texts = AttemptLimit(1, 60, LimitPer.ADDRESS, frozenset({Channel.SMS}), LimitScope.ORGANIZATION)
    limits = (AttemptLimit(1, DAY), texts)
    assert history_needed(limits, Channel.CALL) == HistoryNeeded(
        DAY, by_contact=True, by_address=False, organization=False
    )
    assert history_needed(limits, Channel.SMS) == HistoryNeeded(
        DAY, by_contact=True, by_address=True, organization=True
    )
    assert history_needed((texts,), Channel.EMAIL) is None
    assert history_needed((), Channel.CALL) is None
