"""SQL of alarms: those that were raised, and which of them the webhook still has to be told.

`supply/service.py` raises them, `runtime/alarm_delivery.py` delivers them, the platform page shows them.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update

from outrider.db import schema
from outrider.db.database import Tx
from outrider.supply.alarms import Alarm, AlarmKind, Sent, Severity

A = schema.alarms.c
LONGEST_SUBJECT = 80


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """An alarm that was raised. `next_try_at` None: the webhook was told, or will not be tried any more."""

    id: int
    kind: AlarmKind
    severity: Severity
    message: str
    raised_at: dt.datetime
    delivered_at: dt.datetime | None
    tries: int
    next_try_at: dt.datetime | None
    problem: str


def last_sent(tx: Tx) -> dict[AlarmKind, Sent]:
    """Return the last alarm of each kind."""
    newest = select(func.max(A.id)).group_by(A.kind)
    query = select(A.kind, A.effective_at, A.subject).where(A.id.in_(newest))
    return {AlarmKind(row.kind): Sent(row.effective_at, row.subject) for row in tx.execute(query)}


def add(tx: Tx, alarms: Sequence[Alarm], raised_at: dt.datetime, effective_at: dt.datetime) -> None:
    """Keep alarms that are raised now, to be delivered at once."""
    rows = [
        {
            "kind": each.kind.value,
            "severity": each.severity.value,
            "subject": each.subject[:LONGEST_SUBJECT],
            "message": each.message,
            "raised_at": raised_at,
            "effective_at": effective_at,
            "next_try_at": raised_at,
        }
        for each in alarms
    ]
    if rows:
        tx.execute(insert(schema.alarms), rows)


def newest(tx: Tx, limit: int) -> list[RaisedAlarm]:
    """Return the last alarms, newest first."""
    return _found(tx, select(schema.alarms).order_by(A.id.desc()).limit(limit))


def undelivered(tx: Tx, now: dt.datetime, limit: int) -> list[RaisedAlarm]:
    """Return alarms whose next try is due, oldest first."""
    query = select(schema.alarms).where(A.next_try_at <= now).order_by(A.id).limit(limit)
    return _found(tx, query)


def count_undelivered(tx: Tx) -> int:
    """Return how many alarms still wait for a try."""
    query = select(func.count()).where(A.next_try_at.is_not(None))
    return tx.execute(query).scalar_one()


def note_try(
    tx: Tx, alarm_id: int, *, delivered_at: dt.datetime | None, next_try_at: dt.datetime | None, problem: str
) -> None:
    """Keep what became of one try."""
    statement = update(schema.alarms).where(A.id == alarm_id)
    tx.execute(
        statement.values(
            delivered_at=delivered_at, next_try_at=next_try_at, problem=problem, tries=A.tries + 1
        )
    )


def drop(tx: Tx, before: dt.datetime) -> None:
    """Forget alarms raised before a time, but never the last one of a kind."""
    newest_ids = select(func.max(A.id)).group_by(A.kind)
    kept = list(tx.execute(newest_ids).scalars())
    tx.execute(delete(schema.alarms).where(A.raised_at < before, A.id.not_in(kept)))


def _found(tx: Tx, query: Select[Any]) -> list[RaisedAlarm]:
    return [
        RaisedAlarm(
            id=row["id"],
            kind=AlarmKind(row["kind"]),
            severity=Severity(row["severity"]),
            message=row["message"],
            raised_at=row["raised_at"],
            delivered_at=row["delivered_at"],
            tries=row["tries"],
            next_try_at=row["next_try_at"],
            problem=row["problem"],
        )
        for row in tx.execute(query).mappings()
    ]
