"""The check of a media server for real, as the web layer and the command line know it.

`app.py` puts a ServerCheck, made of a driver's own check, among the parts of `EdgeServices`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from outrider.media.model import Connection


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried: `what`, whether it is well, and a sentence that says what to do if not."""

    what: str
    ok: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class ServerCheck:
    """Tries a media server; never raises for what a server may do, and takes a bounded time."""

    run: Callable[[Connection], Awaitable[tuple[Finding, ...]]]
