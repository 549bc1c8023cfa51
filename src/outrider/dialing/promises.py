"""Promises to call again: written with the wrap-ups in which they were made, settled with calls' results.

So none is lost, whatever dies in between. `wrap_ups.py` and `results.py` call it; the slice `callbacks` gives
them to agents when they are due.
"""

import datetime as dt
from collections.abc import Sequence

from outrider.agents.commands import Callback
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy_agents import CallbackKind, CallbackState
from outrider.db.database import Row, Tx
from outrider.dialing import promises_store as store
from outrider.dialing.attempt import Result, TaskPlan
from outrider.ids import AttemptId

RETRY_AFTER = dt.timedelta(minutes=5)
"""How long a promise rests that a call did not keep, or that its agent gave back."""

AGAIN_AFTER = dt.timedelta(seconds=30)
"""How long one rests that nobody has decided on: the agent was busy, away, or the process died."""

REPLACED = "a later promise took its place"

NOT_REACHED = frozenset(
    {Outcome.SKIPPED, Outcome.ABANDONED, Outcome.CONGESTION, Outcome.NO_RESOURCE, Outcome.INTERRUPTED}
)
"""Outcomes that keep no promise while its time lasts: nobody could say that it was tried in earnest."""


def make(
    tx: Tx, plan: TaskPlan, row: Row, callback: Callback, agent_id: int | None, now: dt.datetime
) -> dt.datetime:
    """Write a promise to the contact of an attempt; return when it expires.

    That is as said, or the strategy's time after it is due; it is to the number that was called, unless it
    says another. Of several promises to a contact the last holds.
    """
    expires_at = callback.expires_at
    if expires_at is None:
        life = 0.0 if plan.action.agents is None else plan.action.agents.callback_life
        expires_at = callback.at + dt.timedelta(seconds=life)
    store.replace_open(tx, plan.campaign_id, row["contact_id"], now, REPLACED)
    # Without an agent it can be nobody's but the campaign's.
    kind = callback.kind if agent_id is not None else CallbackKind.CAMPAIGN
    store.add(
        tx,
        {
            "organization_id": plan.organization_id,
            "campaign_id": plan.campaign_id,
            "contact_id": row["contact_id"],
            "target_id": row["target_id"],
            "attempt_id": row["id"],
            "address": callback.address or row["address"],
            "kind": kind.value,
            "agent_id": None if kind is CallbackKind.CAMPAIGN else agent_id,
            "due_at": callback.at,
            "expires_at": expires_at,
            "time_zone": callback.time_zone,
            "state": CallbackState.WAITING.value,
            "note": callback.note,
            "created_by": "" if agent_id is None else f"agent {agent_id}",
            "created_at": now,
        },
    )
    return expires_at


def expiry(tx: Tx, plan: TaskPlan, row: Row) -> dt.datetime | None:
    """Return when the promise that was made on an attempt expires; None when none was."""
    return store.promised_until(tx, plan.campaign_id, row["id"])


def settle(tx: Tx, results: Sequence[Result]) -> frozenset[AttemptId]:
    """Close the promises that these calls kept, and take the others back; return the attempts of those.

    A promise is kept by a call that reached somebody, or that was tried in earnest (busy, no answer: the
    strategy says what follows). One that was only looked at, could not be made, or found its agent gone is
    given again: after `AGAIN_AFTER` if nothing was tried, else after `RETRY_AFTER`. Once it is expired the
    contact is one like any other, whom the strategy's rules have from then on: only what a crash or a lost
    server cut off is given again.
    """
    own = [
        each
        for each in results
        if each.claim.session_id is not None and each.claim.plan.action.agents is not None
    ]
    promised = store.given(tx, [each.claim.attempt_id for each in own]) if own else {}
    unkept = set()
    for result in own:
        row = promised.get(result.claim.attempt_id)
        if row is None:
            continue
        expired = row["expires_at"] <= result.ended_at
        cut_off = result.untried or result.outcome is Outcome.INTERRUPTED
        if result.joined_at is None and (cut_off or (not expired and result.outcome in NOT_REACHED)):
            rest = AGAIN_AFTER if cut_off else RETRY_AFTER
            store.reopen(tx, row["id"], result.ended_at + rest)
            unkept.add(result.claim.attempt_id)
        else:
            kept = result.joined_at is not None or result.outcome not in NOT_REACHED
            state = CallbackState.DONE if kept else CallbackState.EXPIRED
            store.close(tx, row["id"], state, result.ended_at, result.outcome.value)
    return frozenset(unkept)
