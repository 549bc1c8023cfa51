"""What follows when a contact is over: wrap-up, and then whatever waited for it. Pure.

Wrap-up ends with a completion code, or with the default one when its time is over. Moves, detachments, breaks
and logouts that came in the meantime happen then (issue of agents 1: they wait, and say so).
"""

import datetime as dt
from dataclasses import replace

from outrider.agents.actions import Complete, EndSession, HangUp, MoveSeat, ReleaseSeat
from outrider.agents.commands import Callback
from outrider.agents.model import AgentState, Attachment, NailUp, Session
from outrider.agents.notifications import CallEnded, LoggedOut, WrapUpEnded
from outrider.agents.roster import Roster


def begin_wrap_up(roster: Roster, session: Session, now: dt.datetime, by: str, detail: str = "") -> Session:
    """Let the agent say what came of the contact, in the time that the strategy gives."""
    engagement = session.engagement
    if engagement is None:
        return free(roster, session, now)
    roster.tell(session, CallEnded(attempt_id=engagement.attempt_id, by=by, detail=detail))
    settings = roster.tasks[engagement.task_id].settings
    return roster.change(
        session,
        now,
        state=AgentState.WRAP_UP,
        reason="",
        engagement=replace(engagement, customer_up=False, ended_at=now, consult=None),
        deadline=now + dt.timedelta(seconds=settings.wrap_up),
    )


def complete(
    roster: Roster,
    session: Session,
    now: dt.datetime,
    code: str | None,
    note: str = "",
    callback: Callback | None = None,
    *,
    by_timeout: bool = False,
) -> Session:
    """End the wrap-up with a code, and let happen what waited for it."""
    engagement = session.engagement
    if engagement is None:
        return free(roster, session, now)
    # Written down at once, even if the call goes on without the agent and its result comes much later.
    roster.do(Complete(engagement.attempt_id, session.id, code, note, callback, by_timeout))
    ended = WrapUpEnded(attempt_id=engagement.attempt_id, code=code or "", by_timeout=by_timeout)
    roster.tell(session, ended)
    return free(roster, session, now)


def free(roster: Roster, session: Session, now: dt.datetime) -> Session:
    """Let what waited for the end of the contact happen: logout, detachment, move, break; else be ready."""
    if session.then is AgentState.LOGGED_OUT:
        log_out(roster, session, now, session.then_reason)
        return session
    resting = session.then is AgentState.NOT_READY
    session = roster.change(
        session,
        now,
        state=AgentState.NOT_READY if resting else AgentState.READY,
        reason=session.then_reason if resting else "",
        then=None,
        then_reason="",
        engagement=None,
        deadline=None,
    )
    if session.state is AgentState.READY and session.nail_up is NailUp.LOST:
        # It broke off while the contact was in hand: it is called at once, by the floor's next tick.
        session = roster.change(session, now, deadline=now)
    if session.attachment is Attachment.DETACHING:
        roster.do(ReleaseSeat(session.id, session.pending_why))
    elif session.next_task is not None:
        roster.do(MoveSeat(session.id, session.next_task))
    return session


def log_out(roster: Roster, session: Session, now: dt.datetime, reason: str) -> None:
    """End a session that has no contact in hand: its phone is hung up, its seat and licence go back."""
    if session.leg is not None:
        roster.do(HangUp(session.leg))
    roster.tell(session, LoggedOut(reason=reason))
    roster.remove(session, now)
    roster.do(EndSession(session.id, reason))
