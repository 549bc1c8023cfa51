"""SQL of "why is nobody being called?": one contact's target, its open attempt and callback. Locks nothing.

Only `contact_why.py` uses it.
"""

import datetime as dt

from sqlalchemy import RowMapping, select

from outrider.campaigns.strategy_agents import CallbackState
from outrider.db import schema
from outrider.db.database import Tx

X, A, B, G = schema.targets.c, schema.attempts.c, schema.callbacks.c, schema.agents.c


def target(tx: Tx, job_id: int, contact_id: int) -> RowMapping | None:
    """Return the target that a contact is in a job, None when it is none."""
    query = select(schema.targets).where(X.job_id == job_id, X.contact_id == contact_id)
    return tx.execute(query).mappings().first()


def open_attempt(tx: Tx, target_id: int) -> RowMapping | None:
    """Return the attempt under way for a target: address, since when, whether a card, the agent's name."""
    query = (
        select(A.address, A.claimed_at, A.preview, G.name.label("agent"))
        .outerjoin(schema.agent_sessions, schema.agent_sessions.c.id == A.session_id)
        .outerjoin(schema.agents, G.id == schema.agent_sessions.c.agent_id)
        .where(A.target_id == target_id, A.ended_at.is_(None))
    )
    return tx.execute(query).mappings().first()


def callback(tx: Tx, campaign_id: int, contact_id: int, now: dt.datetime) -> RowMapping | None:
    """Return the promise that keeps a contact from being called by chance: kind, due time, agent's name."""
    query = (
        select(B.kind, B.due_at, G.name.label("agent"))
        .outerjoin(schema.agents, G.id == B.agent_id)
        .where(
            B.campaign_id == campaign_id,
            B.contact_id == contact_id,
            B.closed_at.is_(None),
            B.state.in_([CallbackState.WAITING.value, CallbackState.QUEUED.value]),
            B.expires_at > now,
        )
        .order_by(B.due_at)
    )
    return tx.execute(query).mappings().first()
