"""Promises to call again, written with the wrap-up in which they were made, so that none is lost.

`wrap_ups.py` calls it; offering them when they are due is the affair of callbacks themselves.
"""

import datetime as dt

from outrider.agents.commands import Callback
from outrider.campaigns.strategy_agents import CallbackKind
from outrider.db.database import Row, Tx
from outrider.dialing import agent_store
from outrider.dialing.attempt import TaskPlan


def make(
    tx: Tx, plan: TaskPlan, row: Row, callback: Callback, agent_id: int | None, now: dt.datetime
) -> dt.datetime:
    """Write a promise to the contact of an attempt; return when it expires.

    That is as said, or the strategy's time after it is due; it is to the number that was called, unless it
    says another.
    """
    expires_at = callback.expires_at
    if expires_at is None:
        life = 0.0 if plan.action.agents is None else plan.action.agents.callback_life
        expires_at = callback.at + dt.timedelta(seconds=life)
    agent_store.add_callback(
        tx,
        {
            "organization_id": plan.organization_id,
            "campaign_id": plan.campaign_id,
            "contact_id": row["contact_id"],
            "target_id": row["target_id"],
            "attempt_id": row["id"],
            "address": callback.address or row["address"],
            "kind": callback.kind.value,
            "agent_id": None if callback.kind is CallbackKind.CAMPAIGN else agent_id,
            "due_at": callback.at,
            "expires_at": expires_at,
            "time_zone": callback.time_zone,
            "state": "pending",
            "note": callback.note,
            "created_by": "" if agent_id is None else f"agent {agent_id}",
            "created_at": now,
        },
    )
    return expires_at


def expiry(tx: Tx, plan: TaskPlan, row: Row) -> dt.datetime | None:
    """Return when the promise that was made on an attempt expires; None when none was."""
    return agent_store.promised_until(tx, plan.campaign_id, row["id"])
