"""Fetch the packages with a private apt state and unpack them into a tree: no root, nothing installed.

`cache` calls `download` and `unpack`. What is asked of apt is decided in `sources`.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.testbed import sources
from tools.testbed.errors import UnavailableError

Report = Callable[[str], None]
"""Told one line of progress at a time."""

_PATIENCE = 600.0
_KEYRINGS = Path("/usr/share/keyrings")


@dataclass(frozen=True, slots=True)
class Download:
    """Packages on disk: the suite, the architecture, and each named package's version."""

    suite: str
    architecture: str
    versions: dict[str, str]
    files: tuple[Path, ...]


def download(folder: Path, report: Report) -> Download:
    """Fetch PACKAGES and what they depend on into `folder`.

    From the machine's own suite when that has an Asterisk the product can drive, otherwise from the newest
    suite of the distribution. UnavailableError when the machine or its network cannot.
    """
    for command in ("apt-get", "apt-cache", "dpkg-deb", "dpkg"):
        if shutil.which(command) is None:
            raise UnavailableError(
                f"this machine has no {command}: the real test bed comes from Debian or Ubuntu packages"
            )
    system = _system()
    address = _address(system)
    own_is_known_old = not sources.new_enough(_candidate("asterisk", None)) and _lists_are_there()
    suites = [] if own_is_known_old or not system.suite else [system.suite]
    for suite in dict.fromkeys((*suites, sources.NEWEST_SUITE[system.name])):
        report(f"Reading the package lists of {suite}")
        configuration = _private_state(folder / suite, address, suite, system.name)
        _apt(f"the package lists of {suite} could not be fetched", ["update"], configuration)
        if sources.new_enough(_candidate("asterisk", configuration)):
            return _fetch(folder / suite, suite, configuration, report)
    raise UnavailableError(
        f"neither {system.suite} nor the newest {system.name} has Asterisk {sources.OLDEST_ASTERISK} or newer"
    )


def unpack(files: Sequence[Path], tree: Path) -> None:
    """Unpack packages into `tree`, as they are: nothing of them is configured or run."""
    for file in files:
        _run([_command("dpkg-deb"), "-x", str(file), str(tree)], f"{file.name} could not be unpacked", None)


def _fetch(folder: Path, suite: str, configuration: Path, report: Report) -> Download:
    versions = {name: _candidate(name, configuration) for name in sources.PACKAGES}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        raise UnavailableError(f"{suite} has no package {missing[0]}, which the real test bed needs")
    report(f"Fetching Asterisk {versions['asterisk']}, SIPp and espeak-ng (about 100 MB)")
    arguments = ["-y", "--download-only", "install", *sources.PACKAGES]
    _apt(f"the packages of {suite} could not be fetched", arguments, configuration)
    return Download(
        suite,
        _run([_command("dpkg"), "--print-architecture"], "the architecture is unknown", None).strip(),
        {name: version for name, version in versions.items() if version},
        tuple(sorted((folder / "cache" / "archives").glob("*.deb"))),
    )


def _system() -> sources.Distribution:
    try:
        system = sources.distribution(Path("/etc/os-release").read_text(encoding="utf-8"))
    except OSError:
        system = sources.Distribution("unknown", "")
    if system.name not in sources.NEWEST_SUITE:
        raise UnavailableError(
            f"{system.name} is not Debian or Ubuntu: the real test bed knows only these two"
        )
    return system


def _address(system: sources.Distribution) -> str:
    listing = _run(
        [_command("apt-get"), "indextargets", "--no-release-info", "--format", sources.TARGET_FORMAT],
        "apt's own sources could not be read",
        None,
    )
    address = sources.repository(sources.targets(listing), system.suite)
    if address is None:
        raise UnavailableError(f"apt on this machine has no source for {system.name} {system.suite} main")
    return address


def _lists_are_there() -> bool:
    return any(Path("/var/lib/apt/lists").glob("*_Packages*"))


def _private_state(folder: Path, address: str, suite: str, name: str) -> Path:
    for below in ("etc/apt.conf.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
        (folder / below).mkdir(parents=True, exist_ok=True)
    (folder / "state" / "status").touch()
    keyrings = (_KEYRINGS / f"{name}-archive-keyring.{ending}" for ending in ("gpg", "pgp"))
    keyring = next((path for path in keyrings if path.exists()), None)
    line = sources.source_line(address, suite, name, keyring)
    (folder / "etc" / "sources.list").write_text(line, encoding="utf-8")
    configuration = folder / "apt.conf"
    configuration.write_text(sources.apt_configuration(folder), encoding="utf-8")
    return configuration


def _candidate(package: str, configuration: Path | None) -> str | None:
    answer = _run([_command("apt-cache"), "policy", package], "apt-cache failed", configuration)
    return sources.candidate(answer)


def _apt(failure: str, arguments: Sequence[str], configuration: Path) -> None:
    _run([_command("apt-get"), "-q", *arguments], failure, configuration)


def _command(name: str) -> str:
    return shutil.which(name) or name


def _run(command: Sequence[str], failure: str, configuration: Path | None) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    if configuration:
        environment["APT_CONFIG"] = str(configuration)
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"{failure} within {_PATIENCE:.0f} s: is the network there?") from None
    if done.returncode:
        raise UnavailableError(f"{failure}: {sources.complaint(done.stderr)}")
    return done.stdout
