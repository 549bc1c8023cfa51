"""Legs that are no contacts: the agent's phone, kept between calls, and people who are consulted. Pure.

A phone that is lost is called again; a contact who was talking hears music meanwhile, or goes on with the
person who was consulted (issue of agents 2: it is not dropped if another leg can serve).
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from outrider.agents.actions import HangUp, Join, Leave, MakeLeg
from outrider.agents.after_contact import begin_wrap_up
from outrider.agents.answering import hand_over, serve
from outrider.agents.model import IN_CALL, AgentState, Consult, Engagement, LegId, NailUp, Session
from outrider.agents.notifications import CallChanged, ConsultChanged, NailUpChanged
from outrider.agents.roster import Roster
from outrider.channels.model import CallPurpose

PHONE_LOST = "phone lost"
PATIENCE_WITHOUT_PHONE = 20.0
"""Seconds of music for a contact whose agent's phone broke off, before the call ends."""
REDIAL_PAUSE = 10.0
"""Seconds until a phone that did not answer is called again."""
DEFAULT_TIMEOUT = 45.0

NewLeg = Callable[[], LegId]


def call_phone(roster: Roster, session: Session, now: dt.datetime, new_leg: NewLeg) -> Session:
    """Call the agent's phone, unless it is up or being called."""
    if session.nail_up in (NailUp.UP, NailUp.DIALING) or not session.address:
        return session
    leg = new_leg()
    task = roster.tasks.get(session.task_id) if session.task_id is not None else None
    timeout = DEFAULT_TIMEOUT if task is None else task.settings.nail_up_timeout
    waits = session.state is AgentState.HOLD
    session = roster.change(
        session,
        now,
        nail_up=NailUp.DIALING,
        leg=leg,
        deadline=session.deadline if waits or session.state not in _RETRIED else None,
    )
    roster.tell(session, NailUpChanged(status=NailUp.DIALING.value))
    roster.do(MakeLeg(leg, session.id, CallPurpose.AGENT, session.address, session.server, timeout))
    return session


def without_phone(roster: Roster, session: Session, now: dt.datetime, new_leg: NewLeg) -> None:
    """Call the phone of a session that came back without it, if it has use for it."""
    if session.state in IN_CALL and session.engagement is not None:
        _phone_lost_in_call(roster, session, now, new_leg, tried=False)
    elif session.state in _RETRIED:
        call_phone(roster, session, now, new_leg)


def drop_phone(roster: Roster, session: Session, now: dt.datetime) -> Session:
    """End the call to the agent's phone."""
    if session.leg is None:
        return session
    roster.do(HangUp(session.leg))
    session = roster.change(session, now, nail_up=NailUp.NONE, leg=None)
    roster.tell(session, NailUpChanged(status=NailUp.NONE.value))
    return session


def leg_up(roster: Roster, leg: LegId, server: str, now: dt.datetime) -> None:
    """Note that a phone, or a consulted person, has answered."""
    session = roster.at_leg(leg)
    if session is None:
        roster.do(HangUp(leg))
        return
    if leg != session.leg:
        _consult_up(roster, session, now)
        return
    engagement = session.engagement
    roster.do(Join(leg, leg))
    session = roster.change(session, now, nail_up=NailUp.UP, server=server)
    roster.tell(session, NailUpChanged(status=NailUp.UP.value))
    if session.state is AgentState.HOLD and session.reason == PHONE_LOST and engagement is not None:
        _go_on(roster, session, engagement, leg, now)
        return
    serve(roster, session, now)


def _go_on(roster: Roster, session: Session, engagement: Engagement, leg: LegId, now: dt.datetime) -> None:
    """Let an agent whose phone is back talk to whom it talked, or was about to: the other stays on hold."""
    if engagement.consult is None:
        roster.do(Join(engagement.attempt_id, leg))
        session = roster.change(session, now, state=AgentState.TALKING, reason="", deadline=None)
        roster.tell(session, CallChanged(attempt_id=engagement.attempt_id, state="talking"))
        return
    if engagement.consult.joined:
        roster.do(Join(engagement.consult.leg, leg))
    session = roster.change(session, now, reason="", deadline=None)
    roster.tell(session, CallChanged(attempt_id=engagement.attempt_id, state="hold"))


def leg_ended(roster: Roster, leg: LegId, now: dt.datetime, detail: str, new_leg: NewLeg) -> None:
    """Note that a phone, or a consulted person, is gone."""
    for call_id, other in tuple(roster.handed_over.items()):
        if other == leg:
            # Its end is told, and takes it out.
            roster.do(HangUp(call_id))
    session = roster.at_leg(leg)
    if session is None:
        return
    if leg != session.leg:
        consult_ended(roster, session, now, detail)
        return
    was_dialing = session.nail_up is NailUp.DIALING
    session = roster.change(session, now, nail_up=NailUp.LOST, leg=None)
    roster.tell(session, NailUpChanged(status=NailUp.LOST.value, detail=detail))
    if session.state in IN_CALL and session.engagement is not None:
        _phone_lost_in_call(roster, session, now, new_leg, tried=was_dialing)
    elif session.state in _RETRIED:
        if was_dialing:
            roster.change(session, now, deadline=now + dt.timedelta(seconds=REDIAL_PAUSE))
        else:
            call_phone(roster, session, now, new_leg)


_RETRIED = frozenset({AgentState.READY})
"""States in which a phone that was lost is called again by itself."""


def consult_ended(roster: Roster, session: Session, now: dt.datetime, detail: str) -> None:
    """Go back to the contact, or to wrap-up when that is over too."""
    engagement = session.engagement
    consult = None if engagement is None else engagement.consult
    if engagement is None or consult is None:
        return
    state = "ended" if consult.joined else "failed"
    roster.tell(session, ConsultChanged(state=state, address=consult.address, detail=detail))
    if engagement.ended_at is not None:
        begin_wrap_up(roster, session, now, "contact")
        return
    session = roster.change(session, now, engagement=replace(engagement, consult=None))
    # Without the agent's phone the contact stays on hold: it is joined when that is back.
    if not consult.conference and session.nail_up is NailUp.UP and session.state is AgentState.HOLD:
        roster.do(Join(engagement.attempt_id, session.leg or ""))
        roster.change(session, now, state=AgentState.TALKING)


def consult(roster: Roster, session: Session, address: str, now: dt.datetime, new_leg: NewLeg) -> Session:
    """Put the contact on hold, and call a third person. The agent's phone must be up."""
    engagement = session.engagement
    if engagement is None:
        return session
    if session.state is AgentState.TALKING:
        roster.do(Leave(engagement.attempt_id))
    leg = new_leg()
    session = roster.change(
        session,
        now,
        state=AgentState.HOLD,
        reason="",
        engagement=replace(engagement, consult=Consult(leg, address)),
    )
    roster.tell(session, ConsultChanged(state="dialing", address=address))
    roster.do(MakeLeg(leg, session.id, CallPurpose.CONSULT, address, session.server, DEFAULT_TIMEOUT))
    return session


def _consult_up(roster: Roster, session: Session, now: dt.datetime) -> None:
    engagement = session.engagement
    consult = None if engagement is None else engagement.consult
    if engagement is None or consult is None or session.leg is None:
        return
    if session.nail_up is NailUp.UP:
        # Else they are joined when the agent's phone, which is being called, is back.
        roster.do(Join(consult.leg, session.leg))
    session = roster.change(
        session, now, engagement=replace(engagement, consult=replace(consult, joined=True))
    )
    roster.tell(session, ConsultChanged(state="joined", address=consult.address))


def no_phone_came(roster: Roster, session: Session, now: dt.datetime) -> None:
    """End the wait for a phone: the contact stays with the person consulted, or else nobody with nobody."""
    engagement = session.engagement
    if engagement is None:
        return
    if _can_serve(engagement):
        hand_over(roster, session, now, "transfer", PHONE_LOST)
    elif engagement.ended_at is None:
        roster.do(HangUp(engagement.attempt_id))
    elif engagement.consult is not None:
        roster.do(HangUp(engagement.consult.leg))


def _can_serve(engagement: Engagement) -> bool:
    """Return whether a person consulted can go on with the contact."""
    return engagement.consult is not None and engagement.consult.joined and engagement.ended_at is None


def _phone_lost_in_call(
    roster: Roster, session: Session, now: dt.datetime, new_leg: NewLeg, *, tried: bool
) -> None:
    """Leave the contact with the third person, or with music while the phone is called again."""
    engagement = session.engagement
    if engagement is None:
        return
    if tried or _can_serve(engagement):
        no_phone_came(roster, session, now)
        return
    if session.state is AgentState.TALKING and engagement.customer_up:
        roster.do(Leave(engagement.attempt_id))
    until = now + dt.timedelta(seconds=PATIENCE_WITHOUT_PHONE)
    session = roster.change(session, now, state=AgentState.HOLD, reason=PHONE_LOST, deadline=until)
    roster.tell(session, CallChanged(attempt_id=engagement.attempt_id, state=PHONE_LOST))
    call_phone(roster, session, now, new_leg)
