"""Giving callbacks to agents: whoever is free gets what is due as a card, one transaction for all of it.

The floor's dial loops call `is_due` often and `give` when something is. What becomes of a card or its call
is settled with its result (`dialing/promises.py`): whatever dies in between, the callback is open still.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from outrider.callbacks import service, store
from outrider.callbacks.model import OVERDUE, Callback, FreeAgent, assign
from outrider.campaigns.strategy_agents import CallbackState
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.db.database import Tx
from outrider.dialing import agent_claims, agent_store
from outrider.dialing import store as dialing_store
from outrider.dialing.attempt import Claim, Means, Refusal, TaskPlan
from outrider.dialing.claiming import UNBOUNDED
from outrider.ids import ContactId
from outrider.jobs import store as job_store
from outrider.licences import store as licence_store
from outrider.licences.service import SharingRules

AT_ONCE = 200
"""Callbacks that are looked at together."""

REFUSED_FOR = dt.timedelta(seconds=30)
"""How long one rests that could not be given just now (no port, the contact is being called)."""


@dataclass(frozen=True, slots=True)
class Given:
    """A callback that an agent's session gets to see as a card: the claim of its contact."""

    callback: Callback
    session_id: int
    claim: Claim


def is_due(tx: Tx, plan: TaskPlan, free: Sequence[FreeAgent], now: dt.datetime) -> bool:
    """Return whether `give` would do anything: a read, for asking often."""
    if store.expiring(tx, plan.campaign_id, now):
        return True
    return bool(_due(tx, plan, free, now))


def give(
    tx: Tx,
    rules: SharingRules,
    plan: TaskPlan,
    free: Sequence[FreeAgent],
    owner: str,
    now: dt.datetime,
    means: Means = UNBOUNDED,
) -> list[Given]:
    """Claim the contacts of callbacks that are due in the task's campaign and zone for agents who are free.

    `free` are those who work for the task, longest idle first. Only do-not-contact lists stop a callback
    (then it is cancelled, as for a deleted contact); one that cannot be given now rests for a while.
    """
    licence_store.lock_pools(tx, job_store.pool_ids(tx, plan.job_id))
    service.expire(tx, plan.campaign_id, now)
    given = []
    for callback, agent in _due(tx, plan, free, now):
        if not store.lock(tx, callback.id):
            continue
        impossible = _impossible(tx, callback)
        if impossible:
            service.close(tx, now, callback, impossible, "")
            continue
        claim, again_at = _claim(tx, rules, plan, callback, agent, owner, now, means)
        if claim is None:
            store.change(tx, callback.id, {"retry_at": max(again_at or now, now + REFUSED_FOR)})
            continue
        queued = {"state": CallbackState.QUEUED.value, "given_attempt": claim.attempt_id, "retry_at": None}
        if not store.change(tx, callback.id, queued):
            raise RuntimeError(f"callback {callback.id}: it changed although its row is locked")
        given.append(Given(callback, agent.session_id, claim))
    return given


def _due(
    tx: Tx, plan: TaskPlan, free: Sequence[FreeAgent], now: dt.datetime
) -> list[tuple[Callback, FreeAgent]]:
    if not free:
        return []
    agents = [each.agent_id for each in free]
    due = store.due(tx, plan.campaign_id, plan.zone_id, agents, now, now - OVERDUE, AT_ONCE)
    return assign(due, free, now)


def _claim(
    tx: Tx,
    rules: SharingRules,
    plan: TaskPlan,
    callback: Callback,
    agent: FreeAgent,
    owner: str,
    now: dt.datetime,
    means: Means,
) -> tuple[Claim | None, dt.datetime | None]:
    """Return the claim of a callback's contact, or else when to try again (None: soon)."""
    contact_id = ContactId(callback.contact_id)
    dialing_store.task(tx, plan.task_id)
    if agent_store.target(tx, plan.job_id, contact_id) is None:
        agent_store.add_target(tx, plan.job_id, plan.task_id, contact_id, now)
    found = agent_claims.take_contact(
        tx,
        rules,
        plan,
        contact_id,
        owner,
        now,
        means,
        session_id=agent.session_id,
        server_id=agent.server_id,
        address=callback.address,
        preview=True,
        promised=True,
    )
    if isinstance(found, Refusal):
        return None, found.again_at
    return (found.claims[0], None) if found.claims else (None, found.again_at)


def _impossible(tx: Tx, callback: Callback) -> str:
    """Return why a callback can never be kept, "" when it can."""
    if not store.is_contact(tx, callback.contact_id):
        return "the contact was deleted"
    if do_not_contact.blocked(tx, callback.organization_id, [callback.address]):
        return "the number is on a do-not-contact list"
    return ""
