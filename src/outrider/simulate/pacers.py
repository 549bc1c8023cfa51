"""How many lines a simulated task dials now: one per free agent, or what the production pacer says.

The dialer asks; `Lines` keeps what is in the air.
"""

from dataclasses import dataclass, field

from outrider.agents.floor import Floor
from outrider.campaigns.strategy import AgentMode
from outrider.dialing.attempt import Claim
from outrider.ids import AttemptId, TaskId
from outrider.simulate.rows import TaskRow
from outrider.simulate.worker import Worker

Cell = tuple[TaskId, str]


@dataclass(frozen=True, slots=True)
class Wish:
    """So many lines more; `bound` says what keeps it from more, `again_in` (seconds) when to ask again."""

    lines: int
    bound: str
    again_in: float | None = None


@dataclass(slots=True)
class Lines:
    """Calls of one cell that were not taken yet."""

    ringing: dict[AttemptId, int] = field(default_factory=dict)


class Pacers:
    """The pacers of one worker, by task and media server."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._lines: dict[Cell, Lines] = {}

    def started(self, claim: Claim) -> None:
        """Note that a call is being made."""
        cell = (claim.plan.task_id, claim.server)
        self._lines.setdefault(cell, Lines()).ringing[claim.attempt_id] = self._worker.agenda.us

    def taken(self, claim: Claim) -> None:
        """Note that a call was answered, or is over."""
        lines = self._lines.get((claim.plan.task_id, claim.server))
        if lines is not None:
            lines.ringing.pop(claim.attempt_id, None)

    def wish(self, task: TaskRow, server: str, floor: Floor) -> Wish:
        """Return how many lines more are to be dialed now."""
        task_id = task.plan.task_id
        free = floor.free(task_id, server)
        ringing = len(self._lines.setdefault((task_id, server), Lines()).ringing)
        settings = task.plan.action.agents
        if settings is not None and settings.mode is AgentMode.PREDICTIVE:
            return Wish(max(0, free - ringing), "agents")
        return Wish(max(0, free - ringing), "agents")
