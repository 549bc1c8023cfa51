"""The Agent Web API over HTTP: logging in, commands that are done once, records, licences, supervisors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from outrider.agents import actions
from outrider.agents.commands import Hold, WrapUp
from outrider.agents.desk import AgentDesk
from outrider.clock import VirtualClock
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.people.model import Role
from support.desk_site import DeskSite, desk_site
from support.floor_play import task
from support.web import START, Api

SESSION = "/api/agent/session"
COMMANDS = "/api/agent/session/commands"


@pytest.fixture
def desk(sqlite_database: Database, tmp_path: Path) -> Iterator[DeskSite]:
    with desk_site(sqlite_database, tmp_path, clock=VirtualClock(START)) as made:
        yield made


def at_work(desk: DeskSite, name: str = "ann") -> Api:
    """Return an agent who is ready, has a seat and a phone."""
    api = desk.api(name)
    assert api.post(SESSION, {"ready": True}).status_code == 201
    desk.act(lambda: None)
    assert state(api)["attachment"] == "attached"
    return api


def state(api: Api) -> dict[str, object]:
    """Return the session as its desktop sees it."""
    answer = api.get(SESSION)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()["session"]
    return found


def give(api: Api, name: str, status: int = 200, /, *, key: str = "", **fields: Any) -> dict[str, object]:
    """Send a command; return the answer."""
    headers = {"Idempotency-Key": key} if key else {}
    answer = api.post(f"{COMMANDS}/{name}", fields, headers=headers)
    assert answer.status_code == status, answer.text
    found: dict[str, object] = answer.json()
    return found


def talk(desk: DeskSite, api: Api, call: str = "call-a", **card: object) -> None:
    """Let a contact answer whom the agent gets."""
    desk.act(lambda: desk.desk.answer(call, card))
    assert state(api)["state"] == "talking"


def test_an_agent_logs_in_works_and_logs_out(desk: DeskSite) -> None:
    api = desk.api("ann")
    assert api.get(SESSION).status_code == 404
    made = api.post(SESSION, {"address": "sip:home@example.org"})
    assert made.status_code == 201, made.text
    session = made.json()["session"]
    assert (session["state"], session["address"], session["name"]) == (
        "not_ready",
        "sip:home@example.org",
        "ann",
    )
    assert api.post(SESSION, {}).status_code == 409
    give(api, "ready")
    desk.act(lambda: None)
    session = state(api)
    assert (session["state"], session["nail_up"], session["attachment"]) == ("ready", "up", "attached")
    assert session["job"] == {
        "task_id": 1,
        "job_id": 1,
        "campaign": "campaign 1",
        "action": "call",
        "mode": "predictive",
        "licence": "predictive_agents",
    }
    talk(desk, api)
    contact = state(api)["contact"]
    assert isinstance(contact, dict)
    assert contact["card"]["attributes"] == {"first_name": "Ada"}
    assert contact["customer_up"] is True
    # The contact is in hand: logging out waits for it.
    assert api.delete(SESSION).json() == {"over": False}
    desk.act(lambda: desk.desk.end("call-a"))
    give(api, "wrap_up", code="sale", note="Two of them.")
    assert api.get(SESSION).status_code == 404
    completed = [each for each in desk.desk.carried_out if isinstance(each, actions.Complete)]
    assert [(each.code, each.note) for each in completed] == [("sale", "Two of them.")]
    assert api.post(SESSION, {}).status_code == 201
    assert api.delete(SESSION, params={"reason": "home", "force": True}).json() == {"over": True}


def test_a_command_is_done_once_and_its_answer_repeated(desk: DeskSite) -> None:
    api = at_work(desk)
    talk(desk, api)
    first = give(api, "hold", key="k-1")
    assert first == {"id": "k-1", "command": "hold", "ok": True}
    give(api, "unhold", key="k-2")
    # Were it done again, the contact would be on hold.
    assert give(api, "hold", key="k-1") == first
    assert state(api)["state"] == "talking"
    refused = give(api, "accept_preview", 409, key="k-3")
    assert refused["code"] == "illegal_transition"
    assert give(api, "accept_preview", 409, key="k-3") == refused
    assert "k-1" in str(give(api, "unhold", 409, key="k-1")["detail"])
    assert sum(isinstance(each, Hold) for _, each in desk.desk.commands) == 1
    assert give(api, "end_call", id="in-the-body")["id"] == "in-the-body"
    assert give(api, "end_call", 422, key="other", id="in-the-body")["code"] == "invalid_input"


def test_what_changed_the_world_is_not_done_again_after_a_restart(desk: DeskSite) -> None:
    api = at_work(desk)
    talk(desk, api)
    desk.act(lambda: desk.desk.end("call-a"))
    give(api, "wrap_up", key="w-1", code="sale")
    talk(desk, api, "call-b")
    desk.act(lambda: desk.desk.end("call-b"))
    # A new process knows no answers, only what is written down.
    floor = desk.site.edge.part(AgentDesk)
    floor.answers.forget_all_but(())
    give(api, "wrap_up", key="w-1", code="sale")
    assert state(api)["state"] == "wrap_up"
    assert "w-1" in str(give(api, "redial", 409, key="w-1")["detail"])
    give(api, "wrap_up", key="w-2", code="call_back")
    assert [each.code for _, each in desk.desk.commands if isinstance(each, WrapUp)] == ["sale", "call_back"]
    give(api, "log_out", force=True)
    desk.act(lambda: None)
    rows = desk.site.database.read_now(lambda tx: tx.execute(select(schema.agent_commands)).all())
    assert rows == []


def test_a_desktop_that_lost_its_connection_and_asks_is_there(desk: DeskSite) -> None:
    api = at_work(desk)
    desktops = desk.site.edge.part(AgentDesk).desktops
    session = next(iter(desk.desk.floor.sessions())).id

    def connection_is_lost() -> None:
        desktops.opened(session, desk.desk.connected)
        desktops.closed(session, desk.desk.connected, 0.0)
        # Its time is over at once.
        desktops._alarms[session].cancel()
        desktops._ring(session, desk.desk.connected)

    desk.act(connection_is_lost)
    (left,) = desk.desk.floor.sessions()
    assert (left.state.value, left.reason, left.connected) == ("not_ready", "desktop lost", False)
    assert (state(api)["state"], state(api)["connected"]) == ("ready", True)
    talk(desk, api)


def test_a_completion_code_that_nobody_knows_is_refused_and_those_there_are_named(desk: DeskSite) -> None:
    api = at_work(desk)
    talk(desk, api)
    give(api, "end_call")
    refused = give(api, "wrap_up", 422, code="gone")
    assert "'gone' is not known; the codes are sale, not_interested, call_back" in str(refused["detail"])
    assert state(api)["state"] == "wrap_up"
    give(api, "wrap_up", code="not_interested")
    assert state(api)["state"] == "ready"


def test_a_failure_of_the_moment_is_no_answer(desk: DeskSite) -> None:
    api = at_work(desk)
    talk(desk, api)
    desk.desk.available = False
    desk.desk.address = "http://other.example.org"
    away = api.post(f"{COMMANDS}/hold", {}, headers={"Idempotency-Key": "k"})
    assert (away.status_code, away.headers["retry-after"]) == (503, "2")
    assert away.json()["address"] == "http://other.example.org"
    assert away.json()["code"] == "floor_elsewhere"
    desk.desk.available = True
    give(api, "hold", key="k")
    assert state(api)["state"] == "hold"


@pytest.mark.parametrize(
    ("name", "fields", "where"),
    [
        ("dial", {}, "address"),
        ("send_digits", {"digits": "1" * 65}, "digits"),
        ("wrap_up", {"code": "x", "callback": {"at": "2026-03-03T09:00:00"}}, "at"),
        ("wrap_up", {"code": "x", "callback": {"at": "2026-03-03T09:00:00Z", "kind": "mine"}}, "kind"),
        ("hold", {"hard": True}, "hard"),
        ("ready", {"id": "not an id"}, "id"),
    ],
)
def test_a_command_that_cannot_be_read_names_the_field(
    desk: DeskSite, name: str, fields: dict[str, Any], where: str
) -> None:
    api = at_work(desk)
    answer = give(api, name, 422, **fields)
    assert where in str(answer["detail"])


def test_a_card_is_accepted_and_dialed(desk: DeskSite) -> None:
    desk.desk.of = task(1, desk.desk.of.settings.mode.PREVIEW)
    desk.desk.know(desk.desk.of)
    api = at_work(desk)
    number = state(api)["session_id"]
    assert isinstance(number, int)
    desk.act(lambda: desk.desk.card(number, "card-a"))
    assert state(api)["state"] == "preview"
    give(api, "accept_preview")
    desk.act(lambda: None)
    assert state(api)["state"] == "talking"
    give(api, "consult", address="sip:boss@example.org")
    desk.act(lambda: None)
    give(api, "conference")
    contact = state(api)["contact"]
    assert isinstance(contact, dict)
    assert contact["consult"] == {"address": "sip:boss@example.org", "joined": True, "conference": True}


def test_another_agent_is_consulted_by_name(desk: DeskSite) -> None:
    api = at_work(desk)
    talk(desk, api)
    assert give(api, "consult", 404, agent="bob")["code"] == "not_found"
    at_work(desk, "bob")
    give(api, "consult", agent="bob")
    contact = state(api)["contact"]
    assert isinstance(contact, dict)
    assert contact["consult"]["address"] == "sip:bob@pbx.example.org"


def test_tokens_take_a_licence_and_browsers_do_not(sqlite_database: Database, tmp_path: Path) -> None:
    with desk_site(sqlite_database, tmp_path, clock=VirtualClock(START), sessions=1) as desk:
        _tokens_and_browsers(desk)


def _tokens_and_browsers(desk: DeskSite) -> None:
    ann, bob = desk.api("ann"), desk.api("bob")
    assert ann.post(SESSION, {}).status_code == 201
    refused = bob.post(SESSION, {})
    assert (refused.status_code, refused.json()["code"]) == (409, "licence_shortage")
    assert "1 of 1" in refused.json()["detail"]
    assert desk.site.as_user("bob").post(SESSION, {}).status_code == 201
    ann.delete(SESSION)
    desk.act(lambda: None)
    carol = desk.api("carol")
    assert carol.post(SESSION, {}).status_code == 201


def test_supervisors_give_commands_to_agents_of_their_organization(desk: DeskSite) -> None:
    api = at_work(desk)
    agent_id = state(api)["agent_id"]
    desk.desk.know(task(2))
    sue = desk.api("sue", Role.SUPERVISOR)
    path = f"/api/agents/{agent_id}/commands"
    talk(desk, api)
    assert sue.post(f"{path}/move", {"task_id": 2}).status_code == 200
    waiting = state(api)
    assert (waiting["attachment"], waiting["next_task_id"]) == ("moving", 2)
    assert waiting["pending_why"] == "moves after the contact in hand and its wrap-up"
    desk.act(lambda: desk.desk.end("call-a"))
    give(api, "wrap_up", code="sale")
    desk.act(lambda: None)
    job = state(api)["job"]
    assert isinstance(job, dict)
    assert job["task_id"] == 2
    give(api, "ready", key="1")
    # Everybody's ids are their own: this is not what the agent did under the same one.
    answer = sue.post(f"{path}/not_ready", {"reason": "training"}, headers={"Idempotency-Key": "1"})
    assert answer.json() == {"id": "1", "command": "not_ready", "ok": True}
    assert (state(api)["state"], state(api)["reason"]) == ("not_ready", "training")
    other = desk.site.user("spy", Role.SUPERVISOR, desk.site.organization("rival"))
    spy = desk.site.api().bear(desk.site.token(other))
    assert spy.post(f"{path}/log_out", {}).status_code == 404
    assert api.post(f"{path}/log_out", {}).status_code == 403
    assert api.post(f"{COMMANDS}/detach", {}).status_code == 404
    assert sue.post(f"{path}/log_out", {"force": True}).status_code == 200
    assert api.get(SESSION).status_code == 404


def test_whoever_is_no_agent_or_switched_off_is_refused(desk: DeskSite) -> None:
    root = desk.site.user("root")
    stranger = desk.site.api().bear(desk.site.token(root))
    answer = stranger.post(SESSION, {})
    assert answer.status_code == 403
    assert "bound to no agent" in answer.json()["detail"]
    api = desk.api("ann")
    agents = schema.agents
    desk.site.database.write_now(lambda tx: tx.execute(update(agents).values(enabled=False)).close())
    assert api.post(SESSION, {}).status_code == 403


def contact_of(desk: DeskSite, organization_id: int, name: str) -> int:
    """Insert a contact of an organization."""

    def make(tx: Tx) -> int:
        L, C = schema.contact_lists, schema.contacts  # noqa: N806 - tables
        values = {
            "organization_id": organization_id,
            "zone_id": 1,
            "name": name,
            "default_country": "GB",
            "created_at": START,
        }
        list_id = tx.execute(insert(L).values(**values).returning(L.c.id)).scalar_one()
        person = {
            "list_id": list_id,
            "duplicate_key": "1",
            "phone": "+442079460001",
            "attributes": {"first_name": "Ada", "city": "Leeds"},
        }
        return int(tx.execute(insert(C).values(**person).returning(C.c.id)).scalar_one())

    return desk.site.database.write_now(make)


def test_only_the_contact_in_hand_is_shown_and_changed(desk: DeskSite) -> None:
    api = at_work(desk)
    mine = contact_of(desk, desk.organization_id, "ours")
    foreign = contact_of(desk, desk.site.organization("rival"), "theirs")
    address = f"/api/agent/contacts/{mine}"
    assert api.get(address).status_code == 404
    talk(desk, api, contact_id=mine)
    assert api.get(address).json()["attributes"] == {"first_name": "Ada", "city": "Leeds"}
    changed = api.put(f"{address}/attributes", {"attributes": {"city": "", "plan": "gold"}})
    assert changed.json()["attributes"] == {"first_name": "Ada", "plan": "gold"}
    assert api.get(address).json()["attributes"] == {"first_name": "Ada", "plan": "gold"}
    assert api.get(f"/api/agent/contacts/{foreign}").status_code == 404
    assert api.put(f"{address}/attributes", {"attributes": {"x": "y" * 4001}}).status_code == 422
    desk.act(lambda: desk.desk.end("call-a"))
    give(api, "wrap_up", code="sale")
    assert api.put(f"{address}/attributes", {"attributes": {"plan": ""}}).status_code == 404
    # Even a card that names a foreign contact opens nothing.
    talk(desk, api, "call-b", contact_id=foreign)
    assert api.get(f"/api/agent/contacts/{foreign}").status_code == 404


def test_refusals_are_checked_and_added(desk: DeskSite) -> None:
    api = desk.api("ann")
    body = {"address": "020 7946 0001", "country": "GB"}
    assert api.post("/api/agent/do-not-contact/check", body).json() == {
        "address": "+442079460001",
        "blocked": False,
    }
    assert api.post("/api/agent/do-not-contact", body).status_code == 200
    found = api.post("/api/agent/do-not-contact/check", {"address": "+44 20 7946 0001"}).json()
    assert found["blocked"] is True
    bad = api.post("/api/agent/do-not-contact", {"address": "020 7946 0001"})
    assert bad.status_code == 422
    assert "country" in bad.json()["detail"]


def test_codes_callbacks_and_preferences_are_the_agents_own(desk: DeskSite) -> None:
    api = desk.api("ann")
    own = api.get("/api/agent/account").json()
    codes = [("sale", "Sale", "done", "s", 1), ("later", "Call later", "callback", "l", 0)]

    def fill(tx: Tx) -> None:
        tx.execute(delete(schema.completion_codes))
        for name, label, effect, shortcut, position in codes:
            tx.execute(
                insert(schema.completion_codes).values(
                    organization_id=desk.organization_id,
                    name=name,
                    label=label,
                    effect=effect,
                    shortcut=shortcut,
                    position=position,
                )
            )

    desk.site.database.write_now(fill)
    found = api.get("/api/agent/completion-codes").json()
    assert [(each["name"], each["shortcut"]) for each in found] == [("later", "l"), ("sale", "s")]
    assert api.get("/api/agent/callbacks").json() == []
    assert own["preferred_campaigns"] == []
    bad = api.put("/api/agent/preferred-campaigns", {"campaigns": [99]})
    assert bad.status_code == 422
    assert api.put("/api/agent/preferred-campaigns", {"campaigns": []}).status_code == 200


def test_todays_figures_are_counted_from_the_agents_attempts(desk: DeskSite) -> None:
    api = desk.api("ann")
    assert api.get("/api/agent/figures").json() == {
        "since": "2026-03-02T00:00:00Z",
        "calls": 0,
        "attempts": 0,
        "talk_seconds": 0.0,
        "wrap_up_seconds": 0.0,
        "codes": {},
    }
    assert api.get("/api/agent/figures", params={"since": "2026-03-01"}).status_code == 422
