"""SQL of what contacts and addresses have been through lately. Only `dialing/history.py` uses it."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.engine import RowMapping

from outrider.db import schema
from outrider.db.database import Tx

T, A, J = schema.tasks.c, schema.attempts.c, schema.jobs.c

WAS_MADE = A.preview.is_(False) | A.ended_at.is_(None)
"""A card that an agent looked at and gave back reached nobody."""

PAST = (
    select(A.id, A.claimed_at, A.contact_id, A.address, A.outcome, T.kind, J.campaign_id)
    .join(schema.tasks, T.id == A.task_id)
    .join(schema.jobs, J.id == T.job_id)
)


def attempts_of_contacts(
    tx: Tx, organization_id: int, campaign_id: int | None, contact_ids: Sequence[int], since: dt.datetime
) -> list[RowMapping]:
    """Return attempts of these contacts since then, of the organization or of one campaign of it."""
    query = PAST.where(A.contact_id.in_(contact_ids))
    return _past(tx, query, organization_id, campaign_id, since)


def attempts_to(
    tx: Tx, organization_id: int, campaign_id: int | None, addresses: Sequence[str], since: dt.datetime
) -> list[RowMapping]:
    """Return attempts to these addresses since then, of the organization or of one campaign of it."""
    query = PAST.where(A.address.in_(addresses))
    return _past(tx, query, organization_id, campaign_id, since)


def _past(
    tx: Tx, query: Select[Any], organization_id: int, campaign_id: int | None, since: dt.datetime
) -> list[RowMapping]:
    query = query.where(A.claimed_at > since, J.organization_id == organization_id, WAS_MADE)
    if campaign_id is not None:
        query = query.where(J.campaign_id == campaign_id)
    return list(tx.execute(query).mappings())
