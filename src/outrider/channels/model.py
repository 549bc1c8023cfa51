"""What channels are told and what they tell: frozen facts, no I/O.

The dialing engine (pure) produces and consumes these; channels and the driver carry them out.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.ids import AttemptId


class AnsweredBy(enum.StrEnum):
    """Who took the call, as far as the media server could tell."""

    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


class EndCause(enum.StrEnum):
    """Why a call is over, in the field's names (mapped from Q.850 causes by each driver)."""

    NORMAL = "normal"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CONGESTION = "congestion"
    REJECTED = "rejected"
    UNALLOCATED = "unallocated"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is played to the person: a text to be spoken, or the name of an audio file."""

    text: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """A call to be made. `call_id` is chosen by us before the call exists; times are seconds."""

    call_id: AttemptId
    address: str
    ring_timeout: float = 45.0
    caller_id: str | None = None
    profile: str = ""
    """Name of the list's behaviour on the simulated carrier; real carriers ignore it."""


@dataclass(frozen=True, slots=True)
class CallRinging:
    """The far end rings."""

    call_id: AttemptId
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The far end picked up."""

    call_id: AttemptId
    at: dt.datetime
    by: AnsweredBy = AnsweredBy.UNKNOWN


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """The prompt was played to its end."""

    call_id: AttemptId
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over, its port is free. Always the last event of a call, and never twice."""

    call_id: AttemptId
    at: dt.datetime
    cause: EndCause
    detail: str = ""


CallEvent = CallRinging | CallAnswered | PlaybackFinished | CallEnded


@dataclass(frozen=True, slots=True)
class LivingCall:
    """One answer to "what is up?": a call that exists on the media server now."""

    call_id: AttemptId
    answered: bool
    by: AnsweredBy = AnsweredBy.UNKNOWN
    playing: bool = False


@dataclass(frozen=True, slots=True)
class OutboundMail:
    """A message to be sent. `message_id` is the attempt's id; templates are already chosen, not filled."""

    message_id: AttemptId
    address: str
    sender: str
    subject: str
    text: str
    html: str | None = None
    reply_to: str | None = None
    unsubscribe_url: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


class MailResult(enum.StrEnum):
    """What the SMTP dialogue said of one message."""

    ACCEPTED = "accepted"
    SOFT_BOUNCE = "soft_bounce"
    HARD_BOUNCE = "hard_bounce"
    FAILED = "failed"
    """The server refused the message itself, or its fate is unknown: says nothing of the address."""
    UNREACHABLE = "unreachable"
    """No connection was made, or the server would not talk to us: the message was not even offered."""


@dataclass(frozen=True, slots=True)
class MailSent:
    """The end of one message's SMTP dialogue, with the server's own words."""

    message_id: AttemptId
    at: dt.datetime
    result: MailResult
    detail: str = ""
