"""The GSM 7-bit default alphabet and UCS-2: which a text needs, and its octets in SMPP. Pure.

3GPP TS 23.038 6.2.1; SMPP carries one septet per octet and the centre packs them. `segments` and
`inbound` use it.
"""

import enum

from outrider.channels.sms.constants import DataCoding

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
ESCAPE = 0x1B

_SEPTETS: dict[str, bytes] = {
    **{character: bytes((code,)) for code, character in enumerate(_BASIC) if code != ESCAPE},
    **{character: bytes((ESCAPE, code)) for character, code in _EXTENSION.items()},
}
_KNOWN = frozenset(_SEPTETS)
_EXTENDED = {code: character for character, code in _EXTENSION.items()}
_SEVEN_BITS = 0x7F
_FIRST_GENERAL, _LAST_GENERAL = 0x10, 0x3F
_GROUP, _WAITING_UCS_2, _CLASS = 0xF0, 0xE0, 0xF0
_EIGHT_BITS = {DataCoding.LATIN_1, DataCoding.BINARY, 2}
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Alphabet(enum.StrEnum):
    """How a text is encoded; the whole text has one alphabet."""

    GSM_7 = "gsm_7"
    UCS_2 = "ucs_2"

    @property
    def data_coding(self) -> DataCoding:
        """Return SMPP's number of the alphabet."""
        return DataCoding.DEFAULT if self is Alphabet.GSM_7 else DataCoding.UCS_2


def outside_gsm(text: str) -> str:
    """Return the characters, each once and in order, that keep a text from being sent in GSM 7-bit."""
    return "".join(dict.fromkeys(character for character in text if character not in _SEPTETS))


def alphabet_of(text: str) -> Alphabet:
    """Return GSM 7-bit when every character is in it, else UCS-2, as cheap as the content allows."""
    return Alphabet.GSM_7 if _KNOWN.issuperset(text) else Alphabet.UCS_2


def encode_character(character: str, alphabet: Alphabet) -> bytes:
    """Return one character's octets: escape pairs and surrogate pairs come whole, never to be split.

    A lone surrogate, which no phone can show, becomes the replacement character.
    """
    if alphabet is Alphabet.GSM_7:
        return _SEPTETS[character]
    try:
        return character.encode("utf-16-be")
    except UnicodeEncodeError:
        return _REPLACEMENT.encode("utf-16-be")


def encode(text: str, alphabet: Alphabet) -> bytes:
    """Return a whole text's octets. KeyError for a character that GSM 7-bit does not have."""
    if alphabet is Alphabet.GSM_7:
        return b"".join([_SEPTETS[character] for character in text])
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        return b"".join([encode_character(character, alphabet) for character in text])


def decode_gsm(data: bytes) -> str:
    """Return the text of unpacked septets; an unknown extension shows its basic character (6.2.1.1)."""
    characters: list[str] = []
    escaped = False
    for octet in data:
        if octet == ESCAPE and not escaped:
            escaped = True
            continue
        code = octet & _SEVEN_BITS
        basic = " " if code == ESCAPE else _BASIC[code]
        characters.append(_EXTENDED.get(code, basic) if escaped else basic)
        escaped = False
    return "".join(characters)


def decode_message(data: bytes, data_coding: int) -> str:
    """Return the text of a received message; what cannot be decoded shows replacement characters.

    `data_coding` as SMPP 3.4 5.2.19 lists it, and from 16 on as the groups of 3GPP TS 23.038 4.
    """
    if data_coding == DataCoding.UCS_2 or _group_alphabet(data_coding) is _Group.UCS_2:
        return data.decode("utf-16-be", "replace")
    if data_coding == DataCoding.ASCII:
        return data.decode("ascii", "replace")
    if data_coding in _EIGHT_BITS or _group_alphabet(data_coding) is _Group.EIGHT_BITS:
        return data.decode("latin-1")
    return decode_gsm(data)


class _Group(enum.Enum):
    """The alphabets of the coding groups."""

    GSM_7 = 0
    EIGHT_BITS = 1
    UCS_2 = 2


def _group_alphabet(data_coding: int) -> _Group:
    """Return the alphabet of a coding group: general (0x10 to 0x3F), waiting (0xE0) or class (0xF0)."""
    if _FIRST_GENERAL <= data_coding <= _LAST_GENERAL:
        return (_Group.GSM_7, _Group.EIGHT_BITS, _Group.UCS_2, _Group.GSM_7)[data_coding >> 2 & 3]
    if data_coding & _GROUP == _WAITING_UCS_2:
        return _Group.UCS_2
    return _Group.EIGHT_BITS if data_coding & _GROUP == _CLASS and data_coding & 4 else _Group.GSM_7
