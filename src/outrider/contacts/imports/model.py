"""What an import is: its states, its options and its progress. Pure.

queued -> reading -> applying -> done; failed and cancelled are the other ends. Until `applying` nothing
of the file is on the list.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

Duplicates = Literal["skip", "update"]

READING_SHARE: Final = 0.6
"""Measured: reading takes about this part of the time of an import."""


class ImportState(StrEnum):
    """Where an import is. The last three are final."""

    QUEUED = "queued"
    READING = "reading"
    APPLYING = "applying"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE: Final = (ImportState.QUEUED, ImportState.READING, ImportState.APPLYING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How a file is read and what happens to its rows; None means: detect it, or take the list's."""

    delimiter: str | None = None
    encoding: str | None = None
    country: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    duplicates: Duplicates = "skip"
    keep_good: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file on its way into a list.

    `position` counts bytes of the file while reading, of the clean rows while applying.
    """

    id: int
    organization_id: int
    list_id: int
    state: ImportState
    file_name: str
    file_digest: str
    file_size: int
    spool: str
    options: ImportOptions
    found: Mapping[str, Any]
    position: int
    rows_read: int
    rows_added: int
    rows_updated: int
    rows_duplicate: int
    rows_rejected: int
    message: str
    created_at: dt.datetime
    finished_at: dt.datetime | None

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.state in ACTIVE

    @property
    def progress(self) -> float:
        """How much of the work is done, from 0 to 1."""
        if self.state is ImportState.DONE:
            return 1.0
        if self.state is ImportState.APPLYING:
            good = self.rows_read - self.rows_rejected
            done = self.rows_added + self.rows_updated + self.rows_duplicate
            return READING_SHARE + (1 - READING_SHARE) * (done / good if good else 1.0)
        return READING_SHARE * min(self.position / self.file_size, 1.0) if self.file_size else 0.0
