"""REST of strategies and campaigns: versions, drafts, checks, plans, schedules."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider.db.database import Database
from support.composed import STRATEGY, Composed, composed
from support.web import Api

GOOD = STRATEGY.format(name="parcels", minimum=1, maximum=30, priority=5)


@pytest.fixture
def system(database: Database, tmp_path: Path) -> Iterator[Composed]:
    with composed(database, tmp_path) as made:
        yield made


@pytest.fixture
def ada(system: Composed) -> Api:
    return system.of(system.acme, "ada")


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def test_versions_follow_each_other(ada: Api) -> None:
    first = ok(ada.post("/api/strategies", {"source": GOOD}), 201)
    assert (first["name"], first["version"], first["state"], first["problems"]) == (
        "parcels",
        1,
        "active",
        [],
    )
    assert first["document"]["actions"][0]["window"]["start"] == "08:00"
    second = ok(ada.post("/api/strategies", {"source": GOOD.replace("= 30", "= 9")}), 201)
    assert (second["version"], second["document"]["actions"][0]["maximum"]) == (2, 9)
    listed = [each for each in ok(ada.get("/api/strategies")) if each["name"] == "parcels"]
    assert [each["version"] for each in listed] == [2, 1]
    assert ada.put(f"/api/strategies/{first['id']}", {"source": GOOD}).status_code == 409
    assert ada.delete(f"/api/strategies/{first['id']}").status_code == 204
    assert ada.get(f"/api/strategies/{first['id']}").status_code == 404


def test_a_draft_is_saved_with_its_problems_and_activated_without(ada: Api) -> None:
    broken = GOOD.replace('channel = "call"', 'channel = "cell"')
    assert ada.post("/api/strategies", {"source": broken}).status_code == 422
    draft = ok(ada.post("/api/strategies", {"source": broken, "draft": True}), 201)
    assert (draft["name"], draft["state"], draft["document"]) == ("parcels", "draft", None)
    assert draft["problems"][0]["where"] == "actions[0].channel"
    path = f"/api/strategies/{draft['id']}"
    refused = ada.post(f"{path}/activate")
    assert refused.status_code == 422
    assert refused.json()["problems"][0]["where"] == "actions[0].channel"
    assert ada.put(path, {"source": GOOD.replace("parcels", "other")}).status_code == 422
    unreadable = ok(ada.put(path, {"source": "name = "}))
    assert unreadable["problems"][0]["where"] == "line 1"
    fixed = ok(ada.put(path, {"source": GOOD}))
    assert fixed["problems"] == []
    assert ok(ada.post(f"{path}/activate"))["state"] == "active"
    assert ok(ada.post(f"{path}/activate"))["state"] == "active"


def test_a_document_without_a_name_needs_one_to_be_filed(ada: Api) -> None:
    assert ada.post("/api/strategies", {"source": "x", "draft": True}).status_code == 422
    draft = ok(ada.post("/api/strategies", {"source": "x", "draft": True, "name": "later"}), 201)
    assert draft["name"] == "later"


def test_check_lists_every_problem_and_stores_nothing(system: Composed, ada: Api) -> None:
    before = system.rows(system.acme.organization_id)
    viewer = system.of(system.acme, "vic")
    assert ok(viewer.post("/api/strategies/check", {"source": GOOD}))["valid"] is True
    broken = GOOD.replace("minimum = 1", "minimum = 99").replace("priority = 5", "priority = 55")
    found = ok(viewer.post("/api/strategies/check", {"source": broken}))
    assert found["valid"] is False
    assert [each["where"] for each in found["problems"]] == ["actions[0].minimum", "actions[0].priority"]
    assert system.rows(system.acme.organization_id)["strategies"] == before["strategies"]
    assert ok(ada.post("/api/strategies/check", {"source": ""}))["valid"] is False


def test_a_campaign_is_made_changed_and_deleted(system: Composed, ada: Api) -> None:
    acme = system.acme
    body: dict[str, Any] = {
        "name": "Autumn",
        "strategy_name": "acme calls",
        "list_ids": [acme.list_id],
        "filter": [{"attribute": "first_name", "operator": "=", "value": "Person 3"}],
        "schedule": {
            "start_at": "2026-03-06T09:00:00+01:00",
            "repeat_days": [4, 0],
            "time_zone": "Europe/Berlin",
            "run_for": 3600,
        },
    }
    made = ok(ada.post("/api/campaigns", body), 201)
    assert made["next_start_at"] == "2026-03-06T08:00:00Z"
    assert made["schedule"]["repeat_days"] == [0, 4]
    assert made["zone_ids"] == [ok(ada.get("/api/zones"))[0]["id"]]
    assert made["filter"] == body["filter"]
    assert ada.post("/api/campaigns", body).status_code == 409
    path = f"/api/campaigns/{made['id']}"
    changed = ok(ada.put(path, {**body, "name": "Winter", "schedule": {}, "filter": []}))
    assert (changed["name"], changed["next_start_at"], changed["filter"]) == ("Winter", None, [])
    assert ok(ada.get(path)) == changed
    assert changed["id"] in [each["id"] for each in ok(ada.get("/api/campaigns"))]
    assert ada.delete(path).status_code == 204
    assert ada.get(path).status_code == 404
    assert ada.delete(f"/api/campaigns/{acme.campaign_id}").status_code == 409


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": " "}, 422),
        ({"name": "x" * 81}, 422),
        ({"strategy_name": "nothing"}, 422),
        ({"list_ids": []}, 422),
        ({"list_ids": [999]}, 404),
        ({"zone_ids": [999]}, 422),
        ({"filter": [{"attribute": "x"}]}, 422),
        ({"filter": [{"attribute": "x", "operator": "~", "value": 1}]}, 422),
        ({"schedule": {"start_at": "2026-03-06T09:00:00"}}, 422),
        ({"schedule": {"start_at": "9999-12-31T23:59:59-12:00"}}, 422),
        ({"schedule": {"time_zone": "Mars/Olympus"}}, 422),
        ({"schedule": {"time_zone": "../etc"}}, 422),
        ({"schedule": {"repeat_days": [7]}}, 422),
        ({"schedule": {"run_for": 0}}, 422),
        ({"schedule": {"run_for": 10**15}}, 422),
        ({"organization_id": 999}, 403),
        ({"colour": "red"}, 422),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    system: Composed, ada: Api, change: dict[str, Any], status: int
) -> None:
    body = {"name": "Autumn", "strategy_name": "acme calls", "list_ids": [system.acme.list_id], **change}
    before = system.rows(system.acme.organization_id)["campaigns"]
    refused = ada.post("/api/campaigns", body)
    assert refused.status_code == status, refused.text
    assert refused.json()["detail"]
    assert system.rows(system.acme.organization_id)["campaigns"] == before


def test_a_caller_of_the_system_makes_records_of_the_default_organization_or_the_named_one(
    system: Composed,
) -> None:
    root = system.root()
    names = {each["name"]: each["id"] for each in ok(root.get("/api/organizations"))}
    made = ok(root.post("/api/strategies", {"source": GOOD}), 201)
    assert made["organization_id"] == names["default"]
    number = system.acme.organization_id
    made = ok(root.post("/api/strategies", {"source": GOOD, "organization_id": number}), 201)
    assert made["organization_id"] == number
    assert root.post("/api/strategies", {"source": GOOD, "organization_id": 999}).status_code == 422
