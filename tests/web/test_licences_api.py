"""REST of pools and of the division: what a user sees of licences, and who may change what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider.db.database import Database
from support.composed import Composed, composed
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


def ports(counts: dict[str, int]) -> int | None:
    return counts.get("outbound_ports")


def test_the_grid_shows_what_is_configured_effective_unused_and_unallocated(
    system: Composed, root: Api
) -> None:
    assert system.acme.organization_id
    grid = ok(root.get("/api/licences/division"))
    assert (ports(grid["entitlement"]), ports(grid["unused"]), grid["reduced"]) == (60, 0, [])
    [zone] = grid["zones"]
    assert (zone["zone"], ports(zone["effective"]), ports(zone["unallocated"])) == ("default", 60, 0)
    rows = {row["organization"]: row for row in zone["organizations"]}
    assert (ports(rows["acme"]["configured"]), ports(rows["acme"]["effective"])) == (20, 20)
    assert (ports(rows["default"]["configured"]), ports(rows["default"]["effective"])) == (None, 40)


def test_numbers_are_set_and_the_pools_recalculate(system: Composed, root: Api) -> None:
    assert system.task(system.acme.task_id).quota == 20
    body = {"zone": "default", "organization": "acme", "counts": {"outbound_ports": 25}}
    grid = ok(root.put("/api/licences/division", body))
    rows = {row["organization"]: row for row in grid["zones"][0]["organizations"]}
    assert (ports(rows["acme"]["effective"]), ports(rows["default"]["effective"])) == (25, 35)
    assert system.task(system.acme.task_id).quota == 25
    history = ok(root.get(f"/api/pools/{system.acme.pool_id}/recalculations?limit=1"))["items"][0]
    assert (history["trigger"], history["cause"]) == ("supply", "numbers of acme in default changed")


def test_a_sum_that_is_too_large_is_refused_with_all_numbers(system: Composed, root: Api) -> None:
    before = system.rows(system.acme.organization_id)
    body = {"zone": "default", "organization": "acme", "counts": {"outbound_ports": 61}}
    refused = root.put("/api/licences/division", body)
    assert refused.status_code == 422
    assert "outbound_ports" in refused.json()["detail"]
    assert "61" in refused.json()["detail"]
    assert "60" in refused.json()["detail"]
    assert system.rows(system.acme.organization_id) == before
    for body in (
        {"zone": "nowhere", "counts": {"outbound_ports": 1}},
        {"zone": "default", "organization": "nobody", "counts": {"outbound_ports": 1}},
    ):
        assert root.put("/api/licences/division", body).status_code == 404
    for counts in ({}, {"ports": 1}, {"outbound_ports": -1}, {"outbound_ports": 1.5}):
        assert root.put("/api/licences/division", {"zone": "default", "counts": counts}).status_code == 422


def test_zones_and_organizations_come_and_go(system: Composed, root: Api) -> None:
    zone = ok(root.post("/api/zones", {"name": "North"}), 201)
    assert root.post("/api/zones", {"name": "North"}).status_code == 409
    assert root.post("/api/zones", {"name": "a,b"}).status_code == 422
    organization = ok(root.post("/api/organizations", {"name": "Third", "zone_ids": [zone["id"]]}), 201)
    assert root.post("/api/organizations", {"name": "Third"}).status_code == 409
    assert root.post("/api/organizations", {"name": "Fourth", "zone_ids": [999]}).status_code == 404
    path = f"/api/zones/{zone['id']}/organizations"
    grid = ok(root.post(path, {"organization_id": system.acme.organization_id}))
    north = next(each for each in grid["zones"] if each["zone"] == "North")
    assert [row["organization"] for row in north["organizations"]] == ["Third", "acme", "default"]
    assert root.post(path, {"organization_id": system.acme.organization_id}).status_code == 409
    body = {"zone": "North", "counts": {"outbound_ports": 15}}
    grid = ok(root.put("/api/licences/division", body))
    assert ports(next(each for each in grid["zones"] if each["zone"] == "North")["effective"]) == 15
    assert root.delete(f"/api/zones/{zone['id']}").status_code == 204
    grid = ok(root.get("/api/licences/division"))
    assert [each["zone"] for each in grid["zones"]] == ["default"]
    assert ports(grid["zones"][0]["effective"]) == 60
    assert root.delete(f"/api/organizations/{organization['id']}").status_code == 204
    default = next(each for each in ok(root.get("/api/zones")) if each["name"] == "default")
    assert root.delete(f"/api/zones/{default['id']}").status_code == 409
    assert root.delete("/api/zones/999").status_code == 404
    assert "Third" not in {each["name"] for each in ok(root.get("/api/organizations"))}


def test_an_organization_sees_its_own_rows_only(system: Composed) -> None:
    assert system.rival.organization_id
    ada = system.of(system.acme, "ada")
    grid = ok(ada.get("/api/licences/division"))
    assert (grid["entitlement"], grid["unused"], grid["reduced"]) == (None, None, None)
    [zone] = grid["zones"]
    assert (zone["effective"], zone["configured"], zone["unallocated"]) == (None, None, None)
    assert [row["organization"] for row in zone["organizations"]] == ["acme"]
    licences = ok(ada.get("/api/licences"))
    assert {line["kind"]: line["count"] for line in licences["licences"]}["outbound_ports"] == 20
    assert licences["customer"] is None
    assert [each["name"] for each in ok(ada.get("/api/organizations"))] == ["acme"]
    assert [each["name"] for each in ok(ada.get("/api/zones"))] == ["default"]
    assert ada.get("/api/licences/files").status_code == 403
    assert ada.get(f"/api/pools/{system.rival.pool_id}/why").status_code == 404
    body = {"zone": "default", "organization": "acme", "counts": {"outbound_ports": 21}}
    assert ada.put("/api/licences/division", body).status_code == 403
