"""The dial loops of a simulated worker: who is to be called now, claimed and started.

Everything that may change the answer marks a task; when all that is due at one time is done, the marked
tasks are looked at once. Paced tasks of agents ask their pacer, others take what their licences allow.
"""

from functools import partial

from outrider.agents.model import SessionId
from outrider.campaigns.strategy import AgentMode
from outrider.ids import TaskId
from outrider.simulate import claiming, sharing
from outrider.simulate.agenda import SECOND
from outrider.simulate.claiming import Ask
from outrider.simulate.desk import Desk
from outrider.simulate.pacers import Pacers
from outrider.simulate.rows import TaskRow

AT_ONCE = 50
"""Attempts without agents that one claim takes at most, as the worker's dial loops do."""


class Dialer:
    """The loops of one worker. `every` is the least time between two decisions of one task (seconds)."""

    def __init__(self, desk: Desk, pacers: Pacers, every: float) -> None:
        self._desk = desk
        self._worker = desk.worker
        self._memory = desk.memory
        self._agenda = desk.agenda
        self._pacers = pacers
        self._every = round(every * SECOND)
        self._marked: dict[TaskId, None] = {}
        self._last: dict[TaskId, int] = {}
        self._again: dict[TaskId, int] = {}

    def mark(self, task_id: TaskId) -> None:
        """Let a task be looked at before time goes on."""
        self._marked[task_id] = None

    def mark_all(self) -> None:
        """Let all tasks be looked at."""
        self._marked.update(dict.fromkeys(self._memory.tasks))

    def run(self) -> None:
        """Look at the marked tasks."""
        while self._marked and not self._worker.is_dead:
            marked, self._marked = tuple(self._marked), {}
            for task_id in marked:
                self._look(task_id)

    def _look(self, task_id: TaskId) -> None:
        task, now = self._memory.tasks[task_id], self._agenda.us
        if not task.is_for_agents:
            self._call_without_agents(task)
            return
        due = self._last.get(task_id, -self._every) + self._every
        if now < due:
            self._later(task_id, due)
            return
        self._last[task_id] = now
        settings = task.plan.action.agents
        match None if settings is None else settings.mode:
            case AgentMode.PREVIEW:
                self._give_cards(task)
            case AgentMode.PROGRESSIVE | AgentMode.PREDICTIVE:
                self._dial_ahead(task)
            case _:
                self._worker.watcher.bound(task_id, "agents")

    def _call_without_agents(self, task: TaskRow) -> None:
        memory, worker = self._memory, self._worker
        due = claiming.next_due(task)
        if due is not None and due <= self._agenda.us:
            memory.write(sharing.ask_for_return, task)
        while True:
            ask = Ask(AT_ONCE, worker.owner, worker.wall.now(), away=worker.away)
            taken = memory.write(claiming.take, task, ask)
            for claim in taken.claims:
                worker.start(claim)
            if taken.bound or not taken.claims:
                break
        worker.watcher.bound(task.plan.task_id, taken.bound)
        if taken.again_at is not None:
            self._later(task.plan.task_id, taken.again_at)

    def _dial_ahead(self, task: TaskRow) -> None:
        """Ask the pacer of every media server on which the task has agents."""
        task_id, worker, floor = task.plan.task_id, self._worker, self._desk.floor
        servers = [name for name in self._desk.servers(task_id) if name not in worker.away]
        if not servers:
            admitted = task.in_use > 0 or task.bound not in ("paused", "licences")
            worker.watcher.bound(task_id, self._without_agents(task) if admitted else task.bound)
            return
        for server in servers:
            wish = self._pacers.wish(task, server, floor)
            bound = wish.bound
            if wish.lines > 0:
                ask = Ask(wish.lines, worker.owner, worker.wall.now(), server, worker.away)
                taken = self._memory.write(claiming.take, task, ask)
                for claim in taken.claims:
                    worker.start(claim)
                bound = taken.bound or bound
                if taken.again_at is not None:
                    self._later(task_id, taken.again_at)
            worker.watcher.bound(task_id, bound)

    def _without_agents(self, task: TaskRow) -> str:
        return "seats" if task.asking == 0 and self._memory.sessions else "agents"

    def _give_cards(self, task: TaskRow) -> None:
        """Show contacts to the agents who are free to look at one."""
        task_id, worker = task.plan.task_id, self._worker
        bound = "agents"
        for session_id in self._desk.floor.wants_cards(task_id):
            session = self._desk.floor.session(session_id)
            if session is None or session.server in worker.away:
                continue
            bound = self._give_card(task, session_id, session.server)
            if bound:
                break
        worker.watcher.bound(task_id, bound)

    def _give_card(self, task: TaskRow, session_id: SessionId, server: str) -> str:
        """Claim a contact and show it; return what kept it from that, "" when nothing did."""
        worker = self._worker
        ask = Ask(
            1, worker.owner, worker.wall.now(), server, worker.away, session_id=session_id, preview=True
        )
        taken = self._memory.write(claiming.take, task, ask)
        if taken.again_at is not None:
            self._later(task.plan.task_id, taken.again_at)
        for claim in taken.claims:
            if not self._desk.give_card(session_id, claim):
                worker.give_back(claim, "the agent was not free any more", skipped=False)
        return "" if taken.claims else taken.bound

    def _later(self, task_id: TaskId, at: int) -> None:
        """Look at a task again at a time (us), if nothing marks it before."""
        noted = self._again.get(task_id)
        if noted is not None and self._agenda.us < noted <= at:
            return
        self._again[task_id] = max(at, self._agenda.us + 1)
        self._agenda.at(self._again[task_id], partial(self._wake, task_id, self._again[task_id]))

    def _wake(self, task_id: TaskId, at: int) -> None:
        if self._again.get(task_id) == at:
            del self._again[task_id]
            self.mark(task_id)
