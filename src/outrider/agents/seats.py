"""Seats of agents on the database: taken, moved and given back in transactions (licensing.md 6).

The floor's keeper (`runtime/seating.py`), the sessions and supervisors' commands call it; dealing to many
at once is `rebalance`. A seat is a unit of its task in use; the session's row is its lease.
"""

import datetime as dt

from outrider.agents import charging
from outrider.agents import sessions_store as store
from outrider.agents.model import SessionId
from outrider.agents.rebalancing import Rebalanced, SeatChange, rebalance
from outrider.agents.seat_transfer import Shortage, with_one_more
from outrider.db.database import Row, Tx
from outrider.errors import ConflictError, LicenceShortageError, NotFoundError
from outrider.ids import JobId, PoolId, TaskId
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.licences.model import NESTED_KINDS
from outrider.licences.service import SharingRules

__all__ = ["Rebalanced", "SeatChange", "attach", "detach", "move", "rebalance", "sessions_of_job"]


def attach(tx: Tx, rules: SharingRules, session_id: SessionId, task_id: TaskId, now: dt.datetime) -> None:
    """Give a free session a seat of this task, at a supervisor's wish; dealing leaves it there then.

    NotFoundError for what is over or of another pool, ConflictError when the session has a seat already,
    LicenceShortageError naming what is missing, with its numbers.
    """
    session = _locked(tx, session_id)
    if session["task_id"] is not None:
        raise ConflictError(f"agent {session['name']} is attached to a job already: move it")
    _seat(tx, session, task_id, now, None)
    licences.settle_pool(tx, rules, session["pool_id"], now)


def move(tx: Tx, rules: SharingRules, session_id: SessionId, task_id: TaskId, now: dt.datetime) -> None:
    """Move a session to another task with its seat, in one step: nobody else can take it in between.

    Raises as `attach` does when the other task cannot hold it; then nothing has changed. A session that has
    no seat gets one.
    """
    session = _locked(tx, session_id)
    if session["task_id"] == task_id:
        raise ConflictError(f"agent {session['name']} works for this job already")
    _seat(tx, session, task_id, now, session["task_id"])
    licences.settle_pool(tx, rules, session["pool_id"], now)


def detach(
    tx: Tx,
    rules: SharingRules,
    session_id: SessionId,
    now: dt.datetime,
    why: str,
    *,
    task_id: TaskId | None = None,
) -> bool:
    """Give a session's seat back (that of `task_id`, if it is said); False when it has none any more."""
    pool_id = store.pool_of_session(tx, session_id)
    if pool_id is None:
        return False
    licence_store.lock_pool(tx, pool_id)
    session = store.lock_session(tx, session_id)
    if session is None or session["task_id"] is None or task_id not in (None, session["task_id"]):
        return False
    charging.give_back(tx, session, now, why)
    licences.settle_pool(tx, rules, pool_id, now)
    return True


def sessions_of_job(tx: Tx, job_id: JobId) -> list[SessionId]:
    """Return the sessions that have seats of a job, oldest first."""
    return [SessionId(row["id"]) for row in store.open_sessions(tx, job_id=job_id)]


def _locked(tx: Tx, session_id: SessionId) -> Row:
    pool_id = store.pool_of_session(tx, session_id)
    if pool_id is not None:
        licence_store.lock_pool(tx, pool_id)
        session = store.lock_session(tx, session_id)
        if session is not None:
            return session
    raise NotFoundError(f"agent session {session_id} is over")


def _seat(tx: Tx, session: Row, task_id: TaskId, now: dt.datetime, giver: int | None) -> None:
    """Make room for one more seat of a task, and take it. Raises before anything is changed."""
    pool = licences.load(tx, PoolId(session["pool_id"]))
    states = [state for state in pool.shared if state.kind in NESTED_KINDS]
    label = store.label_of(tx, task_id, session["pool_id"])
    if label is None:
        raise NotFoundError(f"agent {session['name']}: there is no task {task_id} for agents where it works")
    if str(task_id) not in {state.id for state in states}:
        raise LicenceShortageError(f"job {label} takes no agents now: it is not running", task_id=task_id)
    found = with_one_more(pool.counts, states, str(task_id), label, None if giver is None else str(giver))
    if isinstance(found, Shortage):
        raise LicenceShortageError(
            f"agent {session['name']}: {found.reason}",
            kind=found.kind.value,
            in_use=found.in_use,
            limit=found.limit,
        )
    asking = {state.id: state.asking for state in states}
    wanted = {int(task_id): asking[str(task_id)] + 1}
    if giver is not None:
        charging.give_back(tx, session, now, f"moves to job {label}")
        wanted[giver] = max(0, asking.get(str(giver), 1) - 1)
    licence_store.save_states(tx, list(found.values()))
    store.set_asking(tx, wanted)
    if not charging.take(tx, session, task_id, now, pinned=True):
        raise RuntimeError(f"the seat of task {task_id} that was just granted cannot be taken")
