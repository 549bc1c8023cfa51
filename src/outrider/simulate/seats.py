"""Seats on the memory database: dealt, taken, moved and given back, each in one transaction (licensing.md 6).

Who works for what is `agents/dealing.py`'s answer; the units are those of `sharing`. The worker calls it, and
its floor follows what is answered here.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from outrider.agents.dealing import Dealt, deal
from outrider.agents.model import AgentState, SessionId
from outrider.agents.seat_transfer import Shortage, with_one_more
from outrider.agents.working import WorkingAgent, WorkingTask
from outrider.ids import TaskId
from outrider.licences.model import Standing, Trigger
from outrider.simulate import sharing
from outrider.simulate.memory import Memory
from outrider.simulate.rows import SessionRow, TaskRow


@dataclass(slots=True)
class Rebalanced:
    """What a dealing has done: seats taken, given back, wanted back after the contact in hand; refusals."""

    given: list[tuple[SessionId, TaskId]] = field(default_factory=list)
    released: list[tuple[SessionId, str]] = field(default_factory=list)
    leaving: list[tuple[SessionId, str]] = field(default_factory=list)
    refused: dict[SessionId, str] = field(default_factory=dict)


def rebalance(memory: Memory, at_work: Collection[SessionId]) -> Rebalanced:
    """Deal the agents anew; those `at_work` have a contact in hand, and leave after it.

    In the order of `agents/rebalancing.py`: ask, let leave, settle, seat. Repeating it changes nothing.
    """
    dealt = _deal(memory, at_work)
    _ask(memory, dealt)
    done = Rebalanced()
    _let_leave(memory, dealt, at_work, done)
    sharing.settle(memory)
    for task_id, members in dealt.agents.items():
        task = memory.tasks[task_id]
        for number in members:
            row = memory.sessions[number]
            if row.task_id is not None:
                continue
            if task.in_use < task.granted:
                row.task_id = task_id
                task.in_use += 1
                done.given.append((number, task_id))
            else:
                done.refused[number] = "no seat yet: it waits for seats that others still have"
    for number, left in dealt.left.items():
        if memory.sessions[number].task_id is None:
            done.refused[number] = left.reason
    return done


def _let_leave(memory: Memory, dealt: Dealt, at_work: Collection[SessionId], done: Rebalanced) -> None:
    """Give back the seats of those who must leave, now or after the contact in hand."""
    place = dealt.task_of()
    staying = Counter(row.task_id for row in memory.sessions.values() if not row.leaving)
    for number, row in sorted(memory.sessions.items(), reverse=True):
        if row.task_id is None:
            continue
        task, to = memory.tasks[row.task_id], place.get(number)
        left = dealt.left.get(number)
        why = "another job needs you" if left is None else left.reason
        if row.leaving:
            if number not in at_work:
                _free(memory, row)
                done.released.append((number, why))
            continue
        over = task.standing is Standing.OUT
        crowded = staying[row.task_id] > task.quota
        wanted = to is not None and staying[to] < memory.tasks[to].quota
        if not over and (to == row.task_id or not (crowded or wanted)):
            continue
        staying[row.task_id] -= 1
        staying[to] += 1
        if number in at_work:
            row.leaving = True
            done.leaving.append((number, why))
        else:
            _free(memory, row)
            done.released.append((number, why))


def release(memory: Memory, session_id: SessionId) -> bool:
    """Give a session's seat back; False when it has none (any more)."""
    row = memory.sessions.get(session_id)
    if row is None or row.task_id is None:
        return False
    _free(memory, row)
    sharing.settle(memory)
    return True


def move(memory: Memory, session_id: SessionId, task_id: TaskId) -> str:
    """Move a seat to another task in one step; "" or why not, and then nothing has changed."""
    row = memory.sessions.get(session_id)
    if row is None:
        return "the session is over"
    giver = None if row.task_id is None else memory.tasks[row.task_id]
    task = memory.tasks[task_id]
    states = [each.state() for each in memory.tasks.values() if each.is_for_agents]
    label = task.plan.strategy.name
    found = with_one_more(
        memory.counts, states, str(task_id), label, None if giver is None else str(row.task_id)
    )
    if isinstance(found, Shortage):
        return found.reason
    for each in memory.tasks.values():
        if str(each.plan.task_id) in found:
            each.take(found[str(each.plan.task_id)])
    if giver is not None:
        giver.in_use -= 1
        giver.asking = max(0, giver.asking - 1)
    task.in_use += 1
    task.asking += 1
    row.task_id, row.pinned, row.leaving = task_id, True, False
    sharing.settle(memory)
    return ""


def close(memory: Memory, session_id: SessionId) -> None:
    """End a session: its seat goes back. Nothing happens when it is over."""
    release(memory, session_id)
    memory.sessions.pop(session_id, None)


def _deal(memory: Memory, at_work: Collection[SessionId]) -> Dealt:
    tasks = [
        _working(task)
        for task in memory.tasks.values()
        if task.is_for_agents and task.standing is not Standing.OUT
    ]
    agents = [
        WorkingAgent(number, row.session.skills, row.campaigns, row.task_id, row.pinned)
        for number, row in memory.sessions.items()
        if not row.leaving and (row.task_id is not None or _is_idle(row, number in at_work))
    ]
    return deal(memory.counts, tasks, agents, memory.policy)


def _is_idle(row: SessionRow, works: bool) -> bool:  # noqa: FBT001 - its only meaning
    return row.session.state is AgentState.READY and not works


def _working(task: TaskRow) -> WorkingTask:
    settings = task.plan.action.agents
    return WorkingTask(
        task.plan.task_id,
        task.plan.strategy.name,
        task.kind,
        task.minimum,
        task.maximum,
        task.priority,
        task.plan.campaign_id,
        task.started,
        running=task.standing is Standing.ADMITTED,
        skills={} if settings is None else settings.skills,
    )


def _ask(memory: Memory, dealt: Dealt) -> None:
    """Let every task ask for as many seats as it was dealt agents, and quotas follow."""
    changed: list[TaskRow] = []
    more = behind = False
    for task in memory.tasks.values():
        if not task.is_for_agents:
            continue
        asking = dealt.asking.get(task.plan.task_id, 0)
        if asking != task.asking:
            more = more or asking > task.asking
            changed.append(task)
        task.asking = asking
        competes = task.standing is not Standing.OUT
        behind = behind or (competes and (task.standing is Standing.WAITING or task.quota < asking))
    if changed or behind:
        trigger = Trigger.RETURN if more or not changed else Trigger.IDLE
        sharing.run(memory, trigger, changed[0] if changed else None)


def _free(memory: Memory, row: SessionRow) -> None:
    if row.task_id is not None:
        memory.tasks[row.task_id].in_use -= 1
        row.task_id, row.pinned, row.leaving = None, False, False
