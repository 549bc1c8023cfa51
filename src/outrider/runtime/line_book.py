"""Lines in the air and agents at work, as pacing looks at them: one book per floor, one page per cell.

The floor's desk notes what happens; the dial loops ask for a view, and their pacers learn from it. Times are
seconds of the system's clock since 1970.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from outrider.agents.actions import STATES_OF_WORK
from outrider.agents.model import AgentState, Session
from outrider.campaigns.outcome import Outcome
from outrider.dialing.attempt import Claim
from outrider.dialing.commands import Finish
from outrider.dialing.predictive.model import LineEnd, Observation, Sought, TalkEnd
from outrider.ids import AttemptId, TaskId

Cell = tuple[TaskId, str]


@dataclass(slots=True)
class Page:
    """One cell: when each line was started, and when each agent began with the contact in hand."""

    lines: dict[AttemptId, float] = field(default_factory=dict)


class LineBook:
    """All cells of one floor. `on_observed` is told what pacers learn from."""

    def __init__(self) -> None:
        self.on_observed: Callable[[TaskId, Observation], None] | None = None
        self.on_answer: Callable[[TaskId, bool], None] | None = None
        """Told of every person who answered, and whether it was abandoned."""
        self._pages: dict[Cell, Page] = {}
        self._began: dict[int, float] = {}

    def lines(self, cell: Cell) -> tuple[float, ...]:
        """Return when the lines in the air were started."""
        page = self._pages.get(cell)
        return () if page is None else tuple(page.lines.values())

    def cells(self) -> list[Cell]:
        """Return the cells that have lines in the air."""
        return [cell for cell, page in self._pages.items() if page.lines]

    def start(self, claim: Claim, now: dt.datetime) -> None:
        """Note a line."""
        self._pages.setdefault(_cell(claim), Page()).lines[claim.attempt_id] = now.timestamp()

    def answer(self, claim: Claim, now: dt.datetime) -> None:
        """Note that a person took a line: it is not in the air any more."""
        begun = self._pages.setdefault(_cell(claim), Page()).lines.pop(claim.attempt_id, None)
        if begun is not None:
            self._observe(claim.plan.task_id, LineEnd(True, now.timestamp() - begun, now.timestamp()))

    def sought(self, claim: Claim, *, waits: bool) -> None:
        """Note whether a person who answered has to wait for an agent."""
        if claim.session_id is None:
            self._observe(claim.plan.task_id, Sought(waits))

    def end(self, claim: Claim, finish: Finish, now: dt.datetime) -> None:
        """Note that a line is over; one that no person took tells how rare answers are."""
        begun = self._pages.setdefault(_cell(claim), Page()).lines.pop(claim.attempt_id, None)
        reached = finish.outcome in (Outcome.ANSWERED, Outcome.ABANDONED)
        if reached and self.on_answer is not None and claim.session_id is None:
            self.on_answer(claim.plan.task_id, finish.outcome is Outcome.ABANDONED)
        if begun is not None and not finish.untried and finish.outcome is not Outcome.INTERRUPTED:
            self._observe(claim.plan.task_id, LineEnd(False, now.timestamp() - begun, now.timestamp()))

    def session_changed(self, before: Session | None, after: Session, now: dt.datetime) -> None:
        """Note when an agent begins and ends with a contact: from the first word to the end of wrap-up."""
        engagement = None if before is None else before.engagement
        was = before is not None and before.state in STATES_OF_WORK
        at_work = after.state in STATES_OF_WORK
        if not was and at_work and after.state is AgentState.TALKING:
            self._began[after.id] = now.timestamp()
        elif was and not at_work:
            begun = self._began.pop(after.id, None)
            if begun is not None and engagement is not None and engagement.answered_at is not None:
                self._observe(engagement.task_id, TalkEnd(now.timestamp() - begun))

    def _observe(self, task_id: TaskId, observation: Observation) -> None:
        if self.on_observed is not None:
            self.on_observed(task_id, observation)


def _cell(claim: Claim) -> Cell:
    return claim.plan.task_id, claim.server
