"""SQL of abandoned calls by campaign and day. Only `dialing/abandonment.py` uses it."""

import datetime as dt
from collections.abc import Iterable, Mapping

from sqlalchemy import BigInteger, ColumnElement, case, func, select, type_coerce

from outrider.campaigns.outcome import Outcome
from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert
from outrider.db.types import EPOCH
from outrider.licences.model import NESTED_KINDS

B, A, T, J = schema.abandonment.c, schema.attempts.c, schema.tasks.c, schema.jobs.c

COUNTED = ("live", "abandoned", "machines")
MICROSECONDS_PER_DAY = 86_400_000_000

Counts = tuple[int, int, int]
"""Live answers, those of them that were abandoned, and machines."""


def add(tx: Tx, counts: Mapping[tuple[int, dt.date], Counts]) -> None:
    """Add to the counts of campaigns and days."""
    for (campaign_id, day), numbers in sorted(counts.items()):
        values = dict(zip(COUNTED, numbers, strict=True))
        row = insert(tx, schema.abandonment).values(campaign_id=campaign_id, day=day, **values)
        more: dict[str, ColumnElement[int]] = {
            name: schema.abandonment.c[name] + row.excluded[name] for name in COUNTED
        }
        tx.execute(row.on_conflict_do_update(index_elements=["campaign_id", "day"], set_=more))


def days(
    tx: Tx, campaign_ids: Iterable[int] | None = None, since: dt.date | None = None
) -> dict[int, dict[dt.date, Counts]]:
    """Return the counts of campaigns (None: all) by day, from `since` on."""
    query = select(schema.abandonment)
    if campaign_ids is not None:
        query = query.where(B.campaign_id.in_(tuple(campaign_ids)))
    if since is not None:
        query = query.where(B.day >= since)
    found: dict[int, dict[dt.date, Counts]] = {}
    for row in tx.execute(query.order_by(B.campaign_id, B.day)):
        found.setdefault(row.campaign_id, {})[row.day] = (row.live, row.abandoned, row.machines)
    return found


def of_attempts(tx: Tx) -> dict[int, dict[dt.date, Counts]]:
    """Return what the attempts of agents say, slowly: the truth that the counts cache."""
    answered = type_coerce(func.coalesce(A.answered_at, A.ended_at), BigInteger)
    day = (answered // MICROSECONDS_PER_DAY).label("day")

    def having(*outcomes: Outcome) -> ColumnElement[int]:
        return func.sum(case((A.outcome.in_([each.value for each in outcomes]), 1), else_=0))

    query = (
        select(
            J.campaign_id,
            day,
            having(Outcome.ANSWERED, Outcome.ABANDONED),
            having(Outcome.ABANDONED),
            having(Outcome.MACHINE),
        )
        .join(schema.tasks, T.id == A.task_id)
        .join(schema.jobs, J.id == T.job_id)
        .where(
            T.kind.in_([kind.value for kind in NESTED_KINDS]),
            A.ended_at.is_not(None),
            A.outcome.in_([Outcome.ANSWERED.value, Outcome.ABANDONED.value, Outcome.MACHINE.value]),
        )
        .group_by(J.campaign_id, day)
    )
    found: dict[int, dict[dt.date, Counts]] = {}
    for campaign_id, number, *counts in tx.execute(query):
        live, abandoned, machines = (int(count) for count in counts)
        date = EPOCH.date() + dt.timedelta(days=int(number))
        found.setdefault(campaign_id, {})[date] = (live, abandoned, machines)
    return found
