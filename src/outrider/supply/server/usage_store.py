"""SQL of what the licence server remembers of its use: peaks by hour, and denials.

`supply/server/service.py` writes in the transaction of the leases; `usage.py` reads.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, case, delete, func, select

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert
from outrider.licences.model import LicenceKind
from outrider.supply.server.model import Denial, Wanted

P, D, C = schema.licence_peaks.c, schema.licence_denials.c, schema.licence_clients.c


@dataclass(frozen=True, slots=True)
class OpenDenial:
    """A denial that has not been satisfied since: the same one, asked again, is counted, not repeated."""

    id: int
    denial: Denial


@dataclass(frozen=True, slots=True)
class DenialRecord:
    """A denial as it is shown; `client` is a name. `is_open`: not satisfied since."""

    client: str
    kind: LicenceKind
    asked: Wanted
    got: int
    is_true: bool
    requests: int
    first_at: dt.datetime
    last_at: dt.datetime
    is_open: bool


def hour_peaks(tx: Tx, hour: dt.datetime) -> dict[LicenceKind, tuple[int, int]]:
    """Return the most that was leased, and the total, of each feature in the hour that begins then."""
    query = select(P.kind, P.leased, P.total).where(P.hour == hour)
    return {LicenceKind(kind): (leased, total) for kind, leased, total in tx.execute(query)}


def save_peaks(tx: Tx, hour: dt.datetime, peaks: Mapping[LicenceKind, tuple[int, int]]) -> None:
    """Store peaks of an hour that rose."""
    rows = [
        {"kind": kind.value, "hour": hour, "leased": leased, "total": total}
        for kind, (leased, total) in peaks.items()
    ]
    if rows:
        row = insert(tx, schema.licence_peaks)
        new = {name: row.excluded[name] for name in ("leased", "total")}
        tx.execute(row.on_conflict_do_update(index_elements=["kind", "hour"], set_=new), rows)


def peaks_since(tx: Tx, since: dt.datetime) -> dict[LicenceKind, int]:
    """Return the most that was leased of each feature in the hours from `since` on."""
    query = select(P.kind, func.max(P.leased)).where(P.hour >= since).group_by(P.kind)
    return {LicenceKind(kind): leased for kind, leased in tx.execute(query)}


def open_denials(tx: Tx) -> dict[tuple[int, LicenceKind], OpenDenial]:
    """Return the denials that have not been satisfied, by client and feature."""
    query = select(D.id, D.client_id, D.kind, D.asked, D.got, D.is_true).where(D.is_open)
    found = {}
    for number, client_id, name, asked, got, is_true in tx.execute(query):
        kind = LicenceKind(name)
        found[client_id, kind] = OpenDenial(number, Denial(client_id, kind, asked, got, is_true))
    return found


def repeat_denials(tx: Tx, numbers: Sequence[int], now: dt.datetime) -> None:
    """Count denials that came again."""
    if numbers:
        row = schema.licence_denials.update().where(D.id == bindparam("number"))
        changed = row.values(requests=D.requests + 1, last_at=now)
        tx.execute(changed, [{"number": number} for number in numbers])


def close_denials(tx: Tx, numbers: Sequence[int]) -> None:
    """Note that denials were satisfied since, or became others."""
    if numbers:
        row = schema.licence_denials.update().where(D.id == bindparam("number")).values(is_open=False)
        tx.execute(row, [{"number": number} for number in numbers])


def add_denials(tx: Tx, denials: Sequence[Denial], now: dt.datetime) -> None:
    """Store new denials."""
    rows = [
        {
            "client_id": denial.client_id,
            "kind": denial.kind.value,
            "asked": denial.asked,
            "got": denial.got,
            "is_true": denial.is_true,
            "requests": 1,
            "first_at": now,
            "last_at": now,
            "is_open": True,
        }
        for denial in denials
    ]
    if rows:
        tx.execute(schema.licence_denials.insert(), rows)


def denial_counts(tx: Tx, since: dt.datetime) -> dict[LicenceKind, tuple[int, int]]:
    """Return how many denials and true denials there were of each feature since then."""
    true_ones = func.sum(case((D.is_true, 1), else_=0))
    query = select(D.kind, func.count(), true_ones).where(D.last_at >= since).group_by(D.kind)
    return {LicenceKind(kind): (every, int(true)) for kind, every, true in tx.execute(query)}


def latest_denials(tx: Tx, limit: int) -> list[DenialRecord]:
    """Return the latest denials, newest first."""
    query = (
        select(C.name, D.kind, D.asked, D.got, D.is_true, D.requests, D.first_at, D.last_at, D.is_open)
        .join_from(schema.licence_denials, schema.licence_clients, D.client_id == C.id)
        .order_by(D.last_at.desc(), D.id.desc())
        .limit(limit)
    )
    return [DenialRecord(row[0], LicenceKind(row[1]), *row[2:]) for row in tx.execute(query)]


def forget(tx: Tx, before: dt.datetime) -> None:
    """Delete peaks and denials that are older."""
    tx.execute(delete(schema.licence_peaks).where(P.hour < before))
    tx.execute(delete(schema.licence_denials).where(D.last_at < before))
