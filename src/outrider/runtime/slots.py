"""A worker's name that outlives it: a lock file in the data folder, freed by the system when it dies.

A process that starts again gets the slot of its former life, and knows at once whose attempts to take over,
without waiting for any lease to run out.
"""

import fcntl
import os
import socket
from pathlib import Path

from outrider.errors import StoreError

MOST_WORKERS = 1000


class Slot:
    """The first free slot of a data folder on this host, held until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Take a slot. StoreError when the folder cannot be written, or all slots are taken."""
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(MOST_WORKERS):
            path = folder / f"worker-{number}.lock"
            try:
                handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise StoreError(f"{path}: cannot be opened: {error.strerror}") from None
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                continue
            self._handle = handle
            self.name = f"{socket.gethostname()}:{folder.resolve()}:{number}"
            return
        raise StoreError(f"{folder}: {MOST_WORKERS} workers are running from this folder already")

    def release(self) -> None:
        """Give the slot up."""
        os.close(self._handle)
