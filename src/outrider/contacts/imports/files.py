"""The files of an import on disk: the upload, the clean rows, the rejected rows.

The API and the CLI save uploads, the runner reads them, and the API hands the rejects out. They lie in one
folder, which all machines that run imports of one database share.
"""

import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from outrider.errors import ImportFileError

PIECE: Final = 1 << 20
FOLDER: Final = "imports"


@dataclass(frozen=True, slots=True)
class ImportFiles:
    """Where the files of one import are. `spool` is their common random name."""

    data_folder: Path
    spool: str

    @property
    def upload(self) -> Path:
        """The file as it was given."""
        return self.data_folder / FOLDER / f"{self.spool}.upload"

    @property
    def clean(self) -> Path:
        """The rows to be written, complete as soon as the file has this name."""
        return self.data_folder / FOLDER / f"{self.spool}.clean"

    @property
    def rejects(self) -> Path:
        """The rejected rows, a CSV file for people; kept when the import has ended."""
        return self.data_folder / FOLDER / f"{self.spool}.rejects.csv"

    def remove_working_files(self) -> None:
        """Remove all but the rejects."""
        for path in (
            self.upload,
            self.clean,
            self.clean.with_suffix(".part"),
            self.rejects.with_suffix(".part"),
        ):
            path.unlink(missing_ok=True)

    def remove_all(self) -> None:
        """Remove everything, when the import is forgotten."""
        self.remove_working_files()
        self.rejects.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved upload: its spool name, size in bytes and SHA-256 (hexadecimal)."""

    spool: str
    size: int
    digest: str


def new_files(data_folder: Path) -> ImportFiles:
    """Choose names for a new import; the folder is made when it is missing."""
    (data_folder / FOLDER).mkdir(parents=True, exist_ok=True)
    return ImportFiles(data_folder, secrets.token_hex(16))


def save_upload(data_folder: Path, source: BinaryIO, name: str) -> Saved:
    """Copy `source` in pieces to a new spool file. ImportFileError when it cannot be read or written."""
    files = new_files(data_folder)
    digest = hashlib.sha256()
    size = 0
    try:
        with files.upload.open("wb") as target:
            while piece := source.read(PIECE):
                target.write(piece)
                digest.update(piece)
                size += len(piece)
            _keep(target)
    except OSError as error:
        files.remove_all()
        raise ImportFileError(
            f"{name}: cannot be copied to {files.upload.parent}: {error.strerror}"
        ) from None
    return Saved(files.spool, size, digest.hexdigest())


async def save_stream(data_folder: Path, source: AsyncIterator[bytes], name: str) -> Saved:
    """Like `save_upload`, for a request body that arrives piece by piece."""
    files = new_files(data_folder)
    digest = hashlib.sha256()
    size = 0
    complete = False
    try:
        with files.upload.open("wb") as target:
            async for piece in source:
                target.write(piece)
                digest.update(piece)
                size += len(piece)
            _keep(target)
        complete = True
    except OSError as error:
        raise ImportFileError(f"{name}: cannot be saved: {error.strerror}; try again later") from None
    finally:
        # Also when the sender goes away in the middle.
        if not complete:
            files.remove_all()
    return Saved(files.spool, size, digest.hexdigest())


def _keep(file: BinaryIO) -> None:
    """Make the file survive a power cut, before the database promises that it is there."""
    file.flush()
    os.fsync(file.fileno())
