"""Loads the files that strategies attach to mails: each once, and again only when it has changed on disk.

The composer asks for them by name; they lie in one folder that administrators fill.
"""

import mimetypes
from collections.abc import Sequence
from pathlib import Path

from outrider.channels.email.attachments import LARGEST_TOTAL, check_attachments, check_name
from outrider.channels.model import Attachment
from outrider.errors import InvalidInputError

_UNKNOWN_TYPE = "application/octet-stream"


class AttachmentFiles:
    """The files of one folder. `largest` is bytes over all attachments of one message."""

    def __init__(self, folder: Path, largest: int = LARGEST_TOTAL) -> None:
        self._folder = folder
        self._largest = largest
        self._loaded: dict[str, tuple[tuple[int, int], Attachment]] = {}

    def load(self, names: Sequence[str]) -> tuple[Attachment, ...]:
        """Return the named files, in order; the same objects for as long as the files stay the same.

        InvalidInputError names the file that is missing, unreadable or badly named, or the size of all.
        """
        found = tuple(self._load_one(name) for name in names)
        check_attachments(found, self._largest)
        return found

    def _load_one(self, name: str) -> Attachment:
        path = self._folder / check_name(name)
        try:
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size)
            known = self._loaded.get(name)
            if known is not None and known[0] == version:
                return known[1]
            if status.st_size > self._largest:
                message = f"attachments: {name} has {status.st_size:,} bytes, more than {self._largest:,}"
                raise InvalidInputError(message, where="attachments")
            content = path.read_bytes()
        except OSError as error:
            message = f"attachments: {name} cannot be read from {self._folder}: {error.strerror}"
            raise InvalidInputError(message, where="attachments") from error
        kind, encoding = mimetypes.guess_type(name, strict=False)
        attachment = Attachment(name, _UNKNOWN_TYPE if encoding or kind is None else kind, content)
        self._loaded[name] = (version, attachment)
        return attachment
