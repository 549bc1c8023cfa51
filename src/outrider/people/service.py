"""Users, sessions and tokens inside a transaction: each function takes `tx`, the time, and the caller.

Called by `web/access.py`, `people/api.py`, the pages and `cli/users.py`. Passwords arrive here hashed:
hashing takes longer than a transaction should.
"""

import datetime as dt
from dataclasses import dataclass

from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
)
from outrider.events import RecordChanged, SignIn
from outrider.people import store
from outrider.people.model import (
    SESSION_LIFE,
    SYSTEM,
    Caller,
    Credential,
    Role,
    Token,
    User,
    clean_token_name,
    clean_user_name,
    prolonged,
)
from outrider.people.passwords import digest, new_secret, new_token

TOKEN_USE_NOTED_EVERY = dt.timedelta(minutes=1)
TOKEN_MAXIMUM = dt.timedelta(days=3653)
FIRST_ADMINISTRATOR = "admin"


@dataclass(frozen=True, slots=True)
class SignInRecord:
    """What is needed to check a sign-in; `password_hash` is None when nobody can sign in by that name."""

    user: User | None
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session: `secret` goes into the cookie and nowhere else."""

    secret: str
    credential: Credential
    expires_at: dt.datetime


def authenticate_session(tx: Tx, now: dt.datetime, secret: str) -> tuple[Credential, bool]:
    """Return who has this session, and whether it is time to `renew_session`.

    NotAuthenticatedError when it is unknown or has ended.
    """
    found = store.find_session(tx, digest(secret))
    if found is None or found[1].expires_at <= now:
        raise NotAuthenticatedError("your session has ended; sign in again")
    caller, row = found
    credential = Credential(caller, row.csrf_token, row.must_change_password)
    return credential, prolonged(row.created_at, row.expires_at, now) is not None


def renew_session(tx: Tx, now: dt.datetime, secret: str) -> None:
    """Prolong a session in use: 12 hours from now, but never beyond 7 days of age."""
    found = store.find_session(tx, digest(secret))
    if found is not None and (end := prolonged(found[1].created_at, found[1].expires_at, now)) is not None:
        store.prolong_session(tx, digest(secret), end)


def authenticate_token(tx: Tx, now: dt.datetime, secret: str) -> tuple[Credential, int | None]:
    """Return who has this API token, and its id when it is time to `note_token_use`.

    NotAuthenticatedError when it is unknown, revoked or expired.
    """
    found = store.find_token(tx, digest(secret))
    if found is None or (found[1].expires_at is not None and found[1].expires_at <= now):
        raise NotAuthenticatedError("this API token is unknown, revoked or expired; create a new one")
    caller, row = found
    stale = row.last_used_at is None or now - row.last_used_at >= TOKEN_USE_NOTED_EVERY
    return Credential(caller), row.token_id if stale else None


def note_token_use(tx: Tx, now: dt.datetime, token_id: int) -> None:
    """Write down that a token is in use."""
    store.mark_token_used(tx, token_id, now)


def sign_in_record(tx: Tx, name: str) -> SignInRecord:
    """Return what to check a sign-in against; an unknown or disabled user looks like a wrong password."""
    user = store.find_user_by_name(tx, name)
    if user is None or user.disabled:
        return SignInRecord(user, None)
    return SignInRecord(user, store.password_hash(tx, user.id))


def open_session(tx: Tx, now: dt.datetime, user_id: int) -> OpenedSession:
    """Begin a session for a user whose password was checked. NotAuthenticatedError if just disabled."""
    user = store.find_user(tx, user_id)
    if user is None or user.disabled:
        raise NotAuthenticatedError("the name or the password is wrong")
    store.delete_expired_sessions(tx, now)
    secret, csrf_token, expires_at = new_secret(), new_secret(), now + SESSION_LIFE
    store.insert_session(
        tx,
        {
            "token_hash": digest(secret),
            "user_id": user.id,
            "csrf_token": csrf_token,
            "created_at": now,
            "expires_at": expires_at,
        },
    )
    log.append(tx, now, SignIn(succeeded=True, actor=user.name, organization_id=user.organization_id))
    caller = Caller(user.id, user.name, user.role, user.organization_id)
    return OpenedSession(secret, Credential(caller, csrf_token, user.must_change_password), expires_at)


def note_failed_sign_in(tx: Tx, now: dt.datetime, user: User | None) -> None:
    """Record a failed sign-in; of an unknown name nothing is kept, since it may be a mistyped password."""
    name, organization_id = ("", None) if user is None else (user.name, user.organization_id)
    log.append(tx, now, SignIn(succeeded=False, actor=name, organization_id=organization_id))


def close_session(tx: Tx, secret: str) -> None:
    """End a session."""
    store.delete_session(tx, digest(secret))


def list_users(tx: Tx, caller: Caller) -> list[User]:
    """Return the users whom the caller may see, by name."""
    return store.list_users(tx, caller.organization_id)


def list_organizations(tx: Tx) -> list[tuple[int, str]]:
    """Return (id, name) of all organizations, to choose from when a user is created."""
    return store.list_organizations(tx)


def get_user(tx: Tx, caller: Caller, user_id: int) -> User:
    """Return one user. NotFoundError when there is none that the caller may see."""
    user = store.find_user(tx, user_id)
    if user is None or not caller.sees(user.organization_id):
        raise NotFoundError(f"there is no user {user_id}")
    return user


def get_user_by_name(tx: Tx, caller: Caller, name: str) -> User:
    """Return one user by name. NotFoundError when there is none that the caller may see."""
    user = store.find_user_by_name(tx, clean_user_name(name))
    if user is None or not caller.sees(user.organization_id):
        raise NotFoundError(f"there is no user named {name!r}")
    return user


def create_user(
    tx: Tx,
    now: dt.datetime,
    caller: Caller,
    *,
    name: str,
    role: Role,
    organization_id: int | None,
    password_hash: str,
    must_change_password: bool = True,
) -> User:
    """Create a user in an organization that the caller administers.

    NotAllowedError outside it, ConflictError for a name in use, InvalidInputError for a bad name.
    """
    caller.require(Role.ADMINISTRATOR)
    if not caller.sees(organization_id):
        raise NotAllowedError("you may create users of your own organization only")
    if role is Role.AGENT and organization_id is None:
        raise InvalidInputError(
            "organization_id: an agent works for one organization; name it", where="organization_id"
        )
    values = {
        "name": clean_user_name(name),
        "password_hash": password_hash,
        "role": role.value,
        "organization_id": organization_id,
        "created_at": now,
        "disabled": False,
        "must_change_password": must_change_password,
    }
    user = get_user(tx, caller, store.insert_user(tx, values))
    _record(tx, now, caller, user, "created")
    return user


def change_user(
    tx: Tx,
    now: dt.datetime,
    caller: Caller,
    user_id: int,
    *,
    role: Role | None = None,
    disabled: bool | None = None,
) -> User:
    """Change a user's role, or disable (which ends its sessions) or enable it.

    NotFoundError when not visible; ConflictError for oneself and for the last system administrator.
    """
    caller.require(Role.ADMINISTRATOR)
    user = get_user(tx, caller, user_id)
    values: dict[str, object] = {}
    if role is not None and role is not user.role:
        values["role"] = role.value
        if role is Role.AGENT and user.organization_id is None:
            raise InvalidInputError(
                f"role: {user.name} is of no organization, and an agent works for one", where="role"
            )
    if disabled is not None and disabled is not user.disabled:
        values["disabled"] = disabled
    if not values:
        return user
    if user.id == caller.user_id:
        raise ConflictError("you cannot change your own role or disable yourself; ask another administrator")
    if store.system_administrators(tx) == [user.id]:
        raise ConflictError(f"{user.name} is the last administrator of the system; create another one first")
    store.update_user(tx, user.id, values)
    if disabled:
        store.delete_sessions(tx, user.id)
    _record(tx, now, caller, user, "disabled" if disabled else "changed")
    return get_user(tx, caller, user_id)


def set_password(
    tx: Tx, now: dt.datetime, caller: Caller, user_id: int, password_hash: str, *, must_change: bool = True
) -> None:
    """Give a user a new password and end its sessions. NotFoundError when not visible."""
    caller.require(Role.ADMINISTRATOR)
    user = get_user(tx, caller, user_id)
    store.update_user(tx, user.id, {"password_hash": password_hash, "must_change_password": must_change})
    store.delete_sessions(tx, user.id)
    _record(tx, now, caller, user, "password set")


def change_own_password(tx: Tx, now: dt.datetime, caller: Caller, password_hash: str, session: str) -> None:
    """Store the caller's new password, and end its other sessions than `session` (the cookie's secret)."""
    store.update_user(tx, caller.user_id, {"password_hash": password_hash, "must_change_password": False})
    store.delete_sessions(tx, caller.user_id, keep=digest(session))
    _record(tx, now, caller, get_user(tx, caller, caller.user_id), "password changed")


def list_tokens(tx: Tx, caller: Caller) -> list[Token]:
    """Return the caller's own tokens; an administrator sees those of all users it may see."""
    if caller.role is Role.ADMINISTRATOR:
        found = store.list_tokens(tx, organization_id=caller.organization_id)
    else:
        found = store.list_tokens(tx, user_id=caller.user_id)
    return [token for token, _ in found]


def create_token(
    tx: Tx, now: dt.datetime, caller: Caller, user_id: int, *, name: str, expires_at: dt.datetime | None
) -> tuple[Token, str]:
    """Create an API token; return it with its secret, which is not kept and cannot be shown again.

    InvalidInputError for a bad name or an end in the past, ConflictError for a name in use.
    """
    if user_id != caller.user_id:
        caller.require(Role.ADMINISTRATOR)
    user = get_user(tx, caller, user_id)
    if expires_at is not None and expires_at <= now:
        raise InvalidInputError("expires_at: the token would have expired already", where="expires_at")
    if expires_at is not None and expires_at - now > TOKEN_MAXIMUM:
        raise InvalidInputError(
            "expires_at: choose an end within 10 years, or none at all", where="expires_at"
        )
    secret = new_token()
    values = {
        "user_id": user.id,
        "name": clean_token_name(name),
        "token_hash": digest(secret),
        "created_at": now,
        "expires_at": expires_at,
    }
    number = store.insert_token(tx, values)
    token = _visible_token(tx, caller, number)
    _record_token(tx, now, caller, token, "created")
    return token[0], secret


def revoke_token(tx: Tx, now: dt.datetime, caller: Caller, token_id: int) -> None:
    """Delete an API token of one's own, or as an administrator of any user one sees. NotFoundError else."""
    token = _visible_token(tx, caller, token_id)
    store.delete_token(tx, token[0].id)
    _record_token(tx, now, caller, token, "revoked")


def _visible_token(tx: Tx, caller: Caller, token_id: int) -> tuple[Token, int | None]:
    found = store.find_token_by_id(tx, token_id)
    if found is not None:
        token, organization_id = found
        administers = caller.role is Role.ADMINISTRATOR and caller.sees(organization_id)
        if token.user_id == caller.user_id or administers:
            return found
    raise NotFoundError(f"there is no token {token_id}")


def ensure_administrator(tx: Tx, now: dt.datetime, password_hash: str) -> str | None:
    """Create the first system administrator when there is no user at all; return its name, else None.

    Its password must be changed at the first sign-in.
    """
    if store.count_users(tx):
        return None
    user = create_user(
        tx,
        now,
        SYSTEM,
        name=FIRST_ADMINISTRATOR,
        role=Role.ADMINISTRATOR,
        organization_id=None,
        password_hash=password_hash,
    )
    return user.name


def has_users(tx: Tx) -> bool:
    """Return whether there is any user, so that no one-time password need be hashed."""
    return store.count_users(tx) > 0


def _record(tx: Tx, now: dt.datetime, caller: Caller, user: User, change: str) -> None:
    event = RecordChanged(
        record="user",
        record_id=user.id,
        change=change,
        name=user.name,
        actor=caller.name,
        organization_id=user.organization_id,
    )
    log.append(tx, now, event)


def _record_token(
    tx: Tx, now: dt.datetime, caller: Caller, token: tuple[Token, int | None], change: str
) -> None:
    event = RecordChanged(
        record="token",
        record_id=token[0].id,
        change=change,
        name=f"{token[0].user}: {token[0].name}",
        actor=caller.name,
        organization_id=token[1],
    )
    log.append(tx, now, event)
