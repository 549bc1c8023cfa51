"""One dealing of a pool carried out: agents ask, quotas follow, some leave, others take seats.

`seats.rebalance` is it. It is safe to repeat, and changes nothing when nothing has changed.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from outrider.agents import charging
from outrider.agents import sessions_store as store
from outrider.agents import store as agents_store
from outrider.agents.dealing import Dealt, deal
from outrider.agents.model import AT_WORK, AgentState, Attachment, SessionId
from outrider.agents.working import WorkingAgent, WorkingTask
from outrider.campaigns import service as campaigns
from outrider.campaigns.strategy import Strategy
from outrider.campaigns.strategy_document import parse_strategy
from outrider.db.database import Row, Tx
from outrider.ids import PoolId, TaskId
from outrider.jobs.model import JobState
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.licences.model import LicenceKind, Policy, Standing, Trigger
from outrider.licences.service import SharingRules

CLOSED_WITHIN = dt.timedelta(seconds=10)
"""What the floor needs at most to close a session whose agent logged out, of the system's clock."""

LEAVING = frozenset({Attachment.DETACHING.value})


@dataclass(frozen=True, slots=True)
class SeatChange:
    """What became of one session. `leaving`: it gives its seat back after the contact in hand.

    `licence` is the kind of task whose seat it has or had.
    """

    session_id: SessionId
    from_task: TaskId | None
    to_task: TaskId | None
    licence: LicenceKind | None
    reason: str
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Rebalanced:
    """What changed, in order, and why sessions that are free have no seat."""

    changes: tuple[SeatChange, ...]
    refused: Mapping[SessionId, str]


def rebalance(
    tx: Tx,
    rules: SharingRules,
    pool_id: PoolId,
    now: dt.datetime,
    at_work: AbstractSet[SessionId] = frozenset(),
    seen: Mapping[SessionId, TaskId | None] | None = None,
    *,
    ask_first: bool = False,
) -> Rebalanced:
    """Deal the agents of a pool anew and carry it out.

    `at_work` are the sessions that have a contact in hand: they leave after it, but for snoozed jobs, which
    lose them at once. With `ask_first` the others who must leave are told to as well, since they may have
    been given a contact meanwhile; they give their seats back themselves. `seen` is where the caller
    believes sessions to be attached: whatever differs is told. Recalculations are lazy (`return`, `idle`):
    nothing is recorded when nothing changes.
    """
    policy = licence_store.lock_pool(tx, pool_id) or Policy.WEIGHTED
    round_ = _Round(tx, rules, pool_id, now, at_work, ask_first=ask_first)
    dealt = round_.deal(policy)
    round_.ask(dealt)
    round_.lock(dealt)
    round_.let_leave(dealt)
    licences.settle_pool(tx, rules, pool_id, now)
    round_.seat(dealt)
    return round_.told(seen or {})


class _Round:
    """One rebalancing on its way."""

    def __init__(
        self,
        tx: Tx,
        rules: SharingRules,
        pool_id: PoolId,
        now: dt.datetime,
        at_work: AbstractSet[SessionId],
        *,
        ask_first: bool,
    ) -> None:
        self._ask_first = ask_first
        self._tx, self._rules, self._pool_id, self._now = tx, rules, pool_id, now
        self._sessions = {SessionId(row["id"]): row for row in _open_sessions(tx, pool_id, now)}
        self._tasks = {TaskId(row["id"]): row for row in store.agent_tasks(tx, pool_id)}
        states = frozenset(state.value for state in AT_WORK)
        self._busy = at_work | {number for number, row in self._sessions.items() if row["state"] in states}
        self._where = {number: _task(row) for number, row in self._sessions.items()}
        self._proficiency: dict[SessionId, int] = {}
        self._changes: dict[SessionId, SeatChange] = {}
        self._refused: dict[SessionId, str] = {}

    def deal(self, policy: Policy) -> Dealt:
        """Return who should work where."""
        skills = agents_store.skills_by_agent(
            self._tx, sorted({row["agent_id"] for row in self._sessions.values()})
        )
        tasks = [_working_task(self._tx, row) for row in self._tasks.values() if _competes(row)]
        agents = [
            _working_agent(row, skills.get(row["agent_id"], {}))
            for number, row in self._sessions.items()
            if self._can_be_dealt(number, row)
        ]
        known = {task.id: task for task in tasks}
        for agent in agents:
            if agent.task_id in known:
                self._proficiency[agent.id] = agent.proficiency(known[agent.task_id])
        return deal(licence_store.pool_counts(self._tx, self._pool_id), tasks, agents, policy)

    def ask(self, dealt: Dealt) -> None:
        """Write what tasks ask for, and let quotas follow."""
        wanted = {int(task): dealt.asking.get(task, 0) for task in self._tasks}
        before = {int(task): int(row["asking"]) for task, row in self._tasks.items()}
        changed = {task: units for task, units in wanted.items() if units != before[task]}
        store.set_asking(self._tx, changed)
        behind = any(
            row["standing"] == Standing.WAITING.value or row["quota"] < wanted[task]
            for task, row in self._tasks.items()
            if _competes(row)
        )
        if not changed and not behind:
            return
        more = any(units > before[task] for task, units in changed.items()) or not changed
        first = min(changed, default=None)
        licences.recalculate_pool(
            self._tx,
            self._rules,
            self._pool_id,
            self._now,
            Trigger.RETURN if more else Trigger.IDLE,
            task_id=None if first is None else TaskId(first),
            cause="agents came, or are free" if more else "agents left, or are wanted elsewhere",
        )
        self._read_tasks()

    def lock(self, dealt: Dealt) -> None:
        """Lock the sessions that may change, by id: whoever writes sessions down does so in that order."""
        placed = dealt.task_of()
        touched = [
            number
            for number, task_id in self._where.items()
            if task_id != placed.get(number) or self._sessions[number]["attachment"] in LEAVING
        ]
        store.lock_sessions(self._tx, sorted(touched))

    def let_leave(self, dealt: Dealt) -> None:
        """Give back the seats of those who must leave, the least proficient first; or after their contact."""
        placed = dealt.task_of()
        staying = Counter(
            self._where[number] for number, row in self._sessions.items() if row["attachment"] not in LEAVING
        )
        for number in sorted(self._sessions, key=lambda each: (self._proficiency.get(each, 0), -each)):
            row = self._sessions[number]
            task_id = self._where[number]
            if task_id is None:
                continue
            task = self._tasks.get(task_id)
            if task is None or task["job_state"] == JobState.SNOOZED.value:
                self._release(number, "the job is gone" if task is None else f"job {_label(task)} is snoozed")
            elif row["attachment"] in LEAVING:
                if number not in self._busy:
                    self._release(number, row["pending_why"])
            elif not _competes(task):
                self._let_go(number, _over(task))
            elif placed.get(number) != task_id and self._must_go(task_id, placed.get(number), staying):
                staying[task_id] -= 1
                staying[placed.get(number)] += 1
                self._let_go(number, self._why(number, dealt, task))

    def seat(self, dealt: Dealt) -> None:
        """Attach free sessions where they were dealt, as far as seats are granted."""
        for task_id, members in dealt.agents.items():
            for number in members:
                if self._where[number] is not None:
                    continue
                task = self._tasks[task_id]
                if charging.take(self._tx, self._sessions[number], task_id, self._now):
                    self._where[number] = task_id
                    self._note(number, task_id, f"job {_label(task)}")
                else:
                    self._refused[number] = (
                        f"no seat yet for job {_label(task)}: it waits for seats that others still have"
                    )
        for number, left in dealt.left.items():
            if self._where[number] is None:
                self._refused[number] = left.reason

    def told(self, seen: Mapping[SessionId, TaskId | None]) -> Rebalanced:
        """Return what changed, with what the caller did not know."""
        for number, believed in seen.items():
            found = self._where.get(number)
            if believed != found and number not in self._changes and number in self._sessions:
                self._changes[number] = SeatChange(
                    number, believed, found, self._licence(found, believed), "seats were dealt anew"
                )
        return Rebalanced(tuple(self._changes.values()), self._refused)

    def _can_be_dealt(self, number: SessionId, row: Row) -> bool:
        """Return whether an agent can be used: it rests not, leaves not, and is on no old call."""
        if row["attachment"] in LEAVING:
            return False
        if self._where[number] is None:
            return row["state"] == AgentState.READY.value and number not in self._busy
        return True

    def _must_go(self, task_id: TaskId, to: TaskId | None, staying: Counter[TaskId | None]) -> bool:
        """Return whether a session has to leave: its task has too many, or another task has a seat for it."""
        if staying[task_id] > self._tasks[task_id]["quota"]:
            return True
        return to is not None and staying[to] < self._tasks[to]["quota"]

    def _why(self, number: SessionId, dealt: Dealt, task: Row) -> str:
        to = dealt.task_of().get(number)
        if to is not None:
            return f"job {_label(self._tasks[to])} needs you"
        left = dealt.left.get(number)
        return f"job {_label(task)} has fewer seats now" if left is None else left.reason

    def _let_go(self, number: SessionId, why: str) -> None:
        if number not in self._busy and not self._ask_first:
            self._release(number, why)
            return
        row, task_id = self._sessions[number], self._where[number]
        if row["attachment"] in LEAVING:
            return
        store.set_seat(self._tx, number, task_id, Attachment.DETACHING.value, why)
        self._changes[number] = SeatChange(
            number, task_id, None, self._licence(task_id, None), why, leaving=True
        )

    def _release(self, number: SessionId, why: str) -> None:
        charging.give_back(self._tx, self._sessions[number], self._now, why)
        self._note(number, None, why)
        self._where[number] = None

    def _note(self, number: SessionId, to: TaskId | None, reason: str) -> None:
        before = _task(self._sessions[number])
        self._changes[number] = SeatChange(number, before, to, self._licence(to, before), reason)

    def _licence(self, first: TaskId | None, second: TaskId | None) -> LicenceKind | None:
        for task_id in (first, second):
            if task_id is not None and task_id in self._tasks:
                return LicenceKind(self._tasks[task_id]["kind"])
        return None

    def _read_tasks(self) -> None:
        self._tasks = {TaskId(row["id"]): row for row in store.agent_tasks(self._tx, self._pool_id)}


def _open_sessions(tx: Tx, pool_id: PoolId, now: dt.datetime) -> list[Row]:
    """Return the sessions of a pool; close those that had logged out when the system stopped.

    The floor does not know those any more.
    """
    kept = []
    for row in store.open_sessions(tx, pool_id=pool_id):
        if row["state"] == AgentState.LOGGED_OUT.value and now - row["since"] > CLOSED_WITHIN:
            charging.close(tx, row, now, charging.LEFT_OVER)
        else:
            kept.append(row)
    return kept


def _competes(task: Row) -> bool:
    return bool(task["standing"] != Standing.OUT.value)


def _over(task: Row) -> str:
    if task["job_state"] == JobState.RUNNING.value:
        return f"job {_label(task)} has no licences here any more"
    return f"job {_label(task)} is {task['job_state']}"


def _label(task: Row) -> str:
    return f"{task['campaign']} / {task['action']}"


def _task(row: Row) -> TaskId | None:
    return None if row["task_id"] is None else TaskId(row["task_id"])


def _working_agent(row: Row, skills: Mapping[str, int]) -> WorkingAgent:
    return WorkingAgent(
        id=SessionId(row["id"]),
        skills=skills,
        campaigns=tuple(row["preferred_campaigns"]),
        task_id=_task(row),
        pinned=row["task_id"] is not None and bool(row["pinned"] or row["next_task"]),
    )


def _working_task(tx: Tx, row: Row) -> WorkingTask:
    settings = _parsed(campaigns.strategy(tx, row["strategy_id"], None).source).action(row["action"]).agents
    return WorkingTask(
        id=TaskId(row["id"]),
        label=_label(row),
        kind=LicenceKind(row["kind"]),
        minimum=row["minimum"],
        maximum=row["maximum"],
        priority=row["priority"],
        campaign_id=row["campaign_id"],
        started=row["started"],
        running=row["standing"] == Standing.ADMITTED.value,
        skills={} if settings is None else settings.skills,
    )


@lru_cache(maxsize=200)
def _parsed(source: str) -> Strategy:
    """Parse a document once: the seats of a pool are dealt again and again."""
    return parse_strategy(source)
