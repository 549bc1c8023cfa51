"""The simulator's database: rows in memory, changed in transactions that a crash leaves whole.

A transaction is one function that `write` runs: it happens altogether or not at all. Fault simulations put a
gate before and after each, where the process can die.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from outrider.agents.model import LegId, SessionId
from outrider.campaigns.outcome import Outcome
from outrider.ids import AttemptId, JobId, TaskId
from outrider.licences.model import LicenceKind, Policy
from outrider.licences.recalculate import Recalculated
from outrider.simulate.agenda import Agenda
from outrider.simulate.rows import AttemptRow, JobRow, LegRow, ServerRow, SessionRow, TargetRow, TaskRow

P = ParamSpec("P")
R = TypeVar("R")

Gate = Callable[[str, bool], None]
"""Called with the name of a transaction, before (False) and after (True) it; may raise."""


class Memory:
    """All rows of one system with one pool. `agenda` gives the times that are written down."""

    def __init__(self, agenda: Agenda, counts: dict[LicenceKind, int], policy: Policy) -> None:
        self.agenda = agenda
        self.counts = counts
        self.policy = policy
        self.idle_after = 60.0
        self.minimum_hold = 0.0
        self.time_zone = "UTC"
        self.skew = 0.0
        """Seconds by which the clock on the wall is wrong."""
        self.tasks: dict[TaskId, TaskRow] = {}
        self.jobs: dict[JobId, JobRow] = {}
        self.attempts: dict[AttemptId, AttemptRow] = {}
        self.awaiting: dict[AttemptId, TargetRow] = {}
        """Contacts that await a completion code, by the attempt."""
        self.sessions: dict[SessionId, SessionRow] = {}
        self.legs: dict[LegId, LegRow] = {}
        self.servers: dict[str, ServerRow] = {}
        self.abandonment: dict[int, dict[dt.date, tuple[int, int, int]]] = {}
        """Live answers, abandoned of them, and machines, by campaign and day."""
        self.outcomes: dict[TaskId, Counter[Outcome]] = {}
        self.recalculations = 0
        self.moved = 0
        """Units of quota that recalculations moved from task to task."""
        self.gate: Gate | None = None
        self.on_recalculated: Callable[[Recalculated], None] | None = None
        self.on_closed: Callable[[AttemptRow, Outcome, str], None] | None = None
        """Told of every attempt that was closed; for audits."""
        self._last = 0

    def write(self, do: Callable[Concatenate["Memory", P], R], *args: P.args, **values: P.kwargs) -> R:
        """Run one transaction; what the gate raises before it means that it has not happened."""
        if self.gate is None:
            return do(self, *args, **values)
        self.gate(do.__name__, False)
        answer = do(self, *args, **values)
        self.gate(do.__name__, True)
        return answer

    def now(self) -> float:
        """Return the time of the rules of sharing: seconds since the start, by the clock on the wall."""
        return self.agenda.us / 1_000_000 + self.skew

    def new_id(self) -> AttemptId:
        """Return the next id of a call: never one that was given before."""
        self._last += 1
        return AttemptId(f"{self._last:032x}")

    def server_with_most_room(self, away: frozenset[str] = frozenset()) -> ServerRow | None:
        """Return the media server with the most free ports among those that answer."""
        there = [server for server in self.servers.values() if server.name not in away]
        return max(there, key=lambda server: server.free, default=None)
