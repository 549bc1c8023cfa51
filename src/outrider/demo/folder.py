"""The demo's folder: database, licence file, contact files, uploads. Never anybody else's.

`cli/demo.py` claims one before anything is written.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from outrider.errors import InvalidInputError

MARKER: Final = ".outrider-demo"
"""A file that says that everything in its folder may be deleted."""


def temporary_folder() -> Path:
    """Return a new folder of the system's for temporary files."""
    folder = Path(tempfile.mkdtemp(prefix="outrider-demo-"))
    claim(folder)
    return folder


def claim(folder: Path) -> None:
    """Make `folder` an empty demo folder. InvalidInputError when it has files that no demo wrote."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = list(folder.iterdir())
        if found and not (folder / MARKER).exists():
            raise InvalidInputError(
                f"--folder: {folder} has files that no demo wrote, and they would be deleted: name another"
            )
        for path in found:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != MARKER:
                path.unlink()
        (folder / MARKER).touch()
    except OSError as error:
        raise InvalidInputError(f"--folder: {folder}: {error.strerror}") from None


def remove(folder: Path) -> None:
    """Remove a demo folder; what cannot be removed is left for the system to clean up."""
    if (folder / MARKER).exists():
        shutil.rmtree(folder, ignore_errors=True)
