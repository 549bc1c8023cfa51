"""Reading delivery receipts: optional parameters first, then the text form of SMPP 3.4 appendix B. Pure.

`inbound` uses it. Centres write the id of the submission in decimal in receipts and in hexadecimal in
responses, or the other way round: whoever looks a receipt up tries `id_variants`.
"""

import re
from dataclasses import dataclass

from outrider.channels.model import ReceiptState
from outrider.channels.sms.bodies import DeliverSm
from outrider.channels.sms.constants import ESM_RECEIPT, ESM_TYPE_MASK, Tag
from outrider.channels.sms.octets import tlv_integer, tlv_string
from outrider.channels.sms.pdu import message_octets

_BY_NUMBER = {
    0: ReceiptState.ENROUTE,
    1: ReceiptState.ENROUTE,
    2: ReceiptState.DELIVERED,
    3: ReceiptState.EXPIRED,
    4: ReceiptState.DELETED,
    5: ReceiptState.UNDELIVERABLE,
    6: ReceiptState.ACCEPTED,
    7: ReceiptState.UNKNOWN,
    8: ReceiptState.REJECTED,
    9: ReceiptState.UNDELIVERABLE,
}
"""message_state (5.2.28); 0 scheduled and 9 skipped are of SMPP 5.0."""
_BY_WORD = {
    "ACCEPTD": ReceiptState.ACCEPTED,
    "ACCEPTED": ReceiptState.ACCEPTED,
    "BUFFERED": ReceiptState.ENROUTE,
    "DELETED": ReceiptState.DELETED,
    "DELIVERED": ReceiptState.DELIVERED,
    "DELIVRD": ReceiptState.DELIVERED,
    "ENROUTE": ReceiptState.ENROUTE,
    "EXPIRED": ReceiptState.EXPIRED,
    "FAILED": ReceiptState.UNDELIVERABLE,
    "REJECTD": ReceiptState.REJECTED,
    "REJECTED": ReceiptState.REJECTED,
    "SKIPPED": ReceiptState.UNDELIVERABLE,
    "UNDELIV": ReceiptState.UNDELIVERABLE,
    "UNDELIVERABLE": ReceiptState.UNDELIVERABLE,
    "UNDELIVERED": ReceiptState.UNDELIVERABLE,
    "UNKNOWN": ReceiptState.UNKNOWN,
}
_ID = re.compile(r"\bid:\s*([^\s:]+)", re.IGNORECASE)
_STATE = re.compile(r"\bstat:\s*([a-z]+)", re.IGNORECASE)
_ERROR = re.compile(r"\berr:\s*([0-9a-z]+)", re.IGNORECASE)
_NETWORKS = {1: "ANSI-136", 2: "IS-95", 3: "GSM", 4: "reserved"}
_NETWORK_ERROR_LENGTH = 3
_NO_ERROR = re.compile(r"0*")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one receipt says: the id the centre gave, the state, our reference if echoed, the error's code."""

    message_id: str
    state: ReceiptState
    reference: int | None
    error: str


def is_receipt(message: DeliverSm) -> bool:
    """Return whether a deliver_sm is a receipt: by esm_class (5.2.12), or by the id it is a receipt for."""
    return message.esm_class & ESM_TYPE_MASK == ESM_RECEIPT or Tag.RECEIPTED_MESSAGE_ID in message.tlvs


def read_receipt(message: DeliverSm) -> Receipt:
    """Return what a receipt says; whatever it leaves out is empty, None or UNKNOWN. Never raises."""
    text = message_octets(message).decode("latin-1")
    number = tlv_integer(message.tlvs, Tag.MESSAGE_STATE)
    state = _BY_NUMBER.get(number) if number is not None else None
    if state is None:
        state = _BY_WORD.get(_found(_STATE, text).upper(), ReceiptState.UNKNOWN)
    return Receipt(
        tlv_string(message.tlvs, Tag.RECEIPTED_MESSAGE_ID) or _found(_ID, text),
        state,
        tlv_integer(message.tlvs, Tag.USER_MESSAGE_REFERENCE),
        _error(message, text),
    )


def id_variants(message_id: str) -> tuple[str, ...]:
    """Return the forms in which a centre may have written the same id, the given one first.

    As given; in lower case; without leading zeros; decimal read as hexadecimal and the other way round.
    """
    lower = message_id.lower()
    forms = [message_id, lower, lower.lstrip("0")]
    if re.fullmatch(r"[0-9]{1,20}", lower):
        value = int(lower)
        forms += [f"{value:x}", f"{value:08x}", f"{value:X}", f"{value:08X}"]
    if re.fullmatch(r"[0-9a-f]{1,16}", lower):
        value = int(lower, 16)
        forms += [f"{value}", f"{value:010}"]
    return tuple(dict.fromkeys(form for form in forms if form))


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match is not None else ""


def _error(message: DeliverSm, text: str) -> str:
    """Return the error of a receipt in words: network_error_code (5.3.2.31) or err: of the text; or empty."""
    code = message.tlvs.get(Tag.NETWORK_ERROR_CODE, b"")
    if len(code) == _NETWORK_ERROR_LENGTH:
        number = int.from_bytes(code[1:], "big")
        if number:
            return f"{_NETWORKS.get(code[0], f'network {code[0]}')} error {number}"
    written = _found(_ERROR, text)
    return "" if _NO_ERROR.fullmatch(written) else f"error {written}"
