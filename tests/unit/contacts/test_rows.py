"""Rows of a file: what a clean one looks like, and the reasons of all rejections."""

import json

import pytest

from outrider.contacts.columns import map_columns
from outrider.contacts.emails import BadEmail, read_email
from outrider.contacts.rows import RowRules, clean_row
from outrider.contacts.time_zones import read_time_zone

HEADER = ("id", "phone", "phone2", "email", "time zone", "name", "note")
RULES = RowRules(columns=map_columns("f", HEADER), country="DE", duplicates_by="phone")
GOOD = ("7", "0171 2345678", "", "a@b.example", "", " Anna ", "")


def changed(**values: str) -> list[str]:
    names = ("id", "phone", "phone2", "email", "zone", "name", "note")
    return [values.get(name, value) for name, value in zip(names, GOOD, strict=True)]


def test_a_clean_row() -> None:
    row = clean_row(changed(phone2="030 1234567", zone="europe/berlin"), RULES)
    assert not isinstance(row, str)
    assert row[:3] == ("+491712345678", "7", "+491712345678")
    assert row[4:6] == ("a@b.example", "Europe/Berlin")
    assert [json.loads(text or "null") for text in (row[3], row[6])] == [["+49301234567"], {"name": "Anna"}]


def test_the_same_number_twice_is_one_and_an_extension_is_an_attribute() -> None:
    row = clean_row(changed(phone2="+49 171 2345678 ext 5"), RULES)
    assert not isinstance(row, str)
    assert row[3] is None
    assert json.loads(row[6] or "") == {"name": "Anna", "phone2 extension": "5"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (changed()[:-1], "6 columns, but the header has 7"),
        ([*changed(), ""], "8 columns, but the header has 7"),
        (changed(phone="", email=""), "neither a phone number nor an email address"),
        (changed(phone=""), "no phone, by which the list recognises duplicates"),
        (changed(phone="123"), "there is no such number in DE"),
        (changed(phone2="x"), "phone 'x': it is not a phone number"),
        (changed(email="a.b.example"), "it has no @"),
        (changed(zone="Berlin time"), "time zone 'Berlin time': not an IANA name"),
        (changed(id="x" * 201), "external id longer than 200"),
        (changed(id="1\n2"), "external id with a line break"),
        (changed(note="x" * 4001), "note: longer than 4,000"),
        (changed(name="J\udcfcrgen"), "name: has bytes that do not belong"),
        (changed(note="K\ufffdln"), "note: has bytes that do not belong"),
    ],
)
def test_rejections_say_why(fields: list[str], reason: str) -> None:
    result = clean_row(fields, RULES)
    assert isinstance(result, str)
    assert reason in result


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Anna.Lang+x@Example.COM", "Anna.Lang+x@example.com"),
        ("Anna Lang <anna@example.com>", "anna@example.com"),
        ("mailto:anna@example.com", "anna@example.com"),
        ("info@müller.example", "info@xn--mller-kva.example"),
    ],
)
def test_mail_addresses(text: str, address: str) -> None:
    assert read_email(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "anna",
        "@example.com",
        "anna@",
        "anna@localhost",
        "a b@example.com",
        "a@b@example.com",
        "anna..lang@example.com",
        ".anna@example.com",
        "anna@-example.com",
        "anna@example.c",
        "jürgen@example.com",
        "a@example.com, b@example.com",
        "a\r\nBcc: x@example.com",
        "x" * 65 + "@example.com",
        "a@" + "b" * 250 + ".com",
        "a@\u2028.example",
    ],
)
def test_bad_mail_addresses(text: str) -> None:
    assert isinstance(read_email(text), BadEmail)


def test_time_zones() -> None:
    assert read_time_zone("america/new york") == "America/New_York"
    assert read_time_zone("UTC") == "UTC"
    assert read_time_zone("CET+1") is None
