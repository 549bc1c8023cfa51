"""REST of an agent's session: /api/agent/session. Log in, look at the state, log out.

`app.py` includes `router`; `desk_commands_api.py` has the commands, `desk_socket_api.py` the notifications.
"""

from typing import Annotated

from fastapi import APIRouter, Query

from outrider.agents.commands import LogOut, Ready
from outrider.agents.desk import AgentDesk
from outrider.agents.desk_callers_api import Calling, Floor, OwnSession
from outrider.agents.desk_schemas import AgentSessionView, LoggingOut, LogInBody, OwnAccount
from outrider.agents.model import SessionId
from outrider.web.access import Edge, EdgeServices, Text

router = APIRouter(prefix="/api/agent", tags=["agent"])


@router.post("/session", status_code=201)
async def log_in(body: LogInBody, edge: Edge, calling: Calling, floor: Floor) -> AgentSessionView:
    """Log in as one's own agent, not ready unless `ready` says so.

    With an API token this takes an `agent_web_api` licence until logout: 409 when none is left. 409 too when
    the agent is logged in already (`GET` shows that session).
    """
    floor.answers.forget_all_but({each.id for each in floor.desk.sessions(None)})
    number = await floor.desk.log_in(
        calling.agent.id, api=calling.by_token, now=edge.clock.now(), address=body.address or None
    )
    if body.ready:
        await floor.desk.command(number, Ready())
    return view(edge, floor, number)


@router.get("/session")
async def show_session(edge: Edge, floor: Floor, session: OwnSession) -> AgentSessionView:
    """Return the whole state of the session. 404 when the agent is logged out."""
    return view(edge, floor, session.id)


@router.delete("/session")
async def log_out(
    floor: Floor,
    session: OwnSession,
    reason: Annotated[Text, Query(max_length=80)] = "",
    *,
    force: bool = False,
) -> LoggingOut:
    """Log out, after the contact in hand; with `force` at once."""
    await floor.desk.command(session.id, LogOut(reason, force))
    return LoggingOut(over=floor.desk.session(session.id) is None)


@router.get("/account")
async def show_account(calling: Calling) -> OwnAccount:
    """Return the agent's own account: name, phone, skills, preferred campaigns."""
    return OwnAccount.of(calling.agent)


def view(edge: EdgeServices, floor: AgentDesk, session_id: SessionId) -> AgentSessionView:
    """Return the state of a session with the number to follow it from."""
    with floor.desk.subscribe(session_id) as feed:
        return AgentSessionView(
            at=edge.clock.now(), last_id=feed.last_id, session=dict(floor.desk.snapshot(session_id))
        )
