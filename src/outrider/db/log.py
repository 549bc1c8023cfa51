"""The event log: facts appended beside the data they are about, in the same transaction.

Services append; SSE and the audit pages read from an id on, so that a reconnect loses nothing.
"""

import dataclasses
import datetime as dt
from typing import Any

from sqlalchemy import Connection, or_, select

from outrider.db import schema
from outrider.db.database import EVENTS
from outrider.events import Event

COMMON = ("organization_id", "job_id", "actor")


def append(tx: Connection, at: dt.datetime, event: Event) -> int:
    """Record `event` as of `at`; return its id, which grows with every event."""
    data = {
        field.name: getattr(event, field.name)
        for field in dataclasses.fields(event)
        if field.name not in COMMON
    }
    number = tx.execute(
        schema.events.insert()
        .values(
            at=at,
            kind=event.kind,
            organization_id=event.organization_id,
            job_id=event.job_id,
            actor=event.actor,
            data=data,
        )
        .returning(schema.events.c.id)
    ).scalar_one()
    tx.info.setdefault(EVENTS, []).append(event)
    return int(number)


def since(
    tx: Connection, last_id: int, organization_id: int | None, limit: int = 500
) -> list[dict[str, Any]]:
    """Return up to `limit` events after `last_id`, oldest first, that an organization may see (None: all)."""
    table = schema.events
    query = select(table).where(table.c.id > last_id).order_by(table.c.id).limit(limit)
    if organization_id is not None:
        query = query.where(
            or_(table.c.organization_id == organization_id, table.c.organization_id.is_(None))
        )
    return [dict(row) for row in tx.execute(query).mappings()]


def latest_id(tx: Connection) -> int:
    """Return the id of the newest event, 0 when there is none."""
    newest = tx.execute(select(schema.events.c.id).order_by(schema.events.c.id.desc()).limit(1)).scalar()
    return int(newest or 0)
