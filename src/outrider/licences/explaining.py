"""Why tasks have what they have, and what-if, on a snapshot of a pool.

The API and the pages call it in read transactions; nothing is locked and nothing is written
(licensing.md 8). The rules are the pure functions of `explain.py` and `what_if.py`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from outrider.db.database import Tx
from outrider.errors import NotFoundError
from outrider.ids import PoolId
from outrider.licences import explain_store
from outrider.licences.explain import why
from outrider.licences.explain_sentence import sentence_of
from outrider.licences.explain_store import TaskName
from outrider.licences.explained import Explained, ExplainedPool, Recalculation, SupposedTask, Supposition
from outrider.licences.history import labels_of, named, set_by, visible_pool
from outrider.licences.levels import limits_of, use
from outrider.licences.model import (
    NESTED_KINDS,
    UNSHARED_KINDS,
    Answer,
    Binding,
    Problem,
    Reason,
    Rule,
    Standing,
    TaskState,
)
from outrider.licences.need import need_of
from outrider.licences.recalculate import problem_of
from outrider.licences.service import Pool, SharingRules
from outrider.licences.share import share
from outrider.licences.what_if import Change, what_if


def why_pool(
    tx: Tx, rules: SharingRules, pool_id: int, organization_id: int | None, now: dt.datetime
) -> ExplainedPool:
    """Explain every task of a pool that competes or still has calls. NotFoundError."""
    row = visible_pool(tx, pool_id, organization_id)
    pool = explain_store.snapshot(tx, row.id)
    explained = _Explaining(tx, rules, pool, now).all()
    return ExplainedPool(row.id, now, row.policy, pool.counts, explained)


def why_task(
    tx: Tx, rules: SharingRules, task_id: int, organization_id: int | None, now: dt.datetime
) -> Explained:
    """Explain one task, competing or not. NotFoundError when this caller can see none by that id."""
    found = explain_store.task(tx, task_id, organization_id)
    if found is None:
        raise NotFoundError(f"there is no task {task_id}")
    pool_id, state = found
    pool = explain_store.snapshot(tx, pool_id)
    return _Explaining(tx, rules, pool, now, (state,)).one(str(task_id))


def suppose(
    tx: Tx,
    rules: SharingRules,
    pool_id: PoolId,
    changes: Sequence[Change],
    now: dt.datetime,
    names: Mapping[str, str] | None = None,
    *,
    leaving: Iterable[str] = (),
) -> Supposition:
    """Return what quotas would be after `changes`, by the production rules (licensing.md 8).

    `names` are those of tasks that do not exist yet; `leaving` are tasks of the snapshot that a change
    brings in again. Raises what `what_if` does. The caller has checked that the pool is visible.
    """
    pool = explain_store.snapshot(tx, pool_id)
    gone = frozenset(leaving)
    states = [state for state in pool.shared if state.id not in gone]
    found = what_if(
        pool.counts,
        states,
        pool.policy,
        now.timestamp(),
        changes,
        agents=pool.agents,
        idle_after=rules.idle_after,
    )
    known = labels_of(
        explain_store.names(tx, (int(state.id) for state in found.plan.states if state.id.isdigit()))
    )
    labels = {**known, **(names or {})}
    reasons = why(found.plan.problem, found.plan.answer, found.plan.states)
    tasks = [
        SupposedTask(
            task=named(state.id, labels),
            kind=state.kind,
            before=found.before.get(state.id),
            after=found.after.get(state.id),
            waits=state.id in found.waiting,
            sentence=_sentence(reasons[state.id], labels) if state.id in reasons else "",
        )
        for state in found.plan.states
    ]
    return Supposition(pool_id, now, pool.counts, dict(found.plan.problem.pool), tuple(tasks))


class _Explaining:
    """One snapshot with all that its explanations have in common."""

    def __init__(
        self, tx: Tx, rules: SharingRules, pool: Pool, now: dt.datetime, others: Sequence[TaskState] = ()
    ) -> None:
        known = {state.id: state for state in (*others, *pool.shared, *pool.gated)}
        self._tx, self._pool = tx, pool
        self._states = dict(sorted(known.items(), key=lambda each: int(each[0])))
        self._seconds, self._idle_after = now.timestamp(), rules.idle_after
        self._names = explain_store.names(tx, map(int, self._states))
        self._labels = labels_of(self._names)
        problem = problem_of(
            pool.counts,
            pool.shared,
            pool.policy,
            self._seconds,
            agents=pool.agents,
            idle_after=rules.idle_after,
        )
        competing = {task.id for task in problem.tasks}
        in_force = Answer(
            quotas={state.id: state.quota for state in pool.shared if state.id in competing},
            waiting=tuple(sorted(state.id for state in pool.shared if state.standing is Standing.WAITING)),
            cover={},
            free={},
        )
        self._reasons = why(_wanting(problem, in_force.quotas), in_force, pool.shared)
        self._fresh = share(problem).quotas

    def all(self) -> tuple[Explained, ...]:
        """Return every task explained, by id."""
        changes = set_by(self._tx, self._pool.id, list(self._states))
        return tuple(self._explained(task, changes.get(task)) for task in self._states)

    def one(self, task: str) -> Explained:
        """Return one task explained."""
        return self._explained(task, set_by(self._tx, self._pool.id, [task]).get(task))

    def _explained(self, task: str, set_by: Recalculation | None) -> Explained:
        state, name = self._states[task], self._names[task]
        reason = self._reasons.get(task)
        fresh = self._fresh.get(task, state.quota)
        if reason is None:
            sentence = self._plain_sentence(state, name)
        else:
            sentence = _sentence(reason, self._labels)
            if fresh != state.quota:
                sentence = f"{sentence} A recalculation now would give it {fresh}."
        gate = state.kind in UNSHARED_KINDS and state.standing is Standing.ADMITTED
        return Explained(
            task_id=int(task),
            name=self._labels[task],
            job_id=name.job_id,
            campaign=name.campaign,
            action=name.action,
            kind=state.kind,
            standing=state.standing,
            quota=state.quota,
            granted=state.granted,
            in_use=state.in_use,
            draining=state.draining,
            need=self._need(state) if reason is None or state.kind in NESTED_KINDS else reason.need,
            minimum=state.minimum,
            maximum=state.maximum,
            priority=state.priority,
            rule=reason.rule if reason else Rule.NEED if gate else Rule.NONE,
            binding=reason.binding if reason else Binding.MAXIMUM if gate else None,
            limit=reason.limit if reason else (),
            held_by=tuple(named(each, self._labels) for each in reason.held_by) if reason else (),
            next_in_line=named(reason.next_in_line, self._labels)
            if reason and reason.next_in_line is not None
            else None,
            recalculated_now=fresh,
            sentence=sentence,
            set_by=set_by,
        )

    def _need(self, state: TaskState) -> int:
        if state.kind in UNSHARED_KINDS and state.standing is not Standing.OUT:
            return max(
                state.in_use,
                min(state.maximum, state.maximum if state.contacts_left is None else state.contacts_left),
            )
        return need_of(state, self._seconds, self._idle_after)

    def _plain_sentence(self, state: TaskState, name: TaskName) -> str:
        """Return the sentence of a task that shares nothing: out of the running, or behind a gate."""
        label = self._labels[state.id]
        if state.standing is Standing.OUT:
            drains = f"; {state.in_use} of its units are in use and drain" if state.in_use else ""
            return f"{label} has no {state.kind} because its job is {name.state}{drains}."
        if state.standing is Standing.WAITING:
            return f"{label} waits: no {state.kind} licence is in force in its zone and organization."
        return f"{label} may have {state.quota} under way, its maximum: the {state.kind} licence is in force."


def _wanting(problem: Problem, quotas: Mapping[str, int]) -> Problem:
    """Return the problem with tasks of agents that want their maximum where a limit keeps agents from them.

    They ask for as many agents as they were dealt: what kept them from more must be told all the same.
    """
    nested = [task for task in problem.tasks if task.kind in NESTED_KINDS]
    room = limits_of([problem.pool.get(kind, 0) for kind in NESTED_KINDS], problem.agents)
    for task in nested:
        use(room, NESTED_KINDS.index(task.kind), quotas[task.id])
    kept = {task.id for task in nested if min(room[NESTED_KINDS.index(task.kind) :]) <= 0}
    tasks = tuple(
        replace(task, need=max(task.need, task.maximum)) if task.id in kept else task
        for task in problem.tasks
    )
    return replace(problem, tasks=tasks)


def _sentence(reason: Reason, labels: Mapping[str, str]) -> str:
    """Return the sentence with names for ids."""
    line = reason.next_in_line
    return sentence_of(
        replace(
            reason,
            id=labels.get(reason.id, f"task {reason.id}"),
            held_by=tuple(labels.get(each, f"task {each}") for each in reason.held_by),
            next_in_line=None if line is None else labels.get(line, f"task {line}"),
        )
    )
