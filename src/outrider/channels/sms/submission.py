"""From an OutboundText to the submit_sm PDUs that carry it over one connection. Pure; `channel` calls it.

Numbers, senders, parts, validity and the reference by which a receipt finds its text are settled here.
"""

import re

from outrider.channels.model import OutboundText
from outrider.channels.sms.alphabet import alphabet_of, encode
from outrider.channels.sms.bodies import Address, SubmitSm
from outrider.channels.sms.connection_settings import LongMessages, SmppSettings
from outrider.channels.sms.constants import ESM_UDH, Npi, Tag, Ton
from outrider.channels.sms.segments import MOST_PARTS, count, parts
from outrider.errors import InvalidInputError

_NUMBER = re.compile(r"\+?[0-9]{3,20}")
_LONGEST_SHORT_CODE = 6
_LONGEST_NAME = 11
_SECONDS_PER_DAY = 86_400
_MOST_VALIDITY = 99 * _SECONDS_PER_DAY


class BadRecipientError(InvalidInputError):
    """The recipient's number cannot be one: nothing is wrong with the text."""

    code = "bad_recipient"


def submissions(text: OutboundText, settings: SmppSettings, reference: int) -> tuple[list[SubmitSm], int]:
    """Return the PDUs of a text, in order, and how many segments the person's phone gets.

    `reference` ties parts together; the text's own reference, when not 0, goes along as
    user_message_reference. BadRecipientError or InvalidInputError say what cannot be sent and why.
    """
    source = source_of(text.sender or settings.sender, settings)
    destination = destination_of(text.address, settings)
    registered = int(text.receipt and settings.receipts)
    validity = validity_period(text.validity)
    tlvs: dict[int, bytes] = {}
    if text.reference:
        tlvs[Tag.USER_MESSAGE_REFERENCE] = (text.reference & 0xFFFF).to_bytes(2, "big")
    if settings.long_messages is LongMessages.PAYLOAD:
        needed = count(text.text, settings.reference_size).segments
        if needed > 1:
            coding, tlvs[Tag.MESSAGE_PAYLOAD] = _payload(text.text, needed)
            return [SubmitSm(source, destination, b"", coding, 0, registered, validity, tlvs)], needed
    alphabet, pieces = parts(text.text, reference, settings.reference_size)
    coding, esm_class = int(alphabet.data_coding), ESM_UDH if len(pieces) > 1 else 0
    made = [
        SubmitSm(source, destination, piece, coding, esm_class, registered, validity, tlvs)
        for piece in pieces
    ]
    return made, len(made)


def _payload(text: str, needed: int) -> tuple[int, bytes]:
    """Return data_coding and octets of a long text in one piece, for the centre to cut (5.3.2.32)."""
    if needed > MOST_PARTS:
        message = f"the text has {len(text):,} characters and would take {needed:,} segments"
        raise InvalidInputError(f"{message}; at most {MOST_PARTS} are possible", where="text")
    alphabet = alphabet_of(text)
    return int(alphabet.data_coding), encode(text, alphabet)


def destination_of(address: str, settings: SmppSettings) -> Address:
    """Return the recipient of an E.164 number, without its plus. BadRecipientError when it is no number."""
    if not _NUMBER.fullmatch(address):
        raise BadRecipientError(f"address: {address!r} is not a phone number", where="address")
    return Address(settings.destination_ton, settings.destination_npi, address.lstrip("+"))


def source_of(sender: str, settings: SmppSettings) -> Address:
    """Return who a text is from: a number, a short code of up to 6 digits or a name of up to 11 characters.

    Empty lets the centre choose. InvalidInputError for a sender that is none of these.
    """
    if not sender:
        ton, npi, digits = Ton.UNKNOWN, Npi.UNKNOWN, ""
    elif _NUMBER.fullmatch(sender):
        digits = sender.lstrip("+")
        short = not sender.startswith("+") and len(digits) <= _LONGEST_SHORT_CODE
        ton, npi = (Ton.NETWORK_SPECIFIC, Npi.UNKNOWN) if short else (Ton.INTERNATIONAL, Npi.ISDN)
    elif len(sender) <= _LONGEST_NAME and sender.isascii() and sender.isprintable():
        ton, npi, digits = Ton.ALPHANUMERIC, Npi.UNKNOWN, sender
    else:
        message = f"sender: {sender!r} is no number and no name of up to {_LONGEST_NAME} ASCII characters"
        raise InvalidInputError(message, where="sender")
    return Address(
        int(ton) if settings.source_ton is None else settings.source_ton,
        int(npi) if settings.source_npi is None else settings.source_npi,
        digits,
    )


def validity_period(seconds: float | None) -> str:
    """Return SMPP's relative time for a validity (7.1.1.2), at most 99 days; empty for the centre's own."""
    if seconds is None:
        return ""
    whole = min(max(1, round(seconds)), _MOST_VALIDITY)
    days, rest = divmod(whole, _SECONDS_PER_DAY)
    months, days = divmod(days, 30)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    return f"00{months:02}{days:02}{hours:02}{minutes:02}{rest:02}000R"
