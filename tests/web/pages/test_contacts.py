"""Pages of contact lists, imports and do-not-contact lists: made, filled, previewed, cancelled, deleted."""

import pytest

from outrider.contacts.imports.model import ImportOptions, ImportState
from support.furnished import Form, Furnished

CSV = "Name;Telefon;E-Mail\nAnna;030 901820;anna@example.org\nBernd;12;bernd@example.org\n".encode("cp1252")


def new_list(form: Form, **fields: object) -> str:
    given = {"name": "Kunden", "default_country": "DE", "duplicates_by": "phone", **fields}
    return form.send("/contacts/lists", **given)


def test_a_list_is_made_renamed_and_deleted(furnished: Furnished) -> None:
    form = furnished.form("sam")
    address = new_list(form)
    assert "Kunden" in form.page(address)
    form.send(f"{address}/rename", name="Kundschaft")
    assert "Kundschaft" in form.page("/contacts")
    form.send(f"{address}/delete")
    form.page(address, 404)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "use 1 to 80 printable characters"),
        ({"default_country": "XX"}, "XX"),
        ({"duplicates_by": "name"}, "is not one of"),
        ({"name": "Customers"}, "already a contact list"),
    ],
)
def test_a_bad_list_is_refused_and_what_was_typed_stays(
    furnished: Furnished, fields: dict[str, str], words: str
) -> None:
    given = {"name": "Kunden", "default_country": "DE", "duplicates_by": "phone", **fields}
    page = furnished.form("sam").send("/contacts/lists", 422, **given)
    assert words in page
    assert f'value="{given["default_country"]}"' in page


def test_the_whole_system_says_whose_list_it_is(furnished: Furnished) -> None:
    address = new_list(furnished.form("root"), organization_id=str(furnished.nordic))
    assert "Kunden" in furnished.form("nils").page(address)
    furnished.form("sam").page(address, 404)


def test_a_list_in_use_is_not_deleted(furnished: Furnished) -> None:
    page = furnished.form("sam").send(f"/contacts/lists/{furnished.people.id}/delete", 409)
    assert "which has not ended" in page


def test_a_file_is_imported_with_rejects(furnished: Furnished) -> None:
    form = furnished.form("sam")
    address = new_list(form)
    list_id = int(address.rpartition("/")[2])
    assert form.upload(f"{address}/imports", {"file": ("k.csv", CSV)}, keep_good="true") == address
    assert "Waits its turn" in form.page(address)
    ended = furnished.console.run_import(newest(furnished, list_id))
    assert (ended.rows_added, ended.rows_rejected) == (1, 1)
    page = form.page(address)
    assert "+4930901820" in page
    assert f'href="/api/imports/{ended.id}/rejects"' in page
    rejects = form.api.get(f"/api/imports/{ended.id}/rejects")
    assert "Bernd" in rejects.text


def newest(furnished: Furnished, list_id: int) -> int:
    root = furnished.site.as_user("root")
    return int(root.get(f"/api/contact-lists/{list_id}/imports").json()[0]["id"])


def test_options_of_the_form_reach_the_import(furnished: Furnished) -> None:
    form = furnished.form("sam")
    address = new_list(form)
    csv = "a|b\n030 901820|x\n".encode("utf-16")
    fields = {
        "delimiter": "pipe",
        "encoding": "utf-16",
        "country": "de",
        "map": ["a=phone", "", "b=attribute:Colour"],
        "duplicates": "update",
    }
    form.upload(f"{address}/imports", {"file": ("k.csv", csv)}, **fields)
    ended = furnished.console.run_import(newest(furnished, int(address.rpartition("/")[2])))
    assert ended.state is ImportState.DONE, ended.message
    assert ended.options == ImportOptions(
        delimiter="pipe",
        encoding="utf-16",
        country="DE",
        mapping={"a": "phone", "b": "attribute:Colour"},
        duplicates="update",
    )
    assert "Colour" in form.page(address)


@pytest.mark.parametrize(
    ("files", "fields", "words"),
    [
        ({}, {}, "choose a CSV file first"),
        ({"file": ("k.csv", CSV)}, {"country": "QQ"}, "QQ"),
        ({"file": ("k.csv", CSV)}, {"encoding": "klingon"}, "klingon"),
        ({"file": ("k.csv", CSV)}, {"map": ["nonsense"]}, "HEADER=FIELD"),
    ],
)
def test_a_bad_upload_is_refused_in_words(
    furnished: Furnished, files: dict[str, tuple[str, bytes]], fields: dict[str, str], words: str
) -> None:
    form = furnished.form("sam")
    address = f"/contacts/lists/{furnished.people.id}"
    assert form.upload(f"{address}/imports", files, 303, **fields) == address
    assert words in form.page(address)
    spools = list((furnished.console.folder / "imports").glob("*.upload"))
    assert spools == []


def preview(furnished: Furnished, body: bytes, query: str = "") -> str:
    api = furnished.site.as_user("sam")
    response = api.request("POST", f"/contacts/lists/{furnished.people.id}/preview?{query}", content=body)
    assert response.status_code == 200, response.text
    assert list((furnished.console.folder / "imports").glob("*.upload")) == []
    return response.text


def test_the_preview_shows_what_was_recognised(furnished: Furnished) -> None:
    page = preview(furnished, CSV, "file_name=k.csv")
    assert "separated by semicolon" in page
    assert '<option value="" selected>Phone</option>' in page
    assert '<option value="" selected>Email</option>' in page
    assert "Anna" in page


def test_the_preview_follows_the_mapping_and_tells_what_is_missing(furnished: Furnished) -> None:
    page = preview(furnished, b"a,b\n1,2\n")
    assert "no column is a phone number" in page
    page = preview(furnished, b"a,b\n1,2\n", "map=a%3Dphone")
    assert "no column" not in page
    assert '<option value="a=phone" selected>Phone</option>' in page


def test_the_preview_of_a_cut_file_and_of_rubbish(furnished: Furnished) -> None:
    assert "Anna" in preview(furnished, b'name,phone\nAnna,+49301\n"open quo')
    assert "is empty" in preview(furnished, b"")
    assert "not a table" in preview(furnished, b"\x89PNG\r\n\x1a\n" + b"\x00" * 50)


def test_an_import_is_cancelled(furnished: Furnished) -> None:
    form = furnished.form("sam")
    address = f"/contacts/lists/{furnished.people.id}"
    form.upload(f"{address}/imports", {"file": ("k.csv", CSV)})
    number = newest(furnished, furnished.people.id)
    assert form.send(f"/contacts/imports/{number}/cancel") == address
    assert "Cancelled" in form.page(address)
    form.send(f"/contacts/imports/{number}/cancel")
    assert "has already ended" in form.page(address)


def test_do_not_contact_lists(furnished: Furnished) -> None:
    form = furnished.form("sam")
    address = form.send("/contacts/do-not-contact", name="Robinson")
    page = form.send(
        f"{address}/entries", 200, addresses="030 901820\nAnna@Example.org; rubbish\n030 901820", country="DE"
    )
    assert "2 added, 0 were there already, 1 not understood" in page
    assert "+4930901820" in page
    assert "anna@example.org" in page
    more = form.upload(
        f"{address}/entries", {"file": ("x.csv", b"phone\n+4930901820\n+4930901821\n")}, 200, country="DE"
    )
    assert "1 added, 1 were there already" in more
    form.send(f"{address}/remove", address="+4930901820")
    assert "+4930901820</th>" not in form.page(address)
    furnished.form("nils").page(address, 404)
    furnished.form("vera").send(f"{address}/entries", 403, addresses="1", country="DE")
    assert form.send(f"{address}/delete") == "/contacts#do-not-contact"


def test_a_common_list_is_the_systems(furnished: Furnished) -> None:
    address = furnished.form("root").send(
        "/contacts/do-not-contact", name="Everybody", organization_id="common"
    )
    page = furnished.form("sam").page(address)
    assert "by any organization" in page
    assert "Add numbers" not in page
    furnished.form("sam").send(f"{address}/entries", 403, addresses="+4930901820", country="DE")
    furnished.form("sam").send(f"{address}/remove", 403, address="+4930901820")
    furnished.form("sam").send(f"{address}/delete", 403)
    furnished.form("sam").send("/contacts/do-not-contact", 403, name="Mine", organization_id="common")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"addresses": "+4930901820", "country": ""}, "country"),
        ({"addresses": "", "country": "DE"}, "type some, or choose a file"),
    ],
)
def test_mistakes_in_addresses_are_told(furnished: Furnished, fields: dict[str, str], words: str) -> None:
    form = furnished.form("sam")
    address = form.send("/contacts/do-not-contact", name="Robinson")
    assert words in form.send(f"{address}/entries", 422, **fields)
