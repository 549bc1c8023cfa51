"""SQL for contact lists and their contacts. `service.py` calls it, inside the caller's transaction.

Functions that look for one record return None when there is none that the organization may see.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from outrider.contacts.model import Contact, ContactList, DuplicatesBy
from outrider.db import dialect
from outrider.db.schema import campaign_lists as used_lists
from outrider.db.schema import contact_lists, contacts, jobs, organizations, zones

BATCH = 500


def insert_list(
    tx: Connection,
    now: dt.datetime,
    *,
    organization_id: int,
    zone_id: int,
    name: str,
    default_country: str,
    duplicates_by: DuplicatesBy,
    carrier_profile: str,
) -> int:
    """Add an empty list and return its id."""
    statement = insert(contact_lists).values(
        organization_id=organization_id,
        zone_id=zone_id,
        name=name,
        default_country=default_country,
        duplicates_by=duplicates_by,
        carrier_profile=carrier_profile,
        created_at=now,
    )
    return int(tx.execute(statement.returning(contact_lists.c.id)).scalar_one())


def find_list(tx: Connection, organization_id: int | None, list_id: int) -> ContactList | None:
    """Return one list, when the organization (None: any) may see it."""
    query = select(contact_lists).where(contact_lists.c.id == list_id)
    if organization_id is not None:
        query = query.where(contact_lists.c.organization_id == organization_id)
    row = tx.execute(query).mappings().one_or_none()
    return None if row is None else _list(row)


def find_list_by_name(tx: Connection, organization_id: int, name: str) -> ContactList | None:
    """Return the organization's list of that name."""
    query = select(contact_lists).where(
        contact_lists.c.organization_id == organization_id, contact_lists.c.name == name
    )
    row = tx.execute(query).mappings().one_or_none()
    return None if row is None else _list(row)


def all_lists(tx: Connection, organization_id: int | None) -> list[ContactList]:
    """Return the lists that the organization (None: any) may see, by name."""
    query = select(contact_lists).order_by(contact_lists.c.name, contact_lists.c.id)
    if organization_id is not None:
        query = query.where(contact_lists.c.organization_id == organization_id)
    return [_list(row) for row in tx.execute(query).mappings()]


def update_list(tx: Connection, list_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of one list."""
    tx.execute(update(contact_lists).where(contact_lists.c.id == list_id).values(**values))


def delete_list(tx: Connection, list_id: int) -> None:
    """Delete a list with its contacts and imports."""
    tx.execute(delete(contact_lists).where(contact_lists.c.id == list_id))


def unfinished_jobs(tx: Connection, list_id: int, ended_states: Sequence[str]) -> list[int]:
    """Return the ids of jobs that use the list and are in none of `ended_states`."""
    query = (
        select(jobs.c.id)
        .join(used_lists, used_lists.c.campaign_id == jobs.c.campaign_id)
        .where(used_lists.c.list_id == list_id, jobs.c.state.not_in(ended_states))
        .order_by(jobs.c.id)
    )
    return list(tx.execute(query).scalars())


def default_zone(tx: Connection) -> int | None:
    """Return the id of the system's first zone, None when there is none yet."""
    return tx.execute(select(func.min(zones.c.id))).scalar()


def zone_exists(tx: Connection, zone_id: int) -> bool:
    """Return whether there is such a zone."""
    return tx.execute(select(zones.c.id).where(zones.c.id == zone_id)).first() is not None


def find_organizations(tx: Connection) -> dict[str, int]:
    """Return the ids of all organizations by name, in order of creation."""
    query = select(organizations.c.name, organizations.c.id).order_by(organizations.c.id)
    return {row.name: row.id for row in tx.execute(query)}


def page(tx: Connection, list_id: int, after: int, limit: int) -> list[Contact]:
    """Return up to `limit` contacts of a list with ids above `after`, by id."""
    query = (
        select(contacts)
        .where(contacts.c.list_id == list_id, contacts.c.id > after)
        .order_by(contacts.c.id)
        .limit(limit)
    )
    return [contact_of(row) for row in tx.execute(query).mappings()]


def find_contact(tx: Connection, list_id: int, contact_id: int) -> Contact | None:
    """Return one contact of a list."""
    query = select(contacts).where(contacts.c.list_id == list_id, contacts.c.id == contact_id)
    row = tx.execute(query).mappings().one_or_none()
    return None if row is None else contact_of(row)


def contacts_by_id(tx: Connection, ids: Sequence[int]) -> dict[int, Contact]:
    """Return the contacts with these ids; those that are gone are missing."""
    found: dict[int, Contact] = {}
    for part in dialect.chunks(ids, BATCH):
        query = select(contacts).where(contacts.c.id.in_(part))
        found |= {row["id"]: contact_of(row) for row in tx.execute(query).mappings()}
    return found


def contact_with_number(tx: Connection, list_ids: Sequence[int], number: str) -> int | None:
    """Return the first contact of these lists whose main number it is.

    Lists without duplicates by number know their contacts' numbers by the key that is indexed; others are
    read through.
    """
    if not list_ids:
        return None
    mine = select(contacts.c.id).where(contacts.c.list_id.in_(list_ids)).order_by(contacts.c.id).limit(1)
    by_key = mine.where(contacts.c.duplicate_key == number, contacts.c.phone == number)
    found = tx.execute(by_key).scalar()
    if found is not None:
        return int(found)
    other = select(contact_lists.c.id).where(
        contact_lists.c.id.in_(list_ids), contact_lists.c.duplicates_by != "phone"
    )
    found = tx.execute(mine.where(contacts.c.list_id.in_(other), contacts.c.phone == number)).scalar()
    return None if found is None else int(found)


def add_contact(tx: Connection, list_id: int, number: str) -> int:
    """Add a contact that is nothing but a number to a list that knows duplicates by it; return its id."""
    row = insert(contacts).values(list_id=list_id, duplicate_key=number, phone=number, attributes={})
    found = tx.execute(row.returning(contacts.c.id)).scalar_one()
    counted = update(contact_lists).where(contact_lists.c.id == list_id)
    tx.execute(counted.values(contacts=contact_lists.c.contacts + 1))
    return int(found)


def count_contacts(tx: Connection, list_id: int) -> int:
    """Count a list's contacts, slowly; `contact_lists.contacts` must say the same."""
    query = select(func.count()).select_from(contacts).where(contacts.c.list_id == list_id)
    return int(tx.execute(query).scalar_one())


def contact_of(row: RowMapping) -> Contact:
    """Return the contact that a row of `contacts` is; without attributes when they were not selected."""
    return Contact(
        id=row["id"],
        list_id=row["list_id"],
        external_id=row["external_id"],
        phone=row["phone"],
        other_phones=tuple(row["other_phones"] or ()),
        email=row["email"],
        time_zone=row["time_zone"],
        attributes=row.get("attributes") or {},
    )


def _list(row: RowMapping) -> ContactList:
    return ContactList(**row)
