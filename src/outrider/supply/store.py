"""SQL of the platform manager: what the last poll found, and what is remembered between polls.

Only the services of the slice use it.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, Update, func, select, update

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert
from outrider.db.types import MICROSECOND
from outrider.events import CertificateFailed
from outrider.licences.model import LicenceKind
from outrider.supply.authorisation import Feature, SourceFault
from outrider.supply.model import ClockMemory, Known, Supply, SupplyState

S, E = schema.supply_state.c, schema.events.c
THE_ROW = 1
LONGEST_CUSTOMERS, LONGEST_SERVER_ID, LONGEST_VERSION = 200, 200, 32
"""Characters: several files may name several customers."""


def current(tx: Tx) -> Supply:
    """Return what the last poll found; nothing authorised when there was none."""
    row = tx.execute(select(schema.supply_state).where(S.id == THE_ROW)).mappings().first()
    if row is None:
        return Supply()
    return Supply(
        state=SupplyState(row["state"]),
        version=row["version"],
        customer=row["customer"],
        counts=_counts(row["counts"]),
        last_poll_at=row["last_poll_at"],
        last_success_at=row["last_success_at"],
        last_changed_at=row["last_changed_at"],
        expires_at=row["expires_at"],
        message=row["message"],
        authorised=_counts(row["authorised"]),
        grace_since=row["grace_since"],
        grace_ends_at=row["grace_ends_at"],
        known=_known(row),
    )


def save(tx: Tx, supply: Supply) -> None:
    """Store what a poll found; it answers whoever asked for a poll before."""
    known = supply.known
    values = {
        "state": supply.state.value,
        "version": supply.version[:LONGEST_VERSION],
        "customer": supply.customer[:LONGEST_CUSTOMERS],
        "counts": {kind.value: units for kind, units in supply.counts.items()},
        "last_poll_at": supply.last_poll_at,
        "last_success_at": supply.last_success_at,
        "last_changed_at": supply.last_changed_at,
        "expires_at": supply.expires_at,
        "message": supply.message,
        "authorised": {kind.value: units for kind, units in supply.authorised.items()},
        "grace_since": supply.grace_since,
        "grace_ends_at": supply.grace_ends_at,
        "features": [_written(each) for each in known.features],
        "server_id": known.server_id[:LONGEST_SERVER_ID],
        "protocol_version": known.protocol_version[:LONGEST_VERSION],
        "fresh_at": known.fresh_at,
        "lease_until": known.lease_until,
        "lost_since": known.lost_since,
        "missed_polls": known.missed_polls,
        "fault": None if known.fault is None else known.fault.value,
        "notice": known.notice,
        "clock_seen_at": known.clock.seen_at,
        "clock_offset": known.clock.offset // MICROSECOND,
        "poll_requested_at": None,
    }
    row = insert(tx, schema.supply_state).values(id=THE_ROW, **values)
    tx.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))


def request_poll(tx: Tx, now: dt.datetime) -> None:
    """Ask whoever polls to do so at once."""
    if tx.execute(_the_row().values(poll_requested_at=now)).rowcount == 0:
        save(tx, Supply())
        tx.execute(_the_row().values(poll_requested_at=now))


def poll_requested_at(tx: Tx) -> dt.datetime | None:
    """Return when a poll was asked for that has not been done yet."""
    query = select(S.poll_requested_at).where(S.id == THE_ROW)
    found: dt.datetime | None = tx.execute(query).scalar()
    return found


def failed_certificates(tx: Tx) -> tuple[int, int]:
    """Return how many sharing plans failed since the events that were seen, and the newest event's id."""
    seen = select(S.events_seen).where(S.id == THE_ROW).scalar_subquery()
    newer = E.id > seen
    newest = tx.execute(select(func.max(E.id)).where(newer)).scalar()
    if newest is None:
        return 0, 0
    query = select(func.count()).where(newer, E.id <= newest, E.kind == CertificateFailed.kind)
    return tx.execute(query).scalar_one(), newest


def note_events_seen(tx: Tx, event_id: int) -> None:
    """Remember up to which event failed plans were looked for."""
    tx.execute(_the_row().values(events_seen=event_id))


def _the_row() -> Update:
    return update(schema.supply_state).where(S.id == THE_ROW)


def _known(row: RowMapping) -> Known:
    return Known(
        features=tuple(_read(each) for each in row["features"]),
        server_id=row["server_id"],
        protocol_version=row["protocol_version"],
        fresh_at=row["fresh_at"],
        lease_until=row["lease_until"],
        lost_since=row["lost_since"],
        missed_polls=row["missed_polls"],
        fault=None if row["fault"] is None else SourceFault(row["fault"]),
        notice=row["notice"],
        clock=ClockMemory(row["clock_seen_at"], row["clock_offset"] * MICROSECOND),
    )


def _written(feature: Feature) -> dict[str, str | int]:
    return {
        "kind": feature.kind.value,
        "count": feature.count,
        "expires_at": feature.expires_at.isoformat(),
        "version": feature.version,
    }


def _read(data: Mapping[str, Any]) -> Feature:
    expires_at = dt.datetime.fromisoformat(data["expires_at"])
    return Feature(LicenceKind(data["kind"]), data["count"], expires_at, data["version"])


def _counts(data: Mapping[str, int]) -> dict[LicenceKind, int]:
    return {LicenceKind(kind): units for kind, units in data.items()}
