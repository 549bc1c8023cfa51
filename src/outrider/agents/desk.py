"""What the Agent Web API asks of the floor: a Protocol, and the part by which endpoints reach it. No I/O.

`runtime/floor_desk.py` is the real one; tests play a small one. Where another process has the floor,
`available` is false and `address` says where it is.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from outrider.agents.answers import Answers
from outrider.agents.commands import Command
from outrider.agents.desktops import Desktops
from outrider.agents.model import AgentId, Session, SessionId
from outrider.agents.notifications import Notification
from outrider.dialing.predictive.model import Decision
from outrider.ids import TaskId


class SlowReaderError(Exception):
    """A desktop lags too far behind to be served: it should connect again, and gets what it missed then."""


class Told(Protocol):
    """One notification as it was sent: its number, which grows while the session lives, and its time."""

    @property
    def id(self) -> int:
        """Return its number."""

    @property
    def at(self) -> dt.datetime:
        """Return when it was told; aware."""

    @property
    def notification(self) -> Notification:
        """Return what was told."""


class Feed(Protocol):
    """What one desktop hears, from the moment of its subscription on."""

    @property
    def last_id(self) -> int:
        """Return the number of the last notification of the session so far, 0 when there was none."""

    def replay(self, after: int) -> Sequence[Told] | None:
        """Return what was told after that number until now; None when that is too old, or not known."""

    async def get(self) -> Told | None:
        """Wait for the next one; None when the session is over. SlowReaderError."""


class Desk(Protocol):
    """The floor as the Agent Web API sees it. Everything is called on the event loop that owns it."""

    @property
    def available(self) -> bool:
        """Return whether this process has the floor."""

    @property
    def address(self) -> str:
        """Return where the floor is when it is not here; "" when nobody has it."""

    async def log_in(
        self, agent_id: AgentId, *, api: bool, now: dt.datetime, address: str | None = None
    ) -> SessionId:
        """Open a session, not ready; `address` is where the agent's phone is today.

        LicenceShortageError when no `agent_web_api` licence is left (`api`), ConflictError when the agent is
        logged in already.
        """

    async def command(self, session_id: SessionId, command: Command) -> None:
        """Do what was asked.

        NotFoundError, IllegalTransitionError, InvalidInputError, ConflictError: then nothing was done.
        """

    def session(self, session_id: SessionId) -> Session | None:
        """Return a session as it is now, None when it is over."""

    def session_of(self, agent_id: AgentId) -> Session | None:
        """Return the session of an agent, None when it is logged out."""

    def sessions(self, organization_id: int | None) -> Sequence[Session]:
        """Return the sessions of an organization, or of all, oldest first."""

    def subscribe(self, session_id: SessionId) -> AbstractContextManager[Feed]:
        """Listen to a session for as long as the block lasts."""

    def last_id(self, session_id: SessionId) -> int:
        """Return the number of the last notification of a session, 0 when there was none."""

    def snapshot(self, session_id: SessionId) -> Mapping[str, object]:
        """Return the whole state of a session as JSON data; NotFoundError when it is over."""

    def connected(self, session_id: SessionId, connected: bool) -> None:  # noqa: FBT001 - its only meaning
        """Note that a desktop listens to the session, or has been gone for too long."""

    def decisions(self, task_id: TaskId) -> Sequence[tuple[str, Decision]]:
        """Return what pacing last decided for a task, by media server; nothing without the floor."""


@dataclass(frozen=True, slots=True)
class AgentDesk:
    """The part by which endpoints find the floor: `edge.part(AgentDesk).desk`.

    Beside it is what the API itself remembers of commands and connections.
    """

    desk: Desk
    answers: Answers = field(default_factory=Answers)
    desktops: Desktops = field(default_factory=Desktops)
