"""REST of licence files: what is in force, and every file that is refused says why."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider.db.database import Database
from outrider.licences.model import LicenceKind
from outrider.supply.claims import LicenceFile
from outrider.supply.file import issue
from outrider.supply.keys import generate_keypair
from support.composed import NOON, Composed, composed, licence_text
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
    return response.json()


def counts(shown: dict[str, Any]) -> dict[str, int]:
    return {line["kind"]: line["count"] for line in shown["licences"]}


def test_the_table_of_the_licences_page(root: Api) -> None:
    shown = ok(root.get("/api/licences"))
    assert (shown["state"], shown["version"], shown["customer"]) == ("normal", "1.0", "The tests")
    assert counts(shown) == {"outbound_ports": 60, "email": 1, "telephony_ports": 60}
    assert (
        shown["last_poll_at"]
        == shown["last_success_at"]
        == shown["last_changed_at"]
        == "2026-03-04T12:00:00Z"
    )
    assert shown["grace_ends_at"] is None
    assert [line["is_gate"] for line in shown["licences"]] == [False, True, False]


def test_files_add_up_and_are_removed(system: Composed, root: Api) -> None:
    text, public = licence_text(NOON, "L-2", outbound_ports=10)
    shown = ok(root.post("/api/licences/files", {"text": text, "public_key": public}), 201)
    assert counts(shown)["outbound_ports"] == 70
    files = ok(root.get("/api/licences/files"))
    assert [(each["file_id"], each["problem"]) for each in files] == [("L-1", ""), ("L-2", "")]
    assert files[1]["counts"] == {"outbound_ports": 10, "telephony_ports": 10}
    assert system.task(system.acme.task_id).quota == 20
    shown = ok(root.delete("/api/licences/files/L-1"))
    assert counts(shown) == {"outbound_ports": 10, "telephony_ports": 10}
    assert system.task(system.acme.task_id).quota == 10
    assert root.delete("/api/licences/files/L-1").status_code == 404


def test_refused_files_say_why_and_change_nothing(root: Api) -> None:
    text, public = licence_text(NOON, "L-9", outbound_ports=500)
    other_private, other_public = generate_keypair()
    head, body, signature = text.strip().split(".")
    soon, past = NOON + dt.timedelta(days=9), NOON - dt.timedelta(days=9)

    def made(**changes: Any) -> str:
        claims = {
            "id": "L-9",
            "customer": "c",
            "issued_at": past,
            "not_before": past,
            "expires_at": soon,
            "counts": {LicenceKind.OUTBOUND_PORTS: 1},
            **changes,
        }
        return issue(LicenceFile(**claims), other_private)

    cases = [
        (f"{head}.{body[:-2]}AA.{signature}", public, "tampered"),
        (text, other_public, "wrong_key"),
        (made(host_id="somebody-else"), other_public, "foreign_host"),
        (made(expires_at=NOON - dt.timedelta(days=1)), other_public, "expired"),
        (made(not_before=NOON + dt.timedelta(days=1)), other_public, "not_yet_valid"),
        (made(id="x" * 81), other_public, "bad_claim"),
        (made(platform_version="9" * 33), other_public, "bad_claim"),
        ("hello", public, "not_a_licence_file"),
        ("  ", public, "empty"),
        ("ä.b.c", public, "not_text"),
        (text, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "bad_key"),
        (text, other_private, "bad_key"),
    ]
    before = ok(root.get("/api/licences"))
    for file, key, reason in cases:
        refused = root.post("/api/licences/files", {"text": file, "public_key": key})
        assert refused.status_code == 422, (reason, refused.text)
        assert refused.json()["reason"] == reason
        assert refused.json()["code"] == "licence_file"
    assert ok(root.get("/api/licences")) == before
    assert [each["file_id"] for each in ok(root.get("/api/licences/files"))] == ["L-1"]


def test_only_the_systems_administrator_loads_files(system: Composed) -> None:
    text, public = licence_text(NOON, "L-2", outbound_ports=10)
    body = {"text": text, "public_key": public}
    for api in (system.root("sue"), system.of(system.acme, "ada"), system.of(system.acme, "vic")):
        assert api.post("/api/licences/files", body).status_code == 403
        assert api.delete("/api/licences/files/L-1").status_code == 403
    assert system.root("vic").get("/api/licences/files").status_code == 200
