"""Conversations on answered calls: menus by keys and words, silence, do-not-contact, missing speech units."""

import datetime as dt
from dataclasses import replace

import pytest

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallClassified,
    CallEnded,
    DigitPressed,
    EndCause,
    LivingCall,
    PlaybackFinished,
    Prompt,
    SpeechHeard,
)
from outrider.dialing import engine
from outrider.dialing.call_script import CallPlan, Choice, Question
from outrider.dialing.commands import (
    Command,
    Finish,
    GiveUnit,
    HangUp,
    Listen,
    Play,
    StartTimer,
    StopListening,
    StopPlaying,
    StopTimer,
    TakeUnit,
    TimerFired,
    UnitGranted,
    UnitRefused,
)
from outrider.dialing.state import AttemptState, Phase
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind

ASR, TTS = LicenceKind.ASR, LicenceKind.TTS
NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
CALL = AttemptId("c" * 32)
ASK = Prompt("Is tomorrow fine? Say yes, or press one.")
THANKS = Prompt("Thank you.")
RECORDED = Prompt(file="thanks")
YES = Choice("1", "confirmed", "yes", THANKS)
NO = Choice("2", "declined", "no")
REMOVE = Choice("9", "removed", say=RECORDED, do_not_contact=True)
MENU = Question((YES, NO, REMOVE), timeout=8.0, repeats=1, no_input="silent")
BY_KEYS = CallPlan(ASK, question=MENU)
COUNTED = replace(BY_KEYS, question=replace(MENU, speech=True), speech_units=True, patience=5.0)

PLAYED = PlaybackFinished(CALL, NOW)
TIME = TimerFired(CALL)
HUMAN = CallAnswered(CALL, NOW, AnsweredBy.HUMAN)
HANG_UP = HangUp(CALL)


def key(digit: str) -> DigitPressed:
    return DigitPressed(CALL, NOW, digit)


def word(said: str | None) -> SpeechHeard:
    return SpeechHeard(CALL, NOW, said, 0.5)


def granted(kind: LicenceKind) -> UnitGranted:
    return UnitGranted(CALL, kind)


def refused(kind: LicenceKind) -> UnitRefused:
    return UnitRefused(CALL, kind)


def converse(plan: CallPlan, *events: engine.News) -> tuple[AttemptState, list[tuple[Command, ...]]]:
    """Return the state after these events, and the commands that each brought."""
    state = AttemptState(CALL, plan, Phase.RINGING)
    answers = []
    for event in events:
        state, todo = engine.handle(state, event)
        answers.append(todo)
    return state, answers


def finish(plan: CallPlan, *events: engine.News) -> Finish:
    """Return how the attempt ends when the call ends after these events."""
    _, answers = converse(plan, *events, CallEnded(CALL, NOW, EndCause.NORMAL))
    (command,) = answers[-1]
    assert isinstance(command, Finish)
    return command


def test_a_message_is_played_and_the_call_ended() -> None:
    _, answers = converse(CallPlan(ASK), HUMAN, PLAYED)
    assert answers == [(Play(CALL, ASK),), (HANG_UP,)]
    assert finish(CallPlan(ASK), HUMAN, PLAYED).outcome is Outcome.ANSWERED


def test_a_key_during_the_prompt_stops_it_and_is_answered() -> None:
    _, answers = converse(BY_KEYS, HUMAN, key("1"), PLAYED, PLAYED)
    assert answers == [(Play(CALL, ASK),), (StopPlaying(CALL),), (Play(CALL, THANKS),), (HANG_UP,)]
    assert finish(BY_KEYS, HUMAN, key("1"), PLAYED).disposition == "confirmed"


def test_a_key_counts_even_when_the_person_hangs_up_at_once() -> None:
    ended = finish(BY_KEYS, HUMAN, key("9"))
    assert (ended.outcome, ended.disposition, ended.do_not_contact) == (Outcome.ANSWERED, "removed", True)


def test_a_key_after_the_prompt_stops_the_timer() -> None:
    _, answers = converse(BY_KEYS, HUMAN, PLAYED, key("2"))
    assert answers[1:] == [(StartTimer(CALL, 8.0),), (StopTimer(CALL), HANG_UP)]


@pytest.mark.parametrize("events", [[key("5")], [key("1"), key("2")], [key("1"), PLAYED, key("2")]])
def test_only_the_first_key_that_stands_for_something_counts(events: list[engine.News]) -> None:
    expected = "confirmed" if len(events) > 1 else None
    assert finish(BY_KEYS, HUMAN, *events).disposition == expected


def test_silence_is_asked_again_and_then_has_its_own_disposition() -> None:
    _, answers = converse(BY_KEYS, HUMAN, PLAYED, TIME, PLAYED, TIME)
    assert answers[2:] == [(Play(CALL, ASK),), (StartTimer(CALL, 8.0),), (HANG_UP,)]
    assert finish(BY_KEYS, HUMAN, PLAYED, TIME, PLAYED, TIME).disposition == "silent"
    assert finish(BY_KEYS, HUMAN, PLAYED, TIME, PLAYED).disposition is None


def test_a_machine_gets_the_message_but_no_question() -> None:
    machine = CallAnswered(CALL, NOW, AnsweredBy.MACHINE)
    leaves = replace(BY_KEYS, leave_message=True)
    _, answers = converse(leaves, machine, key("1"), PLAYED)
    assert answers == [(Play(CALL, ASK),), (), (HANG_UP,)]
    assert finish(leaves, machine, key("1")).disposition is None
    assert converse(BY_KEYS, machine)[1] == [(HANG_UP,)]
    assert finish(BY_KEYS, machine).outcome is Outcome.MACHINE


def test_nothing_is_said_before_it_is_known_who_answered() -> None:
    classifying = CallAnswered(CALL, NOW, AnsweredBy.UNKNOWN, classifying=True)
    classified = CallClassified(CALL, NOW, AnsweredBy.HUMAN)
    _, answers = converse(BY_KEYS, classifying, key("1"), classified, classified)
    assert answers == [(), (), (Play(CALL, ASK),), ()]


def test_a_word_answers_once_it_is_listened_for() -> None:
    talk: list[engine.News] = [
        HUMAN,
        granted(TTS),
        word("yes"),
        PLAYED,
        granted(ASR),
        word(None),
        word("yes"),
    ]
    _, answers = converse(COUNTED, *talk)
    assert answers == [
        (TakeUnit(CALL, TTS, 5.0),),
        (Play(CALL, ASK),),
        (),
        (GiveUnit(CALL, TTS), TakeUnit(CALL, ASR, 5.0)),
        (Listen(CALL, ("yes", "no")), StartTimer(CALL, 8.0)),
        (),
        (StopTimer(CALL), StopListening(CALL), TakeUnit(CALL, TTS, 5.0)),
    ]
    state, _ = converse(COUNTED, *talk)
    assert state.held == {ASR}
    assert finish(COUNTED, *talk).disposition == "confirmed"


def test_a_question_asked_again_listens_with_the_unit_that_the_call_has() -> None:
    start: list[engine.News] = [HUMAN, granted(TTS), PLAYED, granted(ASR), TIME, granted(TTS), PLAYED]
    _, answers = converse(COUNTED, *start)
    assert answers[4] == (StopListening(CALL), TakeUnit(CALL, TTS, 5.0))
    assert answers[6] == (GiveUnit(CALL, TTS), Listen(CALL, ("yes", "no")), StartTimer(CALL, 8.0))
    assert converse(COUNTED, *start, TIME)[1][-1] == (StopListening(CALL), HANG_UP)


def test_a_reply_in_words_keeps_the_output_unit_of_the_prompt_that_it_stops() -> None:
    _, answers = converse(COUNTED, HUMAN, granted(TTS), key("1"), PLAYED, PLAYED)
    assert answers[2:] == [(StopPlaying(CALL),), (Play(CALL, THANKS),), (GiveUnit(CALL, TTS), HANG_UP)]


def test_a_recorded_reply_gives_the_output_unit_back_first() -> None:
    _, answers = converse(COUNTED, HUMAN, granted(TTS), key("9"), PLAYED)
    assert answers[-1] == (GiveUnit(CALL, TTS), Play(CALL, RECORDED))


def test_a_key_while_output_is_waited_for_is_answered_when_it_comes() -> None:
    _, answers = converse(COUNTED, HUMAN, key("1"), granted(TTS))
    assert answers[1:] == [(), (Play(CALL, THANKS),)]
    _, answers = converse(COUNTED, HUMAN, key("2"), granted(TTS))
    assert answers[1:] == [(HANG_UP,), (GiveUnit(CALL, TTS),)]


def test_a_call_without_output_ends_with_no_resource() -> None:
    _, answers = converse(COUNTED, HUMAN, refused(TTS))
    assert answers[-1] == (HANG_UP,)
    assert finish(COUNTED, HUMAN, refused(TTS)).outcome is Outcome.NO_RESOURCE


def test_a_choice_stands_when_its_reply_cannot_be_said() -> None:
    ended = finish(COUNTED, HUMAN, key("1"), refused(TTS))
    assert (ended.outcome, ended.disposition) == (Outcome.ANSWERED, "confirmed")


def test_without_recognition_keys_do_where_the_strategy_says_so() -> None:
    asked: list[engine.News] = [HUMAN, granted(TTS), PLAYED, refused(ASR)]
    keys = replace(COUNTED, digits_suffice=True)
    _, answers = converse(keys, *asked, word("yes"), key("2"))
    assert answers[3:4] == [(StartTimer(CALL, 8.0),)]
    assert finish(keys, *asked, key("2")).disposition == "declined"
    _, answers = converse(keys, *asked, TIME)
    assert answers[-1] == (TakeUnit(CALL, TTS, 5.0),), "nothing listens, so nothing is to be stopped"


def test_without_recognition_a_call_ends_with_no_resource_otherwise() -> None:
    asked: list[engine.News] = [HUMAN, granted(TTS), PLAYED, refused(ASR)]
    assert converse(COUNTED, *asked)[1][-1] == (HANG_UP,)
    assert finish(COUNTED, *asked).outcome is Outcome.NO_RESOURCE


def test_a_key_while_recognition_is_waited_for_needs_none() -> None:
    _, answers = converse(COUNTED, HUMAN, granted(TTS), PLAYED, key("2"), granted(ASR))
    assert answers[-2:] == [(HANG_UP,), (GiveUnit(CALL, ASR),)]


def test_an_audio_file_takes_no_output_unit() -> None:
    recorded = replace(COUNTED, prompt=RECORDED)
    _, answers = converse(recorded, HUMAN, PLAYED)
    assert answers == [(Play(CALL, RECORDED),), (TakeUnit(CALL, ASR, 5.0),)]


def test_a_call_taken_over_goes_on_with_the_units_that_it_has() -> None:
    silent = LivingCall(CALL, answered=True, by=AnsweredBy.HUMAN)
    state, todo = engine.adopt(silent, COUNTED, NOW, frozenset({ASR, TTS}))
    assert todo == (Play(CALL, ASK),)
    state, todo = engine.handle(state, PLAYED)
    assert todo == (GiveUnit(CALL, TTS), Listen(CALL, ("yes", "no")), StartTimer(CALL, 8.0))
    assert state.held == {ASR}
    recorded = replace(COUNTED, prompt=RECORDED)
    _, todo = engine.adopt(silent, recorded, NOW, frozenset({TTS}))
    assert todo == (GiveUnit(CALL, TTS), Play(CALL, RECORDED))


def test_a_call_taken_over_while_it_speaks_is_not_spoken_over() -> None:
    speaking = LivingCall(CALL, answered=True, by=AnsweredBy.HUMAN, playing=True)
    state, todo = engine.adopt(speaking, COUNTED, NOW, frozenset({TTS}))
    assert todo == ()
    assert engine.handle(state, PLAYED)[1] == (GiveUnit(CALL, TTS), TakeUnit(CALL, ASR, 5.0))
