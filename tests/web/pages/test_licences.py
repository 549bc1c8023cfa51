"""The licences page: loading files, the grid and its messages, zones and organizations."""

import datetime as dt
import re

import pytest

from outrider.licences.model import LicenceKind
from support.console import COUNTS, PUBLIC_KEY, licence_text
from support.furnished import Form, Furnished
from support.web import Site


def test_the_table_of_the_seed(furnished: Furnished) -> None:
    page = furnished.form("root").page("/licences")
    rows = re.findall(r'<th scope="row" class="nowrap">([^<]+)</th>', page)
    assert rows == [
        "Maximum outbound ports",
        "Manual agents",
        "Predictive agents",
        "Preview agents",
        "Agent Web API Service",
        "SMS channels",
        "EMAIL channels",
        "Telephony ports",
    ]
    for label in ("Version", "Last poll", "Last successful poll", "Last changed", "End of grace"):
        assert f"<dt>{label}</dt>" in page


def test_an_organization_sees_its_own_numbers_only(furnished: Furnished) -> None:
    page = furnished.form("ada").page("/licences")
    assert "Harbour" in page
    assert "Unused" not in page
    assert "Example Contact Centres" not in page
    assert "L-2026-001" not in page
    assert "data-inplace" not in page


def test_a_file_is_uploaded_or_pasted(site: Site) -> None:
    form, text = Form(site.as_user("root")), licence_text(site.clock.now())
    files = {"file": ("l.licence", text.encode()), "public_key_file": ("issuer.pem", PUBLIC_KEY.encode())}
    assert form.upload("/licences/files", files) == "/licences"
    page = form.page("/licences")
    assert "L-2026-001" in page
    assert "60 outbound ports are authorised now" in page
    assert form.send("/licences/files/remove", file_id="L-2026-001") == "/licences"
    assert form.send("/licences/files", text=text, public_key=PUBLIC_KEY) == "/licences"


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("", PUBLIC_KEY, "choose the file, or paste its text"),
        ("rubbish", PUBLIC_KEY, "not a licence file"),
        ("good", "", "public key: choose the file"),
        ("good", "rubbish", "key"),
        ("tampered", PUBLIC_KEY, "was changed after it was signed"),
        ("expired", PUBLIC_KEY, "expired"),
    ],
)
def test_a_bad_file_is_refused_in_words(site: Site, text: str, key: str, words: str) -> None:
    good = licence_text(site.clock.now())
    head, _, signature = good.strip().rpartition(".")
    given = {
        "good": good,
        "tampered": f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
        "expired": licence_text(site.clock.now() - dt.timedelta(days=3), days=1),
    }.get(text, text)
    form = Form(site.as_user("root"))
    page = form.send("/licences/files", 422, text=given, public_key=key)
    assert words in page.lower()
    assert "No licence is loaded" in page


def test_a_binary_file_is_refused(site: Site) -> None:
    files = {"file": ("l", b"\xff\x00\xfe"), "public_key_file": ("k", PUBLIC_KEY.encode())}
    assert "is binary" in Form(site.as_user("root")).upload("/licences/files", files, 422)


def number(zone: str, organization: str, count: str) -> dict[str, str]:
    return {"zone": zone, "organization": organization, "kind": "outbound_ports", "count": count}


def test_a_number_is_changed_in_place(furnished: Furnished) -> None:
    form = furnished.form("root")
    assert form.send("/licences/numbers", **number("default", "Harbour", "30")) == "/licences#division"
    assert furnished.task(furnished.important).quota + furnished.task(furnished.lesser).quota == 30
    fragment = form.api.request(
        "POST",
        "/licences/numbers",
        data={"csrf_token": form.token, **number("default", "Harbour", "20")},
        headers={"hx-request": "true"},
    )
    assert fragment.status_code == 200
    assert fragment.text.lstrip().startswith('<div id="division-grid"')
    assert 'value="20"' in fragment.text


def test_the_message_names_type_and_all_three_numbers(furnished: Furnished) -> None:
    form = furnished.form("root")
    form.send("/licences/numbers", **number("default", "", "55"))
    page = form.send("/licences/numbers", 422, **number("default", "Harbour", "45"))
    message = re.search(r'notice--bad" role="alert">.*?<div>(.*?)</div>', page, re.DOTALL)
    assert message is not None
    assert "outbound_ports" in message[1].lower()
    for figure in ("57", "55", "2"):
        assert re.search(rf"\b{figure}\b", message[1]), message[1]
    assert furnished.form("root").page("/licences").count('value="40"') == 1


def test_an_empty_number_is_taken_away(furnished: Furnished) -> None:
    furnished.form("root").send("/licences/numbers", **number("default", "Harbour", ""))
    assert furnished.task(furnished.important).quota == 0


def test_a_gate_is_closed_and_opened(furnished: Furnished) -> None:
    form = furnished.form("root")
    fields = {"zone": "default", "organization": "Harbour", "kind": "email", "count": "0"}
    form.send("/licences/numbers", **fields)
    assert 'value="0" selected' in form.page("/licences")
    form.send("/licences/numbers", **{**fields, "count": ""})
    assert 'value="0" selected' not in form.page("/licences")


def test_zones_and_organizations_come_and_go(furnished: Furnished) -> None:
    form = furnished.form("root")
    form.send("/licences/zones", name="North")
    form.send("/licences/numbers", **number("North", "", "5"))
    form.send("/licences/organizations", name="Fjord", zone=["North"])
    form.send("/licences/zones/members", zone="North", organization="Harbour")
    page = form.page("/licences")
    assert "Fjord" in page
    assert "its 5 outbound ports and other licences become unused" in page
    form.send("/licences/zones/delete", name="North")
    form.send("/licences/organizations/delete", name="Fjord")
    page = form.page("/licences")
    assert "Fjord" not in page.replace("The organization Fjord is deleted", "")
    assert "North" not in page


@pytest.mark.parametrize(
    ("path", "fields", "status", "words"),
    [
        ("/licences/zones", {"name": ""}, 422, "a name has 1 to 80 characters"),
        ("/licences/zones", {"name": "default"}, 422, "already"),
        ("/licences/organizations", {"name": "Harbour"}, 422, "already"),
        ("/licences/zones/delete", {"name": "default"}, 409, "default zone"),
        ("/licences/organizations/delete", {"name": "nobody"}, 409, "there is no organization"),
        ("/licences/zones/members", {"zone": "x", "organization": "Harbour"}, 422, "there is no zone"),
        ("/licences/numbers", {"zone": "x", "kind": "asr", "count": "1"}, 422, "there is no zone"),
        ("/licences/numbers", {"zone": "default", "kind": "tts", "count": "1.5"}, 422, "whole number"),
    ],
)
def test_mistakes_are_told_beside_the_grid(
    furnished: Furnished, path: str, fields: dict[str, str], status: int, words: str
) -> None:
    page = furnished.form("root").send(path, status, **fields)
    assert words.lower() in page.lower()
    assert "Zones and organizations" in page


def test_a_cut_shows_what_is_in_force(furnished: Furnished) -> None:
    furnished.console.load_licence({**COUNTS, LicenceKind.OUTBOUND_PORTS: 26})
    page = furnished.form("root").page("/licences")
    assert "20 in force" in page
    assert "6 in force" in page


def test_grace_is_told_on_every_page(furnished: Furnished) -> None:
    furnished.site.advance(365 * 86_400)
    furnished.console.poll()
    furnished.site.user("late", organization_id=furnished.harbour)
    form = furnished.form("late")
    for path in ("/", "/licences", "/campaigns", "/history", "/contacts", "/jobs/1"):
        assert "grace period" in form.page(path), path
    furnished.site.advance(31 * 86_400)
    furnished.console.poll()
    assert "licence has expired." in furnished.form("late").page("/")
