"""Read a CSV file of any size as rows with the numbers of the lines they begin on, in constant memory.

`imports/cleaning.py` uses it. A file that cannot be read as a table at all is an ImportFileError.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from outrider.contacts.detection import (
    BLOCK,
    DELIMITERS,
    SAMPLE_LINES,
    check_delimiter,
    check_encoding,
    detect_delimiter,
    detect_encoding,
    refuse_other_kinds,
)
from outrider.errors import ImportFileError

LONGEST_LINE: Final = 1 << 20
LONGEST_FIELD: Final = 131_072
"""The limit of the csv module, which is one for the whole process and so is left as it is."""

BREAK: Final = re.compile(r"\r\n|\n|\r")
OTHER_BREAKS: Final = re.compile("[\x0b\x0c\x1c\x1d\x1e]")
"""What `str.splitlines` takes for the end of a line, but a CSV file does not."""

Row = tuple[int, list[str]]
"""The number of the line on which a row begins (the first line is 1), and its fields."""


@dataclass(slots=True)
class Table:
    """An open file: its header, and how far it was read. `rows()` may be used once."""

    path: Path
    name: str
    encoding: str
    delimiter: str
    header: list[str] = field(default_factory=list)
    position: int = 0
    """Bytes read so far."""

    _rows: Iterator[Row] = field(default_factory=lambda: iter(()))

    def rows(self) -> Iterator[Row]:
        """Give the rows below the header; blank ones are left out. ImportFileError for an open quote."""
        return self._rows


def open_table(path: Path, name: str, delimiter: str | None = None, encoding: str | None = None) -> Table:
    """Open a file that people call `name`; what is not given is detected. ImportFileError."""
    refuse_other_kinds(path, name)
    encoding = check_encoding(encoding) if encoding else detect_encoding(path, name)
    first, said = _first_lines(path, name, encoding)
    chosen = check_delimiter(delimiter) if delimiter else said or detect_delimiter(first)
    table = Table(path, name, encoding, chosen)
    rows = _rows(table, skip=said is not None)
    try:
        _, table.header = next(rows)
    except StopIteration:
        raise ImportFileError(f"{name}: the file is empty; export the contacts again") from None
    table.header = [column.strip() for column in table.header]
    table._rows = rows  # noqa: SLF001 - the table is made here and nowhere else
    return table


def _first_lines(path: Path, name: str, encoding: str) -> tuple[list[str], str | None]:
    """Return the first lines, and the delimiter of a leading "sep=;" line as spreadsheets write it."""
    lines = []
    for line in _lines(Table(path, name, encoding, ",")):
        lines.append(line)
        if len(lines) >= SAMPLE_LINES:
            break
    said = re.fullmatch(r"sep=(.)", lines[0].rstrip("\r\n")) if lines else None
    if said and said[1] in DELIMITERS:
        return lines[1:], said[1]
    return lines, None


def _lines(table: Table) -> Iterator[str]:
    """Give the physical lines with their ends; ImportFileError for a line beyond LONGEST_LINE characters."""
    wide = table.encoding.startswith(("utf-16", "utf-32", "utf_16", "utf_32"))
    decoder = codecs.getincrementaldecoder(table.encoding)("replace" if wide else "surrogateescape")
    rest = ""
    number = 1
    with table.path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            table.position += len(block)
            try:
                text = rest + decoder.decode(block, final=not block)
            except UnicodeError:
                raise ImportFileError(
                    f"{table.name}: near line {number} this is not {table.encoding}; "
                    "name its encoding, as cp1252",
                    where="encoding",
                ) from None
            if number == 1:
                text = text.removeprefix("\ufeff")
            if "\0" in text:
                raise ImportFileError(
                    f"{table.name}: line {number} or below has a zero character: it is not text"
                )
            lines = text.splitlines(keepends=True) if _only_plain_breaks(text) else _split(text)
            # A line may go on in the next block, and so may the pair \r\n.
            rest = lines.pop() if block and lines else ""
            for line in lines:
                if len(line) > LONGEST_LINE:
                    raise _too_long(table, number)
                yield line
                number += 1
            if len(rest) > LONGEST_LINE:
                raise _too_long(table, number)
            if not block:
                return


def _only_plain_breaks(text: str) -> bool:
    r"""Return whether `splitlines` would break this text only at \r and \n."""
    return text.isascii() and not OTHER_BREAKS.search(text)


def _split(text: str) -> list[str]:
    lines = []
    start = 0
    for found in BREAK.finditer(text):
        lines.append(text[start : found.end()])
        start = found.end()
    if start < len(text):
        lines.append(text[start:])
    return lines


def _too_long(table: Table, number: int) -> ImportFileError:
    return ImportFileError(
        f"{table.name}: line {number} is longer than {LONGEST_LINE:,} characters; is it a table of contacts?",
        where=f"line {number}",
    )


def _rows(table: Table, *, skip: bool) -> Iterator[Row]:
    ended = False

    def lines() -> Iterator[str]:
        nonlocal ended
        source = _lines(table)
        if skip:
            next(source)
        yield from source
        ended = True

    offset = 2 if skip else 1
    reader = csv.reader(lines(), delimiter=table.delimiter)
    before = 0
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise _open_quote(table, before + offset) from None
        if ended:
            raise _open_quote(table, before + offset)
        if fields and any(fields):
            yield before + offset, fields
        before = reader.line_num


def _open_quote(table: Table, number: int) -> ImportFileError:
    return ImportFileError(
        f"{table.name}: line {number}: a quoted field does not end within {LONGEST_FIELD:,} characters; "
        'close the quote, or write a quote inside a field twice ("")',
        where=f"line {number}",
    )
