"""The agents of a scenario: they come, work, rest and go, and do with every contact what agents do.

`world` makes them. They are outside of the worker: when it dies they stay, and find their sessions again.
"""

import datetime as dt
import math
import random
import zoneinfo
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from outrider.agents.actions import Changed
from outrider.agents.commands import AcceptPreview, Command, Dial, LogOut, NotReady, Ready, WrapUp
from outrider.agents.model import AgentId, AgentState, Attachment, NailUp, Session, SessionId
from outrider.campaigns.strategy import AgentMode
from outrider.errors import OutriderError
from outrider.ids import OrganizationId, PoolId
from outrider.simulate.agenda import Agenda
from outrider.simulate.desk import Desk
from outrider.simulate.memory import Memory
from outrider.simulate.rows import SessionRow
from outrider.simulate.scenario import DAY, Duration, Scenario, Shape, Team

BY_HAND_AFTER = 3.0
"""Seconds that an agent of a manual task takes to dial."""


@dataclass(slots=True)
class Person:
    """One agent: what it would do now (`works`, `rests`), whether it is there today, and its session."""

    number: int
    team: Team
    drawn: random.Random
    here: bool = True
    works: bool = False
    rests: bool = False
    is_dark: bool = False
    """Whether its desktop is gone for a while."""
    session_id: SessionId | None = None


class Staff:
    """All agents. `desk` is the floor's edge of the worker that lives, None while none does."""

    def __init__(
        self, scenario: Scenario, memory: Memory, agenda: Agenda, campaign_of: dict[str, int]
    ) -> None:
        self.desk: Desk | None = None
        self._memory = memory
        self._agenda = agenda
        self._campaign_of = campaign_of
        self._zone = zoneinfo.ZoneInfo(scenario.time_zone)
        self._sessions = 0
        self._by_session: dict[SessionId, Person] = {}
        self.people: list[Person] = []
        for team in scenario.teams:
            for index in range(team.count):
                number = len(self.people) + 1
                drawn = random.Random(f"{scenario.seed}|agent|{number}")  # noqa: S311 - not for secrets
                person = Person(number, team, drawn)
                self.people.append(person)
                self._plan(person, index * team.stagger, scenario.length)

    def set_present(self, team: str, present: int | None) -> None:
        """Let the first so many agents of a team be there from now on, and the others go."""
        members = [person for person in self.people if person.team.name == team]
        for index, person in enumerate(members):
            person.here = present is None or index < present
            self._follow(person)

    def vanish(self, person: Person, seconds: float) -> None:
        """Let an agent's desktop be gone for a while: it does nothing, and then goes on."""
        person.is_dark = True
        self._agenda.after(seconds, partial(self._come_back, person))
        if self.desk is not None and person.session_id is not None:
            self.desk.connected(person.session_id, connected=False)

    def _come_back(self, person: Person) -> None:
        person.is_dark = False
        if self.desk is None or person.session_id is None:
            return
        self.desk.connected(person.session_id, connected=True)
        session = self.desk.floor.session(person.session_id)
        if session is not None:
            self._act(person, session)
        self._follow(person)

    def resume(self, desk: Desk) -> None:
        """Go on with another worker."""
        self.desk = desk
        for person in self.people:
            if person.session_id is not None and desk.floor.session(person.session_id) is None:
                person.session_id = None
            if person.session_id is not None:
                session = desk.floor.session(person.session_id)
                if session is not None:
                    self._act(person, session)
            self._follow(person)

    def changed(self, action: Changed) -> None:
        """See what an agent's desktop shows, and do what is to be done."""
        person = self._by_session.get(action.after.id)
        if person is None:
            return
        before, after = action.before, action.after
        if after.state is AgentState.LOGGED_OUT:
            person.session_id = None
            self._by_session.pop(after.id, None)
            self._agenda.at(self._agenda.us, partial(self._follow, person))
        elif before is None or before.state is not after.state or before.is_free is not after.is_free:
            self._act(person, after)

    def _act(self, person: Person, session: Session) -> None:
        """Begin what the state asks of an agent; it takes its time."""
        team = person.team
        match session.state:
            case AgentState.WRAP_UP:
                code = self._code(session)
                self._after(person, team.wrap_up, session, lambda: WrapUp(code))
            case AgentState.PREVIEW:
                self._after(person, team.preview, session, AcceptPreview)
            case AgentState.READY if session.is_free and self._is_manual(session):
                wait = Duration(BY_HAND_AFTER, Shape.FIXED)
                self._after(person, wait, session, lambda: Dial("next"))
            case _:
                pass

    def _after(
        self, person: Person, time: Duration, session: Session, command: Callable[[], Command]
    ) -> None:
        do = partial(self._if_still, person, session.id, session.state, session.since, command)
        self._agenda.after(draw(time, person.drawn), do)

    def _if_still(
        self,
        person: Person,
        session_id: SessionId,
        state: AgentState,
        since: dt.datetime,
        command: Callable[[], Command],
    ) -> None:
        session = None if self.desk is None else self.desk.floor.session(session_id)
        if person.is_dark:
            return
        if session is not None and session.state is state and session.since == since:
            self._say(session_id, command())
            if state is AgentState.READY:
                # Nobody could be called: tried again a little later.
                again = self.desk.floor.session(session_id) if self.desk is not None else None
                if again is not None and again.is_free and again.since == since:
                    self._act(person, again)

    def _follow(self, person: Person) -> None:
        """Come, rest, go on or go, as the plan of the day says."""
        if self.desk is None or self.desk.worker.is_dead or person.is_dark:
            return
        wanted = person.here and person.works
        if person.session_id is None:
            if wanted:
                self._log_in(person)
            return
        if not wanted:
            self._say(person.session_id, LogOut("the shift is over"))
        elif person.rests:
            self._say(person.session_id, NotReady("break"))
        else:
            session = self.desk.floor.session(person.session_id)
            resting = session is not None and (session.state is AgentState.NOT_READY or session.then)
            if resting or (session is not None and session.nail_up is NailUp.NONE):
                self._say(person.session_id, Ready())

    def _log_in(self, person: Person) -> None:
        if self.desk is None:
            return
        self._sessions += 1
        session_id = SessionId(self._sessions)
        session = Session(
            session_id,
            AgentId(person.number),
            OrganizationId(1),
            PoolId(1),
            f"{person.team.name} {person.number}",
            f"sip:agent{person.number}@simulated",
            person.team.skills,
            since=self._agenda.now(),
            connected=True,
        )
        campaigns = tuple(self._campaign_of[name] for name in person.team.campaigns)
        self._memory.write(open_session, SessionRow(session, campaigns=campaigns))
        person.session_id = session_id
        self._by_session[session_id] = person
        self.desk.admit(session)
        self._follow(person)

    def _say(self, session_id: SessionId, command: Command) -> None:
        """Ask the floor; what it refuses is not possible any more."""
        if self.desk is not None and not self.desk.worker.is_dead:
            with suppress(OutriderError):
                self.desk.command(session_id, command)

    def _plan(self, person: Person, later: float, length: float) -> None:
        """Note when an agent comes, rests and goes, on every day of the scenario."""
        team = person.team
        if team.shift is None:
            self._agenda.after(later, partial(self._turn, person, works=True, rests=False))
        first = self._agenda.start.astimezone(self._zone).date()
        for number in range(-1, int(length // DAY) + 2):
            day = first + dt.timedelta(days=number)
            if team.shift is not None and day.weekday() in team.days:
                begin, end = (self._at(day, minute) + later for minute in team.shift)
                if end > 0:
                    self._agenda.after(max(0.0, begin), partial(self._turn, person, works=True, rests=False))
                    self._agenda.after(end, partial(self._turn, person, works=False, rests=False))
            for rest in team.breaks:
                begin = self._at(day, rest.begin) + later
                if begin >= 0:
                    self._agenda.after(begin, partial(self._turn, person, rests=True))
                    self._agenda.after(begin + rest.length, partial(self._turn, person, rests=False))

    def _turn(self, person: Person, *, works: bool | None = None, rests: bool | None = None) -> None:
        person.works = person.works if works is None else works
        person.rests = person.rests if rests is None else rests
        self._follow(person)

    def _at(self, day: dt.date, minute: int) -> float:
        """Return a minute of a local day in seconds since the start."""
        midnight = dt.datetime.combine(day, dt.time(), tzinfo=self._zone) + dt.timedelta(minutes=minute)
        return (midnight - self._agenda.start).total_seconds()

    def _code(self, session: Session) -> str:
        """Return the completion code that an agent gives: the default, or the first that there is."""
        task = None if session.task_id is None else self._memory.tasks.get(session.task_id)
        settings = None if task is None else task.plan.action.agents
        if settings is None:
            return "done"
        return settings.default_code or next(iter(settings.completion_codes), "done")

    def _is_manual(self, session: Session) -> bool:
        task = None if session.task_id is None else self._memory.tasks.get(session.task_id)
        settings = None if task is None else task.plan.action.agents
        return (
            settings is not None
            and settings.mode is AgentMode.MANUAL
            and session.attachment is Attachment.ATTACHED
        )


def open_session(memory: Memory, row: SessionRow) -> None:
    """Log an agent in."""
    memory.sessions[row.session.id] = row


def draw(time: Duration, drawn: random.Random) -> float:
    """Return seconds drawn around a mean."""
    if time.mean <= 0 or time.shape is Shape.FIXED:
        return max(0.0, time.mean)
    if time.shape is Shape.EXPONENTIAL:
        return drawn.expovariate(1.0 / time.mean)
    variance = math.log(1.0 + time.cv**2)
    return drawn.lognormvariate(math.log(time.mean) - variance / 2, math.sqrt(variance))
