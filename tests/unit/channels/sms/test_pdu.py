"""The codec against octets written out by hand from the specification, and every refusal of its own."""

import pytest

from outrider.channels.sms.bodies import (
    Address,
    Bind,
    BindResponse,
    BindType,
    DeliverSm,
    EnquireLink,
    Outbind,
    Pdu,
    SubmitSm,
    SubmitSmResponse,
    Unsupported,
)
from outrider.channels.sms.constants import Tag
from outrider.channels.sms.framing import Framer
from outrider.channels.sms.octets import MalformedPduError, tlv_integer, tlv_string
from outrider.channels.sms.pdu import decode, encode, message_octets
from outrider.errors import InvalidInputError

BIND = bytes.fromhex(
    "0000002f 00000002 00000000 00000001"
    "534d50503354455354 00 7365637265743038 00 5355424d495431 00 00 01 01 00"
)
"""The example of a PDU in the SMPP 3.4 specification: bind_transmitter, interface_version 0."""

SUBMIT = bytes.fromhex(
    "0000003f 00000004 00000000 00000005"
    "00 05 00 4f555452494445 5200 01 01 3439313535353000"
    "00 00 00 00 00 01 00 00 00 05 48656c6c6f"
    "0204 0002 0007 0424 0000"
)


def test_the_bind_of_the_specification() -> None:
    expected = Bind(BindType.TRANSMITTER, "SMPP3TEST", "secret08", "SUBMIT1", 0, 1, 1, "")
    assert decode(BIND) == Pdu(expected, 1)
    assert encode(Pdu(expected, 1)) == BIND
    assert "secret08" not in repr(expected)


def test_a_submission_octet_by_octet() -> None:
    message = SubmitSm(
        Address(5, 0, "OUTRIDER"),
        Address(1, 1, "4915550"),
        b"Hello",
        registered_delivery=1,
        tlvs={Tag.USER_MESSAGE_REFERENCE: b"\0\7", Tag.MESSAGE_PAYLOAD: b""},
    )
    assert encode(Pdu(message, 5)).hex() == SUBMIT.hex()
    assert decode(SUBMIT) == Pdu(message, 5)


@pytest.mark.parametrize(
    "octets", ["00000010 80000009 0000000e 00000001", "00000011 80000009 0000000e 00000001 00"]
)
def test_a_bind_may_be_refused_without_a_body(octets: str) -> None:
    pdu = decode(bytes.fromhex(octets))
    assert (pdu.status, pdu.body) == (0x0E, BindResponse(BindType.TRANSCEIVER))


def test_a_submission_may_be_refused_without_a_body() -> None:
    pdu = decode(bytes.fromhex("00000010 80000004 00000058 00000009"))
    assert pdu == Pdu(SubmitSmResponse(), 9, 0x58)
    assert encode(pdu) == bytes.fromhex("00000010 80000004 00000058 00000009")


def test_the_answer_to_a_bind_tells_the_version() -> None:
    pdu = decode(bytes.fromhex("00000019 80000009 00000000 00000001 73696d00 0210 0001 34"))
    assert isinstance(pdu.body, BindResponse)
    assert pdu.body.system_id == "sim"
    assert tlv_integer(pdu.body.tlvs, Tag.SC_INTERFACE_VERSION) == 0x34


def test_outbind_and_unknown_commands_are_understood_as_such() -> None:
    assert decode(bytes.fromhex("00000014 0000000b 00000000 00000001 61006200")).body == Outbind("a", "b")
    assert decode(bytes.fromhex("00000012 00000103 00000000 00000001 6100")).body == Unsupported(
        0x103, b"a\0"
    )


def test_message_payload_stands_in_for_the_short_message() -> None:
    assert message_octets(DeliverSm(short_message=b"a", tlvs={Tag.MESSAGE_PAYLOAD: b"b"})) == b"a"
    assert message_octets(DeliverSm(tlvs={Tag.MESSAGE_PAYLOAD: b"b"})) == b"b"
    assert message_octets(DeliverSm()) == b""


def test_optional_parameters_of_odd_kinds() -> None:
    assert tlv_integer({1: b""}, 1) is None
    assert tlv_string({1: b"id\0rest"}, 1) == "id"
    twice = bytes.fromhex("0000001b 80000004 00000000 00000001 00 0001000161 0001000162")
    assert decode(twice).body == SubmitSmResponse("", {1: b"a"})


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("", "0 octets are no PDU"),
        ("00000010", "4 octets are no PDU"),
        ("00000011 00000015 00000000 00000001", "says that it has 17 octets and has 16"),
        ("00000012 00000009 00000000 00000001 6161", "system_id at octet 16 has no end"),
        ("00000014 00000009 00000000 00000001 61006200", "system_type at octet 20 has no end"),
        ("00000016 00000009 00000000 00000001 610062000034", "cut off before address_range"),
        ("00000010 80000009 00000000 00000001", "system_id at octet 16 has no end"),
        ("00000012 00000004 00000000 00000001 0001", "the message is cut off"),
        ("00000014 80000004 00000000 00000001 61000001", "cut off"),
        ("00000016 80000004 00000000 00000001 610000010005", "0x0001 is cut off"),
        (
            "00000021 00000005 00000000 00000001 00 0000 00 0000 00 000000 00 00 00 00 00 00 09",
            "says 9 octets, 0 are",
        ),
    ],
)
def test_malformed_octets_are_refused_with_the_place(octets: str, words: str) -> None:
    with pytest.raises(MalformedPduError, match=words):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("pdu", "where"),
    [
        (Pdu(Bind(BindType.RECEIVER, "x" * 16), 1), "system_id"),
        (Pdu(Bind(BindType.RECEIVER, "x", "\u20ac"), 1), "password"),
        (Pdu(Bind(BindType.RECEIVER, "a\0b"), 1), "system_id"),
        (Pdu(Bind(BindType.RECEIVER, "x", interface_version=256), 1), "interface_version"),
        (Pdu(SubmitSm(short_message=b"x" * 255), 1), "short_message"),
        (Pdu(SubmitSm(destination=Address(0, 0, "1" * 21)), 1), "destination_addr"),
        (Pdu(SubmitSm(data_coding=256), 1), None),
        (Pdu(SubmitSm(tlvs={0x10000: b""}), 1), "tlv 65536"),
        (Pdu(SubmitSmResponse("x" * 65), 1), "message_id"),
        (Pdu(EnquireLink(), -1), "sequence_number"),
        (Pdu(EnquireLink(), 0x80000000), "sequence_number"),
        (Pdu(EnquireLink(), 1, 1 << 32), "command_status"),
        (Pdu(Unsupported(1, b"x" * 70_000), 1), None),
    ],
)
def test_what_does_not_fit_is_not_written(pdu: Pdu, where: str | None) -> None:
    with pytest.raises(InvalidInputError) as caught:
        encode(pdu)
    assert caught.value.facts.get("where") == where


@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFFFFFF, 0x48545450])
def test_an_impossible_length_ends_the_stream(length: int) -> None:
    with pytest.raises(MalformedPduError, match="impossible"):
        Framer().feed(length.to_bytes(4, "big"))
