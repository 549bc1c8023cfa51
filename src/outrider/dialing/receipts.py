"""What becomes of messages after they were handed over: receipts of texts, bounces of mails.

The news loops of `runtime/` call it. A contact that waits for its message's fate moves on by it; later
news only corrects the attempt's outcome.
"""

import datetime as dt
from collections.abc import Sequence

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import ReceiptState, TextReceipt
from outrider.db.database import Tx
from outrider.dialing import plans, store
from outrider.dialing.moves import Moves
from outrider.dialing.retry import decide
from outrider.dialing.targets import Told, counters_of
from outrider.ids import AttemptId, JobId
from outrider.jobs import store as job_store
from outrider.licences import store as licence_store
from outrider.licences.service import SharingRules
from outrider.texting import store as texting

LOST_RECEIPTS = dt.timedelta(days=7)
"""How far back a receipt without a known message id is matched by its reference."""

REFUSALS = frozenset(
    {ReceiptState.EXPIRED, ReceiptState.DELETED, ReceiptState.UNDELIVERABLE, ReceiptState.REJECTED}
)


def take(tx: Tx, rules: SharingRules, news: Sequence[TextReceipt], now: dt.datetime) -> None:
    """Take receipts of texts; those of messages that are not known (yet) are kept."""
    if not news:
        return
    texting.take_turn(tx)
    touched: dict[AttemptId, None] = {}
    for receipt in news:
        attempt_id = find(tx, receipt, now)
        if attempt_id is None:
            texting.add_news(tx, receipt)
        else:
            touched[attempt_id] = None
    jobs = sorted(store.jobs_of_attempts(tx, list(touched)))
    licence_store.lock_pools(tx, {pool for job in jobs for pool in job_store.pool_ids(tx, job)})
    for attempt_id in touched:
        judge(tx, rules, attempt_id, now)


def find(tx: Tx, receipt: TextReceipt, now: dt.datetime) -> AttemptId | None:
    """Note what a receipt says of its part, and return the message's attempt; None when it is not known.

    A message whose ids were lost with the answer is found by the reference that the receipt echoes.
    """
    attempt_id = texting.set_part(tx, receipt)
    if attempt_id is not None:
        return attempt_id
    attempt_id = texting.by_reference(tx, receipt, now - LOST_RECEIPTS)
    if attempt_id is not None and not texting.set_only_part(tx, attempt_id, receipt):
        part = {
            "connection": receipt.connection,
            "remote_id": receipt.remote_id,
            "attempt_id": attempt_id,
            "state": receipt.state.value,
        }
        texting.add_parts(tx, [part])
    return attempt_id


def judge(tx: Tx, rules: SharingRules, attempt_id: AttemptId, now: dt.datetime) -> None:
    """Decide a text's fate once all of its parts are settled: delivered, or refused in part or whole.

    Of a text whose submission was lost half way, all segments must be known to have arrived.
    """
    states = texting.part_states(tx, attempt_id)
    refused = sorted(state.value for state in states if state in REFUSALS)
    if refused:
        settle(tx, rules, attempt_id, Outcome.UNDELIVERED, f"the receipt says {refused[0]}", now)
    elif (
        states
        and all(state is ReceiptState.DELIVERED for state in states)
        and len(states) >= texting.parts_expected(tx, attempt_id)
    ):
        settle(tx, rules, attempt_id, Outcome.DELIVERED, "", now)


def settle(
    tx: Tx, rules: SharingRules, attempt_id: AttemptId, outcome: Outcome, detail: str, now: dt.datetime
) -> bool:
    """Correct a message's outcome, and move its contact on if it waits for that; say whether it did.

    Nothing happens to a message that has this outcome already.
    """
    row = store.awaited(tx, attempt_id)
    task = None if row is None else store.task_row(tx, row["task_id"])
    if row is None or task is None or row["outcome"] in (None, outcome.value):
        return False
    licence_store.lock_pools(tx, job_store.pool_ids(tx, JobId(task["job_id"])))
    # A claim may have ended the wait meanwhile: then the contact has moved on.
    row = store.lock_awaited(tx, attempt_id)
    if row is None or row["outcome"] in (None, outcome.value):
        return False
    store.set_outcome(tx, attempt_id, outcome.value, detail)
    plan = plans.plan_of(tx, task)
    earlier = Outcome(row["outcome"])
    if row["awaiting"] != attempt_id:
        job_store.add_outcomes(
            tx, {(plan.task_id, earlier.value): (-1, 0), (plan.task_id, outcome.value): (1, 0)}
        )
        return False
    decision = decide(
        plan.strategy,
        plan.action.name,
        counters_of(row["counters"], row["attempts"]),
        outcome,
        now,
        row["address_index"],
        plans.addresses(tx, plan, row["contact_id"]),
        awaited=True,
    )
    moves = Moves()
    moves.add(plan, row["target_id"], decision, now, Told(outcome, attempts=row["attempts"], earlier=earlier))
    moves.write(tx, rules, now)
    return True
