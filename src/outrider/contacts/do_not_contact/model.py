"""What a do-not-contact list and its entries are, and how an address is written on one. Pure.

Numbers stand there in E.164, mail addresses in small letters, so that a lookup is an equality.
"""

import datetime as dt
from dataclasses import dataclass

from outrider.contacts.emails import BadEmail, read_email
from outrider.contacts.numbers import BadNumber, read_number


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotContactList:
    """A list of one organization, or of all (`organization_id` None). `entries` counts its addresses."""

    id: int
    organization_id: int | None
    name: str
    created_at: dt.datetime
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One address that must not be contacted, and where that came from."""

    list_id: int
    address: str
    source: str
    added_at: dt.datetime


@dataclass(frozen=True, slots=True)
class BadAddress:
    """Why a text is neither a number nor a mail address."""

    text: str
    reason: str


def read_address(text: str, country: str) -> str | BadAddress:
    """Return the address as it stands on a list; national numbers are numbers of `country`."""
    plain = text.strip()
    if "@" in plain:
        email = read_email(plain)
        return BadAddress(text, email.reason) if isinstance(email, BadEmail) else email.lower()
    if not plain:
        return BadAddress(text, "it is empty")
    number = read_number(plain, country)
    return BadAddress(text, number.reason) if isinstance(number, BadNumber) else number.e164


def entry_key(address: str) -> str:
    """Return how a contact's own address (already E.164, or a checked mail address) stands on a list."""
    return address.lower() if "@" in address else address
