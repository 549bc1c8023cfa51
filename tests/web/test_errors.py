"""Every kind of bad request is answered by a clear problem document, and never by a traceback."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, File, Form, UploadFile, WebSocket
from pydantic import BaseModel
from sqlalchemy import select
from starlette.types import Message
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from outrider.db import schema
from outrider.db.database import Database
from outrider.errors import (
    ChannelError,
    IllegalTransitionError,
    ImportFileError,
    LicenceFileError,
    LicenceShortageError,
    OutriderError,
    StoreError,
)
from outrider.web.access import Edge, Role, RowId, Supervisor, SystemAdministrator, Text80, Viewer
from support.server import run_server
from support.web import Api, Site, open_site

router = APIRouter()

RAISED: dict[str, OutriderError] = {
    "licence_file": LicenceFileError("the licence file was changed after it was signed"),
    "import_file": ImportFileError("the file is empty"),
    "illegal_transition": IllegalTransitionError("the job is finished; start a new one", state="finished"),
    "licence_shortage": LicenceShortageError("ports: 12 wanted, 3 free", wanted=12, free=3),
    "channel": ChannelError("the mail server refused the connection"),
    "store": StoreError("the database cannot be reached"),
}


class Body(BaseModel):
    name: Text80
    number: int = 0
    rate: float = 0.0
    extra: dict[str, Any] = {}


@router.get("/api/raise/{code}")
async def raise_error(code: str) -> None:
    if code == "unexpected":
        raise RuntimeError("the secret 4711 must not be shown")
    raise RAISED[code]


@router.post("/api/echo")
async def echo(body: Body, _: Supervisor) -> Body:
    return body


@router.get("/api/rows/{row_id}")
async def row(row_id: RowId, _: Viewer) -> int:
    return row_id


@router.get("/api/stored/{number}")
async def stored(number: int, edge: Edge, _: Viewer) -> int:
    users = schema.users
    query = select(users.c.id).where(users.c.id == number)
    return await edge.database.read(lambda tx: int(tx.execute(query).scalar() or 0))


@router.post("/api/form")
async def form(text: Annotated[str, Form()], _: Viewer) -> str:
    return text


@router.post("/api/upload", max_body_size=4 << 20)
async def upload(_: Viewer, file: Annotated[UploadFile, File()]) -> int:
    return len(await file.read())


@router.websocket("/api/socket")
async def websocket_that_fails(websocket: WebSocket) -> None:
    raise RuntimeError(f"{websocket.url.path}: the secret 4711 must not be shown")


@router.get("/api/system")
async def system(_: SystemAdministrator) -> str:
    return "yes"


@router.get("/page/{code}")
async def page(code: str) -> None:
    raise RAISED[code]


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    with open_site(sqlite_database, tmp_path, [router]) as opened:
        opened.user("root")
        opened.user("vera", Role.VIEWER)
        opened.user("ada", Role.ADMINISTRATOR, opened.organization("alpha"))
        yield opened


JSON = {"content-type": "application/json"}
BAD_CALLS: list[tuple[str, str, str, dict[str, Any], int, str, str]] = [
    ("root", "POST", "/api/echo", {"json": {}}, 422, "invalid_input", "body.name: field required"),
    ("root", "POST", "/api/echo", {"json": {"name": " "}}, 422, "invalid_input", "at least 1 char"),
    ("root", "POST", "/api/echo", {"json": {"name": "x" * 81}}, 422, "invalid_input", "at most 80"),
    ("root", "POST", "/api/echo", {"json": []}, 422, "invalid_input", "body"),
    ("root", "POST", "/api/echo", {"content": "{", "headers": JSON}, 422, "invalid_input", "JSON"),
    (
        "root",
        "POST",
        "/api/echo",
        {"content": b'{"name": "\xe9"}', "headers": JSON},
        400,
        "malformed",
        "parsing",
    ),
    ("root", "POST", "/api/echo", {"content": "[" * 50_000, "headers": JSON}, 400, "malformed", "parsing"),
    ("root", "POST", "/api/echo", {"content": "name=x"}, 422, "invalid_input", "body"),
    ("root", "POST", "/api/echo", {"json": {"name": "a\x00b"}}, 422, "invalid_input", "NUL"),
    (
        "root",
        "POST",
        "/api/echo",
        {"json": {"name": "x", "extra": {"a\x00": 1}}},
        422,
        "invalid_input",
        "NUL",
    ),
    (
        "root",
        "POST",
        "/api/echo",
        {"content": '{"name": "\\ud800"}', "headers": JSON},
        422,
        "invalid_input",
        "Unicode",
    ),
    (
        "root",
        "POST",
        "/api/echo",
        {"content": '{"name": "x", "rate": NaN}', "headers": JSON},
        422,
        "invalid_input",
        "finite",
    ),
    (
        "root",
        "POST",
        "/api/echo",
        {"content": '{"name": "x", "rate": 1e999}', "headers": JSON},
        422,
        "invalid_input",
        "finite",
    ),
    (
        "root",
        "POST",
        "/api/echo",
        {"content": '{"name":"' + "x" * (1 << 20) + '"}', "headers": JSON},
        413,
        "too_large",
        "",
    ),
    ("root", "POST", "/api/form", {"data": {"text": "a\x00"}}, 422, "invalid_input", "NUL"),
    ("root", "GET", "/api/rows/abc", {}, 422, "invalid_input", "path.row_id"),
    ("root", "GET", "/api/rows/0", {}, 422, "invalid_input", "path.row_id"),
    ("root", "GET", f"/api/rows/{2**63}", {}, 422, "invalid_input", "path.row_id"),
    ("root", "GET", f"/api/stored/{2**70}", {}, 422, "invalid_input", "64 bits"),
    ("root", "GET", "/api/users/%00", {}, 422, "invalid_input", "NUL"),
    ("root", "GET", "/api/session?q=%00", {}, 422, "invalid_input", "NUL"),
    ("root", "GET", "/api/nothing", {}, 404, "not_found", "/api/nothing"),
    ("root", "GET", "/api/users/99", {}, 404, "not_found", "99"),
    ("root", "PUT", "/api/users", {}, 405, "method_not_allowed", "PUT"),
    ("vera", "POST", "/api/echo", {"json": {"name": "x"}}, 403, "not_allowed", "supervisor"),
    ("vera", "GET", "/api/users", {}, 403, "not_allowed", "administrator"),
    ("ada", "GET", "/api/system", {}, 403, "not_allowed", "whole system"),
    ("", "GET", "/api/rows/1", {}, 401, "not_authenticated", "sign in"),
    (
        "",
        "GET",
        "/api/rows/1",
        {"headers": {"authorization": "Bearer or_x"}},
        401,
        "not_authenticated",
        "token",
    ),
    (
        "",
        "GET",
        "/api/rows/1",
        {"headers": {"authorization": "Basic eDp5"}},
        401,
        "not_authenticated",
        "sign in",
    ),
    (
        "",
        "GET",
        "/api/rows/1",
        {"headers": {"cookie": "outrider_session=x"}},
        401,
        "not_authenticated",
        "ended",
    ),
    (
        "",
        "POST",
        "/api/session",
        {"json": {"name": "root", "password": "x"}, "headers": {"origin": "http://["}},
        403,
        "not_allowed",
        "another site",
    ),
    (
        "",
        "GET",
        "/users",
        {"headers": {"hx-request": "true", "hx-current-url": "http://["}},
        401,
        "not_authenticated",
        "sign in",
    ),
    ("root", "GET", "/api/raise/licence_file", {}, 422, "licence_file", "signed"),
    ("root", "GET", "/api/raise/import_file", {}, 422, "import_file", "empty"),
    ("root", "GET", "/api/raise/illegal_transition", {}, 409, "illegal_transition", "finished"),
    ("root", "GET", "/api/raise/licence_shortage", {}, 409, "licence_shortage", "12 wanted"),
    ("root", "GET", "/api/raise/channel", {}, 502, "channel", "mail server"),
    ("root", "GET", "/api/raise/store", {}, 503, "store", "database"),
    ("root", "GET", "/api/raise/unexpected", {}, 500, "incident", "incident"),
]


@pytest.mark.parametrize(("user", "method", "path", "options", "status", "code", "words"), BAD_CALLS)
def test_bad_call(
    site: Site, user: str, method: str, path: str, options: dict[str, Any], status: int, code: str, words: str
) -> None:
    api = site.as_user(user) if user else site.api()
    response = api.request(method, path, **options)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == f"urn:outrider:problem:{code}"
    assert document["title"]
    assert words in document["detail"]
    assert "Traceback" not in response.text
    assert "4711" not in response.text
    assert ("www-authenticate" in response.headers) == (status == 401)


def test_facts_are_members_of_the_document(site: Site) -> None:
    document = site.api().get("/api/raise/licence_shortage").json()
    assert (document["wanted"], document["free"]) == (12, 3)


def test_every_broken_field_is_listed(site: Site) -> None:
    document = site.as_user("root").post("/api/echo", {"name": "", "number": "x"}).json()
    assert [each["where"] for each in document["problems"]] == ["body.name", "body.number"]
    assert "(and 1 more)" in document["detail"]


def test_good_text_that_looks_bad_is_accepted(site: Site) -> None:
    body = {"name": "\\u0000 NaN", "extra": {"emoji": "\U0001f600", "deep": [[[1.5]]]}}
    response = site.as_user("root").post("/api/echo", body)
    assert response.status_code == 200
    assert response.json()["name"] == "\\u0000 NaN"


def test_an_upload_may_be_larger_than_other_bodies_and_hold_anything(site: Site) -> None:
    root = site.as_user("root")
    assert root.post("/api/upload", files={"file": b"\x00" * (2 << 20)}).json() == 2 << 20
    assert root.post("/api/upload", files={"file": b"\x00" * (5 << 20)}).status_code == 413


def test_an_incident_is_logged_under_its_id(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    document = site.api().get("/api/raise/unexpected").json()
    logged = capsys.readouterr().out
    assert document["incident"] in logged
    assert "the secret 4711" in logged


def test_a_websocket_that_fails_before_it_is_open_is_an_incident_too(
    site: Site, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with run_server(site.app, site.edge.news) as running, pytest.raises(InvalidStatus) as refused:
        connect(f"{running.address.replace('http', 'ws')}/api/socket")
    answer = refused.value.response
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    document = json.loads(answer.body or b"")
    assert document["code"] == "incident"
    assert "4711" not in document["detail"]
    logged = capsys.readouterr().out
    assert document["incident"] in logged
    assert "the secret 4711" in logged
    assert [each.message for each in caplog.records if each.exc_info] == []


def test_a_server_that_cannot_refuse_websockets_with_an_answer_closes_them(site: Site) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    scope = {
        "type": "websocket",
        "scheme": "ws",
        "path": "/api/socket",
        "query_string": b"",
        "headers": [],
        "subprotocols": [],
    }
    site.runner.run(site.app(scope, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1011}]


HTML = {"accept": "text/html"}


def test_people_get_pages(site: Site) -> None:
    response = site.as_user("root").get("/page/licence_shortage", headers=HTML)
    assert response.status_code == 409
    assert response.headers["content-type"].startswith("text/html")
    assert "12 wanted" in response.text
    missing = site.as_user("root").get("/no/such<page>", headers=HTML)
    assert missing.status_code == 404
    assert "/no/such&lt;page&gt;" in missing.text
    assert 'href="/campaigns"' in missing.text


def test_htmx_gets_json_and_is_led_to_sign_in(site: Site) -> None:
    headers = {**HTML, "hx-request": "true", "hx-current-url": "http://outrider.test/users?x=1"}
    response = site.api().get("/users", headers=headers)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["hx-redirect"] == "/sign-in?next=/users%3Fx%3D1"


def test_security_headers_are_on_everything(site: Site) -> None:
    for path in ("/sign-in", "/api/nothing", "/api/raise/unexpected", "/static/app.css", "/healthz"):
        headers = site.api().get(path).headers
        assert "'unsafe-inline'" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_many_bad_calls_at_once(site: Site) -> None:
    api: Api = site.as_user("root")

    async def storm() -> set[int]:
        calls = [api.http.get(f"/api/stored/{2**64 + number}") for number in range(50)]
        return {response.status_code for response in await asyncio.gather(*calls)}

    assert site.runner.run(storm()) == {422}
