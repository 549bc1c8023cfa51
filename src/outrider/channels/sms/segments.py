"""How many messages a text becomes, and its parts with their headers. Pure.

Editors call `count` to show the price before sending; `submission` calls `parts` (3GPP TS 23.040 9.2.3.24).
"""

import enum
from dataclasses import dataclass

from outrider.channels.sms.alphabet import Alphabet, alphabet_of, encode, encode_character, outside_gsm
from outrider.errors import InvalidInputError

_SINGLE = {Alphabet.GSM_7: 160, Alphabet.UCS_2: 140}
"""What fits in one message: septets, or octets."""
MOST_PARTS = 255


class ReferenceSize(enum.Enum):
    """Bits of the number that ties parts together: 16 make mix-ups rarer and each part a little shorter."""

    BITS_8 = 8
    BITS_16 = 16


_PART = {
    (Alphabet.GSM_7, ReferenceSize.BITS_8): 153,
    (Alphabet.UCS_2, ReferenceSize.BITS_8): 134,
    (Alphabet.GSM_7, ReferenceSize.BITS_16): 152,
    (Alphabet.UCS_2, ReferenceSize.BITS_16): 132,
}
"""What fits beside the header of 6 or 7 octets: septets, or octets (an even number)."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a text costs. Units are septets, or UTF-16 code units of two octets.

    `left_in_last` is how many more units fit without another segment; `outside_gsm` the characters that
    force UCS-2, which holds less than half as many.
    """

    alphabet: Alphabet
    segments: int
    characters: int
    units: int
    left_in_last: int
    outside_gsm: str = ""


def count(text: str, size: ReferenceSize = ReferenceSize.BITS_8) -> Segmentation:
    """Return how a text would be sent: 160 or 70 units alone, 153 or 67 in each of several parts.

    Also right for message_payload, which the centre cuts in the same way. Never raises: more than 255
    segments are counted here and refused by `parts`.
    """
    alphabet = alphabet_of(text)
    unit = 1 if alphabet is Alphabet.GSM_7 else 2
    pieces = _pieces(text, alphabet, size)
    room = _SINGLE[alphabet] if len(pieces) == 1 else _PART[alphabet, size]
    return Segmentation(
        alphabet,
        len(pieces),
        len(text),
        sum(map(len, pieces)) // unit,
        (room - len(pieces[-1])) // unit,
        outside_gsm(text) if alphabet is Alphabet.UCS_2 else "",
    )


def parts(
    text: str, reference: int, size: ReferenceSize = ReferenceSize.BITS_8
) -> tuple[Alphabet, list[bytes]]:
    """Return the alphabet and each part's octets; parts of a long text begin with their user data header.

    `reference` ties the parts together; as many of its low bits are used as `size` has. InvalidInputError
    when there would be more than 255 parts.
    """
    alphabet = alphabet_of(text)
    pieces = _pieces(text, alphabet, size)
    total = len(pieces)
    if total == 1:
        return alphabet, pieces
    if total > MOST_PARTS:
        message = f"the text has {len(text):,} characters and would take {total:,} segments"
        raise InvalidInputError(f"{message}; at most {MOST_PARTS} are possible", where="text")
    return alphabet, [
        _header(reference, total, number, size) + piece for number, piece in enumerate(pieces, 1)
    ]


def _pieces(text: str, alphabet: Alphabet, size: ReferenceSize) -> list[bytes]:
    """Return a text's octets in as few pieces as possible, cut between characters only."""
    whole = encode(text, alphabet)
    if len(whole) <= _SINGLE[alphabet]:
        return [whole]
    room = _PART[alphabet, size]
    pieces: list[bytes] = []
    piece = bytearray()
    for character in text:
        octets = encode_character(character, alphabet)
        if len(piece) + len(octets) > room:
            pieces.append(bytes(piece))
            piece.clear()
        piece += octets
    pieces.append(bytes(piece))
    return pieces


def _header(reference: int, total: int, number: int, size: ReferenceSize) -> bytes:
    """Return the user data header of one part (3GPP TS 23.040 9.2.3.24.1 and 9.2.3.24.8)."""
    if size is ReferenceSize.BITS_8:
        return bytes((5, 0x00, 3, reference & 0xFF, total, number))
    return bytes((6, 0x08, 4, reference >> 8 & 0xFF, reference & 0xFF, total, number))


@dataclass(frozen=True, slots=True)
class PartOf:
    """Which part of which long text a received message is."""

    reference: int
    total: int
    number: int


def without_header(data: bytes) -> tuple[bytes, PartOf | None]:
    """Return a received message without its user data header, and what the header says of parts.

    A header that is cut off or says nonsense leaves the octets behind it, or none.
    """
    if not data:
        return b"", None
    end = 1 + data[0]
    found: PartOf | None = None
    at = 1
    while at + 2 <= min(end, len(data)):
        kind, value = data[at], data[at + 2 : at + 2 + data[at + 1]]
        if (kind, len(value)) in {(0x00, 3), (0x08, 4)} and 0 < value[-1] <= value[-2]:
            found = PartOf(int.from_bytes(value[:-2], "big"), value[-2], value[-1])
        at += 2 + data[at + 1]
    return data[end:], found
