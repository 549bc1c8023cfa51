"""The licence server's HTTP beside its leases: the status page, usage as JSON, and who may read them."""

import asyncio
import base64
import datetime as dt
from pathlib import Path
from typing import Any

import httpx
import pytest

from outrider.clock import VirtualClock
from outrider.db.database import Database
from outrider.supply.server import clients, service, store
from outrider.supply.server.api import LicenceServer, create_app
from outrider.supply.server.lease_endpoint import App
from outrider.supply.server.server_key import load_key
from outrider.supply.server.settings import ServerConfig
from support.licence_servers import HOST, add_clients, load

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
READER = "orr_reader"


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> App:
    load(sqlite_database, NOW, counts={"outbound_ports": 60, "email": 1})
    add_clients(sqlite_database, ["<plant>"], NOW)
    sqlite_database.write_now(service.acquire_local, HOST, NOW)
    key = load_key(tmp_path)
    return create_app(LicenceServer(sqlite_database, VirtualClock(NOW), ServerConfig(HOST), key, READER))


def ask(
    app: App, path: str, *, host: str = "127.0.0.1", peer: str = "127.0.0.1", **options: Any
) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=(peer, 5000))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}:8099") as client:
            return await client.request(options.pop("method", "GET"), path, **options)

    return asyncio.run(run())


def test_the_page_shows_who_holds_what(app: App) -> None:
    page = ask(app, "/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for shown in (
        "Licence server",
        "Outbound ports",
        "&lt;plant&gt;",
        "local",
        "The tests",
        "L-1",
        "Leasing",
    ):
        assert shown in page.text
    assert "<plant>" not in page.text


def test_usage_as_json(app: App) -> None:
    found = ask(app, "/v1/usage").json()
    ports = next(each for each in found["features"] if each["kind"] == "outbound_ports")
    assert (ports["total"], ports["leased"], ports["free"], ports["peak_7_days"]) == (60, 60, 0, 60)
    (held,) = next(each for each in found["clients"] if each["name"] == "local")["holds"]
    assert (held["kind"], held["wanted"], held["count"]) == ("outbound_ports", "all", 60)
    assert found["files"][0]["counts"] == {"outbound_ports": 60, "email": 1}
    assert found["now"] == "2026-03-04T12:00:00Z"
    assert "token" not in str(found)


@pytest.mark.parametrize("path", ["/", "/v1/usage"])
def test_who_may_read(app: App, path: str) -> None:
    basic = base64.b64encode(f"anybody:{READER}".encode()).decode()
    far = {"host": "licences.example", "peer": "10.0.0.9"}
    assert ask(app, path, **far).status_code == 401
    assert ask(app, path, **far, headers={"authorization": f"Bearer {READER}"}).status_code == 200
    assert ask(app, path, **far, headers={"authorization": f"Basic {basic}"}).status_code == 200
    for wrong in ("Bearer orr_no", "Basic !!", "Basic " + base64.b64encode(b"\xff:x").decode(), "Digest x"):
        assert ask(app, path, **far, headers={"authorization": wrong}).status_code == 401
    # A proxy on this host passes others on; a page of another site may be given our address (DNS rebinding).
    assert ask(app, path, headers={"x-forwarded-for": "10.0.0.9"}).status_code == 401
    assert ask(app, path, host="evil.example").status_code == 401
    asked = ask(app, path, **far, headers={"accept": "text/html"})
    assert asked.headers["www-authenticate"].startswith("Basic ")
    assert "Traceback" not in asked.text


def test_the_rest(app: App) -> None:
    assert ask(app, "/healthz").json() == {"status": "ok"}
    about = ask(app, "/v1/server").json()
    assert about["protocol"] == "1.1"
    assert "PRIVATE" not in about["public_key"]
    assert ask(app, "/static/app.css").status_code == 200
    assert ask(app, "/nothing").status_code == 404
    assert ask(app, "/v1/leases").status_code == 404
    too_large = ask(app, "/v1/leases", method="POST", content=b"x" * 100_000)
    assert (too_large.status_code, too_large.json()["code"]) == (422, "invalid_input")
    assert (
        ask(app, "/v1/leases", method="POST", content=b"{}").json()["detail"].startswith("protocol must be")
    )


def test_a_database_that_is_away_is_told(
    sqlite_database: Database, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sqlite_database.write_now(clients.add, "one", "", NOW, "test")
    body = {"protocol": "1.1", "client": "one", "nonce": "n" * 16}
    headers = {"authorization": f"Bearer {made.token}"}
    assert ask(app, "/v1/leases", method="POST", json=body, headers=headers).status_code == 200

    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(store, "clients", broken)
    failed = ask(app, "/v1/leases", method="POST", json=body, headers=headers)
    assert failed.status_code == 500
    assert "a defect" not in failed.text
