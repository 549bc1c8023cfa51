"""What would happen if: changes applied to a snapshot of a pool and recalculated by the production rules.

Called by the API and the pages; nothing is written (licensing.md 8).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from outrider.errors import InvalidInputError, NotFoundError
from outrider.licences.model import (
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    NESTED_KINDS,
    LicenceKind,
    Policy,
    Standing,
    TaskState,
    Trigger,
)
from outrider.licences.need import IDLE_AFTER
from outrider.licences.recalculate import Recalculated, recalculate


@dataclass(frozen=True, slots=True)
class StartTask:
    """Start this task: a state that is not in the pool yet, standing WAITING."""

    state: TaskState


@dataclass(frozen=True, slots=True)
class StopTask:
    """Stop this task."""

    task: str


@dataclass(frozen=True, slots=True)
class ChangeTask:
    """Give this task another priority, minimum or maximum; None leaves a value as it is."""

    task: str
    priority: int | None = None
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeCount:
    """Add licences of a type to the pool, or take some away with a negative number."""

    kind: LicenceKind
    by: int


Change = StartTask | StopTask | ChangeTask | ChangeCount


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Quotas by task id as they are and as they would be; `waiting` would wait then."""

    before: Mapping[str, int]
    after: Mapping[str, int]
    waiting: tuple[str, ...]
    plan: Recalculated


def what_if(
    pool: Mapping[LicenceKind, int],
    states: Sequence[TaskState],
    policy: Policy,
    now: float,
    changes: Sequence[Change],
    *,
    agents: int | None = None,
    idle_after: float = IDLE_AFTER,
) -> WhatIf:
    """Apply `changes` in order to a snapshot and recalculate it once.

    Tasks of agents want as many as they may have, out of the `agents` that can be used: who has the skills
    for which of them is not known here.

    Raises NotFoundError for an unknown task and InvalidInputError for a change that breaks a rule: a known
    id started again, minimum above maximum, a priority outside 1 to 10, a count below 0.
    """
    counts = dict(pool)
    after = {state.id: state for state in states}
    before = {state.id: state.quota for state in states if state.standing is not Standing.OUT}
    for change in changes:
        if isinstance(change, ChangeCount):
            counts[change.kind] = counts.get(change.kind, 0) + change.by
            if counts[change.kind] < 0:
                raise InvalidInputError(
                    f"the pool has fewer than {-change.by} {change.kind} to lose", where=change.kind.value
                )
        elif isinstance(change, StartTask):
            if change.state.id in after:
                raise InvalidInputError(f"task {change.state.id} is in the pool already", where="start")
            after[change.state.id] = replace(change.state, standing=Standing.WAITING, quota=0, granted=0)
        else:
            after[change.task] = _changed(after.get(change.task), change)
    wanting = [
        replace(state, asking=state.maximum) if state.kind in NESTED_KINDS else state
        for state in after.values()
    ]
    plan = recalculate(counts, wanting, policy, now, Trigger.CHANGE, agents=agents, idle_after=idle_after)
    return WhatIf(before=before, after=plan.quotas, waiting=plan.waiting, plan=plan)


def _changed(state: TaskState | None, change: StopTask | ChangeTask) -> TaskState:
    """Return `state` stopped or with its new limits."""
    if state is None:
        raise NotFoundError(f"there is no task {change.task} in this pool", task=change.task)
    if isinstance(change, StopTask):
        return replace(state, standing=Standing.OUT, quota=0, granted=0)
    changed = replace(
        state,
        priority=state.priority if change.priority is None else change.priority,
        minimum=state.minimum if change.minimum is None else change.minimum,
        maximum=state.maximum if change.maximum is None else change.maximum,
    )
    if not LOWEST_PRIORITY <= changed.priority <= HIGHEST_PRIORITY:
        raise InvalidInputError(f"priority must be from 1 to 10, not {changed.priority}", where="priority")
    if not 0 <= changed.minimum <= changed.maximum:
        raise InvalidInputError(
            f"minimum {changed.minimum} and maximum {changed.maximum} must satisfy 0 <= minimum <= maximum",
            where="minimum",
        )
    return changed
