"""Messages as RFC 5322 bytes: encoded once per template, with one contact's values put between. Pure.

`smtp` compiles a template when it first meets it and builds every message from that. Values are encoded by
themselves, so that nothing of the rest is touched again.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime

from outrider.channels.email.encoding import CRLF, mail_address, mailbox, quoted_printable, unstructured
from outrider.channels.email.links import header_link
from outrider.channels.email.template import Kind, Placeholder, Template, header_value, parse_template
from outrider.channels.model import OutboundMail
from outrider.errors import InvalidInputError

UNSUBSCRIBE_ATTRIBUTE = "unsubscribe_url"
"""The name by which templates may show the link that the List-Unsubscribe header has."""

_SOFT_BREAK = b"=\r\n"
_LONGEST_LINE = 998
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.]+")


@dataclass(frozen=True, slots=True)
class MessageSource:
    """What messages have in common: templates, not filled. `sender` and `reply_to` may have names."""

    sender: str
    subject: str
    text: str
    html: str | None = None
    reply_to: str | None = None

    @classmethod
    def of(cls, mail: OutboundMail) -> "MessageSource":
        """Return the common part of a message."""
        return cls(mail.sender, mail.subject, mail.text, mail.html, mail.reply_to)


@dataclass(frozen=True, slots=True)
class CompiledMessage:
    """A template ready for contacts. `sender_address` is the sender without a name."""

    sender_address: str
    head: bytes
    subject: Template
    pieces: tuple[bytes | Placeholder, ...]


def compile_message(source: MessageSource) -> CompiledMessage:
    """Return the compiled form; InvalidInputError names subject, text, html, sender or reply_to."""
    sender, sender_address = mailbox(source.sender, "sender")
    head = b"From: " + sender + CRLF
    if source.reply_to:
        head += b"Reply-To: " + mailbox(source.reply_to, "reply_to")[0] + CRLF
    head += b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
    subject = parse_template(source.subject, Kind.HEADER, "subject")
    text = parse_template(source.text, Kind.TEXT, "text")
    if source.html is None:
        pieces: list[bytes | Placeholder] = [*_part("plain"), *_body(text)]
    else:
        html = parse_template(source.html, Kind.HTML, "html")
        mark = hashlib.blake2b(source.html.encode(errors="replace"), digest_size=12).hexdigest().encode()
        # "=_" cannot occur in quoted-printable, so no value can ever look like this boundary.
        boundary = b"=_outrider_" + mark
        pieces = [
            b'Content-Type: multipart/alternative;\r\n boundary="'
            + boundary
            + b'"\r\n\r\n--'
            + boundary
            + CRLF,
            *_part("plain"),
            *_body(text),
            CRLF + b"--" + boundary + CRLF,
            *_part("html"),
            *_body(html),
            CRLF + b"--" + boundary + b"--\r\n",
        ]
    return CompiledMessage(sender_address, head, subject, _join(pieces))


def build_message(
    compiled: CompiledMessage, mail: OutboundMail, *, domain: str, at: dt.datetime, missing: str = ""
) -> bytes:
    """Return a whole message with CRLF line ends, not dot-stuffed.

    `domain` is the right side of the Message-ID, `at` the Date (aware), `missing` what stands for attributes
    that the contact does not have. Raises InvalidInputError for an address or id that no header can hold.
    """
    if not _TOKEN.fullmatch(mail.message_id):
        raise InvalidInputError(
            f"message id {mail.message_id!r} cannot be in a Message-ID", where="message_id"
        )
    attributes: Mapping[str, str] = mail.attributes
    if mail.unsubscribe_url:
        attributes = {**attributes, UNSUBSCRIBE_ATTRIBUTE: mail.unsubscribe_url}
    subject = header_value(compiled.subject.fill(attributes, missing)).strip()
    chunks = [
        compiled.head,
        b"To: ",
        mail_address(mail.address, "address").encode(),
        CRLF,
        unstructured("Subject", _shortened(subject)),
        f"Message-ID: <{mail.message_id}@{domain}>\r\nDate: {format_datetime(at)}\r\n".encode(),
    ]
    if mail.unsubscribe_url:
        chunks.append(_unsubscribe(mail.unsubscribe_url))
    for piece in compiled.pieces:
        if isinstance(piece, bytes):
            chunks.append(piece)
        elif value := piece.value(attributes, missing):
            chunks += (quoted_printable(value), _SOFT_BREAK)
    return b"".join(chunks)


def _unsubscribe(url: str) -> bytes:
    """Return the headers of RFC 2369 and RFC 8058: mail programs show a button that POSTs to the link."""
    link = header_link(url).encode()
    return b"List-Unsubscribe: <" + link + b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def _part(subtype: str) -> list[bytes]:
    kind = f"Content-Type: text/{subtype}; charset=utf-8\r\n"
    return [kind.encode() + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"]


def _body(template: Template) -> list[bytes | Placeholder]:
    """Return a body's pieces: each begins an encoded line, a soft line break before it closes the last."""
    pieces: list[bytes | Placeholder] = []
    last = len(template.parts) - 1
    for number, part in enumerate(template.parts):
        if isinstance(part, Placeholder):
            pieces.append(part)
            continue
        encoded = quoted_printable(part)
        is_last = number == last
        # After a line end the next piece is at the beginning of a line as it is.
        pieces.append(encoded if is_last or encoded.endswith(CRLF) else encoded + _SOFT_BREAK)
    return pieces


def _join(pieces: list[bytes | Placeholder]) -> tuple[bytes | Placeholder, ...]:
    """Return the pieces with neighbouring literal ones made one."""
    joined: list[bytes | Placeholder] = []
    for piece in pieces:
        if joined and isinstance(piece, bytes) and isinstance(joined[-1], bytes):
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


def _shortened(subject: str) -> str:
    """Return a subject of at most 998 characters, the longest line that mail may have."""
    return subject[: _LONGEST_LINE - len("Subject: ")]
