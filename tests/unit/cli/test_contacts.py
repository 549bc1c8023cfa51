"""`outrider contacts`, as people type it: imports, what it prints, and its errors."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from outrider.cli.contacts import contacts
from outrider.contacts.imports.model import ImportOptions
from outrider.db.database import Database
from support.contact_files import Contacts, german_rows


@pytest.fixture
def system(sqlite_database: Database, tmp_path: Path) -> Contacts:
    return Contacts(sqlite_database, tmp_path / "data")


def outrider(system: Contacts, *arguments: str) -> Result:
    url = system.database.url.render_as_string(hide_password=False)
    return CliRunner().invoke(contacts, [*arguments, "--database", url, "--data-folder", str(system.folder)])


def file_of(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "leads.csv"
    path.write_bytes(content)
    return str(path)


def test_a_new_list_is_made_and_filled(system: Contacts, tmp_path: Path) -> None:
    file = file_of(tmp_path, german_rows(50))
    result = outrider(system, "import", file, "--list", "Leads", "--country", "de")
    assert (result.exit_code, result.exception) == (0, None)
    assert "50 rows: 50 added, 0 updated, 0 duplicates, 0 rejected" in result.stdout
    again = outrider(system, "import", file, "--list", "Leads", "--json")
    assert json.loads(again.stdout)["rows_duplicate"] == 50
    shown = outrider(system, "lists", "--json")
    assert [entry["contacts"] for entry in json.loads(shown.stdout)] == [50]
    assert "Leads" in outrider(system, "lists").stdout


def test_rejects_are_copied_and_decide_the_end(system: Contacts, tmp_path: Path) -> None:
    file = file_of(tmp_path, b"phone,name\n0171 2345678,Anna\n1,Ben\n")
    rejects = tmp_path / "rejects.csv"
    common = ("import", file, "--list", "Leads", "--country", "DE", "--rejects", str(rejects))
    refused = outrider(system, *common)
    assert refused.exit_code == 1
    assert "1 row is rejected of 2" in str(refused.exception)
    assert rejects.read_text(encoding="utf-8-sig").splitlines()[1].startswith("3,")
    kept = outrider(system, *common, "--keep-good")
    assert kept.exit_code == 0
    assert f"rejected rows: {rejects}" in kept.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--list", "New"), "there is no contact list 'New'; to make it, add --country"),
        (("--list", "New", "--country", "XX"), "not a two-letter country code"),
        (("--list", "New", "--country", "DE", "--delimiter", "abc"), "cannot separate columns"),
        (("--list", "New", "--country", "DE", "--map", "phone"), "is not HEADER=FIELD"),
        (
            ("--list", "New", "--country", "DE", "--organization", "nobody"),
            "there is no organization 'nobody'",
        ),
    ],
)
def test_mistakes_say_what_to_do(
    system: Contacts, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = outrider(system, "import", file_of(tmp_path, german_rows(2)), *arguments)
    assert result.exit_code == 1
    assert words in str(result.exception)


def test_a_missing_file_and_several_organizations(system: Contacts, tmp_path: Path) -> None:
    missing = outrider(system, "import", str(tmp_path / "no.csv"), "--list", "L", "--country", "DE")
    assert "no.csv: cannot be read" in str(missing.exception)
    system.organization("second")
    unsaid = outrider(system, "import", file_of(tmp_path, german_rows(2)), "--list", "L", "--country", "DE")
    assert "name one with --organization" in str(unsaid.exception)


def test_resume_finishes_what_waits(system: Contacts) -> None:
    target = system.make_list()
    system.queue(target, german_rows(20))
    system.queue(target, b"phone\nbad\n", ImportOptions())
    result = outrider(system, "resume")
    assert result.exit_code == 1
    assert "done: 20 rows: 20 added" in result.stdout
    assert "failed: contacts.csv: 1 row is rejected" in result.stdout
    assert system.counted(target) == 20


def test_do_not_contact_from_the_command_line(system: Contacts, tmp_path: Path) -> None:
    options = ("--list", "stop", "--country", "DE")
    added = outrider(system, "do-not-contact", "add", "0171 2000000", "a@b.example", *options)
    assert (added.exit_code, added.stdout) == (0, "2 added, 0 there before, 0 rejected\n")
    path = tmp_path / "stop.csv"
    path.write_text("name;phone;email\nAnna;0171 2000001;a@b.example\nBen;bad;\n")
    imported = outrider(system, "do-not-contact", "import", str(path), *options)
    assert imported.exit_code == 1
    assert "1 added, 1 there before, 1 rejected" in imported.stdout
    listed = outrider(system, "do-not-contact", "list", "--list", "stop").stdout.splitlines()
    assert [line.split("\t")[0] for line in listed] == ["+491712000000", "+491712000001", "a@b.example"]
    kept_out = outrider(system, "import", file_of(tmp_path, german_rows(3)), "--list", "L", "--country", "DE")
    assert "1 added, 0 updated, 0 duplicates, 2 rejected" in kept_out.stdout
    assert outrider(system, "do-not-contact", "remove", "0171 2000000", *options).stdout == "1 removed\n"
    assert "stop" in outrider(system, "do-not-contact", "list").stdout
