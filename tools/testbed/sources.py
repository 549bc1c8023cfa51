"""Which mirror and which suite to take packages from, and the private apt configuration. Pure text rules.

`packages` runs apt with what is written here. No mirror is named: it comes from the machine's own apt.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

OLDEST_ASTERISK = 20
"""The product drives Asterisk 20 or newer."""

PACKAGES = ("asterisk", "asterisk-core-sounds-en-gsm", "sip-tester", "espeak-ng")

TARGET_FORMAT = "$(CREATED_BY)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
"""What `apt-get indextargets --no-release-info --format` is asked for; `targets` reads the answer."""

NEWEST_SUITE: Mapping[str, str] = {"debian": "sid", "ubuntu": "devel"}
"""Where a distribution keeps its newest packages: the way out when the machine's own suite is too old."""

COMPONENTS: Mapping[str, str] = {"debian": "main", "ubuntu": "main universe"}

_APT = """\
Dir::Etc "{etc}";
Dir::Etc::Trusted "/etc/apt/trusted.gpg";
Dir::Etc::TrustedParts "/etc/apt/trusted.gpg.d";
Dir::State "{state}";
Dir::State::status "{state}/status";
Dir::Cache "{cache}";
APT::Install-Recommends "false";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Debug::NoLocking "true";
"""


@dataclass(frozen=True, slots=True)
class Target:
    """One package index that the machine's apt is configured with."""

    repository: str
    release: str
    component: str


@dataclass(frozen=True, slots=True)
class Distribution:
    """What /etc/os-release says: `name` is debian or ubuntu (or something else), `suite` its code name."""

    name: str
    suite: str


def distribution(os_release: str) -> Distribution:
    """Read /etc/os-release. A derivative counts as the first known distribution of its ID_LIKE."""
    pairs = dict(re.findall(r"^(\w+)=\"?([^\"\n]*)\"?$", os_release, re.MULTILINE))
    names = [pairs.get("ID", ""), *pairs.get("ID_LIKE", "").split()]
    known = next((name for name in names if name in NEWEST_SUITE), names[0])
    suite = pairs.get("VERSION_CODENAME", "") if known == names[0] else pairs.get("UBUNTU_CODENAME", "")
    return Distribution(known, suite)


def targets(listing: str) -> tuple[Target, ...]:
    """Read the lines of `apt-get indextargets` in TARGET_FORMAT, in the order of the machine's sources."""
    found = []
    for line in listing.splitlines():
        created_by, _, rest = line.partition("|")
        fields = rest.split("|")
        if created_by == "Packages" and len(fields) == len(Target.__slots__):
            found.append(Target(*fields))
    return tuple(found)


def repository(found: Iterable[Target], suite: str) -> str | None:
    """Return the address that serves the distribution itself, or None.

    Security and third-party repositories lack the other suites; the distribution's own is the one that
    serves `suite` (or, with rolling names as "stable", any suite without a suffix) with component main.
    """
    main = [target for target in found if target.component == "main" and "security" not in target.repository]
    named = [target for target in main if target.release == suite]
    rolling = [target for target in main if target.release in {"stable", "testing", "unstable", "sid"}]
    return next((target.repository for target in (*named, *rolling)), None)


def apt_configuration(folder: Path) -> str:
    """Return an apt.conf with state of its own below `folder`: signatures stay checked, no root is needed.

    The expiry date of the lists is not looked at, as a newest suite's mirror may lag.
    """
    return _APT.format(etc=folder / "etc", state=folder / "state", cache=folder / "cache")


def source_line(address: str, suite: str, name: str, keyring: Path | None) -> str:
    """Return the sources.list line; without a keyring file, apt uses the machine's trusted keys."""
    signed = f"[signed-by={keyring}] " if keyring else ""
    return f"deb {signed}{address} {suite} {COMPONENTS[name]}\n"


def candidate(policy: str) -> str | None:
    """Return the candidate version in the answer of `apt-cache policy PACKAGE`, or None."""
    found = re.search(r"^\s+Candidate: (\S+)$", policy, re.MULTILINE)
    return found[1] if found and found[1] != "(none)" else None


def new_enough(version: str | None) -> bool:
    """Return whether a Debian version (`1:22.10.1+dfsg-1`) of Asterisk is at least OLDEST_ASTERISK."""
    found = re.match(r"(?:\d+:)?(\d+)\.", version or "")
    return found is not None and int(found[1]) >= OLDEST_ASTERISK


def upstream(version: str) -> str:
    """Return the upstream part of a Debian version: `1:22.10.1+dfsg+~cs6-1` is 22.10.1."""
    found = re.match(r"(?:\d+:)?([0-9.]+[0-9])", version)
    return found[1] if found else version


def complaint(output: str) -> str:
    """Return the first error that apt printed, as one line without its `E: `."""
    lines = [line for line in output.splitlines() if line.startswith(("E: ", "W: "))]
    errors = [line for line in lines if line.startswith("E: ")] or lines
    return errors[0][3:].rstrip(". ") if errors else "it gave no reason"
