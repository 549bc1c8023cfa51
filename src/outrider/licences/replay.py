"""A timeline of one pool run through the production rules: one record per recalculation.

`outrider licences replay` prints the records, tests check the invariants at every event. A thin loop over
`recalculate`: it only keeps the time and the states (licensing.md 5 and 9).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from outrider.errors import OutriderError
from outrider.licences.fields import Place
from outrider.licences.model import LicenceKind, Standing, TaskState, Trigger
from outrider.licences.need import deferred_return, idle_due, next_hold_end, next_quiet_at, wants_return
from outrider.licences.recalculate import LAZY, recalculate, regrant
from outrider.licences.timeline import Calls, Event, LimitsSet, Moved, Options, PoolSet, Started


@dataclass(frozen=True, slots=True)
class Record:
    """One recalculation: quotas and grants of the tasks that compete, in use also of those that drain."""

    at: float
    trigger: Trigger
    task: str | None
    quotas: dict[str, int]
    granted: dict[str, int]
    in_use: dict[str, int]
    waiting: tuple[str, ...]


def record_json(record: Record) -> dict[str, object]:
    """Return `record` as the object that `replay` prints."""
    return {
        "at": record.at,
        "trigger": record.trigger.value,
        "task": record.task,
        "quotas": record.quotas,
        "granted": record.granted,
        "in_use": record.in_use,
        "waiting": list(record.waiting),
    }


def replay(options: Options, events: Iterable[Event]) -> Iterator[Record]:
    """Yield the record of every recalculation that `events` cause, in order.

    Raises InvalidInputError for events that cannot happen (unknown or duplicate id, more calls ended than
    are up, limits that cross), naming file, line and field.
    """
    pool = ReplayedPool(options)
    for event in events:
        yield from pool.advance(event.at)
        yield from pool.apply(event)


class ReplayedPool:
    """One pool in replay: its counts, its tasks and the time; states are replaced, never changed."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.counts: dict[LicenceKind, int] = {}
        self.states: dict[str, TaskState] = {}
        self.now: float = 0
        self._stopped: set[str] = set()
        self._checked: float = float("-inf")

    def advance(self, to: float) -> Iterator[Record]:
        """Let time pass until `to`, recalculating when tasks fall quiet or holds end on the way."""
        while True:
            tasks = self.states.values()
            times = [
                time
                for time in (
                    next_quiet_at(tasks, self._checked, self.options.idle_after),
                    next_hold_end(tasks, self._checked),
                )
                if time is not None and time <= to
            ]
            if not times:
                break
            self.now = self._checked = min(times)
            yield from self._lazy()
        self.now = to

    def apply(self, event: Event) -> Iterator[Record]:
        """Answer one event at the present time, then whatever it makes due."""
        what = event.what
        if isinstance(what, PoolSet):
            self.counts = dict(what.counts)
            yield from self._recalculate(Trigger.SUPPLY, None)
        elif isinstance(what, Started):
            yield from self._start(what, event.place)
        elif isinstance(what, Moved):
            yield from self._move(what, event.place)
        elif isinstance(what, LimitsSet):
            yield from self._set(what, event.place)
        elif isinstance(what, Calls):
            yield from self._calls(what, event.place)
        yield from self._lazy()

    def _start(self, what: Started, place: Place) -> Iterator[Record]:
        if what.task in self.states:
            place.at("start").refuse(f"task {what.task!a} was started before; ids must be distinct")
        self.states[what.task] = TaskState(
            id=what.task,
            allocation=what.allocation,
            minimum=what.minimum,
            maximum=what.maximum,
            priority=what.priority,
            started=self.now,
        )
        yield from self._recalculate(Trigger.START, what.task)

    def _move(self, what: Moved, place: Place) -> Iterator[Record]:
        state = self._running(what.task, place.at(what.verb))
        out = state.standing is Standing.OUT
        if out is (what.verb == "pause") and what.verb != "stop":
            place.at(what.verb).refuse(f"task {what.task!a} is {'' if out else 'not '}paused")
        if what.verb == "resume":
            self.states[what.task] = replace(state, standing=Standing.WAITING)
        else:
            self.states[what.task] = replace(
                state, standing=Standing.OUT, quota=0, granted=0, raised_until=None
            )
        if what.verb == "stop":
            self._stopped.add(what.task)
        yield from self._recalculate(Trigger(what.verb), what.task)

    def _set(self, what: LimitsSet, place: Place) -> Iterator[Record]:
        state = self._running(what.task, place.at("set"))
        changed = replace(
            state,
            priority=state.priority if what.priority is None else what.priority,
            minimum=state.minimum if what.minimum is None else what.minimum,
            maximum=state.maximum if what.maximum is None else what.maximum,
        )
        if changed.minimum > changed.maximum:
            field = "max" if what.minimum is None else "min"
            place.at(field).refuse(f"min would be {changed.minimum}, more than max, {changed.maximum}")
        self.states[what.task] = changed
        if state.standing is not Standing.OUT:
            yield from self._recalculate(Trigger.CHANGE, what.task)

    def _calls(self, what: Calls, place: Place) -> Iterator[Record]:
        state = self._known(what.task, place.at(what.verb))
        if what.verb == "end":
            if what.calls > state.in_use:
                place.at("calls").refuse(f"{what.calls} calls cannot end, {state.in_use} are up")
            self.states[what.task] = replace(state, in_use=state.in_use - what.calls)
            options = self.options
            self._keep(
                regrant(self.counts, self._present(), options.policy, self.now, idle_after=options.idle_after)
            )
        elif what.calls and state.standing is not Standing.OUT:
            returning = wants_return(state, self.now, self.options.idle_after)
            self.states[what.task] = replace(state, last_attempt_at=self.now)
            if returning:
                yield from self._recalculate(Trigger.RETURN, what.task)
            state = self.states[what.task]
            begun = max(0, min(what.calls, state.granted - state.in_use))
            self.states[what.task] = replace(state, in_use=state.in_use + begun)

    def _known(self, task: str, place: Place) -> TaskState:
        """Return the state of a task that was started, stopped ones included."""
        state = self.states.get(task)
        if state is None:
            place.refuse(f"unknown task {task!a}: it was never started")
        return state

    def _running(self, task: str, place: Place) -> TaskState:
        """Return the state of a task that was started and not stopped."""
        if task in self._stopped:
            place.refuse(f"task {task!a} was stopped")
        return self._known(task, place)

    def _present(self) -> list[TaskState]:
        """Return the tasks that compete or still have calls."""
        return [state for state in self.states.values() if state.standing is not Standing.OUT or state.in_use]

    def _keep(self, states: Iterable[TaskState]) -> None:
        self.states.update((state.id, state) for state in states)

    def _lazy(self) -> Iterator[Record]:
        """Recalculate while a quiet task should donate, or a hold has ended that kept a return waiting."""
        for due, trigger in ((idle_due, Trigger.IDLE), (deferred_return, Trigger.RETURN)):
            changed = True
            while changed:
                task = due(self._present(), self.now, self.options.idle_after)
                changed = False
                for record in self._recalculate(trigger, task) if task is not None else ():
                    changed = True
                    yield record

    def _recalculate(self, trigger: Trigger, task: str | None) -> Iterator[Record]:
        """Recalculate and yield the record, none when a lazy trigger changes nothing (5)."""
        options = self.options
        done = recalculate(
            self.counts,
            self._present(),
            options.policy,
            self.now,
            trigger,
            task=task,
            idle_after=options.idle_after,
            minimum_hold=options.minimum_hold,
        )
        if done.violations:
            raise OutriderError(
                f"the plan at {self.now} s failed its certificate: {'; '.join(done.violations)}"
            )
        self._keep(done.states)
        if done.changed or trigger not in LAZY:
            yield Record(
                at=self.now,
                trigger=trigger,
                task=task,
                quotas=done.quotas,
                granted=done.granted,
                in_use={state.id: state.in_use for state in done.states},
                waiting=done.waiting,
            )
