"""The websocket of the Agent Web API: GET /api/agent/events. Who may open it, and from where it goes on.

`app.py` includes `router`; `desk_conversation_api.py` speaks on it. `asyncapi.py` documents it.
"""

from fastapi import APIRouter, WebSocket

from outrider.agents.desk_callers_api import calling_agent_id, floor_of, session_of
from outrider.agents.desk_conversation_api import Conversation
from outrider.errors import InvalidInputError, NotAllowedError
from outrider.people.model import Credential
from outrider.web.access import EdgeServices, authenticate, authenticate_token
from outrider.web.origins import host_of, is_foreign
from outrider.web.sse import read_event_id

router = APIRouter(prefix="/api/agent", tags=["agent"])

PROTOCOL = "outrider.v1"
"""The subprotocol: browsers offer it beside `bearer.TOKEN`, and it is the one that is accepted."""
BEARER = "bearer."


@router.websocket("/events")
async def events(websocket: WebSocket) -> None:
    """Follow the session of the agent who calls, and take its commands; see /api/asyncapi.json."""
    edge: EdgeServices = websocket.app.state.edge
    after = _after(websocket)
    credential = await _credential(websocket, edge)
    agent_id = await calling_agent_id(edge, credential)
    floor = floor_of(edge)
    session = session_of(floor.desk, agent_id)

    async def still_allowed() -> None:
        websocket.state.credential = None
        await calling_agent_id(edge, await _credential(websocket, edge))

    offered = websocket.scope.get("subprotocols", ())
    await websocket.accept(PROTOCOL if PROTOCOL in offered else None)
    await Conversation(websocket, edge, floor, session.id, still_allowed).run(after)


def _after(websocket: WebSocket) -> int | None:
    text = websocket.query_params.get("after", "")
    if not text:
        return None
    number = read_event_id(text)
    if number is None:
        raise InvalidInputError(f"after: {text[:40]!r} is not the number of a notification", where="after")
    return number


async def _credential(websocket: WebSocket, edge: EdgeServices) -> Credential:
    """Return who calls: by Authorization header, by subprotocol, or by a browser's session cookie.

    Other sites' pages can open websockets with our cookie; the Origin, which they cannot forge, tells.
    """
    for offered in websocket.scope.get("subprotocols", ()):
        if offered.startswith(BEARER):
            return await authenticate_token(edge, offered.removeprefix(BEARER))
    credential = await authenticate(websocket, edge)
    if credential.is_session:
        origin, host = (websocket.headers.get(name, "") for name in ("origin", "host"))
        if is_foreign(origin, host, host_of(edge.settings.public_url)):
            raise NotAllowedError("open this websocket from a page of this server, or with an API token")
    return credential
