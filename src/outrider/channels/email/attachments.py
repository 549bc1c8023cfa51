"""Files that go with a message: checked, and encoded once per template (RFC 2045, RFC 2183, RFC 2231). Pure.

`message` puts the parts behind the body; `files` loads them. Names are what a mail program will offer
to save the file as, so they never lead out of a folder and never look like another name.
"""

import binascii
import re
from collections.abc import Sequence
from urllib.parse import quote

from outrider.channels.email.encoding import CRLF
from outrider.channels.model import Attachment
from outrider.errors import InvalidInputError

LARGEST_TOTAL = 10 * 2**20
"""Bytes of all attachments of one message, before encoding. Many servers take 20 to 25 MiB encoded."""

_LONGEST_NAME = 255
_LINE_BYTES = 57
"""Bytes per line of base64: 76 characters, RFC 2045's most."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$&+.^_`{}~()@,=\-]+")
_UNSAFE = re.compile(r"[/\\:*?\"<>|]")
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+\-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+\-]{0,126}")
_COMPOSITE = ("multipart/", "message/")


def check_name(name: str) -> str:
    """Return a file name that is safe on every system; InvalidInputError says what is wrong with it.

    Refused are folders, control and direction-changing characters, what Windows forbids, and hidden files.
    """
    where = "attachments"
    if not name or len(name.encode(errors="replace")) > _LONGEST_NAME:
        raise InvalidInputError(
            f"{where}: {name[:40]!r} is no file name of 1 to {_LONGEST_NAME} bytes", where=where
        )
    if not name.isprintable():
        raise InvalidInputError(f"{where}: {name!r} has characters that cannot be seen", where=where)
    if _UNSAFE.search(name) or name.startswith((".", " ")) or name.endswith((".", " ")):
        message = f'{where}: {name!r} is not a plain file name: no / \\ : * ? " < > |, no dot or space around'
        raise InvalidInputError(message, where=where)
    if _DEVICE.fullmatch(name):
        raise InvalidInputError(f"{where}: {name!r} is the name of a device on Windows", where=where)
    return name


def check_attachments(attachments: Sequence[Attachment], largest: int = LARGEST_TOTAL) -> None:
    """Refuse attachments that no message can carry: InvalidInputError with the name and the reason.

    `largest` is bytes over all of them, before encoding.
    """
    where = "attachments"
    names: set[str] = set()
    for attachment in attachments:
        name = check_name(attachment.name)
        if name.casefold() in names:
            raise InvalidInputError(f"{where}: two files are called {name!r}", where=where)
        names.add(name.casefold())
        kind = attachment.media_type
        if not _MEDIA_TYPE.fullmatch(kind) or kind.lower().startswith(_COMPOSITE):
            message = f"{where}: {name}: {kind!r} is not a media type of a file, such as application/pdf"
            raise InvalidInputError(message, where=where)
    total = sum(len(attachment.content) for attachment in attachments)
    if total > largest:
        message = f"{where}: {total:,} bytes together, more than {largest:,}; put large files behind a link"
        raise InvalidInputError(message, where=where)


def encode_attachment(attachment: Attachment) -> bytes:
    """Return a checked attachment as a MIME part: headers, empty line, base64 with CRLF line ends."""
    content = attachment.content
    lines = [
        binascii.b2a_base64(content[start : start + _LINE_BYTES], newline=False)
        for start in range(0, len(content), _LINE_BYTES)
    ]
    head = (
        f"Content-Type: {attachment.media_type}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {_file_name(attachment.name)}\r\n\r\n"
    )
    return head.encode() + CRLF.join(lines) + CRLF


def _file_name(name: str) -> str:
    """Return the parameter: a quoted string for plain names, else RFC 2231's encoding."""
    if _PLAIN_NAME.fullmatch(name):
        return f'filename="{name}"'
    return f"filename*=utf-8''{quote(name, safe='', errors='replace')}"
