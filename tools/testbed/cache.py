"""The cache of test beds: one archive and one unpacked folder for each version, one fetch at a time.

Tests (many processes at once) and `python -m tools.testbed` call `ensure`. A cached bed is not renewed by
itself: the newest suite moves daily, and tests should not.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.testbed import archive, contents, packages, sources
from tools.testbed.archive import DamagedError, Manifest
from tools.testbed.bed import Bed
from tools.testbed.errors import UnavailableError
from tools.testbed.packages import Report

FOLDER_VARIABLE = "OUTRIDER_TESTBED_CACHE"
"""Environment variable that names the cache folder; the default is below ~/.cache (or XDG_CACHE_HOME)."""


def folder() -> Path:
    """Return the cache folder, which may not exist yet."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "outrider" / "testbed"


def silent(_line: str) -> None:
    """Report progress to nobody."""


def ensure(*, refresh: bool = False, report: Report = silent) -> Bed:
    """Return a whole test bed: the cached one, or a newly fetched one, or (`refresh`) the newest there is.

    Callers at the same time wait for each other. UnavailableError says in one sentence why there is none.
    """
    cache = folder()
    try:
        with _locked(cache):
            cached = None if refresh else _cached(cache, report)
            return cached or _fetched(cache, report)
    except OSError as error:
        raise UnavailableError(
            f"the test bed's cache {cache} cannot be used ({error.strerror}): set {FOLDER_VARIABLE}"
        ) from None


def _cached(cache: Path, report: Report) -> Bed | None:
    for packed in sorted(cache.glob(_name("*", "*", "*") + ".tar.gz"), key=_age, reverse=True):
        place = cache / packed.name.removesuffix(".tar.gz")
        try:
            return _bed(place, archive.verify(place))
        except DamagedError:
            shutil.rmtree(place, ignore_errors=True)
        report(f"Unpacking {packed.name}")
        try:
            return _bed(place, archive.unpack(packed, place))
        except DamagedError as error:
            report(f"Dropping {packed.name}: {error}")
            shutil.rmtree(place, ignore_errors=True)
            packed.unlink()
    return None


def _fetched(cache: Path, report: Report) -> Bed:
    scratch = cache / "fetching"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        found = packages.download(scratch / "apt", report)
        tree, bed = scratch / "tree", scratch / "bed"
        report("Unpacking and choosing what is needed")
        packages.unpack(found.files, tree)
        contents.collect(tree, bed)
        manifest = archive.describe(bed, contents.RECIPE, found.suite, found.architecture, found.versions)
        archive.write(manifest, bed)
        version = sources.upstream(found.versions["asterisk"])
        name = _name(version, found.suite, found.architecture)
        report(f"Packing {name}")
        archive.pack(bed, cache / f"{name}.tar.gz")
        shutil.rmtree(cache / name, ignore_errors=True)
        bed.rename(cache / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return _bed(cache / name, manifest)


def _name(version: str, suite: str, architecture: str) -> str:
    return f"asterisk-{version}-{suite}-{architecture}-recipe{contents.RECIPE}"


def _age(packed: Path) -> float:
    return packed.stat().st_mtime


def _bed(place: Path, manifest: Manifest) -> Bed:
    return Bed(place, manifest.versions)


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
