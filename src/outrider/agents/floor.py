"""The floor: all agents at work, the calls that wait for them and the cards they look at. Pure, in memory.

`runtime/floor_desk.py`, the simulator and the fault simulations drive it: events and commands in, actions
out. Not safe for threads: one owner calls it (docs/decisions/0010).
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from outrider.agents import absence, after_contact, answering, attaching, desk_commands, lines
from outrider.agents.actions import STATES_OF_WORK, Action
from outrider.agents.commands import Command
from outrider.agents.model import AgentState, Attachment, Engagement, LegId, NailUp, Session, SessionId
from outrider.agents.notifications import CallChanged, DialFailed, PreviewOffered
from outrider.agents.roster import FloorTask, Offer, Roster
from outrider.campaigns.strategy_agents import AgentMode
from outrider.errors import NotFoundError
from outrider.ids import AttemptId, TaskId

Actions = tuple[Action, ...]


class Floor:
    """Every method answers with what is to be done, in order; times are aware and never go backwards."""

    def __init__(self, new_leg: Callable[[], LegId]) -> None:
        """Begin empty; `new_leg` gives ids for calls that are no attempts."""
        self.roster = Roster()
        self._new_leg = new_leg

    # Sessions come and go.

    def admit(
        self, session: Session, now: dt.datetime, deleted: AbstractSet[TaskId] = frozenset()
    ) -> Actions:
        """Take in a session that has just logged in, or came back from the database.

        It leaves tasks that were `deleted` since; all others of its tasks must be known.
        """
        self.roster.put(session)
        here = attaching.leave_deleted(self.roster, session, deleted, now)
        if here is not None:
            if here.nail_up in (NailUp.NONE, NailUp.LOST):
                lines.without_phone(self.roster, here, now, self._new_leg)
            attaching.order_again(self.roster, here)
        return self.roster.take_actions()

    def know_task(self, task: FloorTask) -> None:
        """Learn of a task before sessions or calls of it come."""
        self.roster.tasks[task.task_id] = task

    def session(self, session_id: SessionId) -> Session | None:
        """Return a session as it is now."""
        return self.roster.find(session_id)

    def sessions(self) -> Sequence[Session]:
        """Return all sessions, oldest first."""
        return tuple(self.roster.all())

    def connected(self, session_id: SessionId, now: dt.datetime, *, connected: bool) -> Actions:
        """Note that a session's desktop listens, or has not for too long: then nothing more comes to it."""
        session = self.roster.find(session_id)
        if session is not None and session.connected is not connected:
            if connected:
                absence.back(self.roster, session, now, self._new_leg)
            else:
                absence.gone(self.roster, session, now)
        return self.roster.take_actions()

    def command(self, session_id: SessionId, command: Command, now: dt.datetime) -> Actions:
        """Do what an agent or a supervisor asks.

        NotFoundError, IllegalTransitionError, ConflictError, InvalidInputError: then nothing is done.
        """
        session = self.roster.find(session_id)
        if session is None:
            raise NotFoundError(f"agent session {session_id} is over: log in again")
        desk_commands.answer(self.roster, session, command, now, self._new_leg)
        return self.roster.take_actions()

    # Seats.

    def seat_given(self, session_id: SessionId, task: FloorTask, now: dt.datetime) -> Actions:
        """Follow the database: the session has a seat of this task."""
        return self._with(session_id, lambda each: attaching.seat_given(self.roster, each, task, now))

    def seat_refused(self, session_id: SessionId, now: dt.datetime, reason: str) -> Actions:
        """Follow the database: there is no seat, and why."""
        return self._with(session_id, lambda each: attaching.seat_refused(self.roster, each, now, reason))

    def seat_released(self, session_id: SessionId, now: dt.datetime, reason: str) -> Actions:
        """Follow the database: the session's seat is gone."""
        return self._with(session_id, lambda each: attaching.seat_released(self.roster, each, now, reason))

    def seat_wanted(self, session_id: SessionId, now: dt.datetime, why: str) -> Actions:
        """Let a session give its seat back, after the contact in hand."""
        return self._with(session_id, lambda each: attaching.detach_when_free(self.roster, each, now, why))

    def move_refused(self, session_id: SessionId, now: dt.datetime, reason: str) -> Actions:
        """Follow the database: the other task cannot hold the seat."""
        return self._with(session_id, lambda each: attaching.move_refused(self.roster, each, now, reason))

    # Calls.

    def offer(
        self,
        call_id: AttemptId,
        task_id: TaskId,
        server: str,
        card: Mapping[str, object],
        now: dt.datetime,
        *,
        patience: float,
        made_for: SessionId | None = None,
    ) -> Actions:
        """Find an agent for an answered call within `patience` seconds: answered by Give or Miss."""
        until = now + dt.timedelta(seconds=patience)
        answering.offer(self.roster, Offer(call_id, task_id, server, now, until, dict(card), made_for))
        return self.roster.take_actions()

    def joined(self, call_id: AttemptId, now: dt.datetime) -> Actions:
        """Note that the contact is in its agent's room."""
        answering.joined(self.roster, call_id, now)
        return self.roster.take_actions()

    def found_in_room(
        self, call_id: AttemptId, task_id: TaskId, leg: LegId, card: Mapping[str, object], now: dt.datetime
    ) -> tuple[Session | None, Actions]:
        """Give a contact who was found in an agent's room after a crash to the agent whose leg it is.

        None when nobody talks to it there: then another agent is to be found. The task must be known.
        """
        call = Offer(call_id, task_id, "", now, now, dict(card))
        session = answering.found_in_room(self.roster, call, leg)
        return session, self.roster.take_actions()

    def found_with_third(self, call_id: AttemptId, leg: LegId, now: dt.datetime) -> Actions:
        """Note that a contact was found after a crash in the room of a third person, whose leg is up.

        It was handed over to that person, and stays there until either hangs up.
        """
        answering.found_with_third(self.roster, call_id, leg, now)
        return self.roster.take_actions()

    def join_failed(self, call_id: AttemptId, now: dt.datetime) -> Actions:
        """Note that the contact could not be put into the room; the engine asks again, or gives up."""
        answering.join_failed(self.roster, call_id, now)
        return self.roster.take_actions()

    def call_ringing(self, call_id: AttemptId) -> Actions:
        """Note that an agent's own call rings."""
        session = self.roster.in_call(call_id)
        if session is not None and session.state is AgentState.DIALING:
            self.roster.tell(session, CallChanged(attempt_id=call_id, state="ringing"))
        return self.roster.take_actions()

    def call_ended(
        self, call_id: AttemptId, now: dt.datetime, *, outcome: str, by: str, detail: str = ""
    ) -> Actions:
        """Note that a contact's call is over; `by` is agent, contact or fault."""
        answering.ended(self.roster, call_id, now, outcome=outcome, by=by, detail=detail)
        return self.roster.take_actions()

    def leg_up(self, leg: LegId, server: str, now: dt.datetime) -> Actions:
        """Note that an agent's phone, or a person consulted, has answered on a media server."""
        lines.leg_up(self.roster, leg, server, now)
        return self.roster.take_actions()

    def leg_ended(self, leg: LegId, now: dt.datetime, detail: str) -> Actions:
        """Note that such a leg is over, or could not be made."""
        lines.leg_ended(self.roster, leg, now, detail, self._new_leg)
        return self.roster.take_actions()

    # Cards, and calls that agents make.

    def idle(self, task_id: TaskId) -> list[Session]:
        """Return the agents of a task, of whatever mode, who could look at a card now, longest idle first."""
        free = [each for each in self.roster.of_task(task_id) if each.is_free]
        return sorted(free, key=lambda each: (each.since, each.id))

    def wants_cards(self, task_id: TaskId) -> list[SessionId]:
        """Return the agents of a preview task who are free to look at a card, longest idle first."""
        task = self.roster.tasks.get(task_id)
        if task is None or task.settings.mode is not AgentMode.PREVIEW:
            return []
        return [each.id for each in self.idle(task_id)]

    def give_card(
        self, session_id: SessionId, engagement: Engagement, now: dt.datetime
    ) -> tuple[bool, Actions]:
        """Show a claimed contact to an agent before it is called; False when it is not free any more."""
        session = self.roster.find(session_id)
        if session is None or not session.is_free:
            return False, ()
        settings = self.roster.tasks[engagement.task_id].settings
        limit = settings.preview_time
        deadline = None if limit is None else now + dt.timedelta(seconds=limit)
        session = self.roster.change(
            session, now, state=AgentState.PREVIEW, reason="", engagement=engagement, deadline=deadline
        )
        offered = PreviewOffered(
            attempt_id=engagement.attempt_id,
            card=engagement.card,
            may_skip=settings.may_skip,
            auto_dial=settings.auto_dial,
            deadline=deadline,
        )
        self.roster.tell(session, offered)
        return True, self.roster.take_actions()

    def may_dial(self, session_id: SessionId, again: AttemptId | None) -> bool:
        """Say whether an agent still waits for what it dialed, or for its contact `again`, to be claimed."""
        session = self.roster.find(session_id)
        return session is not None and answering.waits_for_number(session, again)

    def dialing(self, session_id: SessionId, engagement: Engagement, now: dt.datetime) -> Actions:
        """Note that the number an agent dialed is claimed, and being called."""
        answering.reserve(self.roster, session_id, engagement, now)
        return self.roster.take_actions()

    def dial_refused(self, session_id: SessionId, now: dt.datetime, reason: str) -> Actions:
        """Take an agent back whose number may not be called now."""
        session = self.roster.find(session_id)
        if session is not None:
            self.roster.tell(session, DialFailed(attempt_id="", outcome="refused", detail=reason))
            if session.state is AgentState.DIALING and session.engagement is None:
                answering.serve(self.roster, after_contact.free(self.roster, session, now), now)
            elif session.state is AgentState.WRAP_UP and session.engagement is not None:
                wrap_up = self.roster.tasks[session.engagement.task_id].settings.wrap_up
                deadline = now + dt.timedelta(seconds=wrap_up)
                self.roster.change(session, now, deadline=deadline)
        return self.roster.take_actions()

    def card_failed(self, session_id: SessionId, now: dt.datetime) -> Actions:
        """Take an agent back whose card could not be dialed any more."""
        session = self.roster.find(session_id)
        if session is not None and session.state is AgentState.DIALING:
            answering.serve(self.roster, after_contact.free(self.roster, session, now), now)
        return self.roster.take_actions()

    # Time.

    def next_at(self) -> dt.datetime | None:
        """Return when `tick` has something to do next, None when never."""
        return self.roster.next_deadline()

    def shift(self, by: dt.timedelta, now: dt.datetime) -> Actions:
        """Follow a clock that was set by so much and shows `now`: what was to come in a minute still does.

        Whoever waits, waits no longer for it, and has not waited for longer either.
        """
        roster = self.roster
        for call_id, call in roster.offers.items():
            roster.offers[call_id] = replace(call, since=call.since + by, until=call.until + by)
        for session in tuple(roster.all()):
            engagement = session.engagement
            if engagement is not None:
                engagement = replace(
                    engagement,
                    answered_at=_moved(engagement.answered_at, by),
                    ended_at=_moved(engagement.ended_at, by),
                )
            deadline = _moved(session.deadline, by)
            roster.change(session, now, since=session.since + by, deadline=deadline, engagement=engagement)
        return roster.take_actions()

    def tick(self, now: dt.datetime) -> Actions:
        """Let happen what is due: patience, previews, wrap-ups, phones to be called again."""
        answering.expire(self.roster, now)
        for session in self.roster.due(now):
            self._deadline(session, now)
        return self.roster.take_actions()

    def _deadline(self, session: Session, now: dt.datetime) -> None:
        roster, engagement = self.roster, session.engagement
        settings = None if engagement is None else roster.tasks[engagement.task_id].settings
        if session.state is AgentState.PREVIEW and settings is not None:
            if settings.auto_dial and session.nail_up is NailUp.UP:
                desk_commands.dial_card(roster, session, now)
            else:
                freed = desk_commands.give_card_back(roster, session, now, "taken back", skipped=False)
                answering.serve(roster, freed, now)
        elif session.state is AgentState.WRAP_UP and settings is not None:
            freed = after_contact.complete(roster, session, now, settings.default_code, by_timeout=True)
            answering.serve(roster, freed, now)
        elif session.state is AgentState.HOLD and engagement is not None:
            lines.no_phone_came(roster, roster.change(session, now, deadline=None), now)
        else:
            session = roster.change(session, now, deadline=None)
            lines.call_phone(roster, session, now, self._new_leg)

    # What pacing looks at.

    def free(self, task_id: TaskId, server: str) -> int:
        """Return how many agents of a task on a server could take a call now."""
        return self.roster.free((task_id, server))

    def waiting(self, task_id: TaskId, server: str) -> int:
        """Return how many answered calls of a task on a server wait for an agent."""
        return answering.waiting_in(self.roster, (task_id, server))

    def busy(self, task_id: TaskId, server: str) -> list[tuple[AgentState, dt.datetime]]:
        """Return the agents of a cell who will come back: their state, and since when they are busy."""
        found = []
        for each in self.roster.of_task(task_id):
            returns = each.attachment is Attachment.ATTACHED and each.then is None
            if each.server == server and returns and each.state in STATES_OF_WORK and each.engagement:
                found.append((each.state, each.engagement.answered_at or each.since))
        return found

    def servers(self, task_id: TaskId) -> set[str]:
        """Return the media servers on which agents of a task have their phones up."""
        return {each.server for each in self.roster.of_task(task_id) if each.nail_up is NailUp.UP}

    def _with(self, session_id: SessionId, act: Callable[[Session], object]) -> Actions:
        session = self.roster.find(session_id)
        if session is not None:
            act(session)
        return self.roster.take_actions()


def _moved(at: dt.datetime | None, by: dt.timedelta) -> dt.datetime | None:
    return None if at is None else at + by
