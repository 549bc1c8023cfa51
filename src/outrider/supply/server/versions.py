"""Versions of the protocol between licence server and platform, and their order. Pure.

1.0 leased without acknowledgement; 1.1 has the client say which answer it saw last, so that units that
are taken back are never given to others while their holder may not have heard of it.
"""

from outrider.errors import InvalidInputError

PROTOCOL_VERSION = "1.1"
"""The version that this program speaks as a server."""

MINIMUM_VERSION = "1.1"
"""The oldest server that a platform takes its licences from, unless it is configured otherwise."""


def parse_version(text: str) -> tuple[int, int]:
    """Return (major, minor) of a version such as "1.1". InvalidInputError for anything else."""
    major, dot, minor = text.partition(".")
    plain = major.isascii() and minor.isascii() and major.isdigit() and minor.isdigit()
    if not dot or not plain or max(len(major), len(minor)) > 6:  # noqa: PLR2004 - no version has more digits
        raise InvalidInputError(f"{text!r} is not a protocol version such as {PROTOCOL_VERSION}")
    return int(major), int(minor)


def is_older(version: str, minimum: str) -> bool:
    """Return whether `version` is below `minimum`. InvalidInputError."""
    return parse_version(version) < parse_version(minimum)
