"""Collects what a run shows: a Watcher that counts, times and samples.

`running` gives it to the world, and asks for the RunResult at the end. What happens in the warm-up is not
counted.
"""

from collections import Counter
from dataclasses import dataclass, field

from outrider.agents.actions import STATES_OF_WORK, Changed
from outrider.agents.model import AgentState, Session, SessionId
from outrider.campaigns.outcome import Outcome
from outrider.dialing.attempt import Claim
from outrider.dialing.commands import Finish
from outrider.ids import AttemptId, TaskId
from outrider.simulate.agenda import SECOND
from outrider.simulate.watching import Watcher
from outrider.simulate.world import World

DAY_US = 86_400 * SECOND
LONGEST_WAITS = 200_000
"""Waits that are kept for a quantile."""
SAMPLES = 240
"""Points of a chart."""


@dataclass(slots=True)
class TaskBook:
    """Counts of one task."""

    attempts: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    by_day: dict[int, Counter[str]] = field(default_factory=dict)
    states: Counter[AgentState] = field(default_factory=Counter)
    """Microseconds of agents with a seat of it, by state."""
    busy_by_day: Counter[int] = field(default_factory=Counter)
    seated_by_day: Counter[int] = field(default_factory=Counter)
    bounds: Counter[str] = field(default_factory=Counter)
    bound: str = "paused"
    bound_since: int = 0
    waits: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    lines: int = 0
    most_lines: int = 0


class Figures(Watcher):
    """Everything that a report says. `begin` ties it to its world before the run."""

    def __init__(self, warm_up: float) -> None:
        self.tasks: dict[TaskId, TaskBook] = {}
        self.working: Counter[AgentState] = Counter()
        """Microseconds of agents who were logged in and not resting, by state."""
        self.at: list[float] = []
        self.samples: dict[TaskId, dict[str, list[float]]] = {}
        self.ports: list[int] = []
        self.attempts = 0
        self._warm = round(warm_up * SECOND)
        self._since: dict[SessionId, int] = {}
        self._sought: dict[AttemptId, int] = {}
        self._world: World | None = None

    def begin(self, world: World) -> None:
        """Watch a world; sample it SAMPLES times."""
        self._world = world
        self.tasks = {task_id: TaskBook() for task_id in world.memory.tasks}
        self.samples = {task_id: {} for task_id in world.memory.tasks}
        step = world.scenario.length / SAMPLES
        for number in range(1, SAMPLES + 1):
            world.agenda.after(number * step, self._sample)

    def started(self, claim: Claim) -> None:
        """Count an attempt."""
        book = self.tasks[claim.plan.task_id]
        book.lines += 1
        book.most_lines = max(book.most_lines, book.lines)
        if self._now() >= self._warm:
            self.attempts += 1
            book.attempts += 1
            self._day(book)["attempts"] += 1

    def sought(self, claim: Claim) -> None:
        """Note when somebody began to wait for an agent."""
        self._sought[claim.attempt_id] = self._now()

    def joined(self, call_id: AttemptId) -> None:
        """Note how long somebody waited."""
        since = self._sought.pop(call_id, None)
        world = self._world
        if since is None or world is None or self._now() < self._warm or world.worker is None:
            return
        found = world.worker.live.get(call_id)
        if found is not None:
            waits = self.tasks[found[1].plan.task_id].waits
            if len(waits) < LONGEST_WAITS:
                waits.append((self._now() - since) / SECOND)

    def finished(self, claim: Claim, finish: Finish) -> None:
        """Count a result."""
        book = self.tasks[claim.plan.task_id]
        book.lines = max(0, book.lines - 1)
        self._sought.pop(claim.attempt_id, None)
        if self._now() < self._warm:
            return
        book.outcomes[finish.outcome] += 1
        if claim.plan.action.agents is None:
            return
        day = self._day(book)
        if finish.outcome in (Outcome.ANSWERED, Outcome.ABANDONED):
            day["live"] += 1
            day["abandoned"] += finish.outcome is Outcome.ABANDONED
        day["machines"] += finish.outcome is Outcome.MACHINE

    def changed(self, action: Changed) -> None:
        """Add up the time that an agent was in a state, and how long it waited for a contact."""
        before, after = action.before, action.after
        if before is None:
            self._since[after.id] = self._now()
            return
        if before.state is after.state and before.task_id == after.task_id:
            return
        self._add_up(before)
        begins = before.state is AgentState.READY and after.state is AgentState.TALKING
        if begins and before.task_id is not None and self._now() >= self._warm:
            idle = self.tasks[before.task_id].idle
            if len(idle) < LONGEST_WAITS:
                idle.append((after.since - before.since).total_seconds())

    def bound(self, task_id: TaskId, why: str) -> None:
        """Add up the time in which something kept a task from more calls."""
        book = self.tasks[task_id]
        if book.bound != why:
            self._end_bound(book)
            book.bound = why

    def end(self) -> None:
        """Add up what is still going on."""
        for book in self.tasks.values():
            self._end_bound(book)
        if self._world is not None and self._world.desk is not None:
            for session in self._world.desk.floor.sessions():
                self._add_up(session)

    def _add_up(self, session: Session) -> None:
        """Add the time since the last change to the state that it was spent in, by day."""
        now = self._now()
        since = max(self._warm, self._since.get(session.id, now))
        self._since[session.id] = now
        if now <= since:
            return
        if session.state is not AgentState.NOT_READY:
            self.working[session.state] += now - since
        if session.task_id is None or session.state is AgentState.NOT_READY:
            return
        book = self.tasks[session.task_id]
        book.states[session.state] += now - since
        while since < now:
            day = since // DAY_US
            until = min(now, (day + 1) * DAY_US)
            book.seated_by_day[day] += until - since
            if session.state in STATES_OF_WORK:
                book.busy_by_day[day] += until - since
            since = until

    def _end_bound(self, book: TaskBook) -> None:
        now, since = self._now(), max(self._warm, book.bound_since)
        if now > since:
            book.bounds[book.bound or "dialing"] += now - since
        book.bound_since = now

    def _day(self, book: TaskBook) -> Counter[str]:
        return book.by_day.setdefault(self._now() // DAY_US, Counter())

    def _now(self) -> int:
        return 0 if self._world is None else self._world.agenda.us

    def _sample(self) -> None:
        world = self._world
        if world is None:
            return
        self.at.append(self._now() / SECOND)
        self.ports.append(sum(server.in_use for server in world.memory.servers.values()))
        sessions = () if world.desk is None else world.desk.floor.sessions()
        busy = Counter(each.task_id for each in sessions if each.state in STATES_OF_WORK)
        for task_id, task in world.memory.tasks.items():
            live, abandoned = self._answers(task_id)
            values = {
                "lines": float(self.tasks[task_id].lines),
                "quota": float(task.quota),
                "in_use": float(task.in_use),
                "busy": float(busy[task_id]),
                "live": live,
                "abandoned": abandoned,
            }
            for name, value in values.items():
                self.samples[task_id].setdefault(name, []).append(value)

    def _answers(self, task_id: TaskId) -> tuple[float, float]:
        days = self.tasks[task_id].by_day.values()
        return float(sum(day["live"] for day in days)), float(sum(day["abandoned"] for day in days))
