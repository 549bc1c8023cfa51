"""An agent whose desktop is gone: nobody looks at the screen, though the phone may be up. Pure.

The contact in hand goes on by phone, on hold and in consultation too, and its wrap-up ends by its time.
Nothing further comes until the desktop is back: then the agent works as before.
"""

import datetime as dt

from outrider.agents.answering import serve
from outrider.agents.desk_commands import give_card_back, not_ready
from outrider.agents.lines import NewLeg, call_phone
from outrider.agents.model import AT_WORK, AgentState, Session
from outrider.agents.roster import Roster

DESKTOP_LOST = "desktop lost"


def presumed(session: Session) -> bool:
    """Return whether a session of a former life is taken to have its desktop still, until that is missed."""
    return DESKTOP_LOST not in (session.reason, session.then_reason)


def gone(roster: Roster, session: Session, now: dt.datetime) -> None:
    """Give an agent no further contacts; a card that nobody looks at goes back, and is not dialed by itself.

    A break or logout that the agent wished for after the contact stays as it is.
    """
    session = roster.change(session, now, connected=False)
    if session.state is AgentState.PREVIEW:
        give_card_back(roster, session, now, "taken back", DESKTOP_LOST, skipped=False)
    found = roster.find(session.id)
    if found is None or found.state is AgentState.NOT_READY:
        return
    if found.state not in AT_WORK or found.then is None:
        not_ready(roster, found, now, DESKTOP_LOST)


def back(roster: Roster, session: Session, now: dt.datetime, new_leg: NewLeg) -> None:
    """Let an agent go on whose desktop is there again."""
    session = roster.change(session, now, connected=True)
    if session.state is AgentState.NOT_READY and session.reason == DESKTOP_LOST:
        session = roster.change(session, now, state=AgentState.READY, reason="")
        serve(roster, call_phone(roster, session, now, new_leg), now)
    elif session.state in AT_WORK and session.then_reason == DESKTOP_LOST:
        roster.change(session, now, then=None, then_reason="")
