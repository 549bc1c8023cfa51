"""What a desktop is told: one frozen record per kind of news, numbered when it is sent. Pure.

`floor.py` makes them; the Agent Web API sends them as JSON: {"id", "at", "kind", ...fields}.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Base of all; `kind` is its name on the wire."""

    kind: ClassVar[str] = "notification"


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome(Notification):
    """The whole state of the session, sent whenever a desktop connects. `resumed`: nothing was missed."""

    kind: ClassVar[str] = "welcome"
    session: Mapping[str, object]
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged(Notification):
    """The agent's state; `deadline` ends it by itself."""

    kind: ClassVar[str] = "state_changed"
    before: str
    after: str
    reason: str = ""
    deadline: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatTaken(Notification):
    """The agent is attached to a job, and has a seat of this licence type."""

    kind: ClassVar[str] = "seat_taken"
    task_id: int
    job_id: int
    campaign: str
    action: str
    mode: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatRefused(Notification):
    """No seat, and why: what is missing is named (licensing.md 6)."""

    kind: ClassVar[str] = "seat_refused"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatReleased(Notification):
    """The agent is attached to no job any more; its seat went back."""

    kind: ClassVar[str] = "seat_released"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePending(Notification):
    """A move or detachment waits; `waits_for` says for what."""

    kind: ClassVar[str] = "move_pending"
    to_task_id: int | None
    waits_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NailUpChanged(Notification):
    """The leg to the agent's phone."""

    kind: ClassVar[str] = "nail_up_changed"
    status: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewOffered(Notification):
    """A card to look at before the call."""

    kind: ClassVar[str] = "preview_offered"
    attempt_id: str
    card: Mapping[str, object]
    may_skip: bool
    auto_dial: bool
    deadline: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewEnded(Notification):
    """The card was dialed, skipped, or taken back."""

    kind: ClassVar[str] = "preview_ended"
    attempt_id: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallConnected(Notification):
    """The contact is on the line."""

    kind: ClassVar[str] = "call_connected"
    attempt_id: str
    card: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallChanged(Notification):
    """The call rings, is held, or talked to again."""

    kind: ClassVar[str] = "call_changed"
    attempt_id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Notification):
    """The contact's leg is over: `by` is agent, contact, transfer or fault; wrap-up follows if it talked."""

    kind: ClassVar[str] = "call_ended"
    attempt_id: str
    by: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialFailed(Notification):
    """The agent's own call was not answered: the outcome in the field's names."""

    kind: ClassVar[str] = "dial_failed"
    attempt_id: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultChanged(Notification):
    """The third leg: dialing, joined, conference, failed, ended or transferred."""

    kind: ClassVar[str] = "consult_changed"
    state: str
    address: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpEnded(Notification):
    """The contact is done: with this code, chosen or by default when time ran out."""

    kind: ClassVar[str] = "wrap_up_ended"
    attempt_id: str
    code: str
    by_timeout: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOut(Notification):
    """The session is over."""

    kind: ClassVar[str] = "logged_out"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemNews(Notification):
    """The system itself: `available` false while it restarts or its carrier is away."""

    kind: ClassVar[str] = "system"
    available: bool
    detail: str = ""


KINDS: Mapping[str, type[Notification]] = {
    each.kind: each
    for each in (
        Welcome,
        StateChanged,
        SeatTaken,
        SeatRefused,
        SeatReleased,
        MovePending,
        NailUpChanged,
        PreviewOffered,
        PreviewEnded,
        CallConnected,
        CallChanged,
        CallEnded,
        DialFailed,
        ConsultChanged,
        WrapUpEnded,
        LoggedOut,
        SystemNews,
    )
}
"""Every kind by its name on the wire."""
