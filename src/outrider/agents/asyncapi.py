"""The AsyncAPI 3.0 document of the websocket: every notification, command and reply. Pure.

`desk_documents_api.py` serves it at /api/asyncapi.json. It is made from the records themselves, as they are
sent, so that it cannot say anything else.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from outrider.agents.desk_messages import BODIES, SUPERVISORS
from outrider.agents.notifications import KINDS

ADDRESS = "/api/agent/events"
PROTOCOL = "outrider.v1"
ABOUT = """
One websocket for each desktop. It begins with `welcome`: the whole state of the session. Connect again with
`?after=` the id of the last notification that was seen: then `welcome` says `resumed: true`, and what was
missed follows; when that is too much, it says `resumed: false` and has the whole state instead.

Prove who you are by the header `Authorization: Bearer or_...`; where headers cannot be set, by the
subprotocols `outrider.v1` and `bearer.or_...` together; or, from a page of this server, by its session
cookie.
""".strip()


def document(version: str, close_codes: Mapping[int, str]) -> dict[str, Any]:
    """Return the document for a release; `close_codes` say why the server ends a connection."""
    definitions: dict[str, Any] = {}
    notifications = {kind: _notification(kind, definitions) for kind in KINDS}
    commands = {
        name: _message(name, _command(name, definitions)) for name in BODIES if name not in SUPERVISORS
    }
    talk = {"ping": _message("ping", _echo("ping")), "pong": _message("pong", _echo("pong"))}
    reply = _message("reply", _reply())
    messages = {
        **{f"notification_{kind}": each for kind, each in notifications.items()},
        **{f"command_{name}": each for name, each in commands.items()},
        **talk,
        "reply": reply,
    }
    to_server = [f"command_{name}" for name in commands] + ["ping"]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Outrider Agent Web API", "version": version, "description": _about(close_codes)},
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": ADDRESS,
                "description": ABOUT,
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "query": _query(), "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            "hear": _operation("send", "What the server tells a desktop.", _others(messages, to_server)),
            "ask": _operation("receive", "What a desktop may send.", to_server)
            | {
                "reply": {
                    "channel": {"$ref": "#/channels/events"},
                    "messages": [{"$ref": "#/channels/events/messages/reply"}],
                }
            },
        },
        "components": {
            "messages": messages,
            "schemas": definitions,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _about(close_codes: Mapping[int, str]) -> str:
    ends = "\n".join(f"- {code}: {why}" for code, why in close_codes.items())
    return f"{ABOUT}\n\nThe server ends a connection with one of these codes:\n\n{ends}"


def _others(messages: Mapping[str, object], to_server: list[str]) -> list[str]:
    return [name for name in messages if name not in to_server and name != "reply"]


def _operation(action: str, summary: str, names: list[str]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/events"},
        "messages": [{"$ref": f"#/channels/events/messages/{name}"} for name in names],
    }


def _query() -> dict[str, Any]:
    about = "The id of the last notification that was seen."
    return {
        "type": "object",
        "properties": {"after": {"type": "integer", "minimum": 0, "description": about}},
    }


def _message(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "summary": payload.get("description", ""), "payload": payload}


def _schema(kind: Any, definitions: dict[str, Any], mode: Any) -> dict[str, Any]:
    made = TypeAdapter(kind).json_schema(mode=mode, ref_template="#/components/schemas/{model}")
    definitions |= made.pop("$defs", {})
    return made


def _notification(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    record = KINDS[kind]
    payload = _schema(record, definitions, "serialization")
    own = payload.get("properties", {})
    payload |= {
        "description": inspect.getdoc(record) or "",
        "properties": {
            "id": {"type": "integer", "minimum": 0, "description": "Grows from one to the next."},
            "at": {"type": "string", "format": "date-time"},
            "kind": {"const": kind},
            **own,
        },
        "required": ["id", "at", "kind", *own],
    }
    return _message(kind, payload)


def _command(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    payload = _schema(BODIES[name], definitions, "validation")
    payload["properties"] = {"command": {"const": name}, **payload.get("properties", {})}
    payload["required"] = ["command", *payload.get("required", ())]
    return payload


def _echo(name: str) -> dict[str, Any]:
    about = {
        "ping": "Asks whether the server is there; it sends back the value as pong.",
        "pong": "The value of a ping.",
    }
    return {"type": "object", "description": about[name], "required": [name], "properties": {name: {}}}


def _reply() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "The answer to the command of that id: done, or the problem (RFC 9457) why not.",
        "required": ["reply", "ok"],
        "properties": {
            "reply": {"description": "The command's id; null when it had none."},
            "ok": {"type": "boolean"},
            "problem": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "code"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    }
