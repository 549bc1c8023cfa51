"""SQL for do-not-contact lists and their entries. `service.py` calls it, inside the caller's transaction."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
)

from outrider.contacts.do_not_contact.model import DoNotContactList, Entry
from outrider.db import dialect
from outrider.db.schema import do_not_contact_entries as entries
from outrider.db.schema import do_not_contact_lists as lists

BATCH = 500

HOLDS = or_(lists.c.organization_id == bindparam("organization"), lists.c.organization_id.is_(None))
JOINED = entries.join(lists, lists.c.id == entries.c.list_id)
ANY = select(entries.c.list_id).select_from(JOINED).where(HOLDS).limit(1)
BLOCKED = (
    select(entries.c.address)
    .select_from(JOINED)
    .where(entries.c.address.in_(bindparam("addresses", expanding=True)), HOLDS)
)
"""Built once: dial loops ask these for every batch of claims."""


def _visible(organization_id: int | None) -> ColumnElement[bool]:
    return or_(lists.c.organization_id == organization_id, lists.c.organization_id.is_(None))


def _query() -> Select[tuple[object, ...]]:
    counted = select(func.count()).where(entries.c.list_id == lists.c.id).scalar_subquery()
    return select(lists, counted.label("entries"))


def insert_list(tx: Connection, now: dt.datetime, organization_id: int | None, name: str) -> int:
    """Add an empty list and return its id."""
    statement = insert(lists).values(organization_id=organization_id, name=name, created_at=now)
    return int(tx.execute(statement.returning(lists.c.id)).scalar_one())


def ensure_list(tx: Connection, now: dt.datetime, organization_id: int, name: str) -> tuple[bool, int]:
    """Make an organization's list unless it is there, or is made elsewhere now: is it new, and its id."""
    statement = dialect.insert(tx, lists).values(organization_id=organization_id, name=name, created_at=now)
    unless = statement.on_conflict_do_nothing(index_elements=["organization_id", "name"])
    made = tx.execute(unless.returning(lists.c.id)).scalar()
    if made is not None:
        return True, int(made)
    query = select(lists.c.id).where(lists.c.organization_id == organization_id, lists.c.name == name)
    return False, int(tx.execute(query).scalar_one())


def all_lists(tx: Connection, organization_id: int | None) -> list[DoNotContactList]:
    """Return the organization's and the common lists (None: all lists), by name."""
    query = _query().order_by(lists.c.name, lists.c.id)
    if organization_id is not None:
        query = query.where(_visible(organization_id))
    return [_list(row) for row in tx.execute(query).mappings()]


def find_list(tx: Connection, organization_id: int | None, list_id: int) -> DoNotContactList | None:
    """Return one list that the organization (None: any) may see."""
    query = _query().where(lists.c.id == list_id)
    if organization_id is not None:
        query = query.where(_visible(organization_id))
    row = tx.execute(query).mappings().one_or_none()
    return None if row is None else _list(row)


def find_by_name(tx: Connection, organization_id: int | None, name: str) -> DoNotContactList | None:
    """Return the list of that name that belongs to exactly this owner (None: the common ones)."""
    query = _query().where(
        lists.c.name == name, lists.c.organization_id.is_not_distinct_from(organization_id)
    )
    row = tx.execute(query).mappings().first()
    return None if row is None else _list(row)


def delete_list(tx: Connection, list_id: int) -> None:
    """Delete a list with its entries."""
    tx.execute(delete(lists).where(lists.c.id == list_id))


def insert_entries(
    tx: Connection, now: dt.datetime, list_id: int, addresses: Sequence[str], source: str
) -> int:
    """Add addresses that are not there yet; return how many were added."""
    added = 0
    for part in dialect.chunks(addresses, BATCH):
        statement = dialect.insert(tx, entries).values(
            [{"list_id": list_id, "address": address, "source": source, "added_at": now} for address in part]
        )
        done = tx.execute(statement.on_conflict_do_nothing().returning(entries.c.address))
        added += len(done.all())
    return added


def delete_entries(tx: Connection, list_id: int, addresses: Sequence[str]) -> int:
    """Remove addresses; return how many were there."""
    removed = 0
    for part in dialect.chunks(addresses, BATCH):
        statement = delete(entries).where(entries.c.list_id == list_id, entries.c.address.in_(part))
        removed += tx.execute(statement).rowcount
    return removed


def page(tx: Connection, list_id: int, after: str, limit: int) -> list[Entry]:
    """Return up to `limit` entries with addresses above `after`, by address."""
    query = (
        select(entries)
        .where(entries.c.list_id == list_id, entries.c.address > after)
        .order_by(entries.c.address)
        .limit(limit)
    )
    return [Entry(**row) for row in tx.execute(query).mappings()]


def any_entries(tx: Connection, organization_id: int) -> bool:
    """Return whether any list that holds for the organization has an entry."""
    return tx.execute(ANY, {"organization": organization_id}).first() is not None


def blocked(tx: Connection, organization_id: int, addresses: Sequence[str]) -> set[str]:
    """Return which addresses stand on a list of the organization or on a common one."""
    if not addresses or not any_entries(tx, organization_id):
        return set()
    found: set[str] = set()
    for part in dialect.chunks(addresses, BATCH):
        asked = {"addresses": list(part), "organization": organization_id}
        found.update(tx.execute(BLOCKED, asked).scalars())
    return found


def _list(row: RowMapping) -> DoNotContactList:
    return DoNotContactList(**row)
