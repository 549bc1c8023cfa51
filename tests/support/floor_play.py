"""A floor with a clock and names for everything, so that tests read as conversations: told, then done."""

import datetime as dt
import itertools
from dataclasses import dataclass, field, replace

from outrider.agents import actions
from outrider.agents.commands import Command, Ready
from outrider.agents.floor import Floor
from outrider.agents.model import AgentId, Engagement, LegId, Session, SessionId
from outrider.agents.notifications import Notification
from outrider.agents.roster import FloorTask
from outrider.campaigns.strategy_agents import AgentMode, AgentSettings
from outrider.channels.model import CallPurpose
from outrider.ids import AttemptId, JobId, OrganizationId, PoolId, TaskId

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


def task(number: int, mode: AgentMode = AgentMode.PREDICTIVE, **values: object) -> FloorTask:
    """Return a task of the floor."""
    settings = replace(AgentSettings(mode, default_code="done"), **values)  # type: ignore[arg-type]
    return FloorTask(TaskId(number), JobId(number), number, f"campaign {number}", "call", settings)


@dataclass
class Play:
    """One floor on stage; `done` holds what the last event led to, `told` all notifications by session."""

    now: dt.datetime = START
    done: tuple[actions.Action, ...] = ()
    told: list[tuple[SessionId, Notification]] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = itertools.count(1)
        self.floor = Floor(lambda: LegId(AttemptId(f"leg{next(numbers)}")))

    def take(self, done: tuple[actions.Action, ...]) -> tuple[actions.Action, ...]:
        """Keep what is to be done, without notifications and what is written down."""
        self.told += [
            (each.session_id, each.notification) for each in done if isinstance(each, actions.Notify)
        ]
        self.done = tuple(each for each in done if not isinstance(each, actions.Notify | actions.Changed))
        return self.done

    def log_in(self, number: int, **values: object) -> Session:
        """Let an agent log in, not ready yet."""
        session = Session(
            SessionId(number),
            AgentId(number),
            OrganizationId(1),
            PoolId(1),
            f"agent {number}",
            f"sip:{number}@pbx",
        )
        session = replace(session, since=self.now, **values)  # type: ignore[arg-type]
        self.take(self.floor.admit(session, self.now))
        return session

    def command(self, number: int, command: Command) -> tuple[actions.Action, ...]:
        """Let an agent ask for something."""
        return self.take(self.floor.command(SessionId(number), command, self.now))

    def at_work(self, number: int, of: FloorTask, server: str = "") -> str:
        """Let an agent log in, get ready and a seat, and its phone answer; return its leg."""
        self.log_in(number)
        made = self.command(number, Ready())
        leg = next(each.leg for each in made if isinstance(each, actions.MakeLeg))
        self.take(self.floor.leg_up(leg, server, self.now))
        self.take(self.floor.seat_given(SessionId(number), of, self.now))
        return leg

    def answer(
        self, call: str, of: FloorTask, server: str = "", made_for: int | None = None
    ) -> tuple[actions.Action, ...]:
        """Let a contact answer, and the engine ask for an agent."""
        self.floor.know_task(of)
        return self.take(
            self.floor.offer(
                AttemptId(call),
                of.task_id,
                server,
                {"name": call},
                self.now,
                patience=2.0,
                made_for=None if made_for is None else SessionId(made_for),
            )
        )

    def talk(self, call: str, of: FloorTask) -> None:
        """Let a contact answer and be joined to whoever is free."""
        assert any(isinstance(each, actions.Give) for each in self.answer(call, of))
        self.take(self.floor.joined(AttemptId(call), self.now))

    def end(self, call: str, by: str = "contact", outcome: str = "answered") -> tuple[actions.Action, ...]:
        """Let a contact's call end."""
        return self.take(self.floor.call_ended(AttemptId(call), self.now, outcome=outcome, by=by))

    def wait(self, seconds: float) -> tuple[actions.Action, ...]:
        """Let time pass."""
        self.now += dt.timedelta(seconds=seconds)
        return self.take(self.floor.tick(self.now))

    def card(self, number: int, call: str, of: FloorTask) -> bool:
        """Give a card to an agent."""
        given, done = self.floor.give_card(SessionId(number), engagement(call, of), self.now)
        self.take(done)
        return given

    def session(self, number: int) -> Session:
        """Return a session that is not over."""
        found = self.floor.session(SessionId(number))
        assert found is not None
        return found

    def kinds(self, number: int) -> list[str]:
        """Return the kinds of everything that an agent was told, and forget it."""
        kinds = [note.kind for session_id, note in self.told if session_id == number]
        self.told = [each for each in self.told if each[0] != number]
        return kinds


def engagement(call: str, of: FloorTask) -> Engagement:
    """Return a contact in hand of a task."""
    return Engagement(AttemptId(call), of.task_id, of.settings.mode, {"name": call})


def leg_of(done: tuple[actions.Action, ...], purpose: CallPurpose) -> LegId:
    """Return the leg that is to be made for this purpose."""
    return next(each.leg for each in done if isinstance(each, actions.MakeLeg) and each.purpose is purpose)
