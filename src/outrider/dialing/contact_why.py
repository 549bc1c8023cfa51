"""Why is this contact of a job not being called? Read with the same rules as every claim, changing nothing.

`agents/supervising_api.py` and the page of a job call it in read transactions.
"""

import datetime as dt
from dataclasses import dataclass

from outrider.campaigns.condition import matches
from outrider.campaigns.strategy import WhenLimited
from outrider.db.database import Row, Tx
from outrider.dialing import plans, store, why_store
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.contact_rules import ContactRules, Reach
from outrider.dialing.restrictions import explained
from outrider.dialing.why_nobody import ContactFacts, ContactState, Hold, contact_sentence, latest
from outrider.errors import NotFoundError
from outrider.ids import TaskId
from outrider.jobs import service as jobs


@dataclass(frozen=True, slots=True)
class ContactWhy:
    """Where a contact of a job stands. `until`: when what holds it ends, null when it does not by itself.

    `action` is the action of the strategy that it is at, in the task that would call it.
    """

    job_id: int
    contact_id: int
    task_id: TaskId
    action: str
    attempts: int
    state: ContactState
    until: dt.datetime | None
    address: str
    detail: str
    sentence: str


def contact_why(
    tx: Tx, job_id: int, contact_id: int, organization_id: int | None, now: dt.datetime
) -> ContactWhy:
    """Return why a contact is not called now. NotFoundError for what the caller cannot see."""
    job = jobs.job(tx, job_id, organization_id)
    target = why_store.target(tx, job.id, contact_id)
    row = None if target is None else store.task_row(tx, target["task_id"])
    if target is None or row is None:
        raise NotFoundError(f"contact {contact_id} is not one of job {job_id}")
    plan = plans.plan_of(tx, row)
    facts = _facts(tx, plan, target, contact_id, now)
    return ContactWhy(
        job_id=int(job.id),
        contact_id=contact_id,
        task_id=plan.task_id,
        action=plan.action.name,
        attempts=target["attempts"],
        state=facts.state,
        until=facts.until,
        address=facts.address,
        detail=facts.detail,
        sentence=contact_sentence(facts),
    )


def _facts(tx: Tx, plan: TaskPlan, target: Row, contact_id: int, now: dt.datetime) -> ContactFacts:
    last = (target["outcome"] or "").replace("_", " ")
    if target["state"] == "done":
        chosen = (target["disposition"] or "").replace("_", " ")
        return ContactFacts(ContactState.DONE, None, f"{last} ({chosen})" if chosen else last)
    if target["state"] == "claimed":
        return _in_hand(tx, target)
    if target["awaiting"] is not None:
        by_agent = plan.action.agents is not None
        state = ContactState.COMPLETION_CODE if by_agent else ContactState.RECEIPT
        return ContactFacts(state, target["next_at"], last)
    rules = ContactRules(tx, plan, [contact_id], now)
    reach = rules.reach(contact_id)
    index = rules.index(reach, target["address_index"])
    if reach.contact is None:
        return ContactFacts(ContactState.DELETED)
    if index is None:
        on_list = rules.blocked.intersection(reach.addresses)
        return ContactFacts(ContactState.DO_NOT_CONTACT if on_list else ContactState.NO_ADDRESS)
    if rules.promised(contact_id) is not None:
        return _promised(tx, plan, contact_id, now)
    if not matches(plan.action.condition, reach.contact.field):
        return ContactFacts(ContactState.CONDITION)
    address = reach.addresses[index] if reach.addresses else ""
    return _waiting(plan, rules, reach, target, address, now, last)


def _in_hand(tx: Tx, target: Row) -> ContactFacts:
    attempt = why_store.open_attempt(tx, target["id"])
    if attempt is None:
        return ContactFacts(ContactState.IN_HAND)
    who = f"agent {attempt['agent']}" if attempt["agent"] else ""
    if attempt["preview"]:
        text = f"{who or 'an agent'} looks at its card"
    else:
        text = f"it is being called{f' for {who}' if who else ''}"
    return ContactFacts(ContactState.IN_HAND, None, text, attempt["address"])


def _promised(tx: Tx, plan: TaskPlan, contact_id: int, now: dt.datetime) -> ContactFacts:
    found = why_store.callback(tx, plan.campaign_id, contact_id, now)
    if found is None:
        return ContactFacts(ContactState.CALLBACK)
    whose = f"by agent {found['agent']}" if found["agent"] else "by the campaign"
    return ContactFacts(ContactState.CALLBACK, found["due_at"], whose)


def _waiting(
    plan: TaskPlan, rules: ContactRules, reach: Reach, target: Row, address: str, now: dt.datetime, last: str
) -> ContactFacts:
    holds: list[Hold] = [(ContactState.HOURS, rules.opening(reach, address), "")]
    held = rules.held(target["contact_id"], address)
    if held is not None:
        abandoned = held.limit is rules.lockout
        state = ContactState.LOCKOUT if abandoned else ContactState.LIMIT
        skips = not abandoned and plan.strategy.when_limited(plan.action) is WhenLimited.SKIP
        then = "; the action is then passed over" if skips else ""
        holds.append((state, held.until, explained(held) + then))
    holds.append((ContactState.RETRY, target["next_at"], last))
    found = latest(holds, now)
    if found is None:
        return ContactFacts(ContactState.DUE, None, "", address)
    return ContactFacts(found[0], found[1], found[2], address)
