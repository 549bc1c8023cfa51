"""Health, readiness, metrics, and the API's reference page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.db.database import Database
from support.web import Site, open_site


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    with open_site(database, tmp_path) as opened:
        yield opened


def test_a_good_server_is_alive_and_ready(site: Site) -> None:
    assert site.api().get("/healthz").json() == {"status": "alive"}
    ready = site.api().get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


def test_a_database_of_another_version_is_not_ready(site: Site) -> None:
    site.database.write_now(lambda tx: tx.exec_driver_sql("UPDATE alembic_version SET version_num = 'x'"))
    answer = site.api().get("/readyz")
    assert answer.status_code == 503
    assert "outrider migrate" in answer.json()["detail"]
    assert site.api().get("/healthz").status_code == 200


def test_a_stopping_server_is_not_ready(site: Site) -> None:
    site.edge.news.close()
    assert site.api().get("/readyz").status_code == 503


def test_metrics_count_requests_by_route_not_by_path(site: Site) -> None:
    site.user("root")
    root = site.as_user("root")
    for number in range(3):
        root.get(f"/api/users/{100 + number}")
        root.get(f"/invented/{number}")
    text = site.api().get("/metrics").text
    assert 'outrider_http_requests_total{method="GET",route="/api/users/{user_id}",status="404"} 3.0' in text
    assert "invented" not in text
    assert re.search(r'route="other",status="404"\} 3\.0', text)


def test_the_reference_lists_every_operation_without_foreign_scripts(site: Site) -> None:
    document = site.api().get("/api/openapi.json").json()
    page = site.api().get("/api/docs").text
    for path, item in document["paths"].items():
        for method in item:
            assert f"<code>{method.upper()} {path}</code>" in page
    assert "cdn" not in page
    operation = document["paths"]["/api/users"]["post"]
    assert operation["operationId"] == "people_create_user"
    assert "application/problem+json" in operation["responses"]["default"]["content"]
    assert operation["security"] == [{"session": []}, {"token": []}]
