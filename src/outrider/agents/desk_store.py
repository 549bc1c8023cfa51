"""SQL of the Agent Web API: commands that were done, an agent's callbacks, contacts, codes and figures.

Only `agents/desk_service.py` uses it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, insert, or_, select, update

from outrider.contacts.model import Contact
from outrider.contacts.store import contact_of
from outrider.db import schema
from outrider.db.database import Row, Tx

R, A, B, C, D, G, L, K = (
    schema.agent_commands.c,
    schema.attempts.c,
    schema.callbacks.c,
    schema.campaigns.c,
    schema.completion_codes.c,
    schema.agents.c,
    schema.contact_lists.c,
    schema.contacts.c,
)

ACCOUNT = select(G.id, G.name, G.enabled).where(G.user_id == bindparam("user"))


def account(tx: Tx, user_id: int) -> Row | None:
    """Return id, name and `enabled` of the agent that a user is bound to: what every command asks for."""
    return tx.execute(ACCOUNT, {"user": user_id}).mappings().first()


def was_done(tx: Tx, session_id: int, command_id: str) -> str | None:
    """Return the name of the command that was done under that id, None when none was."""
    query = select(R.command).where(R.session_id == session_id, R.command_id == command_id)
    return tx.execute(query).scalar()


def note_done(tx: Tx, session_id: int, command_id: str, command: str, now: dt.datetime) -> None:
    """Write down that a command was done."""
    values = {"session_id": session_id, "command_id": command_id, "command": command, "answered_at": now}
    tx.execute(insert(schema.agent_commands).values(**values))


def codes(tx: Tx, organization_id: int) -> list[Row]:
    """Return the completion codes of an organization that are in use, in their order."""
    query = (
        select(schema.completion_codes)
        .where(D.organization_id == organization_id, D.retired_at.is_(None))
        .order_by(D.position, D.name)
    )
    return list(tx.execute(query).mappings())


def callbacks(tx: Tx, agent_id: int, limit: int) -> list[Row]:
    """Return the callbacks of an agent that are not closed, soonest first."""
    query = (
        select(schema.callbacks, C.name.label("campaign"))
        .join(schema.campaigns, C.id == B.campaign_id)
        .where(B.agent_id == agent_id, B.closed_at.is_(None))
        .order_by(B.due_at, B.id)
        .limit(limit)
    )
    return list(tx.execute(query).mappings())


def has_callback(tx: Tx, agent_id: int, contact_id: int) -> bool:
    """Return whether an agent has promised to call a contact."""
    query = select(B.id).where(B.agent_id == agent_id, B.contact_id == contact_id, B.closed_at.is_(None))
    return tx.execute(query.limit(1)).first() is not None


def contact(tx: Tx, organization_id: int, contact_id: int) -> Contact | None:
    """Return a contact of an organization's lists."""
    query = (
        select(schema.contacts)
        .join(schema.contact_lists, L.id == K.list_id)
        .where(K.id == contact_id, L.organization_id == organization_id)
    )
    row = tx.execute(query).mappings().first()
    return None if row is None else contact_of(row)


def set_attributes(tx: Tx, contact_id: int, attributes: Mapping[str, str]) -> None:
    """Let a contact have exactly these attributes."""
    tx.execute(update(schema.contacts).where(K.id == contact_id).values(attributes=dict(attributes)))


def attempts(tx: Tx, agent_id: int, since: dt.datetime) -> list[Row]:
    """Return times and dispositions of an agent's calls since a time: that it talked in, or made."""
    query = select(A.joined_at, A.ended_at, A.wrapped_up_at, A.disposition, A.outcome).where(
        A.agent_id == agent_id, A.claimed_at >= since, or_(A.joined_at.is_not(None), A.ended_at.is_not(None))
    )
    return list(tx.execute(query).mappings())


def campaigns(tx: Tx, organization_id: int, ids: Sequence[int]) -> set[int]:
    """Return which of these are campaigns of the organization."""
    query = select(C.id).where(C.organization_id == organization_id, C.id.in_(ids))
    return set(tx.execute(query).scalars())
