"""Reads numbers and mail addresses for a do-not-contact list from a file: a CSV file, or one per line.

The API and the CLI use it, and add each chunk in a transaction of its own: adding twice changes nothing.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from outrider.contacts.columns import Columns, map_columns
from outrider.contacts.do_not_contact.model import BadAddress, read_address
from outrider.contacts.imports.reading import Table, open_table
from outrider.errors import ImportFileError

CHUNK: Final = 1_000


def address_chunks(path: Path, name: str, country: str) -> Iterator[list[str]]:
    """Give the texts of all phone and email columns, or of the first column when there is no header.

    ImportFileError when the file, called `name` by people, cannot be read or has no such column.
    """
    table = open_table(path, name)
    first, positions = _beginning(table, name, country)
    chunk = first
    for _, fields in table.rows():
        chunk.extend(
            text for position in positions if position < len(fields) and (text := fields[position].strip())
        )
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _beginning(table: Table, name: str, country: str) -> tuple[list[str], tuple[int, ...]]:
    """Return the addresses in the first line, when it is no header, and the columns to read."""
    if table.header and not isinstance(read_address(table.header[0], country), BadAddress):
        return [table.header[0]], (0,)
    try:
        columns = map_columns(name, table.header)
    except ImportFileError:
        found = ", ".join(repr(column) for column in table.header[:20])
        raise ImportFileError(
            f"{name}: line 1 is neither a number or address nor a header with a phone or email column; "
            f"found {found}",
            where="line 1",
        ) from None
    return [], _positions(columns)


def _positions(columns: Columns) -> tuple[int, ...]:
    return columns.phones if columns.email is None else (*columns.phones, columns.email)
