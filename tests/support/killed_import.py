"""Runs one import in a process of its own, which a test kills: `python killed_import.py URL FOLDER ID`.

Prints a line after every chunk and transaction, so that the test knows where the import is.
"""

import sys
from pathlib import Path

from outrider.clock import RealClock
from outrider.contacts.imports.model import Import
from outrider.db.database import Database
from outrider.runtime.importing import ImportRunner


def tell(present: Import) -> None:
    """Print where the import is."""
    print(present.state.value, present.rows_read, present.rows_added, flush=True)  # noqa: T201 - the test reads it


def main(url: str, folder: str, import_id: str) -> None:
    """Claim and run the import."""
    database = Database(url)
    runner = ImportRunner(database, Path(folder), RealClock(), report_seconds=0, rows_per_transaction=1_000)
    if runner.claim_next(int(import_id)) is None:
        raise SystemExit("nothing to claim")
    runner.run_one(int(import_id), tell)
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
