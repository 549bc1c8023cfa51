"""Event streams over a real server: resume, isolation, the end of a session, and a stop without hanging."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from outrider.db import log
from outrider.db.database import Database
from outrider.events import JobChanged, RecordChanged, SignIn
from outrider.people.model import Caller, Role
from outrider.web import sse
from outrider.web.sse import Message, visible
from support.server import RunningServer, run_server
from support.web import START, Site, open_site


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    with open_site(database, tmp_path) as opened:
        yield opened


@pytest.fixture
def server(site: Site) -> Iterator[RunningServer]:
    with run_server(site.app, site.edge.news) as running:
        yield running


def job_changed(site: Site, organization_id: int | None, job_id: int) -> int:
    event = JobChanged(organization_id=organization_id, job_id=job_id, before="new", after="running")
    return site.database.write_now(log.append, START, event)


@contextmanager
def follow(
    server: RunningServer, token: str, query: str = "", last: str | None = None
) -> Iterator[Iterator[dict[str, Any]]]:
    headers = {"Authorization": f"Bearer {token}"}
    if last is not None:
        headers["Last-Event-ID"] = last
    with (
        httpx.Client(timeout=30) as client,
        client.stream("GET", f"{server.address}/api/events{query}", headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        assert next(lines) == "retry: 1000"
        yield parsed(lines)


def parsed(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "data":
            event["data"] = json.loads(value)
        elif name in {"id", "event"}:
            event[name] = value
        elif not line and event:
            yield event
            event = {}


def test_a_stream_tells_what_happens_from_now_on(site: Site, server: RunningServer) -> None:
    token = site.token(site.user("root"))
    with follow(server, token) as events:
        number = job_changed(site, None, 7)
        first = next(events)
        second_number = job_changed(site, None, 8)
        second = next(events)
    assert (first["id"], first["event"]) == (str(number), "job_changed")
    assert first["data"]["job_id"] == 7
    assert first["data"]["at"] == START.isoformat()
    assert first["data"]["data"] == {"before": "new", "after": "running", "reason": ""}
    assert second["id"] == str(second_number)


def test_a_reconnect_loses_and_repeats_nothing(site: Site, server: RunningServer) -> None:
    token = site.token(site.user("root"))
    numbers = [job_changed(site, None, job) for job in range(600)]
    with follow(server, token, "?after=0", last=str(numbers[99])) as events:
        seen = [int(next(events)["id"]) for _ in range(500)]
    assert seen == numbers[100:]
    with follow(server, token, f"?after={numbers[-2]}") as events:
        assert int(next(events)["id"]) == numbers[-1]


@pytest.mark.parametrize("last", ["", "x", "-1", "9" * 40, "9" * 19, "1" * 4_500, "٣"])
def test_a_senseless_last_event_id_is_ignored(site: Site, server: RunningServer, last: str) -> None:
    token = site.token(site.user("root"))
    with httpx.Client() as client:
        headers = [(b"Authorization", f"Bearer {token}".encode()), (b"Last-Event-ID", last.encode())]
        with client.stream("GET", f"{server.address}/api/events", headers=headers) as response:
            assert response.status_code == 200


def test_an_organization_hears_only_its_own_events(site: Site, server: RunningServer) -> None:
    alpha, beta = site.organization("alpha"), site.organization("beta")
    token = site.token(site.user("ada", Role.SUPERVISOR, alpha))
    with follow(server, token) as events:
        job_changed(site, beta, 1)
        site.user("eve")
        job_changed(site, None, 2)
        job_changed(site, alpha, 3)
        assert [next(events)["data"]["job_id"] for _ in range(2)] == [2, 3]


@pytest.mark.parametrize(
    ("kind", "record", "organization_id", "role", "home", "expected"),
    [
        (JobChanged.kind, "", 1, Role.VIEWER, 1, True),
        (JobChanged.kind, "", 1, Role.VIEWER, 2, False),
        (JobChanged.kind, "", None, Role.VIEWER, 2, True),
        (JobChanged.kind, "", 1, Role.VIEWER, None, True),
        (SignIn.kind, "", 1, Role.SUPERVISOR, 1, False),
        (SignIn.kind, "", 1, Role.ADMINISTRATOR, 1, True),
        (SignIn.kind, "", None, Role.ADMINISTRATOR, 1, False),
        (SignIn.kind, "", None, Role.ADMINISTRATOR, None, True),
        (RecordChanged.kind, "user", None, Role.ADMINISTRATOR, 1, False),
        (RecordChanged.kind, "token", 2, Role.ADMINISTRATOR, 1, False),
        (RecordChanged.kind, "campaign", 1, Role.VIEWER, 1, True),
    ],
)
def test_who_may_see_what(
    kind: str, record: str, organization_id: int | None, role: Role, home: int | None, *, expected: bool
) -> None:
    row = {"kind": kind, "organization_id": organization_id, "data": {"record": record}}
    assert visible(row, Caller(1, "x", role, home)) is expected


def test_a_stop_ends_open_streams_at_once(site: Site, server: RunningServer) -> None:
    token = site.token(site.user("root"))
    with follow(server, token) as events:
        server.stop()
        assert list(events) == []


def test_a_stream_ends_with_its_token(
    site: Site, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT", 0.1)
    vera = site.user("vera")
    token = site.token(vera)
    site.user("root")
    with follow(server, token) as events:
        site.as_user("root").patch(f"/api/users/{vera.id}", {"disabled": True})
        kinds = [event["event"] for event in events]
    assert set(kinds) <= {"sign_in", "record_changed"}


def test_a_stream_needs_a_caller(site: Site) -> None:
    assert site.api().get("/api/events").status_code == 401


def test_data_of_several_lines_keeps_its_lines() -> None:
    assert Message(3, "board", "<p>\na</p>").encode() == "id: 3\nevent: board\ndata: <p>\ndata: a</p>\n\n"
    assert Message(4, "empty", "").encode() == "id: 4\nevent: empty\ndata: \n\n"
