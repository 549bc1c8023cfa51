"""SQL of speech servers and the connections that calls have. Only `speech/service.py` uses it.

Locks: the servers of a kind by id, after pools, tasks and media servers.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, insert, select, update

from outrider.db import schema
from outrider.db.database import Row, Tx
from outrider.db.dialect import locked
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind
from outrider.media.split import Holding
from outrider.speech.model import Engine, SpeechServer, SpeechServerId

S, U, A, T = schema.speech_servers.c, schema.speech_units.c, schema.attempts.c, schema.tasks.c

FREE = locked(
    select(S.id, S.granted, S.in_use)
    .where(S.kind == bindparam("kind"), S.granted > S.in_use)
    .order_by((S.granted - S.in_use).desc(), S.id)
    .limit(1)
)
CHARGE = (
    update(schema.speech_servers)
    .where(S.id == bindparam("server"), S.in_use < S.granted)
    .values(in_use=S.in_use + 1)
)
OPEN_ATTEMPT = locked(select(A.task_id).where(A.id == bindparam("attempt"), A.ended_at.is_(None)))
HAS = select(U.server_id).where(U.attempt_id == bindparam("attempt"), U.kind == bindparam("kind"))
RETURN_UNITS = (
    delete(schema.speech_units)
    .where(U.attempt_id.in_(bindparam("attempts", expanding=True)))
    .returning(U.server_id, U.kind)
)


def servers(tx: Tx, kind: LicenceKind | None = None) -> list[SpeechServer]:
    """Return all speech servers, or those of one kind, by name."""
    query = select(schema.speech_servers).order_by(S.name)
    if kind is not None:
        query = query.where(S.kind == kind.value)
    return [_server(row) for row in tx.execute(query).mappings()]


def server(tx: Tx, server_id: int) -> SpeechServer | None:
    """Return one speech server."""
    row = tx.execute(select(schema.speech_servers).where(S.id == server_id)).mappings().first()
    return None if row is None else _server(row)


def add(tx: Tx, values: Mapping[str, Any]) -> SpeechServerId:
    """Add a server; return its id."""
    statement = insert(schema.speech_servers).values(**values).returning(S.id)
    return SpeechServerId(tx.execute(statement).scalar_one())


def change(tx: Tx, server_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of a server."""
    tx.execute(update(schema.speech_servers).where(S.id == server_id).values(**values))


def remove(tx: Tx, server_id: int) -> None:
    """Delete a server that nobody uses."""
    tx.execute(delete(schema.speech_servers).where(S.id == server_id))


def lock_members(tx: Tx, kind: LicenceKind) -> list[Holding]:
    """Lock the servers of a kind by id, and return them as the split sees them."""
    return _holdings(tx, locked(_members(kind)))


def members(tx: Tx, kind: LicenceKind) -> list[Holding]:
    """Return what `lock_members` returns, without locking anything: for looking, not for acting."""
    return _holdings(tx, _members(kind))


def _members(kind: LicenceKind) -> Select[Any]:
    return select(schema.speech_servers).where(S.kind == kind.value).order_by(S.id)


def _holdings(tx: Tx, query: Select[Any]) -> list[Holding]:
    return [
        Holding(
            row["id"],
            row["weight"],
            row["maximum"],
            row["enabled"],
            row["quota"],
            row["granted"],
            row["in_use"],
        )
        for row in tx.execute(query).mappings()
    ]


def save_shares(tx: Tx, shares: Mapping[int, tuple[int, int]]) -> None:
    """Write quotas and grants by server."""
    for server_id, (quota, granted) in sorted(shares.items()):
        change(tx, server_id, {"quota": quota, "granted": granted})


def has_unit(tx: Tx, attempt_id: AttemptId, kind: LicenceKind) -> bool:
    """Return whether a call has a unit of a kind already."""
    return tx.execute(HAS, {"attempt": attempt_id, "kind": kind.value}).first() is not None


def lock_open_attempt(tx: Tx, attempt_id: AttemptId) -> int | None:
    """Lock an attempt that is under way; return its task, None when it is over."""
    return tx.execute(OPEN_ATTEMPT, {"attempt": attempt_id}).scalar()


def charge(tx: Tx, attempt_id: AttemptId, kind: LicenceKind, task_id: int, now: dt.datetime) -> bool:
    """Charge one unit of the server of a kind that has most free; False when none has."""
    free = tx.execute(FREE, {"kind": kind.value}).mappings().first()
    if free is None or tx.execute(CHARGE, {"server": free["id"]}).rowcount != 1:
        return False
    unit = {"attempt_id": attempt_id, "kind": kind.value, "server_id": free["id"], "task_id": task_id}
    tx.execute(insert(schema.speech_units).values(**unit, taken_at=now))
    return True


def count_refusal(tx: Tx, kind: LicenceKind) -> None:
    """Count a call in vain on every server that it might have used."""
    tx.execute(
        update(schema.speech_servers)
        .where(S.kind == kind.value, S.enabled.is_(True))
        .values(refused=S.refused + 1)
    )


def give_back(
    tx: Tx, attempts: Sequence[str], kind: LicenceKind | None = None
) -> dict[LicenceKind, dict[int, int]]:
    """Take the units of these calls off the servers; return how many were given back, by kind and server."""
    statement = RETURN_UNITS if kind is None else RETURN_UNITS.where(U.kind == kind.value)
    found: dict[LicenceKind, dict[int, int]] = {}
    for row in tx.execute(statement, {"attempts": list(attempts)}):
        counts = found.setdefault(LicenceKind(row.kind), {})
        counts[row.server_id] = counts.get(row.server_id, 0) + 1
    for counts in found.values():
        for server_id, count in sorted(counts.items()):
            tx.execute(update(schema.speech_servers).where(S.id == server_id).values(in_use=S.in_use - count))
    return found


def held(tx: Tx, attempts: Sequence[str]) -> dict[AttemptId, frozenset[LicenceKind]]:
    """Return which units these calls have."""
    found: dict[AttemptId, frozenset[LicenceKind]] = {}
    query = select(U.attempt_id, U.kind).where(U.attempt_id.in_(attempts))
    for row in tx.execute(query):
        attempt_id = AttemptId(row.attempt_id)
        found[attempt_id] = found.get(attempt_id, frozenset()) | {LicenceKind(row.kind)}
    return found


def use_by_job(tx: Tx) -> list[Row]:
    """Return the units in use by job and kind: job_id, kind, units."""
    query = (
        select(T.job_id, U.kind, func.count().label("units"))
        .join(schema.tasks, T.id == U.task_id)
        .group_by(T.job_id, U.kind)
        .order_by(T.job_id, U.kind)
    )
    return list(tx.execute(query).mappings())


def wrong_sums(tx: Tx) -> list[Row]:
    """Return servers whose cached units in use are not those that calls have: name, in_use, truth."""
    truth = select(U.server_id, func.count().label("truth")).group_by(U.server_id).subquery()
    units = func.coalesce(truth.c.truth, 0)
    query = (
        select(S.name, S.in_use, units.label("truth"))
        .outerjoin(truth, truth.c.server_id == S.id)
        .where(S.in_use != units)
        .order_by(S.id)
    )
    return list(tx.execute(query).mappings())


def leaked(tx: Tx) -> int:
    """Return how many units belong to calls that are over."""
    is_open = select(A.id).where(A.id == U.attempt_id, A.ended_at.is_(None)).correlate(schema.speech_units)
    query = select(func.count()).select_from(schema.speech_units).where(~is_open.exists())
    return int(tx.execute(query).scalar_one())


def _server(row: Row) -> SpeechServer:
    return SpeechServer(
        id=SpeechServerId(row["id"]),
        name=row["name"],
        kind=LicenceKind(row["kind"]),
        engine=Engine(row["engine"]),
        options=row["options"],
        maximum=row["maximum"],
        weight=row["weight"],
        enabled=row["enabled"],
        quota=row["quota"],
        granted=row["granted"],
        in_use=row["in_use"],
        refused=row["refused"],
        created_at=row["created_at"],
    )
