"""Calls of a former life whose end was all that is left to hear, and calls that are gone without news."""

import datetime as dt

import pytest

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallRinging,
    EndCause,
    PlaybackFinished,
    Prompt,
)
from outrider.dialing import engine
from outrider.dialing.call_script import CallPlan
from outrider.dialing.commands import Finish
from outrider.dialing.state import AttemptState
from outrider.ids import AttemptId

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
CALL = AttemptId("a" * 32)
PLAN = CallPlan(Prompt("Hello."))
LEAVES_MESSAGE = CallPlan(Prompt("Hello."), leave_message=True)

RANG = CallRinging(CALL, NOW)
TAKEN = CallAnswered(CALL, NOW, AnsweredBy.MACHINE)
PLAYED = PlaybackFinished(CALL, NOW)


def ended(cause: EndCause) -> CallEnded:
    return CallEnded(CALL, NOW, cause)


def outcome_of(state: AttemptState, *events: CallEvent) -> Outcome:
    """Return the outcome of the one Finish that the events lead to."""
    finishes = []
    for event in events:
        state, commands = engine.handle(state, event)
        finishes += [command for command in commands if isinstance(command, Finish)]
    assert len(finishes) == 1
    return finishes[0].outcome


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([ended(EndCause.NORMAL)], Outcome.INTERRUPTED),
        ([ended(EndCause.FAILED)], Outcome.INTERRUPTED),
        ([ended(EndCause.BUSY)], Outcome.BUSY),
        ([ended(EndCause.NO_ANSWER)], Outcome.NO_ANSWER),
        ([PLAYED, ended(EndCause.NORMAL)], Outcome.ANSWERED),
        ([TAKEN, ended(EndCause.NORMAL)], Outcome.MACHINE),
        ([RANG, ended(EndCause.FAILED)], Outcome.FAILED),
    ],
)
def test_only_what_is_sure_is_recorded_of_a_call_joined_late(
    events: list[CallEvent], outcome: Outcome
) -> None:
    assert outcome_of(engine.join_late(CALL, PLAN), *events) is outcome


def test_whoever_heard_a_message_that_machines_get_too_is_not_known() -> None:
    state = engine.join_late(CALL, LEAVES_MESSAGE)
    assert outcome_of(state, PLAYED, ended(EndCause.NORMAL)) is Outcome.INTERRUPTED


def test_a_call_that_is_gone_keeps_what_its_answer_earned() -> None:
    state = AttemptState(CALL, PLAN)
    _, commands = engine.lost(state, NOW, "gone")
    assert commands == (Finish(CALL, Outcome.INTERRUPTED, NOW, None, "gone"),)
    answered, _ = engine.handle(state, CallAnswered(CALL, NOW, AnsweredBy.HUMAN))
    done, commands = engine.lost(answered, NOW, "gone")
    assert commands == (Finish(CALL, Outcome.ANSWERED, NOW, NOW, "gone"),)
    assert engine.lost(done, NOW, "gone") == (done, ())
