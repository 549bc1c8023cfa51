"""Rows of `users`, `sessions` and `api_tokens`. Only `people/service.py` calls it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from outrider.db import schema
from outrider.db.dialect import locked
from outrider.errors import ConflictError, InvalidInputError
from outrider.people.model import Caller, Role, Token, User

users = schema.users
sessions = schema.sessions
tokens = schema.api_tokens
organizations = schema.organizations


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        organization_id=row.organization_id,
        organization=row.organization or "",
        created_at=row.created_at,
        disabled=row.disabled,
        must_change_password=row.must_change_password,
    )


def _users() -> Select[Any]:
    return select(users, organizations.c.name.label("organization")).select_from(
        users.outerjoin(organizations, users.c.organization_id == organizations.c.id)
    )


def list_users(tx: Connection, organization_id: int | None) -> list[User]:
    """Return the users of one organization (None: all users) by name."""
    query = _users().order_by(users.c.name)
    if organization_id is not None:
        query = query.where(users.c.organization_id == organization_id)
    return [_user(row) for row in tx.execute(query)]


def list_organizations(tx: Connection) -> list[tuple[int, str]]:
    """Return (id, name) of all organizations by name."""
    query = select(organizations.c.id, organizations.c.name).order_by(organizations.c.name)
    return [(row.id, row.name) for row in tx.execute(query)]


def find_user(tx: Connection, user_id: int) -> User | None:
    """Return one user, None when there is none by that id."""
    row = tx.execute(_users().where(users.c.id == user_id)).one_or_none()
    return None if row is None else _user(row)


def find_user_by_name(tx: Connection, name: str) -> User | None:
    """Return one user by its cleaned name, None when there is none."""
    row = tx.execute(_users().where(users.c.name == name)).one_or_none()
    return None if row is None else _user(row)


def password_hash(tx: Connection, user_id: int) -> str | None:
    """Return the stored hash of a user's password, None when there is no such user."""
    return tx.execute(select(users.c.password_hash).where(users.c.id == user_id)).scalar_one_or_none()


def insert_user(tx: Connection, values: Mapping[str, Any]) -> int:
    """Insert a user and return its id.

    ConflictError for a name that exists, InvalidInputError for an organization that does not.
    """
    organization_id = values["organization_id"]
    if organization_id is not None:
        known = select(organizations.c.id).where(organizations.c.id == organization_id)
        if tx.execute(known).first() is None:
            raise InvalidInputError(
                f"organization_id: there is no organization {organization_id}", where="organization_id"
            )
    try:
        with tx.begin_nested():
            return int(tx.execute(users.insert().values(**values).returning(users.c.id)).scalar_one())
    except IntegrityError:
        raise ConflictError(f"a user named {values['name']!r} exists already; choose another name") from None


def update_user(tx: Connection, user_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of one user."""
    tx.execute(update(users).where(users.c.id == user_id).values(**values))


def system_administrators(tx: Connection) -> list[int]:
    """Return the ids of all enabled administrators of the whole system, locked until commit."""
    query = select(users.c.id).where(
        users.c.role == Role.ADMINISTRATOR.value,
        users.c.organization_id.is_(None),
        users.c.disabled.is_(False),
    )
    return list(tx.execute(locked(query)).scalars())


def count_users(tx: Connection) -> int:
    """Return how many users there are."""
    return int(tx.execute(select(func.count()).select_from(users)).scalar_one())


def insert_session(tx: Connection, values: Mapping[str, Any]) -> None:
    """Insert a session."""
    tx.execute(sessions.insert().values(**values))


def find_session(tx: Connection, token_hash: str) -> tuple[Caller, Row[Any]] | None:
    """Return the caller and row of a session whose user is enabled, expired or not."""
    query: Select[Any] = (
        select(
            sessions.c.csrf_token,
            sessions.c.created_at,
            sessions.c.expires_at,
            users.c.id,
            users.c.name,
            users.c.role,
            users.c.organization_id,
            users.c.must_change_password,
        )
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.token_hash == token_hash, users.c.disabled.is_(False))
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else (_caller(row), row)


def prolong_session(tx: Connection, token_hash: str, expires_at: dt.datetime) -> None:
    """Move the end of a session."""
    tx.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(expires_at=expires_at))


def delete_session(tx: Connection, token_hash: str) -> None:
    """Delete one session; no error when there is none."""
    tx.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def delete_sessions(tx: Connection, user_id: int, *, keep: str = "") -> None:
    """Delete all sessions of a user, but the one whose token hash is `keep`."""
    tx.execute(delete(sessions).where(sessions.c.user_id == user_id, sessions.c.token_hash != keep))


def delete_expired_sessions(tx: Connection, now: dt.datetime) -> None:
    """Delete all sessions that ended."""
    tx.execute(delete(sessions).where(sessions.c.expires_at <= now))


def find_token(tx: Connection, token_hash: str) -> tuple[Caller, Row[Any]] | None:
    """Return the caller and row of an API token whose user is enabled, expired or not."""
    query: Select[Any] = (
        select(
            tokens.c.id.label("token_id"),
            tokens.c.expires_at,
            tokens.c.last_used_at,
            users.c.id,
            users.c.name,
            users.c.role,
            users.c.organization_id,
        )
        .join(users, users.c.id == tokens.c.user_id)
        .where(tokens.c.token_hash == token_hash, users.c.disabled.is_(False))
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else (_caller(row), row)


def _caller(row: Row[Any]) -> Caller:
    return Caller(row.id, row.name, Role(row.role), row.organization_id)


def mark_token_used(tx: Connection, token_id: int, at: dt.datetime) -> None:
    """Note when a token was last used."""
    tx.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=at))


def insert_token(tx: Connection, values: Mapping[str, Any]) -> int:
    """Insert an API token and return its id; ConflictError when the user has one of that name."""
    try:
        with tx.begin_nested():
            return int(tx.execute(tokens.insert().values(**values).returning(tokens.c.id)).scalar_one())
    except IntegrityError:
        raise ConflictError(
            f"this user has a token named {values['name']!r} already; choose another name or revoke it"
        ) from None


def list_tokens(
    tx: Connection, *, organization_id: int | None = None, user_id: int | None = None
) -> list[tuple[Token, int | None]]:
    """Return tokens, each with the organization of its user, by user and name."""
    query = (
        select(tokens, users.c.name.label("user"), users.c.organization_id)
        .join(users, users.c.id == tokens.c.user_id)
        .order_by(users.c.name, tokens.c.name)
    )
    if organization_id is not None:
        query = query.where(users.c.organization_id == organization_id)
    if user_id is not None:
        query = query.where(users.c.id == user_id)
    return [(_token(row), row.organization_id) for row in tx.execute(query)]


def find_token_by_id(tx: Connection, token_id: int) -> tuple[Token, int | None] | None:
    """Return one token with the organization of its user, None when there is none by that id."""
    query = (
        select(tokens, users.c.name.label("user"), users.c.organization_id)
        .join(users, users.c.id == tokens.c.user_id)
        .where(tokens.c.id == token_id)
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else (_token(row), row.organization_id)


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        user_id=row.user_id,
        user=row.user,
        name=row.name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


def delete_token(tx: Connection, token_id: int) -> None:
    """Delete one API token."""
    tx.execute(delete(tokens).where(tokens.c.id == token_id))
