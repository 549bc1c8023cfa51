"""The lines between the carrier's server and its clients: JSON objects to and from commands and events. Pure.

Client to server: `{"n": 7, "do": "originate", ...}`, and `{"ack": 41}` for events that were taken.
Server to client: `{"n": 7, "ok": ...}` or `{"n": 7, "error": code, "message": ...}`, and events with a `seq`.
"""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallClassified,
    CallEnded,
    CallEvent,
    CallPurpose,
    CallRinging,
    DigitPressed,
    EndCause,
    LivingCall,
    OutboundCall,
    PlaybackFinished,
    Prompt,
    PromptFailed,
    SpeechHeard,
)
from outrider.errors import ChannelError
from outrider.ids import AttemptId

LINE_LIMIT = 16 * 1024 * 1024
"""Longest line in bytes; `living` of 100,000 calls takes about 10 MB."""

Message = dict[str, Any]


def encode(message: Mapping[str, object]) -> bytes:
    """Return a message as one line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """Return the message of one line; ChannelError when it is no JSON object."""
    try:
        message = json.loads(line)
    except ValueError as error:
        raise ChannelError("the other side sent a line that is not JSON; is it a carrier?") from error
    if not isinstance(message, dict):
        raise ChannelError("the other side sent JSON that is no object; is it a carrier?")
    return message


def call_message(call: OutboundCall) -> Message:
    """Return the fields of an originate."""
    return {
        "id": call.call_id,
        "address": call.address,
        "ring_timeout": call.ring_timeout,
        "caller_id": call.caller_id,
        "profile": call.profile,
        "purpose": call.purpose,
        "early_room": call.early_room,
    }


def parse_call(message: Message) -> OutboundCall:
    """Return the call of an originate; ChannelError names a missing or misshapen field."""
    try:
        caller = message.get("caller_id")
        return OutboundCall(
            call_id=AttemptId(_text(message["id"])),
            address=_text(message["address"]),
            ring_timeout=float(message.get("ring_timeout", 45.0)),
            caller_id=None if caller is None else _text(caller),
            profile=_text(message.get("profile", "")),
            purpose=CallPurpose(message.get("purpose", CallPurpose.CUSTOMER)),
            early_room=_text(message.get("early_room", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ChannelError(f"an originate is misshapen: {error!r}") from error


def prompt_message(prompt: Prompt) -> Message:
    """Return the fields of a prompt."""
    return {"text": prompt.text, "file": prompt.file, "voice": prompt.voice}


def parse_prompt(message: Message) -> Prompt:
    """Return the prompt of a play command."""
    return Prompt(message.get("text"), message.get("file"), str(message.get("voice") or ""))


def parse_words(message: Message) -> list[str]:
    """Return the words of a listen command; ChannelError when they are no list of texts."""
    words = message.get("words")
    if not isinstance(words, list):
        raise ChannelError(f"words must be a list, not {words!r}")
    return [str(word) for word in words]


def living_message(call: LivingCall) -> list[object]:
    """Return one call that is up, as a short list."""
    return [call.call_id, call.answered, call.by, call.playing, call.room]


def parse_living(row: list[Any]) -> LivingCall:
    """Return one call that is up."""
    call_id, answered, by, playing, room = row
    return LivingCall(AttemptId(call_id), bool(answered), AnsweredBy(by), bool(playing), room=str(room))


def event_message(event: CallEvent) -> Message:
    """Return an event's fields; `at` is ISO 8601 with offset."""
    message: Message = {"id": event.call_id, "at": event.at.isoformat()}
    match event:
        case CallRinging():
            message["event"] = "ringing"
        case CallAnswered():
            message |= {"event": "answered", "by": event.by, "classifying": event.classifying}
        case CallClassified():
            message |= {"event": "classified", "by": event.by}
        case DigitPressed():
            message |= {"event": "pressed", "digit": event.digit}
        case SpeechHeard():
            message |= {"event": "heard", "word": event.word, "confidence": event.confidence}
        case PlaybackFinished():
            message["event"] = "played"
        case PromptFailed():
            message |= {"event": "prompt_failed", "detail": event.detail}
        case CallEnded():
            message |= {"event": "ended", "cause": event.cause, "detail": event.detail}
    return message


def parse_event(message: Message) -> CallEvent:
    """Return an event; ChannelError when it is none that this version knows."""
    try:
        call_id, at = AttemptId(message["id"]), dt.datetime.fromisoformat(message["at"])
        match message["event"]:
            case "ringing":
                return CallRinging(call_id, at)
            case "answered":
                by, classifying = AnsweredBy(message["by"]), bool(message.get("classifying"))
                return CallAnswered(call_id, at, by, classifying)
            case "classified":
                return CallClassified(call_id, at, AnsweredBy(message["by"]))
            case "pressed":
                return DigitPressed(call_id, at, str(message["digit"]))
            case "heard":
                return SpeechHeard(call_id, at, message["word"], float(message["confidence"]))
            case "played":
                return PlaybackFinished(call_id, at)
            case "prompt_failed":
                return PromptFailed(call_id, at, str(message["detail"]))
            case "ended":
                return CallEnded(call_id, at, EndCause(message["cause"]), message["detail"])
            case other:
                raise ChannelError(f"the carrier sent an unknown event: {other}")
    except (KeyError, TypeError, ValueError) as error:
        raise ChannelError(f"the carrier sent a misshapen event: {error!r}") from error


def whole_number(message: Message, name: str) -> int:
    """Return a field that counts events; ChannelError when it is missing or no whole number."""
    value = message.get(name)
    if not isinstance(value, int):
        raise ChannelError(f"{name} must be a whole number, not {value!r}")
    return value


def _text(value: object) -> str:
    """Return a text, or say that something else stands in its place."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
