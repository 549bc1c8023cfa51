"""What the dialing engine wants done, and the news that only its driver can bring. Pure records.

`engine.py` and `conversation.py` make the commands, `runtime/driver.py` carries them out.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import OutboundCall, OutboundMail, OutboundText, Prompt, TextSent
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind


@dataclass(frozen=True, slots=True)
class Originate:
    """Make this call."""

    call: OutboundCall


@dataclass(frozen=True, slots=True)
class Send:
    """Send this mail."""

    mail: OutboundMail


@dataclass(frozen=True, slots=True)
class SendText:
    """Send this short message."""

    text: OutboundText


@dataclass(frozen=True, slots=True)
class Play:
    """Play this prompt on the call."""

    call_id: AttemptId
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class StopPlaying:
    """End the prompt that is being played."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class Listen:
    """Recognise these words."""

    call_id: AttemptId
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopListening:
    """End speech recognition."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class TakeUnit:
    """Take a speech connection (ASR or TTS) for the call, waiting up to `patience` seconds for one.

    Answered by UnitGranted or UnitRefused.
    """

    call_id: AttemptId
    kind: LicenceKind
    patience: float


@dataclass(frozen=True, slots=True)
class GiveUnit:
    """Give a speech connection back before the call is over."""

    call_id: AttemptId
    kind: LicenceKind


@dataclass(frozen=True, slots=True)
class FindAgent:
    """Find an agent for the answered call; `session` is the one it was made for.

    Answered by AgentFound, or by AgentMissed after `patience` seconds.
    """

    call_id: AttemptId
    patience: float
    session: int | None = None


@dataclass(frozen=True, slots=True)
class DropOffer:
    """Look for an agent no more: the call is over."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class JoinRoom:
    """Put the call into its agent's room. Answered by RoomJoined or JoinFailed."""

    call_id: AttemptId
    room: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Send TimerFired after so many seconds, unless another timer of the attempt is started or stopped."""

    call_id: AttemptId
    seconds: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Forget the attempt's timer."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """Ask a web service to do this action: POST `body` to `url`."""

    attempt_id: AttemptId
    url: str
    body: str
    headers: Mapping[str, str]
    secret_headers: Mapping[str, str]
    """Headers whose values are configured secrets, by the secrets' names."""
    timeout: float


@dataclass(frozen=True, slots=True)
class Finish:
    """The attempt is over: record its outcome and give its units back."""

    attempt_id: AttemptId
    outcome: Outcome
    ended_at: dt.datetime
    answered_at: dt.datetime | None = None
    detail: str = ""
    untried: bool = False
    """The server could not be reached: nobody was contacted, and the attempt must not cost the contact."""
    disposition: str | None = None
    do_not_contact: bool = False
    """The person asked not to be contacted again."""
    sent: TextSent | None = None
    session: int | None = None
    """The agent's session that talked on the call."""
    joined_at: dt.datetime | None = None
    """When the contact and the agent heard each other."""


Command = (
    Originate
    | Send
    | SendText
    | CallWebhook
    | Play
    | StopPlaying
    | Listen
    | StopListening
    | HangUp
    | FindAgent
    | DropOffer
    | JoinRoom
    | TakeUnit
    | GiveUnit
    | StartTimer
    | StopTimer
    | Finish
)


@dataclass(frozen=True, slots=True)
class UnitGranted:
    """A speech connection is the call's now."""

    call_id: AttemptId
    kind: LicenceKind


@dataclass(frozen=True, slots=True)
class UnitRefused:
    """No speech connection was free in time."""

    call_id: AttemptId
    kind: LicenceKind


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The attempt's timer has run out."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class WebhookAnswered:
    """The end of a webhook: its outcome, and the disposition that the answer's JSON names, if it does."""

    attempt_id: AttemptId
    at: dt.datetime
    outcome: Outcome
    disposition: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AgentFound:
    """An agent takes the call, in this room."""

    call_id: AttemptId
    session: int
    room: str


@dataclass(frozen=True, slots=True)
class AgentMissed:
    """No agent was free in time."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class RoomJoined:
    """The contact is in its agent's room."""

    call_id: AttemptId
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class JoinFailed:
    """The contact could not be put into the room: the call, the agent's leg or a port is gone."""

    call_id: AttemptId
    detail: str


AgentNews = AgentFound | AgentMissed | RoomJoined | JoinFailed

DriverNews = UnitGranted | UnitRefused | TimerFired | WebhookAnswered | AgentNews
