"""Runs imports: claims one by its lease, reads its file, writes its rows in small transactions.

The server's runtime calls `claim_next` and `run_one` in a loop, on a thread; the CLI runs its own import.
A killed runner loses nothing: when its lease has run out, another one goes on where it was.
"""

import datetime as dt
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from outrider.clock import Clock, RealClock, stopwatch
from outrider.contacts import service as contacts
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.contacts.imports import service
from outrider.contacts.imports.cleaning import SMALL_FILE, Counts, clean_file, clean_rows, open_file
from outrider.contacts.imports.files import FOLDER, ImportFiles
from outrider.contacts.imports.model import Import, ImportState
from outrider.contacts.imports.service import LeaseLostError
from outrider.db.database import Database
from outrider.errors import ImportFileError, NotFoundError, StoreError

ROWS_PER_TRANSACTION: Final = 5_000
"""About 50 ms of writing: dialing goes on between two of them."""

REPORT_SECONDS: Final = 0.5
LEASE: Final = dt.timedelta(seconds=30)
FORGOTTEN_AFTER: Final = dt.timedelta(days=1)

Listener = Callable[[Import], None]


class ImportRunner:
    """Works on one import at a time. `owner` names this runner in leases; it must be unique."""

    def __init__(
        self,
        database: Database,
        data_folder: Path,
        clock: Clock,
        *,
        workers: int = 2,
        lease: dt.timedelta = LEASE,
        lease_clock: Clock | None = None,
        report_seconds: float = REPORT_SECONDS,
        rows_per_transaction: int = ROWS_PER_TRANSACTION,
    ) -> None:
        """Leases are about processes, so they run on real time even where `clock` is scaled."""
        self.owner = f"{socket.gethostname()[:40]}-{secrets.token_hex(8)}"
        self._database = database
        self._folder = data_folder
        self._clock = clock
        self._workers = workers
        self._lease = lease
        self._lease_clock = lease_clock or RealClock()
        self._report_seconds = report_seconds
        self._rows = rows_per_transaction

    def claim_next(self, import_id: int | None = None) -> int | None:
        """Lease the oldest import that nobody works on (or just `import_id`); return its id or None."""
        claimed = self._database.write_now(
            service.claim, self._lease_clock.now(), self.owner, self._lease, import_id
        )
        return None if claimed is None else claimed.id

    def run_one(self, import_id: int, listener: Listener | None = None) -> Import | None:
        """Do all of a claimed import and return it as it ended; None when it was taken away or cancelled.

        `listener` is told of progress, about twice a second. StoreError when writing broke off: it goes on
        with the next claim. What is wrong with the file itself ends up in the import's state and message.
        """
        try:
            present = self._get(import_id)
            if present.state is not ImportState.APPLYING and not self._read(present, listener):
                return self._ended(import_id)
            self._apply(self._get(import_id), listener)
        except (LeaseLostError, NotFoundError):
            self._clean_up_lost(import_id)
            return None
        except BaseException:
            self._database.write_now(service.release, present, self.owner)
            raise
        return self._ended(import_id)

    def remove_forgotten_files(self) -> int:
        """Remove files of uploads that never became imports, after a day; return how many."""
        known = self._database.read_now(service.known_spools)
        oldest = (self._lease_clock.now() - FORGOTTEN_AFTER).timestamp()
        removed = 0
        for path in (self._folder / FOLDER).glob("*.*"):
            if path.name.split(".")[0] not in known and path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _get(self, import_id: int) -> Import:
        return self._database.read_now(service.get_import, organization_id=None, import_id=import_id)

    def _files(self, present: Import) -> ImportFiles:
        return ImportFiles(self._folder, present.spool)

    def _until(self) -> dt.datetime:
        return self._lease_clock.now() + self._lease

    def _ended(self, import_id: int) -> Import:
        ended = self._get(import_id)
        self._files(ended).remove_working_files()
        return ended

    def _clean_up_lost(self, import_id: int) -> None:
        """Remove the files of a cancelled import; those of one that another runner has are its own."""
        try:
            present = self._get(import_id)
        except NotFoundError:
            return
        if present.state is ImportState.CANCELLED:
            self._files(present).remove_working_files()

    def _read(self, present: Import, listener: Listener | None) -> bool:
        """Do the first half; False when the import ended here, because of the file."""
        counts = Counts()
        try:
            counts = self._clean(present, listener)
        except ImportFileError as error:
            self._fail(present, error.message, counts)
            return False
        except OSError as error:
            self._fail(present, f"{present.file_name}: cannot be read or copied: {error.strerror}", counts)
            return False
        if counts.mistakes and not present.options.keep_good:
            rows = "1 row is" if counts.mistakes == 1 else f"{counts.mistakes:,} rows are"
            self._fail(
                present,
                f"{present.file_name}: {rows} rejected of {counts.rows_read:,}, so nothing was "
                "imported; correct them (see the rejects), or import with keep-good to leave them out",
                counts,
            )
            return False
        self._database.write_now(
            service.start_applying, self._clock.now(), present, self.owner, self._until(), counts.columns()
        )
        return True

    def _clean(self, present: Import, listener: Listener | None) -> Counts:
        target = self._database.read_now(contacts.get_list, organization_id=None, list_id=present.list_id)
        opened = open_file(
            self._files(present), present.file_name, present.file_size, present.options, target
        )
        self._database.write_now(
            service.start_reading, self._clock.now(), present, self.owner, self._until(), opened.found()
        )
        told = stopwatch()

        def report(counts: Counts) -> None:
            nonlocal told
            if stopwatch() - told >= self._report_seconds:
                self._database.write_now(
                    service.report_reading,
                    self._clock.now(),
                    present,
                    self.owner,
                    self._until(),
                    counts.columns(),
                )
                self._tell(present, listener)
                told = stopwatch()

        workers = self._workers if present.file_size > SMALL_FILE else 0
        return clean_file(opened, self._files(present), self._blocked(present), report, workers)

    def _blocked(self, present: Import) -> Callable[[Sequence[str]], set[str]] | None:
        """Return how to ask the do-not-contact lists, None when they are all empty."""
        if not self._database.read_now(do_not_contact.any_blocked, present.organization_id):
            return None
        return lambda addresses: self._database.read_now(
            do_not_contact.blocked, present.organization_id, addresses
        )

    def _fail(self, present: Import, message: str, counts: Counts) -> None:
        self._database.write_now(
            service.fail, self._clock.now(), present, self.owner, message, counts.columns()
        )

    def _apply(self, present: Import, listener: Listener | None) -> None:
        """Do the second half, from the cursor that was committed with the last rows."""
        try:
            file = self._files(present).clean.open("rb")
        except OSError as error:
            raise StoreError(
                f"import {present.id}: its working file cannot be read: {error.strerror}; "
                "import the file again: rows that are on the list are not added twice"
            ) from None
        with file:
            position = file.seek(present.position)
            told = stopwatch()
            while True:
                rows, following = clean_rows(file, self._rows)
                if not rows:
                    break
                self._database.write_now(
                    service.apply_rows,
                    self._clock.now(),
                    present,
                    self.owner,
                    self._until(),
                    rows,
                    (position, following),
                )
                position = following
                if stopwatch() - told >= self._report_seconds:
                    self._tell(present, listener)
                    told = stopwatch()
        self._database.write_now(service.finish, self._clock.now(), present, self.owner)

    def _tell(self, present: Import, listener: Listener | None) -> None:
        if listener is not None:
            listener(self._get(present.id))
