"""Licences of the memory database's pool: the production rules, called when production calls them.

`recalculate`, `regrant` and `need` are `licences/`'s own; this only keeps what they decide. `world`,
`recording` and `seats` call it, inside their transactions.
"""

from collections.abc import Iterable, Mapping

from outrider.errors import OutriderError
from outrider.licences import need
from outrider.licences.model import NESTED_KINDS, LicenceKind, Standing, Trigger
from outrider.licences.recalculate import LAZY, Recalculated, recalculate, regrant
from outrider.simulate.memory import Memory
from outrider.simulate.rows import JobRow, TaskRow


def usable_agents(memory: Memory) -> int | None:
    """Return how many agents can be used (licensing.md 4.4); None where no task has agents."""
    if not any(task.is_for_agents for task in _present(memory)):
        return None
    return sum(row.session.is_usable or row.task_id is not None for row in memory.sessions.values())


def run(memory: Memory, trigger: Trigger, task: TaskRow | None) -> Recalculated:
    """Recalculate the pool and keep the result. OutriderError when the plan fails its certificate."""
    present = _present(memory)
    done = recalculate(
        memory.counts,
        [each.state() for each in present],
        memory.policy,
        memory.now(),
        trigger,
        task=None if task is None else str(task.plan.task_id),
        agents=usable_agents(memory),
        idle_after=memory.idle_after,
        minimum_hold=memory.minimum_hold,
    )
    if done.violations:
        raise OutriderError(f"a plan failed its certificate: {'; '.join(done.violations)}")
    for each, state in zip(present, done.states, strict=True):
        memory.moved += max(0, state.quota - each.quota)
        each.take(state)
    if done.changed or trigger not in LAZY:
        memory.recalculations += 1
    if memory.on_recalculated is not None:
        memory.on_recalculated(done)
    return done


def settle(memory: Memory) -> None:
    """Grant units that came free to those who are owed some (licensing.md 4.5)."""
    present = _present(memory)
    if all(task.granted == task.quota >= task.in_use for task in present):
        # Nobody is owed anything, and nobody drains after a cut, whose grants would go with its units.
        return
    states = regrant(
        memory.counts,
        [task.state() for task in present],
        memory.policy,
        memory.now(),
        agents=usable_agents(memory),
        idle_after=memory.idle_after,
    )
    for task, state in zip(present, states, strict=True):
        task.granted = state.granted


def let_time_pass(memory: Memory) -> bool:
    """Do the trigger that is due by time: idle, or a return after a hold; say whether anything changed."""
    states = [task.state() for task in _present(memory)]
    donor = need.idle_due(states, memory.now(), memory.idle_after)
    if donor is not None:
        return run(memory, Trigger.IDLE, _by_id(memory, donor)).changed
    asking = need.deferred_return(states, memory.now(), memory.idle_after)
    if asking is not None:
        return run(memory, Trigger.RETURN, _by_id(memory, asking)).changed
    return False


def ask_for_return(memory: Memory, task: TaskRow) -> None:
    """Do the `return` trigger for a quiet task that attempts a call again (licensing.md 5)."""
    if task.kind is not LicenceKind.OUTBOUND_PORTS or task.standing is Standing.OUT:
        return
    if need.wants_return(task.state(), memory.now(), memory.idle_after):
        task.last_attempt_at = memory.now()
        run(memory, Trigger.RETURN, task)


def start_job(memory: Memory, job: JobRow) -> None:
    """Start a job: its tasks are newcomers, and its list is due."""
    job.state = "running"
    for task in job.tasks:
        task.standing, task.started = Standing.WAITING, memory.now()
    first = job.tasks[0]
    first.fresh = first.contacts_left = job.size
    first.fresh_from = memory.agenda.us
    run(memory, Trigger.START, first)


def pause_job(memory: Memory, job: JobRow) -> None:
    """Pause a running job: quotas 0, calls that are up drain."""
    if job.state == "running":
        job.state = "paused"
        _put_out(job.tasks)
        run(memory, Trigger.PAUSE, job.tasks[0])


def resume_job(memory: Memory, job: JobRow) -> None:
    """Let a paused job compete again."""
    if job.state == "paused":
        job.state = "running"
        for task in job.tasks:
            task.standing = Standing.WAITING
        run(memory, Trigger.RESUME, job.tasks[0])


def stop_job(memory: Memory, job: JobRow, state: str = "stopped") -> None:
    """End a job: nothing more is started."""
    if job.state in ("running", "paused"):
        job.state = state
        _put_out(job.tasks)
        run(memory, Trigger.STOP, job.tasks[0])


def set_limits(
    memory: Memory, job: JobRow, minimum: int | None, maximum: int | None, priority: int | None
) -> None:
    """Change the limits of all tasks of a job; limits that would cross are left at the nearest."""
    for task in job.tasks:
        task.maximum = task.maximum if maximum is None else maximum
        task.minimum = min(task.maximum, task.minimum if minimum is None else minimum)
        task.priority = task.priority if priority is None else priority
    run(memory, Trigger.CHANGE, job.tasks[0])


def set_counts(memory: Memory, counts: Mapping[LicenceKind, int]) -> None:
    """Change the pool's counts."""
    memory.counts.update(counts)
    run(memory, Trigger.SUPPLY, None)


def charged(memory: Memory, kinds: Iterable[LicenceKind]) -> int:
    """Return the units that tasks of these kinds keep from others: max(granted, in use), summed."""
    wanted = frozenset(kinds)
    return sum(max(task.granted, task.in_use) for task in memory.tasks.values() if task.kind in wanted)


def nested_limits(memory: Memory) -> list[tuple[tuple[LicenceKind, ...], int]]:
    """Return every nested limit of the agent kinds with its size (licensing.md 4.4)."""
    return [
        (NESTED_KINDS[: depth + 1], sum(memory.counts.get(kind, 0) for kind in NESTED_KINDS[: depth + 1]))
        for depth in range(len(NESTED_KINDS))
    ]


def _put_out(tasks: Iterable[TaskRow]) -> None:
    for task in tasks:
        task.standing, task.quota, task.granted, task.raised_until = Standing.OUT, 0, 0, None
        task.asking = 0


def _present(memory: Memory) -> list[TaskRow]:
    return [task for task in memory.tasks.values() if task.standing is not Standing.OUT or task.in_use]


def _by_id(memory: Memory, name: str) -> TaskRow:
    return next(task for task in memory.tasks.values() if str(task.plan.task_id) == name)
