"""Where texts are cut and what they cost, at every border that matters."""

import pytest

from outrider.channels.sms.alphabet import Alphabet, decode_message, outside_gsm
from outrider.channels.sms.segments import PartOf, ReferenceSize, count, parts, without_header
from outrider.errors import InvalidInputError


@pytest.mark.parametrize(
    ("text", "alphabet", "segments", "left"),
    [
        ("", "gsm_7", 1, 160),
        ("a" * 160, "gsm_7", 1, 0),
        ("a" * 161, "gsm_7", 2, 145),
        ("a" * 306, "gsm_7", 2, 0),
        ("a" * 307, "gsm_7", 3, 152),
        ("€" * 80, "gsm_7", 1, 0),
        ("€" * 81, "gsm_7", 2, 143),
        ("a" * 152 + "€" + "a" * 10, "gsm_7", 2, 141),
        ("Ж" * 70, "ucs_2", 1, 0),
        ("Ж" * 71, "ucs_2", 2, 63),
        ("Ж" * 134, "ucs_2", 2, 0),
        ("💧" * 35, "ucs_2", 1, 0),
        ("💧" * 36, "ucs_2", 2, 61),
        ("Ж" * 66 + "💧" * 3, "ucs_2", 2, 61),
    ],
)
def test_borders(text: str, alphabet: str, segments: int, left: int) -> None:
    counted = count(text)
    assert (counted.alphabet.value, counted.segments, counted.left_in_last) == (alphabet, segments, left)


def test_sixteen_bits_of_reference_cost_one_unit_of_each_part() -> None:
    assert count("a" * 304, ReferenceSize.BITS_16).segments == 2
    assert count("a" * 305, ReferenceSize.BITS_16).segments == 3
    assert count("Ж" * 132, ReferenceSize.BITS_16).segments == 2
    assert count("Ж" * 133, ReferenceSize.BITS_16).segments == 3


def test_pairs_are_never_split() -> None:
    _, made = parts("a" * 152 + "€" + "a" * 10, 1)
    assert made[0][6:] == b"a" * 152
    assert made[1][6:] == b"\x1b\x65" + b"a" * 10
    _, made = parts("Ж" * 66 + "💧💧💧", 1)
    assert len(made[0]) == 6 + 132
    assert made[1][6:].decode("utf-16-be") == "💧💧💧"


def test_headers_octet_by_octet() -> None:
    _, made = parts("a" * 161, 0x1234)
    assert [part[:6].hex() for part in made] == ["050003340201", "050003340202"]
    _, made = parts("a" * 161, 0x1234, ReferenceSize.BITS_16)
    assert [part[:7].hex() for part in made] == ["06080412340201", "06080412340202"]


def test_more_parts_than_a_header_can_number_are_refused() -> None:
    assert count("a" * 153 * 256).segments == 256
    with pytest.raises(InvalidInputError, match="256 segments; at most 255"):
        parts("a" * 153 * 256, 1)
    assert len(parts("a" * 153 * 255, 1)[1]) == 255


def test_what_forces_ucs_2_is_named() -> None:
    assert count("“Hi” „you”").outside_gsm == "“”„"
    assert count("“" + "a" * 70).segments == 2
    assert count("Grüße €[]").outside_gsm == ""
    assert outside_gsm("aêbê") == "ê"


def test_a_lone_surrogate_becomes_a_replacement() -> None:
    alphabet, made = parts("a\ud83d", 1)
    assert alphabet is Alphabet.UCS_2
    assert made[0].decode("utf-16-be") == "a\ufffd"
    assert count("\ud83d" * 71).segments == 2


@pytest.mark.parametrize(
    ("data", "octets", "part"),
    [
        ("", "", None),
        ("0500032a0201 61", "61", PartOf(0x2A, 2, 1)),
        ("060804 2a2b 0302 61", "61", PartOf(0x2A2B, 3, 2)),
        ("0b 05041581000000032a0201 61", "61", PartOf(0x2A, 2, 1)),
        ("0500032a0203 61", "61", None),
        ("0500032a0200 61", "61", None),
        ("ff 0003", "", None),
        ("00 61", "61", None),
        ("0200", "", None),
    ],
)
def test_headers_that_are_received(data: str, octets: str, part: PartOf | None) -> None:
    assert without_header(bytes.fromhex(data)) == (bytes.fromhex(octets), part)


@pytest.mark.parametrize(
    ("data", "coding", "text"),
    [
        (b"\x00\x1b\x65\x1b\x3c\x02", 0, "@€[$"),
        (b"\x1b\x1b\x41\x1bA\x1b", 0, " AA"),
        (b"Hi\xe9", 3, "Hié"),
        (b"Hi\xe9", 1, "Hi\ufffd"),
        ("Да".encode("utf-16-be"), 8, "Да"),
        ("Да".encode("utf-16-be"), 0x18, "Да"),
        ("Да".encode("utf-16-be"), 0xE0, "Да"),
        (b"\x04", 8, "\ufffd"),
        (b"\xe9", 4, "é"),
        (b"\xe9", 0xF4, "é"),
        (b"\xe9", 0x14, "é"),
        (b"\x00", 0xF0, "@"),
        (b"\x00", 0xC8, "@"),
    ],
)
def test_received_messages_by_data_coding(data: bytes, coding: int, text: str) -> None:
    assert decode_message(data, coding) == text
