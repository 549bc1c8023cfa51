"""Messages as RFC 5322 bytes: encoded once per template, with one contact's values put between. Pure.

`smtp` compiles a template when it first meets it and builds every message from that. Each value is encoded
by itself, once per message, so that nothing of the rest is touched again.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache

from outrider.channels.email.attachments import LARGEST_TOTAL, check_attachments, encode_attachment
from outrider.channels.email.encoding import CRLF, mail_address, mailbox, quoted_printable, unstructured
from outrider.channels.email.links import header_link
from outrider.channels.email.template import Kind, Placeholder, Template, header_value, parse_template
from outrider.channels.model import Attachment, OutboundMail
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
    attachments: tuple[Attachment, ...] = ()

    @classmethod
    def of(cls, mail: OutboundMail) -> "MessageSource":
        """Return the common part of a message."""
        return cls(mail.sender, mail.subject, mail.text, mail.html, mail.reply_to, mail.attachments)


@dataclass(frozen=True, slots=True)
class CompiledMessage:
    """A template ready for contacts. `sender_address` is the sender without a name.

    `body` is encoded, with `%b` where values go; `slots` says which of `values` each of them is. `tail` is
    what has no values: the attachments, and the end.
    """

    sender_address: str
    head: bytes
    subject: Template
    plain_subject: bytes | None
    body: bytes
    values: tuple[Placeholder, ...]
    slots: tuple[int, ...]
    tail: bytes

    @property
    def size(self) -> int:
        """Return about how many bytes of memory it takes."""
        return len(self.head) + len(self.body) + len(self.tail)


def compile_message(source: MessageSource, largest: int = LARGEST_TOTAL) -> CompiledMessage:
    """Return the compiled form; InvalidInputError names subject, text, html, sender, reply_to or attachments.

    `largest` is bytes over all attachments.
    """
    check_attachments(source.attachments, largest)
    sender, sender_address = mailbox(source.sender, "sender")
    head = b"From: " + sender + CRLF
    if source.reply_to:
        head += b"Reply-To: " + mailbox(source.reply_to, "reply_to")[0] + CRLF
    head += b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nTo: "
    subject = parse_template(source.subject, Kind.HEADER, "subject")
    pieces = _alternatives(source)
    tail = b""
    if source.attachments:
        boundary = _boundary("mixed", source)
        parts = [b"--" + boundary + CRLF + encode_attachment(one) for one in source.attachments]
        pieces = [_multipart("mixed", boundary), *pieces, CRLF]
        tail = b"".join(parts) + b"--" + boundary + b"--\r\n"
    values = tuple(dict.fromkeys(piece for piece in pieces if isinstance(piece, Placeholder)))
    return CompiledMessage(
        sender_address=sender_address,
        head=head,
        subject=subject,
        plain_subject=None if subject.names() else _subject(subject.fill({})),
        body=b"".join(b"%b" if isinstance(one, Placeholder) else one.replace(b"%", b"%%") for one in pieces),
        values=values,
        slots=tuple(values.index(piece) for piece in pieces if isinstance(piece, Placeholder)),
        tail=tail,
    )


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
    unsubscribe = b""
    if mail.unsubscribe_url:
        attributes = {**attributes, UNSUBSCRIBE_ATTRIBUTE: mail.unsubscribe_url}
        unsubscribe = _unsubscribe(mail.unsubscribe_url)
    encoded = [_encoded(value.value(attributes, missing)) for value in compiled.values]
    return b"".join(
        (
            compiled.head,
            mail_address(mail.address, "address").encode(),
            CRLF,
            compiled.plain_subject or _subject(compiled.subject.fill(attributes, missing)),
            b"Message-ID: <%b@%b>\r\nDate: " % (mail.message_id.encode(), domain.encode()),
            _date(at.replace(microsecond=0)),
            unsubscribe,
            compiled.body % tuple([encoded[slot] for slot in compiled.slots]),
            compiled.tail,
        )
    )


def _encoded(value: str) -> bytes:
    """Return a value for a body: it begins an encoded line, and a soft line break ends it."""
    return quoted_printable(value) + _SOFT_BREAK if value else b""


@lru_cache(maxsize=16)
def _date(at: dt.datetime) -> bytes:
    """Return the Date's value and line end; many messages are made within a second."""
    return format_datetime(at).encode() + CRLF


def _unsubscribe(url: str) -> bytes:
    """Return the headers of RFC 2369 and RFC 8058: mail programs show a button that POSTs to the link."""
    link = header_link(url).encode()
    return b"List-Unsubscribe: <" + link + b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def _alternatives(source: MessageSource) -> list[bytes | Placeholder]:
    """Return the text, or text and HTML as multipart/alternative, beginning with Content-Type."""
    text = parse_template(source.text, Kind.TEXT, "text")
    if source.html is None:
        return [_part("plain"), *_body(text)]
    html = parse_template(source.html, Kind.HTML, "html")
    boundary = _boundary("alternative", source)
    return [
        _multipart("alternative", boundary),
        _part("plain"),
        *_body(text),
        CRLF + b"--" + boundary + CRLF,
        _part("html"),
        *_body(html),
        CRLF + b"--" + boundary + b"--\r\n",
    ]


def _boundary(kind: str, source: MessageSource) -> bytes:
    """Return a boundary: "=_" occurs neither in quoted-printable nor in base64, so no value looks like it."""
    mark = hashlib.blake2b(f"{kind} {source.html}".encode(errors="replace"), digest_size=12).hexdigest()
    return b"=_outrider_" + mark.encode()


def _multipart(subtype: str, boundary: bytes) -> bytes:
    """Return the header of a multipart, the end of the headers, and the first boundary."""
    kind = b"Content-Type: multipart/" + subtype.encode() + b";\r\n boundary="
    return kind + b'"' + boundary + b'"\r\n\r\n--' + boundary + CRLF


def _part(subtype: str) -> bytes:
    kind = f"Content-Type: text/{subtype}; charset=utf-8\r\n"
    return kind.encode() + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"


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


def _subject(text: str) -> bytes:
    """Return the Subject of a filled template, cut to 998 characters, mail's longest line."""
    line = header_value(text).strip()
    return unstructured("Subject", line[: _LONGEST_LINE - len("Subject: ")])
