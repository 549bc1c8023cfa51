"""Calls that an agent is to talk on, as the engine sees them: events in, commands out."""

import datetime as dt

import pytest

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallClassified,
    CallEnded,
    EndCause,
    LivingCall,
    OutboundCall,
    PlaybackFinished,
    Prompt,
    PromptFailed,
)
from outrider.dialing import engine
from outrider.dialing.call_script import AgentLine, CallPlan
from outrider.dialing.commands import (
    AgentFound,
    AgentMissed,
    Command,
    DropOffer,
    FindAgent,
    Finish,
    HangUp,
    JoinFailed,
    JoinRoom,
    Play,
    RoomJoined,
)
from outrider.dialing.state import AttemptState
from outrider.ids import AttemptId

AT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
CALL = AttemptId("c1")
SORRY = Prompt("This was a call of Example Ltd.")
PLAN = CallPlan(Prompt("for machines"), agents=AgentLine(2.0, abandoned=SORRY))


def play(*events: engine.News, plan: CallPlan = PLAN) -> tuple[AttemptState, list[Command]]:
    """Make a call, let these things happen to it; return the last state and all commands after the first."""
    state, _ = engine.place_call(OutboundCall(CALL, "+4315550"), plan)
    commands: list[Command] = []
    for event in events:
        state, more = engine.handle(state, event)
        commands += more
    return state, commands


def answered(by: AnsweredBy = AnsweredBy.HUMAN) -> CallAnswered:
    return CallAnswered(CALL, AT, by)


def ended(cause: EndCause = EndCause.NORMAL) -> CallEnded:
    return CallEnded(CALL, AT, cause)


FOUND, JOINED = AgentFound(CALL, 7, "room"), RoomJoined(CALL, AT)


def test_a_person_is_joined_to_an_agent_and_the_attempt_is_answered() -> None:
    _, commands = play(answered(), FOUND, JOINED, ended())
    assert commands == [
        FindAgent(CALL, 2.0),
        JoinRoom(CALL, "room"),
        Finish(CALL, Outcome.ANSWERED, AT, AT, "", session=7, joined_at=AT),
    ]


def test_a_person_whom_nobody_takes_hears_the_message_and_is_abandoned() -> None:
    _, commands = play(answered(), AgentMissed(CALL), PlaybackFinished(CALL, AT), ended())
    assert commands[1:] == [Play(CALL, SORRY), HangUp(CALL), Finish(CALL, Outcome.ABANDONED, AT, AT, "")]


@pytest.mark.parametrize("news", [PromptFailed(CALL, AT, "no voice"), PlaybackFinished(CALL, AT)])
def test_an_abandoned_call_stays_abandoned_whatever_becomes_of_its_message(news: engine.News) -> None:
    _, commands = play(answered(), AgentMissed(CALL), news, ended())
    assert [each.outcome for each in commands if isinstance(each, Finish)] == [Outcome.ABANDONED]


@pytest.mark.parametrize("before", [(), (FOUND,)])
def test_a_person_who_hangs_up_before_an_agent_was_there_is_abandoned(
    before: tuple[engine.News, ...],
) -> None:
    _, commands = play(answered(), *before, ended())
    assert commands[-2] == DropOffer(CALL)
    assert commands[-1] == Finish(CALL, Outcome.ABANDONED, AT, AT, "hung up before an agent was there")


def test_another_agent_is_looked_for_when_the_call_cannot_be_joined() -> None:
    failed = JoinFailed(CALL, "the agent's leg is gone")
    _, commands = play(answered(), FOUND, failed, FOUND, failed, FOUND, failed)
    assert [type(each) for each in commands] == [FindAgent, JoinRoom] * 3 + [Play]


def test_a_machine_gets_the_message_for_machines_or_nothing_but_never_an_agent() -> None:
    _, commands = play(answered(AnsweredBy.MACHINE))
    assert commands == [HangUp(CALL)]
    classifying = CallAnswered(CALL, AT, classifying=True)
    _, commands = play(classifying, CallClassified(CALL, AT, AnsweredBy.MACHINE))
    assert commands == [HangUp(CALL)]
    _, commands = play(classifying, CallClassified(CALL, AT, AnsweredBy.HUMAN))
    assert commands == [FindAgent(CALL, 2.0)]


def test_news_that_comes_late_or_twice_changes_nothing() -> None:
    state, _ = play(answered(), FOUND, JOINED)
    for late in (FOUND, JOINED, AgentMissed(CALL), JoinFailed(CALL, "?")):
        assert engine.handle(state, late) == (state, ())


def test_a_pair_that_talks_is_taken_over_talking() -> None:
    living = LivingCall(CALL, answered=True, room="room")
    state, commands = engine.adopt(living, PLAN, AT, talks_with=7)
    assert commands == ()
    _, commands = engine.handle(state, ended())
    assert commands == (Finish(CALL, Outcome.ANSWERED, AT, AT, "", session=7, joined_at=AT),)


def test_a_person_who_waited_through_a_restart_is_offered_again() -> None:
    _, commands = engine.adopt(LivingCall(CALL, answered=True), PLAN, AT)
    assert commands == (FindAgent(CALL, 2.0),)


def test_a_call_that_is_lost_while_an_agent_is_looked_for_is_abandoned() -> None:
    state, _ = play(answered())
    _, commands = engine.lost(state, AT, "the server died")
    assert [each.outcome for each in commands if isinstance(each, Finish)] == [Outcome.ABANDONED]


def test_a_talk_that_ended_while_nobody_listened_was_answered() -> None:
    state = engine.join_talking(CALL, PLAN, 7, AT)
    _, commands = engine.handle(state, ended())
    assert commands == (Finish(CALL, Outcome.ANSWERED, AT, AT, "", session=7, joined_at=AT),)
