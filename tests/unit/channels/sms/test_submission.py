"""From a text to its PDUs: numbers, senders, receipts, references, validity, parts and payload."""

from dataclasses import replace

import pytest

from outrider.channels.sms.bodies import Address
from outrider.channels.sms.connection_settings import LongMessages, SmppSettings
from outrider.channels.sms.constants import Tag
from outrider.channels.sms.submission import (
    BadRecipientError,
    destination_of,
    source_of,
    submissions,
    validity_period,
)
from outrider.errors import InvalidInputError
from support.message_centre import a_text

SETTINGS = SmppSettings("main", "127.0.0.1", 2775, "test", "test", sender="OUTRIDER")


def test_one_pdu_for_a_short_text() -> None:
    (message,), segments = submissions(a_text(0x1234, validity=60.0), SETTINGS, 9)
    assert segments == 1
    assert message.source == Address(5, 0, "OUTRIDER")
    assert message.destination == Address(1, 1, "4915550001")
    assert (message.short_message, message.data_coding, message.esm_class) == (b"Hello", 0, 0)
    assert message.registered_delivery == 1
    assert message.tlvs == {Tag.USER_MESSAGE_REFERENCE: b"\x12\x34"}
    assert message.validity_period == "000000000100000R"


def test_no_receipt_where_none_is_wanted_or_possible() -> None:
    assert submissions(a_text(1, receipt=False), SETTINGS, 1)[0][0].registered_delivery == 0
    without = replace(SETTINGS, receipts=False)
    assert submissions(a_text(1), without, 1)[0][0].registered_delivery == 0
    assert submissions(a_text("no number"), SETTINGS, 1)[0][0].tlvs == {}


def test_parts_share_reference_and_tlvs() -> None:
    made, segments = submissions(a_text(7, text="Ж" * 140), SETTINGS, 0x1F)
    assert segments == len(made) == 3
    assert [one.short_message[:6].hex() for one in made] == [f"0500031f030{number}" for number in (1, 2, 3)]
    assert {one.esm_class for one in made} == {0x40}
    assert {one.data_coding for one in made} == {8}
    assert {one.tlvs[Tag.USER_MESSAGE_REFERENCE] for one in made} == {b"\0\7"}


def test_payload_only_where_it_is_needed() -> None:
    settings = replace(SETTINGS, long_messages=LongMessages.PAYLOAD)
    (message,), segments = submissions(a_text(7, text="x" * 161), settings, 1)
    assert (segments, message.short_message, message.esm_class) == (2, b"", 0)
    assert message.tlvs[Tag.MESSAGE_PAYLOAD] == b"x" * 161
    (message,), segments = submissions(a_text(7, text="x" * 160), settings, 1)
    assert (segments, message.short_message) == (1, b"x" * 160)
    with pytest.raises(InvalidInputError, match="at most 255"):
        submissions(a_text(7, text="x" * 153 * 256), settings, 1)


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("", Address(0, 0, "")),
        ("+4930123456", Address(1, 1, "4930123456")),
        ("4930123456", Address(1, 1, "4930123456")),
        ("12345", Address(3, 0, "12345")),
        ("+12345", Address(1, 1, "12345")),
        ("Water Co", Address(5, 0, "Water Co")),
    ],
)
def test_senders_are_told_apart(sender: str, address: Address) -> None:
    assert source_of(sender, SETTINGS) == address


def test_a_sender_may_be_typed_by_configuration() -> None:
    typed = replace(SETTINGS, source_ton=2, source_npi=8, destination_ton=0, destination_npi=0)
    assert source_of("12345", typed) == Address(2, 8, "12345")
    assert destination_of("+4915550001", typed) == Address(0, 0, "4915550001")


@pytest.mark.parametrize("sender", ["Wasserwerke!", "Wäsche", "a\tb"])
def test_impossible_senders(sender: str) -> None:
    with pytest.raises(InvalidInputError, match="sender"):
        source_of(sender, SETTINGS)


@pytest.mark.parametrize(
    "address", ["", "mary", "+", "12", "+49 155", "+4915550001555500015550", "\u0661\u0662\u0663"]
)
def test_impossible_recipients(address: str) -> None:
    with pytest.raises(BadRecipientError, match="not a phone number"):
        destination_of(address, SETTINGS)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (None, ""),
        (0.0, "000000000001000R"),
        (90.0, "000000000130000R"),
        (3_600.0, "000000010000000R"),
        (86_400.0 * 2 + 59, "000002000059000R"),
        (86_400.0 * 35, "000105000000000R"),
        (1e12, "000309000000000R"),
    ],
)
def test_validity(seconds: float | None, written: str) -> None:
    assert validity_period(seconds) == written
