"""What the sharing of seats means for sessions: given, refused, wanted back, lost at once. Pure.

`seats.rebalance` and the supervisor's commands decide in the database; the floor follows (licensing.md 6).
Nobody leaves a contact in hand for a seat: a move or detachment waits for its end, and says for what.
"""

import datetime as dt
from collections.abc import Set as AbstractSet

from outrider.agents.actions import MoveSeat, ReleaseSeat
from outrider.agents.after_contact import log_out
from outrider.agents.answering import serve
from outrider.agents.model import AT_WORK, AgentState, Attachment, Session
from outrider.agents.notifications import MovePending, SeatRefused, SeatReleased, SeatTaken
from outrider.agents.roster import FloorTask, Roster
from outrider.errors import ConflictError
from outrider.ids import TaskId


def seat_given(roster: Roster, session: Session, task: FloorTask, now: dt.datetime) -> Session:
    """Attach a session to a task: its seat is charged already."""
    roster.tasks[task.task_id] = task
    mode = task.settings.mode
    taken = SeatTaken(
        task_id=task.task_id,
        job_id=task.job_id,
        campaign=task.campaign,
        action=task.action,
        mode=mode.value,
        licence=mode.licence.value,
    )
    roster.tell(session, taken)
    session = roster.change(
        session, now, attachment=Attachment.ATTACHED, task_id=task.task_id, next_task=None, pending_why=""
    )
    return serve(roster, session, now)


def seat_refused(roster: Roster, session: Session, now: dt.datetime, reason: str) -> Session:
    """Tell an agent why it has no seat, once; it is tried again when one comes free."""
    if session.attachment is not Attachment.FREE or session.pending_why == reason[:200]:
        return session
    roster.tell(session, SeatRefused(reason=reason))
    return roster.change(session, now, pending_why=reason[:200])


def seat_released(roster: Roster, session: Session, now: dt.datetime, reason: str) -> Session:
    """Take a session out of its task: its seat has gone back. A call that is up goes on.

    A move that waits for the end of the contact in hand still happens then, without the seat.
    """
    roster.tell(session, SeatReleased(reason=reason))
    if session.next_task is not None and session.state in AT_WORK:
        return roster.change(session, now, attachment=Attachment.FREE, task_id=None)
    return roster.change(
        session, now, attachment=Attachment.FREE, task_id=None, next_task=None, pending_why=""
    )


def detach_when_free(roster: Roster, session: Session, now: dt.datetime, why: str) -> Session:
    """Let a session leave its task now, or after the contact in hand."""
    if session.attachment is not Attachment.ATTACHED:
        return session
    session = roster.change(session, now, attachment=Attachment.DETACHING, pending_why=why[:200])
    if session.state in AT_WORK:
        roster.tell(session, MovePending(to_task_id=None, waits_for=waits_for(session)))
    else:
        roster.do(ReleaseSeat(session.id, why))
    return session


def call_move_off(roster: Roster, session: Session, now: dt.datetime, why: str) -> Session:
    """Let a session that was to be moved stay where it is, for now; return it, changed or not."""
    if session.next_task is None:
        return session
    if session.attachment is Attachment.FREE:
        roster.tell(session, SeatRefused(reason=f"not moved: {why}"))
        if session.state not in AT_WORK:
            # The move is being made: the seat that comes of it is given back after it.
            roster.do(ReleaseSeat(session.id, why))
    stays = Attachment.ATTACHED if session.attachment is Attachment.MOVING else session.attachment
    return roster.change(session, now, attachment=stays, next_task=None, pending_why="")


def move_when_free(roster: Roster, session: Session, task_id: TaskId, now: dt.datetime) -> Session:
    """Let a session go to another task with its seat, or get one there, now or after the contact in hand.

    ConflictError when it works there already.
    """
    has_seat = session.attachment is not Attachment.FREE
    if has_seat and session.task_id == task_id:
        raise ConflictError(f"agent {session.name} works for this job already")
    attachment = Attachment.MOVING if has_seat else Attachment.FREE
    session = roster.change(session, now, attachment=attachment, next_task=task_id)
    if session.state in AT_WORK:
        why = waits_for(session)
        roster.tell(session, MovePending(to_task_id=task_id, waits_for=why))
        return roster.change(session, now, pending_why=f"moves after {why}")
    roster.do(MoveSeat(session.id, task_id))
    return session


def order_again(roster: Roster, session: Session) -> None:
    """Let a move or detachment be carried out that a process which has ended did not come to.

    Of a session with a contact in hand it waits for the end of that, as before.
    """
    if session.state in AT_WORK:
        return
    if session.next_task is not None:
        roster.do(MoveSeat(session.id, session.next_task))
    elif session.attachment is Attachment.DETACHING:
        roster.do(ReleaseSeat(session.id, session.pending_why))


def leave_deleted(
    roster: Roster, session: Session, deleted: AbstractSet[TaskId], now: dt.datetime
) -> Session | None:
    """Take a session of a former life out of tasks that are gone; return it, None when that logs it out.

    A contact of theirs has no record any more that could be wrapped up.
    """
    if session.next_task in deleted:
        moves = session.attachment is Attachment.MOVING
        stays = Attachment.ATTACHED if moves else session.attachment
        session = roster.change(session, now, attachment=stays, next_task=None)
    if session.task_id in deleted:
        # The row of its seat is cleared when seats are dealt next.
        session = roster.change(session, now, attachment=Attachment.FREE, task_id=None, pending_why="")
    if session.engagement is None or session.engagement.task_id not in deleted:
        return session
    resting = session.then is AgentState.NOT_READY
    session = roster.change(
        session,
        now,
        state=AgentState.NOT_READY if resting else AgentState.READY,
        reason=session.then_reason if resting else "",
        engagement=None,
        deadline=None,
    )
    if session.then is AgentState.LOGGED_OUT:
        log_out(roster, session, now, session.then_reason)
        return None
    return roster.change(session, now, then=None, then_reason="")


def move_refused(roster: Roster, session: Session, now: dt.datetime, reason: str) -> Session:
    """Keep a session where it is: the other task cannot hold its seat."""
    roster.tell(session, SeatRefused(reason=reason))
    attachment = Attachment.FREE if session.task_id is None else Attachment.ATTACHED
    session = roster.change(
        session, now, attachment=attachment, next_task=None, pending_why=f"not moved: {reason}"[:200]
    )
    return serve(roster, session, now)


def end(roster: Roster, session: Session, now: dt.datetime, reason: str) -> None:
    """Log a session out, now or after the contact in hand."""
    if session.state in AT_WORK:
        roster.change(session, now, then=AgentState.LOGGED_OUT, then_reason=reason)
    else:
        log_out(roster, session, now, reason)


def waits_for(session: Session) -> str:
    """Say in words what a pending move or detachment waits for."""
    engagement = session.engagement
    if engagement is None:
        return "the call that is being made"
    if engagement.consult is not None:
        return f"the consultation with {engagement.consult.address} and the contact in hand"
    if engagement.callback_id is not None:
        return "the callback that was promised, and its wrap-up"
    if session.state is AgentState.WRAP_UP:
        return "the wrap-up"
    return "the contact in hand and its wrap-up"
