"""One call as Asterisk's events tell it: events in, our own events and wishes out. Pure; for `server`.

A call that Asterisk made ends with exactly one CallEnded, whatever else is heard of it.
"""

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from outrider.channels.asterisk import talking
from outrider.channels.asterisk.causes import Ending, end_cause
from outrider.channels.asterisk.messages import Event
from outrider.channels.asterisk.talking import Talking
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallClassified,
    CallEnded,
    CallEvent,
    CallRinging,
    DigitPressed,
    EndCause,
    OutboundCall,
    PlaybackFinished,
)
from outrider.ids import AttemptId

PLAIN, DETECT, AMD, EARLY = "call", "detect", "amd", "early"
"""First argument of the Stasis application: a call of ours, one to be classified, one AMD() has judged, and
one that comes to the application before it is dialled, to be in a room while it rings."""

VERDICTS: Mapping[str, AnsweredBy] = {"HUMAN": AnsweredBy.HUMAN, "MACHINE": AnsweredBy.MACHINE}
"""AMDSTATUS in the field's names; NOTSURE and anything else is unknown."""


class Phase(enum.StrEnum):
    """Where a call is."""

    PLACED = "placed"
    CLASSIFYING = "classifying"
    """Answered; who took it is being found out."""
    UP = "up"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class CallState:
    """One call. `gives_up_at` is a stopwatch's reading: its ring time limit is over then, if known."""

    call_id: AttemptId
    phase: Phase = Phase.PLACED
    alerted: bool = False
    rang: bool = False
    by: AnsweredBy = AnsweredBy.UNKNOWN
    playing: bool = False
    greeted: bool = False
    """Whether a machine's greeting is over."""
    gives_up_at: float = float("inf")
    talking: Talking | None = None
    fault: str = ""
    """Why we ended it, when it could not go on."""
    early: bool = False
    """Whether it is in the application before it is answered: its channel's state tells of that."""


@dataclass(frozen=True, slots=True)
class Classify:
    """Wish: find out who took the call."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Wish: call `talked` in so many seconds, if nothing has been heard until then."""

    call_id: AttemptId
    seconds: float


@dataclass(frozen=True, slots=True)
class PromptBroke:
    """Wish: if the call is still up in a moment, its prompt could not be played: end it by `broken`."""

    call_id: AttemptId


Wish = Classify | LookAgain | PromptBroke
Step = tuple[CallState, tuple[CallEvent | Wish, ...]]


@dataclass(frozen=True, slots=True)
class Moment:
    """When an event was heard: by the clock (aware UTC), and as a stopwatch's reading in seconds."""

    at: dt.datetime
    reading: float


def argument(call: OutboundCall) -> str:
    """Return the first argument of a call: who is heard while it rings takes the call in person."""
    if call.early_room:
        return EARLY
    return DETECT if call.detect_machine else PLAIN


def take(state: CallState, event: Event, now: Moment) -> Step:
    """Answer one event of the call's channel or playback with its next state, and what to tell or do."""
    if state.phase is Phase.OVER:
        return state, ()
    handler = _HANDLERS.get(event.get("type", ""))
    return (state, ()) if handler is None else handler(state, event, now)


def detecting(state: CallState) -> Step:
    """Begin to classify by TALK_DETECT, where Asterisk has no dialplan for AMD()."""
    if state.phase is not Phase.CLASSIFYING:
        return state, ()
    return replace(state, talking=Talking()), (LookAgain(state.call_id, talking.TOTAL),)


def talked(state: CallState, silent_for: Talking, now: Moment) -> Step:
    """Judge a call by TALK_DETECT of which nothing was heard since `silent_for` was its state."""
    if state.phase is not Phase.CLASSIFYING or state.talking is not silent_for:
        return state, ()
    return verdict(state, talking.give_up(silent_for), now)


def verdict(state: CallState, by: AnsweredBy, now: Moment) -> Step:
    """Tell who took a call that is being classified."""
    if state.phase is not Phase.CLASSIFYING:
        return state, ()
    state = replace(state, phase=Phase.UP, by=by, talking=None)
    return state, (CallClassified(state.call_id, now.at, by),)


def broken(state: CallState, fault: str) -> CallState:
    """Note why a call is being ended: its end says so, and is a failure."""
    return replace(state, fault=fault)


def of_living(call_id: AttemptId, channel: Mapping[str, Any], amd_context: str) -> CallState | None:
    """Return the state of a call of a former life from `GET /channels`; None when it is not one of ours.

    A call under AMD() is not answered yet as far as we tell: its answer is told with the verdict.
    """
    dialplan = channel.get("dialplan") or {}
    arguments = str(dialplan.get("app_data", "")).split(",")[1:]
    early = arguments[:1] == [EARLY]
    if channel.get("state") != "Up":
        rings = channel.get("state") == "Ringing"
        return CallState(call_id, alerted=rings, rang=rings, early=early)
    if dialplan.get("app_name") != "Stasis":
        under_test = dialplan.get("context") == amd_context
        return CallState(call_id, Phase.PLACED if under_test else Phase.UP, alerted=True, rang=True)
    if not arguments or arguments[0] not in {PLAIN, DETECT, AMD, EARLY}:
        return None
    by = VERDICTS.get(arguments[1], AnsweredBy.UNKNOWN) if arguments[0] == AMD else AnsweredBy.UNKNOWN
    return CallState(call_id, Phase.UP, alerted=True, rang=True, by=by)


def missed_start(channel: Mapping[str, Any]) -> Event | None:
    """Return the event that said a channel of `GET /channels` is answered; None when it is not."""
    dialplan = channel.get("dialplan") or {}
    if channel.get("state") != "Up" or dialplan.get("app_name") != "Stasis":
        return None
    arguments = str(dialplan.get("app_data", "")).split(",")[1:]
    if arguments[:1] == [EARLY]:
        return {"type": "ChannelStateChange", "channel": channel}
    return {"type": "StasisStart", "args": arguments}


def _started(state: CallState, event: Event, now: Moment) -> Step:
    arguments = event.get("args") or [PLAIN]
    if arguments[0] == AMD:
        by = VERDICTS.get(arguments[1] if len(arguments) > 1 else "", AnsweredBy.UNKNOWN)
        if state.phase is Phase.CLASSIFYING:
            return verdict(state, by, now)
        if state.phase is Phase.PLACED:
            return replace(state, phase=Phase.UP, by=by), (CallAnswered(state.call_id, now.at, by),)
    elif state.phase is Phase.PLACED and arguments[0] == DETECT:
        told = CallAnswered(state.call_id, now.at, classifying=True)
        return replace(state, phase=Phase.CLASSIFYING), (told, Classify(state.call_id))
    elif state.phase is Phase.PLACED and arguments[0] == PLAIN:
        return replace(state, phase=Phase.UP), (CallAnswered(state.call_id, now.at),)
    return state, ()


def _changed(state: CallState, event: Event, now: Moment) -> Step:
    became = (event.get("channel") or {}).get("state")
    if state.phase is not Phase.PLACED:
        return state, ()
    if became == "Up" and state.early:
        return replace(state, phase=Phase.UP), (CallAnswered(state.call_id, now.at),)
    if became != "Ringing" or state.rang:
        return state, ()
    return replace(state, alerted=True, rang=True), (CallRinging(state.call_id, now.at),)


def _dialled(state: CallState, event: Event, _: Moment) -> Step:
    """Note early media: the network plays something, so it is alive, though nothing may ring."""
    return (replace(state, alerted=True) if event.get("dialstatus") == "PROGRESS" else state), ()


def _pressed(state: CallState, event: Event, now: Moment) -> Step:
    digit = event.get("digit")
    if not digit or state.phase is Phase.PLACED:
        return state, ()
    return state, (DigitPressed(state.call_id, now.at, str(digit)),)


def _talk_began(state: CallState, _: Event, __: Moment) -> Step:
    if state.phase is not Phase.CLASSIFYING or state.talking is None:
        return state, ()
    return replace(state, talking=talking.began(state.talking)), (LookAgain(state.call_id, talking.GREETING),)


def _talk_ended(state: CallState, event: Event, now: Moment) -> Step:
    if state.phase is not Phase.CLASSIFYING or state.talking is None:
        return state, ()
    by, after = talking.ended(state.talking, float(event.get("duration") or 0) / 1000)
    if by is not None:
        return verdict(state, by, now)
    return replace(state, talking=after), (LookAgain(state.call_id, talking.TOTAL),)


def _played(state: CallState, event: Event, now: Moment) -> Step:
    """Tell a prompt's end. One that failed was cut off by the end of the call, or could not be played."""
    if not state.playing:
        return state, ()
    state = replace(state, playing=False)
    if (event.get("playback") or {}).get("state") == "failed":
        return state, (PromptBroke(state.call_id),)
    return state, (PlaybackFinished(state.call_id, now.at),)


def _destroyed(state: CallState, event: Event, now: Moment) -> Step:
    ending = Ending(
        cause=int(event.get("cause") or 0),
        sip=event.get("tech_cause"),
        answered=state.phase is not Phase.PLACED,
        alerted=state.alerted,
        gave_up=now.reading >= state.gives_up_at,
    )
    cause, detail = end_cause(ending)
    if state.fault:
        cause, detail = EndCause.FAILED, state.fault
    return replace(state, phase=Phase.OVER, playing=False), (CallEnded(state.call_id, now.at, cause, detail),)


_HANDLERS: Mapping[str, Callable[[CallState, Event, Moment], Step]] = {
    "StasisStart": _started,
    "ChannelStateChange": _changed,
    "Dial": _dialled,
    "ChannelDtmfReceived": _pressed,
    "ChannelTalkingStarted": _talk_began,
    "ChannelTalkingFinished": _talk_ended,
    "PlaybackFinished": _played,
    "ChannelDestroyed": _destroyed,
}
