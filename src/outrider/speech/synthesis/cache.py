"""Prompts as files, found by what they say: written whole or not at all, the least recently used go first.

The synthesiser uses it; media servers read the files, so everybody may. Several processes may share a folder:
all that is known of a file is its time of modification, which is set when it is used.
"""

import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from outrider.errors import ChannelError

IN_USE = 900.0
"""Seconds after its last use for which a file is never removed: a media server may still play it."""
REMAINING = 0.9
"""Part of the limit that is left by a clean-up, so that not every new file needs one."""
_FOLDER_MODE, _FILE_MODE = 0o755, 0o644
_UNFINISHED = ".unfinished-"


class PromptCache:
    """A folder of WAV files by key. Its methods may block, and may be called from any thread."""

    def __init__(self, folder: Path, largest: int, in_use: float = IN_USE) -> None:
        """Use `folder` for up to `largest` bytes, beside what was used in the last `in_use` seconds."""
        self.folder = folder
        self._largest = largest
        self._in_use = in_use
        self._size: int | None = None
        self._lock = threading.Lock()

    def find(self, key: str) -> Path | None:
        """Return the file of a key and note its use; None when there is none."""
        path = self._path(key)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        except PermissionError:
            # Made by another user, who alone may note its use; it can be played all the same.
            return path
        except OSError as error:
            raise self._trouble(error) from error
        return path

    def store(self, key: str, content: bytes) -> Path:
        """Write a file so that nobody ever sees a part of it; make room. ChannelError when that fails."""
        path = self._path(key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
            descriptor, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=self.folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    os.fchmod(file.fileno(), _FILE_MODE)
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            self._make_room(path, len(content))
        except OSError as error:
            raise self._trouble(error) from error
        return path

    def _make_room(self, newest: Path, added: int) -> None:
        """Remove what was not used for longest, once all files together are larger than the limit."""
        with self._lock:
            if self._size is not None:
                self._size += added
                if self._size <= self._largest:
                    return
            # The newest file's time is the folder's own idea of "now", also on a network disk.
            unused_since = newest.stat().st_mtime - self._in_use
            found = self._files()
            self._size = sum(size for _, size, _ in found)
            if self._size <= self._largest:
                return
            for used, size, path in sorted(found):
                if used > unused_since or self._size <= self._largest * REMAINING:
                    break
                if self._remove(path, unused_since):
                    self._size -= size

    def _files(self) -> list[tuple[float, int, Path]]:
        """Return all files with the time of their last use and their size."""
        found = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith(".wav") or entry.name.startswith(_UNFINISHED):
                    with suppress(FileNotFoundError):
                        facts = entry.stat()
                        found.append((facts.st_mtime, facts.st_size, Path(entry.path)))
        return found

    @staticmethod
    def _remove(path: Path, unused_since: float) -> bool:
        try:
            # Somebody may have used it since we looked.
            if path.stat().st_mtime > unused_since:
                return False
            path.unlink()
        except FileNotFoundError:
            return True
        except PermissionError:
            return False
        return True

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.wav"

    def _trouble(self, error: OSError) -> ChannelError:
        return ChannelError(f"prompts cannot be kept in {self.folder}: {error.strerror or error}")
