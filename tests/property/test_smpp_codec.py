"""The SMPP codec: whatever is written is read back the same, and no octets can do worse than be refused."""

import string
from contextlib import suppress
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from outrider.channels.sms.bodies import (
    Address,
    Bind,
    BindResponse,
    BindType,
    Body,
    DeliverSm,
    DeliverSmResponse,
    EnquireLink,
    EnquireLinkResponse,
    GenericNack,
    Outbind,
    Pdu,
    SubmitSm,
    SubmitSmResponse,
    Unbind,
    UnbindResponse,
    Unsupported,
)
from outrider.channels.sms.constants import MAX_PDU_LENGTH, Command
from outrider.channels.sms.framing import Framer
from outrider.channels.sms.inbound import InboundPart, news_of
from outrider.channels.sms.octets import MalformedPduError
from outrider.channels.sms.pdu import HEADER, decode, encode
from support.mail_sink import NOON

octet = st.integers(0, 255)
tags = st.integers(0, 0xFFFF)


def text(longest: int) -> st.SearchStrategy[str]:
    """Return C-octet strings: Latin-1 without NUL."""
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=longest)


addresses = st.builds(Address, octet, octet, text(20))
tlvs = st.dictionaries(tags, st.binary(max_size=300), max_size=4)


def messages(kind: Any) -> st.SearchStrategy[Any]:
    """Return submit_sm or deliver_sm with every field filled in any way."""
    return st.builds(
        kind,
        addresses,
        addresses,
        st.binary(max_size=254),
        octet,
        octet,
        octet,
        text(16),
        tlvs,
        text(5),
        octet,
        octet,
        text(16),
        octet,
        octet,
    )


kinds = st.sampled_from(BindType)
known = {int(command) for command in Command}
bodies: st.SearchStrategy[Body] = st.one_of(
    messages(SubmitSm),
    messages(DeliverSm),
    st.builds(Bind, kinds, text(15), text(64), text(12), octet, octet, octet, text(40)),
    st.builds(BindResponse, kinds, text(15), tlvs),
    st.builds(Outbind, text(15), text(64)),
    st.builds(SubmitSmResponse, text(64), tlvs),
    st.sampled_from(
        [DeliverSmResponse(), EnquireLink(), EnquireLinkResponse(), Unbind(), UnbindResponse(), GenericNack()]
    ),
    st.builds(
        Unsupported, st.integers(0, 0xFFFFFFFF).filter(lambda c: c not in known), st.binary(max_size=100)
    ),
)
pdus = st.builds(Pdu, bodies, st.integers(0, 0x7FFFFFFF), st.integers(0, 0xFFFFFFFF))


@given(pdus)
def test_what_is_written_is_read_back_the_same(pdu: Pdu) -> None:
    assert decode(encode(pdu)) == pdu


@given(st.lists(pdus, max_size=6), st.lists(st.integers(1, 50), max_size=60))
def test_a_stream_may_be_cut_anywhere(sent: list[Pdu], cuts: list[int]) -> None:
    stream = b"".join(encode(pdu) for pdu in sent)
    framer = Framer()
    got: list[Pdu] = []
    at = 0
    for cut in cuts:
        got += [decode(octets) for octets in framer.feed(stream[at : at + cut])]
        at += cut
    got += [decode(octets) for octets in framer.feed(stream[at:])]
    assert got == sent
    assert framer.kept == 0


@given(st.binary(max_size=400))
@example(b"")
def test_no_octets_can_do_worse_than_be_refused(data: bytes) -> None:
    with suppress(MalformedPduError):
        decode(data)


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(known)),
    st.sampled_from([0, 1, 0x58]),
    st.integers(0, 0x7FFFFFFF),
    st.binary(max_size=300),
)
def test_any_content_behind_a_true_header(command: int, status: int, sequence: int, content: bytes) -> None:
    data = HEADER.pack(16 + len(content), command, status, sequence) + content
    refused: MalformedPduError | None = None
    try:
        pdu = decode(data)
        found = (pdu.sequence, pdu.status)
    except MalformedPduError as error:
        refused, found = error, (sequence, status)
    assert found == (sequence, status)
    assert refused is None or refused.facts == {"command": command, "sequence": sequence}


@settings(max_examples=300)
@given(pdus, st.data())
def test_a_true_pdu_damaged_anywhere(pdu: Pdu, data: st.DataObject) -> None:
    octets = bytearray(encode(pdu))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(octet)
    cut = bytes(octets[: data.draw(st.integers(0, len(octets)))])
    for damaged in (bytes(octets), cut):
        with suppress(MalformedPduError):
            decode(damaged)


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_a_stream_of_nonsense_is_bounded_or_refused(chunks: list[bytes]) -> None:
    framer = Framer()
    try:
        for chunk in chunks:
            framer.feed(chunk)
    except MalformedPduError:
        return
    assert framer.kept < MAX_PDU_LENGTH


@given(messages(DeliverSm))
def test_whatever_is_delivered_can_be_told(message: DeliverSm) -> None:
    news = news_of(message, "main", NOON)
    if isinstance(news, InboundPart):
        assert news.text.at == NOON


receipt_text = st.text(string.ascii_letters + string.digits + ": ", max_size=120).map(str.encode)


@given(receipt_text, tlvs)
def test_whatever_a_receipt_says_can_be_read(said: bytes, parameters: dict[int, bytes]) -> None:
    news_of(DeliverSm(short_message=said, esm_class=4, tlvs=parameters), "main", NOON)
