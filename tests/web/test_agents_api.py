"""The REST API of agents: accounts, skills, who is logged in with which seat, and the audit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.agents import seats, sessions
from outrider.agents import store as agents_store
from outrider.agents.model import AgentState, SessionId
from outrider.agents.sessions import Transition
from outrider.db import schema
from outrider.db.database import Database
from outrider.licences import division_store
from support.composed import NOON, RULES, Composed, composed
from support.databases import sqlite_url
from support.seating import SOURCE

ADA = {"name": "Ada", "address": "sip:ada@example.org", "skills": {"dutch": 7}, "display_name": "Ada L."}


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Composed]:
    with sqlite_url(tmp_path) as url:
        database = Database(url, connections=4)
        with composed(database, tmp_path) as made:
            yield made
        database.close()


def test_an_account_is_made_changed_and_removed(system: Composed) -> None:
    root = system.root("sue")
    made = root.post("/api/agents", json=ADA)
    assert made.status_code == 201
    assert made.json()["one_time_password"] is None
    agent = made.json()["agent"]
    assert (agent["name"], agent["skills"], agent["user_id"]) == ("ada", {"dutch": 7}, None)
    address = f"/api/agents/{agent['id']}"
    changed = root.patch(address, json={"skills": {"loans": 2}, "enabled": False}).json()
    assert (changed["skills"], changed["enabled"]) == ({"loans": 2}, False)
    assert (changed["address"], changed["display_name"]) == ("sip:ada@example.org", "Ada L.")
    assert root.get(address).json() == changed
    assert root.get("/api/agents").json() == [changed]
    assert [skill["name"] for skill in root.get("/api/skills").json()] == ["dutch", "loans"]
    assert root.delete(address).status_code == 204
    assert root.get(address).status_code == 404


def test_a_user_of_an_agent_is_for_administrators_to_make(system: Composed) -> None:
    body = {**ADA, "user": True}
    assert system.root("sue").post("/api/agents", json=body).status_code == 403
    assert system.root().get("/api/agents").json() == []
    made = system.root().post("/api/agents", json=body).json()
    assert made["one_time_password"]
    users = {user["name"]: user for user in system.root().get("/api/users").json()}
    assert (users["ada"]["role"], users["ada"]["must_change_password"]) == ("agent", True)
    number = made["agent"]["id"]
    assert system.root("sue").delete(f"/api/agents/{number}").status_code == 403
    assert system.root().delete(f"/api/agents/{number}").status_code == 204
    users = {user["name"]: user for user in system.root().get("/api/users").json()}
    assert users["ada"]["disabled"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": "a b"}, "name:"),
        ({"address": "two words"}, "address:"),
        ({"zone": "moon"}, "zone: the organization is in no zone 'moon', but in: default"),
        ({"skills": {"dutch": 11}}, "skills"),
        ({"preferred_campaigns": [999]}, "preferred_campaigns: there is no campaign 999"),
        ({"pet": "dog"}, "pet"),
    ],
)
def test_mistakes_name_the_field(system: Composed, change: dict[str, object], where: str) -> None:
    root = system.root("sue")
    refused = root.post("/api/agents", json={**ADA, **change})
    assert refused.status_code == 422
    assert where in refused.json()["detail"]
    root.post("/api/agents", json=ADA)
    assert root.post("/api/agents", json=ADA).status_code == 409
    assert root.post("/api/skills", json={"name": "dutch"}).status_code == 409


def test_who_is_logged_in_is_shown_with_seat_and_cover(system: Composed) -> None:
    system.load_licence(outbound_ports=60, predictive_agents=1, manual_agents=1, agent_web_api=5)
    root = system.root()
    for name in ("ada", "bob"):
        root.post("/api/agents", json={"name": name, "address": "12"})
    source = SOURCE.format(name="talks", minimum=1, maximum=5, priority=5, mode="manual", skills="")
    assert root.post("/api/strategies", json={"source": source}).status_code == 201
    organization = system.database.read_now(division_store.organizations)["default"]
    people = {"name": "people", "default_country": "DE", "organization_id": organization}
    listed = root.post("/api/contact-lists", json=people).json()["id"]
    plan = {"name": "talks", "strategy_name": "talks", "list_ids": [listed]}
    campaign = root.post("/api/campaigns", json=plan).json()["id"]
    task = root.post(f"/api/campaigns/{campaign}/jobs", json={"start": True}).json()["tasks"][0]
    opened = []
    for name in ("ada", "bob"):
        (agent,) = system.database.read_now(agents_store.agents, None, name=name)
        kept = system.database.write_now(sessions.open_session, agent, NOON, api=True)
        opened.append(kept.session.id)
    ready(system, opened)
    system.database.write_now(seats.rebalance, RULES, task["pool_id"], NOON)
    shown = root.get("/api/agents/live").json()
    assert [(each["agent"], each["state"], each["seat"], each["covered_by"]) for each in shown] == [
        ("ada", "ready", "manual_agents", "manual_agents"),
        ("bob", "ready", "manual_agents", "predictive_agents"),
    ]
    assert {(each["campaign"], each["attachment"], each["job_id"]) for each in shown} == {
        ("talks", "attached", task["job_id"])
    }
    pool = next(each for each in root.get("/api/pools").json() if each["id"] == task["pool_id"])
    assert pool["seats"] == [
        {
            "kind": "manual_agents",
            "granted": 2,
            "in_use": 2,
            "cover": {"manual_agents": 1, "predictive_agents": 1},
        }
    ]
    kinds = {each["kind"]: each for each in pool["kinds"]}
    assert (kinds["agent_web_api"]["in_use"], kinds["agent_web_api"]["free"]) == (2, 3)
    assert (kinds["predictive_agents"]["free"], kinds["manual_agents"]["free"]) == (0, 0)
    assert root.delete(f"/api/agents/{shown[0]['agent_id']}").status_code == 409
    assert system.of(system.acme, "vic").get("/api/agents/live").json() == []


def ready(system: Composed, numbers: list[SessionId]) -> None:
    row = schema.agent_sessions
    statement = row.update().where(row.c.id.in_(numbers)).values(state="ready")
    system.database.write_now(lambda tx: tx.execute(statement).rowcount)


def test_sessions_and_every_change_of_state_are_there_page_by_page(system: Composed) -> None:
    root = system.root()
    number = root.post("/api/agents", json={"name": "ada", "address": "12"}).json()["agent"]["id"]
    (agent,) = system.database.read_now(agents_store.agents, None, agent_id=number)
    for _ in range(3):
        session = system.database.write_now(sessions.open_session, agent, NOON, api=False).session
        change = Transition(
            session.id, agent.id, NOON, AgentState.NOT_READY, AgentState.READY, "lunch is over"
        )
        system.database.write_now(sessions.save_sessions, [], [change])
        system.database.write_now(sessions.close_session, RULES, session.id, NOON, "went home")
    page = root.get(f"/api/agents/{number}/sessions", params={"limit": 2}).json()
    assert [each["end_reason"] for each in page["items"]] == ["went home"] * 2
    rest = root.get(f"/api/agents/{number}/sessions", params={"before": page["next"]}).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)
    told = root.get(f"/api/agents/{number}/transitions", params={"limit": 50}).json()["items"]
    assert ("not_ready", "ready", "lunch is over") in {
        (each["before"], each["after"], each["reason"]) for each in told
    }
    assert [each["id"] for each in told] == sorted((each["id"] for each in told), reverse=True)


def test_a_user_of_the_whole_system_cannot_be_an_agent(system: Composed) -> None:
    root = system.root()
    refused = root.post("/api/users", json={"name": "x", "role": "agent", "organization_id": None})
    assert (refused.status_code, refused.json()["where"]) == (422, "organization_id")
    made = root.post("/api/users", json={"name": "x", "role": "viewer", "organization_id": None}).json()
    refused = root.patch(f"/api/users/{made['user']['id']}", json={"role": "agent"})
    assert (refused.status_code, refused.json()["where"]) == (422, "role")
    own = {"name": "y", "role": "agent", "organization_id": system.acme.organization_id}
    assert root.post("/api/users", json=own).status_code == 201
