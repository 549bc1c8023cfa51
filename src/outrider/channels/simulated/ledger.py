"""The carrier's own books: one JSON line when a call is made, refused or over, for audits of kill tests.

Written by `carrier` as it goes, read back by `server` at its start (ids are refused forever) and by audits.
"""

import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from outrider.channels.model import AnsweredBy, CallPurpose, EndCause
from outrider.errors import ChannelError
from outrider.ids import AttemptId


@dataclass(slots=True)
class Visit:
    """A call's stay in a room; `until` is None while it lasts."""

    room: str
    since: dt.datetime
    until: dt.datetime | None = None


@dataclass(slots=True)
class CallRecord:
    """One accepted call; the fields that are None have not happened (yet)."""

    call_id: AttemptId
    address: str
    nth: int
    """Which call to this address it is, from 1."""
    made_at: dt.datetime
    ringing_at: dt.datetime | None = None
    answered_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    by: AnsweredBy | None = None
    cause: EndCause | None = None
    digits: str = ""
    """Keys that were played to the far end."""
    purpose: CallPurpose = CallPurpose.CUSTOMER
    visits: list[Visit] = field(default_factory=list)
    """The rooms it was in, in order."""


class Ledger(Protocol):
    """What a carrier tells about its calls, besides the events."""

    def made(self, record: CallRecord) -> None:
        """Note that a call was accepted."""
        ...

    def refused(self, call_id: AttemptId, address: str, at: dt.datetime, reason: str) -> None:
        """Note that a call was refused, for a duplicate id or another reason."""
        ...

    def over(self, record: CallRecord) -> None:
        """Note that a call is over, with its times and cause."""
        ...


class FileLedger:
    """Appends to a file, each line written at once so that a killed carrier loses none."""

    def __init__(self, path: Path) -> None:
        try:
            self._file: io.TextIOWrapper = path.open("a", encoding="utf-8", buffering=1)
        except OSError as error:
            raise ChannelError(f"cannot write the ledger {path}: {error.strerror}", path=str(path)) from error

    def made(self, record: CallRecord) -> None:
        """Note that a call was accepted."""
        self._write(what="made", id=record.call_id, address=record.address, nth=record.nth, at=record.made_at)

    def refused(self, call_id: AttemptId, address: str, at: dt.datetime, reason: str) -> None:
        """Note that a call was refused, for a duplicate id or another reason."""
        self._write(what="refused", id=call_id, address=address, at=at, reason=reason)

    def over(self, record: CallRecord) -> None:
        """Note that a call is over, with its times and cause."""
        self._write(
            what="over",
            id=record.call_id,
            address=record.address,
            made=record.made_at,
            ringing=record.ringing_at,
            answered=record.answered_at,
            by=record.by,
            at=record.ended_at,
            cause=record.cause,
            digits=record.digits,
            purpose=record.purpose,
            visits=[(visit.room, visit.since, visit.until) for visit in record.visits],
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, **entry: object) -> None:
        self._file.write(json.dumps(entry, default=_plain, separators=(",", ":")) + "\n")


def read_ledger(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a ledger's entries, oldest first; a last line cut short by a kill is left out.

    Raises ChannelError for a line that is no entry. A file that does not exist holds nothing.
    """
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                entry = json.loads(line)
            except ValueError as error:
                if not line.endswith("\n"):
                    return
                message = f"{path}, line {number}: not an entry of a carrier's ledger"
                raise ChannelError(message, path=str(path), line=number) from error
            yield entry


def used_ids(path: Path) -> frozenset[AttemptId]:
    """Return the ids of all calls that a ledger says were made."""
    return frozenset(AttemptId(str(entry["id"])) for entry in read_ledger(path) if entry["what"] == "made")


def _plain(value: object) -> str:
    """Write times as ISO 8601 with offset."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a ledger")
