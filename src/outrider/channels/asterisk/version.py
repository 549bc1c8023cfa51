"""What a version of Asterisk can do. Pure; the client decides by it, `check` explains it."""

import re
from typing import NamedTuple


class Version(NamedTuple):
    """A release of Asterisk, ordered."""

    major: int
    minor: int = 0
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


OLDEST = Version(20)
"""The oldest that is supported: older ones get no security fixes any more."""

_REQUESTS_ON_WEBSOCKET = {20: 14, 21: 9, 22: 4}
"""By branch, the first minor release that takes requests over the websocket."""
_MEDIA_WEBSOCKET = {20: 16, 21: 11, 22: 6}
"""By branch, the first minor release with chan_websocket."""


def parse(text: str) -> Version | None:
    """Return the version in a text as `22.10.1+dfsg` or `GIT-20-abc`; None for a development build."""
    found = re.match(r"(?:certified[/-])?(?:GIT-)?(\d+)(?:\.(\d+))?(?:\.(\d+))?", text)
    if found is None:
        return None
    return Version(*(int(part or 0) for part in found.groups()))


def takes_requests_on_websocket(version: Version | None) -> bool:
    """Return whether requests may be sent over the websocket; a build without a number is taken to be new."""
    return _since(version, _REQUESTS_ON_WEBSOCKET)


def has_media_websocket(version: Version | None) -> bool:
    """Return whether the sound of a call can be had over a websocket (speech recognition needs it)."""
    return _since(version, _MEDIA_WEBSOCKET)


def _since(version: Version | None, table: dict[int, int]) -> bool:
    if version is None:
        return True
    return version.major > max(table) or version.minor >= table.get(version.major, 1_000_000)
