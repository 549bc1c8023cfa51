"""What of the unpacked packages is kept: the programs, Asterisk's modules, their libraries, English sounds.

`cache` calls `collect`; the tests' Asterisk loads what it finds among MODULES. A tenth of the tree remains.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tools.testbed.errors import UnavailableError

RECIPE = 2
"""Raised whenever what is kept, or where, changes: a cache of another recipe is not used."""

PROGRAMS = ("usr/sbin/asterisk", "usr/bin/sipp", "usr/bin/espeak-ng")

MODULES = tuple(Path(__file__).with_name("modules.txt").read_text(encoding="utf-8").split())
"""Modules that are kept where the Asterisk at hand has them (20 lacks the newest)."""

_LARGEST_DICTIONARY = 1_000_000
"""Bytes. Larger ones (Russian, Faroese, Chinese) would double the bed, and no test speaks them."""


def collect(tree: Path, bed: Path) -> None:
    """Copy what is kept from the unpacked `tree` into the new folder `bed`.

    UnavailableError when a program or a library of it is not in the tree.
    """
    for folder in ("bin", "lib", "modules", "share"):
        (bed / folder).mkdir(parents=True)
    loader = _only(tree, "usr/lib*/ld-linux-*.so.*", "usr/lib/*/ld-linux-*.so.*", "lib*/ld-linux-*.so.*")
    libraries = [*tree.glob("usr/lib/*-linux-gnu*"), *tree.glob("usr/lib/*-linux-gnu*/pulseaudio")]
    shutil.copy2(loader.resolve(), bed / "ld.so")
    modules = _only(tree, "usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules")
    kept = [tree / program for program in PROGRAMS]
    kept += [path for name in MODULES if (path := modules / f"{name}.so").exists()]
    for path in kept:
        shutil.copy2(path, bed / ("modules" if path.parent == modules else "bin") / path.name)
    for library in sorted(needed(loader, libraries, kept)):
        shutil.copy2(library.resolve(), bed / "lib" / library.name)
    _share(tree, bed / "share")


def needed(loader: Path, folders: Iterable[Path], files: Iterable[Path]) -> set[Path]:
    """Return the libraries that `files` load, as the loader itself resolves them within `folders`."""
    path = ":".join(map(str, folders))
    found: set[Path] = set()
    for file in files:
        command = [str(loader), "--library-path", path, "--list", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        missing = re.search(r"(\S+) => not found|libraries: ([^:]+):", done.stdout + done.stderr)
        if missing:
            raise UnavailableError(f"the packages lack {missing[1] or missing[2]}, which {file.name} needs")
        found.update(Path(name) for name in re.findall(r"=> (\S+) \(", done.stdout))
    return {library for library in found if not library.name.startswith("ld-linux")}


def _share(tree: Path, share: Path) -> None:
    data = tree / "usr/share/asterisk"
    sounds = share / "asterisk" / "sounds"
    ignored = shutil.ignore_patterns(
        "static-http", "firmware", "phoneprov", "custom", "priv-callerintros", "recordings"
    )
    shutil.copytree(data, share / "asterisk", symlinks=True, ignore=ignored)
    if not (sounds / "en").exists():
        # What the package's postinst does: without this link `sound:` names are not found.
        (sounds / "en").symlink_to(min(path.name for path in sounds.glob("en_*")))
    shutil.copytree(tree / "usr/share/sip-tester", share / "sip-tester")
    voices = _only(tree, "usr/lib/*/espeak-ng-data", "usr/share/espeak-ng-data")
    shutil.copytree(voices, share / "espeak-ng-data", ignore=_large_dictionaries)


def _large_dictionaries(folder: str, names: list[str]) -> list[str]:
    sizes = {name: (Path(folder) / name).stat().st_size for name in names if name.endswith("_dict")}
    return [name for name, size in sizes.items() if size > _LARGEST_DICTIONARY]


def _only(tree: Path, *patterns: str) -> Path:
    for pattern in patterns:
        found = sorted(tree.glob(pattern))
        if found:
            return found[0]
    raise UnavailableError(f"the packages have no {patterns[0]}, so they cannot be run from a folder")
