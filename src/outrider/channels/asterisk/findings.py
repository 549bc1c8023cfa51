"""What `check` finds out about a server, for the command line, the page and the log. Pure."""

import enum
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Calls can be made, but something does not work."""
    ERROR = "error"
    """No call can be made."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `what` is a short stable name, `message` one sentence for a person."""

    level: Level
    what: str
    message: str
