"""The recorder's batches: results and wrap-ups, in the order in which they happened, in one transaction.

Only `runtime/recorder.py` and the simulator call it.
"""

import datetime as dt
from collections.abc import Sequence

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
    # Results first: what was said of an attempt follows its result, and is settled at once then.
    pools = results.record(tx, rules, [each for each in batch if isinstance(each, Result)], now)
    wrap_ups.complete_all(tx, rules, done, now)
    return pools
