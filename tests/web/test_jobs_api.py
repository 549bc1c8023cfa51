"""REST of jobs: commands, live limits, the board, charts, attempts, exports, what-if."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.jobs import board
from outrider.jobs.model import TRANSITIONS, JobCommand, JobState
from support.composed import NOON, RULES, Composed, composed
from support.web import Api


@pytest.fixture
def system(database: Database, tmp_path: Path) -> Iterator[Composed]:
    with composed(database, tmp_path) as made:
        yield made


@pytest.fixture
def sue(system: Composed) -> Api:
    return system.of(system.acme, "sue")


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def test_the_board_shows_everything_in_one_answer(system: Composed, sue: Api) -> None:
    shown = ok(sue.get("/api/board"))
    assert shown["at"] == "2026-03-04T12:00:00Z"
    assert shown["supply"]["state"] == "normal"
    [job] = shown["jobs"]
    assert job["campaign_name"] == "acme spring"
    assert (job["state"], job["targets"], job["targets_done"], job["loaded"]) == ("running", 40, 0, True)
    assert job["commands"] == ["pause", "stop", "snooze", "finish"]
    [task] = job["tasks"]
    assert (task["quota"], task["granted"], task["in_use"], task["need"]) == (20, 20, 0, 30)
    assert (task["priority"], task["minimum"], task["maximum"]) == (5, 1, 30)
    [pool] = shown["pools"]
    ports = next(kind for kind in pool["kinds"] if kind["kind"] == "outbound_ports")
    assert (ports["count"], ports["granted"], ports["free"]) == (20, 20, 0)
    assert system.rival.name not in str(shown)
    whole = ok(system.root("vic").get("/api/board"))
    assert {each["organization_name"] for each in whole["jobs"]} == {"acme", "rival"}


def test_the_board_costs_a_fixed_number_of_statements(system: Composed, sue: Api) -> None:
    counted: list[str] = []

    def note(*args: Any) -> None:
        if args[2].startswith("SELECT"):
            counted.append(args[2])

    def count(tx: Tx) -> int:
        event.listen(tx, "before_cursor_execute", note)
        return len(board.board(tx, RULES, None, NOON).jobs)

    ok(sue.get("/api/board"))
    assert system.database.read_now(count) == 1
    before = len(counted)
    assert system.rival.job_id
    counted.clear()
    assert system.database.read_now(count) == 2
    assert len(counted) == before <= 10


def test_a_job_is_commanded_through_its_life(system: Composed, sue: Api) -> None:
    campaign = system.acme.spare_campaign_id
    made = ok(sue.post(f"/api/campaigns/{campaign}/jobs", {"start": False}), 201)
    assert made["state"] == "ready"
    job = f"/api/jobs/{made['id']}"
    for command, state in (
        ("start", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("snooze", "snoozed"),
        ("resume", "running"),
        ("finish", "finished"),
    ):
        answer = ok(sue.post(f"{job}/{command}"))
        assert answer["state"] == state
        quota = answer["tasks"][0]["quota"]
        assert (quota > 0) is (state == "running")
    assert answer["end_reason"] == "finish by acme-sue"
    refused = sue.post(f"{job}/start")
    assert refused.status_code == 409
    assert refused.json()["code"] == "illegal_transition"
    assert "start a new job" in refused.json()["detail"]
    assert ok(sue.get("/api/jobs?ended=true"))["items"][0]["id"] == made["id"]


def test_a_second_job_of_a_campaign_is_refused(system: Composed, sue: Api) -> None:
    refused = sue.post(f"/api/campaigns/{system.acme.campaign_id}/jobs")
    assert refused.status_code == 409
    assert "has a job that has not ended" in refused.json()["detail"]


def test_a_snooze_has_an_end(system: Composed, sue: Api) -> None:
    job = f"/api/jobs/{system.acme.job_id}"
    until = (NOON + dt.timedelta(hours=1)).isoformat()
    assert ok(sue.post(f"{job}/snooze", {"until": until}))["snoozed_until"] == "2026-03-04T13:00:00Z"
    ok(sue.post(f"{job}/resume"))
    assert ok(sue.post(f"{job}/snooze", {"seconds": 90}))["snoozed_until"] == "2026-03-04T12:01:30Z"
    for body in (
        {"until": "2026-03-04T11:00:00Z"},
        {"until": until, "seconds": 3},
        {"seconds": 0},
        {"until": "0001-01-01T00:00:00+23:00"},
    ):
        assert sue.post(f"{job}/snooze", body).status_code == 422
    assert sue.post(f"{job}/pause", {"seconds": 3}).status_code == 422


@pytest.mark.parametrize("command", list(JobCommand))
def test_only_what_the_table_allows_is_possible(system: Composed, sue: Api, command: JobCommand) -> None:
    for state in JobState:
        system.database.write_now(_set_state, system.acme.job_id, state)
        answer = sue.post(f"/api/jobs/{system.acme.job_id}/{command}")
        following = TRANSITIONS.get((state, command))
        if following is None:
            assert answer.status_code == 409, (state, command)
        else:
            assert ok(answer)["state"] == following


def _set_state(tx: Tx, job_id: int, state: JobState) -> None:
    jobs = schema.jobs
    tx.execute(update(jobs).where(jobs.c.id == job_id).values(state=state.value))


def test_limits_change_live_and_move_the_shares(system: Composed, sue: Api) -> None:
    spare = ok(sue.post(f"/api/campaigns/{system.acme.spare_campaign_id}/jobs"), 201)
    other = spare["tasks"][0]["id"]
    assert spare["tasks"][0]["quota"] == 10
    changed = ok(sue.patch(f"/api/tasks/{system.acme.task_id}", {"priority": 10}))
    assert (changed["priority"], changed["quota"]) == (10, 14)
    assert ok(sue.get(f"/api/tasks/{other}"))["quota"] == 6
    changed = ok(sue.patch(f"/api/tasks/{system.acme.task_id}", {"maximum": 5, "minimum": 2}))
    assert (changed["minimum"], changed["maximum"], changed["quota"]) == (2, 5, 5)
    for body in ({}, {"priority": 11}, {"minimum": -1}, {"minimum": 6}, {"maximum": 1}, {"prio": 3}):
        assert sue.patch(f"/api/tasks/{system.acme.task_id}", body).status_code == 422
    assert ok(sue.get(f"/api/tasks/{system.acme.task_id}"))["minimum"] == 2


def test_why_says_it_in_a_sentence_with_names(system: Composed, sue: Api) -> None:
    why = ok(sue.get(f"/api/tasks/{system.acme.task_id}/why"))
    assert why["name"] == "acme spring / call"
    assert why["sentence"].startswith(
        "acme spring / call has 20 outbound ports of the 30 it could use: all 20"
    )
    assert (why["quota"], why["need"], why["binding"], why["rule"]) == (20, 30, "pool", "need")
    assert why["set_by"]["trigger"] == "start"
    assert why["set_by"]["before"][str(system.acme.task_id)]["quota"] == 0
    assert why["set_by"]["after"][str(system.acme.task_id)]["quota"] == 20
    ok(sue.patch(f"/api/tasks/{system.acme.task_id}", {"maximum": 7}))
    why = ok(sue.get(f"/api/tasks/{system.acme.task_id}/why"))
    assert (why["binding"], why["set_by"]["trigger"]) == ("maximum", "change")
    assert why["set_by"]["cause"] == "maximum 30 to 7"
    ok(sue.post(f"/api/jobs/{system.acme.job_id}/pause"))
    why = ok(sue.get(f"/api/tasks/{system.acme.task_id}/why"))
    assert why["sentence"] == "acme spring / call has no outbound_ports because its job is paused."
    assert (why["quota"], why["set_by"]["trigger"]) == (0, "pause")


def test_what_if_answers_by_the_production_rules_and_changes_nothing(system: Composed, sue: Api) -> None:
    path = f"/api/pools/{system.acme.pool_id}/what-if"
    before = system.rows(system.acme.organization_id)

    def suppose(*changes: dict[str, object]) -> dict[str, tuple[int | None, int | None]]:
        answer = ok(sue.post(path, {"changes": list(changes)}))
        return {each["task"]["name"]: (each["before"], each["after"]) for each in answer["tasks"]}

    task, job = system.acme.task_id, system.acme.job_id
    spare = {"what": "start_campaign", "campaign_id": system.acme.spare_campaign_id}
    assert suppose(spare) == {"acme spring / call": (20, 10), "acme spare / call (new)": (None, 10)}
    assert suppose({"what": "change_count", "kind": "outbound_ports", "by": 50}) == {
        "acme spring / call": (20, 30)
    }
    assert suppose({"what": "change_task", "task_id": task, "priority": 1, "maximum": 4}, spare) == {
        "acme spring / call": (20, 3),
        "acme spare / call (new)": (None, 17),
    }
    assert suppose(spare, {"what": "stop_job", "job_id": job}) == {
        "acme spring / call": (20, None),
        "acme spare / call (new)": (None, 20),
    }
    assert system.rows(system.acme.organization_id) == before
    ok(sue.post(f"/api/jobs/{job}/pause"))
    assert suppose({"what": "start_job", "job_id": job}) == {"acme spring / call": (None, 20)}
    for change, status in (
        ({"what": "change_count", "kind": "outbound_ports", "by": -21}, 422),
        ({"what": "change_count", "kind": "email", "by": 1}, 422),
        ({"what": "start_campaign", "campaign_id": 999}, 404),
        ({"what": "stop_job", "job_id": job}, 422),
        ({"what": "change_task", "task_id": system.rival.task_id, "priority": 1}, 404),
        ({"what": "nothing"}, 422),
    ):
        assert sue.post(path, {"changes": [change]}).status_code == status, change
    assert sue.post(path, {"changes": []}).status_code == 422


def test_jobs_are_listed_page_by_page(system: Composed, sue: Api) -> None:
    ids = [system.acme.job_id]
    for _ in range(4):
        made = ok(sue.post(f"/api/campaigns/{system.acme.spare_campaign_id}/jobs"), 201)
        ok(sue.post(f"/api/jobs/{made['id']}/stop"))
        ids.append(made["id"])
    seen: list[int] = []
    page = ok(sue.get("/api/jobs?limit=2"))
    while True:
        seen += [job["id"] for job in page["items"]]
        if page["next"] is None:
            break
        page = ok(sue.get(f"/api/jobs?limit=2&before={page['next']}"))
    assert seen == sorted(ids, reverse=True)
    assert [job["id"] for job in ok(sue.get("/api/jobs?ended=false"))["items"]] == [system.acme.job_id]


def test_samples_are_thinned(system: Composed, sue: Api) -> None:
    task = system.acme.task_id
    rows = [
        {"task_id": task, "at": NOON - dt.timedelta(seconds=second), "quota": 20, "granted": 20, "in_use": 3}
        for second in range(3000)
    ]
    system.database.write_now(lambda tx: tx.execute(insert(schema.samples), rows).rowcount)
    since = (NOON - dt.timedelta(seconds=2999)).isoformat()
    chart = ok(sue.get(f"/api/jobs/{system.acme.job_id}/samples", params={"since": since}))
    assert 500 < len(chart["at"]) <= 600
    assert chart["at"] == sorted(chart["at"])
    assert chart["at"][-1] == NOON.timestamp()
    [series] = chart["series"]
    assert series["name"] == "call in default"
    assert set(series["in_use"]) == {3}
    assert len(series["quota"]) == len(chart["at"])
    together = ok(sue.get("/api/board/samples", params={"since": since}))
    assert [each["name"] for each in together["series"]] == ["acme spring"]
    assert ok(sue.get("/api/board/samples?kind=email"))["series"] == []
    future = (NOON + dt.timedelta(seconds=1)).isoformat()
    assert ok(sue.get(f"/api/jobs/{system.acme.job_id}/samples", params={"since": future}))["at"] == []


def test_attempts_are_listed_and_exported(system: Composed, sue: Api) -> None:
    system.database.write_now(_attempt_all, system.acme.job_id, system.acme.task_id)
    path = f"/api/jobs/{system.acme.job_id}"
    one = ok(sue.get(f"{path}/attempts", params={"contact": system.acme.contact_id}))
    assert [each["number"] for each in one["items"]] == [1, 2]
    assert one["items"][0]["action"] == "call"
    seen = []
    page = ok(sue.get(f"{path}/attempts?limit=15"))
    while True:
        seen += page["items"]
        if page["next"] is None:
            break
        page = ok(sue.get(f"{path}/attempts?limit=15&after={page['next']}"))
    assert len({each["id"] for each in seen}) == len(seen) == 80
    answer = sue.get(f"{path}/results.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(lines) == 80
    assert lines[0]["address"].startswith("+49")
    assert lines[0]["detail"] == "'=cmd()"
    assert lines[0]["claimed_at"] == "2026-03-04T12:00:00.000+00:00"
    assert ok(sue.get(f"{path}/outcomes")) == {"busy": {"attempts": 80, "final": 0}}


def _attempt_all(tx: Tx, job_id: int, task_id: int) -> None:
    targets = schema.targets.c
    found = tx.execute(select(targets.id, targets.contact_id).where(targets.job_id == job_id)).all()
    rows = [
        {
            "id": f"{row.id:016x}{number:016x}",
            "task_id": task_id,
            "target_id": row.id,
            "contact_id": row.contact_id,
            "number": number,
            "address": "+493012345678",
            "claimed_at": NOON,
            "ended_at": NOON,
            "outcome": "busy",
            "detail": "=cmd()",
        }
        for row in found
        for number in (1, 2)
    ]
    tx.execute(insert(schema.attempts), rows)
    counts = {"task_id": task_id, "outcome": "busy", "attempts": len(rows), "final": 0}
    tx.execute(insert(schema.outcome_counts), [counts])


def test_the_history_of_a_pool_is_paged(system: Composed, sue: Api) -> None:
    for priority in (1, 2, 3, 4):
        ok(sue.patch(f"/api/tasks/{system.acme.task_id}", {"priority": priority}))
    path = f"/api/pools/{system.acme.pool_id}/recalculations"
    page = ok(sue.get(f"{path}?limit=3"))
    assert [each["trigger"] for each in page["items"]] == ["change"] * 3
    assert page["items"][0]["task"]["name"] == "acme spring / call"
    rest = ok(sue.get(f"{path}?limit=100&before={page['next']}"))
    assert [each["trigger"] for each in rest["items"]] == ["change", "start", "supply"]
    assert rest["next"] is None
    explained = ok(sue.get(f"/api/pools/{system.acme.pool_id}/why"))
    assert [each["name"] for each in explained["tasks"]] == ["acme spring / call"]
    assert explained["counts"]["outbound_ports"] == 20
    assert [pool["organization"] for pool in ok(sue.get("/api/pools"))] == ["acme"]
