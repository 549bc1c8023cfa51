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


class CallPurpose(enum.StrEnum):
    """Whom a call is made to: a contact, an agent's phone that is kept, or a person who is consulted."""

    CUSTOMER = "customer"
    AGENT = "agent"
    CONSULT = "consult"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is played to the person: a text to be spoken, or the name of an audio file.

    `voice` names a language or voice of the speech engine (such as `en` or `de`); empty: the engine's own.
    """

    text: str | None = None
    file: str | None = None
    voice: str = ""


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """A call to be made. `call_id` is chosen by us before the call exists; times are seconds.

    `server` names the media server that has a port for it; empty: there is only one, the simulated carrier.
    With `detect_machine` the answer is told as `classifying`, and who took the call a little later.
    """

    call_id: AttemptId
    address: str
    ring_timeout: float = 45.0
    caller_id: str | None = None
    profile: str = ""
    """Name of the list's behaviour on the simulated carrier; real carriers ignore it."""
    server: str = ""
    detect_machine: bool = False
    purpose: CallPurpose = CallPurpose.CUSTOMER
    early_room: str = ""
    """The room it is in from the first moment: whoever is there hears it ring. Empty: none."""


@dataclass(frozen=True, slots=True)
class CallRinging:
    """The far end rings."""

    call_id: AttemptId
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The far end picked up. `classifying`: who it was is being found out, and CallClassified follows."""

    call_id: AttemptId
    at: dt.datetime
    by: AnsweredBy = AnsweredBy.UNKNOWN
    classifying: bool = False


@dataclass(frozen=True, slots=True)
class CallClassified:
    """Answering-machine detection has decided who took the call."""

    call_id: AttemptId
    at: dt.datetime
    by: AnsweredBy


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The person pressed a key: one of 0-9, *, # and A-D."""

    call_id: AttemptId
    at: dt.datetime
    digit: str


@dataclass(frozen=True, slots=True)
class SpeechHeard:
    """Speech recognition has heard something: one of the words listened for, or None for anything else.

    `confidence` is 0 to 1, as far as the engine can say.
    """

    call_id: AttemptId
    at: dt.datetime
    word: str | None
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """The prompt was played to its end."""

    call_id: AttemptId
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class PromptFailed:
    """The prompt could not be made or played, on a call that is up; no PlaybackFinished comes."""

    call_id: AttemptId
    at: dt.datetime
    detail: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over, its port is free. Always the last event of a call, and never twice."""

    call_id: AttemptId
    at: dt.datetime
    cause: EndCause
    detail: str = ""


CallEvent = (
    CallRinging
    | CallAnswered
    | CallClassified
    | DigitPressed
    | SpeechHeard
    | PlaybackFinished
    | CallEnded
    | PromptFailed
)


@dataclass(frozen=True, slots=True)
class LivingCall:
    """One answer to "what is up?": a call that exists on the media server now."""

    call_id: AttemptId
    answered: bool
    by: AnsweredBy = AnsweredBy.UNKNOWN
    playing: bool = False
    server: str = ""
    room: str = ""
    """The room it is in; "" for none."""


@dataclass(frozen=True, slots=True)
class Living:
    """What is up: all our calls on the servers that could be asked.

    Nothing is known of calls on the servers in `silent`; a server whose process is gone is not silent, it
    has no calls.
    """

    calls: tuple[LivingCall, ...] = ()
    silent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; loaded once per action, not per message."""

    name: str
    media_type: str
    content: bytes


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
    attachments: tuple[Attachment, ...] = ()
    envelope_sender: str | None = None
    """Where bounces go; None: to `sender`."""


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


@dataclass(frozen=True, slots=True)
class OutboundText:
    """A short message to be sent, already filled in. `message_id` is the attempt's id.

    `reference` (0 to 65,535) travels with it, so that a receipt can be matched when the answer to the
    submission was lost. `connection` names the one to use; empty: by priority. `validity` is seconds.
    """

    message_id: AttemptId
    address: str
    text: str
    sender: str = ""
    reference: int = 0
    receipt: bool = True
    connection: str = ""
    validity: float | None = None


class TextResult(enum.StrEnum):
    """What became of one submission."""

    ACCEPTED = "accepted"
    """The message centre took all parts; a receipt may tell more."""
    BAD_ADDRESS = "bad_address"
    """The message centre refused the recipient for good."""
    FAILED = "failed"
    """The message centre refused the message itself."""
    UNKNOWN = "unknown"
    """It was written, and the link was lost before the answer: never sent again by itself."""
    UNREACHABLE = "unreachable"
    """No connection was there: the message was not even offered."""


@dataclass(frozen=True, slots=True)
class TextSent:
    """The end of one submission: the centre's ids of its parts, and how many parts it had."""

    message_id: AttemptId
    at: dt.datetime
    result: TextResult
    connection: str = ""
    remote_ids: tuple[str, ...] = ()
    segments: int = 0
    detail: str = ""


class ReceiptState(enum.StrEnum):
    """What a delivery receipt says (SMPP 3.4 5.2.28 message_state)."""

    ENROUTE = "enroute"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    DELETED = "deleted"
    UNDELIVERABLE = "undeliverable"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class TextReceipt:
    """A delivery receipt of one part. `address` is the recipient; `reference` ours, where it was echoed."""

    connection: str
    remote_id: str
    at: dt.datetime
    state: ReceiptState
    address: str = ""
    reference: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text that a person sent us: `sender` is the person's number, `recipient` ours."""

    connection: str
    at: dt.datetime
    sender: str
    recipient: str
    text: str


TextNews = TextReceipt | InboundText
