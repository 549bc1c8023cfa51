"""Conversations: events as a real Asterisk 22 gave them (trimmed) go in, ours come out."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from outrider.channels.asterisk import calls, talking
from outrider.channels.asterisk.calls import CallState, Classify, LookAgain, Moment, Phase, PromptBroke, Wish
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallClassified,
    CallEnded,
    CallEvent,
    CallRinging,
    DigitPressed,
    EndCause,
    PlaybackFinished,
)
from outrider.ids import AttemptId

CALL = AttemptId("x1")
NOW = Moment(dt.datetime(2026, 11, 23, 4, 42, 44, tzinfo=dt.UTC), 100.0)
AT = NOW.at


def channel(state: str = "Up", app: str = "Stasis", data: str = "outrider,call") -> dict[str, Any]:
    dialplan = {"context": "inbound", "exten": "s", "priority": 1, "app_name": app, "app_data": data}
    return {"id": "x1", "name": "PJSIP/trunk-0000001b", "state": state, "dialplan": dialplan}


def event(kind: str, state: str = "Up", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "application": "outrider", "channel": channel(state), **fields}


def playback(state: str) -> dict[str, Any]:
    of = {"id": "x1", "media_uri": "sound:hello-world", "target_uri": "channel:x1", "state": state}
    return {"type": "PlaybackFinished", "playback": of}


RINGING = event("ChannelStateChange", "Ringing")
ANSWERED = event("ChannelStateChange", "Up")
EARLY_MEDIA = {
    "type": "Dial",
    "dialstatus": "PROGRESS",
    "peer": channel("Down", "AppDial2", "(Outgoing Line)"),
}
STARTED = event("StasisStart", args=["call"])
TO_DETECT = event("StasisStart", args=["detect"])
TALKING = event("ChannelTalkingStarted")
CLEARED = event("ChannelDestroyed", cause=16, cause_txt="Normal Clearing")
BYE_WITHOUT_REASON = event("ChannelDestroyed", cause=0, cause_txt="Unknown")
TIMED_OUT = event("ChannelDestroyed", "Ringing", cause=19, tech_cause=480)


def judged(status: str) -> dict[str, Any]:
    return event("StasisStart", args=["amd", status, "HUMAN-800-800"])


def converse(state: CallState, *events: dict[str, Any], at: Moment = NOW) -> tuple[CallState, list[Any]]:
    told: list[CallEvent | Wish] = []
    for one in events:
        state, news = calls.take(state, one, at)
        told += news
    return state, told


def test_a_call_that_is_answered_played_to_and_hung_up() -> None:
    state, told = converse(CallState(CALL), RINGING, ANSWERED, STARTED)
    assert told == [CallRinging(CALL, AT), CallAnswered(CALL, AT)]
    state = CallState(CALL, Phase.UP, playing=True)
    state, told = converse(state, playback("done"), event("ChannelDtmfReceived", digit="1"), CLEARED)
    ended = CallEnded(CALL, AT, EndCause.NORMAL, "Q.850 cause 16, normal call clearing")
    assert told == [PlaybackFinished(CALL, AT), DigitPressed(CALL, AT, "1"), ended]
    assert state.phase is Phase.OVER


@pytest.mark.parametrize(
    ("events", "reading", "cause"),
    [
        ((event("ChannelDestroyed", "Down", cause=17, tech_cause=486),), 0, EndCause.BUSY),
        ((event("ChannelDestroyed", "Down", cause=19, tech_cause=480),), 0, EndCause.NO_ANSWER),
        ((RINGING, TIMED_OUT), 200, EndCause.NO_ANSWER),
        ((EARLY_MEDIA, TIMED_OUT), 200, EndCause.NO_ANSWER),
        ((TIMED_OUT,), 200, EndCause.CONGESTION),
        ((RINGING, CLEARED), 0, EndCause.NORMAL),
        ((STARTED, BYE_WITHOUT_REASON), 0, EndCause.NORMAL),
        ((BYE_WITHOUT_REASON,), 0, EndCause.FAILED),
    ],
)
def test_ends_are_told_apart_by_what_came_before(
    events: Sequence[dict[str, Any]], reading: float, cause: EndCause
) -> None:
    _, told = converse(CallState(CALL, gives_up_at=150.0), *events, at=Moment(AT, reading))
    end = told[-1]
    assert isinstance(end, CallEnded)
    assert end.cause is cause


def test_it_rings_once_and_early_media_is_no_ringing() -> None:
    state, told = converse(CallState(CALL), EARLY_MEDIA, RINGING, RINGING, STARTED, STARTED, RINGING)
    assert told == [CallRinging(CALL, AT), CallAnswered(CALL, AT)]
    assert state.alerted


@pytest.mark.parametrize(
    ("status", "by"),
    [
        ("HUMAN", AnsweredBy.HUMAN),
        ("MACHINE", AnsweredBy.MACHINE),
        ("NOTSURE", AnsweredBy.UNKNOWN),
        ("HANGUP", AnsweredBy.UNKNOWN),
    ],
)
def test_amd_in_the_dialplan_classifies_an_answered_call(status: str, by: AnsweredBy) -> None:
    state, told = converse(CallState(CALL), TO_DETECT, judged(status), judged("HUMAN"))
    assert told == [CallAnswered(CALL, AT, classifying=True), Classify(CALL), CallClassified(CALL, AT, by)]
    assert (state.phase, state.by) == (Phase.UP, by)


def test_a_hang_up_while_it_is_classified_ends_an_answered_call() -> None:
    _, told = converse(CallState(CALL), TO_DETECT, BYE_WITHOUT_REASON)
    assert isinstance(told[-1], CallEnded)
    assert told[-1].cause is EndCause.NORMAL


def test_a_call_of_a_former_life_is_answered_when_amd_has_judged_it() -> None:
    under_test = calls.of_living(CALL, channel(app="AMD", data="") | {"dialplan": {"context": "amd"}}, "amd")
    assert under_test is not None
    assert under_test.phase is Phase.PLACED
    _, told = converse(under_test, judged("HUMAN"))
    assert told == [CallAnswered(CALL, AT, AnsweredBy.HUMAN)]


@pytest.mark.parametrize(
    ("seen", "phase", "by"),
    [
        (channel("Down", "AppDial2", "(Outgoing Line)"), Phase.PLACED, AnsweredBy.UNKNOWN),
        (channel("Ringing", "AppDial2", "(Outgoing Line)"), Phase.PLACED, AnsweredBy.UNKNOWN),
        (channel(), Phase.UP, AnsweredBy.UNKNOWN),
        (channel(data="outrider,amd,MACHINE,LONGGREETING-1500-1500"), Phase.UP, AnsweredBy.MACHINE),
        (channel(app="", data=""), Phase.UP, AnsweredBy.UNKNOWN),
    ],
)
def test_calls_of_a_former_life_are_seen_as_they_stand(
    seen: dict[str, Any], phase: Phase, by: AnsweredBy
) -> None:
    state = calls.of_living(CALL, seen, "amd")
    assert state is not None
    assert (state.phase, state.by) == (phase, by)
    assert state.rang is (seen["state"] != "Down")


def test_calls_that_people_made_to_us_are_not_ours() -> None:
    assert calls.of_living(CALL, channel(data="outrider,inbound,4711"), "amd") is None
    assert calls.of_living(CALL, channel(data="outrider"), "amd") is None


def test_a_prompt_that_failed_is_no_end_of_a_prompt() -> None:
    state, told = converse(CallState(CALL, Phase.UP, playing=True), playback("failed"))
    assert told == [PromptBroke(CALL)]
    _, told = converse(calls.broken(state, "no such file"), CLEARED)
    assert told == [CallEnded(CALL, AT, EndCause.FAILED, "no such file")]


def test_a_playback_that_nobody_began_and_keys_before_the_answer_are_no_news() -> None:
    _, told = converse(CallState(CALL), playback("done"), event("ChannelDtmfReceived", digit="1"))
    assert told == []
    _, told = converse(CallState(CALL, Phase.UP), event("ChannelVarset", variable="A", value="B"), {})
    assert told == []


def talked_for(milliseconds: int) -> dict[str, Any]:
    return event("ChannelTalkingFinished", duration=milliseconds)


def test_by_talking_a_short_greeting_is_a_person_a_long_one_a_machine() -> None:
    asked, told = calls.detecting(CallState(CALL, Phase.CLASSIFYING))
    assert told == (LookAgain(CALL, talking.TOTAL),)
    _, told_list = converse(asked, TALKING, talked_for(381))
    assert told_list == [LookAgain(CALL, talking.GREETING), CallClassified(CALL, AT, AnsweredBy.HUMAN)]
    _, told_list = converse(asked, TALKING, talked_for(1600))
    assert told_list[-1] == CallClassified(CALL, AT, AnsweredBy.MACHINE)

    talks, _ = converse(asked, TALKING)
    assert talks.talking is not None
    _, told = calls.talked(talks, talks.talking, NOW)
    assert told == (CallClassified(CALL, AT, AnsweredBy.MACHINE),)


def test_by_talking_silence_and_noises_say_nothing() -> None:
    asked, _ = calls.detecting(CallState(CALL, Phase.CLASSIFYING))
    assert asked.talking is not None
    _, told = calls.talked(asked, asked.talking, NOW)
    assert told == (CallClassified(CALL, AT, AnsweredBy.UNKNOWN),)
    noise = (TALKING, talked_for(20))
    state, told_list = converse(asked, *noise, *noise, *noise)
    assert state.phase is Phase.CLASSIFYING
    state, told_list = converse(state, *noise)
    assert told_list[-1] == CallClassified(CALL, AT, AnsweredBy.UNKNOWN)


def test_a_look_that_is_overtaken_by_events_decides_nothing() -> None:
    asked, _ = calls.detecting(CallState(CALL, Phase.CLASSIFYING))
    assert asked.talking is not None
    talks, _ = converse(asked, TALKING)
    assert calls.talked(talks, asked.talking, NOW) == (talks, ())
    up, _ = calls.verdict(talks, AnsweredBy.HUMAN, NOW)
    assert calls.verdict(up, AnsweredBy.MACHINE, NOW) == (up, ())
    assert calls.detecting(up) == (up, ())
    assert converse(up, TALKING, talked_for(3000)) == (up, [])
