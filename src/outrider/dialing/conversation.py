"""What happens on an answered call: message or question, keys and words, speech connections. Pure.

`engine.py` hands answered calls over to these functions. Speech units (licensing.md 1, issue of the
platform): one TTS unit only while a text is being said, one ASR unit from the first recognition to the
end of the call.
"""

import datetime as dt
from dataclasses import replace

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import AnsweredBy, Prompt
from outrider.dialing.call_script import CallPlan, Choice, Question
from outrider.dialing.commands import (
    Command,
    GiveUnit,
    HangUp,
    Listen,
    Play,
    StartTimer,
    StopListening,
    StopPlaying,
    StopTimer,
    TakeUnit,
)
from outrider.dialing.state import AttemptState, Phase, Saying, Step
from outrider.licences.model import LicenceKind

OPEN_TO_ANSWERS = frozenset({Phase.AWAITING_OUTPUT, Phase.PLAYING, Phase.AWAITING_INPUT, Phase.ASKING})


def begin(state: AttemptState, by: AnsweredBy) -> Step:
    """Go on with a call that was answered: say the message or ask the question, or leave a machine alone."""
    plan = _plan(state)
    reached = Outcome.MACHINE if by is AnsweredBy.MACHINE else Outcome.ANSWERED
    state = replace(state, reached=reached)
    if reached is Outcome.MACHINE and not plan.leave_message:
        return _end(state)
    asks = plan.question is not None and reached is Outcome.ANSWERED
    return say(state, plan.prompt, Saying.QUESTION if asks else Saying.MESSAGE)


def said(state: AttemptState) -> Step:
    """Go on after a prompt was played to its end, or stopped.

    Its speech output unit is given back, unless the reply that follows at once is a text too.
    """
    if state.phase not in (Phase.PLAYING, Phase.STOPPING):
        return state, ()
    if state.phase is Phase.STOPPING:
        return _without_spare_output(_reply(state))
    if state.saying is Saying.QUESTION:
        return _without_spare_output(_await_answer(state))
    return _without_spare_output(_end(state))


def unsaid(state: AttemptState, detail: str) -> Step:
    """End a call whose prompt could not be played: a person who heard nothing was not reached."""
    if state.phase not in (Phase.PLAYING, Phase.STOPPING):
        return state, ()
    reached = state.reached if state.saying is Saying.REPLY or state.asked else Outcome.FAILED
    return _end(replace(state, reached=reached, trouble=detail))


def pressed(state: AttemptState, digit: str) -> Step:
    """Take a key; one that stands for nothing, or comes at another time, changes nothing."""
    question = _open_question(state)
    choice = None if question is None else question.by_digit(digit)
    return (state, ()) if choice is None else _choose(state, choice)


def heard(state: AttemptState, word: str | None) -> Step:
    """Take a recognised word; anything else leaves the question open until its time is over."""
    question = _open_question(state)
    choice = None if question is None or state.phase is not Phase.ASKING else question.by_word(word)
    return (state, ()) if choice is None else _choose(state, choice)


def granted(state: AttemptState, kind: LicenceKind) -> Step:
    """Go on with a speech connection that has come; one that is not needed any more goes back."""
    state = replace(state, requested=state.requested - {kind})
    prompt = state.prompt
    if kind is LicenceKind.TTS and state.phase is Phase.AWAITING_OUTPUT and prompt is not None:
        state = replace(state, held=state.held | {kind}, phase=Phase.PLAYING)
        return state, (Play(state.attempt_id, prompt),)
    if kind is LicenceKind.ASR and state.phase is Phase.AWAITING_INPUT:
        return _listen(replace(state, held=state.held | {kind}))
    return state, (GiveUnit(state.attempt_id, kind),)


def refused(state: AttemptState, kind: LicenceKind) -> Step:
    """Go on without a speech connection: by keys where they suffice, or with the outcome `no_resource`."""
    state = replace(state, requested=state.requested - {kind})
    if kind is LicenceKind.ASR and state.phase is Phase.AWAITING_INPUT:
        if _plan(state).digits_suffice:
            return _ask(state)
        return _end(replace(state, reached=Outcome.NO_RESOURCE))
    if kind is LicenceKind.TTS and state.phase is Phase.AWAITING_OUTPUT:
        if state.saying is Saying.REPLY:
            return _end(state)
        return _end(replace(state, reached=Outcome.NO_RESOURCE))
    return state, ()


def timed_out(state: AttemptState) -> Step:
    """Ask again, or end the call: nothing was chosen in time."""
    plan = _plan(state)
    if state.phase is not Phase.ASKING or plan.question is None:
        return state, ()
    if state.asked <= plan.question.repeats:
        state, commands = say(state, plan.prompt, Saying.QUESTION)
        return state, (*_stop_listening(state), *commands)
    state, commands = _end(replace(state, disposition=plan.question.no_input))
    return state, (*_stop_listening(state), *commands)


def adopt(state: AttemptState, by: AnsweredBy, at: dt.datetime, *, playing: bool) -> Step:
    """Take over an answered call of a former life; its question is asked (again) unless it is being asked."""
    state = replace(state, answered_at=at)
    if not playing:
        return _without_spare_output(begin(state, by))
    plan = _plan(state)
    reached = Outcome.MACHINE if by is AnsweredBy.MACHINE else Outcome.ANSWERED
    asks = plan.question is not None and reached is Outcome.ANSWERED
    saying = Saying.QUESTION if asks else Saying.MESSAGE
    return replace(state, phase=Phase.PLAYING, reached=reached, saying=saying, prompt=plan.prompt), ()


def _without_spare_output(step: Step) -> Step:
    """Give the speech output unit back first, where a step leads to anything but a text being said."""
    state, commands = step
    says = state.phase is Phase.PLAYING and state.prompt is not None and state.prompt.text is not None
    if says or LicenceKind.TTS not in state.held:
        return step
    give = GiveUnit(state.attempt_id, LicenceKind.TTS)
    return replace(state, held=state.held - {LicenceKind.TTS}), (give, *commands)


def _plan(state: AttemptState) -> CallPlan:
    if state.plan is None:
        raise ValueError(f"attempt {state.attempt_id} is not a call")
    return state.plan


def _open_question(state: AttemptState) -> Question | None:
    """Return the question that the person may answer now, None when there is none."""
    answering = state.phase in OPEN_TO_ANSWERS and state.saying is Saying.QUESTION
    return state.plan.question if answering and state.plan is not None else None


def say(state: AttemptState, prompt: Prompt, saying: Saying) -> Step:
    """Play a prompt; a text takes a speech connection first where those are counted."""
    state = replace(state, saying=saying, prompt=prompt)
    plan = _plan(state)
    if prompt.text is not None and plan.speech_units and LicenceKind.TTS not in state.held:
        return _request(replace(state, phase=Phase.AWAITING_OUTPUT), LicenceKind.TTS)
    return replace(state, phase=Phase.PLAYING), (Play(state.attempt_id, prompt),)


def _await_answer(state: AttemptState) -> Step:
    """Wait for an answer; recognition takes a speech connection before its first word."""
    plan = _plan(state)
    question = plan.question
    if question is None or not question.speech:
        return _ask(state)
    if not plan.speech_units or LicenceKind.ASR in state.held:
        return _listen(state)
    return _request(replace(state, phase=Phase.AWAITING_INPUT), LicenceKind.ASR)


def _request(state: AttemptState, kind: LicenceKind) -> Step:
    """Ask for a speech unit, unless one was asked for already."""
    if kind in state.requested:
        return state, ()
    take = TakeUnit(state.attempt_id, kind, _plan(state).patience)
    return replace(state, requested=state.requested | {kind}), (take,)


def _listen(state: AttemptState) -> Step:
    question = _plan(state).question
    words = () if question is None else question.words
    state, commands = _ask(state)
    return state, (Listen(state.attempt_id, words), *commands)


def _ask(state: AttemptState) -> Step:
    question = _plan(state).question
    seconds = 0.0 if question is None else question.timeout
    state = replace(state, phase=Phase.ASKING, asked=state.asked + 1)
    return state, (StartTimer(state.attempt_id, seconds),)


def _choose(state: AttemptState, choice: Choice) -> Step:
    was = state.phase
    state = replace(
        state, disposition=choice.disposition, do_not_contact=choice.do_not_contact, prompt=choice.say
    )
    if was is Phase.PLAYING:
        return replace(state, phase=Phase.STOPPING), (StopPlaying(state.attempt_id),)
    before: tuple[Command, ...] = ()
    if was is Phase.ASKING:
        before = (StopTimer(state.attempt_id), *_stop_listening(state))
    state, commands = _reply(state)
    return state, before + commands


def _reply(state: AttemptState) -> Step:
    return _end(state) if state.prompt is None else say(state, state.prompt, Saying.REPLY)


def _stop_listening(state: AttemptState) -> tuple[Command, ...]:
    """End recognition where it runs: where units are counted, only a call that has one listens."""
    plan = _plan(state)
    asks_aloud = plan.question is not None and plan.question.speech
    listens = asks_aloud and (not plan.speech_units or LicenceKind.ASR in state.held)
    return (StopListening(state.attempt_id),) if listens else ()


def _end(state: AttemptState) -> Step:
    return replace(state, phase=Phase.ENDING), (HangUp(state.attempt_id),)
