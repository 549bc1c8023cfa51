"""One recalculation of one pool: share, certify, settle and admit, as one pure step from state to state.

Replay and the database service call the same functions, so that both follow the same rules
(licensing.md 4 and 5). Times are seconds on the caller's axis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from outrider.licences.certify import certify
from outrider.licences.model import (
    NESTED_KINDS,
    Answer,
    Holding,
    LicenceKind,
    Policy,
    Problem,
    Standing,
    TaskState,
    Trigger,
    shared_kind,
)
from outrider.licences.need import IDLE_AFTER, as_share, need_of, right_now
from outrider.licences.settle import settle
from outrider.licences.share import share
from outrider.licences.table import TaskTable

LAZY = (Trigger.IDLE, Trigger.RETURN)
"""Triggers that leave no record when they change nothing, and that respect the minimum hold (5)."""


@dataclass(frozen=True, slots=True)
class Recalculated:
    """The outcome of one recalculation.

    `states` are all states after it. When `violations` is not empty the plan failed its certificate: then
    `states` are the old ones, and the caller keeps them and raises an alarm. `changed` says whether any
    quota or any admission differs from before.
    """

    at: float
    trigger: Trigger
    task: str | None
    problem: Problem
    answer: Answer
    before: Mapping[str, int]
    states: tuple[TaskState, ...]
    admitted: tuple[str, ...]
    violations: tuple[str, ...]
    changed: bool

    @property
    def quotas(self) -> dict[str, int]:
        """Quotas after it, by id, of the tasks that compete."""
        return {state.id: state.quota for state in self.states if state.standing is not Standing.OUT}

    @property
    def granted(self) -> dict[str, int]:
        """Grants after it, by id, of the tasks that compete."""
        return {state.id: state.granted for state in self.states if state.standing is not Standing.OUT}

    @property
    def waiting(self) -> tuple[str, ...]:
        """Ids of the tasks that wait after it, sorted."""
        return tuple(sorted(state.id for state in self.states if state.standing is Standing.WAITING))


def recalculate(
    pool: Mapping[LicenceKind, int],
    states: Sequence[TaskState],
    policy: Policy,
    now: float,
    trigger: Trigger,
    *,
    task: str | None = None,
    agents: int | None = None,
    idle_after: float = IDLE_AFTER,
    minimum_hold: float = 0,
) -> Recalculated:
    """Recompute every task of one pool at `now` and return the new states, quotas and grants.

    `states` are all tasks of the pool that compete or still have calls; newcomers (started, resumed) stand
    WAITING, paused and stopped ones OUT. `task` is the id that caused it, for the record. `minimum_hold`
    (seconds) is how long a quota that an idle or return recalculation raised cannot be lowered by another
    one; start, stop, change and supply recompute everything (licensing.md 4 and 5).
    """
    problem = problem_of(
        pool, states, policy, now, agents=agents, idle_after=idle_after, hold=trigger in LAZY
    )
    table = TaskTable.of(problem.tasks)
    answer = share(problem, table)
    violations = certify(problem, answer, table)
    before = {state.id: state.quota for state in states}
    if violations:
        return Recalculated(
            now, trigger, task, problem, answer, before, tuple(states), (), violations, changed=False
        )
    refused = frozenset(answer.waiting)
    hold = minimum_hold if trigger in LAZY else 0
    planned = [_planned(state, answer, refused, now, hold) for state in states]
    after = regrant(pool, planned, policy, now, agents=agents, idle_after=idle_after)
    admitted = tuple(
        sorted(
            new.id
            for old, new in zip(states, after, strict=True)
            if new.standing is Standing.ADMITTED and old.standing is not Standing.ADMITTED
        )
    )
    changed = bool(admitted) or any(state.quota != before[state.id] for state in after)
    return Recalculated(
        now, trigger, task, problem, answer, before, after, admitted, violations, changed=changed
    )


def problem_of(
    pool: Mapping[LicenceKind, int],
    states: Sequence[TaskState],
    policy: Policy,
    now: float,
    *,
    agents: int | None = None,
    idle_after: float = IDLE_AFTER,
    hold: bool = False,
) -> Problem:
    """Return the problem of the tasks that compete at `now`; with `hold`, held quotas are minimums."""
    tasks = []
    for state in states:
        if state.standing is Standing.OUT:
            continue
        task = as_share(state, now, idle_after)
        if hold and state.raised_until is not None and state.raised_until > now:
            floor = max(task.minimum, min(state.quota, state.maximum))
            task = replace(task, minimum=floor, need=max(task.need, floor))
        tasks.append(task)
    return Problem(pool=pool, tasks=tuple(tasks), policy=policy, agents=agents)


def regrant(
    pool: Mapping[LicenceKind, int],
    states: Sequence[TaskState],
    policy: Policy,
    now: float,
    *,
    agents: int | None = None,
    idle_after: float = IDLE_AFTER,
) -> tuple[TaskState, ...]:
    """Return `states` with the grants of licensing.md 4.5: call it whenever units came back."""
    holdings = [
        Holding(
            state.id,
            shared_kind(state.kind),
            state.quota,
            state.granted,
            state.in_use,
            # only an agent kind's right depends on its need
            right_now(state, need_of(state, now, idle_after))
            if state.kind in NESTED_KINDS
            else state.minimum,
            state.priority,
            state.started,
        )
        for state in states
    ]
    granted = settle(pool, holdings, policy, agents)
    return tuple(
        state
        if state.granted == granted[state.id]
        else state.planned(
            state.quota, granted[state.id], state.standing, state.admitted_at, state.raised_until
        )
        for state in states
    )


def _planned(state: TaskState, answer: Answer, refused: frozenset[str], now: float, hold: float) -> TaskState:
    """Return `state` with its new quota and standing, its admission time and the end of its hold."""
    if state.standing is Standing.OUT:
        return (
            state
            if state.quota == 0
            else state.planned(0, state.granted, Standing.OUT, state.admitted_at, None)
        )
    quota = answer.quotas[state.id]
    raised_until = state.raised_until
    if hold > 0 and quota > state.quota:
        raised_until = now + hold
    elif raised_until is not None and raised_until <= now:
        raised_until = None
    if state.id in refused:
        return state.planned(quota, state.granted, Standing.WAITING, state.admitted_at, None)
    standing, admitted_at = Standing.ADMITTED, state.admitted_at
    if state.standing is not Standing.ADMITTED:
        admitted_at = now
    elif quota == state.quota and raised_until == state.raised_until:
        return state
    return state.planned(quota, state.granted, standing, admitted_at, raised_until)
