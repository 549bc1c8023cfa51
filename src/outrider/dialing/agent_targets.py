"""One contact at an agent's wish: whether it may be called now and where, and its target claimed for it.

`agent_claims.py` asks it, with pools, task and target locked.
"""

import datetime as dt
from dataclasses import dataclass

from outrider.campaigns.outcome import Outcome
from outrider.contacts import by_hand
from outrider.contacts.model import Contact
from outrider.db.database import Row, Tx
from outrider.dialing import agent_store, store
from outrider.dialing.attempt import Batch, Claim, Ended, Means, Refusal, TaskPlan
from outrider.dialing.claiming import Ask, add_attempts, place
from outrider.dialing.contact_rules import ContactRules, Reach
from outrider.dialing.restrictions import explained
from outrider.dialing.retry import Counters, Retry
from outrider.dialing.targets import Told, counters_document, counters_of, target_row
from outrider.ids import ContactId, TargetId, new_attempt_ids
from outrider.jobs import store as job_store

DONE, CLAIMED = "done", "claimed"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wishes to call, for which task, and how the call is made."""

    plan: TaskPlan
    owner: str
    now: dt.datetime
    means: Means
    session_id: int | None
    server_id: int | None
    preview: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Where a contact is called: the address, and which of its own that is or comes next."""

    address: str
    index: int


def look(
    rules: ContactRules,
    reach: Reach,
    contact_id: int,
    index: int,
    address: str | None,
    now: dt.datetime,
    *,
    promised: bool = False,
) -> Found | Refusal:
    """Return where a contact may be called now, or why not. `promised`: only do-not-contact lists bind."""
    if reach.contact is None:
        return Refusal("the contact was deleted")
    if address is None:
        chosen = rules.index(reach, index)
        if chosen is None:
            on_list = rules.blocked.intersection(reach.addresses)
            return Refusal(DO_NOT_CONTACT if on_list else "the contact has no number for this action")
        index, address = chosen, reach.addresses[chosen]
    elif address in reach.addresses:
        index = reach.addresses.index(address)
    if address in rules.blocked:
        return Refusal(DO_NOT_CONTACT)
    if promised:
        return Found(address, index)
    opening = rules.opening(reach, address)
    if opening > now:
        return Refusal(f"outside of its calling hours until {opening.isoformat(timespec='minutes')}", opening)
    held = rules.held(contact_id, address)
    if held is not None:
        return Refusal(explained(held), held.until)
    return Found(address, index)


DO_NOT_CONTACT = "the number is on a do-not-contact list"


def claim_target(tx: Tx, wish: Wish, target: Row | None, reach: Reach, found: Found) -> Batch | Refusal:
    """Claim a contact's target, which is made if there is none yet, as the contact if need be.

    Refused without any change when somebody is in contact with it, it is called from another zone, or no
    port is free.
    """
    plan = wish.plan
    if target is not None:
        refused = _taken(tx, plan, target)
        if refused is not None:
            return refused
    places = place(tx, plan, 1, _ask(wish))
    if places.room <= 0:
        return Refusal("no telephony port is free for the call", places.again_at)
    if target is None:
        contact_id = _contact(tx, wish, reach, found.address)
        agent_store.add_target(tx, plan.job_id, plan.task_id, contact_id, wish.now)
        target = agent_store.target(tx, plan.job_id, contact_id)
        if target is None:
            raise RuntimeError(f"job {plan.job_id}: the target of contact {contact_id} was not made")
    counters = _counters(plan, target)
    if not agent_store.take_target(tx, target, plan.task_id, found.index, counters_document(counters)):
        raise RuntimeError(f"target {target['id']}: it changed under a locked row")
    ended = _take_up(tx, plan, target)
    claim = _claimed(wish, target, reach, found, counters, ended)
    store.note(tx, plan.task_id, last_attempt_at=wish.now, bound="")
    claims = places.fill([claim])
    add_attempts(tx, claims, wish.owner, wish.now)
    return Batch(claims)


def _ask(wish: Wish) -> Ask:
    return Ask(1, 1, wish.owner, wish.now, wish.means, for_agents=True, server_id=wish.server_id)


def _taken(tx: Tx, plan: TaskPlan, target: Row) -> Refusal | None:
    if target["state"] == CLAIMED:
        return Refusal("somebody is in contact with this person already")
    if target["task_id"] == plan.task_id:
        return None
    if agent_store.pool_of(tx, target["task_id"]) != plan.pool_id:
        return Refusal("the contact is called from another zone")
    # Its counts change too: tasks are locked before media servers.
    store.task(tx, target["task_id"])
    return None


def _contact(tx: Tx, wish: Wish, reach: Reach, number: str) -> ContactId:
    """Return the contact that the target is made for; a stranger is written down."""
    if reach.contact is not None and reach.contact.id:
        return ContactId(reach.contact.id)
    return by_hand.add(
        tx,
        wish.now,
        organization_id=wish.plan.organization_id,
        zone_id=wish.plan.zone_id,
        number=number,
        country=reach.country,
    )


def _counters(plan: TaskPlan, target: Row) -> Counters:
    """Return a target's counters; it begins anew in an action that it comes (back) to."""
    if target["task_id"] != plan.task_id or target["state"] == DONE:
        return Counters(target["attempts"])
    return counters_of(target["counters"], target["attempts"])


def _take_up(tx: Tx, plan: TaskPlan, target: Row) -> Ended | None:
    """Move the counts of a target that comes from another action, or that had ended, which is returned."""
    task_id = target["task_id"]
    if target["state"] != DONE:
        if task_id != plan.task_id:
            job_store.add_contacts_left(tx, task_id, -1)
            job_store.add_contacts_left(tx, plan.task_id, 1)
        return None
    ended = Ended(Outcome(target["outcome"]), target["disposition"])
    job_store.add_contacts_left(tx, plan.task_id, 1)
    job_store.add_outcomes(tx, {(task_id, ended.outcome.value): (0, -1)})
    if ended.disposition is not None:
        job_store.add_dispositions(tx, {(task_id, ended.disposition): (0, -1)})
    goal = plan.strategy.goal
    job_store.count_finals(tx, plan.job_id, -1, -(goal is not None and goal.outcome is ended.outcome))
    return ended


def revive(tx: Tx, plan: TaskPlan, target: Row, at: dt.datetime) -> None:
    """Let a contact that had ended in this job be due again at `at`, because it is promised a call.

    `plan` is that of its own task; pools, task and target are locked.
    """
    _take_up(tx, plan, target)
    told = Told(Outcome(target["outcome"]), target["disposition"], target["attempts"])
    decision = Retry(at, 0, Counters(target["attempts"]))
    store.set_targets(tx, [target_row(plan, target["id"], decision, at, told)])


def _claimed(
    wish: Wish, target: Row, reach: Reach, found: Found, counters: Counters, ended: Ended | None
) -> Claim:
    contact = reach.contact
    if contact is None or not contact.id:
        contact = Contact(id=target["contact_id"], list_id=0, phone=found.address)
    return Claim(
        attempt_id=new_attempt_ids(wish.now, 1)[0],
        plan=wish.plan,
        target_id=TargetId(target["id"]),
        contact=contact,
        address=found.address,
        address_index=found.index,
        addresses=len(reach.addresses),
        counters=counters.with_attempt(),
        profile=reach.profile,
        session_id=wish.session_id,
        preview=wish.preview,
        ended_before=ended,
    )
