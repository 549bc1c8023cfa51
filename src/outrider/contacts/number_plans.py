"""A short cut to E.164 for ordinary numbers, about ten times as fast as `phonenumbers.parse`.

`numbers.py` tries it first. It accepts a number only where `phonenumbers` provably gives the same
result, by its own patterns; for everything else it returns None, and the library decides.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    REGION_CODE_FOR_NON_GEO_ENTITY,
    PhoneMetadata,
    PhoneNumberDesc,
)

Matcher = Callable[[str], object]

ORDINARY: Final = re.compile(r"\+?\(?[0-9][0-9 ()./\-\u00a0]*").fullmatch
"""Digits and the punctuation that `phonenumbers` drops: no letters, extensions or second numbers."""

DROPPED: Final = {ord(character): None for character in " ()./-\u00a0"}
SHORTEST: Final = 3
LONGEST: Final = 250
NATIONAL_LENGTHS: Final = range(2, 18)


def short_cut(text: str, country: str) -> str | None:
    """Return the E.164 form of a valid number, or None: then ask `phonenumbers`.

    `country` is an ISO 3166 code that `phonenumbers` knows; numbers without + are national numbers of it.
    """
    if len(text) > LONGEST or not ORDINARY(text):
        return None
    digits = text.translate(DROPPED)
    if digits[0] == "+":
        # An opening bracket straight after the + is not a number to the library.
        return None if text[1] == "(" else _international(digits[1:])
    plan = _plan(country)
    return plan.national(digits) if plan is not None and len(digits) >= SHORTEST else None


def _international(digits: str) -> str | None:
    if digits[:1] in ("", "0"):
        return None
    for length in (1, 2, 3):
        if digits[:length] and int(digits[:length]) in COUNTRY_CODE_TO_REGION_CODE:
            main = COUNTRY_CODE_TO_REGION_CODE[int(digits[:length])][0]
            if main == REGION_CODE_FOR_NON_GEO_ENTITY:
                return None
            plan = _plan(main)
            return None if plan is None else plan.significant(digits[length:])
    return None


class _Plan:
    """The patterns of one country, compiled; each method mirrors a step of `phonenumbers.parse`."""

    def __init__(self, metadata: PhoneMetadata, general: PhoneNumberDesc, country_code: int) -> None:
        self.code = str(country_code)
        self.lengths = frozenset(general.possible_length)
        self.local_lengths = frozenset(general.possible_length_local_only)
        self.idd = re.compile(metadata.international_prefix or "(?!)").match
        self.prefix = re.compile(metadata.national_prefix_for_parsing or "(?!)").match
        self.transforms = bool(metadata.national_prefix_transform_rule)
        self.general = re.compile(general.national_number_pattern or "(?!)").fullmatch
        self.valid = _validity(country_code)

    def national(self, digits: str) -> str | None:
        """Read a number that was written without +: with an international prefix like 00, or at home."""
        abroad = self.idd(digits)
        if abroad is not None:
            # A country code never begins with 0: then the prefix was none, and the library decides.
            return _international(digits[abroad.end() :])
        if digits.startswith(self.code):
            return None
        return self.significant(digits)

    def significant(self, digits: str) -> str | None:
        """Drop the national prefix as the library would, and check what is left."""
        prefix = self.prefix(digits)
        if prefix is not None:
            if self.transforms:
                return None
            shorter = digits[prefix.end() :]
            if not self.general(shorter):
                return None
            # A remainder of another length would be put back by the library.
            if len(shorter) not in self.lengths or len(shorter) in self.local_lengths:
                return None
            digits = shorter
        # Leading zeros, as in Italy, take another way through the library.
        if digits[:1] == "0" or len(digits) not in NATIONAL_LENGTHS or not self.valid(digits):
            return None
        return f"+{self.code}{digits}"


@cache
def _plan(country: str) -> _Plan | None:
    metadata = PhoneMetadata.metadata_for_region(country, None)
    if metadata is None or metadata.general_desc is None or metadata.country_code is None:
        return None
    return _Plan(metadata, metadata.general_desc, metadata.country_code)


def _validity(country_code: int) -> Matcher:
    """Mirror `is_valid_number`: find the region of a number, then match the patterns of that region."""
    regions = COUNTRY_CODE_TO_REGION_CODE[country_code]
    plans = [PhoneMetadata.metadata_for_region(region, None) for region in regions]
    present = [plan for plan in plans if plan is not None]
    if len(regions) == 1:
        return _typed(present[0])
    steps = [
        (re.compile(plan.leading_digits).match if plan.leading_digits else None, _typed(plan))
        for plan in present
    ]

    def valid(digits: str) -> bool:
        for leading, typed in steps:
            if leading is None:
                if typed(digits):
                    return True
            elif leading(digits):
                return bool(typed(digits))
        return False

    return valid


def _typed(metadata: PhoneMetadata) -> Matcher:
    """Mirror `number_type(...) != UNKNOWN`: the general description and at least one type must match."""
    types = (
        metadata.fixed_line,
        None if metadata.same_mobile_and_fixed_line_pattern else metadata.mobile,
        metadata.premium_rate,
        metadata.toll_free,
        metadata.shared_cost,
        metadata.voip,
        metadata.personal_number,
        metadata.pager,
        metadata.uan,
        metadata.voicemail,
    )
    general = _described(metadata.general_desc)
    described = [_described(kind) for kind in types if kind is not None and kind.national_number_pattern]

    def typed(digits: str) -> bool:
        return general(digits) and any(matches(digits) for matches in described)

    return typed


def _described(description: PhoneNumberDesc | None) -> Callable[[str], bool]:
    """Mirror `_is_number_matching_desc`: the length, where lengths are given, and the pattern."""
    if description is None or not description.national_number_pattern:
        return lambda _digits: False
    lengths = frozenset(description.possible_length)
    matches = re.compile(description.national_number_pattern).fullmatch

    def described(digits: str) -> bool:
        return (not lengths or len(digits) in lengths) and matches(digits) is not None

    return described
