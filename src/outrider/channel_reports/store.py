"""SQL of channel reports: written by workers, read by pages. Only `service` uses it."""

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select

from outrider.channel_reports.model import Report, Sight, Told
from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert, locked

C, W = schema.channel_reports.c, schema.workers.c
T, P, Z = schema.tasks.c, schema.pools.c, schema.zones.c


def is_worker(tx: Tx, worker_id: str) -> bool:
    """Return whether a worker is registered, until commit."""
    return tx.execute(locked(select(W.id).where(W.id == worker_id))).first() is not None


def write(tx: Tx, worker_id: str, reports: Sequence[Report], now: dt.datetime) -> None:
    """Write what a worker sees, in place of what it saw before."""
    for report in sorted(reports, key=lambda each: each.channel):
        values = {"sight": report.sight.value, "message": "\n".join(report.sentences), "at": now}
        row = insert(tx, schema.channel_reports).values(worker_id=worker_id, channel=report.channel, **values)
        tx.execute(row.on_conflict_do_update(index_elements=["worker_id", "channel"], set_=values))


def drop(tx: Tx, worker_id: str, channels: Iterable[str]) -> None:
    """Forget what a worker saw of ways out that are there no more."""
    tx.execute(
        delete(schema.channel_reports).where(C.worker_id == worker_id, C.channel.in_(sorted(channels)))
    )


def told(tx: Tx, real_now: dt.datetime) -> list[Told]:
    """Return what workers see whose lease has not run out at `real_now`, by way out."""
    query = (
        select(C.worker_id, C.channel, C.sight, C.message, C.at)
        .join(schema.workers, W.id == C.worker_id)
        .where(W.lease_until >= real_now)
        .order_by(C.channel, C.worker_id)
    )
    return [
        Told(
            row.worker_id,
            Report(row.channel, Sight(row.sight), tuple(row.message.split("\n")) if row.message else ()),
            row.at,
        )
        for row in tx.execute(query)
    ]


def zones_that_wait(tx: Tx) -> list[str]:
    """Return the names of the zones with tasks that found no port of a media server at their last look."""
    query = (
        select(Z.name)
        .join(schema.pools, P.zone_id == Z.id)
        .join(schema.tasks, T.pool_id == P.id)
        .where(T.bound == "servers", T.standing != "out")
        .distinct()
        .order_by(Z.name)
    )
    return list(tx.execute(query).scalars())
