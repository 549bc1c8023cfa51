"""Results and completion codes on the memory database: attempts closed, units given back, contacts moved on.

As `dialing/results.py` and `dialing/wrap_ups.py` do it, with the same pure decisions (`dialing/retry`). The
worker calls `record` with a batch; whatever is repeated changes nothing.
"""

import datetime as dt
import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from outrider.campaigns.finish import finished
from outrider.campaigns.outcome import Outcome
from outrider.dialing.abandonment import COUNTED_AS
from outrider.dialing.attempt import Result
from outrider.dialing.retry import AwaitNews, Decision, Final, NextAction, Reinstated, Retry, decide
from outrider.ids import AttemptId
from outrider.simulate import sharing
from outrider.simulate.memory import Memory
from outrider.simulate.rows import DONE, DUE, AttemptRow, JobRow, TargetRow


@dataclass(frozen=True, slots=True)
class WrapUp:
    """What an agent said of an attempt; `code` None: nothing."""

    attempt_id: AttemptId
    code: str | None
    at: dt.datetime


def record(memory: Memory, batch: Sequence[Result | WrapUp]) -> None:
    """Write results and wrap-ups in their order, and grant what came free."""
    results = [each for each in batch if isinstance(each, Result)]
    for result in fresh_of(memory, results):
        _close(memory, result)
    for each in batch:
        if isinstance(each, WrapUp):
            _wrap_up(memory, each)
    sharing.settle(memory)


def give_back(memory: Memory, result: Result) -> None:
    """Write that a card was given back without a call."""
    record(memory, [result])


def fresh_of(memory: Memory, results: Iterable[Result]) -> list[Result]:
    """Return the results of attempts that are open: others were closed before, and gave their unit back."""
    return [result for result in results if result.claim.attempt_id in memory.attempts]


def time_out(memory: Memory, code_of: dict[int, str | None]) -> None:
    """Settle contacts whose completion code did not come in time, by their task's default code."""
    for task in memory.tasks.values():
        while task.waits and task.waits[0][0] <= memory.agenda.us:
            until, _, target = heapq.heappop(task.waits)
            attempt_id = target.awaiting
            if attempt_id is None or target.next_at != until:
                continue
            _wrap_up(memory, WrapUp(attempt_id, code_of.get(task.plan.task_id), memory.agenda.now()))


def _close(memory: Memory, result: Result) -> None:
    claim = result.claim
    row = memory.attempts.pop(claim.attempt_id, None)
    task = memory.tasks[claim.plan.task_id]
    if row is None:
        row = AttemptRow(claim, TargetRow(0, claim.contact, claim.plan.task_id, 0), "", preview=False)
    if not task.is_for_agents:
        task.in_use -= 1
    memory.servers[claim.server].in_use -= 1
    _count(memory, result)
    decision = _follow(result, only_seen=row.preview)
    _move(memory, row.target, decision, result.outcome, claim.attempt_id)
    if memory.on_closed is not None:
        memory.on_closed(row, result.outcome, result.detail)


def _follow(result: Result, *, only_seen: bool) -> Decision:
    """Return what follows, as `dialing/results.py`: what was not even tried costs nothing."""
    claim = result.claim
    if claim.ended_before is not None and (result.untried or only_seen):
        return Reinstated(claim.ended_before.outcome, claim.ended_before.disposition)
    if result.untried:
        before = replace(claim.counters, action_attempts=max(0, claim.counters.action_attempts - 1))
        return Retry(result.ended_at, claim.address_index, before)
    return decide(
        claim.plan.strategy,
        claim.plan.action.name,
        claim.counters,
        result.outcome,
        result.ended_at,
        claim.address_index,
        claim.addresses,
        disposition=result.disposition,
        talked=result.joined_at is not None,
    )


def _wrap_up(memory: Memory, done: WrapUp) -> None:
    """Let a contact who awaited its code go on."""
    target = memory.awaiting.pop(done.attempt_id, None)
    if target is None or target.awaiting != done.attempt_id:
        return
    target.awaiting = None
    task = memory.tasks[target.task_id]
    outcome = target.outcome or Outcome.ANSWERED
    decision = decide(
        task.plan.strategy,
        task.plan.action.name,
        target.counters,
        outcome,
        done.at,
        target.address_index,
        1,
        disposition=done.code,
        awaited=True,
    )
    _move(memory, target, decision, outcome, done.attempt_id, done.code)


def _move(
    memory: Memory,
    target: TargetRow,
    decision: Decision,
    outcome: Outcome,
    attempt_id: AttemptId,
    code: str | None = None,
) -> None:
    """Write what a decision makes of a contact."""
    task = memory.tasks[target.task_id]
    target.state, target.outcome = DUE, outcome
    match decision:
        case Retry(at, index, counters):
            target.next_at, target.address_index = memory.agenda.us_of(at), index
            target.counters = counters
            heapq.heappush(task.due, (target.next_at, target.id, target))
        case NextAction(name, at, counters):
            task.contacts_left -= 1
            target.task_id = task.plan.task_of[name]
            other = memory.tasks[target.task_id]
            other.contacts_left += 1
            target.next_at, target.counters = memory.agenda.us_of(at), counters
            heapq.heappush(other.due, (target.next_at, target.id, target))
        case AwaitNews(until, counters):
            target.next_at, target.counters = memory.agenda.us_of(until), counters
            target.awaiting = attempt_id
            memory.awaiting[attempt_id] = target
            heapq.heappush(task.waits, (target.next_at, target.id, target))
        case Final() | Reinstated():
            target.state, target.outcome = DONE, decision.outcome
            task.contacts_left -= 1
            _end_contact(memory, memory.jobs[task.plan.job_id], decision.outcome, code)


def _end_contact(memory: Memory, job: JobRow, outcome: Outcome, code: str | None) -> None:
    """Count a contact that ended; a job whose contacts are done, or whose criterion holds, is over."""
    job.finals[outcome] = job.finals.get(outcome, 0) + 1
    if code is not None:
        job.finals_by_disposition[code] = job.finals_by_disposition.get(code, 0) + 1
    if job.state != "running":
        return
    strategy, now = job.tasks[0].plan.strategy, memory.agenda.now()
    criteria = strategy.goal is not None or strategy.finish.outcomes or strategy.finish.dispositions
    met = criteria and finished(strategy, job.finals, job.finals_by_disposition, now, now) is not None
    if met or all(task.contacts_left <= 0 for task in job.tasks):
        sharing.stop_job(memory, job, "finished")


def _count(memory: Memory, result: Result) -> None:
    task_id = result.claim.plan.task_id
    memory.outcomes.setdefault(task_id, Counter())[result.outcome] += 1
    counted = COUNTED_AS.get(result.outcome)
    if counted is None or result.claim.plan.action.agents is None:
        return
    days = memory.abandonment.setdefault(result.claim.plan.campaign_id, {})
    day = (result.answered_at or result.ended_at).date()
    live, abandoned, machines = days.get(day, (0, 0, 0))
    days[day] = (live + counted[0], abandoned + counted[1], machines + counted[2])
