"""A connection to the telephone network as administrators describe it, and what such a description may say.

`supply/ports.py` counts what connections carry; API, pages and command line make and show them. Pure.
"""

import enum
from dataclasses import dataclass

from outrider.errors import InvalidInputError
from outrider.licences.model import LARGEST_COUNT

LONGEST_NAME = 80
SMALLEST_CAPACITY = 1


class ConnectionKind(enum.StrEnum):
    """How calls reach the telephone network."""

    SIP = "sip"
    """Capacity is the maximum number of simultaneous calls. Calls are made over it."""
    H323 = "h323"
    """Capacity is the number of stations. Accounted and reported; no call of ours is made over it."""


LABELS = {ConnectionKind.SIP: "SIP", ConnectionKind.H323: "H.323"}
"""The kinds as people know them."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One configured connection. `capacity` is in calls (SIP) or stations (H.323); zone None: all."""

    id: int
    name: str
    kind: ConnectionKind
    capacity: int
    zone: str | None = None
    enabled: bool = True


def check(name: str, capacity: int) -> str:
    """Return the name without outer blanks. InvalidInputError names the field that breaks a rule."""
    plain = " ".join(name.split())
    if not 1 <= len(plain) <= LONGEST_NAME or not plain.isprintable():
        raise InvalidInputError(f"connection: a name has 1 to {LONGEST_NAME} characters", where="name")
    if not SMALLEST_CAPACITY <= capacity <= LARGEST_COUNT:
        raise InvalidInputError(
            f"connection {plain}: {capacity} is no number of calls or stations:"
            f" give a whole number from {SMALLEST_CAPACITY} to {LARGEST_COUNT}",
            where="capacity",
        )
    return plain
