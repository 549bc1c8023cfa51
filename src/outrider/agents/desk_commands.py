"""What each command of an agent does to its session. Pure; `floor.py` finds the session and collects actions.

A command that the session's state does not allow raises IllegalTransitionError, which names what is possible.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from outrider.agents import commands
from outrider.agents.actions import ClaimNumber, DialCard, HangUp, Join, Leave, ReturnCard, SendKeys
from outrider.agents.after_contact import complete, free, log_out
from outrider.agents.answering import hand_over, serve
from outrider.agents.attaching import call_move_off, detach_when_free, end, move_when_free
from outrider.agents.lines import NewLeg, call_phone, consult, drop_phone
from outrider.agents.model import AT_WORK, IN_CALL, AgentState, Attachment, Engagement, NailUp, Session
from outrider.agents.notifications import CallChanged, ConsultChanged, PreviewEnded
from outrider.agents.roster import Roster
from outrider.campaigns.strategy_agents import AgentMode
from outrider.errors import ConflictError, IllegalTransitionError, InvalidInputError

KEYS = frozenset("0123456789*#ABCD")
S = AgentState


def answer(
    roster: Roster, session: Session, command: commands.Command, now: dt.datetime, new_leg: NewLeg
) -> None:
    """Do what an agent, or a supervisor, asks. IllegalTransitionError, ConflictError, InvalidInputError."""
    match command:
        case commands.Ready():
            _ready(roster, session, now, new_leg)
        case commands.NotReady(reason):
            not_ready(roster, session, now, reason)
        case commands.LogOut(reason, force):
            _log_out(roster, session, now, reason, force=force)
        case commands.MoveTo(task_id):
            move_when_free(roster, session, task_id, now)
        case commands.Detach(reason):
            _detach(roster, session, now, reason or "a supervisor wished it")
        case commands.NailUpPhone():
            call_phone(roster, session, now, new_leg)
        case commands.DropNailUp():
            _drop_phone(roster, session, now)
        case commands.ConsultCall(address):
            _consult(roster, session, address, now, new_leg)
        case _:
            _with_contact(roster, session, command, now)


def _consult(roster: Roster, session: Session, address: str, now: dt.datetime, new_leg: NewLeg) -> None:
    _require(session, "consult", IN_CALL)
    if session.engagement is not None and session.engagement.consult is not None:
        raise ConflictError("somebody is being consulted already: end that first")
    _require_phone(session)
    if not address:
        raise InvalidInputError("consult: give the address to call", where="address")
    consult(roster, session, address, now, new_leg)


def _with_contact(roster: Roster, session: Session, command: commands.Command, now: dt.datetime) -> None:
    match command:
        case commands.AcceptPreview():
            _require(session, "accept_preview", {S.PREVIEW})
            dial_card(roster, session, now)
        case commands.SkipPreview(reason):
            _skip(roster, session, now, reason)
        case commands.Dial(address, contact_id):
            _dial(roster, session, now, address, contact_id)
        case commands.Redial(address):
            _redial(roster, session, now, address)
        case commands.WrapUp():
            _require(session, "wrap_up", {S.WRAP_UP})
            _wrap_up(roster, session, command, now)
        case commands.ExtendWrapUp():
            _extend(roster, session, now)
        case _:
            _in_call(roster, session, command, now)


def _in_call(roster: Roster, session: Session, command: commands.Command, now: dt.datetime) -> None:
    engagement = session.engagement
    if engagement is None:
        raise IllegalTransitionError(f"there is no call in hand: a {session.state} agent cannot do this")
    match command:
        case commands.Hold():
            _require(session, "hold", {S.TALKING})
            roster.do(Leave(engagement.attempt_id))
            session = roster.change(session, now, state=S.HOLD, reason="")
            roster.tell(session, CallChanged(attempt_id=engagement.attempt_id, state="hold"))
        case commands.Unhold():
            _require(session, "unhold", {S.HOLD})
            _unhold(roster, session, now)
        case commands.EndCall():
            _require(session, "end_call", {*IN_CALL, S.DIALING})
            roster.do(HangUp(engagement.attempt_id))
        case commands.SendDigits(digits):
            _require(session, "send_digits", {S.TALKING})
            if not digits or set(digits) - KEYS:
                raise InvalidInputError("digits: use the keys 0 to 9, *, # and A to D", where="digits")
            roster.do(SendKeys(engagement.attempt_id, digits))
        case _:
            _consulted(roster, session, command, now)


def _consulted(roster: Roster, session: Session, command: commands.Command, now: dt.datetime) -> None:
    engagement = session.engagement
    third = None if engagement is None else engagement.consult
    if engagement is None or third is None:
        raise IllegalTransitionError("nobody is being consulted: consult somebody first")
    match command:
        case commands.CancelConsult() | commands.EndConference():
            roster.do(HangUp(third.leg))
        case commands.CompleteTransfer():
            _require_third(third.joined, engagement.ended_at)
            roster.tell(session, ConsultChanged(state="transferred", address=third.address))
            hand_over(roster, session, now, "transfer")
        case commands.StartConference():
            _require_third(third.joined, engagement.ended_at)
            _require_phone(session)
            roster.do(Join(engagement.attempt_id, session.leg or ""))
            both = replace(engagement, consult=replace(third, conference=True))
            session = roster.change(session, now, state=S.TALKING, reason="", engagement=both)
            roster.tell(session, ConsultChanged(state="conference", address=third.address))


def _require_third(joined: bool, contact_gone: dt.datetime | None) -> None:  # noqa: FBT001 - its only meaning
    if not joined:
        raise IllegalTransitionError("the person consulted has not answered yet")
    if contact_gone is not None:
        raise IllegalTransitionError("the contact has hung up: there is nobody to hand over")


def _ready(roster: Roster, session: Session, now: dt.datetime, new_leg: NewLeg) -> None:
    if session.state in AT_WORK:
        roster.change(session, now, then=None, then_reason="")
        return
    session = roster.change(session, now, state=S.READY, reason="")
    session = call_phone(roster, session, now, new_leg)
    serve(roster, session, now)


def not_ready(roster: Roster, session: Session, now: dt.datetime, reason: str) -> None:
    """Let a session take no more contacts, now or after the one in hand."""
    if session.state in AT_WORK:
        roster.change(session, now, then=S.NOT_READY, then_reason=reason[:80])
    else:
        roster.change(session, now, state=S.NOT_READY, reason=reason[:80], deadline=None)


def _detach(roster: Roster, session: Session, now: dt.datetime, why: str) -> None:
    """Let a session work for no job, and be not ready: else dealing would give it a job again at once.

    A move that it was to make is called off by that.
    """
    if session.attachment is Attachment.FREE and session.next_task is None:
        return
    if session.then is None and session.state is not S.NOT_READY:
        not_ready(roster, session, now, why)
    session = call_move_off(roster, roster.find(session.id) or session, now, why)
    detach_when_free(roster, session, now, why)


def _log_out(roster: Roster, session: Session, now: dt.datetime, reason: str, *, force: bool) -> None:
    if not force or session.state not in AT_WORK:
        end(roster, session, now, reason or "logged out")
        return
    reason = reason or "logged out by force"
    engagement = session.engagement
    if engagement is None:
        # A number is being claimed: when it is, nobody waits for it any more, and it is called off.
        log_out(roster, session, now, reason)
        return
    if session.state is S.PREVIEW:
        roster.do(ReturnCard(engagement.attempt_id, skipped=False, reason="the agent logged out"))
    elif session.state is not S.WRAP_UP:
        session = _leave_call(roster, session, engagement, now)
    session = roster.change(session, now, then=S.LOGGED_OUT, then_reason=reason)
    if session.state is S.WRAP_UP or engagement.answered_at is not None:
        complete(roster, session, now, _default_code(roster, session), by_timeout=True)
    else:
        log_out(roster, session, now, session.then_reason)


def _leave_call(roster: Roster, session: Session, engagement: Engagement, now: dt.datetime) -> Session:
    """Leave the contact with the person consulted; whoever would be left alone is hung up on."""
    third = engagement.consult
    if third is not None and third.joined and engagement.ended_at is None:
        return hand_over(roster, session, now, "transfer")
    if engagement.ended_at is None:
        roster.do(HangUp(engagement.attempt_id))
    if third is not None:
        roster.do(HangUp(third.leg))
    return session


def _drop_phone(roster: Roster, session: Session, now: dt.datetime) -> None:
    if session.state in AT_WORK:
        raise IllegalTransitionError("a contact is in hand: end the call before you end that to your phone")
    session = drop_phone(roster, session, now)
    not_ready(roster, session, now, "phone hung up")


def dial_card(roster: Roster, session: Session, now: dt.datetime) -> None:
    """Dial the contact on the card: by the agent's wish, or because the time to look at it is over."""
    engagement = session.engagement
    if engagement is None:
        return
    if session.nail_up is not NailUp.UP:
        raise ConflictError("your phone is not connected: it must be, before a contact is called")
    session = roster.change(session, now, state=S.DIALING, deadline=None)
    roster.tell(session, PreviewEnded(attempt_id=engagement.attempt_id, how="dialed"))
    roster.do(DialCard(engagement.attempt_id, session.id))


def give_card_back(
    roster: Roster, session: Session, now: dt.datetime, how: str, reason: str = "", *, skipped: bool
) -> Session:
    """End a preview without a call; `answering.serve` an agent who is to be given the next one."""
    engagement = session.engagement
    if engagement is None:
        return session
    roster.tell(session, PreviewEnded(attempt_id=engagement.attempt_id, how=how))
    roster.do(ReturnCard(engagement.attempt_id, skipped=skipped, reason=reason))
    return free(roster, session, now)


def _skip(roster: Roster, session: Session, now: dt.datetime, reason: str) -> None:
    _require(session, "skip_preview", {S.PREVIEW})
    engagement = session.engagement
    settings = None if engagement is None else roster.tasks[engagement.task_id].settings
    if settings is not None and not settings.may_skip:
        raise ConflictError("the strategy does not let agents skip contacts: dial it, or let time dial it")
    serve(roster, give_card_back(roster, session, now, "skipped", reason, skipped=True), now)


def _dial(roster: Roster, session: Session, now: dt.datetime, address: str, contact_id: int | None) -> None:
    _require(session, "dial", {S.READY})
    if session.attachment is not Attachment.ATTACHED or session.task_id is None:
        raise ConflictError("you are attached to no job: there is nothing to dial for")
    if roster.tasks[session.task_id].settings.mode is not AgentMode.MANUAL:
        raise ConflictError("numbers are dialed by hand in manual campaigns only")
    if session.nail_up is not NailUp.UP:
        raise ConflictError("your phone is not connected: it must be, before a number is called")
    roster.change(session, now, state=S.DIALING, reason="")
    roster.do(ClaimNumber(session.id, session.task_id, address, contact_id))


def _redial(roster: Roster, session: Session, now: dt.datetime, address: str) -> None:
    _require(session, "redial", {S.WRAP_UP})
    engagement = session.engagement
    if engagement is None:
        raise IllegalTransitionError("there is no contact in hand to call again")
    roster.change(session, now, deadline=None)
    roster.do(ClaimNumber(session.id, engagement.task_id, address, again=engagement.attempt_id))


def _wrap_up(roster: Roster, session: Session, command: commands.WrapUp, now: dt.datetime) -> None:
    engagement = session.engagement
    if engagement is None:
        raise IllegalTransitionError("there is no contact in hand")
    allowed: Collection[str] = roster.tasks[engagement.task_id].settings.completion_codes
    if allowed and command.code not in allowed:
        raise InvalidInputError(f"code: {command.code!r} is none of {', '.join(allowed)}", where="code")
    if command.then_not_ready is not None:
        session = roster.change(session, now, then=S.NOT_READY, then_reason=command.then_not_ready[:80])
    serve(roster, complete(roster, session, now, command.code, command.note, command.callback), now)


def _extend(roster: Roster, session: Session, now: dt.datetime) -> None:
    _require(session, "extend_wrap_up", {S.WRAP_UP})
    engagement = session.engagement
    if engagement is None:
        raise IllegalTransitionError("there is no contact in hand")
    settings = roster.tasks[engagement.task_id].settings
    if engagement.wrap_up_extensions >= settings.wrap_up_extensions:
        raise ConflictError(f"the wrap-up can be extended {settings.wrap_up_extensions} times at most")
    more = replace(engagement, wrap_up_extensions=engagement.wrap_up_extensions + 1)
    end_at = (session.deadline or now) + dt.timedelta(seconds=settings.wrap_up_extension)
    roster.change(session, now, engagement=more, deadline=end_at)


def _unhold(roster: Roster, session: Session, now: dt.datetime) -> None:
    engagement = session.engagement
    if engagement is None:
        return
    if engagement.consult is not None:
        raise ConflictError("you talk to the person consulted: end that, start a conference, or transfer")
    _require_phone(session)
    roster.do(Join(engagement.attempt_id, session.leg or ""))
    session = roster.change(session, now, state=S.TALKING, reason="")
    roster.tell(session, CallChanged(attempt_id=engagement.attempt_id, state="talking"))


def _require_phone(session: Session) -> None:
    if session.nail_up is not NailUp.UP:
        raise ConflictError("your phone is not connected: it is being called")


def _default_code(roster: Roster, session: Session) -> str | None:
    engagement = session.engagement
    return None if engagement is None else roster.tasks[engagement.task_id].settings.default_code


def _require(session: Session, what: str, states: Collection[AgentState]) -> None:
    if session.state not in states:
        wanted = " or ".join(sorted(state.value for state in states))
        raise IllegalTransitionError(
            f"{what}: the agent is {session.state}, and must be {wanted}", state=session.state.value
        )
