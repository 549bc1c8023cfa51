"""The AsyncAPI document says what is sent: every kind and command is in it, and real messages fit it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from outrider.agents.commands import NAMES
from outrider.agents.desk_conversation_api import CLOSE_CODES
from outrider.agents.notifications import KINDS
from outrider.db.database import Database
from support.accessible import faults_of
from support.desk_site import DeskSite, desk_site, play, serving
from support.desktops import desktop, logged_in


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path) -> Iterator[DeskSite]:
    with desk_site(sqlite_database, tmp_path) as made:
        yield made


@pytest.fixture
def document(desk: DeskSite) -> dict[str, Any]:
    found: dict[str, Any] = desk.site.api().get("/api/asyncapi.json").json()
    return found


def fits(document: dict[str, Any], name: str, message: object) -> None:
    """Fail unless a message is as the document says."""
    schema = document["components"]["messages"][name]["payload"] | {"components": document["components"]}
    jsonschema_rs.validate(schema, message)


def references(value: object) -> Iterator[str]:
    """Give every $ref in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_kind_and_command_of_agents_is_described(document: dict[str, Any]) -> None:
    assert document["asyncapi"] == "3.0.0"
    messages = document["components"]["messages"]
    wanted = {f"notification_{kind}" for kind in KINDS}
    wanted |= {f"command_{name}" for name in NAMES if name not in {"move", "detach"}}
    assert set(messages) == wanted | {"ping", "pong", "reply"}
    assert set(document["channels"]["events"]["messages"]) == set(messages)
    assert all(each["summary"] and each["payload"]["type"] == "object" for each in messages.values())
    operations = document["operations"]
    used = [each["$ref"] for name in operations for each in operations[name]["messages"]]
    used += [each["$ref"] for each in operations["ask"]["reply"]["messages"]]
    assert len(used) == len(set(used)) == len(messages)
    for reference in references(document):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_what_is_really_sent_is_as_described(desk: DeskSite, document: dict[str, Any]) -> None:
    async def scenario() -> None:
        _, token = await logged_in(desk)
        heard: list[dict[str, Any]] = []
        async with serving(desk.site) as address, desktop(address, token) as ann:
            body = {"at": "2026-03-03T10:00:00+01:00", "kind": "agent"}
            said: list[tuple[str, dict[str, object]]] = [
                ("ready", {}),
                ("hold", {}),
                ("unhold", {}),
                ("consult", {"address": "sip:boss@example.org"}),
                ("conference", {}),
                ("end_conference", {}),
                ("accept_preview", {}),
                ("end_call", {}),
                ("wrap_up", {"code": "later", "note": "n", "callback": body}),
                ("not_ready", {"reason": "lunch"}),
                ("log_out", {"force": True}),
            ]
            for number, (name, fields) in enumerate(said):
                message = {"id": str(number), "command": name, **fields}
                fits(document, f"command_{name}", message)
                heard.append(await ann.reply(**message))
                if name == "ready":
                    await ann.until(kind="seat_taken")
                    desk.desk.answer("call-a")
                    await ann.until(kind="call_connected")
                if name == "consult":
                    await ann.until(kind="consult_changed", state="joined")
                if name == "end_call":
                    heard.append(await ann.until(kind="call_ended"))
            await ann.closed()
            heard += ann.unread
        kinds = {str(message.get("kind", "reply")) for message in heard}
        for message in heard:
            name = f"notification_{message['kind']}" if "kind" in message else "reply"
            fits(document, name, json.loads(json.dumps(message)))
        assert {"welcome", "state_changed", "call_changed", "wrap_up_ended", "reply"} <= kinds

    play(scenario)


def test_a_message_that_is_not_as_described_is_found(document: dict[str, Any]) -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        fits(document, "notification_seat_refused", {"id": 1, "at": "2026-03-03T10:00:00Z", "kind": "x"})
    with pytest.raises(jsonschema_rs.ValidationError):
        fits(document, "command_dial", {"command": "dial", "adress": "+49"})


def test_the_page_lists_both_documents(desk: DeskSite) -> None:
    page = desk.site.api().get("/api/docs", headers={"accept": "text/html"}).text
    assert faults_of(page) == []
    assert "POST /api/agent/session/commands/wrap_up" in page
    assert all(f"<code>{kind}</code>" in page for kind in KINDS)
    assert all(str(code) in page for code in CLOSE_CODES)
