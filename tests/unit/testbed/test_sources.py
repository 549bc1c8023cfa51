"""What the test bed reads out of apt's answers, on the texts that real machines give."""

from pathlib import Path

import pytest
from tools.testbed import sources
from tools.testbed.sources import Distribution, Target

DEBIAN = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_CODENAME=bookworm
ID=debian
"""
MINT = """ID=linuxmint
ID_LIKE="ubuntu debian"
VERSION_CODENAME=wilma
UBUNTU_CODENAME=noble
"""
LISTING = """Packages|https://packages.example.com/apt/|cloud|main
Packages|http://mirror.example.org/debian-security/|bookworm-security|main
Translations|http://mirror.example.org/debian/|bookworm|main
Packages|http://mirror.example.org/debian/|bookworm-updates|main
Packages|http://mirror.example.org/debian/|bookworm|contrib
Packages|http://mirror.example.org/debian/|bookworm|main
"""
POLICY = """asterisk:
  Installed: (none)
  Candidate: 1:22.10.1+dfsg+~cs6.17.60671434-1
  Version table:
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (DEBIAN, Distribution("debian", "bookworm")),
        (MINT, Distribution("ubuntu", "noble")),
        ("ID=fedora\n", Distribution("fedora", "")),
        ("", Distribution("", "")),
    ],
)
def test_the_distribution_is_read(text: str, found: Distribution) -> None:
    assert sources.distribution(text) == found


def test_only_package_indexes_are_targets() -> None:
    found = sources.targets(LISTING + "nonsense\n\nPackages|too|short\n")
    assert len(found) == 5
    assert found[0] == Target("https://packages.example.com/apt/", "cloud", "main")


def test_the_distributions_own_mirror_is_chosen() -> None:
    assert sources.repository(sources.targets(LISTING), "bookworm") == "http://mirror.example.org/debian/"
    assert sources.repository(sources.targets(LISTING), "noble") is None


def test_a_rolling_release_is_the_distributions_own_too() -> None:
    listing = "Packages|http://mirror.example.org/debian/|testing|main\n"
    assert sources.repository(sources.targets(listing), "forky") == "http://mirror.example.org/debian/"


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("1:22.10.1+dfsg+~cs6.17.60671434-1", True),
        ("1:20.6.0~dfsg+~cs6.13.40431414-2build5", True),
        ("1:18.10.0~dfsg+~cs6.10.40431411-2", False),
        ("1:16.28.0~dfsg-0+deb11u4", False),
        (None, False),
        ("nonsense", False),
    ],
)
def test_asterisk_20_is_the_oldest(version: str | None, *, enough: bool) -> None:
    assert sources.new_enough(version) is enough


def test_the_candidate_is_read() -> None:
    assert sources.candidate(POLICY) == "1:22.10.1+dfsg+~cs6.17.60671434-1"
    assert sources.candidate("asterisk:\n  Candidate: (none)\n") is None
    assert sources.candidate("") is None


def test_the_cache_is_named_by_the_upstream_version() -> None:
    assert sources.upstream("1:22.10.1+dfsg+~cs6.17.60671434-1") == "22.10.1"
    assert sources.upstream("1:20.6.0~dfsg+~cs6-2build5") == "20.6.0"


def test_signatures_are_checked_with_the_machines_keys() -> None:
    line = sources.source_line("http://mirror.example.org/debian/", "sid", "debian", Path("/keys/debian.gpg"))
    assert line == "deb [signed-by=/keys/debian.gpg] http://mirror.example.org/debian/ sid main\n"
    without = sources.source_line("http://mirror.example.org/ubuntu/", "noble", "ubuntu", None)
    assert without == "deb http://mirror.example.org/ubuntu/ noble main universe\n"
    configuration = sources.apt_configuration(Path("/private"))
    assert "AllowUnauthenticated" not in configuration
    assert "AllowInsecure" not in configuration
    assert 'Dir::State "/private/state";' in configuration


def test_apts_first_error_is_the_reason() -> None:
    output = "W: something old\nE: Failed to fetch X  Could not connect.\nE: Some index files failed\n"
    assert sources.complaint(output) == "Failed to fetch X  Could not connect"
    assert sources.complaint("W: only a warning\n") == "only a warning"
    assert sources.complaint("") == "it gave no reason"
