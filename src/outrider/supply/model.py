"""What is authorised, and how fresh that knowledge is (licensing.md 7). Pure.

`supply/platform_state.py` makes a new Supply of every poll, `supply/service.py` keeps it, pages show it.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.licences.model import LicenceKind
from outrider.supply.authorisation import Feature, SourceFault

GRACE = dt.timedelta(days=30)
"""How long the last known counts stay in force after a file expired or vanished (licensing.md 7)."""

WARNING = dt.timedelta(days=7)
"""How long before its expiry a licence is warned about (licensing.md 7)."""

NOTHING_LOADED = "no licence file is loaded"


class SupplyState(enum.StrEnum):
    """How far the counts in force can be relied on."""

    NONE = "none"
    """No licence was ever authorised."""
    NORMAL = "normal"
    STALE = "stale"
    GRACE = "grace"
    EXPIRED = "expired"


LICENSED = frozenset({SupplyState.NORMAL, SupplyState.STALE, SupplyState.GRACE})
"""The states in which anything may start at all."""


@dataclass(frozen=True, slots=True)
class ClockMemory:
    """What is remembered of this machine's clock: what it said last, and what it owes.

    The effective time is the clock's plus `offset`; a clock that is set back does not set it back.
    """

    seen_at: dt.datetime | None = None
    offset: dt.timedelta = dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class Known:
    """What the platform manager remembers from poll to poll. Times are effective time, aware UTC.

    `features` are those that were authorised last; `fresh_at` is when. `lost_since` is set while they are
    not authorised any more: because the server says so, or has not been heard for too long.
    """

    features: tuple[Feature, ...] = ()
    server_id: str = ""
    protocol_version: str = ""
    fresh_at: dt.datetime | None = None
    lease_until: dt.datetime | None = None
    lost_since: dt.datetime | None = None
    missed_polls: int = 0
    fault: SourceFault | None = None
    notice: str = ""
    """What the server, or the failure of the last poll, says."""
    clock: ClockMemory = ClockMemory()


@dataclass(frozen=True, slots=True)
class Supply:
    """The entitlement in force. Times are aware UTC, by this machine's clock except `expires_at`.

    `authorised` is what the licence server lets us use; `counts`, what is divided, has telephony ports only
    as far as the configured connections carry them. `expires_at` is that of the file that ends first.
    """

    state: SupplyState = SupplyState.NONE
    version: str = ""
    customer: str = ""
    counts: Mapping[LicenceKind, int] = field(default_factory=dict)
    last_poll_at: dt.datetime | None = None
    last_success_at: dt.datetime | None = None
    last_changed_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    message: str = NOTHING_LOADED
    authorised: Mapping[LicenceKind, int] = field(default_factory=dict)
    grace_since: dt.datetime | None = None
    grace_ends_at: dt.datetime | None = None
    """When counts fall if nothing is done; None unless in grace."""
    known: Known = field(default_factory=Known)

    @property
    def is_licensed(self) -> bool:
        """Return whether anything may start at all."""
        return self.state in LICENSED
