"""From a deliver_sm to the news the sink takes: a receipt, or a text that a person sent. Pure.

`session` calls it for every deliver_sm; times are given, never read.
"""

import datetime as dt
from dataclasses import dataclass

from outrider.channels.model import InboundText, TextReceipt
from outrider.channels.sms.alphabet import decode_message
from outrider.channels.sms.bodies import Address, DeliverSm
from outrider.channels.sms.constants import ESM_UDH, Tag, Ton
from outrider.channels.sms.octets import tlv_integer
from outrider.channels.sms.pdu import message_octets
from outrider.channels.sms.receipt import is_receipt, read_receipt
from outrider.channels.sms.segments import PartOf, without_header

_SHORTEST_NUMBER, _LONGEST_NUMBER = 8, 15


@dataclass(frozen=True, slots=True)
class InboundPart:
    """A text from a person, and which part of a longer one it is, if it is one."""

    text: InboundText
    part: PartOf | None


def news_of(message: DeliverSm, connection: str, at: dt.datetime) -> TextReceipt | InboundPart:
    """Return what a deliver_sm tells. Never raises: what is missing or unknown stays empty or UNKNOWN."""
    if is_receipt(message):
        receipt = read_receipt(message)
        return TextReceipt(
            connection,
            receipt.message_id,
            at,
            receipt.state,
            e164(message.source),
            receipt.reference,
            receipt.error,
        )
    octets, part = message_octets(message), None
    if message.esm_class & ESM_UDH:
        octets, part = without_header(octets)
    text = decode_message(octets, message.data_coding)
    sender, recipient = e164(message.source), e164(message.destination)
    return InboundPart(InboundText(connection, at, sender, recipient, text), part or _sar(message))


def e164(address: Address) -> str:
    """Return an address as E.164 with plus where it is an international number, else as it came.

    Many centres leave the type of number unknown: 8 to 15 digits without a leading zero are taken as
    international then; short codes and names stay as they are.
    """
    digits = address.digits
    if not digits.isdecimal() or not digits.isascii():
        return digits
    likely = _SHORTEST_NUMBER <= len(digits) <= _LONGEST_NUMBER and not digits.startswith("0")
    international = address.ton == Ton.INTERNATIONAL or (address.ton == Ton.UNKNOWN and likely)
    return f"+{digits}" if international else digits


def _sar(message: DeliverSm) -> PartOf | None:
    """Return which part a message is by its sar_ parameters (5.3.2.22 to 24), or None."""
    reference = tlv_integer(message.tlvs, Tag.SAR_MSG_REF_NUM)
    total = tlv_integer(message.tlvs, Tag.SAR_TOTAL_SEGMENTS)
    number = tlv_integer(message.tlvs, Tag.SAR_SEGMENT_SEQNUM)
    if reference is None or not total or not number or number > total:
        return None
    return PartOf(reference, total, number)
