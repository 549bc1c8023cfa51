"""Pack a test bed into one archive with a manifest of checksums, unpack it, and prove that it is whole.

`cache` is the caller. An archive is a gzip'd tar of manifest.json and the files and links that it lists.
"""

import hashlib
import json
import tarfile
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

MANIFEST = "manifest.json"
_COMPRESSION = 6


class DamagedError(Exception):
    """An archive or an unpacked bed is not what its manifest says; the text names the file."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bed holds: `files` maps a path to its SHA-256 in hex, `links` a path to where it points."""

    recipe: int
    suite: str
    architecture: str
    versions: dict[str, str]
    programs: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def describe(bed: Path, recipe: int, suite: str, architecture: str, versions: dict[str, str]) -> Manifest:
    """Return the manifest of the files below `bed`."""
    found = Manifest(recipe, suite, architecture, versions)
    for path in sorted(bed.rglob("*")):
        name = path.relative_to(bed).as_posix()
        if path.is_symlink():
            found.links[name] = path.readlink().as_posix()
        elif path.is_file() and name != MANIFEST:
            found.files[name] = _digest(path)
            if path.stat().st_mode & 0o100:
                found.programs.append(name)
    return found


def write(manifest: Manifest, bed: Path) -> None:
    """Write the manifest into the bed."""
    (bed / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")


def read(text: str | bytes) -> Manifest:
    """Read a manifest; DamagedError when it is none, or when a path of it leads out of the bed."""
    try:
        values: dict[str, Any] = json.loads(text)
        manifest = Manifest(**values)
    except (ValueError, TypeError):
        raise DamagedError(f"{MANIFEST} is not a manifest") from None
    for name, target in [*manifest.links.items(), *((name, "") for name in manifest.files)]:
        for path in (PurePosixPath(name), PurePosixPath(target)):
            if path.is_absolute() or ".." in path.parts:
                raise DamagedError(f"{MANIFEST} names {path}, which is outside")
    return manifest


def verify(bed: Path) -> Manifest:
    """Return the manifest of an unpacked bed whose every file is as listed; DamagedError otherwise."""
    try:
        manifest = read((bed / MANIFEST).read_bytes())
        for name, digest in manifest.files.items():
            if _digest(bed / name) != digest:
                raise DamagedError(f"{name} has changed")
        for name, target in manifest.links.items():
            if (bed / name).readlink().as_posix() != target:
                raise DamagedError(f"{name} points elsewhere")
    except OSError as error:
        raise DamagedError(f"{error.filename} cannot be read ({error.strerror})") from None
    return manifest


def pack(bed: Path, archive: Path) -> None:
    """Write the bed with its manifest to `archive`; it appears whole or not at all."""
    partial = archive.with_suffix(".partial")
    with tarfile.open(partial, "w:gz", compresslevel=_COMPRESSION) as tar:
        tar.add(bed / MANIFEST, MANIFEST)
        for name in read((bed / MANIFEST).read_bytes()).files:
            tar.add(bed / name, name)
    partial.replace(archive)


def unpack(archive: Path, bed: Path) -> Manifest:
    """Unpack into the new folder `bed` what the manifest lists and nothing else; DamagedError otherwise."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            manifest = read(_member(tar, MANIFEST))
            for name in manifest.files:
                path = bed / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_member(tar, name))
                path.chmod(0o755 if name in manifest.programs else 0o644)
    except (OSError, EOFError, tarfile.TarError, KeyError) as error:
        raise DamagedError(f"{archive.name} cannot be unpacked ({error})") from None
    for name, target in manifest.links.items():
        (bed / name).parent.mkdir(parents=True, exist_ok=True)
        (bed / name).symlink_to(target)
    write(manifest, bed)
    return verify(bed)


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    found = tar.extractfile(name)
    if found is None:
        raise KeyError(name)
    return found.read()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
