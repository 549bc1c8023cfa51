"""Results: what attempts have come to, written in batches, with everything that follows from them.

The worker's recorder calls it. One transaction closes the attempts, moves their targets on, gives units
and ports back, grants them to whoever is owed some, counts, and finishes the jobs that are done.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from outrider.db.database import Tx
from outrider.dialing import (
    abandonment,
    agent_store,
    opting_out,
    promises,
    receipts,
    store,
    submissions,
    wrap_ups,
)
from outrider.dialing.attempt import Result
from outrider.dialing.moves import Moves
from outrider.dialing.retry import Decision, Reinstated, Retry, decide
from outrider.dialing.targets import Told
from outrider.ids import AttemptId, PoolId
from outrider.jobs import store as job_store
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.licences.service import SharingRules
from outrider.media import placing
from outrider.speech import service as speech
from outrider.texting import store as texting


def record(tx: Tx, rules: SharingRules, results: Sequence[Result], now: dt.datetime) -> frozenset[PoolId]:
    """Write results; return the pools in which units became free.

    An attempt that was closed before (by this process or by one that took it over) is left as it is: its
    unit is given back once, whatever is repeated.
    """
    if any(submissions.is_kept(result) for result in results):
        texting.take_turn(tx)
    pools = {result.claim.plan.pool_id for result in results}
    # A job that ends here recalculates all of its pools, so they are all locked before anything else.
    jobs_of = {result.claim.plan.job_id for result in results}
    licence_store.lock_pools(tx, pools.union(*(job_store.pool_ids(tx, job_id) for job_id in jobs_of)))
    rows = store.open_attempts(tx, [result.claim.attempt_id for result in results])
    fresh = [result for result in results if result.claim.attempt_id in rows]
    if not fresh:
        return frozenset()
    store.close_attempts(tx, [_closing(result) for result in fresh])
    agent_store.note_agents(tx, [_agent(result) for result in fresh if result.joined_at is not None])
    unkept = promises.settle(tx, fresh)
    moves = Moves()
    freed: Counter[int] = Counter()
    for result in fresh:
        claim = result.claim
        only_seen = bool(rows[claim.attempt_id]["preview"])
        told = Told(
            result.outcome,
            result.disposition,
            claim.number - (only_seen and result.untried),
            attempt_id=claim.attempt_id,
            address_index=claim.address_index,
        )
        if claim.attempt_id in unkept:
            decision: Decision = _again(result)
        else:
            decision = _follow(result, only_seen=only_seen)
        moves.add(claim.plan, claim.target_id, decision, result.ended_at, told)
        # Agents are the units of their tasks: their sessions give those back.
        freed[claim.plan.task_id] += claim.plan.action.agents is None
    moves.write(tx, rules, now, freed)
    abandonment.count(tx, fresh)
    wrapped_up = [each for each in rows if rows[each]["wrapped_up_at"] is not None]
    wrap_ups.settle(tx, rules, [AttemptId(each) for each in wrapped_up], now)
    for result in fresh:
        if result.do_not_contact:
            opting_out.opt_out(tx, result.claim.plan, result.claim.address, opting_out.BY_KEY, now)
    for pool_id in sorted(pools):
        licences.settle_pool(tx, rules, pool_id, now)
    # News of a message may have been faster than its result.
    for attempt_id in submissions.record(tx, fresh, now):
        receipts.judge(tx, rules, attempt_id, now)
    _give_back(tx, fresh)
    return frozenset(pools)


def _follow(result: Result, *, only_seen: bool) -> Decision:
    """Return what follows a result; an attempt that was not even tried is made again, and costs no retry.

    `only_seen`: it was a card that an agent looked at, and gave back.
    """
    claim = result.claim
    if claim.ended_before is not None and (result.untried or only_seen):
        return Reinstated(claim.ended_before.outcome, claim.ended_before.disposition)
    if result.untried:
        return _again(result)
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


def _again(result: Result) -> Retry:
    """Return that the contact is due again: a promise to it holds it back from now on, if there is one."""
    claim = result.claim
    before = claim.counters
    if result.untried:
        before = replace(before, action_attempts=max(0, before.action_attempts - 1))
    return Retry(result.ended_at, claim.address_index, before)


def _give_back(tx: Tx, results: Sequence[Result]) -> None:
    """Give back the ports of media servers and the speech units that the calls had."""
    on_servers = [result.claim for result in results if result.claim.server_id is not None]
    if on_servers:
        speech.release(tx, [claim.attempt_id for claim in on_servers])
        placing.release(tx, Counter(claim.server_id for claim in on_servers if claim.server_id))


def _closing(result: Result) -> dict[str, object]:
    return {
        "attempt": result.claim.attempt_id,
        "answered": result.answered_at,
        "ended": result.ended_at,
        "result": result.outcome.value,
        "chosen": result.disposition,
        "words": result.detail,
    }


def _agent(result: Result) -> dict[str, object]:
    return {
        "attempt": result.claim.attempt_id,
        "agent": result.agent_id,
        "session": result.session_id,
        "joined": result.joined_at,
    }
