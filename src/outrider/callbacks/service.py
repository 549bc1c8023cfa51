"""Callbacks inside a transaction: made by hand, listed, changed, cancelled, and let expire into the campaign.

Called by `callbacks/api.py`, the pages and `giving.py`. What agents promise in wrap-ups comes in through
`dialing/promises.py`. Until a callback expires no ordinary claim takes its contact.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from outrider.callbacks import store
from outrider.callbacks.checking import Place, checked
from outrider.callbacks.model import MOST_OF_AN_AGENT, Callback, CallbackPlan
from outrider.campaigns import service as campaigns
from outrider.campaigns.strategy import Action, Strategy
from outrider.campaigns.strategy_agents import CallbackKind, CallbackState
from outrider.contacts import by_hand
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.contacts.numbers import BadNumber, read_number
from outrider.db import log
from outrider.db.database import Tx
from outrider.dialing import agent_claims, agent_store, agent_targets, plans
from outrider.dialing import store as dialing_store
from outrider.errors import ConflictError, InvalidInputError, NotFoundError
from outrider.events import RecordChanged
from outrider.ids import ContactId, JobId, TaskId
from outrider.jobs import store as job_store
from outrider.licences import store as licence_store
from outrider.people.model import Caller, Role

LONGEST_ID = 18
"""Digits that may be the id of a contact."""

CALLED = "it had expired, and was called like any other contact"
IN_HAND = "an agent has it in hand just now: wait for the end of that"


def callbacks(
    tx: Tx,
    organization_id: int | None,
    *,
    campaign_id: int | None = None,
    agent_id: int | None = None,
    states: Collection[CallbackState] = (),
    after: int | None = None,
    limit: int = 100,
) -> tuple[list[Callback], int | None]:
    """Return callbacks in these states, or those that are open, soonest first; and the next page's `after`.

    NotFoundError for an `after` that the caller cannot see.
    """
    start = None if after is None else callback(tx, after, organization_id)
    found = store.callbacks(
        tx,
        organization_id,
        campaign_id=campaign_id,
        agent_id=agent_id,
        states=states,
        after=None if start is None else (start.due_at, start.id),
        limit=limit + 1,
    )
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def callback(tx: Tx, callback_id: int, organization_id: int | None) -> Callback:
    """Return one callback; NotFoundError when this caller can see none by that id."""
    found = store.callbacks(tx, organization_id, callback_id=callback_id)
    if not found:
        raise NotFoundError(f"there is no callback {callback_id}")
    return found[0]


def contact_of(tx: Tx, caller: Caller, campaign_id: int, text: str) -> int:
    """Return the contact of a campaign that has a number, or this id. InvalidInputError when none has.

    A number is read in the country of the campaign's first list. NotFoundError for a foreign campaign.
    """
    campaign = campaigns.campaign(tx, campaign_id, caller.organization_id)
    lists = agent_store.lists_of(tx, campaign_id)
    plain = text.strip().removeprefix("#")
    is_id = plain.isascii() and plain.isdecimal() and len(plain) <= LONGEST_ID
    if is_id and store.contact(tx, campaign.organization_id, campaign_id, int(plain)) is not None:
        return int(plain)
    number = read_number(text, next(iter(lists.values()), agent_claims.DEFAULT_COUNTRY))
    if isinstance(number, BadNumber):
        raise InvalidInputError(f"contact: no contact {text!r} in this campaign", where="contact")
    found = by_hand.find(tx, campaign.organization_id, list(lists), number.e164)
    if found is None:
        raise InvalidInputError(
            f"contact: nobody in the campaign's lists has the number {number.e164}", where="contact"
        )
    return found


def create(
    tx: Tx, now: dt.datetime, caller: Caller, campaign_id: int, contact_id: int, plan: CallbackPlan
) -> Callback:
    """Promise a contact of a campaign a call. A contact that had ended is one of the job's again.

    NotFoundError for a campaign that the caller cannot see; InvalidInputError names the field (a contact
    that the campaign does not call, a time outside of its hours...); ConflictError when it has one already.
    """
    caller.require(Role.SUPERVISOR)
    campaign = campaigns.campaign(tx, campaign_id, caller.organization_id)
    owner = campaign.organization_id
    _, strategy = campaigns.runnable(tx, owner, campaign.strategy_name)
    values = _values(tx, owner, campaign_id, contact_id, strategy, _action(strategy), plan, now)
    _lock_pools(tx, campaign_id, contact_id)
    for other in store.callbacks(tx, owner, campaign_id=campaign_id, contact_id=contact_id):
        raise ConflictError(
            f"the contact has callback {other.id} already, for {other.due_at.isoformat(timespec='minutes')}:"
            " change or cancel that one",
            callback_id=other.id,
        )
    number = store.add(
        tx,
        {
            **values,
            "organization_id": owner,
            "campaign_id": campaign_id,
            "contact_id": contact_id,
            "state": CallbackState.WAITING.value,
            "created_by": caller.name,
            "created_at": now,
        },
    )
    made = callback(tx, number, None)
    _revive(tx, made)
    _record(tx, now, made, "created", caller.name)
    return made


def change(tx: Tx, now: dt.datetime, caller: Caller, callback_id: int, plan: CallbackPlan) -> Callback:
    """Let an open callback be as planned; an expired one waits for its agent again, at a time to come.

    NotFoundError when not visible; InvalidInputError as for `create`; ConflictError when it is closed, or
    an agent has it in hand.
    """
    caller.require(Role.SUPERVISOR)
    known = _open(tx, callback_id, caller.organization_id)
    campaign = campaigns.campaign(tx, known.campaign_id, None)
    _, strategy = campaigns.runnable(tx, known.organization_id, campaign.strategy_name)
    action = _action(strategy)
    values = _values(
        tx, known.organization_id, known.campaign_id, known.contact_id, strategy, action, plan, now, known
    )
    waiting = {"state": CallbackState.WAITING.value, "retry_at": None}
    if not store.change(tx, known.id, {**values, **waiting}):
        raise ConflictError(f"callback {known.id}: {IN_HAND}")
    changed = callback(tx, known.id, None)
    for target in store.targets(tx, known.campaign_id, known.contact_id):
        store.put_off_target(tx, target["id"], known.expires_at, changed.expires_at)
    _revive(tx, changed)
    _record(tx, now, changed, "changed", caller.name)
    return changed


def promisable(
    tx: Tx, now: dt.datetime, task_id: TaskId, contact_id: int, agent_id: int, plan: CallbackPlan
) -> CallbackPlan:
    """Return what an agent of a task promises a contact, with its number in E.164 and its time in UTC.

    `plan` as it was said: it is this agent's unless it is the campaign's. InvalidInputError as for `create`.
    """
    task = dialing_store.task_row(tx, task_id)
    if task is None:
        return plan
    of = plans.plan_of(tx, task)
    own = replace(plan, agent_id=None if plan.kind is CallbackKind.CAMPAIGN else agent_id)
    values = _values(tx, of.organization_id, of.campaign_id, contact_id, of.strategy, of.action, own, now)
    return replace(own, at=values["due_at"], address=values["address"], expires_at=values["expires_at"])


def cancel(tx: Tx, now: dt.datetime, caller: Caller, callback_id: int, why: str = "") -> Callback:
    """Take an open callback back; its contact is due like any other, where a job still has it.

    NotFoundError when not visible; ConflictError when it is closed, or an agent has it in hand.
    """
    caller.require(Role.SUPERVISOR)
    known = _open(tx, callback_id, caller.organization_id)
    return close(tx, now, known, why or "cancelled", caller.name)


def close(tx: Tx, now: dt.datetime, known: Callback, why: str, actor: str) -> Callback:
    """Cancel a callback that nobody has in hand, and let its contact go on. ConflictError otherwise."""
    values = {"state": CallbackState.CANCELLED.value, "closed_at": now, "closed_why": why[:200]}
    if not store.change(tx, known.id, values):
        raise ConflictError(f"callback {known.id}: {IN_HAND}")
    for target in store.targets(tx, known.campaign_id, known.contact_id):
        store.put_off_target(tx, target["id"], known.expires_at, now)
    _record(tx, now, known, "cancelled", actor)
    return callback(tx, known.id, None)


def expire(tx: Tx, campaign_id: int, now: dt.datetime) -> int:
    """Let callbacks whose time is over be the campaign's, and close those that have been called since.

    Returns how many expired now.
    """
    count = 0
    for each in store.expiring(tx, campaign_id, now):
        if store.expire(tx, each.id):
            count += 1
            _record(tx, now, each, "expired", "")
    store.close_called(tx, campaign_id, now, CALLED)
    return count


def _lock_pools(tx: Tx, campaign_id: int, contact_id: int) -> None:
    """Lock the pools of the jobs that have a contact: results, which settle promises, lock them first too."""
    jobs = [row["job_id"] for row in store.targets(tx, campaign_id, contact_id)]
    licence_store.lock_pools(tx, {pool for job_id in jobs for pool in job_store.pool_ids(tx, job_id)})


def _open(tx: Tx, callback_id: int, organization_id: int | None) -> Callback:
    known = callback(tx, callback_id, organization_id)
    _lock_pools(tx, known.campaign_id, known.contact_id)
    store.lock(tx, callback_id)
    known = callback(tx, callback_id, organization_id)
    if not known.is_open:
        raise ConflictError(f"callback {known.id} is {known.state}: make another one")
    if known.state is CallbackState.QUEUED:
        raise ConflictError(f"callback {known.id}: {IN_HAND}")
    return known


def _values(
    tx: Tx,
    organization_id: int,
    campaign_id: int,
    contact_id: int,
    strategy: Strategy,
    action: Action,
    plan: CallbackPlan,
    now: dt.datetime,
    known: Callback | None = None,
) -> dict[str, Any]:
    """Return a plan as columns. InvalidInputError names the field."""
    found = store.contact(tx, organization_id, campaign_id, contact_id)
    if found is None:
        raise InvalidInputError(
            f"contact_id: contact {contact_id} is not one that the campaign calls", where="contact_id"
        )
    contact, country = found
    place = Place(contact, country, strategy.hours(action))
    # One that is overdue may keep its time when only its agent, say, is another.
    stays = known is not None and plan.at == known.due_at and now < known.expires_at
    values = checked(plan, action, place, min(now, known.due_at) if known is not None and stays else now)
    blocked = do_not_contact.blocked(tx, organization_id, [str(values["address"])])
    if blocked:
        raise InvalidInputError(
            f"address: {values['address']} is on a do-not-contact list: it must not be called",
            where="address",
        )
    if plan.kind is not CallbackKind.CAMPAIGN:
        _check_agent(tx, organization_id, plan.agent_id, known)
    return values


def _action(strategy: Strategy) -> Action:
    """Return the first action in which agents talk. InvalidInputError when there is none."""
    for action in strategy.actions:
        if action.agents is not None:
            return action
    raise InvalidInputError(
        f"campaign_id: strategy {strategy.name!r} has no action in which agents talk, so nobody could"
        " keep a callback",
        where="campaign_id",
    )


def _check_agent(tx: Tx, organization_id: int, agent_id: int | None, known: Callback | None) -> None:
    name = None if agent_id is None else store.agent_name(tx, organization_id, agent_id)
    if agent_id is None or name is None:
        told = "say whose it is" if agent_id is None else f"there is no agent {agent_id}"
        raise InvalidInputError(f"agent_id: {told}", where="agent_id")
    had = known is not None and known.agent_id == agent_id
    if not had and store.count_open(tx, agent_id) >= MOST_OF_AN_AGENT:
        raise InvalidInputError(
            f"agent_id: {name} has {MOST_OF_AN_AGENT} open callbacks, and cannot take more", where="agent_id"
        )


def _revive(tx: Tx, made: Callback) -> None:
    """Let jobs that had done with the contact have it again, so that they do not end before it is called.

    Their pools are locked.
    """
    for row in store.targets(tx, made.campaign_id, made.contact_id):
        task = dialing_store.task_row(tx, row["task_id"])
        dialing_store.task(tx, TaskId(row["task_id"]))
        target = agent_store.target(tx, JobId(row["job_id"]), ContactId(made.contact_id))
        if task is not None and target is not None and target["state"] == agent_targets.DONE:
            agent_targets.revive(tx, plans.plan_of(tx, task), target, made.expires_at)


def _record(tx: Tx, now: dt.datetime, what: Callback, change: str, actor: str) -> None:
    event = RecordChanged(
        organization_id=what.organization_id,
        actor=actor,
        record="callback",
        record_id=what.id,
        change=change,
        name=f"{what.campaign}, contact {what.contact_id}",
    )
    log.append(tx, now, event)
