"""REST of the platform and its connections: what they show to whom, and what is refused."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from outrider.db import log
from outrider.db.database import Database
from outrider.settings import LicenceServerSettings, LicenceSettings
from outrider.supply import service as supply
from outrider.supply import store
from outrider.supply.authorisation import LicenceSourceError, SourceFault
from support.composed import NOON, RULES, Composed, composed, licence_text
from support.web import Api


@pytest.fixture
def system(database: Database, tmp_path: Path) -> Iterator[Composed]:
    with composed(database, tmp_path) as made:
        yield made


@pytest.fixture
def root(system: Composed) -> Api:
    return system.root()


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def test_the_platform_is_shown_whole_to_the_system_and_its_state_to_others(
    system: Composed, root: Api
) -> None:
    shown = ok(root.get("/api/platform"))
    assert (shown["state"], shown["licensed"], shown["version"]) == ("normal", True, "1.0")
    assert shown["server"]["id"] == "embedded"
    assert shown["telephony"] == {"authorised": 60, "usable": 60, "sip": 60, "h323": 0, "for_agents": 60}
    assert {each["kind"]: each["count"] for each in shown["features"]} == {
        "outbound_ports": 60,
        "telephony_ports": 60,
        "email": 1,
    }
    assert shown["alarms"] == shown["connections"] == []
    other = ok(system.of(system.acme, "ada").get("/api/platform"))
    assert other["state"] == "normal"
    hidden = ("customer", "server", "features", "telephony", "connections", "alarms", "shortfall")
    assert {other[name] for name in hidden} == {None}


def test_a_failed_poll_and_its_alarm_are_shown(system: Composed, root: Api) -> None:
    error = LicenceSourceError(SourceFault.FORGED, "somebody else answers")
    system.database.write_now(supply.apply_poll, RULES, error, system.now)
    shown = ok(root.get("/api/platform"))
    assert (shown["state"], shown["message"]) == ("stale", "somebody else answers")
    assert (shown["server"]["fault"], shown["server"]["missed_polls"]) == ("forged", 1)
    assert [(each["alarm"], each["severity"]) for each in shown["alarms"]] == [("server_fault", "warning")]
    events = [row["kind"] for row in system.database.read_now(log.since, 0, None)]
    assert events[-2:] == ["platform_state_changed", "alarm_raised"]


def test_a_poll_is_asked_for(system: Composed, root: Api) -> None:
    ok(root.post("/api/platform/poll"))
    assert system.database.read_now(store.poll_requested_at) == system.now


def test_connections_come_change_and_go(root: Api) -> None:
    body = {"name": " Carrier  A ", "kind": "sip", "capacity": 30, "zone": "default"}
    made = ok(root.post("/api/connections", body), 201)
    assert made == {
        "id": made["id"],
        "name": "Carrier A",
        "kind": "sip",
        "capacity": 30,
        "zone": "default",
        "enabled": True,
        "ports": 30,
    }
    assert ok(root.get("/api/platform"))["telephony"]["usable"] == 30
    ok(root.post("/api/connections", {"name": "B", "kind": "h323", "capacity": 30}), 201)
    listed = ok(root.get("/api/connections"))
    assert [(each["name"], each["ports"]) for each in listed] == [("B", 30), ("Carrier A", 30)]
    path = f"/api/connections/{made['id']}"
    changed = ok(root.patch(path, {"zone": "", "capacity": 90}))
    assert (changed["zone"], changed["capacity"], changed["ports"]) == (None, 90, 45)
    assert ok(root.patch(path, {"enabled": False}))["ports"] == 0
    ok(root.delete(path), 204)
    assert root.delete(path).status_code == 404
    assert root.patch(path, {"capacity": 1}).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"name": "A"}, 409, "choose another name"),
        ({"zone": "nowhere"}, 404, "there is no zone"),
        ({"capacity": 0}, 422, "capacity"),
        ({"kind": "isdn"}, 422, "kind"),
        ({"name": " "}, 422, "name"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
def test_a_bad_connection_is_refused(root: Api, change: dict[str, Any], status: int, word: str) -> None:
    ok(root.post("/api/connections", {"name": "A", "kind": "sip", "capacity": 5}), 201)
    refused = root.post("/api/connections", {"name": "C", "kind": "sip", "capacity": 5, **change})
    assert refused.status_code == status
    assert word in refused.text


def test_files_are_not_loaded_here_when_licences_come_from_elsewhere(
    sqlite_database: Database, tmp_path: Path
) -> None:
    with composed(sqlite_database, tmp_path) as system:
        licences = LicenceSettings(server=LicenceServerSettings(url="https://licences.example"))
        there = system.site.edge.settings.model_copy(update={"licences": licences})
        system.site.app.state.edge = replace(system.site.edge, settings=there)
        text, public = licence_text(NOON, "L-2", outbound_ports=5)
        body = {"text": text, "public_key": public}
        for refused in (
            system.root().post("/api/licences/files", body),
            system.root().delete("/api/licences/files/L-1"),
        ):
            assert refused.status_code == 409
            assert "licence server https://licences.example" in refused.json()["detail"]
        assert ok(system.root().get("/api/licences"))["state"] == "normal"


def test_an_allocation_beyond_the_telephony_ports_names_both_numbers(root: Api) -> None:
    ok(root.post("/api/connections", {"name": "A", "kind": "sip", "capacity": 40}), 201)
    refused = root.put("/api/licences/division", {"zone": "default", "counts": {"outbound_ports": 50}})
    assert refused.status_code == 422
    assert "50 outbound_ports, but only 40 telephony_ports" in refused.json()["detail"]
    ok(root.put("/api/licences/division", {"zone": "default", "counts": {"outbound_ports": 40}}))
    grid = ok(root.get("/api/licences/division"))
    assert grid["zones"][0]["effective"]["outbound_ports"] == 40
    assert ok(root.get("/api/platform"))["shortfall"].startswith("60 outbound_ports are authorised")
