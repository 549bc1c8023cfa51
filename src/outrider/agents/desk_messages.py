"""The words of the Agent Web API on the wire: bodies of commands, notifications and replies as JSON.

Its endpoints, its documents (OpenAPI, AsyncAPI) and `outrider.client` use it. The dataclasses of
`commands.py` and `notifications.py` are the one source: models are made from them.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, get_type_hints

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic_core import to_json

from outrider.agents.commands import NAMES, Callback, Command
from outrider.agents.notifications import KINDS, Notification
from outrider.campaigns.strategy_agents import CallbackKind
from outrider.errors import InvalidInputError

LONGEST_TEXT = 4_000
LONGEST_ID = 64
LONGEST: Mapping[str, int] = {
    "address": 200,
    "agent": 80,
    "code": 40,
    "digits": 64,
    "reason": 80,
    "then_not_ready": 80,
    "time_zone": 64,
}
"""Characters of the fields that are not free text."""

Number = Annotated[int, Field(ge=1, le=2**63 - 1)]
CommandId = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=r"^[A-Za-z0-9_.:-]+$")
]
"""What a desktop calls a command, so that it may repeat it."""

FORBID = ConfigDict(extra="forbid")
SUPERVISORS = ("move", "detach")
"""Commands that only supervisors may give."""
FOR_SUPERVISORS = (*SUPERVISORS, "log_out", "ready", "not_ready")
"""Commands that supervisors may give to an agent's session."""


class CallbackBody(BaseModel):
    """A promise to call again, at a time with its offset; `time_zone` (IANA) is that in which it was said."""

    model_config = FORBID

    at: AwareDatetime
    kind: CallbackKind = CallbackKind.AGENT
    address: Annotated[str, StringConstraints(max_length=LONGEST["address"])] = ""
    note: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)] = ""
    time_zone: Annotated[str, StringConstraints(max_length=LONGEST["time_zone"])] = ""
    expires_at: AwareDatetime | None = None

    def promise(self) -> Callback:
        """Return it as the floor takes it."""
        return Callback(self.at, self.kind, self.address, self.note, self.time_zone, self.expires_at)


class CommandBody(BaseModel):
    """Fields of a command; `id` makes it safe to repeat (the header Idempotency-Key does the same)."""

    model_config = FORBID

    id: CommandId | None = None


def _field(name: str, kind: Any, default: Any) -> Any:
    """Return the model's annotation and default of a command's field."""
    text = str(kind)
    optional = "None" in text
    if "Callback" in text:
        shown: Any = CallbackBody
    elif kind is bool:
        shown = bool
    elif "str" in text:
        shown = Annotated[str, StringConstraints(max_length=LONGEST.get(name, LONGEST_TEXT))]
    else:
        shown = Number
    return (shown | None if optional else shown, ... if default is dataclasses.MISSING else default)


def _model(name: str, command: type[Command]) -> type[CommandBody]:
    hints = get_type_hints(command)
    fields = {
        each.name: _field(each.name, hints[each.name], each.default) for each in dataclasses.fields(command)
    }
    title = "".join(part.capitalize() for part in name.split("_"))
    made: type[CommandBody] = create_model(
        f"{title}Command", __base__=CommandBody, __doc__=command.__doc__, **fields
    )
    return made


BODIES: Mapping[str, type[CommandBody]] = {name: _model(name, command) for name, command in NAMES.items()}
"""The model of every command's body, by the command's name."""

_MESSAGES: Mapping[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in KINDS.items()}


def command_of(name: str, body: BaseModel) -> Command:
    """Return the command that a body of `BODIES[name]` asks for."""
    values = {each.name: getattr(body, each.name) for each in dataclasses.fields(NAMES[name])}
    for key, value in values.items():
        if isinstance(value, CallbackBody):
            values[key] = value.promise()
    return NAMES[name](**values)


def read_body(name: str, data: Mapping[str, Any]) -> CommandBody:
    """Return the body of a command that came as JSON. InvalidInputError names command, field and fault."""
    if name not in BODIES:
        raise InvalidInputError(
            f"command: {str(name)[:80]!r} is none of {', '.join(BODIES)}", where="command"
        )
    try:
        return BODIES[name].model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidInputError(f"{name}: {place}: {first['msg']}", where=place) from None


def write_command(command: Command) -> dict[str, Any]:
    """Return the fields of a command as JSON data, without those that are as they are by default."""
    return {
        each.name: value
        for each in dataclasses.fields(command)
        if (value := getattr(command, each.name)) != each.default
    }


def encode(number: int, at: dt.datetime, notification: Notification) -> str:
    """Return a notification as it is sent: one JSON object with id, at, kind and its own fields."""
    message: dict[str, Any] = {"id": number, "at": at, "kind": notification.kind}
    for each in dataclasses.fields(notification):
        message[each.name] = getattr(notification, each.name)
    return to_json(message).decode()


def decode(message: Mapping[str, Any]) -> Notification | None:
    """Return the notification in a message; None for a kind that is newer than this code."""
    kind = str(message.get("kind", ""))
    if kind not in _MESSAGES:
        return None
    fields = {name: value for name, value in message.items() if name not in {"id", "at", "kind"}}
    found: Notification = _MESSAGES[kind].validate_python(fields)
    return found
