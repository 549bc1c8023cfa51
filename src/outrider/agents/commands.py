"""What an agent, or a supervisor for it, can ask of the floor: one frozen record per command. Pure.

The Agent Web API and the pages make them, `floor.py` answers them. `NAMES` maps the API's names to them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.campaigns.strategy_agents import CallbackKind
from outrider.ids import TaskId


@dataclass(frozen=True, slots=True)
class Ready:
    """Take contacts from now on."""


@dataclass(frozen=True, slots=True)
class NotReady:
    """Take no more contacts, after the one in hand; `reason` is shown to supervisors."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class LogOut:
    """End the session, after the contact in hand; with `force` at once.

    The contact's call goes on without the agent only if another leg can serve it; else it ends.
    """

    reason: str = ""
    force: bool = False


@dataclass(frozen=True, slots=True)
class NailUpPhone:
    """Call the agent's phone, and keep the call."""


@dataclass(frozen=True, slots=True)
class DropNailUp:
    """End the call to the agent's phone; the agent is not ready then."""


@dataclass(frozen=True, slots=True)
class AcceptPreview:
    """Dial the contact on the card."""


@dataclass(frozen=True, slots=True)
class SkipPreview:
    """Give the card back, where the strategy lets agents skip."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Dial:
    """Manual mode: dial this number (E.164), for this contact if it is one of the campaign's."""

    address: str
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Let the contact hear music."""


@dataclass(frozen=True, slots=True)
class Unhold:
    """Talk to the contact again."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up on the contact; wrap-up begins."""


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Play keys to the contact."""

    digits: str


@dataclass(frozen=True, slots=True)
class Redial:
    """In wrap-up: call the same contact again, at the number given or the one called before."""

    address: str = ""


@dataclass(frozen=True, slots=True)
class ConsultCall:
    """Put the contact on hold and call somebody: a number, a SIP address, or another agent by `agent`."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class CancelConsult:
    """End the consulted leg and go back to the contact."""


@dataclass(frozen=True, slots=True)
class CompleteTransfer:
    """Leave the contact and the consulted person talking; wrap-up begins."""


@dataclass(frozen=True, slots=True)
class StartConference:
    """Let all three talk."""


@dataclass(frozen=True, slots=True)
class EndConference:
    """End the third leg, and go on with the contact."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A promise to call again: `at` is aware; `time_zone` (IANA) is that in which it was said."""

    at: dt.datetime
    kind: CallbackKind = CallbackKind.AGENT
    address: str = ""
    note: str = ""
    time_zone: str = ""
    expires_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class WrapUp:
    """Say what came of the contact, and be done with it."""

    code: str
    note: str = ""
    callback: Callback | None = None
    then_not_ready: str | None = None
    """A reason to be not ready afterwards; None: ready."""


@dataclass(frozen=True, slots=True)
class ExtendWrapUp:
    """Ask for more time for the wrap-up, as often as the strategy allows."""


@dataclass(frozen=True, slots=True)
class MoveTo:
    """Supervisor: work for another job, with the seat in one step (licensing.md 6)."""

    task_id: TaskId


@dataclass(frozen=True, slots=True)
class Detach:
    """Supervisor: work for no job, and be not ready, until the agent is ready again."""

    reason: str = ""


Command = (
    Ready
    | NotReady
    | LogOut
    | NailUpPhone
    | DropNailUp
    | AcceptPreview
    | SkipPreview
    | Dial
    | Hold
    | Unhold
    | EndCall
    | SendDigits
    | Redial
    | ConsultCall
    | CancelConsult
    | CompleteTransfer
    | StartConference
    | EndConference
    | WrapUp
    | ExtendWrapUp
    | MoveTo
    | Detach
)

NAMES: Mapping[str, type[Command]] = {
    "ready": Ready,
    "not_ready": NotReady,
    "log_out": LogOut,
    "nail_up": NailUpPhone,
    "drop_nail_up": DropNailUp,
    "accept_preview": AcceptPreview,
    "skip_preview": SkipPreview,
    "dial": Dial,
    "hold": Hold,
    "unhold": Unhold,
    "end_call": EndCall,
    "send_digits": SendDigits,
    "redial": Redial,
    "consult": ConsultCall,
    "cancel_consult": CancelConsult,
    "complete_transfer": CompleteTransfer,
    "conference": StartConference,
    "end_conference": EndConference,
    "wrap_up": WrapUp,
    "extend_wrap_up": ExtendWrapUp,
    "move": MoveTo,
    "detach": Detach,
}
"""The API's names of commands; those of supervisors are the last two and `log_out`."""
