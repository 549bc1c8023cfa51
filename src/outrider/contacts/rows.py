"""One row of a contact file to a clean contact, or to the reason why it is rejected. Pure.

The worker processes of an import call it a million times: what can be prepared is prepared once.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from outrider.contacts.columns import UNREADABLE, Columns
from outrider.contacts.emails import BadEmail, read_email
from outrider.contacts.model import DuplicatesBy
from outrider.contacts.numbers import BadNumber, read_number
from outrider.contacts.time_zones import read_time_zone

LONGEST_ID: Final = 200
LONGEST_VALUE: Final = 4_000

CleanRow = tuple[str, str | None, str | None, str | None, str | None, str | None, str | None]
"""duplicate key, external id, phone, other phones (JSON), email, time zone, attributes (JSON)."""

KEY_NAMES: Final = {"phone": "phone", "email": "email", "external_id": "external id"}
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class _RejectError(Exception):
    """Carries the reason out of the depth of a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRules:
    """All that decides what becomes of a row; sent to the worker processes."""

    columns: Columns
    country: str
    duplicates_by: DuplicatesBy


def clean_row(fields: Sequence[str], rules: RowRules) -> CleanRow | str:
    """Return the clean row, or the reason (one clause) why it is rejected."""
    columns = rules.columns
    if len(fields) != len(columns.headers):
        return f"{len(fields)} columns, but the header has {len(columns.headers)}"
    if UNREADABLE.search("".join(fields)):
        for name, value in zip(columns.headers, fields, strict=True):
            if UNREADABLE.search(value):
                return f"{name}: has bytes that do not belong to the file's encoding"
    try:
        return _clean(fields, rules)
    except _RejectError as reject:
        return str(reject)


def _clean(fields: Sequence[str], rules: RowRules) -> CleanRow:
    columns = rules.columns
    attributes: dict[str, str] = {}
    phones = _phones(fields, rules, attributes)
    email = _email(fields, columns.email)
    if not phones and email is None:
        raise _RejectError("neither a phone number nor an email address")
    external_id = _external_id(fields, columns.external_id)
    zone = _time_zone(fields, columns.time_zone)
    for position, name in columns.attributes:
        value = fields[position].strip()
        if value:
            if len(value) > LONGEST_VALUE:
                raise _RejectError(f"{name}: longer than {LONGEST_VALUE:,} characters")
            attributes[name] = value
    phone = phones[0] if phones else None
    return (
        duplicate_key(rules.duplicates_by, external_id, phone, email),
        external_id,
        phone,
        _dumps(phones[1:]) if len(phones) > 1 else None,
        email,
        zone,
        _dumps(attributes) if attributes else None,
    )


def duplicate_key(by: DuplicatesBy, external_id: str | None, phone: str | None, email: str | None) -> str:
    """Return what makes a contact the same person on its list; internal error when that field is empty."""
    key = phone if by == "phone" else external_id if by == "external_id" else email and email.lower()
    if not key:
        raise _RejectError(f"no {KEY_NAMES[by]}, by which the list recognises duplicates")
    return key


def _phones(fields: Sequence[str], rules: RowRules, attributes: dict[str, str]) -> list[str]:
    phones: list[str] = []
    for position in rules.columns.phones:
        text = fields[position].strip()
        if not text:
            continue
        number = read_number(text, rules.country)
        if isinstance(number, BadNumber):
            raise _RejectError(number.reason)
        if number.extension:
            attributes[f"{rules.columns.headers[position]} extension"] = number.extension
        if number.e164 not in phones:
            phones.append(number.e164)
    return phones


def _email(fields: Sequence[str], position: int | None) -> str | None:
    text = "" if position is None else fields[position].strip()
    if not text:
        return None
    email = read_email(text)
    if isinstance(email, BadEmail):
        raise _RejectError(email.reason)
    return email


def _external_id(fields: Sequence[str], position: int | None) -> str | None:
    text = "" if position is None else fields[position].strip()
    if len(text) > LONGEST_ID:
        raise _RejectError(f"external id longer than {LONGEST_ID} characters")
    if re.search(r"[\r\n\t]", text):
        raise _RejectError("external id with a line break or tab in it")
    return text or None


def _time_zone(fields: Sequence[str], position: int | None) -> str | None:
    text = "" if position is None else fields[position].strip()
    if not text:
        return None
    zone = read_time_zone(text)
    if zone is None:
        raise _RejectError(f"time zone {text[:40]!r}: not an IANA name like Europe/Berlin")
    return zone
