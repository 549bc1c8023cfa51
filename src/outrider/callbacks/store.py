"""SQL of callbacks, and of the contacts, agents and targets that they concern.

Only this slice uses it; those that agents promise are written by `dialing/promises_store.py`.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, or_, select, update

from outrider.callbacks.model import Callback
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy_agents import CallbackKind, CallbackState
from outrider.contacts.model import Contact
from outrider.contacts.store import contact_of
from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import locked
from outrider.jobs.model import JobState

B, G, C, K, L = (
    schema.callbacks.c,
    schema.agents.c,
    schema.campaigns.c,
    schema.contacts.c,
    schema.contact_lists.c,
)
M, J, T, X, A = (schema.campaign_lists.c, schema.jobs.c, schema.tasks.c, schema.targets.c, schema.attempts.c)
IN_NOBODYS_HANDS = (CallbackState.WAITING.value, CallbackState.EXPIRED.value)
UNFINISHED = (JobState.RUNNING.value, JobState.PAUSED.value, JobState.SNOOZED.value)
NO_CALL = (Outcome.SKIPPED.value, Outcome.INTERRUPTED.value)


def add(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert a callback and return its id."""
    return int(tx.execute(insert(schema.callbacks).values(**values).returning(B.id)).scalar_one())


def change(
    tx: Tx, callback_id: int, values: Mapping[str, Any], states: Collection[str] = IN_NOBODYS_HANDS
) -> bool:
    """Change columns of an open callback that is in one of these states; return whether it was."""
    row = update(schema.callbacks).where(B.id == callback_id, B.state.in_(states), B.closed_at.is_(None))
    return tx.execute(row.values(**values)).rowcount == 1


def callbacks(
    tx: Tx,
    organization_id: int | None,
    *,
    campaign_id: int | None = None,
    contact_id: int | None = None,
    agent_id: int | None = None,
    states: Collection[CallbackState] = (),
    callback_id: int | None = None,
    after: tuple[dt.datetime, int] | None = None,
    limit: int | None = None,
) -> list[Callback]:
    """Return callbacks that an organization (None: any) may see, soonest first, from after `after` on.

    They are those in these states; without any, those that are open; one by its id in any case.
    """
    query = _query()
    wanted = (
        (B.organization_id, organization_id),
        (B.campaign_id, campaign_id),
        (B.contact_id, contact_id),
        (B.agent_id, agent_id),
        (B.id, callback_id),
    )
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    if states:
        query = query.where(B.state.in_([each.value for each in states]))
    elif callback_id is None:
        query = query.where(B.closed_at.is_(None))
    if after is not None:
        due_at, number = after
        query = query.where(or_(B.due_at > due_at, (B.due_at == due_at) & (B.id > number)))
    rows = tx.execute(query.order_by(B.due_at, B.id).limit(limit)).mappings()
    return [_callback(row) for row in rows]


def due(
    tx: Tx,
    campaign_id: int,
    zone_id: int,
    agents: Collection[int],
    now: dt.datetime,
    overdue: dt.datetime,
    limit: int,
) -> list[Callback]:
    """Return callbacks that these agents may be given now, soonest first.

    They are those of a zone's contacts, and of deleted ones. Agents' own go to others from `overdue` on.
    """
    query = (
        _query()
        .outerjoin(schema.contacts, K.id == B.contact_id)
        .outerjoin(schema.contact_lists, L.id == K.list_id)
        .where(
            B.campaign_id == campaign_id,
            B.state.in_(IN_NOBODYS_HANDS),
            B.closed_at.is_(None),
            B.due_at <= now,
            or_(B.retry_at.is_(None), B.retry_at <= now),
            or_(L.zone_id == zone_id, K.id.is_(None)),
            or_(
                B.agent_id.in_(agents),
                B.agent_id.is_(None),
                B.kind == CallbackKind.CAMPAIGN.value,
                (B.kind == CallbackKind.AGENT.value) & (B.due_at <= overdue),
            ),
        )
        .order_by(B.due_at, B.id)
        .limit(limit)
    )
    return [_callback(row) for row in tx.execute(query).mappings()]


def expiring(tx: Tx, campaign_id: int, now: dt.datetime) -> list[Callback]:
    """Return callbacks in nobody's hands whose time for their agent is over."""
    query = _query().where(
        B.campaign_id == campaign_id,
        B.state == CallbackState.WAITING.value,
        # None expires before it is due: only those are looked at, by the index.
        B.due_at <= now,
        B.expires_at <= now,
    )
    return [_callback(row) for row in tx.execute(query.order_by(B.id)).mappings()]


def expire(tx: Tx, callback_id: int) -> bool:
    """Let a callback be the campaign's from now on."""
    values = {
        "state": CallbackState.EXPIRED.value,
        "kind": CallbackKind.CAMPAIGN.value,
        "agent_id": None,
        "retry_at": None,
    }
    return change(tx, callback_id, values, [CallbackState.WAITING.value])


def close_called(tx: Tx, campaign_id: int, now: dt.datetime, why: str) -> int:
    """Close expired callbacks whose contact has been called since by whoever dialed next; return how many."""
    called = (
        select(A.id)
        .join(schema.tasks, T.id == A.task_id)
        .join(schema.jobs, J.id == T.job_id)
        .where(
            J.campaign_id == campaign_id,
            A.contact_id == B.contact_id,
            A.claimed_at >= B.expires_at,
            A.ended_at.is_not(None),
            A.outcome.not_in(NO_CALL),
        )
        .exists()
    )
    row = update(schema.callbacks).where(
        B.campaign_id == campaign_id, B.state == CallbackState.EXPIRED.value, B.closed_at.is_(None), called
    )
    return tx.execute(row.values(state=CallbackState.DONE.value, closed_at=now, closed_why=why)).rowcount


def count_open(tx: Tx, agent_id: int) -> int:
    """Return how many callbacks an agent has to keep."""
    query = select(func.count()).where(B.agent_id == agent_id, B.closed_at.is_(None))
    return int(tx.execute(query).scalar_one())


def contact(tx: Tx, organization_id: int, campaign_id: int, contact_id: int) -> tuple[Contact, str] | None:
    """Return a contact that a campaign calls, with the country of its list; None when it calls none such."""
    listed = select(M.list_id).where(M.campaign_id == campaign_id)
    targeted = (
        select(X.id)
        .join(schema.jobs, J.id == X.job_id)
        .where(J.campaign_id == campaign_id, X.contact_id == contact_id)
        .exists()
    )
    query = (
        select(schema.contacts, L.default_country)
        .join(schema.contact_lists, L.id == K.list_id)
        .where(K.id == contact_id, L.organization_id == organization_id, or_(K.list_id.in_(listed), targeted))
    )
    row = tx.execute(query).mappings().first()
    return None if row is None else (contact_of(row), row["default_country"])


def is_contact(tx: Tx, contact_id: int) -> bool:
    """Return whether a contact is there still."""
    return tx.execute(select(K.id).where(K.id == contact_id)).first() is not None


def agent_name(tx: Tx, organization_id: int, agent_id: int) -> str | None:
    """Return the name of an organization's agent; None when it has none of that id."""
    query = select(G.name).where(G.id == agent_id, G.organization_id == organization_id)
    return tx.execute(query).scalar()


def targets(tx: Tx, campaign_id: int, contact_id: int) -> list[RowMapping]:
    """Return the targets that a contact is in jobs of a campaign that are not over: id, job and task."""
    query = (
        select(X.id, X.job_id, X.task_id)
        .join(schema.jobs, J.id == X.job_id)
        .where(J.campaign_id == campaign_id, J.state.in_(UNFINISHED), X.contact_id == contact_id)
        .order_by(X.id)
    )
    return list(tx.execute(query).mappings())


def put_off_target(tx: Tx, target_id: int, before: dt.datetime, after: dt.datetime) -> None:
    """Let a target that waits until `before` for a callback to expire be due at `after`."""
    row = update(schema.targets).where(
        X.id == target_id, X.state == "due", X.awaiting.is_(None), X.next_at == before
    )
    tx.execute(row.values(next_at=after))


def lock(tx: Tx, callback_id: int) -> bool:
    """Lock a callback until commit; return whether it is open, and in nobody's hands."""
    row = tx.execute(locked(select(B.state, B.closed_at).where(B.id == callback_id))).first()
    return row is not None and row.closed_at is None and row.state in IN_NOBODYS_HANDS


def _query() -> Select[Any]:
    return (
        select(
            schema.callbacks,
            C.name.label("campaign"),
            func.coalesce(func.nullif(G.display_name, ""), G.name).label("agent"),
        )
        .join(schema.campaigns, C.id == B.campaign_id)
        .outerjoin(schema.agents, G.id == B.agent_id)
    )


def _callback(row: RowMapping) -> Callback:
    return Callback(
        id=row["id"],
        organization_id=row["organization_id"],
        campaign_id=row["campaign_id"],
        campaign=row["campaign"],
        contact_id=row["contact_id"],
        address=row["address"],
        kind=CallbackKind(row["kind"]),
        agent_id=row["agent_id"],
        agent=row["agent"] or "",
        due_at=row["due_at"],
        expires_at=row["expires_at"],
        time_zone=row["time_zone"],
        state=CallbackState(row["state"]),
        note=row["note"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        closed_at=row["closed_at"],
        closed_why=row["closed_why"],
        given_attempt=row["given_attempt"],
        retry_at=row["retry_at"],
    )
