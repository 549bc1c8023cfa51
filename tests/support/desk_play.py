"""A floor behind the Agent Web API without a carrier: phones answer at once, contacts when a test says so.

The real `Floor` and `Feeds`, and sessions in the database; only calls are make-believe. Everything runs on
the event loop of the server.
"""

import asyncio
import datetime as dt
import itertools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from sqlalchemy import insert

from outrider.agents import actions, sessions, store
from outrider.agents.commands import Command
from outrider.agents.desk import AgentDesk
from outrider.agents.floor import Floor
from outrider.agents.model import AgentId, Engagement, LegId, Session, SessionId
from outrider.agents.notifications import SeatTaken
from outrider.agents.roster import FloorTask
from outrider.agents.session_document import write_session
from outrider.clock import Clock
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.dialing.predictive.model import Decision
from outrider.errors import NotFoundError
from outrider.ids import AttemptId, TaskId
from outrider.licences.service import SharingRules
from outrider.runtime.feeds import Feed, Feeds
from support.floor_play import task

RULES = SharingRules()
CARD: Mapping[str, object] = {
    "contact_id": 0,
    "external_id": "C-1",
    "address": "+442079460001",
    "email": "",
    "time_zone": "Europe/London",
    "attempt_number": 1,
    "attributes": {"first_name": "Ada"},
    "script": "Good morning, Ada.",
    "completion_codes": [],
    "may_callback": ["agent", "strict_agent", "campaign"],
    "callback": None,
}


@dataclass
class PlayDesk:
    """One floor; `carried_out` holds what it wanted done beside notifications, in order."""

    database: Database
    clock: Clock
    available: bool = True
    address: str = ""
    of: FloorTask = field(default_factory=lambda: task(1))
    """The job of which everybody who is ready gets a seat; `with_seats` False: nobody does."""
    with_seats: bool = True
    carried_out: list[actions.Action] = field(default_factory=list)
    commands: list[tuple[SessionId, Command]] = field(default_factory=list)
    listening: dict[SessionId, bool] = field(default_factory=dict)
    writes: bool = False
    """Whether sessions are written as they change, for those who read rows."""
    decided: dict[TaskId, list[tuple[str, Decision]]] = field(default_factory=dict)
    on_ready: Callable[[Session], None] = field(default=lambda _: None)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self.floor = Floor(lambda: LegId(AttemptId(f"leg{next(self._numbers)}")))
        self.feeds = Feeds()
        self._alarm: asyncio.TimerHandle | None = None
        self.know(self.of)

    # What the Agent Web API asks.

    async def log_in(
        self, agent_id: AgentId, *, api: bool, now: dt.datetime, address: str | None = None
    ) -> SessionId:
        def open_it(tx: Tx) -> Session:
            agent = store.agents(tx, None, agent_id=agent_id)[0]
            return sessions.open_session(tx, agent, now, api=api, address=address).session

        session = await self.database.write(open_it)
        self.do(self.floor.admit(session, now))
        return session.id

    async def command(self, session_id: SessionId, command: Command) -> None:
        self.do(self.floor.command(session_id, command, self.clock.now()))
        self.commands.append((session_id, command))

    def session(self, session_id: SessionId) -> Session | None:
        return self.floor.session(session_id)

    def session_of(self, agent_id: AgentId) -> Session | None:
        return next((each for each in self.floor.sessions() if each.agent_id == agent_id), None)

    def sessions(self, organization_id: int | None) -> Sequence[Session]:
        every = self.floor.sessions()
        return [each for each in every if organization_id in (None, each.organization_id)]

    def subscribe(self, session_id: SessionId) -> AbstractContextManager[Feed]:
        return self.feeds.subscribe(session_id)

    def last_id(self, session_id: SessionId) -> int:
        """Return the number of the last notification of a session."""
        return self.feeds.last_id(session_id)

    def snapshot(self, session_id: SessionId) -> Mapping[str, object]:
        found = self.floor.session(session_id)
        if found is None:
            raise NotFoundError("the session is over: log in again")
        return write_session(found, self.floor.roster.tasks)

    def connected(self, session_id: SessionId, connected: bool) -> None:  # noqa: FBT001 - as the protocol
        self.listening[session_id] = connected
        self.do(self.floor.connected(session_id, self.clock.now(), connected=connected))

    def decisions(self, task_id: TaskId) -> Sequence[tuple[str, Decision]]:
        return self.decided.get(task_id, ())

    # What a test lets happen.

    def know(self, of: FloorTask) -> None:
        """Let a job be known."""
        self.floor.know_task(of)

    def answer(self, call: str, card: Mapping[str, object] = CARD, patience: float = 2.0) -> None:
        """Let a contact answer that the job called."""
        now = self.clock.now()
        card = {**CARD, **card}
        self.do(self.floor.offer(AttemptId(call), self.of.task_id, "", card, now, patience=patience))

    def card(self, session_id: int, call: str, card: Mapping[str, object] = CARD) -> None:
        """Let an agent see a card."""
        engagement = Engagement(AttemptId(call), self.of.task_id, self.of.settings.mode, {**CARD, **card})
        given, done = self.floor.give_card(SessionId(session_id), engagement, self.clock.now())
        assert given
        self.do(done)

    def end(self, call: str, by: str = "contact", outcome: str = "answered") -> None:
        """Let a contact's call end."""
        self.do(self.floor.call_ended(AttemptId(call), self.clock.now(), outcome=outcome, by=by))

    def tick(self) -> None:
        """Let happen what is due."""
        self.do(self.floor.tick(self.clock.now()))

    def do(self, wanted: Sequence[actions.Action]) -> None:
        """Carry out what the floor wants done."""
        for action in wanted:
            self._do(action)
        self._arm()

    def _do(self, action: actions.Action) -> None:
        now = self.clock.now()
        if not isinstance(action, actions.Notify | actions.Changed):
            self.carried_out.append(action)
        match action:
            case actions.Notify(session_id, notification):
                self.feeds.tell(session_id, notification, now)
            case actions.Changed(_, after):
                if self.writes:
                    self._later(self.database.write(sessions.save_sessions, [after], []))
                self._seat(after)
            case actions.MakeLeg(leg):
                self._soon(lambda: self.floor.leg_up(leg, "", self.clock.now()))
            case actions.Give(call_id):
                self._soon(lambda: self.floor.joined(call_id, self.clock.now()))
            case _:
                self._do_more(action)

    def _do_more(self, action: actions.Action) -> None:
        now = self.clock.now()
        match action:
            case actions.DialCard(call_id, session_id):
                self._call(call_id, session_id)
            case actions.ClaimNumber():
                self._claim(action)
            case actions.HangUp(call_id):
                self._hang_up(call_id)
            case actions.ReleaseSeat(session_id, why):
                self._soon(lambda: self.floor.seat_released(session_id, self.clock.now(), why))
            case actions.MoveSeat(session_id, task_id):
                self._move(session_id, task_id)
            case actions.EndSession(session_id, reason):
                self.feeds.end(session_id)
                self._later(self.database.write(sessions.close_session, RULES, session_id, now, reason))

    def _seat(self, session: Session) -> None:
        if self.with_seats and session.state.value == "ready" and session.attachment.value == "free":
            self._soon(lambda: self.floor.seat_given(session.id, self.of, self.clock.now()))
        elif session.is_free:
            asyncio.get_running_loop().call_soon(self.on_ready, session)

    def _move(self, session_id: SessionId, task_id: TaskId) -> None:
        to = self.floor.roster.tasks.get(task_id)
        now = self.clock.now()
        if to is None:
            reason = "that job does not run"
            self._soon(lambda: self.floor.move_refused(session_id, now, reason))
        else:
            self._soon(lambda: self.floor.seat_given(session_id, to, now))

    def _call(self, call_id: AttemptId, session_id: SessionId) -> None:
        session = self.floor.session(session_id)
        assert session is not None
        assert session.engagement is not None
        card = session.engagement.card
        of = session.engagement.task_id

        def answered() -> tuple[actions.Action, ...]:
            now = self.clock.now()
            ringing = self.floor.call_ringing(call_id)
            return ringing + self.floor.offer(call_id, of, "", card, now, patience=2.0, made_for=session_id)

        self._soon(answered)

    def _claim(self, action: actions.ClaimNumber) -> None:
        call_id = AttemptId(f"call{next(self._numbers)}")
        card = {**CARD, "address": action.address or CARD["address"]}
        mode = self.floor.roster.tasks[action.task_id].settings.mode
        engagement = Engagement(call_id, action.task_id, mode, card)
        now = self.clock.now()

        def claimed() -> None:
            self.do(self.floor.dialing(action.session_id, engagement, now))
            self._call(call_id, action.session_id)

        asyncio.get_running_loop().call_soon(claimed)

    def _hang_up(self, call_id: AttemptId) -> None:
        now = self.clock.now()
        if self.floor.roster.in_call(call_id) is not None:
            self._soon(lambda: self.floor.call_ended(call_id, now, outcome="answered", by="agent"))
        else:
            self._soon(lambda: self.floor.leg_ended(LegId(call_id), now, "hung up"))

    def _soon(self, event: Callable[[], tuple[actions.Action, ...]]) -> None:
        asyncio.get_running_loop().call_soon(lambda: self.do(event()))

    def _later(self, work: Coroutine[object, object, object]) -> None:
        self._running = asyncio.ensure_future(work)

    def _arm(self) -> None:
        at = self.floor.next_at()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if at is not None:
            seconds = max(0.0, (at - self.clock.now()).total_seconds())
            self._alarm = asyncio.get_running_loop().call_later(seconds, self.tick)


def part(desk: PlayDesk) -> AgentDesk:
    """Return the part that endpoints find the floor by."""
    return AgentDesk(desk)


def add_agent(tx: Tx, name: str, organization_id: int, user_id: int | None, now: dt.datetime) -> AgentId:
    """Insert an agent of an organization in its first zone, bound to a user."""
    P = schema.pools.c  # noqa: N806 - a table's columns
    pools = schema.pools.select().where(P.organization_id == organization_id).order_by(P.id)
    zone_id = tx.execute(pools).mappings().first()["zone_id"]  # type: ignore[index]
    values = {
        "organization_id": organization_id,
        "zone_id": zone_id,
        "user_id": user_id,
        "name": name,
        "display_name": name.title(),
        "address": f"sip:{name}@pbx.example.org",
        "preferred_campaigns": [],
        "created_at": now,
    }
    made = insert(schema.agents).values(**values).returning(schema.agents.c.id)
    return AgentId(tx.execute(made).scalar_one())


def taken(of: FloorTask) -> SeatTaken:
    """Return what an agent is told who has got a seat of a job."""
    return SeatTaken(
        task_id=of.task_id,
        job_id=of.job_id,
        campaign=of.campaign,
        action=of.action,
        mode=of.settings.mode.value,
        licence=of.settings.mode.licence.value,
    )
