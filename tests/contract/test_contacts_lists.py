"""Contact lists and do-not-contact lists over both databases: rules, pages, isolation."""

from pathlib import Path

import pytest
from sqlalchemy import insert

from outrider.contacts import service
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.db import log, schema
from outrider.db.database import Database, Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from support.contact_files import NOW, Contacts, german_rows


@pytest.fixture
def system(database: Database, tmp_path: Path) -> Contacts:
    return Contacts(database, tmp_path)


def test_names_countries_and_owners_are_checked(system: Contacts) -> None:
    made = system.make_list("  Kunden ")
    assert (made.name, made.contacts, made.zone_id) == ("Kunden", 0, system.zone_id)
    with pytest.raises(ConflictError, match="already a contact list 'Kunden'"):
        system.make_list("Kunden")
    with pytest.raises(InvalidInputError, match="country"):
        system.make_list("other", country="Mars")
    with pytest.raises(InvalidInputError, match="duplicates_by"):
        system.make_list("other", duplicates_by="name")
    for bad in ("", " ", "x" * 81, "a\nb"):
        with pytest.raises(InvalidInputError, match="name"):
            system.make_list(bad)


def test_a_list_is_renamed_and_the_change_is_told(system: Contacts) -> None:
    made = system.make_list()
    system.database.write_now(
        service.rename_list,
        NOW,
        organization_id=system.organization_id,
        actor="eve",
        list_id=made.id,
        name="new",
    )
    assert [entry.name for entry in system.database.read_now(service.lists, organization_id=None)] == ["new"]
    told = [row["data"] for row in system.database.read_now(log.since, 0, None) if row["actor"] == "eve"]
    assert [(entry["change"], entry["name"]) for entry in told] == [("renamed", "new")]


def test_other_organizations_do_not_find_it(system: Contacts) -> None:
    made = system.make_list()
    stranger = system.organization("stranger")
    assert system.database.read_now(service.lists, organization_id=stranger) == []
    with pytest.raises(NotFoundError):
        system.database.read_now(service.get_list, organization_id=stranger, list_id=made.id)
    with pytest.raises(NotFoundError):
        system.database.write_now(
            service.delete_list, NOW, organization_id=stranger, actor="", list_id=made.id
        )


def test_a_list_in_use_is_not_deleted(system: Contacts) -> None:
    made = system.make_list()
    system.run(made, german_rows(3))

    def use(tx: Tx, state: str) -> None:
        common = {"organization_id": system.organization_id, "created_at": NOW}
        tx.execute(
            insert(schema.strategies).values(
                name="s", version=1, state="active", source="", created_by="", **common
            )
        )
        tx.execute(
            insert(schema.campaigns).values(name="c", strategy_name="s", filter=[], schedule={}, **common)
        )
        tx.execute(insert(schema.campaign_lists).values(campaign_id=1, list_id=made.id))
        tx.execute(insert(schema.jobs).values(campaign_id=1, strategy_id=1, state=state, **common))

    def delete() -> None:
        system.database.write_now(service.delete_list, NOW, organization_id=None, actor="", list_id=made.id)

    system.database.write_now(use, "running")
    with pytest.raises(ConflictError, match="used by job 1"):
        delete()
    system.database.write_now(lambda tx: tx.execute(schema.jobs.update().values(state="finished")))
    delete()
    assert system.snapshot() == []


def test_pages_of_one_list_among_others(system: Contacts) -> None:
    first, second = system.make_list("first"), system.make_list("second")
    for start in (0, 10, 20):
        system.run(first, german_rows(10, start))
        system.run(second, german_rows(10, start))
    page = system.database.read_now(
        service.contacts_page, organization_id=None, list_id=second.id, after=0, limit=25
    )
    rest = system.database.read_now(
        service.contacts_page, organization_id=None, list_id=second.id, after=page[-1].id, limit=25
    )
    assert [contact.external_id for contact in (*page, *rest)] == [f"C{number}" for number in range(30)]
    assert set(system.database.read_now(service.contacts_by_id, [page[0].id, 10**9])) == {page[0].id}


def test_blocked_asks_own_and_common_lists(system: Contacts) -> None:
    rival = system.organization("rival")

    def block(owner: int | None, addresses: list[str]) -> do_not_contact.Added:
        made = system.database.write_now(
            do_not_contact.create_list, NOW, organization_id=owner, actor="", name="stop"
        )
        return system.database.write_now(
            do_not_contact.add_entries,
            NOW,
            organization_id=owner,
            actor="",
            list_id=made.id,
            addresses=addresses,
            country="DE",
        )

    assert system.database.read_now(do_not_contact.any_blocked, system.organization_id) is False
    mine = block(system.organization_id, ["0171 2345678", "+491712345678", "Anna@Example.com", "nonsense"])
    assert (mine.added, mine.present, [bad.text for bad in mine.rejected]) == (2, 0, ["nonsense"])
    block(None, ["030 1234567"])
    block(rival, ["0171 9999999"])
    asked = ["+491712345678", "anna@example.COM", "+49301234567", "+491719999999", "+491711111111"]
    assert system.database.read_now(do_not_contact.blocked, system.organization_id, asked) == set(asked[:3])
    assert system.database.read_now(do_not_contact.blocked, rival, asked) == set(asked[2:4])
    many = [f"+4917{number:08d}" for number in range(5_000)]
    assert system.database.read_now(do_not_contact.blocked, rival, [*many, *asked]) == set(asked[2:4])


def test_common_lists_are_seen_but_not_changed_by_organizations(system: Contacts) -> None:
    law = system.database.write_now(
        do_not_contact.create_list, NOW, organization_id=None, actor="", name="law"
    )
    with pytest.raises(ConflictError):
        system.database.write_now(do_not_contact.create_list, NOW, organization_id=None, actor="", name="law")
    owner = system.organization_id
    assert system.database.read_now(do_not_contact.get_list, organization_id=owner, list_id=law.id) == law
    with pytest.raises(NotAllowedError):
        system.database.write_now(
            do_not_contact.delete_list, NOW, organization_id=owner, actor="", list_id=law.id
        )
