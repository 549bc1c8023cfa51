"""The recorder's batches: results and wrap-ups, in the order in which they happened, in one transaction.

Only `runtime/recorder.py` and the simulator call it.
"""

import datetime as dt
from collections.abc import Sequence
from itertools import groupby

from outrider.db.database import Tx
from outrider.dialing import results, store, wrap_ups
from outrider.dialing.attempt import Result
from outrider.dialing.wrap_ups import WrapUpDone
from outrider.ids import JobId, PoolId
from outrider.jobs import store as job_store
from outrider.licences import store as licence_store
from outrider.licences.service import SharingRules

Recorded = Result | WrapUpDone


def record_all(tx: Tx, rules: SharingRules, batch: Sequence[Recorded], now: dt.datetime) -> frozenset[PoolId]:
    """Write results, and what agents said of their contacts; return the pools that have something new.

    Each is written once, whatever is repeated. All pools are locked first, as every writer locks them.
    """
    done = [each for each in batch if isinstance(each, WrapUpDone)]
    if not done:
        return results.record(tx, rules, [each for each in batch if isinstance(each, Result)], now)
    jobs = {each.claim.plan.job_id for each in batch if isinstance(each, Result)}
    jobs.update(JobId(each) for each in store.jobs_of_attempts(tx, [one.attempt_id for one in done]))
    licence_store.lock_pools(tx, {pool for job_id in jobs for pool in job_store.pool_ids(tx, job_id)})
    pools: set[PoolId] = set()
    for is_result, group in groupby(batch, lambda each: isinstance(each, Result)):
        if is_result:
            pools |= results.record(tx, rules, [each for each in group if isinstance(each, Result)], now)
            continue
        for each in group:
            if isinstance(each, WrapUpDone):
                wrap_ups.complete(
                    tx, rules, each.attempt_id, each.code, each.note, each.agent_id, each.at, each.callback
                )
    return frozenset(pools)
