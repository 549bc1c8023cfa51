"""Contact lists and their contacts: the rules of creating, renaming, deleting and reading them.

`api.py`, the CLI and other slices call it inside their transaction. `organization_id` is the caller's:
None sees everything; to all others, records of other organizations do not exist (NotFoundError).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final, cast

from outrider.contacts import store
from outrider.contacts.model import DUPLICATES_BY, Contact, ContactList, DuplicatesBy
from outrider.contacts.numbers import check_country
from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from outrider.events import RecordChanged

RECORD: Final = "contact_list"
LONGEST_NAME: Final = 80
LARGEST_PAGE: Final = 1_000
ENDED_JOB_STATES: Final = ("finished", "stopped")


def create_list(
    tx: Tx,
    now: dt.datetime,
    *,
    organization_id: int,
    actor: str,
    name: str,
    default_country: str,
    duplicates_by: str = "phone",
    zone_id: int | None = None,
    carrier_profile: str = "",
) -> ContactList:
    """Create an empty list of the organization; `zone_id` None means the default zone.

    InvalidInputError for a bad name, country, duplicates rule or zone; ConflictError for a name in use.
    """
    name = checked_name(name)
    country = check_country(default_country)
    if duplicates_by not in DUPLICATES_BY:
        raise InvalidInputError(
            f"duplicates_by: {duplicates_by!r} is not one of {', '.join(DUPLICATES_BY)}",
            where="duplicates_by",
        )
    check_organization(tx, organization_id)
    _refuse_name_in_use(tx, organization_id, name)
    list_id = store.insert_list(
        tx,
        now,
        organization_id=organization_id,
        zone_id=_zone(tx, zone_id),
        name=name,
        default_country=country,
        duplicates_by=cast("DuplicatesBy", duplicates_by),
        carrier_profile=carrier_profile,
    )
    _tell(tx, now, organization_id, actor, list_id, "created", name)
    return get_list(tx, organization_id=organization_id, list_id=list_id)


def get_list(tx: Tx, *, organization_id: int | None, list_id: int) -> ContactList:
    """Return one list. NotFoundError."""
    found = store.find_list(tx, organization_id, list_id)
    if found is None:
        raise NotFoundError(f"there is no contact list {list_id}", where="list_id")
    return found


def find_list(tx: Tx, *, organization_id: int, name: str) -> ContactList | None:
    """Return the organization's list of that name, or None."""
    return store.find_list_by_name(tx, organization_id, name.strip())


def lists(tx: Tx, *, organization_id: int | None) -> list[ContactList]:
    """Return all lists that the caller may see, by name."""
    return store.all_lists(tx, organization_id)


def rename_list(
    tx: Tx, now: dt.datetime, *, organization_id: int | None, actor: str, list_id: int, name: str
) -> ContactList:
    """Give a list another name. NotFoundError, InvalidInputError, ConflictError (name in use)."""
    present = get_list(tx, organization_id=organization_id, list_id=list_id)
    name = checked_name(name)
    if name != present.name:
        _refuse_name_in_use(tx, present.organization_id, name)
        store.update_list(tx, list_id, {"name": name})
        _tell(tx, now, present.organization_id, actor, list_id, "renamed", name)
    return get_list(tx, organization_id=organization_id, list_id=list_id)


def delete_list(tx: Tx, now: dt.datetime, *, organization_id: int | None, actor: str, list_id: int) -> None:
    """Delete a list with its contacts and imports. NotFoundError; ConflictError while a job uses it."""
    present = get_list(tx, organization_id=organization_id, list_id=list_id)
    users = store.unfinished_jobs(tx, list_id, ENDED_JOB_STATES)
    if users:
        raise ConflictError(
            f"list {present.name!r} is used by job {users[0]}, which has not ended; stop the job first",
            jobs=users,
        )
    store.delete_list(tx, list_id)
    _tell(tx, now, present.organization_id, actor, list_id, "deleted", present.name)


def contacts_page(
    tx: Tx, *, organization_id: int | None, list_id: int, after: int = 0, limit: int = 100
) -> list[Contact]:
    """Return up to `limit` (1 to 1,000) contacts with ids above `after`. NotFoundError, InvalidInputError."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInputError(f"limit: {limit} is not between 1 and {LARGEST_PAGE}", where="limit")
    get_list(tx, organization_id=organization_id, list_id=list_id)
    return store.page(tx, list_id, after, limit)


def get_contact(tx: Tx, *, organization_id: int | None, list_id: int, contact_id: int) -> Contact:
    """Return one contact of a list. NotFoundError."""
    get_list(tx, organization_id=organization_id, list_id=list_id)
    found = store.find_contact(tx, list_id, contact_id)
    if found is None:
        raise NotFoundError(f"there is no contact {contact_id} on list {list_id}", where="contact_id")
    return found


def contacts_by_id(tx: Tx, ids: Sequence[int]) -> dict[int, Contact]:
    """Return contacts by id, for dialing (their lists were checked before); gone ones are missing."""
    return store.contacts_by_id(tx, ids)


def organization_by_name(tx: Tx, name: str | None) -> int:
    """Return an organization's id; None means the only one there is. NotFoundError, InvalidInputError."""
    known = store.find_organizations(tx)
    if not known:
        raise NotFoundError("there is no organization in this database yet; start the server once")
    if name is None:
        if len(known) > 1:
            raise InvalidInputError(
                f"several organizations share this system ({', '.join(known)}); name one with --organization",
                where="organization",
            )
        return next(iter(known.values()))
    if name not in known:
        raise NotFoundError(f"there is no organization {name!r}; there are {', '.join(known)}")
    return known[name]


def owner_of_new(caller_organization_id: int | None, organization_id: int | None) -> int:
    """Return whose a new record is, for a caller of an organization or (None) of the whole system.

    NotAllowedError when it would be another's; InvalidInputError when it is not said.
    """
    if caller_organization_id is None:
        if organization_id is None:
            raise InvalidInputError(
                "organization_id: say whose list this is, as you see all organizations",
                where="organization_id",
            )
        return organization_id
    if organization_id not in (None, caller_organization_id):
        raise NotAllowedError("you may make lists only for your own organization; leave organization_id out")
    return caller_organization_id


def check_organization(tx: Tx, organization_id: int) -> None:
    """Refuse an organization that does not exist. InvalidInputError."""
    if organization_id not in store.find_organizations(tx).values():
        raise InvalidInputError(
            f"organization_id: there is no organization {organization_id}", where="organization_id"
        )


def checked_name(name: str) -> str:
    """Return a record's name without outer blanks; InvalidInputError when it cannot be one."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInputError(
            f"name: use 1 to {LONGEST_NAME} printable characters, not {name[:LONGEST_NAME]!r}", where="name"
        )
    return name


def _refuse_name_in_use(tx: Tx, organization_id: int, name: str) -> None:
    if store.find_list_by_name(tx, organization_id, name) is not None:
        raise ConflictError(f"there is already a contact list {name!r}; choose another name", where="name")


def _zone(tx: Tx, zone_id: int | None) -> int:
    if zone_id is None:
        zone_id = store.default_zone(tx)
        if zone_id is None:
            raise NotFoundError("there is no zone in this database yet; start the server once to set it up")
    elif not store.zone_exists(tx, zone_id):
        raise InvalidInputError(f"zone_id: there is no zone {zone_id}", where="zone_id")
    return zone_id


def _tell(
    tx: Tx, now: dt.datetime, organization_id: int, actor: str, list_id: int, change: str, name: str
) -> None:
    log.append(
        tx,
        now,
        RecordChanged(
            organization_id=organization_id,
            actor=actor,
            record=RECORD,
            record_id=list_id,
            change=change,
            name=name,
        ),
    )
