"""How we stand with each media server, for pages, alarms and the registry. `server` tells it."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from outrider.channels.asterisk.trouble import ServerState


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """One server: its state since when (aware UTC), its version once known, and why it is not connected."""

    name: str
    state: ServerState
    since: dt.datetime
    version: str = ""
    message: str = ""
    calls: int = 0
    """Calls of ours that are up there, as far as we have heard."""


OnHealth = Callable[[ServerHealth], None]
