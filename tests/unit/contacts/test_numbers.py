"""Phone numbers: what is understood, what is refused and why, and that the short cut equals the library."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import NumberParseException, PhoneNumberFormat

from outrider.contacts.number_plans import short_cut
from outrider.contacts.numbers import BadNumber, Number, check_country, read_number
from outrider.errors import InvalidInputError

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
COMMON = ["DE", "GB", "FR", "ES", "US", "CA", "IT", "AT", "BR", "MX", "AR", "RU", "KZ", "AU", "IN"]
FORMATS = [PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL]
INSERTED = "0123456789 ()-./+"


def by_library(text: str, country: str) -> str | None:
    """Return what `phonenumbers` makes of a text: the reference."""
    try:
        parsed = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


@st.composite
def written_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """Draw an example number of some region in some format, with some characters changed."""
    country = draw(st.sampled_from(COMMON) | st.sampled_from(REGIONS))
    owner = draw(st.just(country) | st.sampled_from(REGIONS))
    kind = draw(st.sampled_from([0, 1, 2, 3, 4, 6]))
    number = phonenumbers.example_number_for_type(owner, kind) or phonenumbers.example_number(owner)
    assert number is not None
    text = phonenumbers.format_number(number, draw(st.sampled_from(FORMATS)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from(INSERTED)) + text[place + draw(st.integers(0, 1)) :]
    return text, country


@given(written_numbers())
@settings(max_examples=1500, deadline=None)
@example(("+49 (0)30 1234567", "DE"))
@example(("0049 30 1234567", "DE"))
@example(("1 (212) 555-0123", "US"))
@example(("+39 06 1234 5678", "IT"))
@example(("+800 1234 5678", "DE"))
@example(("+(49)301234567", "DE"))
@example(("08 9 1234", "BR"))
def test_the_short_cut_equals_the_library(written: tuple[str, str]) -> None:
    text, country = written
    fast = short_cut(text, country)
    if fast is not None:
        assert fast == by_library(text, country)
    read = read_number(text, country)
    assert (read.e164 if isinstance(read, Number) else None) == by_library(text, country)


@given(st.text("0123456789 ()-./+", max_size=20), st.sampled_from(REGIONS))
@settings(max_examples=1500, deadline=None)
def test_the_short_cut_equals_the_library_on_any_digits(text: str, country: str) -> None:
    fast = short_cut(text, country)
    assert fast is None or fast == by_library(text, country)


@given(st.text(max_size=60), st.sampled_from(COMMON))
def test_no_text_breaks_it(text: str, country: str) -> None:
    assert isinstance(read_number(text, country), Number | BadNumber)


@pytest.mark.parametrize("country", sorted(set(COMMON) - {"AR"}))
def test_ordinary_numbers_take_the_short_cut(country: str) -> None:
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    assert number is not None
    assert short_cut(phonenumbers.format_number(number, PhoneNumberFormat.E164), country) is not None


@pytest.mark.parametrize(
    ("text", "country", "e164"),
    [
        ("0171/234 56 78", "DE", "+491712345678"),
        ("(030) 1234567", "DE", "+49301234567"),
        ("+49 (0)171 2345678", "GB", "+491712345678"),
        ("0049 171 2345678", "DE", "+491712345678"),
        ("01 71 23 45 67 8", "FR", None),
        ("06.12.34.56.78", "FR", "+33612345678"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("612 345 678", "ES", "+34612345678"),
        ("(212) 555-2368", "US", "+12125552368"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("1-800-FLOWERS", "US", "+18003569377"),
    ],
)
def test_ways_to_write_numbers(text: str, country: str, e164: str | None) -> None:
    read = read_number(text, country)
    assert (read.e164 if isinstance(read, Number) else None) == e164


def test_an_extension_is_kept_apart() -> None:
    assert read_number("+1 212 555 2368 ext. 42", "US") == Number("+12125552368", "42")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("12", "there is no such number in DE"),
        ("abc", "it is not a phone number"),
        ("+999 12345678", "its country code does not exist"),
        ("0171 2345678 0171 2345678", "it is too long"),
        ("4,91712E+11", "was shortened by a spreadsheet"),
        ("0" * 300, "it is too long"),
    ],
)
def test_bad_numbers_say_why(text: str, reason: str) -> None:
    read = read_number(text, "DE")
    assert isinstance(read, BadNumber)
    assert reason in read.reason
    assert len(read.reason) < 150


def test_countries() -> None:
    assert check_country(" de ") == "DE"
    for bad in ("", "XX", "Germany", "001"):
        with pytest.raises(InvalidInputError, match="not a two-letter country code"):
            check_country(bad)
