"""What the driver needs of the floor: agents for answered calls. The floor's edge is one; tests have others.

Everything is called on the event loop's thread, and returns at once; answers come back as news of attempts.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from outrider.channels.model import CallEvent
from outrider.dialing.attempt import Claim
from outrider.dialing.commands import FindAgent, Finish, JoinRoom
from outrider.ids import AttemptId


@dataclass(frozen=True, slots=True)
class Talk:
    """An agent's session that has a contact in hand; `joined_at` None while they have not talked yet."""

    session_id: int
    agent_id: int
    joined_at: dt.datetime | None


class Hall(Protocol):
    """Where agents and answered calls meet."""

    def started(self, claim: Claim) -> None:
        """Note that a call of an agent task is being made."""
        ...

    def ringing(self, claim: Claim) -> None:
        """Note that it rings."""
        ...

    def seek(self, claim: Claim, command: FindAgent) -> None:
        """Find an agent: AgentFound or AgentMissed comes back."""
        ...

    def drop(self, call_id: AttemptId) -> None:
        """Find none any more: the call is over."""
        ...

    def join(self, claim: Claim, command: JoinRoom) -> None:
        """Put the call into its agent's room: RoomJoined or JoinFailed comes back."""
        ...

    def over(self, claim: Claim, finish: Finish) -> None:
        """Note that an attempt has its result, which is with the recorder already."""
        ...

    def knows(self, call_id: AttemptId) -> bool:
        """Return whether a call is an agent's phone, or a person who is consulted."""
        ...

    def hear(self, event: CallEvent) -> None:
        """Take an event of such a call."""
        ...

    def talks_with(self, attempt_id: AttemptId) -> Talk | None:
        """Return who has an attempt of a former life in hand, None when nobody has."""
        ...

    def taken_over(self, claim: Claim, room: str) -> Talk | None:
        """Give a living call of a former life back to its agent, and return who has it; None: nobody.

        `room` is where the call is now. What was written last may not say so: the join came through, or the
        number was dialed, a moment before the process died.
        """
        ...

    def is_empty(self, room: str) -> bool:
        """Return whether nobody in a room talks to a contact whom `taken_over` gave to nobody."""
        ...

    def agent_of(self, session_id: int) -> int | None:
        """Return the agent whose session it is, or was."""
        ...
