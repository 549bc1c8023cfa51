"""How ways out are tried, as the API and the page know it.

`app.py` puts `ChannelChecks`, which the composition root makes, among the parts of `EdgeServices`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from outrider.channel_reports.model import Way
from outrider.media.checking import Finding


@dataclass(frozen=True, slots=True)
class ChannelChecks:
    """The ways out of the settings, and `run`, which tries any way out by its key.

    `run` never raises for what the other side may do, and takes a bounded time; NotFoundError for a key that
    is not there or cannot be tried.
    """

    ways: tuple[Way, ...]
    run: Callable[[str], Awaitable[tuple[Finding, ...]]]
