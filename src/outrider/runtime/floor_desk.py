"""The edge of the floor: what happens is told to it, what it wants done is carried out. It decides nothing.

The worker that has the floor owns one. The driver reaches it as its Hall, the seats' keeper, the dial loops
and the Agent Web API through the methods below (docs/decisions/0010).
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from outrider.agents import actions
from outrider.agents.floor import Floor
from outrider.agents.leg import Leg, LegPurpose
from outrider.agents.leg_check import is_up
from outrider.agents.model import AgentId, AgentState, Engagement, LegId, Session, SessionId
from outrider.campaigns.outcome import Outcome
from outrider.channels.base import VoiceChannel
from outrider.channels.model import CallEvent
from outrider.clock import Clock, SteadyClock, steady_seconds
from outrider.db.database import Database
from outrider.dialing.attempt import Claim, Result
from outrider.dialing.commands import (
    AgentFound,
    AgentMissed,
    FindAgent,
    Finish,
    JoinFailed,
    JoinRoom,
    RoomJoined,
)
from outrider.dialing.wrap_ups import WrapUpDone
from outrider.ids import AttemptId, PoolId, ZoneId, new_attempt_ids
from outrider.runtime.cards import card_of
from outrider.runtime.driver import Driver
from outrider.runtime.feeds import Feeds
from outrider.runtime.floor_legs import FloorLegs, LegNews
from outrider.runtime.hall import Talk
from outrider.runtime.leg_audit import LegAudit
from outrider.runtime.line_book import LineBook
from outrider.runtime.recorder import Recorder
from outrider.runtime.session_writer import SessionWriter

log = structlog.get_logger(__name__)

TALKED = frozenset({Outcome.ANSWERED})


class FloorDesk:
    """One floor at work. Everything runs on one event loop."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        voice: VoiceChannel,
        driver: Driver,
        recorder: Recorder,
        owner: str,
    ) -> None:
        self.database = database
        self.clock = SteadyClock(clock)
        """The floor's time: it goes on steadily, and what waits on it is moved when the clock is set."""
        self.floor = Floor(lambda: LegId(new_attempt_ids(self.clock.now(), 1)[0]))
        self.feeds = Feeds()
        self.lines = LineBook()
        self.writer = SessionWriter(database)
        self.driver = driver
        self.cards: dict[AttemptId, Claim] = {}
        """Contacts whose cards are being looked at: claimed, not called."""
        self.zones: dict[PoolId, ZoneId] = {}
        self.on_change: Callable[[Session | None, Session], None] | None = None
        """Told of every change of a session, for the keeper of seats and the dial loops."""
        self.on_work: Callable[[actions.Action], None] | None = None
        """Told what takes a transaction: cards, seats, the ends of sessions."""
        self._recorder = recorder
        self._legs = FloorLegs(database, clock, voice, owner, LegNews(self._leg_up, self._leg_ended))
        self.audit = LegAudit(self._legs, voice, self.floor.roster)
        self._agents: dict[SessionId, AgentId] = {}
        self._hung_up: set[AttemptId] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._depth = 0
        self._wall = clock
        self._waits_until: dict[AttemptId, float] = {}
        """When those who answered have waited long enough, by `steady_seconds`."""

    # The driver's side (Hall).

    def started(self, claim: Claim) -> None:
        """Note that a call of an agent task is being made."""
        self.lines.start(claim, self.clock.now())

    def ringing(self, claim: Claim) -> None:
        """Note that it rings."""
        self.do(self.floor.call_ringing(claim.attempt_id))

    def seek(self, claim: Claim, command: FindAgent) -> None:
        """Find an agent for a person who answered."""
        now = self.clock.now()
        self.lines.answer(claim, now)
        self._waits_until.setdefault(claim.attempt_id, steady_seconds(self._wall) + command.patience)
        self.do(
            self.floor.offer(
                claim.attempt_id,
                claim.plan.task_id,
                claim.server,
                card_of(claim),
                now,
                patience=command.patience,
                made_for=None if command.session is None else SessionId(command.session),
            )
        )
        self.lines.sought(claim, waits=claim.attempt_id in self.floor.roster.offers)

    def drop(self, call_id: AttemptId) -> None:
        """Find none any more: the end of the call is told next."""

    def join(self, claim: Claim, command: JoinRoom) -> None:
        """Put a contact into its agent's room."""
        session = self.floor.roster.in_call(claim.attempt_id)
        if session is None:
            self._joined(claim.attempt_id, "the agent is gone")
            return
        zone = self.zones[session.pool_id]
        self._legs.bridge(
            claim.attempt_id,
            command.room,
            session.id,
            zone,
            lambda trouble: self._joined(claim.attempt_id, trouble),
            self._patience_left(claim.attempt_id),
        )

    def _patience_left(self, call_id: AttemptId) -> float:
        """Return for how many seconds a contact who answered may still wait for a voice."""
        until = self._waits_until.get(call_id)
        return 0.0 if until is None else max(0.0, until - steady_seconds(self._wall))

    def over(self, claim: Claim, finish: Finish) -> None:
        """Note that an attempt has its result."""
        call_id = claim.attempt_id
        by = "agent" if call_id in self._hung_up else "contact"
        self._hung_up.discard(call_id)
        self._waits_until.pop(call_id, None)
        self.lines.end(claim, finish, self.clock.now())
        talked = finish.joined_at is not None
        self.do(
            self.floor.call_ended(
                call_id,
                self.clock.now(),
                outcome=finish.outcome.value,
                by=by if talked or finish.outcome in TALKED else "fault",
                detail=finish.detail,
            )
        )

    def knows(self, call_id: AttemptId) -> bool:
        """Return whether a call is an agent's phone, or a person who is consulted."""
        return self._legs.knows(call_id)

    def hear(self, event: CallEvent) -> None:
        """Take an event of such a call."""
        self._legs.hear(event)

    def talks_with(self, attempt_id: AttemptId) -> Talk | None:
        """Return who has an attempt of a former life in hand."""
        session = self.floor.roster.in_call(attempt_id)
        if session is None or session.engagement is None:
            return None
        return Talk(session.id, session.agent_id, session.engagement.answered_at)

    def taken_over(self, claim: Claim, room: str) -> Talk | None:
        """Give a living call of a former life back to its agent, and return who has it."""
        call_id, now = claim.attempt_id, self.clock.now()
        if room:
            self._find_third(call_id, LegId(AttemptId(room)))
        talk = self.talks_with(call_id)
        settings = claim.plan.action.agents
        if talk is not None or settings is None or claim.plan.task_id not in self.floor.roster.tasks:
            return talk
        card = card_of(claim)
        if room:
            leg = LegId(AttemptId(room))
            session, todo = self.floor.found_in_room(call_id, claim.plan.task_id, leg, card, now)
            self.do(todo)
            return None if session is None else Talk(session.id, session.agent_id, now)
        waits = None if claim.session_id is None else self.floor.session(SessionId(claim.session_id))
        if waits is None or waits.state is not AgentState.READY:
            return None
        engagement = Engagement(call_id, claim.plan.task_id, settings.mode, card)
        self.do(self.floor.dialing(waits.id, engagement, now))
        return Talk(waits.id, waits.agent_id, None)

    def _find_third(self, call_id: AttemptId, leg: LegId) -> None:
        """Leave a contact who was handed over with that person; end the call if that person has gone."""
        purpose = next((each.purpose for each in self._legs.made() if each.id == leg), None)
        session = self.floor.roster.in_call(call_id)
        if purpose is LegPurpose.CONSULT:
            self.do(self.floor.found_with_third(call_id, leg, self.clock.now()))
        elif purpose is None and session is not None and session.state is AgentState.WRAP_UP:
            # Its agent is done with it, and nobody else is there.
            self._legs.hang_up(call_id)

    def is_empty(self, room: str) -> bool:
        """Return whether nobody talks there: no leg of ours, or that of an agent with another contact.

        A person who was consulted, and to whom the contact was handed over, does.
        """
        leg = LegId(AttemptId(room))
        session = self.floor.roster.at_leg(leg)
        return not self.knows(leg) or (session is not None and session.leg == leg)

    def agent_of(self, session_id: int) -> int | None:
        """Return the agent whose session it is, or was."""
        return self._agents.get(SessionId(session_id))

    # Everybody's side.

    def do(self, wanted: Sequence[actions.Action]) -> None:
        """Carry out what the floor wants done, in order; more may come of it."""
        self._depth += 1
        try:
            for action in wanted:
                self._do(action)
        finally:
            self._depth -= 1
        if not self._depth:
            # Not in the midst of something: sessions must not be written as they were before.
            self._follow_clock()
        self._arm()

    def _follow_clock(self) -> None:
        by = self.clock.follow()
        if by:
            log.warning("clock_was_set", seconds=by.total_seconds())
            self.do(self.floor.shift(by, self.clock.now()))

    def adopt_leg(self, leg: Leg, *, in_doubt: bool = False) -> None:
        """Take over a leg of a former life that is up, or `in_doubt`: its media server is silent."""
        self._legs.adopt(leg, in_doubt=in_doubt)

    def end_leg(self, leg: Leg) -> None:
        """End a leg of a former life that was not answered yet: its port goes back when it is over."""
        self._legs.adopt(leg)
        self._legs.hang_up(leg.id)

    def lose_leg(self, leg: LegId, detail: str) -> None:
        """Give back a leg of a former life that is gone."""
        self._legs.lose(leg, detail)

    async def recorded(self) -> None:
        """Wait until all results so far are written."""
        await self._recorder.flushed()

    def call_off(self, claim: Claim, why: str) -> None:
        """Close an attempt that was claimed, and that nobody wants to be made any more."""
        now = self.clock.now()
        self._recorder.add(Result(claim, Outcome.SKIPPED, now, None, why, untried=True))

    def server_id(self, session: Session) -> int | None:
        """Return the media server that has a session's phone; None on the simulated carrier."""
        return self._legs.server_id(session.leg)

    async def close(self) -> None:
        """End timers and what still runs; calls live on."""
        if self._alarm is not None:
            self._alarm.cancel()
        await self._legs.close()

    def _do(self, action: actions.Action) -> None:
        match action:
            case actions.Give(call_id, session_id, room):
                self.driver.tell(call_id, AgentFound(call_id, session_id, room))
            case actions.Miss(call_id):
                self.driver.tell(call_id, AgentMissed(call_id))
            case actions.Notify(session_id, notification):
                self.feeds.tell(session_id, notification, self.clock.now())
            case actions.Changed(before, after):
                self._agents[after.id] = after.agent_id
                self.writer.add(action)
                self.lines.session_changed(before, after, self.clock.now())
                if self.on_change is not None:
                    self.on_change(before, after)
            case actions.Complete():
                self._complete(action)
            case _:
                self._act_on_calls(action)

    def _act_on_calls(self, action: actions.Action) -> None:
        match action:
            case actions.MakeLeg():
                self._make_leg(action)
            case actions.Join(call_id, room):
                self._rejoin(call_id, room)
            case actions.Leave(call_id):
                self._legs.leave(call_id)
            case actions.HangUp(call_id):
                self._hung_up.add(call_id)
                self._legs.hang_up(call_id)
            case actions.SendKeys(call_id, digits):
                self._legs.send_digits(call_id, digits)
            case _:
                if self.on_work is not None:
                    self.on_work(action)

    def _make_leg(self, action: actions.MakeLeg) -> None:
        session = self.floor.session(action.session_id)
        if session is None:
            return
        own = session.leg == action.leg
        only = None if own else self._legs.server_id(session.leg)
        self._legs.make(action, self.zones[session.pool_id], only)

    def _rejoin(self, call_id: AttemptId, room: str) -> None:
        """Join a leg to its own room, or bridge a contact that was on hold once more."""
        session = self.floor.roster.at_leg(LegId(AttemptId(room)))
        if session is None or call_id == room:
            self._legs.join(call_id, room)
            return
        zone = self.zones[session.pool_id]
        self._legs.bridge(call_id, room, session.id, zone, lambda trouble: self._rejoined(call_id, trouble))

    def _rejoined(self, call_id: AttemptId, trouble: str) -> None:
        if trouble and self.driver.is_live(call_id):
            log.warning("contact_not_joined_again", call_id=call_id, reason=trouble)
            self._legs.hang_up(call_id)

    def _joined(self, call_id: AttemptId, trouble: str) -> None:
        now = self.clock.now()
        if trouble:
            self.do(self.floor.join_failed(call_id, now))
            self.driver.tell(call_id, JoinFailed(call_id, trouble))
        else:
            self.driver.tell(call_id, RoomJoined(call_id, now))
            self.do(self.floor.joined(call_id, now))

    def _leg_up(self, leg: LegId, server: str) -> None:
        if is_up(self.floor.roster, leg):
            # The audit was quicker than the news.
            return
        self.do(self.floor.leg_up(leg, server, self.clock.now()))

    def _leg_ended(self, leg: LegId, detail: str) -> None:
        self.do(self.floor.leg_ended(leg, self.clock.now(), detail))

    def _complete(self, action: actions.Complete) -> None:
        self._recorder.add_wrap_up(
            WrapUpDone(
                attempt_id=action.attempt_id,
                code=action.code,
                note=action.note,
                agent_id=self._agents.get(action.session_id),
                at=self.clock.now(),
                callback=action.callback,
            )
        )

    def _arm(self) -> None:
        """Let the floor be told when its next deadline comes."""
        at = self.floor.next_at()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if at is None:
            return
        seconds = max(0.0, (at - self.clock.now()).total_seconds() / self.clock.speed)
        self._alarm = asyncio.get_running_loop().call_later(seconds, self._tick)

    def _tick(self) -> None:
        self._alarm = None
        self.do(self.floor.tick(self.clock.now()))
