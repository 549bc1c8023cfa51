"""Do-not-contact lists: creating, filling and asking them.

The API and the CLI manage them; the import and the dialing ask `blocked`. `organization_id` is the
caller's: None may see and change everything; others see the common lists but change only their own.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from outrider.contacts.do_not_contact import store
from outrider.contacts.do_not_contact.model import (
    BadAddress,
    DoNotContactList,
    Entry,
    entry_key,
    read_address,
)
from outrider.contacts.numbers import check_country
from outrider.contacts.service import check_organization, checked_name
from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError, NotFoundError
from outrider.events import RecordChanged

RECORD: Final = "do_not_contact_list"
LARGEST_PAGE: Final = 1_000
LONGEST_SOURCE: Final = 80
E164: Final = re.compile(r"\+[1-9][0-9]{5,14}")


@dataclass(frozen=True, slots=True)
class Added:
    """What became of addresses given to a list: new, there before, and not understood."""

    added: int = 0
    present: int = 0
    rejected: tuple[BadAddress, ...] = field(default=())


def create_list(
    tx: Tx, now: dt.datetime, *, organization_id: int | None, actor: str, name: str
) -> DoNotContactList:
    """Create an empty list of the organization, or with None one that holds for all organizations.

    InvalidInputError for a bad name, ConflictError for one in use.
    """
    name = checked_name(name)
    if organization_id is not None:
        check_organization(tx, organization_id)
    if store.find_by_name(tx, organization_id, name) is not None:
        raise ConflictError(
            f"there is already a do-not-contact list {name!r}; choose another name", where="name"
        )
    list_id = store.insert_list(tx, now, organization_id, name)
    _tell(tx, now, organization_id, actor, list_id, "created", name)
    return get_list(tx, organization_id=organization_id, list_id=list_id)


def get_list(tx: Tx, *, organization_id: int | None, list_id: int) -> DoNotContactList:
    """Return one list that the caller may see. NotFoundError."""
    found = store.find_list(tx, organization_id, list_id)
    if found is None:
        raise NotFoundError(f"there is no do-not-contact list {list_id}", where="list_id")
    return found


def find_list(tx: Tx, *, organization_id: int | None, name: str) -> DoNotContactList | None:
    """Return the list of that name of exactly this owner (None: the common ones), or None."""
    return store.find_by_name(tx, organization_id, name.strip())


def lists(tx: Tx, *, organization_id: int | None) -> list[DoNotContactList]:
    """Return all lists that the caller may see, by name."""
    return store.all_lists(tx, organization_id)


def delete_list(tx: Tx, now: dt.datetime, *, organization_id: int | None, actor: str, list_id: int) -> None:
    """Delete a list with its entries. NotFoundError; NotAllowedError for a common list."""
    found = _own(tx, organization_id, list_id)
    store.delete_list(tx, list_id)
    _tell(tx, now, found.organization_id, actor, list_id, "deleted", found.name)


def add_entries(
    tx: Tx,
    now: dt.datetime,
    *,
    organization_id: int | None,
    actor: str,
    list_id: int,
    addresses: Iterable[str],
    country: str,
    source: str = "",
) -> Added:
    """Add numbers (national ones of `country`) and mail addresses; those that are none are returned.

    NotFoundError; NotAllowedError for a common list; InvalidInputError for a bad country or source.
    """
    found = _own(tx, organization_id, list_id)
    country = check_country(country)
    if len(source) > LONGEST_SOURCE:
        raise InvalidInputError(f"source: longer than {LONGEST_SOURCE} characters", where="source")
    good, bad = _read(addresses, country)
    added = store.insert_entries(tx, now, list_id, good, source)
    if added:
        _tell(tx, now, found.organization_id, actor, list_id, "entries_added", found.name)
    return Added(added, len(good) - added, tuple(bad))


def opt_out(
    tx: Tx,
    now: dt.datetime,
    *,
    organization_id: int,
    list_name: str,
    addresses: Iterable[str],
    source: str,
    actor: str,
) -> int:
    """Put addresses (E.164 or mail) on the organization's list of that name, made when it is missing.

    For wishes of the people themselves: a key, an answer, a link. Returns how many were new. An address is
    taken as the contacts have it, and not judged again; what is neither, such as a short code, is left out.
    """
    good = _wishing(addresses)
    if not good:
        return 0
    found = find_list(tx, organization_id=organization_id, name=list_name)
    list_id = None if found is None else found.id
    if list_id is None:
        made, list_id = store.ensure_list(tx, now, organization_id, list_name)
        if made:
            _tell(tx, now, organization_id, actor, list_id, "created", list_name)
    added = store.insert_entries(tx, now, list_id, good, source[:LONGEST_SOURCE])
    if added:
        _tell(tx, now, organization_id, actor, list_id, "entries_added", list_name)
    return added


def opt_in(
    tx: Tx, now: dt.datetime, *, organization_id: int, list_name: str, address: str, actor: str
) -> int:
    """Take an address off the organization's list of that name again, if it is there; return how many were.

    Other lists stay as they are: what an organization decided, a text does not undo.
    """
    found = find_list(tx, organization_id=organization_id, name=list_name)
    if found is None:
        return 0
    removed = store.delete_entries(tx, found.id, _wishing([address]))
    if removed:
        _tell(tx, now, organization_id, actor, found.id, "entries_removed", found.name)
    return removed


def remove_entries(
    tx: Tx,
    now: dt.datetime,
    *,
    organization_id: int | None,
    actor: str,
    list_id: int,
    addresses: Iterable[str],
    country: str,
) -> int:
    """Remove addresses, written as for `add_entries`; return how many were there. Errors as there."""
    found = _own(tx, organization_id, list_id)
    good, bad = _read(addresses, check_country(country))
    if bad:
        raise InvalidInputError(f"address: {bad[0].reason}", where="address")
    removed = store.delete_entries(tx, list_id, good)
    if removed:
        _tell(tx, now, found.organization_id, actor, list_id, "entries_removed", found.name)
    return removed


def entries_page(
    tx: Tx, *, organization_id: int | None, list_id: int, after: str = "", limit: int = 100
) -> list[Entry]:
    """Return up to `limit` (1 to 1,000) entries with addresses above `after`. NotFoundError."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInputError(f"limit: {limit} is not between 1 and {LARGEST_PAGE}", where="limit")
    get_list(tx, organization_id=organization_id, list_id=list_id)
    return store.page(tx, list_id, after, limit)


def blocked(tx: Tx, organization_id: int, addresses: Iterable[str]) -> set[str]:
    """Return those of `addresses` (as contacts have them) that the organization must not contact.

    Its own lists and the common ones hold. One indexed query per 500 addresses: made for dial time.
    """
    given: dict[str, list[str]] = {}
    for address in addresses:
        given.setdefault(entry_key(address), []).append(address)
    found = store.blocked(tx, organization_id, list(given))
    return {address for key in found for address in given[key]}


def any_blocked(tx: Tx, organization_id: int) -> bool:
    """Return whether the organization has anything to check against at all."""
    return store.any_entries(tx, organization_id)


def _own(tx: Tx, organization_id: int | None, list_id: int) -> DoNotContactList:
    found = get_list(tx, organization_id=organization_id, list_id=list_id)
    if organization_id is not None and found.organization_id is None:
        raise NotAllowedError(
            f"list {found.name!r} holds for all organizations; "
            "only an administrator of the system may change it"
        )
    return found


def _wishing(addresses: Iterable[str]) -> list[str]:
    """Return those of some addresses that can stand on a list, as they stand there."""
    plain = (address.strip() for address in addresses)
    return list(dict.fromkeys(entry_key(each) for each in plain if "@" in each or E164.fullmatch(each)))


def _read(addresses: Iterable[str], country: str) -> tuple[Sequence[str], list[BadAddress]]:
    good: dict[str, None] = {}
    bad: list[BadAddress] = []
    for text in addresses:
        address = read_address(text, country)
        if isinstance(address, BadAddress):
            bad.append(address)
        else:
            good[address] = None
    return list(good), bad


def _tell(
    tx: Tx, now: dt.datetime, organization_id: int | None, actor: str, list_id: int, change: str, name: str
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
