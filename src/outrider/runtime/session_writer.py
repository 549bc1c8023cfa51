"""Writes sessions down behind the floor: what changed within 50 ms in one transaction, with all transitions.

The floor's edge adds changes. A database that is away is tried again for as long as it takes; what is not
written when the process is killed is told by the media server after the restart.
"""

import asyncio

import structlog

from outrider.agents import sessions
from outrider.agents.actions import Changed
from outrider.agents.model import Session, SessionId
from outrider.agents.sessions import Transition
from outrider.db.database import Database
from outrider.errors import StoreError

log = structlog.get_logger(__name__)

LONGEST_PAUSE = 5.0


class SessionWriter:
    """The latest state of each session that changed, and transitions in order. `delay` is real seconds."""

    def __init__(self, database: Database, delay: float = 0.05) -> None:
        self._database = database
        self._delay = delay
        self._latest: dict[SessionId, Session] = {}
        self._transitions: list[Transition] = []
        self._arrived = asyncio.Event()
        self._written = asyncio.Event()
        self._written.set()

    def add(self, change: Changed) -> None:
        """Take one change of a session."""
        after, before = change.after, change.before
        self._latest[after.id] = after
        if before is not None and change.is_transition:
            engagement = after.engagement or before.engagement
            self._transitions.append(
                Transition(
                    session_id=after.id,
                    agent_id=after.agent_id,
                    at=after.since,
                    before=before.state,
                    after=after.state,
                    reason=after.reason,
                    task_id=after.task_id or before.task_id,
                    attempt_id=None if engagement is None else engagement.attempt_id,
                )
            )
        self._written.clear()
        self._arrived.set()

    async def flushed(self) -> None:
        """Wait until everything that was added is committed."""
        await self._written.wait()

    async def run(self) -> None:
        """Write until cancelled; cancel only after `flushed`."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(self._delay)
            self._arrived.clear()
            latest, self._latest = self._latest, {}
            transitions, self._transitions = self._transitions, []
            await self._write(list(latest.values()), transitions)
            if not self._arrived.is_set():
                self._written.set()

    async def _write(self, latest: list[Session], transitions: list[Transition]) -> None:
        pause = self._delay
        while True:
            try:
                return await self._database.write(sessions.save_sessions, latest, transitions)
            except StoreError as error:
                log.warning("sessions_wait_for_database", sessions=len(latest), error=error.message)
                pause = min(LONGEST_PAUSE, pause * 2 or 0.05)
                await asyncio.sleep(pause)
