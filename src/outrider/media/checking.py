"""The check of a media server for real, as the web layer and the command line know it.

`app.py` puts a ServerCheck, made of a driver's own check, among the parts of `EdgeServices`.
"""

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from outrider.media.model import Connection


class Level(enum.StrEnum):
    """How bad a finding is, in the words that drivers use."""

    OK = "ok"
    WARNING = "warning"
    """Calls can be made, but something does not work."""
    ERROR = "error"
    """No call can be made."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried: `what` is a short stable name, `message` a sentence that says what to do."""

    level: Level
    what: str
    message: str


@dataclass(frozen=True, slots=True)
class ServerCheck:
    """Tries a media server; never raises for what a server may do, and takes a bounded time."""

    run: Callable[[Connection], Awaitable[tuple[Finding, ...]]]
