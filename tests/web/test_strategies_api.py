"""REST of strategies beyond their versions: templates to begin with, and what changed between two."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider.campaigns.strategy_document import parse_strategy
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


def test_every_template_can_be_activated(ada: Api) -> None:
    templates = ok(ada.get("/api/strategies/templates"))
    assert [each["key"] for each in templates][:3] == ["call", "predictive", "preview"]
    for each in templates:
        made = ok(ada.post("/api/strategies", {"source": each["source"]}), 201)
        assert made["name"] == each["title"] == parse_strategy(each["source"]).name


def test_changes_are_told_since_the_version_before_or_any_other(ada: Api) -> None:
    versions = [
        ok(ada.post("/api/strategies", {"source": GOOD.replace("= 30", f"= {most}")}), 201)
        for most in (30, 20, 20)
    ]
    first, second, third = (f"/api/strategies/{version['id']}/changes" for version in versions)
    assert ok(ada.get(first)) == {"since": None, "changes": []}
    changed = ok(ada.get(second))
    assert changed["since"]["version"] == 1
    [change] = changed["changes"]
    assert change["where"].endswith(".maximum")
    assert (change["before"], change["after"]) == (30, 20)
    assert ok(ada.get(third))["changes"] == []
    assert ok(ada.get(f"{third}?since={versions[0]['id']}"))["changes"] == [change]
    assert ada.get(f"{third}?since=0").status_code == 422
    assert ada.get(f"{third}?since={2**62}").status_code == 404


def test_a_draft_with_problems_cannot_be_compared(ada: Api) -> None:
    ok(ada.post("/api/strategies", {"source": GOOD}), 201)
    draft = ok(ada.post("/api/strategies", {"source": 'name = "parcels"', "draft": True}), 201)
    refused = ada.get(f"/api/strategies/{draft['id']}/changes")
    assert refused.status_code == 422
    assert refused.json()["problems"][0]["where"] == "actions"


def test_versions_of_others_are_not_compared(system: Composed, ada: Api) -> None:
    made = ok(ada.post("/api/strategies", {"source": GOOD}), 201)
    stranger = system.of(system.rival, "ada")
    assert stranger.get(f"/api/strategies/{made['id']}/changes").status_code == 404
