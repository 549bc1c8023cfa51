"""Claims for agents, who are their own units: lines for a team, a card to look at, a contact, a number.

The floor's edge and the simulator call it, one transaction a claim. Rules of contact are those of every
claim; only a promised callback need not wait for hours or limits.
"""

import datetime as dt
from collections.abc import Mapping

from outrider.campaigns.outcome import Outcome
from outrider.contacts import by_hand
from outrider.contacts.model import Contact
from outrider.contacts.numbers import BadNumber, read_number
from outrider.db.database import Row, Tx
from outrider.dialing import agent_store, results, store, wrap_ups
from outrider.dialing.agent_targets import Wish, claim_target, look
from outrider.dialing.attempt import Batch, Claim, Means, Refusal, Result, TaskPlan
from outrider.dialing.claiming import UNBOUNDED, Ask, claim_due, finish_if_due, take_turn
from outrider.dialing.claims import not_admitted
from outrider.dialing.contact_rules import ContactRules, Reach
from outrider.ids import AttemptId
from outrider.jobs import store as job_store
from outrider.licences import store as licence_store
from outrider.licences.model import Standing
from outrider.licences.service import SharingRules

DEFAULT_COUNTRY = "US"
"""In which a national number is read when the campaign has no list."""

STRANGER = 0
"""Stands for a contact that is not made yet."""


def take_for_agents(
    tx: Tx,
    rules: SharingRules,
    plan: TaskPlan,
    wanted: int,
    owner: str,
    now: dt.datetime,
    means: Means = UNBOUNDED,
    *,
    server_id: int | None = None,
    session_id: int | None = None,
    preview: bool = False,
) -> Batch:
    """Claim up to `wanted` due contacts of a task of agents, and no more than there are ports for.

    Calls go to `server_id` if it is given, so that they can be joined to the agents there. With a
    `session_id` they are that agent's own; `preview`: it looks at the card first, so that nothing may be
    dialed before `start_preview`. One port is left free to join an answered call.
    """
    finish_if_due(tx, rules, plan, now)
    wrap_ups.time_out(tx, rules, plan, now)
    take_turn(tx, plan)
    row = store.task(tx, plan.task_id)
    if row is None or row["standing"] != Standing.ADMITTED.value:
        return not_admitted(row)
    ask = Ask(
        wanted,
        wanted,
        owner,
        now,
        means,
        for_agents=True,
        server_id=server_id,
        session_id=session_id,
        preview=preview,
    )
    return claim_due(tx, plan, row, ask)


def take_contact(
    tx: Tx,
    rules: SharingRules,
    plan: TaskPlan,
    contact_id: int,
    owner: str,
    now: dt.datetime,
    means: Means = UNBOUNDED,
    *,
    session_id: int | None,
    server_id: int | None = None,
    address: str | None = None,
    preview: bool = False,
    promised: bool = False,
) -> Batch | Refusal:
    """Claim one contact of the job for an agent: due or not yet, waiting for its code, or ended even.

    `address` is where to call it, else the next of its own; a national number is read in the country of the
    campaign's first list. `promised`: it is a callback for now, which only a do-not-contact list stops; else
    hours and limits bind too. Refused with the reason, and then nothing has changed.
    """
    if address is not None:
        number = read_number(address, _country(agent_store.lists_of(tx, plan.campaign_id)))
        if isinstance(number, BadNumber):
            return Refusal(number.reason)
        # As do-not-contact lists and limits have it.
        address = number.e164
    refused = _admit(tx, rules, plan, now)
    if refused is not None:
        return refused
    target = agent_store.target(tx, plan.job_id, contact_id)
    if target is None:
        return Refusal("the contact is not one of this job's")
    contact_rules = ContactRules(
        tx, plan, [contact_id], now, guaranteed=True, also=[address] if address else []
    )
    wish = Wish(plan, owner, now, means, session_id, server_id, preview)
    reach = contact_rules.reach(contact_id)
    found = look(contact_rules, reach, contact_id, _index(plan, target), address, now, promised=promised)
    return found if isinstance(found, Refusal) else claim_target(tx, wish, target, reach, found)


def take_number(
    tx: Tx,
    rules: SharingRules,
    plan: TaskPlan,
    address: str,
    owner: str,
    now: dt.datetime,
    means: Means = UNBOUNDED,
    *,
    session_id: int | None,
    server_id: int | None = None,
) -> Batch | Refusal:
    """Claim any number that the rules allow, at an agent's wish.

    It is the contact's of the campaign's lists that has the number, or else that of a new contact in the
    organization's list "Dialed by hand", a target of this job from then on. National numbers are read in
    the country of the campaign's first list. Refused as `take_contact` refuses.
    """
    lists = agent_store.lists_of(tx, plan.campaign_id)
    country = _country(lists)
    number = read_number(address, country)
    if isinstance(number, BadNumber):
        return Refusal(number.reason)
    refused = _admit(tx, rules, plan, now)
    if refused is not None:
        return refused
    contact_id = by_hand.find(tx, plan.organization_id, list(lists), number.e164)
    target = None if contact_id is None else agent_store.target(tx, plan.job_id, contact_id)
    stranger = Reach(Contact(id=STRANGER, list_id=0, phone=number.e164), (number.e164,), "", country)
    contact_rules = ContactRules(
        tx,
        plan,
        [] if contact_id is None else [contact_id],
        now,
        guaranteed=True,
        strangers={STRANGER: stranger},
        also=[number.e164],
    )
    known = STRANGER if contact_id is None else contact_id
    reach = contact_rules.reach(known)
    index = 0 if target is None else _index(plan, target)
    found = look(contact_rules, reach, known, index, number.e164, now)
    if isinstance(found, Refusal):
        return found
    wish = Wish(plan, owner, now, means, session_id, server_id)
    return claim_target(tx, wish, target, reach, found)


def start_preview(tx: Tx, attempt_id: AttemptId) -> bool:
    """Let an accepted card become a call: from now on it may have been dialed.

    False when it was given back, or started, before: then it must not be dialed (again).
    """
    return agent_store.start_preview(tx, attempt_id)


def give_back(
    tx: Tx, rules: SharingRules, claim: Claim, now: dt.datetime, *, skipped: bool, detail: str = ""
) -> bool:
    """Close a card without a call: `skipped` by the agent, or taken back, which costs the contact nothing.

    False when it was given back or started before: nothing changes then.
    """
    licence_store.lock_pools(tx, job_store.pool_ids(tx, claim.plan.job_id))
    if not agent_store.lock_preview(tx, claim.attempt_id):
        return False
    results.record(tx, rules, [Result(claim, Outcome.SKIPPED, now, None, detail, untried=not skipped)], now)
    return True


def _country(lists: Mapping[int, str]) -> str:
    """Return in which country a number is read that an agent writes: that of the campaign's first list."""
    return next(iter(lists.values()), DEFAULT_COUNTRY)


def _admit(tx: Tx, rules: SharingRules, plan: TaskPlan, now: dt.datetime) -> Refusal | None:
    """Lock the job's pools and the task, and say if it may call nobody."""
    finish_if_due(tx, rules, plan, now)
    licence_store.lock_pools(tx, job_store.pool_ids(tx, plan.job_id))
    take_turn(tx, plan)
    row = store.task(tx, plan.task_id)
    if row is not None and row["standing"] == Standing.ADMITTED.value:
        return None
    waits = row is not None and row["standing"] == Standing.WAITING.value
    return Refusal("the job waits for licences" if waits else "the job does not run")


def _index(plan: TaskPlan, target: Row) -> int:
    """Return which of its addresses a contact is at in this action."""
    return int(target["address_index"]) if target["task_id"] == plan.task_id else 0
