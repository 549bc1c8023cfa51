"""Clients of the licence server: added with a token that is shown once, limited, released and retired.

The command line calls these (`outrider licences clients`); each function takes `tx`, the time and who did it.
"""

import datetime as dt
from dataclasses import dataclass

from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotFoundError
from outrider.events import RecordChanged
from outrider.licences.model import LicenceKind
from outrider.people.passwords import digest, new_secret
from outrider.supply.server import files, store
from outrider.supply.server.model import LOCAL, LONGEST_NAME, Client, Limit

TOKEN_PREFIX = "orl_"  # noqa: S105 - lets secret scanners recognise a client's token
LONGEST_ABOUT = 200


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client that was added, and its token, which nobody can be shown again."""

    name: str
    token: str


def add(tx: Tx, name: str, about: str, now: dt.datetime, actor: str) -> NewClient:
    """Add a client, or bring a retired one back; return it with its new token.

    InvalidInputError for a name that is none, ConflictError when there is one by that name.
    """
    _check(name, about)
    files.judged_time(tx, now)
    found = store.find(tx, name)
    if found is not None and found.retired_at is None:
        raise ConflictError(f"there is a client {name!r} already: choose another name, or remove it first")
    token = TOKEN_PREFIX + new_secret()
    store.add(tx, name, about, digest(token), now)
    _record(tx, now, "created", name, actor)
    return NewClient(name, token)


def renew_token(tx: Tx, name: str, now: dt.datetime, actor: str) -> NewClient:
    """Give a client another token; the old one is refused from now on. NotFoundError, ConflictError."""
    client = _remote(tx, name, now)
    token = TOKEN_PREFIX + new_secret()
    store.set_token(tx, client.id, digest(token))
    _record(tx, now, "token renewed", name, actor)
    return NewClient(name, token)


def remove(tx: Tx, name: str, now: dt.datetime, actor: str) -> Client:
    """Retire a client. Its requests are refused; its units come free when its lease ends. Return it."""
    client = _remote(tx, name, now)
    store.retire(tx, client.id, now)
    _record(tx, now, "deleted", name, actor)
    return client


def release(tx: Tx, name: str, now: dt.datetime, actor: str) -> None:
    """Free a client's units at once, for one that is known to be gone. NotFoundError.

    One that still runs goes by its last answer until it asks again.
    """
    client = _found(tx, name, now, retired=True)
    store.free(tx, client.id, now)
    _record(tx, now, "released", name, actor)


def set_limit(
    tx: Tx, name: str, kind: LicenceKind, minimum: int, maximum: int | None, now: dt.datetime, actor: str
) -> None:
    """Reserve units of a feature for a client, and limit what it may have.

    Reserved units are kept for it even while it is away. Reservations may exceed what there is: the older
    client is then served first. InvalidInputError, NotFoundError.
    """
    limit = Limit(minimum, maximum)
    limit.check(kind)
    client = _found(tx, name, now)
    store.set_limit(tx, client.id, kind, limit)
    _record(tx, now, f"{kind.value} limits set", name, actor)


def _check(name: str, about: str) -> None:
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME or name != name.strip():
        raise InvalidInputError(
            f"{name!r} cannot be a client's name: give 1 to {LONGEST_NAME} printable characters", where="name"
        )
    if name == LOCAL:
        raise InvalidInputError(
            f"{LOCAL!r} is the platform of the server's own process: choose another name", where="name"
        )
    if len(about) > LONGEST_ABOUT:
        raise InvalidInputError(f"the description has more than {LONGEST_ABOUT} characters", where="about")


def _found(tx: Tx, name: str, now: dt.datetime, *, retired: bool = False) -> Client:
    files.judged_time(tx, now)
    client = store.find(tx, name)
    if client is None or (client.retired_at is not None and not retired):
        raise NotFoundError(f"there is no client {name!r}: see outrider licences clients list")
    return client


def _remote(tx: Tx, name: str, now: dt.datetime) -> Client:
    client = _found(tx, name, now)
    if name == LOCAL:
        raise ConflictError(f"{LOCAL!r} is the platform of the server's own process, and has no token")
    return client


def _record(tx: Tx, now: dt.datetime, change: str, name: str, actor: str) -> None:
    event = RecordChanged(record="licence_client", record_id=0, change=change, name=name, actor=actor)
    log.append(tx, now, event)
