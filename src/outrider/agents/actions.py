"""What the floor wants done: frozen records that its edge carries out, in order. Pure.

`floor.py` makes them; `runtime/floor_desk.py` and the simulator's world carry them out.
"""

from dataclasses import dataclass

from outrider.agents.commands import Callback
from outrider.agents.model import AgentState, LegId, Session, SessionId
from outrider.agents.notifications import Notification
from outrider.channels.model import CallPurpose
from outrider.ids import AttemptId, TaskId


@dataclass(frozen=True, slots=True)
class Give:
    """Tell the engine that the call has an agent, whose room it is to join."""

    call_id: AttemptId
    session_id: SessionId
    room: str


@dataclass(frozen=True, slots=True)
class Miss:
    """Tell the engine that no agent was free in time."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class MakeLeg:
    """Charge a port and call an agent's phone, or a person to consult; `timeout` is seconds of ringing.

    Answered by `Floor.leg_up`, or `Floor.leg_ended` when it cannot be made.
    """

    leg: LegId
    session_id: SessionId
    purpose: CallPurpose
    address: str
    server: str
    timeout: float


@dataclass(frozen=True, slots=True)
class Join:
    """Put a call into a room. Only of calls that the engine does not join itself."""

    call_id: AttemptId
    room: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Take a call out of its room, to music."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class HangUp:
    """End a call; its end is told as always."""

    call_id: AttemptId


@dataclass(frozen=True, slots=True)
class SendKeys:
    """Play keys to a call."""

    call_id: AttemptId
    digits: str


@dataclass(frozen=True, slots=True)
class DialCard:
    """Make the call of a card that was looked at."""

    attempt_id: AttemptId
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class ReturnCard:
    """Give a card back without a call: `skipped` by the agent, or taken back (which costs nothing)."""

    attempt_id: AttemptId
    skipped: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ClaimNumber:
    """Claim a number, or a contact, for an agent who dials; answered by `dialing` or `dial_refused`.

    `again` is the attempt whose contact is called once more (redial).
    """

    session_id: SessionId
    task_id: TaskId
    address: str
    contact_id: int | None = None
    again: AttemptId | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """Write what came of a contact: its completion code (None: none was chosen), note and callback."""

    attempt_id: AttemptId
    session_id: SessionId
    code: str | None
    note: str = ""
    callback: Callback | None = None
    by_timeout: bool = False


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the agent's desktop."""

    session_id: SessionId
    notification: Notification


@dataclass(frozen=True, slots=True)
class Changed:
    """A session is another one now: to be written down, with the transition if its state changed."""

    before: Session | None
    after: Session

    @property
    def is_transition(self) -> bool:
        """Return whether the state itself changed, which is audited."""
        return self.before is None or self.before.state is not self.after.state


@dataclass(frozen=True, slots=True)
class ReleaseSeat:
    """Give the session's seat back, now that no contact is in hand; answered by `seat_released`."""

    session_id: SessionId
    why: str


@dataclass(frozen=True, slots=True)
class MoveSeat:
    """Move the session's seat to another task, in one step; answered by `seat_given` or `move_refused`."""

    session_id: SessionId
    task_id: TaskId


@dataclass(frozen=True, slots=True)
class EndSession:
    """Close the session: seat and API licence go back."""

    session_id: SessionId
    reason: str


Action = (
    Give
    | Miss
    | MakeLeg
    | Join
    | Leave
    | HangUp
    | SendKeys
    | DialCard
    | ReturnCard
    | ClaimNumber
    | Complete
    | Notify
    | Changed
    | ReleaseSeat
    | MoveSeat
    | EndSession
)

STATES_OF_WORK = (AgentState.TALKING, AgentState.HOLD, AgentState.WRAP_UP)
"""What pacing counts as busy: the time until these end is learned."""
