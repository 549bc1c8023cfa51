"""Answered calls and the agents who take them: offered, given, joined, ended. Pure.

The engine offers a call when a person answered it; the floor gives it to the agent of its cell who has been
free for longest, or to the one that it was made for (issue of agents 2 and 3).
"""

import datetime as dt
from dataclasses import replace

from outrider.agents.actions import Give, HangUp, Join, Miss
from outrider.agents.after_contact import begin_wrap_up, free
from outrider.agents.model import IN_CALL, AgentState, Engagement, LegId, NailUp, Session, SessionId
from outrider.agents.notifications import CallConnected, DialFailed
from outrider.agents.roster import Cell, Offer, Roster
from outrider.ids import AttemptId


def offer(roster: Roster, call: Offer) -> None:
    """Give an answered call to an agent now, or let it wait until its time is over."""
    session = _taker(roster, call)
    if session is None:
        roster.offers[call.call_id] = call
    else:
        _give(roster, session, call, call.since)


def withdraw(roster: Roster, call_id: AttemptId) -> None:
    """Forget a call that waits: it is over, or got its message."""
    roster.offers.pop(call_id, None)


def serve(roster: Roster, session: Session, now: dt.datetime) -> Session:
    """Give a free agent the call that has waited for longest in its cell, if there is one.

    A session that is over by now, as when a logout waited for the end of the contact, gets none.
    """
    if roster.find(session.id) is None:
        return session
    for call in roster.offers.values():
        mine = call.session_id == session.id and _can_take_own(session, call.call_id)
        cell_matches = (call.task_id, call.server) == (session.task_id, session.server)
        if mine or (call.session_id is None and session.is_free and cell_matches):
            del roster.offers[call.call_id]
            return _give(roster, session, call, now)
    return session


def expire(roster: Roster, now: dt.datetime) -> None:
    """Tell the engine of calls for which no agent came in time."""
    for call in [each for each in roster.offers.values() if each.until <= now]:
        del roster.offers[call.call_id]
        roster.do(Miss(call.call_id))


def joined(roster: Roster, call_id: AttemptId, now: dt.datetime) -> None:
    """Note that the contact and the agent hear each other."""
    session = roster.in_call(call_id)
    if session is None or session.engagement is None:
        # The agent went away in the same moment: nobody would talk to this person.
        roster.do(HangUp(call_id))
        return
    engagement = replace(session.engagement, customer_up=True)
    if engagement.answered_at is None:
        engagement = replace(engagement, answered_at=now)
    session = roster.change(session, now, engagement=engagement)
    roster.tell(session, CallConnected(attempt_id=call_id, card=engagement.card))


def found_in_room(roster: Roster, call: Offer, leg: LegId) -> Session | None:
    """Give a contact who is in an agent's room to that agent, who may not know of it any more.

    After a crash: the join came through, but that the agent was given the contact was not written down. None
    when the room is nobody's, or its agent has another contact: then nobody talks to this person.
    """
    session = roster.at_leg(leg)
    free = session is not None and session.leg == leg and session.engagement is None
    if session is None or not free:
        return None
    settings = roster.tasks[call.task_id].settings
    engagement = Engagement(
        call.call_id, call.task_id, settings.mode, call.card, customer_up=True, answered_at=call.since
    )
    session = roster.change(
        session, call.since, state=AgentState.TALKING, reason="", engagement=engagement, deadline=None
    )
    roster.tell(session, CallConnected(attempt_id=call.call_id, card=call.card))
    return session


def found_with_third(roster: Roster, call_id: AttemptId, leg: LegId, now: dt.datetime) -> None:
    """Note that a contact is in the room of a person it was handed over to: either end ends the other.

    After a crash: that is not written down, and that the agent left them may not have been either.
    """
    session = roster.at_leg(leg)
    if session is not None and session is roster.in_call(call_id) and session.state in IN_CALL:
        hand_over(roster, session, now, "transfer")
    else:
        roster.handed_over[call_id] = leg


def join_failed(roster: Roster, call_id: AttemptId, now: dt.datetime) -> None:
    """Take an agent back whose contact could not be joined: nothing was said, so nothing is wrapped up."""
    session = roster.in_call(call_id)
    if session is not None and session.engagement is not None and not session.engagement.customer_up:
        serve(roster, free(roster, session, now), now)


def ended(
    roster: Roster, call_id: AttemptId, now: dt.datetime, *, outcome: str, by: str, detail: str = ""
) -> None:
    """Note that a contact's call is over: `outcome` in the field's names, `by` agent, contact or fault."""
    withdraw(roster, call_id)
    other = roster.handed_over.pop(call_id, None)
    if other is not None:
        roster.do(HangUp(other))
    session = roster.in_call(call_id)
    if session is None or session.engagement is None:
        return
    engagement = session.engagement
    if session.state is AgentState.WRAP_UP:
        return
    if engagement.answered_at is None:
        _not_reached(roster, session, now, outcome, detail)
        return
    consult = engagement.consult
    if consult is not None and consult.joined:
        # The agent still talks to the third person: wrap-up begins when that is over.
        roster.change(session, now, engagement=replace(engagement, customer_up=False, ended_at=now))
        return
    if consult is not None:
        roster.do(HangUp(consult.leg))
    begin_wrap_up(roster, session, now, by, detail)


def hand_over(roster: Roster, session: Session, now: dt.datetime, by: str, detail: str = "") -> Session:
    """Leave the contact with the consulted person: both go to that person's room; the agent wraps up."""
    engagement = session.engagement
    if engagement is None or engagement.consult is None:
        return session
    leg = engagement.consult.leg
    roster.do(Join(leg, leg), Join(engagement.attempt_id, leg))
    roster.handed_over[engagement.attempt_id] = leg
    return begin_wrap_up(roster, session, now, by, detail)


def _taker(roster: Roster, call: Offer) -> Session | None:
    if call.session_id is None:
        return roster.first_free((call.task_id, call.server))
    session = roster.find(call.session_id)
    return session if session is not None and _can_take_own(session, call.call_id) else None


def _can_take_own(session: Session, call_id: AttemptId) -> bool:
    """Say whether an agent can talk on a call that was made for it: it may have another contact by now.

    After a crash that it dialed may not have been written down: then it must be free.
    """
    engagement = session.engagement
    mine = session.is_free if engagement is None else engagement.attempt_id == call_id
    return mine and session.nail_up is NailUp.UP


def _give(roster: Roster, session: Session, call: Offer, now: dt.datetime) -> Session:
    """Reserve the agent for the call, and tell the engine whose room to join."""
    engagement = session.engagement
    if engagement is None or engagement.attempt_id != call.call_id:
        settings = roster.tasks[call.task_id].settings
        engagement = Engagement(call.call_id, call.task_id, settings.mode, call.card)
    session = roster.change(
        session, now, state=AgentState.TALKING, reason="", engagement=engagement, deadline=None
    )
    roster.do(Give(call.call_id, session.id, session.leg or ""))
    return session


def _not_reached(roster: Roster, session: Session, now: dt.datetime, outcome: str, detail: str) -> None:
    """Take an agent back whose own call was not answered, or was over before anybody was heard."""
    engagement = session.engagement
    if engagement is None:
        return
    if session.state is AgentState.DIALING or session.state in IN_CALL:
        failed = DialFailed(attempt_id=engagement.attempt_id, outcome=outcome, detail=detail)
        roster.tell(session, failed)
    serve(roster, free(roster, session, now), now)


def waiting_in(roster: Roster, cell: Cell) -> int:
    """Return how many answered calls of a cell wait for an agent."""
    return sum((each.task_id, each.server) == cell for each in roster.offers.values())


def waits_for_number(session: Session, again: AttemptId | None) -> bool:
    """Say whether a session waits for the number that it dialed, or for its contact `again`, to be claimed.

    It may have been logged out meanwhile, have wrapped up, or have lost its phone.
    """
    engagement = session.engagement
    if session.nail_up is not NailUp.UP:
        return False
    if again is None:
        leaves = session.then is AgentState.LOGGED_OUT
        return session.state is AgentState.DIALING and engagement is None and not leaves
    in_hand = engagement is not None and engagement.attempt_id == again
    return session.state is AgentState.WRAP_UP and in_hand


def reserve(
    roster: Roster, session_id: SessionId, engagement: Engagement, now: dt.datetime
) -> Session | None:
    """Let an agent dial this contact: the call to come is made for it. None when the session is over."""
    session = roster.find(session_id)
    if session is None:
        return None
    return roster.change(
        session, now, state=AgentState.DIALING, reason="", engagement=engagement, deadline=None
    )
