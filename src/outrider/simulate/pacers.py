"""How many lines a simulated task dials now: what the production pacer says (`dialing/predictive`).

The dialer asks; the desk tells what happens to calls and agents. What pacers have learned survives the
worker, as what production keeps of them does.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outrider.agents.actions import STATES_OF_WORK, Changed
from outrider.agents.floor import Floor
from outrider.agents.model import SessionId
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import AgentMode
from outrider.dialing.attempt import Claim
from outrider.dialing.commands import Finish
from outrider.dialing.predictive.model import (
    ELAPSED_STEP,
    LONGEST_ELAPSED,
    OLDEST_LINE,
    Bound,
    Counts,
    FloorView,
    LineEnd,
    PacingMode,
    Sought,
    TalkEnd,
    count_steps,
)
from outrider.dialing.predictive.pacer import Pacer
from outrider.ids import AttemptId, TaskId
from outrider.simulate.agenda import SECOND
from outrider.simulate.memory import Memory
from outrider.simulate.rows import TaskRow

BUSY_STEP = round(ELAPSED_STEP * SECOND)

Cell = tuple[TaskId, str]


@dataclass(frozen=True, slots=True)
class Wish:
    """So many lines more; `bound` says what keeps it from more."""

    lines: int
    bound: str


class Pacers:
    """The pacers of one worker, by task; lines and busy agents by task and media server."""

    def __init__(self, memory: Memory, known: dict[TaskId, Pacer]) -> None:
        self._memory = memory
        self._agenda = memory.agenda
        self._pacers = known
        self._days: dict[TaskId, int] = {}
        self._lines: dict[Cell, dict[AttemptId, int]] = {}
        self._busy: dict[Cell, dict[SessionId, int]] = {}
        self._where: dict[SessionId, Cell] = {}

    def started(self, claim: Claim) -> None:
        """Note that a call is being made."""
        cell = (claim.plan.task_id, claim.server)
        self._lines.setdefault(cell, {})[claim.attempt_id] = self._agenda.us

    def sought(self, claim: Claim) -> None:
        """Note that a person answered."""
        self._line_ends(claim, live=True)

    def waits(self, claim: Claim, *, waits: bool) -> None:
        """Note whether a person who answered has to wait for an agent."""
        self._pacer(self._memory.tasks[claim.plan.task_id]).observe(Sought(waits))

    def joined(self, claim: Claim) -> None:
        """Note that a person who answered has an agent."""
        self._pacer(self._memory.tasks[claim.plan.task_id]).observe_answer(abandoned=False)

    def over(self, claim: Claim, finish: Finish) -> None:
        """Note that a call is over."""
        self._line_ends(claim, live=False)
        if finish.outcome is Outcome.ABANDONED:
            self._pacer(self._memory.tasks[claim.plan.task_id]).observe_answer(abandoned=True)

    def changed(self, action: Changed) -> None:
        """Note who is busy with a contact, and for how long a contact took."""
        after, task_id = action.after, action.after.task_id
        engagement = after.engagement
        if engagement is not None and task_id is not None and after.state in STATES_OF_WORK:
            if after.id not in self._where:
                self._where[after.id] = cell = (task_id, after.server)
                self._busy.setdefault(cell, {})[after.id] = self._agenda.us
        elif after.id in self._where:
            cell = self._where.pop(after.id)
            since = self._busy[cell].pop(after.id)
            before = None if action.before is None else action.before.engagement
            if before is not None and before.answered_at is not None:
                took = (self._agenda.us - since) / SECOND
                self._pacer(self._memory.tasks[cell[0]]).observe(TalkEnd(took))

    def wish(self, task: TaskRow, server: str, floor: Floor) -> Wish:
        """Return how many lines more are to be dialed now."""
        task_id, now = task.plan.task_id, self._agenda.us
        cell = (task_id, server)
        pacer = self._pacer(task)
        day = self._agenda.now().toordinal()
        if self._days.get(task_id) != day:
            self._days[task_id] = day
            pacer.begin_day(day, self._counts(task))
        view = FloorView(
            now / SECOND,
            floor.free(task_id, server),
            _counted(self._busy.get(cell), now, BUSY_STEP, LONGEST_ELAPSED),
            _counted(self._lines.get(cell), now, SECOND, OLDEST_LINE),
            floor.waiting(task_id, server),
        )
        decision = pacer.decide(view)
        return Wish(decision.lines, _why(decision.bound))

    def _line_ends(self, claim: Claim, *, live: bool) -> None:
        lines = self._lines.get((claim.plan.task_id, claim.server), {})
        since = lines.pop(claim.attempt_id, None)
        if since is not None and not claim.preview and claim.session_id is None:
            took = (self._agenda.us - since) / SECOND
            self._pacer(self._memory.tasks[claim.plan.task_id]).observe(
                LineEnd(live, took, self._agenda.us / SECOND)
            )

    def _pacer(self, task: TaskRow) -> Pacer:
        task_id, settings = task.plan.task_id, task.plan.action.agents
        pacer = self._pacers.get(task_id)
        if pacer is None:
            predictive = settings is not None and settings.mode is AgentMode.PREDICTIVE
            mode = PacingMode.PREDICTIVE if predictive else PacingMode.PROGRESSIVE
            rule = None if settings is None else settings.abandonment
            known = () if rule is None else (rule.limit, rule.days, rule.denominator)
            pacer = Pacer(mode, *known)
            self._pacers[task_id] = pacer
        return pacer

    def _counts(self, task: TaskRow) -> dict[int, Counts]:
        """Return what is committed of the campaign's answers, by day."""
        days: dict[dt.date, tuple[int, int, int]] = self._memory.abandonment.get(task.plan.campaign_id, {})
        return {day.toordinal(): Counts(*counts) for day, counts in days.items()}


def _counted(begun: Mapping[Any, int] | None, now: int, step: int, last: int) -> list[int]:
    """Count times by how many steps ago they were, as `count_lines` and `count_busy` do, in whole numbers."""
    return count_steps([(now - since) // step for since in begun.values()] if begun else (), last)


def _why(bound: Bound) -> str:
    return bound.value
