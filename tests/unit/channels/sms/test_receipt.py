"""Receipts as real centres write them, in parameters and in text."""

import pytest

from outrider.channels.model import ReceiptState, TextReceipt
from outrider.channels.sms.bodies import Address, DeliverSm
from outrider.channels.sms.constants import Tag
from outrider.channels.sms.inbound import InboundPart, e164, news_of
from outrider.channels.sms.receipt import id_variants, is_receipt, read_receipt
from outrider.channels.sms.segments import PartOf
from support.mail_sink import NOON

APPENDIX_B = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2603021200 done date:2603021201 "
    b"stat:DELIVRD err:000 text:Hello"
)


def a_receipt(text: bytes = b"", **tlvs: bytes) -> DeliverSm:
    named: dict[int, bytes] = {Tag[name.upper()]: value for name, value in tlvs.items()}
    return DeliverSm(Address(1, 1, "4915550001"), Address(0, 0, "12345"), text, esm_class=4, tlvs=named)


def test_the_text_of_appendix_b() -> None:
    read = read_receipt(a_receipt(APPENDIX_B))
    assert (read.message_id, read.state, read.reference, read.error) == (
        "0123456789",
        ReceiptState.DELIVERED,
        None,
        "",
    )


def test_parameters_win_over_the_text() -> None:
    read = read_receipt(
        a_receipt(
            APPENDIX_B,
            receipted_message_id=b"abc\0",
            message_state=b"\5",
            user_message_reference=b"\1\2",
            network_error_code=b"\3\0\x1b",
        )
    )
    assert (read.message_id, read.state, read.reference, read.error) == (
        "abc",
        ReceiptState.UNDELIVERABLE,
        0x102,
        "GSM error 27",
    )


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("DELIVRD", ReceiptState.DELIVERED),
        ("delivrd", ReceiptState.DELIVERED),
        ("EXPIRED", ReceiptState.EXPIRED),
        ("DELETED", ReceiptState.DELETED),
        ("UNDELIV", ReceiptState.UNDELIVERABLE),
        ("FAILED", ReceiptState.UNDELIVERABLE),
        ("ACCEPTD", ReceiptState.ACCEPTED),
        ("REJECTD", ReceiptState.REJECTED),
        ("ENROUTE", ReceiptState.ENROUTE),
        ("UNKNOWN", ReceiptState.UNKNOWN),
        ("WHATEVER", ReceiptState.UNKNOWN),
    ],
)
def test_states_in_words(word: str, state: ReceiptState) -> None:
    assert read_receipt(a_receipt(f"id:1 stat:{word} err:0a1".encode())).state is state


@pytest.mark.parametrize(
    ("number", "state"), list(enumerate(["enroute", "enroute", "delivered", "expired", "deleted"]))
)
def test_states_in_numbers(number: int, state: str) -> None:
    assert read_receipt(a_receipt(b"id:1", message_state=bytes((number,)))).state == state


def test_an_unknown_number_leaves_the_word_to_decide() -> None:
    assert read_receipt(a_receipt(APPENDIX_B, message_state=b"\x63")).state is ReceiptState.DELIVERED


@pytest.mark.parametrize(
    "text",
    [
        b"ID:77 Sub:001 Stat:DELIVRD Err:000",
        b"id: 77 stat: DELIVRD",
        b"stat:DELIVRD id:77",
        b"id:77 submit date:2603021200 stat:DELIVRD text:id:99 stat:EXPIRED",
    ],
)
def test_texts_of_other_centres(text: bytes) -> None:
    read = read_receipt(a_receipt(text))
    assert (read.message_id, read.state) == ("77", ReceiptState.DELIVERED)


def test_what_is_a_receipt() -> None:
    assert is_receipt(a_receipt())
    assert is_receipt(DeliverSm(tlvs={Tag.RECEIPTED_MESSAGE_ID: b"1\0"}))
    assert not is_receipt(DeliverSm(short_message=APPENDIX_B))
    assert not is_receipt(DeliverSm(esm_class=0x08))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("00001000", "4096"),
        ("0000004096", "00001000"),
        ("4096", "1000"),
        ("0A1B", "0a1b"),
        ("0a1b", "2587"),
        ("2587", "0A1B"),
        ("00ab", "ab"),
        ("f47ac10b-58cc", "F47AC10B-58CC"),
    ],
)
def test_ids_in_another_form_are_found(given: str, found: str) -> None:
    assert id_variants(given)[0] == given
    assert set(id_variants(given)) & set(id_variants(found))
    if given != "f47ac10b-58cc":
        assert found in id_variants(given) or found.lstrip("0").lower() in id_variants(given)


def test_an_empty_id_has_no_variants() -> None:
    assert id_variants("") == ()
    assert id_variants("0") == ("0", "00000000", "0000000000")


def test_a_receipt_becomes_news() -> None:
    news = news_of(a_receipt(APPENDIX_B, user_message_reference=b"\0\7"), "main", NOON)
    assert news == TextReceipt("main", "0123456789", NOON, ReceiptState.DELIVERED, "+4915550001", 7, "")


def test_a_text_becomes_news_with_its_part() -> None:
    message = DeliverSm(
        Address(1, 1, "4915550001"), Address(3, 0, "12345"), b"\x05\x00\x03\x2a\x02\x01Hi", esm_class=0x40
    )
    news = news_of(message, "main", NOON)
    assert isinstance(news, InboundPart)
    assert (news.text.sender, news.text.recipient, news.text.text) == ("+4915550001", "12345", "Hi")
    assert news.part == PartOf(0x2A, 2, 1)


@pytest.mark.parametrize(
    ("total", "number", "part"), [(b"\2", b"\1", PartOf(7, 2, 1)), (b"\2", b"\3", None), (b"", b"\1", None)]
)
def test_parts_by_sar_parameters(total: bytes, number: bytes, part: PartOf | None) -> None:
    tlvs: dict[int, bytes] = {
        Tag.SAR_MSG_REF_NUM: b"\0\7",
        Tag.SAR_TOTAL_SEGMENTS: total,
        Tag.SAR_SEGMENT_SEQNUM: number,
    }
    news = news_of(DeliverSm(short_message=b"Hi", tlvs=tlvs), "main", NOON)
    assert isinstance(news, InboundPart)
    assert news.part == part


@pytest.mark.parametrize(
    ("ton", "digits", "number"),
    [
        (1, "4915550001", "+4915550001"),
        (0, "4915550001", "+4915550001"),
        (0, "015550001", "015550001"),
        (2, "15550001234", "15550001234"),
        (0, "12345", "12345"),
        (3, "12345", "12345"),
        (5, "WATER", "WATER"),
        (1, "+4915550001", "+4915550001"),
        (0, "", ""),
    ],
)
def test_numbers_become_e164_where_they_are_international(ton: int, digits: str, number: str) -> None:
    assert e164(Address(ton, 1, digits)) == number
