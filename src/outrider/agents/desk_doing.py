"""One command of a desktop or a supervisor carried out on the floor, once, however often it is sent.

The endpoints and the websocket of the Agent Web API call it.
"""

from dataclasses import replace

import structlog

from outrider.agents import desk_store
from outrider.agents.commands import Command, ConsultCall, WrapUp
from outrider.agents.desk import AgentDesk, Desk
from outrider.agents.desk_service import contact_in_hand
from outrider.agents.model import Session
from outrider.callbacks import service as callbacks
from outrider.callbacks.model import CallbackPlan
from outrider.clock import Clock
from outrider.completion import service as completion
from outrider.db.database import Database
from outrider.errors import ConflictError, InvalidInputError, NotFoundError, StoreError

log = structlog.get_logger(__name__)

IN_THE_WORLD = frozenset(
    {"accept_preview", "skip_preview", "dial", "redial", "consult", "complete_transfer", "wrap_up"}
)
"""Commands that must not be done again after a restart either: they are written down when they are done."""


async def do_once(
    floor: AgentDesk,
    database: Database,
    clock: Clock,
    session: Session,
    name: str,
    command: Command,
    command_id: str,
    *,
    supervisor: int | None = None,
) -> None:
    """Do a command. With an id, a repetition gets the first answer, and nothing is done again.

    `supervisor` is the user who gives it in place of the agent; their ids are their own.
    NotFoundError, IllegalTransitionError, InvalidInputError, ConflictError: then nothing was done.
    """

    async def do() -> None:
        written = bool(command_id) and name in IN_THE_WORLD
        if written and await _was_done(database, session, name, command_id):
            return
        present = floor.desk.session(session.id) or session
        await _check_code(database, present, command)
        checked = await _promisable(database, clock, present, command)
        await floor.desk.command(session.id, _addressed(floor.desk, session, checked))
        if written:
            try:
                await database.write(desk_store.note_done, session.id, command_id, name, clock.now())
            except (StoreError, ConflictError) as error:
                # It is done: to say otherwise would make the desktop do it again.
                log.warning("command_not_noted", session=session.id, command=name, error=error.message)

    await floor.answers.once(session.id, command_id, name, do, supervisor=supervisor)


async def _was_done(database: Database, session: Session, name: str, command_id: str) -> bool:
    first = await database.read(desk_store.was_done, session.id, command_id)
    if first is not None and first != name:
        raise ConflictError(f"id: {command_id!r} was given to the command {first}; use a new one")
    return first is not None


async def _check_code(database: Database, session: Session, command: Command) -> None:
    """Refuse a completion code that nobody knows; the floor checks it where the strategy names its own.

    Such a code would have no effect: the contact would silently count as done. InvalidInputError.
    """
    engagement = session.engagement
    if not isinstance(command, WrapUp) or engagement is None or engagement.card.get("completion_codes"):
        return
    allowed = [each.name for each in await database.read(completion.codes, session.organization_id)]
    if command.code not in allowed:
        names = ", ".join(allowed) or "none: a supervisor makes them on the page Completion codes"
        raise InvalidInputError(f"code: {command.code!r} is not known; the codes are {names}", where="code")


async def _promisable(database: Database, clock: Clock, session: Session, command: Command) -> Command:
    """Return a command with a promise that can be kept: in calling hours, at a number, of a kind..."""
    promise = command.callback if isinstance(command, WrapUp) else None
    engagement, contact_id = session.engagement, contact_in_hand(session)
    if not isinstance(command, WrapUp) or promise is None or engagement is None or contact_id is None:
        return command
    plan = CallbackPlan(
        at=promise.at,
        kind=promise.kind,
        # Where it was called, which is where its person asked for it, unless another number is said.
        address=promise.address or str(engagement.card.get("address", "")),
        note=promise.note,
        time_zone=promise.time_zone,
        expires_at=promise.expires_at,
    )
    made = await database.read(
        callbacks.promisable, clock.now(), engagement.task_id, contact_id, session.agent_id, plan
    )
    held = replace(promise, at=made.at, address=made.address, expires_at=made.expires_at)
    return replace(command, callback=held)


def _addressed(desk: Desk, session: Session, command: Command) -> Command:
    """Return a command that calls another agent with the address of that agent's phone."""
    if not isinstance(command, ConsultCall) or not command.agent or command.address:
        return command
    for other in desk.sessions(session.organization_id):
        if other.name == command.agent and other.id != session.id:
            return ConsultCall(other.address, command.agent)
    raise NotFoundError(f"agent: {command.agent!r} is not logged in", where="agent")
