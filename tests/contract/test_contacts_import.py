"""Imports of contact files over both databases: what they add, reject and update, and that they repeat."""

import datetime as dt
from pathlib import Path

import pytest

from outrider.clock import RealClock, VirtualClock
from outrider.contacts import service, store
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.contacts.imports import service as imports
from outrider.contacts.imports.model import ImportOptions, ImportState
from outrider.contacts.model import ContactList
from outrider.db import log
from outrider.db.database import Database
from outrider.demo.contact_files import write_files
from outrider.errors import ConflictError, NotFoundError
from outrider.events import ImportChanged
from support.contact_files import Contacts, german_rows, plain

KEEP_GOOD = ImportOptions(keep_good=True)


@pytest.fixture
def system(database: Database, tmp_path: Path) -> Contacts:
    return Contacts(database, tmp_path)


@pytest.fixture
def target(system: Contacts) -> ContactList:
    return system.make_list()


def test_a_file_becomes_contacts(system: Contacts, target: ContactList) -> None:
    content = (
        "Kundennummer;Name;Telefon;Handy 2;E-Mail;Zeitzone;Ort\n"
        'K1;"Müller, ""Anna""";030/1234567;+49 (0)171 2345678;Anna@Example.COM;europe/berlin;Köln\n'
        "\n"
        "K2;Ben;0171 3456789;;;;\n"
    )
    ended = system.run(target, content.encode("cp1252"))
    assert ended.state is ImportState.DONE
    assert ended.found["encoding"] == "cp1252"
    assert ended.found["delimiter"] == ";"
    assert (ended.rows_read, ended.rows_added, ended.rows_rejected) == (2, 2, 0)
    anna, ben = system.contacts(target)
    assert plain(anna) == (
        "K1",
        "+49301234567",
        ("+491712345678",),
        "Anna@example.com",
        "Europe/Berlin",
        {"Name": 'Müller, "Anna"', "Ort": "Köln"},
    )
    assert plain(ben) == ("K2", "+491713456789", (), None, None, {"Name": "Ben"})
    assert anna.addresses(("phone", "phone2", "phone3", "email")) == (
        "+49301234567",
        "+491712345678",
        "Anna@example.com",
    )
    assert system.counted(target) == 2
    assert system.working_files() == []


def test_one_bad_row_and_nothing_is_imported(system: Contacts, target: ContactList) -> None:
    before = system.snapshot()
    ended = system.run(target, b"phone,name\n0171 2345678,Anna\n12,Ben\n")
    assert ended.state is ImportState.FAILED
    assert "1 row is rejected of 2" in ended.message
    assert system.snapshot() == before
    assert system.rejects(ended) == [["3", "phone '12': there is no such number in DE", "12", "Ben"]]


def test_keep_good_imports_the_rest_and_names_lines_behind_fields_of_several_lines(
    system: Contacts, target: ContactList
) -> None:
    content = 'phone,note\n0171 2345678,"one\ntwo\nthree"\nbad,x\n0171 2345679,y,z\n0171 2345680,ok\n'
    ended = system.run(target, content.encode(), KEEP_GOOD)
    assert ended.state is ImportState.DONE
    assert (ended.rows_read, ended.rows_added, ended.rows_rejected) == (4, 2, 2)
    assert [row[:2] for row in system.rejects(ended)] == [
        ["5", "phone 'bad': it is not a phone number"],
        ["6", "3 columns, but the header has 2"],
    ]
    assert system.counted(target) == 2


def test_the_same_file_again_adds_nothing(system: Contacts, target: ContactList) -> None:
    system.run(target, german_rows(300))
    before = system.snapshot()
    again = system.run(target, german_rows(300))
    assert (again.rows_added, again.rows_duplicate) == (0, 300)
    assert system.snapshot() == before
    updated = system.run(target, german_rows(300), ImportOptions(duplicates="update"))
    assert (updated.rows_added, updated.rows_updated, updated.rows_duplicate) == (0, 0, 300)
    assert system.snapshot() == before


def test_duplicates_inside_the_file_are_skipped(system: Contacts, target: ContactList) -> None:
    ended = system.run(target, b"phone,name\n0171 2345678,first\n+49 171 2345678,second\n")
    assert (ended.rows_added, ended.rows_duplicate) == (1, 1)
    assert [contact.attributes["name"] for contact in system.contacts(target)] == ["first"]


def test_update_overlays_what_the_file_has(system: Contacts, target: ContactList) -> None:
    system.run(target, b"id,phone,email,city,note\n1,0171 2345678,a@example.com,Ulm,old\n")
    content = (
        b"phone,email,city,new\n0171 2345678,,Bonn,1\n0171 9999999,,Jena,2\n0171 9999999,b@example.com,,\n"
    )
    ended = system.run(target, content, ImportOptions(duplicates="update"))
    assert (ended.rows_added, ended.rows_updated, ended.rows_duplicate) == (1, 2, 0)
    first, second = system.contacts(target)
    assert plain(first) == (
        "1",
        "+491712345678",
        (),
        "a@example.com",
        None,
        {"city": "Bonn", "note": "old", "new": "1"},
    )
    assert (second.email, dict(second.attributes)) == ("b@example.com", {"city": "Jena", "new": "2"})
    assert system.counted(target) == 2


@pytest.mark.parametrize("by", ["external_id", "email"])
def test_other_keys_make_duplicates(system: Contacts, by: str) -> None:
    target = system.make_list("other", duplicates_by=by)
    content = b"id,phone,email\n1,0171 2345678,A@example.com\n1,0171 2345679,a@EXAMPLE.com\n,0171 1,\n"
    ended = system.run(target, content, KEEP_GOOD)
    assert (ended.rows_added, ended.rows_duplicate, ended.rows_rejected) == (1, 1, 1)


def test_a_row_without_its_key_is_rejected(system: Contacts) -> None:
    target = system.make_list("by id", duplicates_by="external_id")
    ended = system.run(target, b"id,phone\n,0171 2345678\n")
    assert system.rejects(ended)[0][1] == "no external id, by which the list recognises duplicates"


def test_do_not_contact_rows_are_left_out_but_do_not_fail_the_file(
    system: Contacts, target: ContactList
) -> None:
    def block(organization_id: int | None, addresses: list[str]) -> None:
        made = system.database.write_now(
            do_not_contact.create_list,
            target.created_at,
            organization_id=organization_id,
            actor="",
            name="stop",
        )
        system.database.write_now(
            do_not_contact.add_entries,
            target.created_at,
            organization_id=None,
            actor="",
            list_id=made.id,
            addresses=addresses,
            country="DE",
        )

    block(system.organization_id, ["0171 2345678"])
    block(None, ["Anna@Example.com"])
    block(system.organization("other"), ["0171 2345680"])
    content = b"phone,email\n0171 2345678,x@example.com\n0171 2345679,anna@example.com\n0171 2345680,\n"
    ended = system.run(target, content)
    assert ended.state is ImportState.DONE
    assert (ended.rows_added, ended.rows_rejected) == (1, 2)
    assert [row[:2] for row in system.rejects(ended)] == [
        ["2", "do not contact: +491712345678"],
        ["3", "do not contact: anna@example.com"],
    ]


def test_mixed_encodings_reject_the_odd_row_only(system: Contacts, target: ContactList) -> None:
    content = (
        "phone,name\n0171 2345678,Jürgen\n0171 2345679,".encode()
        + b"J\xfcrgen"
        + b"\n0171 2345670,Zo\xc3\xab\n"
    )
    ended = system.run(target, content, KEEP_GOOD)
    assert (ended.rows_added, ended.rows_rejected) == (2, 1)
    assert system.rejects(ended) == [
        ["3", "name: has bytes that do not belong to the file's encoding", "0171 2345679", "J\\xfcrgen"]
    ]


def test_the_mapping_has_the_last_word(system: Contacts, target: ContactList) -> None:
    mapping = {"a": "phone2", "b": "phone", "c": "attribute:colour", "email": "ignore"}
    content = b"a,b,c,email\n030 1234567,0171 2345678,red,not an address\n"
    system.run(target, content, ImportOptions(mapping=mapping))
    (contact,) = system.contacts(target)
    assert plain(contact) == (None, "+491712345678", ("+49301234567",), None, None, {"colour": "red"})


def test_demo_files_give_what_they_say(system: Contacts, tmp_path: Path) -> None:
    for file in write_files(tmp_path / "files", seed=7, rows=2000):
        target = system.make_list(file.list_name, file.country)
        ended = system.run(target, file.path, KEEP_GOOD)
        assert (ended.rows_read, ended.rows_added, ended.rows_duplicate, ended.rows_rejected) == (
            file.rows,
            file.valid,
            file.duplicates,
            file.rejected,
        ), system.rejects(ended)
        assert {contact.phone for contact in system.contacts(target)} == file.numbers
        assert ended.found["delimiter"] == file.delimiter
        lines = [int(row[0]) for row in system.rejects(ended)]
        assert lines == sorted(set(lines))


def test_counters_and_events_tell_the_truth(system: Contacts, target: ContactList) -> None:
    queued = system.queue(target, german_rows(5_000))
    runner = system.runner(rows=1_000)
    assert runner.claim_next(queued.id) == queued.id
    seen: list[tuple[str, float, int]] = []
    runner.run_one(
        queued.id, lambda present: seen.append((present.state, present.progress, system.counted(target)))
    )
    assert [entry[1] for entry in seen] == sorted(entry[1] for entry in seen)
    assert {entry[2] for entry in seen if entry[0] == "reading"} == {0}
    assert [entry[2] for entry in seen if entry[0] == "applying"] == [1000, 2000, 3000, 4000, 5000]
    ended = system.database.read_now(imports.get_import, organization_id=None, import_id=queued.id)
    assert (ended.progress, ended.rows_added) == (1.0, 5_000)
    assert system.database.read_now(store.count_contacts, target.id) == system.counted(target) == 5_000
    states = [
        row["data"]["state"]
        for row in system.database.read_now(log.since, 0, system.organization_id)
        if row["kind"] == ImportChanged.kind
    ]
    assert (states[0], states[-1]) == ("queued", "done")


def test_an_upload_that_was_cut_or_lost_is_refused(system: Contacts, target: ContactList) -> None:
    for damage, reason in (("cut", "is not complete"), ("lost", "is gone")):
        queued = system.queue(target, german_rows(30))
        upload = system.folder / "imports" / f"{queued.spool}.upload"
        if damage == "cut":
            upload.write_bytes(upload.read_bytes()[:-100])
        else:
            upload.unlink()
        runner = system.runner()
        assert runner.claim_next() == queued.id
        ended = runner.run_one(queued.id)
        assert ended is not None
        assert ended.state is ImportState.FAILED
        assert reason in ended.message
    assert system.contacts(target) == []


def test_forgotten_uploads_are_removed_after_a_day(system: Contacts, target: ContactList) -> None:
    queued = system.queue(target, german_rows(3))
    folder = system.folder / "imports"
    forgotten = folder / f"{'0' * 32}.upload"
    forgotten.write_bytes(b"x")
    assert system.runner().remove_forgotten_files() == 0
    later = VirtualClock(RealClock().now() + dt.timedelta(days=2))
    assert system.runner(lease_clock=later).remove_forgotten_files() == 1
    assert [path.name for path in folder.iterdir()] == [f"{queued.spool}.upload"]


def test_a_claimed_import_is_not_claimed_twice(system: Contacts, target: ContactList) -> None:
    queued = system.queue(target, german_rows(3))
    first, second = system.runner(), system.runner()
    assert first.claim_next() == queued.id
    assert second.claim_next() is None
    assert first.run_one(queued.id) is not None
    assert second.claim_next() is None


def test_cancel_before_and_while_it_is_read(system: Contacts, target: ContactList) -> None:
    before = system.snapshot()

    def cancel(import_id: int) -> None:
        system.database.write_now(
            imports.cancel_import, target.created_at, organization_id=None, actor="eve", import_id=import_id
        )

    waiting = system.queue(target, german_rows(3))
    cancel(waiting.id)
    reading = system.queue(target, german_rows(5_000))
    runner = system.runner()
    assert runner.claim_next() == reading.id
    assert runner.run_one(reading.id, lambda present: cancel(present.id)) is None
    assert system.snapshot() == before
    with pytest.raises(ConflictError, match="already ended"):
        cancel(reading.id)
    assert system.working_files() == [f"{waiting.spool}.upload"] or system.working_files() == []


def test_all_or_nothing_cannot_be_cancelled_half_way_but_keep_good_can(
    system: Contacts, target: ContactList
) -> None:
    def cancel_while_applying(options: ImportOptions, rows: bytes) -> None:
        queued = system.queue(target, rows, options)
        runner = system.runner(rows=1_000)
        assert runner.claim_next(queued.id) == queued.id

        def cancel(_: object) -> None:
            state = system.database.read_now(
                imports.get_import, organization_id=None, import_id=queued.id
            ).state
            if state is ImportState.APPLYING:
                system.database.write_now(
                    imports.cancel_import,
                    target.created_at,
                    organization_id=None,
                    actor="eve",
                    import_id=queued.id,
                )

        runner.run_one(queued.id, cancel)

    with pytest.raises(ConflictError, match="half-way"):
        cancel_while_applying(ImportOptions(), german_rows(3_000))
    cancel_while_applying(KEEP_GOOD, german_rows(3_000, start=50_000))
    assert system.counted(target) == system.database.read_now(store.count_contacts, target.id) == 2_000


def test_a_deleted_list_ends_its_import(system: Contacts, target: ContactList) -> None:
    queued = system.queue(target, german_rows(3_000))
    runner = system.runner(rows=1_000)
    assert runner.claim_next(queued.id) == queued.id

    def delete(_: object) -> None:
        if system.database.read_now(service.lists, organization_id=None):
            system.database.write_now(
                service.delete_list, target.created_at, organization_id=None, actor="", list_id=target.id
            )

    assert runner.run_one(queued.id, delete) is None
    with pytest.raises(NotFoundError):
        system.database.read_now(imports.get_import, organization_id=None, import_id=queued.id)
