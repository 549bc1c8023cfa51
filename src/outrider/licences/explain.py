"""Why a task has the quota it has: the facts of licensing.md 8, told from the answer alone.

Called by `outrider licences share --explain`, the pages and the API; `explain_sentence` puts the facts into
one sentence for people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from outrider.licences.explain_sentence import sentence_of
from outrider.licences.levels import COMMON, limits_of, use
from outrider.licences.model import (
    NESTED_KINDS,
    SHARING_GROUPS,
    Answer,
    Binding,
    LicenceKind,
    Policy,
    Problem,
    Reason,
    Rule,
    TaskShare,
    TaskState,
)
from outrider.licences.share import right_of

Key = tuple[int, int, int, float, str]
"""Stage (minimum, newcomer, need), two numbers that the policy orders by, age, id."""


def why(problem: Problem, answer: Answer, states: Iterable[TaskState] = ()) -> dict[str, Reason]:
    """Return the reason of every task of `problem`, by id, given the `answer` to it.

    `states` after granting add what is granted and in use; a task without a state counts as holding its
    quota with nothing in use. Paused and stopped tasks whose calls are up belong to `states` too.
    """
    known = {state.id: state for state in states}
    reasons: dict[str, Reason] = {}
    for group in SHARING_GROUPS:
        tasks = [task for task in problem.tasks if task.kind in group]
        if tasks:
            outside = [state for state in known.values() if state.kind in group]
            explained = _Group.of(problem, answer, group, tasks, {state.id: state for state in outside})
            reasons.update((task.id, explained.reason(task)) for task in tasks)
    return {task.id: reasons[task.id] for task in problem.tasks}


def explain_json(reason: Reason) -> dict[str, object]:
    """Return `reason` as JSON facts with its sentence."""
    return {
        "quota": reason.quota,
        "granted": reason.granted,
        "in_use": reason.in_use,
        "draining": reason.draining,
        "need": reason.need,
        "rule": reason.rule.value,
        "binding": reason.binding.value,
        "limit": [kind.value for kind in reason.limit],
        "held_by": list(reason.held_by),
        "next": reason.next_in_line,
        "sentence": sentence_of(reason),
    }


@dataclass(frozen=True, slots=True)
class _Group:
    """One group of kinds with everything that its reasons have in common."""

    kinds: tuple[LicenceKind, ...]
    limits: Sequence[int]
    capped: bool
    quotas: Mapping[str, int]
    states: Mapping[str, TaskState]
    left: Mapping[str, int]
    full: tuple[bool, ...]
    queue: tuple[str | None, ...]
    holders: tuple[str, ...]

    @classmethod
    def of(
        cls,
        problem: Problem,
        answer: Answer,
        kinds: tuple[LicenceKind, ...],
        tasks: Sequence[TaskShare],
        states: Mapping[str, TaskState],
    ) -> "_Group":
        """Work out limits, queue and holders once for all tasks of the group."""
        cap = problem.agents if kinds is NESTED_KINDS else None
        counts = [problem.pool.get(kind, 0) for kind in kinds]
        limits = limits_of(counts, cap)
        room = list(limits)
        for task in tasks:
            use(room, kinds.index(task.kind), answer.quotas[task.id])
        left = _left_for_newcomers(tasks, kinds, limits, answer)
        over = [
            (state.charged - answer.quotas.get(state.id, 0), state.id)
            for state in states.values()
            if state.charged > answer.quotas.get(state.id, 0)
        ]
        return cls(
            kinds=kinds,
            limits=limits,
            capped=limits[-1] < sum(counts),
            quotas=answer.quotas,
            states=states,
            left=left,
            full=tuple(free <= 0 for free in room),
            queue=_queue(problem.policy, tasks, kinds, room, answer, states, left),
            holders=tuple(name for _, name in sorted(over, key=lambda each: (-each[0], each[1]))),
        )

    def reason(self, task: TaskShare) -> Reason:
        """Return why `task` has its quota."""
        quota, state = self.quotas[task.id], self.states.get(task.id)
        granted, in_use = (quota, 0) if state is None else (state.granted, state.in_use)
        binding, limit, size = self._binding(task, quota, granted)
        first = self.queue[self.kinds.index(task.kind)]
        return Reason(
            id=task.id,
            kind=task.kind,
            quota=quota,
            granted=granted,
            in_use=in_use,
            draining=max(0, in_use - quota),
            need=task.need,
            minimum=right_of(task),
            maximum=task.maximum,
            priority=task.priority,
            rule=_rule(task, quota),
            binding=binding,
            limit=limit,
            size=size,
            left=self.left.get(task.id),
            held_by=tuple(name for name in self.holders if name != task.id)
            if binding is Binding.HELD
            else (),
            next_in_line=first,
        )

    def _binding(
        self, task: TaskShare, quota: int, granted: int
    ) -> tuple[Binding, tuple[LicenceKind, ...], int | None]:
        """Return what keeps `task` from more, with the licence types and the size of a full limit."""
        if task.id in self.left:
            return Binding.WAITING, (), None
        if granted < quota:
            return Binding.HELD, (), None
        if quota >= task.maximum:
            return Binding.MAXIMUM, (), None
        if quota >= max(right_of(task), min(task.need, task.maximum)):
            return Binding.NEED, (), None
        depth = self.kinds.index(task.kind)
        narrowest = next((limit for limit in range(depth, len(self.kinds)) if self.full[limit]), depth)
        size = self.limits[narrowest]
        if self.capped and size == self.limits[-1]:
            return Binding.AGENTS, (), size
        types = self.kinds[: narrowest + 1]
        return (Binding.SEATS if narrowest else Binding.POOL), types, size


def _rule(task: TaskShare, quota: int) -> Rule:
    """Return the rule that gave the last of `quota` units."""
    if quota == 0:
        return Rule.NONE
    if quota <= right_of(task):
        return Rule.MINIMUM
    return Rule.NEED if quota <= min(task.need, task.maximum) else Rule.SURPLUS


def _left_for_newcomers(
    tasks: Sequence[TaskShare], kinds: tuple[LicenceKind, ...], limits: Sequence[int], answer: Answer
) -> dict[str, int]:
    """Return for each waiting task the units that were left when its turn came (4.1)."""
    waiting = set(answer.waiting)
    room = list(limits)
    left = {}
    for task in sorted(tasks, key=lambda each: (not each.running, -each.priority, each.started, each.id)):
        depth = kinds.index(task.kind)
        if task.id in waiting:
            left[task.id] = max(0, min(room[depth:]))
        else:
            use(room, depth, min(right_of(task), answer.quotas[task.id]))
    return left


def _queue(
    policy: Policy,
    tasks: Sequence[TaskShare],
    kinds: tuple[LicenceKind, ...],
    room: Sequence[int],
    answer: Answer,
    states: Mapping[str, TaskState],
    left: Mapping[str, int],
) -> tuple[str | None, ...]:
    """Return for each depth who gets the next unit that a task of it frees, None when nobody wants it.

    A task whose grant is behind its quota comes first (4.5), then a newcomer that lacks a single unit, then
    the smallest key among those below their need (4.1, 4.2). A freed unit of depth d reaches a task only
    when every full limit around the task contains d.
    """
    best: list[Key | None] = [None] * len(kinds)
    for task in tasks:
        key = _next_key(policy, task, answer.quotas[task.id], states.get(task.id), left.get(task.id))
        if key is None:
            continue
        depth = kinds.index(task.kind)
        narrowest = next((limit for limit in range(depth, len(kinds)) if room[limit] <= 0), len(kinds) - 1)
        for freed in range(narrowest + 1):
            known = best[freed]
            if known is None or key < known:
                best[freed] = key
    return tuple(None if key is None else key[-1] for key in best)


def _next_key(
    policy: Policy, task: TaskShare, quota: int, state: TaskState | None, left: int | None
) -> Key | None:
    """Return the key of the unit that `task` would take next, None when it would take none."""
    right = right_of(task)
    if left is not None:
        return (2, -task.priority, 0, task.started, task.id) if right == left + 1 else None
    unit, stage = quota + 1, 3
    if state is not None and state.granted < quota:
        unit, stage = state.granted + 1, 1
        right = min(right, quota)
    elif quota >= max(right, min(task.need, task.maximum)):
        return None
    if unit <= right:
        return (stage - 1, -task.priority, 0, task.started, task.id)
    if policy is Policy.STRICT:
        return (stage, -task.priority, unit, task.started, task.id)
    return (stage, unit * COMMON // task.priority, -task.priority, task.started, task.id)
