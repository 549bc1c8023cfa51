"""The life of one attempt: channel events in, commands out. Pure; `runtime/driver.py` carries them out.

A notification call is made, answered, hears its prompt and is ended; a machine is left the message or
ended at once. A mail is one command and one event. Every path ends in exactly one Finish.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallRinging,
    EndCause,
    LivingCall,
    MailResult,
    MailSent,
    OutboundCall,
    OutboundMail,
    PlaybackFinished,
    Prompt,
)
from outrider.ids import AttemptId


class Phase(enum.StrEnum):
    """Where an attempt is."""

    PLACED = "placed"
    RINGING = "ringing"
    PLAYING = "playing"
    ENDING = "ending"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What a call is to do once it is answered."""

    prompt: Prompt
    leave_message: bool = False


@dataclass(frozen=True, slots=True)
class AttemptState:
    """One attempt as the engine sees it. `reached` is the outcome that its answer has earned so far.

    `joined_late`: the beginning of the call was told to another process, so it may have been answered.
    """

    attempt_id: AttemptId
    plan: CallPlan | None = None
    phase: Phase = Phase.PLACED
    answered_at: dt.datetime | None = None
    reached: Outcome | None = None
    joined_late: bool = False


@dataclass(frozen=True, slots=True)
class Originate:
    """Make this call."""

    call: OutboundCall


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message."""

    mail: OutboundMail


@dataclass(frozen=True, slots=True)
class Play:
    """Play this prompt on the call."""

    call_id: AttemptId
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class Finish:
    """The attempt is over: record its outcome and give its unit back."""

    attempt_id: AttemptId
    outcome: Outcome
    ended_at: dt.datetime
    answered_at: dt.datetime | None = None
    detail: str = ""
    untried: bool = False
    """The server could not be reached: nobody was contacted, and the attempt must not cost the contact."""


Command = Originate | Send | Play | HangUp | Finish
Step = tuple[AttemptState, tuple[Command, ...]]

UNANSWERED: Mapping[EndCause, Outcome] = {
    EndCause.NORMAL: Outcome.FAILED,
    EndCause.BUSY: Outcome.BUSY,
    EndCause.NO_ANSWER: Outcome.NO_ANSWER,
    EndCause.CONGESTION: Outcome.CONGESTION,
    EndCause.REJECTED: Outcome.FAILED,
    EndCause.UNALLOCATED: Outcome.FAILED,
    EndCause.FAILED: Outcome.FAILED,
}
"""What a call that nobody answered has come to, by the cause of its end."""

NEVER_ANSWERED = frozenset(
    {EndCause.BUSY, EndCause.NO_ANSWER, EndCause.CONGESTION, EndCause.REJECTED, EndCause.UNALLOCATED}
)
"""Causes that prove by themselves that nobody answered; the others end answered calls too."""

MAILED: Mapping[MailResult, Outcome] = {
    MailResult.ACCEPTED: Outcome.DELIVERED,
    MailResult.SOFT_BOUNCE: Outcome.SOFT_BOUNCE,
    MailResult.HARD_BOUNCE: Outcome.HARD_BOUNCE,
    MailResult.FAILED: Outcome.FAILED,
}


def place_call(call: OutboundCall, plan: CallPlan) -> Step:
    """Begin a call: its state, and the command that makes it."""
    return AttemptState(call.call_id, plan), (Originate(call),)


def place_mail(mail: OutboundMail) -> Step:
    """Begin a mail: its state, and the command that sends it."""
    return AttemptState(mail.message_id), (Send(mail),)


def refused(state: AttemptState, at: dt.datetime, detail: str, *, untried: bool = False) -> Step:
    """End an attempt that the channel would not take; `untried` when it could not even be asked."""
    if state.phase is Phase.DONE:
        return state, ()
    if untried:
        return _finish_untried(state, at, detail)
    return _finish(state, at, Outcome.FAILED, detail)


def lost(state: AttemptState, at: dt.datetime, detail: str) -> Step:
    """End an attempt whose call is gone without news of its end: as answered if it was, or interrupted."""
    if state.phase is Phase.DONE:
        return state, ()
    return _finish(state, at, state.reached or Outcome.INTERRUPTED, detail)


def adopt(call: LivingCall, plan: CallPlan, at: dt.datetime) -> Step:
    """Take over a call of a former life that is up now: go on where it stands (architecture, crash rules)."""
    state = AttemptState(call.call_id, plan, Phase.RINGING)
    if not call.answered:
        return state, ()
    if call.playing:
        return replace(state, phase=Phase.PLAYING, answered_at=at, reached=_reached(call.by)), ()
    return _answered(state, CallAnswered(call.call_id, at, call.by))


def join_late(attempt_id: AttemptId, plan: CallPlan) -> AttemptState:
    """Take over a call of a former life that is over, of which only the last events are left to hear."""
    return AttemptState(attempt_id, plan, joined_late=True)


def handle(state: AttemptState, event: CallEvent | MailSent) -> Step:
    """Answer one event with the next state and commands; late and repeated events change nothing."""
    if state.phase is Phase.DONE:
        return state, ()
    match event:
        case CallRinging():
            if state.phase is not Phase.PLACED:
                return state, ()
            return replace(state, phase=Phase.RINGING, joined_late=False), ()
        case CallAnswered():
            return _answered(state, event) if state.phase in (Phase.PLACED, Phase.RINGING) else (state, ())
        case PlaybackFinished():
            if state.joined_late and state.reached is None:
                return replace(state, reached=_heard(state.plan)), ()
            if state.phase is not Phase.PLAYING:
                return state, ()
            return replace(state, phase=Phase.ENDING), (HangUp(state.attempt_id),)
        case CallEnded():
            outcome = state.reached or _unanswered(state, event.cause)
            detail = "" if state.reached else event.detail or event.cause.value
            return _finish(state, event.at, outcome, detail)
        case MailSent():
            return _mailed(state, event)


def _answered(state: AttemptState, event: CallAnswered) -> Step:
    plan = state.plan
    if plan is None:
        raise ValueError(f"attempt {state.attempt_id} is not a call, but was answered")
    reached = _reached(event.by)
    state = replace(state, answered_at=event.at, reached=reached)
    if reached is Outcome.MACHINE and not plan.leave_message:
        return replace(state, phase=Phase.ENDING), (HangUp(state.attempt_id),)
    return replace(state, phase=Phase.PLAYING), (Play(state.attempt_id, plan.prompt),)


def _unanswered(state: AttemptState, cause: EndCause) -> Outcome:
    """Return what the end of a call means of which no answer was heard."""
    if state.joined_late and cause not in NEVER_ANSWERED:
        return Outcome.INTERRUPTED
    return UNANSWERED[cause]


def _heard(plan: CallPlan | None) -> Outcome | None:
    """Return who heard a prompt to its end when the answer was missed: a person, if machines get none."""
    return None if plan is None or plan.leave_message else Outcome.ANSWERED


def _reached(by: AnsweredBy) -> Outcome:
    return Outcome.MACHINE if by is AnsweredBy.MACHINE else Outcome.ANSWERED


def _finish(state: AttemptState, at: dt.datetime, outcome: Outcome, detail: str) -> Step:
    finish = Finish(state.attempt_id, outcome, at, state.answered_at, detail)
    return replace(state, phase=Phase.DONE), (finish,)


def _mailed(state: AttemptState, event: MailSent) -> Step:
    if event.result is MailResult.UNREACHABLE:
        return _finish_untried(state, event.at, event.detail)
    return _finish(state, event.at, MAILED[event.result], event.detail)


def _finish_untried(state: AttemptState, at: dt.datetime, detail: str) -> Step:
    finish = Finish(state.attempt_id, Outcome.CONGESTION, at, None, detail, untried=True)
    return replace(state, phase=Phase.DONE), (finish,)
