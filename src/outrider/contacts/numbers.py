"""Phone numbers in E.164: what people write in files, read by `phonenumbers` in a list's default country.

Pure; used by the import, by do-not-contact lists and wherever a number is typed in.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberFormat

from outrider.contacts.number_plans import short_cut
from outrider.errors import InvalidInputError

SHORTENED: Final = re.compile(r"\d([.,]\d+)?[eE]\+?\d+").fullmatch
SHOWN: Final = 40

REASONS: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: "its country code does not exist",
    NumberParseException.NOT_A_NUMBER: "it is not a phone number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "it is too short",
    NumberParseException.TOO_SHORT_NSN: "it is too short",
    NumberParseException.TOO_LONG: "it is too long",
}


@dataclass(frozen=True, slots=True)
class Number:
    """A valid number in E.164, and the extension that was written behind it ("" : none)."""

    e164: str
    extension: str = ""


@dataclass(frozen=True, slots=True)
class BadNumber:
    """Why a text is not a valid number, as one clause for people."""

    reason: str


def read_number(text: str, country: str) -> Number | BadNumber:
    """Return the number that `text` writes, national ones in `country` (ISO 3166 alpha-2, known)."""
    fast = short_cut(text, country)
    if fast is not None:
        return Number(fast)
    return _read_by_library(text, country)


def check_country(country: str) -> str:
    """Return the code in capitals; InvalidInputError when `phonenumbers` has no such country."""
    upper = country.strip().upper()
    if not _known(upper):
        raise InvalidInputError(
            f"country: {country!r} is not a two-letter country code; use one like DE, GB or US",
            where="default_country",
        )
    return upper


@cache
def _known(country: str) -> bool:
    return country in phonenumbers.SUPPORTED_REGIONS and (
        PhoneMetadata.metadata_for_region(country, None) is not None
    )


def _read_by_library(text: str, country: str) -> Number | BadNumber:
    if SHORTENED(text):
        return BadNumber(
            f"phone {text!r} was shortened by a spreadsheet: format the column as text and export it again"
        )
    shown = repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")
    try:
        parsed = phonenumbers.parse(text, country)
    except NumberParseException as error:
        return BadNumber(f"phone {shown}: {REASONS.get(error.error_type, 'it is not a phone number')}")
    if not phonenumbers.is_valid_number(parsed):
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        place = f"in {region}" if len(region) == 2 else f"with code +{parsed.country_code}"  # noqa: PLR2004 - ISO
        return BadNumber(f"phone {shown}: there is no such number {place}")
    return Number(phonenumbers.format_number(parsed, PhoneNumberFormat.E164), parsed.extension or "")
