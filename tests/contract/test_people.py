"""Users, sessions and tokens over both databases, through the API: isolation, CSRF, throttling, expiry."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from outrider.db import log, schema
from outrider.db.database import Database
from outrider.people import service
from outrider.people.model import Role
from outrider.people.passwords import hash_password, new_password
from outrider.web.access import CSRF_HEADER
from support.web import PASSWORD, START, Site, open_site

HOUR = 3600.0
NEW_PASSWORD = "a new and better sentence"


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    with open_site(database, tmp_path) as opened:
        yield opened


def test_the_first_administrator_must_change_the_one_time_password(site: Site) -> None:
    password = new_password()
    name = site.database.write_now(service.ensure_administrator, START, hash_password(password))
    assert name == "admin"
    api = site.api().sign_in(name, password)
    refused = api.get("/api/users")
    assert (refused.status_code, refused.json()["reason"]) == (403, "change_password")
    assert api.get("/api/session").json()["must_change_password"] is True
    body = {"current": password, "new": NEW_PASSWORD}
    assert api.post("/api/session/password", body).status_code == 204
    assert [user["name"] for user in api.get("/api/users").json()] == [name]
    assert site.api().post("/api/session", {"name": name, "password": password}).status_code == 401
    assert site.api().sign_in(name.upper(), NEW_PASSWORD).get("/api/session").status_code == 200


def test_secrets_are_stored_as_digests_only(site: Site) -> None:
    user = site.user("root")
    token = site.token(user)
    api = site.as_user("root")
    cookie = api.http.cookies["outrider_session"]

    def everything() -> str:
        tables = (schema.users, schema.sessions, schema.api_tokens, schema.events)
        return site.database.read_now(
            lambda tx: " ".join(str(row) for table in tables for row in tx.execute(select(table)))
        )

    stored = everything()
    assert token.startswith("or_")
    assert token not in stored
    assert cookie not in stored
    assert PASSWORD not in stored
    assert "$argon2id$" in stored


def test_a_cookie_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    site.user("root")
    response = site.api().post("/api/session", {"name": "root", "password": PASSWORD})
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert (
        "secure"
        in site.api()
        .request("POST", "https://outrider.test/api/session", json={"name": "root", "password": PASSWORD})
        .headers["set-cookie"]
        .lower()
    )


def test_wrong_name_and_wrong_password_look_the_same(site: Site) -> None:
    site.user("root")
    site.user("gone")
    root = site.as_user("root")
    gone = next(user for user in root.get("/api/users").json() if user["name"] == "gone")
    assert root.patch(f"/api/users/{gone['id']}", {"disabled": True}).json()["disabled"] is True
    answers = [
        site.api().post("/api/session", {"name": name, "password": password})
        for name, password in (("root", "wrong"), ("nobody", "wrong"), ("gone", PASSWORD), (" ", "wrong"))
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


def test_a_session_slides_for_12_hours_and_ends_after_7_days(site: Site) -> None:
    site.user("root")
    idle, busy = site.as_user("root"), site.as_user("root")
    for _ in range(15):
        site.advance(11 * HOUR)
        assert busy.get("/api/session").status_code == 200
    assert idle.get("/api/session").status_code == 401
    site.advance(4 * HOUR)
    assert busy.get("/api/session").status_code == 401


def test_ended_sessions_are_deleted_when_somebody_signs_in(site: Site) -> None:
    site.user("root")
    site.as_user("root")
    site.advance(13 * HOUR)
    site.as_user("root")
    rows = site.database.read_now(lambda tx: len(tx.execute(select(schema.sessions)).all()))
    assert rows == 1


def test_signing_out_ends_the_session(site: Site) -> None:
    site.user("root")
    api = site.as_user("root")
    secret = api.http.cookies["outrider_session"]
    assert api.delete("/api/session").status_code == 204
    stolen = site.api().get("/api/session", headers={"cookie": f"outrider_session={secret}"})
    assert stolen.status_code == 401


def test_unsafe_requests_need_the_csrf_token_of_their_own_session(site: Site) -> None:
    site.user("root")
    api, other = site.as_user("root"), site.as_user("root")
    body = {"name": "vera", "role": "viewer"}
    good = api.http.headers.pop(CSRF_HEADER)
    for headers in (
        {},
        {CSRF_HEADER: ""},
        {CSRF_HEADER: other.http.headers[CSRF_HEADER]},
        {CSRF_HEADER: "é"},
    ):
        sent = {key: value.encode() for key, value in headers.items()}
        response = api.post("/api/users", body, headers=sent)
        assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
    assert api.post("/sign-out", data={"csrf_token": "wrong"}).status_code == 403
    assert api.post("/api/users", body, headers={CSRF_HEADER: good}).status_code == 201
    assert api.post("/sign-out", data={"csrf_token": good}).status_code == 303


def test_a_sign_in_from_another_site_is_refused(site: Site) -> None:
    site.user("root")
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}):
        body = {"name": "root", "password": PASSWORD}
        assert site.api().post("/api/session", body, headers=headers).status_code == 403
    own = {"origin": "http://outrider.test"}
    assert site.api().post("/api/session", body, headers=own).status_code == 200


def test_guessing_is_slowed_down_per_user_and_address(site: Site) -> None:
    site.user("root")
    bad, good = {"name": "root", "password": "wrong"}, {"name": "root", "password": PASSWORD}
    attacker = site.api("198.51.100.7")
    assert [attacker.post("/api/session", bad).status_code for _ in range(6)] == [401] * 5 + [429]
    refused = attacker.post("/api/session", good)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "15"
    assert refused.json()["retry_after"] == 15
    assert site.api("203.0.113.9").post("/api/session", good).status_code == 200
    site.advance(15)
    assert attacker.post("/api/session", bad).status_code == 401
    assert attacker.post("/api/session", good).headers["retry-after"] == "30"
    site.advance(30)
    assert attacker.post("/api/session", good).status_code == 200
    assert attacker.post("/api/session", bad).status_code == 401


def test_failed_sign_ins_are_recorded_without_unknown_names(site: Site) -> None:
    site.user("root")
    site.api().post("/api/session", {"name": "root", "password": "wrong"})
    site.api().post("/api/session", {"name": "my secret password", "password": "wrong"})
    rows = site.database.read_now(log.since, 0, None)
    attempts = [(row["actor"], row["data"]["succeeded"]) for row in rows if row["kind"] == "sign_in"]
    assert attempts == [("root", False), ("", False)]


def test_a_token_has_its_users_rights_until_it_expires_or_is_revoked(site: Site) -> None:
    site.user("vera", Role.VIEWER)
    vera = site.as_user("vera")
    end = START + dt.timedelta(hours=1)
    made = vera.post("/api/tokens", {"name": "script", "expires_at": end.isoformat()})
    assert made.status_code == 201
    script = site.api().bear(made.json()["secret"])
    assert script.get("/api/session").json()["role"] == "viewer"
    assert script.get("/api/users").status_code == 403
    assert script.post("/api/tokens", {"name": "more"}).status_code == 403
    assert vera.post("/api/tokens", {"name": "script"}).status_code == 409
    assert vera.get("/api/tokens").json()[0]["last_used_at"] is not None
    site.advance(HOUR)
    assert script.get("/api/session").status_code == 401
    second = vera.post("/api/tokens", {"name": "second"}).json()
    script = site.api().bear(second["secret"])
    assert script.get("/api/session").status_code == 200
    assert script.delete(f"/api/tokens/{second['token']['id']}").status_code == 204
    assert script.get("/api/session").status_code == 401


@pytest.mark.parametrize("end", ["2026-03-02T08:59:59Z", "9999-12-31T23:59:59-23:59", "2026-03-02T10:00:00"])
def test_a_token_must_end_in_the_next_years(site: Site, end: str) -> None:
    site.user("root")
    response = site.as_user("root").post("/api/tokens", {"name": "script", "expires_at": end})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")


def test_disabling_a_user_ends_sessions_and_tokens(site: Site) -> None:
    site.user("root")
    vera = site.user("vera", Role.VIEWER)
    session, script = site.as_user("vera"), site.api().bear(site.token(vera))
    root = site.as_user("root")
    root.patch(f"/api/users/{vera.id}", {"disabled": True})
    assert session.get("/api/session").status_code == 401
    assert script.get("/api/session").status_code == 401
    root.patch(f"/api/users/{vera.id}", {"disabled": False})
    assert session.get("/api/session").status_code == 401
    assert script.get("/api/session").status_code == 200


def test_a_role_changes_at_once_and_a_reset_ends_sessions(site: Site) -> None:
    site.user("root")
    vera = site.user("vera", Role.ADMINISTRATOR)
    session, root = site.as_user("vera"), site.as_user("root")
    assert session.get("/api/users").status_code == 200
    root.patch(f"/api/users/{vera.id}", {"role": "viewer"})
    assert session.get("/api/users").status_code == 403
    one_time = root.post(f"/api/users/{vera.id}/password", {}).json()["one_time_password"]
    assert session.get("/api/session").status_code == 401
    assert site.api().sign_in("vera", one_time).get("/api/session").json()["must_change_password"]


def test_nobody_locks_everybody_out(site: Site) -> None:
    root = site.user("root")
    api = site.as_user("root")
    for change in ({"disabled": True}, {"role": "viewer"}):
        assert api.patch(f"/api/users/{root.id}", change).status_code == 409
    ada = site.user("ada")
    assert site.as_user("ada").patch(f"/api/users/{root.id}", {"role": "viewer"}).status_code == 200
    site.user("omar", Role.ADMINISTRATOR, site.organization("alpha"))
    assert site.as_user("omar").patch(f"/api/users/{ada.id}", {"role": "viewer"}).status_code == 404


def test_organizations_do_not_see_or_change_each_others_people(site: Site) -> None:
    alpha, beta = site.organization("alpha"), site.organization("beta")
    root = site.user("root")
    ada = site.user("ada", Role.ADMINISTRATOR, alpha)
    bob = site.user("bob", Role.ADMINISTRATOR, beta)
    site.token(bob, "of beta")
    site.token(ada, "of alpha")
    api = site.as_user("ada")
    assert [user["name"] for user in api.get("/api/users").json()] == ["ada"]
    assert [token["name"] for token in api.get("/api/tokens").json()] == ["of alpha"]
    everyone = site.as_user("root")
    assert len(everyone.get("/api/users").json()) == 3
    tokens = {token["name"]: token["id"] for token in everyone.get("/api/tokens").json()}
    for foreign in (bob.id, root.id):
        assert api.get(f"/api/users/{foreign}").status_code == 404
        assert api.patch(f"/api/users/{foreign}", {"disabled": True}).status_code == 404
        assert api.post(f"/api/users/{foreign}/password", {}).status_code == 404
        assert api.get(f"/users/{foreign}").status_code == 404
    assert api.delete(f"/api/tokens/{tokens['of beta']}").status_code == 404
    for organization in (beta, None):
        body = {"name": "eve", "role": "administrator", "organization_id": organization}
        assert api.post("/api/users", body).status_code == 403
    made = api.post("/api/users", {"name": "eve", "role": "viewer"})
    assert made.json()["user"]["organization_id"] == alpha
    unknown = {"name": "eva", "role": "viewer", "organization_id": 999}
    assert everyone.post("/api/users", unknown).status_code == 422


def test_a_viewer_sees_only_its_own_tokens(site: Site) -> None:
    site.token(site.user("root"), "of root")
    site.token(site.user("vera", Role.VIEWER), "of vera")
    vera = site.as_user("vera")
    assert [token["name"] for token in vera.get("/api/tokens").json()] == ["of vera"]
    other = site.as_user("root").get("/api/tokens").json()
    foreign = next(token["id"] for token in other if token["name"] == "of root")
    assert vera.delete(f"/api/tokens/{foreign}").status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "a b", "role": "viewer"}, "user name"),
        ({"name": "-x", "role": "viewer"}, "user name"),
        ({"name": "x", "role": "king"}, "role"),
        ({"name": "x", "role": "viewer", "admin": True}, "extra"),
        ({"name": "x", "role": "viewer", "password": "short"}, "12"),
        ({"name": "x", "role": "viewer", "password": "x" * 300}, "200"),
        ({"name": "administrator", "role": "viewer", "password": "Administrator"}, "guess"),
        ({"name": "x", "role": "viewer", "organization_id": 2**80}, "organization_id"),
    ],
)
def test_a_bad_new_user_changes_nothing(site: Site, body: dict[str, object], words: str) -> None:
    site.user("root")
    api = site.as_user("root")
    response = api.post("/api/users", body)
    assert response.status_code == 422
    assert words in response.json()["detail"]
    assert len(api.get("/api/users").json()) == 1


def test_a_name_is_taken_whatever_its_case(site: Site) -> None:
    site.user("root")
    response = site.as_user("root").post("/api/users", {"name": " ROOT ", "role": "viewer"})
    assert (response.status_code, response.json()["code"]) == (409, "conflict")


def test_changing_a_password_needs_the_present_one_and_ends_other_sessions(site: Site) -> None:
    site.user("root")
    here, there = site.as_user("root"), site.as_user("root")
    wrong = here.post("/api/session/password", {"current": "wrong", "new": NEW_PASSWORD})
    assert (wrong.status_code, wrong.json()["where"]) == (422, "current")
    same = here.post("/api/session/password", {"current": PASSWORD, "new": PASSWORD})
    assert same.status_code == 422
    done = here.post("/api/session/password", {"current": PASSWORD, "new": NEW_PASSWORD})
    assert done.status_code == 204
    assert here.get("/api/session").status_code == 200
    assert there.get("/api/session").status_code == 401


def test_a_changed_user_is_in_the_log_with_its_author(site: Site) -> None:
    alpha = site.organization("alpha")
    site.user("root")
    site.as_user("root").post("/api/users", {"name": "vera", "role": "viewer", "organization_id": alpha})
    last = site.database.read_now(log.since, 0, None)[-1]
    assert (last["kind"], last["actor"], last["organization_id"]) == ("record_changed", "root", alpha)
    assert last["data"] == {"record": "user", "record_id": 2, "change": "created", "name": "vera"}


def test_only_the_first_start_makes_an_administrator(site: Site) -> None:
    assert not site.database.read_now(service.has_users)
    assert site.database.write_now(service.ensure_administrator, START, "hash") == "admin"
    assert site.database.read_now(service.has_users)
    assert site.database.write_now(service.ensure_administrator, START, "hash") is None
