"""Results: what attempts have come to, written in batches, with everything that follows from them.

The worker's recorder calls it. One transaction closes the attempts, moves their targets on, gives units
back, grants them to whoever is owed some, counts, and finishes the jobs that are done.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from outrider.db.database import Tx
from outrider.dialing import store
from outrider.dialing.attempt import Result, TaskPlan
from outrider.dialing.retry import Decision, Final, NextAction, Retry, decide
from outrider.dialing.targets import target_row
from outrider.ids import JobId, PoolId
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.licences.service import SharingRules


def record(tx: Tx, rules: SharingRules, results: Sequence[Result], now: dt.datetime) -> frozenset[PoolId]:
    """Write results; return the pools in which units became free.

    An attempt that was closed before (by this process or by one that took it over) is left as it is: its
    unit is given back once, whatever is repeated.
    """
    pools = {result.claim.plan.pool_id for result in results}
    # A job that ends here recalculates all of its pools, so they are all locked before anything else.
    jobs_of = {result.claim.plan.job_id for result in results}
    licence_store.lock_pools(tx, pools.union(*(job_store.pool_ids(tx, job_id) for job_id in jobs_of)))
    open_ids = store.open_attempts(tx, [result.claim.attempt_id for result in results])
    fresh = [result for result in results if result.claim.attempt_id in open_ids]
    if not fresh:
        return frozenset()
    store.close_attempts(tx, [_closing(result) for result in fresh])
    targets = []
    freed: Counter[int] = Counter()
    left: Counter[int] = Counter()
    outcomes: dict[tuple[int, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    ended: dict[JobId, _Ended] = {}
    for result in fresh:
        claim, plan = result.claim, result.claim.plan
        decision = _decide(result)
        targets.append(
            target_row(plan, claim.target_id, decision, result.ended_at, claim.number, result.outcome)
        )
        freed[plan.task_id] += 1
        if isinstance(decision, Final):
            left[plan.task_id] -= 1
            ended.setdefault(plan.job_id, _Ended(plan)).add(decision)
        elif isinstance(decision, NextAction):
            left[plan.task_id] -= 1
            left[plan.task_of[decision.name]] += 1
        key = (plan.task_id, result.outcome.value)
        attempts, finals = outcomes[key]
        outcomes[key] = (attempts + 1, finals + isinstance(decision, Final))
    store.set_targets(tx, sorted(targets, key=lambda row: int(str(row["target"]))))
    for task_id in sorted(freed.keys() | left.keys()):
        store.release(tx, task_id, freed[task_id], left[task_id])
    job_store.add_outcomes(tx, outcomes)
    for job_id, finals_of in sorted(ended.items()):
        jobs.count_finals(tx, rules, job_id, finals_of.plan.strategy, finals_of.done, finals_of.goal, now)
    for pool_id in sorted(pools):
        licences.settle_pool(tx, rules, pool_id, now)
    return frozenset(pools)


def _decide(result: Result) -> Decision:
    """Return what follows a result; an attempt that was not even tried is made again, and costs no retry."""
    claim = result.claim
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
    )


class _Ended:
    """How many targets of one job ended in a batch, and how many of them count for its goal."""

    def __init__(self, plan: TaskPlan) -> None:
        self.plan = plan
        self.done = 0
        self.goal = 0

    def add(self, decision: Final) -> None:
        goal = self.plan.strategy.goal
        self.done += 1
        self.goal += goal is not None and goal.outcome is decision.outcome


def _closing(result: Result) -> dict[str, object]:
    return {
        "attempt": result.claim.attempt_id,
        "answered": result.answered_at,
        "ended": result.ended_at,
        "result": result.outcome.value,
        "words": result.detail,
    }
