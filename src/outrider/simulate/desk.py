"""The edge of the simulated floor: what happens is told to it, what it wants done is carried out.

As `runtime/floor_desk.py` and `runtime/seating.py`, over the same `agents/floor.Floor`. It is the Hall of its
worker. The floor runs on time itself, so that a clock set back holds up no deadline.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from outrider.agents import actions
from outrider.agents.actions import Action
from outrider.agents.commands import Command
from outrider.agents.floor import Floor
from outrider.agents.leg_check import Finding, is_up, is_wanted, judge
from outrider.agents.model import AT_WORK, AgentId, AgentState, Attachment, LegId, NailUp, Session, SessionId
from outrider.campaigns.outcome import Outcome
from outrider.channels.model import CallEvent
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.dialing.attempt import Claim
from outrider.dialing.commands import (
    AgentFound,
    AgentMissed,
    FindAgent,
    Finish,
    JoinFailed,
    JoinRoom,
    RoomJoined,
)
from outrider.ids import AttemptId, TaskId
from outrider.runtime.cards import card_of
from outrider.runtime.hall import Talk
from outrider.simulate import seats
from outrider.simulate.desk_work import carry_out, engagement_of, floor_task
from outrider.simulate.memory import Memory
from outrider.simulate.pacers import Pacers
from outrider.simulate.phones import Phones
from outrider.simulate.recording import WrapUp
from outrider.simulate.worker import Worker

WRITE_AFTER = 0.05
"""Seconds in which changes of sessions, and reasons to deal seats, are collected."""


def save_sessions(memory: Memory, latest: Sequence[Session]) -> None:
    """Write sessions as the floor has them; their seats are not among it."""
    for session in latest:
        row = memory.sessions.get(session.id)
        if row is not None:
            row.session = session


class Desk:
    """One floor at work for one worker."""

    def __init__(self, worker: Worker, on_changed: Callable[[actions.Changed], None]) -> None:
        self.worker = worker
        self.memory = worker.memory
        self.agenda = worker.agenda
        self.floor = Floor(lambda: LegId(self.memory.new_id()))
        self.phones = Phones(self.memory, worker.links, self._leg_up, self._leg_ended)
        self.cards: dict[AttemptId, Claim] = {}
        """Contacts whose cards are being looked at: claimed, not called."""
        self.pacers: Pacers | None = None
        self.on_work: Callable[[TaskId], None] | None = None
        """Told of tasks for which lines may be wanted now."""
        self._on_changed = on_changed
        self._cells: Counter[tuple[TaskId, str]] = Counter()
        self._agents: dict[SessionId, AgentId] = {}
        self._hung_up: set[AttemptId] = set()
        self._unsaved: dict[SessionId, Session] = {}
        self._deals = self._saves = False
        self._armed: dt.datetime | None = None

    # The worker's side (Hall).

    def started(self, claim: Claim) -> None:
        """Note that a call of an agent task is being made."""
        if self.pacers is not None:
            self.pacers.started(claim)

    def ringing(self, claim: Claim) -> None:
        """Note that it rings."""
        if claim.session_id is not None:
            self.do(self.floor.call_ringing(claim.attempt_id))

    def seek(self, claim: Claim, command: FindAgent) -> None:
        """Find an agent for a person who answered."""
        if self.pacers is not None:
            self.pacers.sought(claim)
        self.worker.watcher.sought(claim)
        made_for = None if command.session is None else SessionId(command.session)
        self.do(
            self.floor.offer(
                claim.attempt_id,
                claim.plan.task_id,
                claim.server,
                card_of(claim),
                self.agenda.now(),
                patience=command.patience,
                made_for=made_for,
            )
        )
        if self.pacers is not None:
            self.pacers.waits(claim, waits=claim.attempt_id in self.floor.roster.offers)

    def drop(self, call_id: AttemptId) -> None:
        """Find none any more: the end of the call is told next."""

    def join(self, claim: Claim, command: JoinRoom) -> None:
        """Put a contact into its agent's room."""
        session = self.floor.roster.in_call(claim.attempt_id)
        if session is None:
            self._joined(claim.attempt_id, "the agent is gone")
            return
        done = partial(self._joined, claim.attempt_id)
        self.phones.bridge(claim.attempt_id, claim.server, command.room, session.id, done)

    def over(self, claim: Claim, finish: Finish) -> None:
        """Note that an attempt has its result."""
        call_id = claim.attempt_id
        if self.pacers is not None:
            self.pacers.over(claim, finish)
        by = "agent" if call_id in self._hung_up else "contact"
        self._hung_up.discard(call_id)
        reached = finish.joined_at is not None or finish.outcome is Outcome.ANSWERED
        self.do(
            self.floor.call_ended(
                call_id,
                self.agenda.now(),
                outcome=finish.outcome.value,
                by=by if reached else "fault",
                detail=finish.detail,
            )
        )
        self._work(claim.plan.task_id)

    def knows(self, call_id: AttemptId) -> bool:
        """Return whether a call is an agent's phone, or a person who is consulted."""
        return self.phones.knows(call_id)

    def hear(self, event: CallEvent) -> None:
        """Take an event of such a call."""
        self.phones.hear(event)

    def talks_with(self, attempt_id: AttemptId) -> Talk | None:
        """Return who has an attempt of a former life in hand."""
        session = self.floor.roster.in_call(attempt_id)
        if session is None or session.engagement is None:
            return None
        return Talk(session.id, session.agent_id, session.engagement.answered_at)

    def _found_in_room(self, claim: Claim, room: str) -> Talk | None:
        """Give a contact of a former life to the agent in whose room it is; None when nobody is there."""
        self.floor.know_task(floor_task(self.memory, claim.plan.task_id))
        session, todo = self.floor.found_in_room(
            claim.attempt_id, claim.plan.task_id, LegId(AttemptId(room)), card_of(claim), self.agenda.now()
        )
        self.do(todo)
        return None if session is None else Talk(session.id, session.agent_id, self.agenda.now())

    def is_empty(self, room: str) -> bool:
        """Say whether nobody talks in a room: no leg of ours, or that of an agent with another contact."""
        leg = LegId(AttemptId(room))
        session = self.floor.roster.at_leg(leg)
        return not self.phones.knows(leg) or (session is not None and session.leg == leg)

    def _dials_again(self, claim: Claim) -> None:
        """Let the agent for whom a call of a former life was made wait for it again, if it is free."""
        session = None if claim.session_id is None else self.floor.session(SessionId(claim.session_id))
        if session is not None and session.state is AgentState.READY and session.engagement is None:
            self.floor.know_task(floor_task(self.memory, claim.plan.task_id))
            self.do(self.floor.dialing(session.id, engagement_of(claim), self.agenda.now()))

    def taken_over(self, claim: Claim, room: str) -> Talk | None:
        """Give a living call of a former life back to its agent, as `runtime/floor_desk.py` does."""
        talk = self.talks_with(claim.attempt_id)
        if talk is None and room:
            return self._found_in_room(claim, room)
        self._dials_again(claim)
        return talk or self.talks_with(claim.attempt_id)

    def agent_of(self, session_id: int) -> int | None:
        """Return the agent whose session it is, or was."""
        return self._agents.get(SessionId(session_id))

    # Agents' side.

    def admit(self, session: Session) -> None:
        """Take in a session that logged in, or came back."""
        self.do(self.floor.admit(session, self.agenda.now()))
        self.deal_soon()

    def command(self, session_id: SessionId, command: Command) -> None:
        """Do what an agent or a supervisor asks. OutriderError when it cannot be."""
        self.do(self.floor.command(session_id, command, self.agenda.now()))

    def connected(self, session_id: SessionId, *, connected: bool) -> None:
        """Note that a session's desktop listens, or does not any more."""
        self.do(self.floor.connected(session_id, self.agenda.now(), connected=connected))

    def give_card(self, session_id: SessionId, claim: Claim) -> bool:
        """Show a claimed contact to an agent; False when it is not free any more."""
        given, todo = self.floor.give_card(session_id, engagement_of(claim), self.agenda.now())
        if given:
            self.cards[claim.attempt_id] = claim
        self.do(todo)
        return given

    # Everybody's side.

    def do(self, wanted: Sequence[Action]) -> None:
        """Carry out what the floor wants done, in order; more may come of it."""
        for action in wanted:
            self._do(action)
        self._arm()

    def deal_soon(self) -> None:
        """Deal seats anew within WRITE_AFTER."""
        if not self._deals:
            self._deals = True
            self.agenda.after(WRITE_AFTER, self._deal)

    def save(self) -> None:
        """Write sessions down that changed."""
        self._saves = False
        if self._unsaved and not self.worker.is_dead:
            self.memory.write(save_sessions, tuple(self._unsaved.values()))
            self._unsaved.clear()

    def servers(self, task_id: TaskId) -> list[str]:
        """Return the media servers on which agents of a task have their phones up, by name."""
        return sorted(server for (task, server), count in self._cells.items() if task == task_id and count)

    def clear_up(self, name: str) -> None:
        """Compare legs with what a media server has: end those it does not know, hear of answers missed."""
        living = self.worker.links[name].living()
        if living is None:
            return
        up = {call.call_id: call for call in living.calls}
        roster = self.floor.roster
        for row in self.phones.all():
            if row.server != name:
                continue
            wanted = is_wanted(roster, row.id)
            match judge(up.get(row.id), wanted=wanted, up=is_up(roster, row.id), overdue=False):
                case Finding.GONE:
                    self.phones.lose(row.id, "the media server lost the call")
                case Finding.UNWANTED:
                    self._on_line(row.id, partial(_hang_up, row.id))
                case Finding.ANSWERED:
                    self._leg_up(row.id, name)

    def _do(self, action: Action) -> None:
        match action:
            case actions.Changed():
                self._changed(action)
            case actions.Notify():
                pass
            case actions.Give(call_id, session_id, room):
                self.worker.tell(call_id, AgentFound(call_id, session_id, room))
            case actions.Miss(call_id):
                self.worker.tell(call_id, AgentMissed(call_id))
            case actions.Complete(attempt_id, _, code):
                self.worker.record(WrapUp(attempt_id, code, self.worker.wall.now()))
            case actions.HangUp(call_id):
                self._hung_up.add(call_id)
                self._on_line(call_id, lambda carrier: carrier.hang_up(call_id))
            case actions.Leave(call_id):
                self._on_line(call_id, lambda carrier: carrier.leave(call_id))
            case actions.SendKeys(call_id, digits):
                self._on_line(call_id, lambda carrier: carrier.send_digits(call_id, digits))
            case actions.Join(call_id, room):
                self._rejoin(call_id, room)
            case _:
                carry_out(self, action)

    def _changed(self, action: actions.Changed) -> None:
        before, after = action.before, action.after
        self._agents[after.id] = after.agent_id
        self._unsaved[after.id] = after
        if not self._saves:
            self._saves = True
            self.agenda.after(WRITE_AFTER, self.save)
        if self.pacers is not None:
            self.pacers.changed(action)
        was, is_ = _cell(before), _cell(after)
        if was != is_:
            if was is not None:
                self._cells[was] -= 1
            if is_ is not None:
                self._cells[is_] += 1
        if before is None or _matters(before) != _matters(after):
            self.deal_soon()
        if after.task_id is not None and (before is None or before.is_free != after.is_free):
            self._work(after.task_id)
        self._on_changed(action)
        self.worker.watcher.changed(action)

    def _on_line(self, call_id: AttemptId, act: Callable[..., None]) -> None:
        """Do something on a call, wherever it is."""
        server = self.phones.server(LegId(call_id))
        if server is None and call_id in self.worker.live:
            server = self.worker.live[call_id][1].server
        if server is not None:
            self.worker.links[server].command(act)

    def _rejoin(self, call_id: AttemptId, room: str) -> None:
        """Join a leg to its own room, or bridge a contact that was on hold once more."""
        session = self.floor.roster.at_leg(LegId(AttemptId(room)))
        if session is None or call_id == room or call_id not in self.worker.live:
            self._on_line(call_id, lambda carrier: carrier.join(call_id, room))
            return
        server = self.worker.live[call_id][1].server
        self.phones.bridge(call_id, server, room, session.id, partial(self._rejoined, call_id))

    def _rejoined(self, call_id: AttemptId, trouble: str) -> None:
        if trouble and not self.worker.is_dead and call_id in self.worker.live:
            self._on_line(call_id, lambda carrier: carrier.hang_up(call_id))

    def _joined(self, call_id: AttemptId, trouble: str) -> None:
        if self.worker.is_dead:
            return
        now = self.agenda.now()
        if trouble:
            self.do(self.floor.join_failed(call_id, now))
            self.worker.tell(call_id, JoinFailed(call_id, trouble))
        else:
            self.worker.watcher.joined(call_id)
            if self.pacers is not None and call_id in self.worker.live:
                self.pacers.joined(self.worker.live[call_id][1])
            self.worker.tell(call_id, RoomJoined(call_id, now))
            self.do(self.floor.joined(call_id, now))

    def _leg_up(self, leg: LegId, server: str) -> None:
        self.do(self.floor.leg_up(leg, server, self.agenda.now()))

    def _leg_ended(self, leg: LegId, detail: str) -> None:
        if not self.worker.is_dead:
            self.do(self.floor.leg_ended(leg, self.agenda.now(), detail))

    def _deal(self) -> None:
        self._deals = False
        if self.worker.is_dead:
            return
        self.save()
        at_work = {each.id for each in self.floor.sessions() if each.state in AT_WORK}
        done = self.memory.write(seats.rebalance, at_work)
        now = self.agenda.now()
        for session_id, why in done.released:
            self.do(self.floor.seat_released(session_id, now, why))
        for session_id, why in done.leaving:
            self.do(self.floor.seat_wanted(session_id, now, why))
        for session_id, task_id in done.given:
            self.do(self.floor.seat_given(session_id, floor_task(self.memory, task_id), now))
        for session_id, why in done.refused.items():
            self.do(self.floor.seat_refused(session_id, now, why))

    def _work(self, task_id: TaskId) -> None:
        if self.on_work is not None:
            self.on_work(task_id)

    def _arm(self) -> None:
        """Let the floor be told when its next deadline comes."""
        at = self.floor.next_at()
        if at is not None and at != self._armed:
            self._armed = at
            self.agenda.at(self.agenda.us_of(at), partial(self._tick, at))

    def _tick(self, at: dt.datetime) -> None:
        if at != self._armed or self.worker.is_dead:
            return
        self._armed = None
        self.do(self.floor.tick(self.agenda.now()))


def _hang_up(call_id: AttemptId, carrier: SimulatedCarrier) -> None:
    carrier.hang_up(call_id)


def _matters(session: Session) -> tuple[object, bool]:
    """Return what dealing looks at: how a session is attached, and if it is not, whether it could be."""
    is_free = session.attachment is Attachment.FREE
    return session.attachment, is_free and session.state is AgentState.READY


def _cell(session: Session | None) -> tuple[TaskId, str] | None:
    """Return where an agent can take calls: its task, and the media server that has its phone."""
    if session is None or session.task_id is None or session.nail_up is not NailUp.UP:
        return None
    return session.task_id, session.server
