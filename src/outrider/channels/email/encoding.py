"""Headers (RFC 5322, RFC 2047) and quoted-printable bodies (RFC 2045) as bytes, piece by piece. Pure.

`message` composes messages of these; the standard library's EmailMessage needs 3.5 ms for what takes 0.02.
"""

import base64
import binascii
import re
from email.utils import parseaddr

from outrider.errors import InvalidInputError

CRLF = b"\r\n"
_LINE = 76
_WORD_MARKS = len("=?utf-8?b??=")
_WORD_BYTES = 45
"""UTF-8 bytes per encoded word: with base64 and marks 72 characters, under RFC 2047's 75."""

_CONTINUATION = 0x80
"""The two highest bits of a UTF-8 byte that begins no character."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0<>()\[\],;:@\\\"]")
_DOMAIN = re.compile(
    r"([A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_LOCAL_OCTETS = 64
_ADDRESS_OCTETS = 254

_AS_IT_IS = re.compile(r"[A-Za-z0-9 ,;:!?'()*+/@&#$%_-]{0,69}[A-Za-z0-9,;:!?'()*+/@&#$%_.-]")
"""Texts that quoted-printable leaves alone: short, on one line, no space at its end, no lonely dot."""

_USUAL_ADDRESS = re.compile(
    r"[A-Za-z0-9_+-]{1,40}(?:\.[A-Za-z0-9_+-]{1,10}){0,2}@(?:[A-Za-z0-9-]{1,40}\.){1,3}[A-Za-z]{2,20}"
)
"""Addresses that need no closer look, but for hyphens at the ends of labels."""


def unstructured(name: str, text: str) -> bytes:
    """Return a header field of free text such as Subject, folded, with its line end. `text` is one line."""
    head = f"{name}: "
    if text.isascii() and "=?" not in text:
        return head.encode() + _fold(text, len(head)).encode() + CRLF
    return head.encode() + encoded_words(text, len(head)) + CRLF


def encoded_words(text: str, used: int) -> bytes:
    """Return a text as encoded words on folded lines; `used` characters precede it on the first line.

    No line exceeds 76 characters and no character is divided, as RFC 2047 wants.
    """
    octets = text.encode(errors="replace")
    words: list[bytes] = []
    room = min(_WORD_BYTES, (_LINE - used - _WORD_MARKS) // 4 * 3)
    while len(octets) > room:
        end = room
        while octets[end] & 0xC0 == _CONTINUATION:
            end -= 1
        words.append(octets[:end])
        octets = octets[end:]
        room = _WORD_BYTES
    words.append(octets)
    return b"\r\n ".join(b"=?utf-8?b?" + base64.b64encode(word) + b"?=" for word in words)


def mailbox(text: str, where: str) -> tuple[bytes, str]:
    """Return `Name <address>` as a header value, and its address; InvalidInputError for no valid address.

    The value is folded for a header whose name has at most ten characters.
    """
    if not text.isprintable():
        raise InvalidInputError(f"{where}: {text!r} has control characters", where=where)
    name, address = parseaddr(text)
    plain = mail_address(address or text, where)
    if not name:
        return plain.encode(), plain
    if not name.isascii():
        shown = encoded_words(name, len("Reply-To: ")) + CRLF
    elif _ATOMS.fullmatch(name):
        shown = name.encode()
    else:
        shown = b'"' + re.sub(r'(["\\])', r"\\\1", name).encode() + b'"'
    return shown + b" <" + plain.encode() + b">", plain


def mail_address(text: str, where: str) -> str:
    """Return an address with an ASCII domain; InvalidInputError says what is wrong with it.

    An internationalised domain is written in its IDNA form. A local part that is not ASCII would need
    SMTPUTF8 on the whole way, which cannot be known beforehand, and is refused.
    """
    if _USUAL_ADDRESS.fullmatch(text) and "-." not in text and ".-" not in text and "@-" not in text:
        return text
    local, at, domain = text.strip().rpartition("@")
    if not (at and local and domain) or _FORBIDDEN.search(local) or _FORBIDDEN.search(domain):
        raise InvalidInputError(f"{where}: {text!r} is not an email address", where=where)
    if not local.isascii():
        message = f"{where}: {text!r} has letters before the @ that mail servers cannot be relied on to take"
        raise InvalidInputError(message, where=where)
    try:
        plain = domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError as error:
        raise InvalidInputError(f"{where}: {domain!r} is not a domain", where=where) from error
    too_long = len(local) > _LOCAL_OCTETS or len(local) + len(plain) + 1 > _ADDRESS_OCTETS
    if too_long or ".." in f".{local}." or not _DOMAIN.fullmatch(plain):
        raise InvalidInputError(f"{where}: {text!r} is not an email address", where=where)
    return f"{local}@{plain}"


def quoted_printable(text: str) -> bytes:
    """Return a piece of a body that begins at the beginning of an encoded line, with CRLF line ends."""
    if _AS_IT_IS.fullmatch(text) and text != ".":
        return text.encode()
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    return binascii.b2a_qp(unix.encode(errors="replace"), istext=True).replace(b"\n", CRLF)


def _fold(text: str, used: int) -> str:
    """Return a line folded at spaces, where it has spaces; words stay whole up to SMTP's limit of 998."""
    if used + len(text) <= _LINE:
        return text
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and used + len(line) + 1 + len(word) > _LINE:
            lines.append(line)
            line, used = word, 1
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    return "\r\n ".join(lines)
