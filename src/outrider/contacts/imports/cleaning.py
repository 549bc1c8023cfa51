"""First half of an import: the uploaded file becomes clean rows and rejected rows on disk, no database.

The runner calls `clean_file`. It changes nothing that others see, so after a crash it simply runs again.
"""

import csv
import itertools
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from outrider.contacts.columns import Columns, map_columns
from outrider.contacts.imports.files import ImportFiles
from outrider.contacts.imports.model import ImportOptions
from outrider.contacts.imports.reading import Row, Table, open_table
from outrider.contacts.imports.workers import CleanChunk, clean_chunks, encode
from outrider.contacts.model import ContactList
from outrider.contacts.rows import CleanRow, RowRules
from outrider.errors import ImportFileError

if TYPE_CHECKING:
    import _csv

CHUNK: Final = 1_000
CHUNK_CHARACTERS: Final = 2_000_000
SMALL_FILE: Final = 4 << 20
"""Bytes below which starting worker processes costs more than it saves."""

Blocked = Callable[[Sequence[str]], set[str]]
ESCAPED: Final = re.compile("[\udc80-\udcff]")


@dataclass(slots=True)
class Counts:
    """How far the reading is: bytes, data rows, rejected rows, and those of them that are do-not-contact."""

    position: int = 0
    rows_read: int = 0
    rows_rejected: int = 0
    do_not_contact: int = 0

    @property
    def mistakes(self) -> int:
        """Rejected rows that are mistakes in the file: do-not-contact is none."""
        return self.rows_rejected - self.do_not_contact

    def columns(self) -> dict[str, int]:
        """Return the counters as columns of `imports`."""
        return {"position": self.position, "rows_read": self.rows_read, "rows_rejected": self.rows_rejected}


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose beginning was understood."""

    table: Table
    rules: RowRules

    def found(self) -> dict[str, object]:
        """Return what was recognised, for people."""
        return {
            "encoding": "utf-8" if self.table.encoding == "utf-8-sig" else self.table.encoding,
            "delimiter": self.table.delimiter,
            "columns": _described(self.rules.columns),
        }


def open_file(
    files: ImportFiles, name: str, size: int, options: ImportOptions, target: ContactList
) -> Opened:
    """Open the upload of `size` bytes for the list. ImportFileError says why it cannot be read."""
    if not files.upload.exists():
        raise ImportFileError(f"{name}: the uploaded file is gone; upload it again")
    if files.upload.stat().st_size != size:
        raise ImportFileError(f"{name}: the uploaded file is not complete; upload it again")
    table = open_table(files.upload, name, options.delimiter, options.encoding)
    columns = map_columns(name, table.header, options.mapping)
    _refuse_without_key(name, columns, target)
    country = options.country.strip().upper() if options.country else target.default_country
    return Opened(table, RowRules(columns=columns, country=country, duplicates_by=target.duplicates_by))


def clean_file(
    opened: Opened,
    files: ImportFiles,
    blocked: Blocked | None,
    report: Callable[[Counts], None],
    workers: int,
) -> Counts:
    """Write the clean rows and the rejects of an opened file; `report` is called after every chunk.

    ImportFileError when the rest of the file cannot be read, or there is no row below the header.
    """
    counts = Counts()
    clean, rejects = files.clean.with_suffix(".part"), files.rejects.with_suffix(".part")
    with clean.open("wb") as target, rejects.open("w", encoding="utf-8-sig", newline="") as other:
        writer = csv.writer(other)
        writer.writerow(("line", "reason", *opened.rules.columns.headers))
        for rows, result in clean_chunks(_chunks(opened.table), opened.rules, workers):
            _write(target, writer, rows, _without_blocked(rows, result, blocked, counts), counts)
            counts.position = opened.table.position
            report(counts)
        for file in (target, other):
            file.flush()
            os.fsync(file.fileno())
    if counts.rows_read == 0:
        raise ImportFileError(f"{opened.table.name}: there is no row below the header; export again")
    rejects.replace(files.rejects)
    clean.replace(files.clean)
    _sync_folder(files.clean.parent)
    return counts


def clean_rows(file: BinaryIO, at_least: int) -> tuple[list[CleanRow], int]:
    """Return the next clean rows (about `at_least`; none at the end) and the position behind them."""
    rows: list[CleanRow] = []
    while len(rows) < at_least and (line := file.readline()):
        rows.extend(tuple(row) for row in json.loads(line))
    return rows, file.tell()


def _chunks(table: Table) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    characters = 0
    for row in table.rows():
        chunk.append(row)
        characters += sum(map(len, row[1]))
        if len(chunk) == CHUNK or characters > CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _without_blocked(
    rows: list[Row], result: CleanChunk, blocked: Blocked | None, counts: Counts
) -> CleanChunk:
    """Reject rows that have an address on a do-not-contact list: the whole person is meant."""
    if blocked is None or not result.count:
        return result
    clean: list[CleanRow] = json.loads(result.clean)
    addresses = [_addresses(row) for row in clean]
    found = blocked(list(itertools.chain.from_iterable(addresses)))
    if not found:
        return result
    rejected = {index for index, _ in result.rejected}
    kept_indexes = [index for index in range(len(rows)) if index not in rejected]
    kept: list[CleanRow] = []
    reasons: list[tuple[int, str]] = []
    for index, row, mine in zip(kept_indexes, clean, addresses, strict=True):
        hits = [address for address in mine if address in found]
        if hits:
            reasons.append((index, f"do not contact: {', '.join(hits)}"))
        else:
            kept.append(row)
    counts.do_not_contact += len(reasons)
    return CleanChunk(encode(kept), len(kept), tuple(sorted((*result.rejected, *reasons))))


def _addresses(row: CleanRow) -> list[str]:
    others = json.loads(row[3]) if row[3] else []
    return [address for address in (row[2], *others, row[4]) if address]


def _write(
    target: BinaryIO, writer: "_csv.Writer", rows: list[Row], result: CleanChunk, counts: Counts
) -> None:
    target.write(result.clean)
    for index, reason in result.rejected:
        line, fields = rows[index]
        writer.writerow((line, reason, *(_printable(value) for value in fields)))
    counts.rows_read += len(rows)
    counts.rows_rejected += len(result.rejected)


def _printable(value: str) -> str:
    r"""Show bytes that could not be read as \xNN: the rejects file itself is plain UTF-8."""
    return ESCAPED.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", value)


def _described(columns: Columns) -> dict[str, str]:
    described = dict.fromkeys(columns.headers, "ignore")
    for number, position in enumerate(columns.phones, 1):
        described[columns.headers[position]] = "phone" if number == 1 else f"phone{number}"
    for field in ("email", "external_id", "time_zone"):
        position = getattr(columns, field)
        if position is not None:
            described[columns.headers[position]] = field
    for position, name in columns.attributes:
        described[columns.headers[position]] = f"attribute:{name}"
    return described


def _refuse_without_key(name: str, columns: Columns, target: ContactList) -> None:
    has = {"phone": bool(columns.phones), "email": columns.email is not None}.get(
        target.duplicates_by, columns.external_id is not None
    )
    if not has:
        found = ", ".join(repr(column) for column in columns.headers[:20])
        raise ImportFileError(
            f"{name}: list {target.name!r} recognises duplicates by {target.duplicates_by}, "
            "but no column is one; "
            f"found {found}: say which one is, as in --map 'HEADER={target.duplicates_by}'",
            where="line 1",
        )


def _sync_folder(folder: Path) -> None:
    """Make the new names survive a power cut before the database says that they are there."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
