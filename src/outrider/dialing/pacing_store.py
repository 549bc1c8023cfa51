"""SQL of what pacing has learned of campaigns; `runtime/pacers.py` reads and keeps it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert

P = schema.pacers.c


def learned(tx: Tx, campaign_id: int) -> Mapping[str, Any] | None:
    """Return what was learned of a campaign, None when nothing was."""
    found = tx.execute(select(P.learned).where(P.campaign_id == campaign_id)).scalar()
    return found if isinstance(found, Mapping) else None


def save(tx: Tx, learned: Mapping[int, Mapping[str, Any]], now: dt.datetime) -> None:
    """Keep what was learned, by campaign."""
    for campaign_id, data in sorted(learned.items()):
        row = insert(tx, schema.pacers).values(campaign_id=campaign_id, learned=data, saved_at=now)
        tx.execute(
            row.on_conflict_do_update(
                index_elements=["campaign_id"],
                set_={"learned": row.excluded.learned, "saved_at": row.excluded.saved_at},
            )
        )
