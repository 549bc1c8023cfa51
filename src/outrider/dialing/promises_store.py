"""SQL of promises to call again, as far as claims, results and wrap-ups have to do with them.

Only `promises.py` and `contact_rules.py` use it; callbacks themselves have a slice of their own.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, bindparam, select, update

from outrider.campaigns.strategy_agents import CallbackState
from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert

B = schema.callbacks.c
FREE = (CallbackState.WAITING.value, CallbackState.EXPIRED.value)
"""States in which a callback is open and in nobody's hands."""

HELD = select(B.contact_id, B.expires_at).where(
    B.campaign_id == bindparam("campaign"),
    B.contact_id.in_(bindparam("contacts", expanding=True)),
    B.closed_at.is_(None),
    B.state.in_([CallbackState.WAITING.value, CallbackState.QUEUED.value]),
    B.expires_at > bindparam("now", type_=B.expires_at.type),
)
GIVEN = select(schema.callbacks).where(
    B.given_attempt.in_(bindparam("attempts", expanding=True)), B.closed_at.is_(None)
)


def add(tx: Tx, values: Mapping[str, Any]) -> None:
    """Write a promise to call a contact again."""
    tx.execute(insert(tx, schema.callbacks).values(**values))


def replace_open(tx: Tx, campaign_id: int, contact_id: int, now: dt.datetime, why: str) -> None:
    """Close the promises to a contact that nobody keeps just now: a later one takes their place."""
    tx.execute(
        update(schema.callbacks)
        .where(
            B.campaign_id == campaign_id, B.contact_id == contact_id, B.state.in_(FREE), B.closed_at.is_(None)
        )
        .values(state=CallbackState.CANCELLED.value, closed_at=now, closed_why=why)
    )


def promised_until(tx: Tx, campaign_id: int, attempt_id: str) -> dt.datetime | None:
    """Return when the open promise that was made on an attempt expires, None when there is none."""
    query = select(B.expires_at).where(
        B.campaign_id == campaign_id, B.attempt_id == attempt_id, B.closed_at.is_(None)
    )
    return tx.execute(query).scalar()


def held(tx: Tx, campaign_id: int, contact_ids: Sequence[int], now: dt.datetime) -> dict[int, dt.datetime]:
    """Return until when promises keep these contacts from being called by chance, by contact."""
    values = {"campaign": campaign_id, "contacts": list(contact_ids), "now": now}
    found: dict[int, dt.datetime] = {}
    for contact_id, until in tx.execute(HELD, values):
        found[contact_id] = max(until, found.get(contact_id, until))
    return found


def given(tx: Tx, attempt_ids: Iterable[str]) -> dict[str, RowMapping]:
    """Return the open promises that these attempts were to keep, by attempt."""
    rows = tx.execute(GIVEN, {"attempts": list(attempt_ids)}).mappings()
    return {row["given_attempt"]: row for row in rows}


def close(tx: Tx, callback_id: int, state: CallbackState, now: dt.datetime, why: str) -> None:
    """Close a promise: kept, or left to the campaign."""
    tx.execute(
        update(schema.callbacks)
        .where(B.id == callback_id)
        .values(state=state.value, closed_at=now, closed_why=why)
    )


def reopen(tx: Tx, callback_id: int, retry_at: dt.datetime | None) -> None:
    """Take a promise back from its agent: it is to be given again, from `retry_at` on."""
    tx.execute(
        update(schema.callbacks)
        .where(B.id == callback_id)
        .values(state=CallbackState.WAITING.value, given_attempt=None, retry_at=retry_at)
    )
