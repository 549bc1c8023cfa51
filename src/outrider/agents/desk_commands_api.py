"""REST of commands: one path for each, for an agent's own session and for supervisors.

`app.py` includes `router`. Bodies are made from the records of `commands.py`, so that the OpenAPI document
describes each command.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Body, Header

from outrider.agents.commands import NAMES
from outrider.agents.desk_callers_api import Floor, OwnSession
from outrider.agents.desk_doing import do_once
from outrider.agents.desk_messages import (
    BODIES,
    FOR_SUPERVISORS,
    LONGEST_ID,
    SUPERVISORS,
    CommandBody,
    command_of,
)
from outrider.agents.desk_schemas import Done
from outrider.agents.model import AgentId
from outrider.errors import InvalidInputError, NotFoundError
from outrider.web.access import Edge, RowId, Supervisor

router = APIRouter(prefix="/api", tags=["agent"])

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=LONGEST_ID,
        pattern=r"^[A-Za-z0-9_.:-]+$",
        description="The command's id: sent again, nothing is done again and the answer is the same.",
    ),
]
Endpoint = Callable[..., Awaitable[Done]]


def _agents_own(name: str, model: type[CommandBody]) -> Endpoint:
    missing = Body() if _has_required(model) else Body(default_factory=model)

    async def command(
        edge: Edge, floor: Floor, session: OwnSession, body: CommandBody = missing, key: Key = None
    ) -> Done:
        number = _id_of(body, key)
        await do_once(floor, edge.database, edge.clock, session, name, command_of(name, body), number)
        return Done(id=number or None, command=name)

    return _named(command, f"command_{name}", model)


def _supervisors(name: str, model: type[CommandBody]) -> Endpoint:
    missing = Body() if _has_required(model) else Body(default_factory=model)

    async def command(
        agent_id: RowId,
        edge: Edge,
        caller: Supervisor,
        floor: Floor,
        body: CommandBody = missing,
        key: Key = None,
    ) -> Done:
        session = floor.desk.session_of(AgentId(agent_id))
        if session is None or not caller.sees(session.organization_id):
            raise NotFoundError(f"agent {agent_id} is not logged in")
        number = _id_of(body, key)
        await do_once(
            floor,
            edge.database,
            edge.clock,
            session,
            name,
            command_of(name, body),
            number,
            supervisor=caller.user_id,
        )
        return Done(id=number or None, command=name)

    return _named(command, f"supervisor_{name}", model)


def _named(command: Endpoint, name: str, model: type[CommandBody]) -> Endpoint:
    """Return an endpoint under its own name, which takes the body of its own command."""
    command.__name__ = name
    command.__annotations__["body"] = model
    return command


def _has_required(model: type[CommandBody]) -> bool:
    return any(field.is_required() for field in model.model_fields.values())


def _id_of(body: CommandBody, key: str | None) -> str:
    if body.id and key and body.id != key:
        raise InvalidInputError("id: the body and the header Idempotency-Key name different ids", where="id")
    return body.id or key or ""


def _add_all() -> None:
    for name, model in BODIES.items():
        about = NAMES[name].__doc__
        if name not in SUPERVISORS:
            path = f"/agent/session/commands/{name}"
            router.add_api_route(path, _agents_own(name, model), methods=["POST"], description=about)
        if name in FOR_SUPERVISORS:
            path = f"/agents/{{agent_id}}/commands/{name}"
            router.add_api_route(path, _supervisors(name, model), methods=["POST"], description=about)


_add_all()
