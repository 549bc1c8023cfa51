"""Which alarms are due about the platform's licence (licensing.md 7). Pure.

`supply/service.py` asks after every poll, and keeps what was raised, so that a restart repeats nothing.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from outrider.supply.authorisation import SourceFault
from outrider.supply.model import WARNING, Supply, SupplyState

DAY = dt.timedelta(days=1)
NOTICEABLE = dt.timedelta(minutes=5)
"""A clock that is behind by less is corrected without an alarm."""

SUSPICIOUS = frozenset({SourceFault.FORGED, SourceFault.REFUSED, SourceFault.TOO_OLD, SourceFault.BROKEN})
"""Faults that do not pass by themselves: they are told at once, not only when grace begins."""


class AlarmKind(enum.StrEnum):
    """What an alarm is about."""

    EXPIRES_SOON = "expires_soon"
    SERVER_FAULT = "server_fault"
    CLOCK_SET_BACK = "clock_set_back"
    CERTIFICATE = "certificate"
    GRACE = "grace"
    EXPIRED = "expired"
    IN_ORDER = "in_order"
    """All is well again after any of the others."""


class Severity(enum.StrEnum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


SEVERITIES: Mapping[AlarmKind, Severity] = {
    AlarmKind.EXPIRES_SOON: Severity.WARNING,
    AlarmKind.SERVER_FAULT: Severity.WARNING,
    AlarmKind.CLOCK_SET_BACK: Severity.WARNING,
    AlarmKind.CERTIFICATE: Severity.CRITICAL,
    AlarmKind.GRACE: Severity.WARNING,
    AlarmKind.EXPIRED: Severity.CRITICAL,
    AlarmKind.IN_ORDER: Severity.INFO,
}

ENDED_BY_ORDER = (AlarmKind.SERVER_FAULT, AlarmKind.GRACE, AlarmKind.EXPIRED)
"""What IN_ORDER takes back."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm, in one sentence for people. `subject` tells two alarms of a kind apart (which expiry)."""

    kind: AlarmKind
    message: str
    subject: str = ""

    @property
    def severity(self) -> Severity:
        """Return how bad it is."""
        return SEVERITIES[self.kind]


@dataclass(frozen=True, slots=True)
class Sent:
    """The last alarm of a kind: when it was raised, in effective time, and what about."""

    at: dt.datetime
    subject: str = ""


def alarms(
    supply: Supply, now: dt.datetime, last_sent: Mapping[AlarmKind, Sent], failed_certificates: int = 0
) -> list[Alarm]:
    """Return the alarms to raise at the effective time `now`, the most important first.

    Grace: every day. Expired: once, until all was in order again. A licence that ends within 7 days: once
    per end. A server that is forged, too old, refuses us or talks nonsense: at once, then every day. A clock
    set back: once a day while it matters. Sharing plans that failed their certificate since the last alarm
    about them: at most once an hour.
    """
    found: list[Alarm] = []
    if failed_certificates and _due(last_sent, AlarmKind.CERTIFICATE, now, dt.timedelta(hours=1)):
        found.append(_certificate(failed_certificates))
    if supply.state is SupplyState.EXPIRED and AlarmKind.EXPIRED not in _since_order(last_sent):
        found.append(Alarm(AlarmKind.EXPIRED, _capital(supply.message)))
    if supply.state is SupplyState.GRACE and _due(_since_order(last_sent), AlarmKind.GRACE, now, DAY):
        found.append(Alarm(AlarmKind.GRACE, _capital(supply.message)))
    fault = supply.known.fault
    if (
        fault is not None
        and fault in SUSPICIOUS
        and _due(_since_order(last_sent), AlarmKind.SERVER_FAULT, now, DAY, fault)
    ):
        found.append(Alarm(AlarmKind.SERVER_FAULT, _capital(supply.known.notice), fault))
    owed = supply.known.clock.offset
    if owed >= NOTICEABLE and _due(last_sent, AlarmKind.CLOCK_SET_BACK, now, DAY):
        message = f"This machine's clock is behind by {_span(owed)}: put it right; grace goes on without it."
        found.append(Alarm(AlarmKind.CLOCK_SET_BACK, message))
    found += _expires_soon(supply, now, last_sent)
    if not found and supply.state is SupplyState.NORMAL and _troubled(last_sent):
        found.append(Alarm(AlarmKind.IN_ORDER, "The platform's licence is in order again."))
    return found


def days_left(supply: Supply, now: dt.datetime) -> float | None:
    """Return the days until counts fall if nothing is done, at the effective time `now`.

    In grace until its end, else until the licence expires; 0 once expired, None when there is no licence.
    """
    if supply.state is SupplyState.NONE or supply.expires_at is None:
        return None
    if supply.state is SupplyState.EXPIRED:
        return 0.0
    end = supply.expires_at
    if supply.grace_ends_at is not None:
        end = supply.grace_ends_at + supply.known.clock.offset
    return max(0.0, (end - now) / DAY)


def _expires_soon(supply: Supply, now: dt.datetime, last_sent: Mapping[AlarmKind, Sent]) -> list[Alarm]:
    end = supply.expires_at
    if end is None or supply.state not in {SupplyState.NORMAL, SupplyState.STALE} or now < end - WARNING:
        return []
    subject = end.isoformat()
    known = last_sent.get(AlarmKind.EXPIRES_SOON)
    if known is not None and known.subject == subject:
        return []
    message = f"A licence expires on {end:%Y-%m-%d %H:%M} UTC: load a new file before then."
    return [Alarm(AlarmKind.EXPIRES_SOON, message, subject)]


def _certificate(count: int) -> Alarm:
    plans = "A sharing plan" if count == 1 else f"{count} sharing plans"
    message = (
        f"{plans} failed the independent check, and the old quotas stay: see the history, and report it."
    )
    return Alarm(AlarmKind.CERTIFICATE, message)


def _since_order(last_sent: Mapping[AlarmKind, Sent]) -> dict[AlarmKind, Sent]:
    """Leave out what was raised before all was in order again: a new trouble is told at once."""
    order = last_sent.get(AlarmKind.IN_ORDER)
    return {kind: sent for kind, sent in last_sent.items() if order is None or sent.at > order.at}


def _troubled(last_sent: Mapping[AlarmKind, Sent]) -> bool:
    return any(kind in _since_order(last_sent) for kind in ENDED_BY_ORDER)


def _due(
    last_sent: Mapping[AlarmKind, Sent],
    kind: AlarmKind,
    now: dt.datetime,
    every: dt.timedelta,
    subject: str = "",
) -> bool:
    """Return whether `every` has passed, or it is about something else; a future time does not count."""
    last = last_sent.get(kind)
    return last is None or now - last.at >= every or last.at > now or last.subject != subject


def _span(span: dt.timedelta) -> str:
    for unit, name in ((DAY, "day"), (dt.timedelta(hours=1), "hour"), (dt.timedelta(minutes=1), "minute")):
        if span >= unit:
            count = round(span / unit, 1)
            return f"{count:g} {name}{'' if count == 1 else 's'}"
    return f"{span.total_seconds():.0f} seconds"


def _capital(message: str) -> str:
    text = message.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."
