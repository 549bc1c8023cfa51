"""REST of media servers: for administrators of the whole system, and secrets never come out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from outrider.db.database import Database
from outrider.db.sealed import Sealer
from outrider.media import api
from outrider.media.checking import Finding, Level, ServerCheck
from outrider.media.model import Connection, SeenAs
from outrider.people.model import Role
from support.media import SEALER, SECRET, make_system, tell
from support.web import START, Api, Site, open_site

GOOD = {"name": "north", "url": "http://10.0.0.5:8088", "username": "ari", "secret": SECRET}


async def check(connection: Connection) -> tuple[Finding, ...]:
    right = connection.secret == SECRET
    user = Level.OK if right else Level.ERROR
    return (Finding(Level.OK, "address", "it answers"), Finding(user, "user", "it was tried"))


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    make_system(database, START, 30)
    parts = {Sealer: SEALER, ServerCheck: ServerCheck(check)}
    with open_site(
        database, tmp_path, (api.router,), change=lambda edge: replace(edge, parts=parts)
    ) as opened:
        yield opened


@pytest.fixture
def root(site: Site) -> Api:
    return site.api().bear(site.token(site.user("root")))


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    assert SECRET not in response.text
    return response.json()


def test_a_media_server_is_made_changed_drained_and_removed(site: Site, root: Api) -> None:
    made = ok(root.post("/api/media-servers", GOOD), 201)
    assert (made["standing"], made["quota"], made["zone"], made["weight"]) == ("new", 0, "default", 1)
    address = f"/api/media-servers/{made['id']}"
    tell(site.database, START, made["id"], SeenAs.CONNECTED)
    shown = ok(root.get(address))
    assert (shown["standing"], shown["quota"], shown["granted"], shown["in_use"]) == ("in_service", 30, 30, 0)
    changed = ok(root.patch(address, {"maximum_ports": 7, "originations_per_second": 2.5}))
    assert (changed["quota"], changed["originations_per_second"]) == (7, 2.5)
    assert ok(root.patch(address, {"originations_per_second": None}))["originations_per_second"] is None
    assert ok(root.post(f"{address}/drain", {"draining": True}))["standing"] == "draining"
    assert ok(root.post(f"{address}/drain", {"draining": False}))["standing"] == "in_service"
    assert ok(root.patch(address, {"url": "http://10.0.0.6:8088"}))["standing"] == "new"
    assert root.delete(address).status_code == 204
    assert ok(root.get("/api/media-servers")) == []
    assert root.get(address).status_code == 404


def test_a_check_uses_the_stored_secret(root: Api) -> None:
    made = ok(root.post("/api/media-servers", GOOD), 201)
    address = f"/api/media-servers/{made['id']}"
    found = ok(root.post(f"{address}/check"))
    assert [each["level"] for each in found] == ["ok", "ok"]
    ok(root.patch(address, {"secret": "another"}))
    found = ok(root.post(f"{address}/check"))
    assert found[1] == {"level": "error", "what": "user", "message": "it was tried"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "name"),
        ({"url": "ftp://x"}, "url"),
        ({"trunk": "PJSIP/x"}, "trunk"),
        ({"maximum_ports": 0}, "maximum_ports"),
        ({"weight": 1.5}, "weight"),
        ({"originations_per_second": "fast"}, "originations_per_second"),
        ({"driver": "freeswitch"}, "driver"),
        ({"zone": "nowhere"}, "zone"),
        ({"speed": 3}, "speed"),
    ],
)
def test_a_bad_field_is_named_and_the_secret_is_not_repeated(
    root: Api, change: dict[str, object], words: str
) -> None:
    refused = root.post("/api/media-servers", {**GOOD, **change})
    assert refused.status_code == 422
    assert words in refused.text
    assert SECRET not in refused.text
    made = ok(root.post("/api/media-servers", GOOD), 201)
    assert root.patch(f"/api/media-servers/{made['id']}", change).status_code == 422
    assert root.post("/api/media-servers", GOOD).status_code == 409


def test_only_administrators_of_the_system_come_in(site: Site, root: Api) -> None:
    made = ok(root.post("/api/media-servers", GOOD), 201)["id"]
    acme = site.organization("acme")
    people = [
        site.user("ada", Role.ADMINISTRATOR, acme),
        site.user("sue", Role.SUPERVISOR),
        site.user("vic", Role.VIEWER),
    ]
    requests: list[tuple[str, str, object]] = [
        ("GET", "/api/media-servers", None),
        ("POST", "/api/media-servers", {**GOOD, "name": "x"}),
        ("GET", f"/api/media-servers/{made}", None),
        ("PATCH", f"/api/media-servers/{made}", {"weight": 2}),
        ("DELETE", f"/api/media-servers/{made}", None),
        ("POST", f"/api/media-servers/{made}/drain", {"draining": True}),
        ("POST", f"/api/media-servers/{made}/check", None),
    ]
    for user in people:
        client = site.api().bear(site.token(user))
        for method, path, body in requests:
            refused = client.request(method, path, json=body)
            assert refused.status_code == 403, (user.name, method, path)
            assert "north" not in refused.text
    assert ok(root.get(f"/api/media-servers/{made}"))["weight"] == 1
    assert site.api().get("/api/media-servers").status_code == 401
