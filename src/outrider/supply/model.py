"""What is authorised, and how fresh that knowledge is (licensing.md 7). Pure.

`supply/service.py` keeps it; every page shows it.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.licences.model import LicenceKind
from outrider.supply.claims import LicenceFile

GRACE = dt.timedelta(days=30)
"""How long the last known counts stay in force after a file expired or vanished (licensing.md 7)."""

WARNING = dt.timedelta(days=7)
"""How long before its expiry a licence is warned about (licensing.md 7)."""


class SupplyState(enum.StrEnum):
    """How far the counts in force can be relied on."""

    NONE = "none"
    """No licence was ever loaded."""
    NORMAL = "normal"
    STALE = "stale"
    GRACE = "grace"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Supply:
    """The entitlement in force. Times are aware UTC; `expires_at` is that of the file that ends first."""

    state: SupplyState = SupplyState.NONE
    version: str = ""
    customer: str = ""
    counts: Mapping[LicenceKind, int] = field(default_factory=dict)
    last_poll_at: dt.datetime | None = None
    last_success_at: dt.datetime | None = None
    last_changed_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    message: str = "no licence file is loaded"

    @property
    def grace_ends_at(self) -> dt.datetime | None:
        """Return when the counts fall to 0 if nothing is done; None unless in grace."""
        if self.state is not SupplyState.GRACE or self.expires_at is None:
            return None
        return self.expires_at + GRACE


def add_up(files: tuple[LicenceFile, ...], now: dt.datetime) -> Supply:
    """Return the supply of several files at `now`: valid ones and those in grace add up.

    A file that has expired counts for GRACE longer, then no more. Nothing here says when it was polled.
    """
    counting = [file for file in files if file.not_before <= now < file.expires_at + GRACE]
    counts: dict[LicenceKind, int] = {}
    for file in counting:
        for kind, units in file.counts.items():
            counts[kind] = counts.get(kind, 0) + units
    if not files:
        return Supply()
    if not counting:
        ended = max(file.expires_at for file in files)
        message = f"the licence expired on {ended:%Y-%m-%d} and its grace has ended: load a new file"
        return Supply(
            SupplyState.EXPIRED, _version(files), _customer(files), {}, expires_at=ended, message=message
        )
    first = min(file.expires_at for file in counting)
    state = SupplyState.NORMAL if now < first else SupplyState.GRACE
    return Supply(
        state,
        _version(counting),
        _customer(counting),
        counts,
        expires_at=first,
        message=_message(state, first, now),
    )


def _message(state: SupplyState, expires_at: dt.datetime, now: dt.datetime) -> str:
    if state is SupplyState.GRACE:
        return (
            f"a licence expired on {expires_at:%Y-%m-%d}; it stays in force until "
            f"{expires_at + GRACE:%Y-%m-%d}: load a new file before then"
        )
    if now >= expires_at - WARNING:
        return f"a licence expires on {expires_at:%Y-%m-%d}: load a new file before then"
    return ""


def _version(files: list[LicenceFile] | tuple[LicenceFile, ...]) -> str:
    return max((file.platform_version for file in files), default="")


def _customer(files: list[LicenceFile] | tuple[LicenceFile, ...]) -> str:
    return ", ".join(sorted({file.customer for file in files}))
