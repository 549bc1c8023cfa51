"""Moving contacts on: what decisions make of targets, tasks, counts and jobs, written in one go.

Results, receipts and claims collect decisions here, and write them inside their transactions. The caller
has locked the pools of all jobs concerned.
"""

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from outrider.db.database import Tx
from outrider.dialing import store
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.retry import Decision, Final, NextAction, Reinstated
from outrider.dialing.targets import Told, target_row
from outrider.ids import JobId
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.licences.service import SharingRules


@dataclass(slots=True)
class _Ended:
    plan: TaskPlan
    done: int = 0
    goal: int = 0


@dataclass(slots=True)
class Moves:
    """Decisions of one transaction."""

    rows: list[dict[str, object]] = field(default_factory=list)
    left: Counter[int] = field(default_factory=Counter)
    outcomes: dict[tuple[int, str], tuple[int, int]] = field(
        default_factory=lambda: defaultdict(lambda: (0, 0))
    )
    dispositions: dict[tuple[int, str], tuple[int, int]] = field(
        default_factory=lambda: defaultdict(lambda: (0, 0))
    )
    ended: dict[JobId, _Ended] = field(default_factory=dict)

    def add(self, plan: TaskPlan, target_id: int, decision: Decision, at: dt.datetime, told: Told) -> None:
        """Take one decision about a target that is in `plan`'s task."""
        self.rows.append(target_row(plan, target_id, decision, at, told))
        if isinstance(decision, Final | Reinstated):
            self.left[plan.task_id] -= 1
            ended = self.ended.setdefault(plan.job_id, _Ended(plan))
            goal = plan.strategy.goal
            ended.done += 1
            ended.goal += goal is not None and goal.outcome is decision.outcome
        elif isinstance(decision, NextAction):
            self.left[plan.task_id] -= 1
            self.left[plan.task_of[decision.name]] += 1
        self._count(plan, decision, told)

    def note_disposition(self, plan: TaskPlan, name: str) -> None:
        """Count what was said of an attempt whose contact has moved on."""
        self._add(self.dispositions, (plan.task_id, name), 1, 0)

    def write(self, tx: Tx, rules: SharingRules, now: dt.datetime, freed: Counter[int] | None = None) -> None:
        """Write everything; units in `freed` (by task) are given back with it. Jobs that are done finish."""
        freed = freed or Counter()
        store.set_targets(tx, sorted(self.rows, key=lambda row: int(str(row["target"]))))
        for task_id in sorted(freed.keys() | self.left.keys()):
            store.release(tx, task_id, freed[task_id], self.left[task_id])
        job_store.add_outcomes(tx, self.outcomes)
        job_store.add_dispositions(tx, self.dispositions)
        for job_id, ended in sorted(self.ended.items()):
            jobs.count_finals(tx, rules, job_id, ended.plan.strategy, ended.done, ended.goal, now)

    def _count(self, plan: TaskPlan, decision: Decision, told: Told) -> None:
        if told.outcome is not None:
            self._add(self.outcomes, (plan.task_id, told.outcome.value), 1, 0)
        if told.earlier is not None:
            self._add(self.outcomes, (plan.task_id, told.earlier.value), -1, 0)
        if told.disposition is not None:
            self._add(self.dispositions, (plan.task_id, told.disposition), 1, 0)
        if not isinstance(decision, Final | Reinstated):
            return
        self._add(self.outcomes, (plan.task_id, decision.outcome.value), 0, 1)
        ended_with = decision.disposition if isinstance(decision, Reinstated) else told.disposition
        if ended_with is not None:
            self._add(self.dispositions, (plan.task_id, ended_with), 0, 1)

    @staticmethod
    def _add(
        counts: dict[tuple[int, str], tuple[int, int]], key: tuple[int, str], attempts: int, finals: int
    ) -> None:
        before = counts[key]
        counts[key] = (before[0] + attempts, before[1] + finals)
