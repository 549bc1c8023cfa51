"""What a contact and a contact list are. Pure; used by every module that reads contacts.

A contact is one person on one list, reachable at up to ten numbers and one mail address.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

DuplicatesBy = Literal["phone", "email", "external_id"]
"""The field that makes two rows the same person on one list."""

DUPLICATES_BY: Final[tuple[str, ...]] = get_args(DuplicatesBy)
MAXIMUM_PHONES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One person on one list. Numbers are E.164; the time zone is an IANA name or None (unknown)."""

    id: int
    list_id: int
    external_id: str | None = None
    phone: str | None = None
    other_phones: tuple[str, ...] = ()
    email: str | None = None
    time_zone: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def address(self, name: str) -> str | None:
        """Return the address called `name` ("phone", "phone2".."phone10", "email") or None."""
        if name == "email":
            return self.email
        if name == "phone":
            return self.phone
        position = phone_position(name)
        return self.other_phones[position - 2] if position and position - 2 < len(self.other_phones) else None

    def addresses(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the addresses called `names`, in that order, without missing or repeated ones."""
        found = [address for name in names if (address := self.address(name)) is not None]
        return tuple(found) if len(found) <= 1 else tuple(dict.fromkeys(found))

    def field(self, name: str) -> str | None:
        """Return a field (as `address`, or "external_id", "time_zone") or else the attribute `name`."""
        if name == "external_id":
            return self.external_id
        if name == "time_zone":
            return self.time_zone
        if name in ("phone", "email") or phone_position(name):
            return self.address(name)
        return self.attributes.get(name)


def phone_position(name: str) -> int:
    """Return n for "phone2".."phone10", and 0 for any other name."""
    digits = name.removeprefix("phone")
    if digits == name or not (digits.isascii() and digits.isdecimal()) or digits.startswith("0"):
        return 0
    return int(digits) if 2 <= int(digits) <= MAXIMUM_PHONES else 0  # noqa: PLR2004 - "phone" is the first


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactList:
    """A list of contacts of one organization. `contacts` counts them; the country is ISO 3166 alpha-2."""

    id: int
    organization_id: int
    zone_id: int
    name: str
    default_country: str
    duplicates_by: DuplicatesBy
    carrier_profile: str
    contacts: int
    created_at: dt.datetime
