"""What a job's attempts came to, page by page, and as the text of a CSV file for a spreadsheet.

`jobs/api.py` streams the pages, so that an export of any size needs constant memory.
"""

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Iterable

from outrider.db.database import Tx
from outrider.jobs import board_store, service
from outrider.jobs.views import AttemptPage, AttemptView

PAGE = 500
"""Contacts per page of an export."""

COLUMNS = tuple(field.name for field in dataclasses.fields(AttemptView))
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula when a cell begins with it (OWASP: CSV injection)."""


def attempts(
    tx: Tx,
    job_id: int,
    organization_id: int | None,
    *,
    after: int = 0,
    limit: int = PAGE,
    contact_id: int | None = None,
) -> AttemptPage:
    """Return the attempts of up to `limit` contacts with ids above `after`, or of one contact.

    NotFoundError when this caller can see no job by that id.
    """
    found = service.job(tx, job_id, organization_id)
    targets = board_store.target_page(tx, found.id, after, limit, contact_id)
    rows = board_store.attempts(tx, list(targets)) if targets else []
    following = max(targets.values()) if len(targets) == limit and contact_id is None else None
    return AttemptPage(tuple(AttemptView(**row) for row in rows), following)


def csv_header() -> str:
    """Return the first line of an export."""
    return _lines([COLUMNS])


def csv_lines(attempts: Iterable[AttemptView]) -> str:
    """Return one line of CSV (RFC 4180) per attempt; times are ISO 8601 in UTC.

    Texts that others chose cannot act as formulas: they get a leading apostrophe.
    """
    return _lines([_cell(name, getattr(attempt, name)) for name in COLUMNS] for attempt in attempts)


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds")
    text = str(value)
    is_number = name == "address" and text[1:].isdigit()
    return f"'{text}" if text.startswith(FORMULA) and not is_number else text


def _lines(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
