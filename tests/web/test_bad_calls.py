"""Forty API calls that cannot be meant: each is refused with a clear problem, and nothing changes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from outrider.db.database import Database
from support.composed import STRATEGY, Composed, composed
from support.databases import sqlite_url

JSON = {"content-type": "application/json"}
GOOD = STRATEGY.format(name="x", minimum=1, maximum=2, priority=3)


@dataclass(frozen=True)
class Bad:
    """A request and what the answer must say. `{job}` and so on are those of the organization."""

    method: str
    path: str
    body: object
    status: int
    says: str


CALLS = (
    Bad("POST", "/jobs/{job}/start", None, 409, "a running job cannot start; possible now: pause"),
    Bad("POST", "/jobs/{job}/resume", None, 409, "a running job cannot resume"),
    Bad("POST", "/jobs/{job}/explode", None, 422, "command"),
    Bad("POST", "/jobs/0/stop", None, 422, "job_id"),
    Bad("POST", "/jobs/99999999999999999999/stop", None, 422, "job_id"),
    Bad("POST", "/jobs/abc/stop", None, 422, "job_id"),
    Bad("POST", "/jobs/424242/stop", None, 404, "there is no job 424242"),
    Bad("POST", "/jobs/{job}/snooze", {"until": "tomorrow"}, 422, "until"),
    Bad("POST", "/jobs/{job}/snooze", {"until": "2026-03-04T13:00:00"}, 422, "until"),
    Bad("POST", "/jobs/{job}/snooze", {"until": "2020-01-01T00:00:00Z"}, 422, "has passed already"),
    Bad("POST", "/jobs/{job}/snooze", {"seconds": -5}, 422, "seconds"),
    Bad("POST", "/jobs/{job}/snooze", {"minutes": 5}, 422, "minutes"),
    Bad("POST", "/jobs/{job}/stop", {"seconds": 5}, 422, "for snooze only"),
    Bad("POST", "/campaigns/{campaign}/jobs", None, 409, "has a job that has not ended"),
    Bad("POST", "/campaigns/{spare}/jobs", {"start": "perhaps"}, 422, "start"),
    Bad("POST", "/campaigns/424242/jobs", None, 404, "there is no campaign 424242"),
    Bad("PATCH", "/tasks/{task}", {}, 422, "at least one of priority, minimum and maximum"),
    Bad("PATCH", "/tasks/{task}", {"priority": 0}, 422, "priority"),
    Bad("PATCH", "/tasks/{task}", {"priority": 5.5}, 422, "priority"),
    Bad("PATCH", "/tasks/{task}", {"minimum": 31}, 422, "maximum: 30 is below the minimum of 31"),
    Bad("PATCH", "/tasks/{task}", {"maximum": 10**12}, 422, "maximum"),
    Bad("PATCH", "/tasks/{task}", [1], 422, "body"),
    Bad("PATCH", "/tasks/{task}", b"{not json", 422, "json"),
    Bad("POST", "/pools/{pool}/what-if", {"changes": "all"}, 422, "changes"),
    Bad("POST", "/pools/{pool}/what-if", {"changes": [{"what": "stop_job"}]}, 422, "job_id"),
    Bad("GET", "/jobs?limit=0", None, 422, "limit"),
    Bad("GET", "/jobs?before=-1", None, 422, "before"),
    Bad("GET", "/jobs/{job}/samples?since=noon", None, 422, "since"),
    Bad("POST", "/strategies", {"source": ""}, 422, "empty"),
    Bad("POST", "/strategies", {"source": "name = "}, 422, "line 1"),
    Bad("POST", "/strategies", {"source": GOOD.replace("= 2", "= 0")}, 422, "maximum"),
    Bad("POST", "/strategies", {"source": "\x00"}, 422, "NUL"),
    Bad("POST", "/strategies", {"source": "x" * 3_000_000}, 422, "source"),
    Bad("PUT", "/strategies/{strategy}", {"source": GOOD}, 409, "is active and never changes"),
    Bad("POST", "/strategies/{draft}/activate", None, 422, "actions"),
    Bad("DELETE", "/strategies/{strategy}", None, 409, "was run by a job and is kept"),
    Bad("DELETE", "/campaigns/{campaign}", None, 409, "stop it first"),
    Bad("PUT", "/campaigns/{campaign}", {"name": "x"}, 422, "strategy_name"),
    Bad("PUT", "/licences/division", {"zone": "default", "counts": {"outbound_ports": 99}}, 422, "99"),
    Bad("POST", "/organizations", {"name": "a/b"}, 422, "a name has none of"),
    Bad("POST", "/zones", {"name": "default"}, 409, "already"),
    Bad("DELETE", "/zones/1", None, 409, "default zone"),
    Bad("DELETE", "/contact-lists/{list}", None, 409, "is used by job"),
    Bad("GET", "/jobs/{job}/nothing", None, 405, "not possible"),
    Bad("GET", "/nothing", None, 404, "there is nothing at"),
)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    folder = tmp_path_factory.mktemp("bad-calls")
    with sqlite_url(folder) as url:
        database = Database(url, connections=4)
        with composed(database, folder) as made:
            assert made.acme.job_id
            yield made
        database.close()


def test_there_are_enough_of_them() -> None:
    assert len(CALLS) >= 40


@pytest.mark.parametrize("bad", CALLS, ids=lambda bad: f"{bad.method} {bad.path} {str(bad.body)[:40]}")
def test_a_bad_call_is_refused_clearly_and_changes_nothing(system: Composed, bad: Bad) -> None:
    acme = system.acme
    path = bad.path.format(
        job=acme.job_id,
        task=acme.task_id,
        pool=acme.pool_id,
        campaign=acme.campaign_id,
        spare=acme.spare_campaign_id,
        strategy=acme.strategy_id,
        draft=acme.draft_id,
        list=acme.list_id,
    )
    root = system.root()
    before = system.rows(acme.organization_id)
    content = bad.body if isinstance(bad.body, bytes) else json.dumps(bad.body)
    sent = {} if bad.body is None else {"content": content, "headers": JSON}
    answer = root.request(bad.method, f"/api{path}", **sent)
    assert answer.status_code == bad.status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == bad.status
    assert bad.says.lower() in json.dumps(problem).lower()
    assert "Traceback" not in answer.text
    assert system.rows(acme.organization_id) == before
