"""Where the Agent Web API finds the floor of this process, whichever worker has it now, or nobody.

The composition root makes one; a worker that begins enters its floor here. It is an `agents/desk.Desk`.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from outrider.agents.commands import Command
from outrider.agents.model import AgentId, Session, SessionId
from outrider.dialing.predictive.model import Decision
from outrider.errors import ConflictError
from outrider.ids import TaskId
from outrider.runtime.feeds import Feed
from outrider.runtime.floor_service import FloorService


class FloorDoor:
    """The floor of this process. What needs it, and does not find it, is a ConflictError."""

    def __init__(self) -> None:
        self.floor: FloorService | None = None
        self.on_found: Callable[[SessionId], None] | None = None
        """Told of every session that a floor finds when it is taken."""

    def enter(self, floor: FloorService | None) -> None:
        """Let this be the floor of the process, or nothing."""
        self.floor = floor
        if floor is not None:
            floor.keeper.on_found = self.on_found

    @property
    def available(self) -> bool:
        """Return whether this process has the floor."""
        return self.floor is not None and self.floor.available

    @property
    def address(self) -> str:
        """Return where the floor is when it is not here."""
        return "" if self.floor is None else self.floor.address

    async def log_in(
        self, agent_id: AgentId, *, api: bool, now: dt.datetime, address: str | None = None
    ) -> SessionId:
        """Open a session, not ready."""
        return await self._floor().log_in(agent_id, api=api, now=now, address=address)

    async def command(self, session_id: SessionId, command: Command) -> None:
        """Do what was asked."""
        await self._floor().command(session_id, command)

    def session(self, session_id: SessionId) -> Session | None:
        """Return a session as it is now, None when it is over."""
        return None if self.floor is None else self.floor.session(session_id)

    def session_of(self, agent_id: AgentId) -> Session | None:
        """Return the session of an agent, None when it is logged out."""
        return None if self.floor is None else self.floor.session_of(agent_id)

    def sessions(self, organization_id: int | None) -> Sequence[Session]:
        """Return the sessions of an organization, or of all, oldest first."""
        return () if self.floor is None else self.floor.sessions(organization_id)

    def subscribe(self, session_id: SessionId) -> AbstractContextManager[Feed]:
        """Listen to a session for as long as the block lasts."""
        return self._floor().subscribe(session_id)

    def last_id(self, session_id: SessionId) -> int:
        """Return the number of the last notification of a session, 0 when there was none."""
        return self._floor().last_id(session_id)

    def snapshot(self, session_id: SessionId) -> Mapping[str, object]:
        """Return the whole state of a session as JSON data."""
        return self._floor().snapshot(session_id)

    def connected(self, session_id: SessionId, connected: bool) -> None:  # noqa: FBT001 - as the protocol
        """Note that a desktop listens to the session, or has been gone for too long."""
        if self.floor is not None:
            self.floor.connected(session_id, connected)

    def decisions(self, task_id: TaskId) -> Sequence[tuple[str, Decision]]:
        """Return what pacing last decided for a task, by media server; for "why is nobody being called?"."""
        if self.floor is None:
            return ()
        every = self.floor.loops.decisions.items()
        return [(server, decision) for (task, server), decision in every if task == task_id]

    def _floor(self) -> FloorService:
        if self.floor is None or not self.floor.available:
            raise ConflictError("this process does not have the floor now: connect again in a few seconds")
        return self.floor
