"""The life of one attempt: channel events in, commands out. Pure; `runtime/driver.py` carries them out.

A call is made, answered, follows its script (`conversation.py`) and is ended; a machine is left the message
or ended at once. A mail, a text or a webhook is one command and one event. Every path ends in exactly one
Finish.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallClassified,
    CallEnded,
    CallEvent,
    CallRinging,
    DigitPressed,
    EndCause,
    LivingCall,
    MailResult,
    MailSent,
    OutboundCall,
    OutboundMail,
    OutboundText,
    PlaybackFinished,
    PromptFailed,
    SpeechHeard,
    TextResult,
    TextSent,
)
from outrider.dialing import conversation, talk
from outrider.dialing.call_script import CallPlan
from outrider.dialing.commands import (
    AgentFound,
    AgentMissed,
    AgentNews,
    CallWebhook,
    DriverNews,
    DropOffer,
    Finish,
    JoinFailed,
    Originate,
    RoomJoined,
    Send,
    SendText,
    TimerFired,
    UnitGranted,
    UnitRefused,
    WebhookAnswered,
)
from outrider.dialing.state import AttemptState, Phase, Step, finish, finish_untried
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind

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

TEXTED: Mapping[TextResult, Outcome] = {
    TextResult.ACCEPTED: Outcome.SENT,
    TextResult.BAD_ADDRESS: Outcome.UNDELIVERED,
    TextResult.FAILED: Outcome.FAILED,
    TextResult.UNKNOWN: Outcome.UNKNOWN,
}

News = CallEvent | MailSent | TextSent | DriverNews


def place_call(call: OutboundCall, plan: CallPlan) -> Step:
    """Begin a call: its state, and the command that makes it."""
    return AttemptState(call.call_id, plan), (Originate(call),)


def place_mail(mail: OutboundMail) -> Step:
    """Begin a mail: its state, and the command that sends it."""
    return AttemptState(mail.message_id), (Send(mail),)


def place_text(text: OutboundText) -> Step:
    """Begin a text: its state, and the command that sends it."""
    return AttemptState(text.message_id), (SendText(text),)


def place_webhook(call: CallWebhook) -> Step:
    """Begin a webhook: its state, and the command that calls it."""
    return AttemptState(call.attempt_id), (call,)


def refused(state: AttemptState, at: dt.datetime, detail: str, *, untried: bool = False) -> Step:
    """End an attempt that the channel would not take; `untried` when it could not even be asked."""
    if state.phase is Phase.DONE:
        return state, ()
    if untried:
        return finish_untried(state, at, detail)
    return finish(state, at, Outcome.FAILED, detail)


def lost(state: AttemptState, at: dt.datetime, detail: str) -> Step:
    """End an attempt whose call is gone without news of its end: as answered if it was, or interrupted."""
    if state.phase is Phase.DONE:
        return state, ()
    state, dropped = _stop_seeking(state)
    state, commands = finish(state, at, state.reached or Outcome.INTERRUPTED, detail)
    return state, (*dropped, *commands)


def adopt(
    call: LivingCall,
    plan: CallPlan,
    at: dt.datetime,
    held: frozenset[LicenceKind] = frozenset(),
    *,
    talks_with: int | None = None,
) -> Step:
    """Take over a call of a former life that is up now: go on where it stands (architecture, crash rules).

    `held` are the speech units that it has in the database, `talks_with` the agent's session that has it in
    hand. An answered contact without one is given to an agent, like one who has just answered.
    """
    state = AttemptState(call.call_id, plan, Phase.RINGING, held=held)
    if not call.answered:
        return state, ()
    if plan.agents is not None and (talks_with is not None or call.room):
        return talk.take_over(state, talks_with, at)
    if plan.agents is not None and not call.playing:
        return _begin(replace(state, answered_at=at), call.by)
    return conversation.adopt(state, call.by, at, playing=call.playing)


def join_late(attempt_id: AttemptId, plan: CallPlan) -> AttemptState:
    """Take over a call of a former life that is over, of which only the last events are left to hear."""
    return AttemptState(attempt_id, plan, joined_late=True)


def join_talking(attempt_id: AttemptId, plan: CallPlan, session: int, joined_at: dt.datetime) -> AttemptState:
    """Take over such a call of which an agent's session is known to have talked with the contact."""
    state, _ = talk.take_over(AttemptState(attempt_id, plan), session, joined_at)
    return state


def handle(state: AttemptState, event: News) -> Step:
    """Answer one event with the next state and commands; late and repeated events change nothing."""
    if state.phase is Phase.DONE:
        return state, ()
    match event:
        case MailSent():
            return _mailed(state, event)
        case TextSent():
            return _texted(state, event)
        case WebhookAnswered():
            return finish(
                replace(state, disposition=event.disposition), event.at, event.outcome, event.detail
            )
        case UnitGranted() | UnitRefused() | TimerFired():
            return _driver_told(state, event)
        case AgentFound() | AgentMissed() | RoomJoined() | JoinFailed():
            return _floor_told(state, event)
        case _:
            return _call_told(state, event)


def _driver_told(state: AttemptState, event: UnitGranted | UnitRefused | TimerFired) -> Step:
    match event:
        case UnitGranted():
            return conversation.granted(state, event.kind)
        case UnitRefused():
            return conversation.refused(state, event.kind)
        case TimerFired():
            return conversation.timed_out(state)


def _floor_told(state: AttemptState, event: AgentNews) -> Step:
    """Go on with what became of the search for an agent."""
    match event:
        case AgentFound():
            return talk.found(state, event.session, event.room)
        case AgentMissed():
            return talk.missed(state)
        case RoomJoined():
            return talk.joined(state, event.at)
        case JoinFailed():
            return talk.not_joined(state, event.detail)


def _begin(state: AttemptState, by: AnsweredBy) -> Step:
    """Look for an agent where one is to talk to this person; else follow the script."""
    agents = None if state.plan is None else state.plan.agents
    if agents is None or by is AnsweredBy.MACHINE:
        return conversation.begin(state, by)
    return talk.seek(replace(state, reached=Outcome.ANSWERED), agents)


def _stop_seeking(state: AttemptState) -> Step:
    """Take back the search for an agent of a call that is over."""
    seeking = state.phase in (Phase.SEEKING, Phase.JOINING)
    return talk.ended_unheard(state), (DropOffer(state.attempt_id),) if seeking else ()


def _call_told(state: AttemptState, event: CallEvent) -> Step:
    match event:
        case CallRinging():
            if state.phase is not Phase.PLACED:
                return state, ()
            return replace(state, phase=Phase.RINGING, joined_late=False), ()
        case CallAnswered():
            return _answered(state, event) if state.phase in (Phase.PLACED, Phase.RINGING) else (state, ())
        case CallClassified():
            return _begin(state, event.by) if state.phase is Phase.CLASSIFYING else (state, ())
        case CallEnded():
            state, dropped = _stop_seeking(state)
            outcome = state.reached or _unanswered(state, event.cause)
            detail = state.trouble if state.reached else event.detail or event.cause.value
            state, commands = finish(state, event.at, outcome, detail)
            return state, (*dropped, *commands)
        case _:
            return _person_told(state, event)


def _person_told(
    state: AttemptState, event: PlaybackFinished | PromptFailed | DigitPressed | SpeechHeard
) -> Step:
    """Go on with what a person heard, pressed or said."""
    match event:
        case PlaybackFinished():
            if state.joined_late and state.reached is None:
                return replace(state, reached=_heard(state.plan)), ()
            return conversation.said(state)
        case PromptFailed():
            return conversation.unsaid(state, event.detail)
        case DigitPressed():
            return conversation.pressed(state, event.digit)
        case SpeechHeard():
            return conversation.heard(state, event.word)


def _answered(state: AttemptState, event: CallAnswered) -> Step:
    if state.plan is None:
        raise ValueError(f"attempt {state.attempt_id} is not a call, but was answered")
    state = replace(state, answered_at=event.at)
    if event.classifying:
        # Somebody took it; a call that ends before it is known who, was answered.
        return replace(state, phase=Phase.CLASSIFYING, reached=Outcome.ANSWERED), ()
    return _begin(state, event.by)


def _unanswered(state: AttemptState, cause: EndCause) -> Outcome:
    """Return what the end of a call means of which no answer was heard."""
    if state.joined_late and cause not in NEVER_ANSWERED:
        return Outcome.INTERRUPTED
    return UNANSWERED[cause]


def _heard(plan: CallPlan | None) -> Outcome | None:
    """Return who heard a prompt to its end when the answer was missed: a person, if machines get none."""
    return None if plan is None or plan.leave_message else Outcome.ANSWERED


def _mailed(state: AttemptState, event: MailSent) -> Step:
    if event.result is MailResult.UNREACHABLE:
        return finish_untried(state, event.at, event.detail)
    return finish(state, event.at, MAILED[event.result], event.detail)


def _texted(state: AttemptState, event: TextSent) -> Step:
    if event.result is TextResult.UNREACHABLE:
        return finish_untried(state, event.at, event.detail)
    command = Finish(state.attempt_id, TEXTED[event.result], event.at, None, event.detail, sent=event)
    return replace(state, phase=Phase.DONE), (command,)
