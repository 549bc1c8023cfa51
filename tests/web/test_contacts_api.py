"""REST of contact lists, imports and do-not-contact lists, and the walls between organizations."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.contacts.api import router
from outrider.db.database import Database
from outrider.people.model import Role
from support.contact_files import Contacts
from support.web import Api, Site, open_site

GOOD = "Telefon;Name\n0171 2345678;Jürgen\n0171 2345679;Käthe\n".encode("cp1252")


@pytest.fixture
def system(sqlite_database: Database, tmp_path: Path) -> Contacts:
    return Contacts(sqlite_database, tmp_path)


@pytest.fixture
def site(system: Contacts) -> Iterator[Site]:
    with open_site(system.database, system.folder, [router]) as opened:
        opened.user("root")
        opened.user("sue", Role.SUPERVISOR, system.organization_id)
        opened.user("vic", Role.VIEWER, system.organization_id)
        opened.user("mallory", Role.ADMINISTRATOR, system.organization("rival"))
        yield opened


@pytest.fixture
def sue(site: Site) -> Api:
    return site.as_user("sue")


def make_list(api: Api, name: str = "Kunden", **more: object) -> int:
    response = api.post("/api/contact-lists", {"name": name, "default_country": "de", **more})
    assert response.status_code == 201, response.text
    return int(response.json()["id"])


def upload(api: Api, path: str, content: bytes, **query: object) -> dict[str, object]:
    response = api.post(path, content=content, params=query, headers={"content-type": "text/csv"})
    assert response.status_code == 202, response.text
    return dict(response.json())


def test_lists_are_made_renamed_and_deleted(sue: Api, system: Contacts) -> None:
    number = make_list(sue)
    assert sue.get(f"/api/contact-lists/{number}").json()["default_country"] == "DE"
    assert sue.patch(f"/api/contact-lists/{number}", {"name": "Neu"}).json()["name"] == "Neu"
    assert [entry["name"] for entry in sue.get("/api/contact-lists").json()] == ["Neu"]
    assert sue.post("/api/contact-lists", {"name": "Neu", "default_country": "DE"}).status_code == 409
    assert sue.post("/api/contact-lists", {"name": "X", "default_country": "ZZ"}).status_code == 422
    body = {"name": "X", "default_country": "DE", "organization_id": system.organization_id + 1}
    assert sue.post("/api/contact-lists", body).status_code == 403
    assert sue.delete(f"/api/contact-lists/{number}").status_code == 204
    assert sue.get(f"/api/contact-lists/{number}").status_code == 404


def test_a_caller_of_the_system_says_whose_list_it_is(site: Site, system: Contacts) -> None:
    root = site.as_user("root")
    assert root.post("/api/contact-lists", {"name": "X", "default_country": "DE"}).status_code == 422
    body = {"name": "X", "default_country": "DE", "organization_id": 999}
    assert root.post("/api/contact-lists", body).status_code == 422
    make_list(root, organization_id=system.organization_id)


def test_an_upload_is_imported_and_its_progress_and_rejects_are_shown(sue: Api, system: Contacts) -> None:
    number = make_list(sue)
    content = GOOD + b"123;bad\n"
    queued = upload(
        sue,
        f"/api/contact-lists/{number}/imports",
        content,
        keep_good=True,
        file_name="a/kunden.csv",
        map="Name=attribute:who",
    )
    assert (queued["state"], queued["progress"], queued["file_name"]) == ("queued", 0.0, "kunden.csv")
    assert sue.get(f"/api/imports/{queued['id']}/rejects").status_code == 404
    runner = system.runner()
    import_id = runner.claim_next()
    assert import_id is not None
    assert import_id == queued["id"]
    runner.run_one(import_id)
    done = sue.get(f"/api/imports/{import_id}").json()
    assert (done["state"], done["progress"], done["rows_added"], done["rows_rejected"]) == ("done", 1.0, 2, 1)
    assert done["found"]["encoding"] == "cp1252"
    rejects = sue.get(f"/api/imports/{import_id}/rejects")
    assert rejects.headers["content-disposition"] == 'attachment; filename="kunden-rejects.csv"'
    rows = list(csv.reader(io.StringIO(rejects.content.decode("utf-8-sig"))))
    assert rows[0] == ["line", "reason", "Telefon", "Name"]
    assert rows[1][0] == "4"
    page = sue.get(f"/api/contact-lists/{number}/contacts", params={"limit": 1}).json()
    assert page["contacts"][0]["attributes"] == {"who": "Jürgen"}
    rest = sue.get(f"/api/contact-lists/{number}/contacts", params={"after": page["next_after"]}).json()
    assert [contact["phone"] for contact in rest["contacts"]] == ["+491712345679"]
    assert rest["next_after"] is None
    one = sue.get(f"/api/contact-lists/{number}/contacts/{page['contacts'][0]['id']}")
    assert one.json() == page["contacts"][0]
    assert sue.post(f"/api/imports/{import_id}/cancel").status_code == 409


def test_a_waiting_import_is_cancelled(sue: Api) -> None:
    number = make_list(sue)
    queued = upload(sue, f"/api/contact-lists/{number}/imports", GOOD)
    assert sue.post(f"/api/imports/{queued['id']}/cancel").json()["state"] == "cancelled"
    assert [entry["id"] for entry in sue.get("/api/imports").json()] == [queued["id"]]
    assert len(sue.get(f"/api/contact-lists/{number}/imports").json()) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"delimiter": "::"},
        {"encoding": "klingon"},
        {"country": "ZZ"},
        {"map": "phone"},
        {"duplicates": "merge"},
        {"keep_good": "perhaps"},
    ],
)
def test_bad_options_are_refused_before_anything_is_saved(
    sue: Api, system: Contacts, query: dict[str, str]
) -> None:
    number = make_list(sue)
    response = sue.post(f"/api/contact-lists/{number}/imports", content=GOOD, params=query)
    assert response.status_code == 422, response.text
    assert sue.get("/api/imports").json() == []
    assert not list(system.folder.glob("imports/*"))


def test_do_not_contact_lists(sue: Api, site: Site) -> None:
    created = sue.post("/api/do-not-contact-lists", {"name": "stop"})
    assert created.status_code == 201
    path = f"/api/do-not-contact-lists/{created.json()['id']}"
    body = {"addresses": ["0171 2345678", "A@Example.com", "nonsense"], "country": "DE", "source": "letter"}
    added = sue.post(f"{path}/entries", body).json()
    assert (added["added"], added["present"], added["rejected"]) == (2, 0, 1)
    assert "nonsense" in added["reasons"][0]
    more = sue.post(
        f"{path}/imports", content=b"0171 2345678\n030 1234567\nx@y.example\n", params={"country": "DE"}
    ).json()
    assert (more["added"], more["present"], more["rejected"]) == (2, 1, 0)
    page = sue.get(f"{path}/entries", params={"limit": 3}).json()
    assert [entry["address"] for entry in page["entries"]] == [
        "+491712345678",
        "+49301234567",
        "a@example.com",
    ]
    rest = sue.get(f"{path}/entries", params={"after": page["next_after"]}).json()
    assert [entry["address"] for entry in rest["entries"]] == ["x@y.example"]
    removed = sue.post(f"{path}/entries/remove", {"addresses": ["a@EXAMPLE.com"], "country": "DE"})
    assert removed.json() == {"removed": 1}
    assert sue.get(path).json()["entries"] == 3
    common = site.as_user("root").post("/api/do-not-contact-lists", {"name": "law", "common": True}).json()
    assert {entry["name"] for entry in sue.get("/api/do-not-contact-lists").json()} == {"stop", "law"}
    law = f"/api/do-not-contact-lists/{common['id']}"
    assert sue.post(f"{law}/entries", body).status_code == 403
    assert sue.delete(law).status_code == 403
    assert sue.post("/api/do-not-contact-lists", {"name": "mine", "common": True}).status_code == 403
    assert sue.delete(path).status_code == 204
    assert sue.get(path).status_code == 404


def test_organizations_do_not_see_each_other(sue: Api, site: Site, system: Contacts) -> None:
    number = make_list(sue)
    queued = upload(sue, f"/api/contact-lists/{number}/imports", GOOD + b"1;x\n", keep_good=True)
    runner = system.runner()
    runner.claim_next()
    runner.run_one(int(str(queued["id"])))
    contact = sue.get(f"/api/contact-lists/{number}/contacts").json()["contacts"][0]["id"]
    stop = sue.post("/api/do-not-contact-lists", {"name": "stop"}).json()["id"]
    mallory = site.as_user("mallory")
    before = system.snapshot()
    addresses = {"addresses": ["0171 2345678"], "country": "DE"}
    attempts: list[tuple[str, str, object]] = [
        ("GET", f"/api/contact-lists/{number}", None),
        ("PATCH", f"/api/contact-lists/{number}", {"name": "mine"}),
        ("DELETE", f"/api/contact-lists/{number}", None),
        ("GET", f"/api/contact-lists/{number}/contacts", None),
        ("GET", f"/api/contact-lists/{number}/contacts/{contact}", None),
        ("POST", f"/api/contact-lists/{number}/imports", None),
        ("GET", f"/api/contact-lists/{number}/imports", None),
        ("GET", f"/api/imports/{queued['id']}", None),
        ("GET", f"/api/imports/{queued['id']}/rejects", None),
        ("POST", f"/api/imports/{queued['id']}/cancel", None),
        ("GET", f"/api/do-not-contact-lists/{stop}", None),
        ("DELETE", f"/api/do-not-contact-lists/{stop}", None),
        ("GET", f"/api/do-not-contact-lists/{stop}/entries", None),
        ("POST", f"/api/do-not-contact-lists/{stop}/entries", addresses),
        ("POST", f"/api/do-not-contact-lists/{stop}/entries/remove", addresses),
        ("POST", f"/api/do-not-contact-lists/{stop}/imports?country=DE", None),
    ]
    for method, path, body in attempts:
        response = mallory.request(method, path, json=body)
        assert response.status_code == 404, (method, path, response.text)
    for path in ("/api/contact-lists", "/api/imports", "/api/do-not-contact-lists"):
        assert mallory.get(path).json() == []
    assert system.snapshot() == before
    assert sue.get(f"/api/do-not-contact-lists/{stop}").json()["entries"] == 0


def test_viewers_change_nothing(site: Site, sue: Api) -> None:
    number = make_list(sue)
    vic = site.as_user("vic")
    assert vic.get(f"/api/contact-lists/{number}").status_code == 200
    for method, path in [
        ("POST", "/api/contact-lists"),
        ("PATCH", f"/api/contact-lists/{number}"),
        ("DELETE", f"/api/contact-lists/{number}"),
        ("POST", f"/api/contact-lists/{number}/imports"),
        ("POST", "/api/do-not-contact-lists"),
    ]:
        response = vic.request(method, path, json={"name": "x", "default_country": "DE"})
        assert response.status_code in (403, 422), (method, path)
    assert len(vic.get("/api/contact-lists").json()) == 1
