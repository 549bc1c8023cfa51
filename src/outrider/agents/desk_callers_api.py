"""Who calls the Agent Web API: the user's own agent account, its session, and the floor that has it.

Dependencies of `desk_api.py`, `desk_records_api.py` and `desk_commands_api.py`; the websocket calls the
functions.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from outrider.agents import desk_service
from outrider.agents.desk import AgentDesk, Desk
from outrider.agents.model import Agent, AgentId, Session
from outrider.errors import FloorElsewhereError, NotAllowedError, NotFoundError
from outrider.people.model import Credential
from outrider.web.access import MUST_CHANGE_PASSWORD, Edge, EdgeServices, SignedIn

RETRY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class CallingAgent:
    """An agent account and how it proved who it is. Tokens are third-party desktops: they are charged."""

    agent: Agent
    credential: Credential

    @property
    def by_token(self) -> bool:
        """Return whether its session takes an `agent_web_api` licence (docs/decisions/0011)."""
        return not self.credential.is_session


async def calling_agent(edge: EdgeServices, credential: Credential) -> CallingAgent:
    """Return the account of the agent that a credential is bound to. NotAllowedError."""
    _require_own_password(credential)
    agent = await edge.database.read(desk_service.agent_of_user, credential.caller.user_id)
    if not agent.enabled:
        raise NotAllowedError(f"agent {agent.name} is switched off: ask a supervisor")
    return CallingAgent(agent, credential)


async def calling_agent_id(edge: EdgeServices, credential: Credential) -> AgentId:
    """Return the agent that a credential is bound to, by one small query: commands ask for no more.

    NotAllowedError.
    """
    _require_own_password(credential)
    return await edge.database.read(desk_service.agent_id_of_user, credential.caller.user_id)


def _require_own_password(credential: Credential) -> None:
    if credential.must_change_password:
        raise NotAllowedError(
            "change your one-time password first: POST /api/session/password", reason=MUST_CHANGE_PASSWORD
        )


def floor_of(edge: EdgeServices) -> AgentDesk:
    """Return the floor. FloorElsewhereError, with its address, when another process has it."""
    found = edge.parts.get(AgentDesk)
    if isinstance(found, AgentDesk) and found.desk.available:
        return found
    address = found.desk.address if isinstance(found, AgentDesk) else ""
    where = f"use {address}" if address else "try again in a moment"
    raise FloorElsewhereError(
        f"agents are not served by this process: {where}", address=address, retry_after=RETRY_SECONDS
    )


def session_of(desk: Desk, agent_id: AgentId) -> Session:
    """Return the session of an agent. NotFoundError when it is logged out."""
    found = desk.session_of(agent_id)
    if found is None:
        raise NotFoundError(f"agent {agent_id} is not logged in: POST /api/agent/session")
    return found


async def _calling(credential: SignedIn, edge: Edge) -> CallingAgent:
    return await calling_agent(edge, credential)


Calling = Annotated[CallingAgent, Depends(_calling)]
"""The agent who calls, logged in or not."""


async def _floor(edge: Edge) -> AgentDesk:
    return floor_of(edge)


Floor = Annotated[AgentDesk, Depends(_floor)]
"""The floor, when it is here."""


async def _session(credential: SignedIn, edge: Edge, floor: Floor) -> Session:
    agent_id = await calling_agent_id(edge, credential)
    patience = edge.settings.agents.desktop_patience
    floor.desktops.asked(session_of(floor.desk, agent_id).id, floor.desk.connected, patience)
    return session_of(floor.desk, agent_id)


OwnSession = Annotated[Session, Depends(_session)]
"""The session of the agent who calls."""
