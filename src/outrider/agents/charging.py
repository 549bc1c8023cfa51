"""Seats as rows: one unit of a task in use for one session, taken and given back exactly once.

`seats.py` and `rebalancing.py` use it inside their transactions, with the pool's row locked.
"""

import datetime as dt

from outrider.agents import sessions_store as store
from outrider.agents.model import Attachment
from outrider.db import log
from outrider.db.database import Row, Tx
from outrider.events import AgentSeatChanged
from outrider.ids import TaskId

LEFT_OVER = "logged out before the system stopped"
"""Why a session is closed later than its agent logged out."""


def take(tx: Tx, session: Row, task_id: TaskId, now: dt.datetime, *, pinned: bool = False) -> bool:
    """Charge a seat of a task for a session that has none; False when its grant has no room.

    `pinned`: a supervisor wished it, so that dealing leaves the agent there.
    """
    if not store.take_seat(tx, task_id):
        return False
    store.set_seat(tx, session["id"], task_id, Attachment.ATTACHED.value, pinned=pinned)
    _tell(tx, session, now, None, task_id, "")
    return True


def give_back(tx: Tx, session: Row, now: dt.datetime, why: str) -> None:
    """Give the seat of a session back; the session is free then."""
    store.give_seat(tx, session["task_id"])
    store.set_seat(tx, session["id"], None, Attachment.FREE.value)
    _tell(tx, session, now, session["task_id"], None, why)


def close(tx: Tx, session: Row, now: dt.datetime, reason: str) -> None:
    """End a session: its seat and its API licence go back with it."""
    if session["task_id"] is not None:
        give_back(tx, session, now, reason)
    store.end_session(tx, session["id"], now, reason)


def _tell(tx: Tx, session: Row, now: dt.datetime, before: int | None, after: int | None, reason: str) -> None:
    task_id = after if after is not None else before
    log.append(
        tx,
        now,
        AgentSeatChanged(
            organization_id=session["organization_id"],
            job_id=None if task_id is None else store.job_of(tx, task_id),
            session_id=session["id"],
            agent_id=session["agent_id"],
            agent=session["name"],
            from_task=before,
            to_task=after,
            reason=reason,
        ),
    )
