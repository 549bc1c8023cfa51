"""Speech servers and their connections: configured, split, taken by calls and given back.

The API, pages and command line configure; the speech desk of a worker takes and gives; results release what
a call still had at its end. Licensed units are split over the servers of a kind like ports over media
servers, and granted the same way (licensing.md 4.5).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from outrider.db import log
from outrider.db.database import Row, Tx
from outrider.errors import ConflictError, InvalidInputError, LicenceShortageError, NotFoundError
from outrider.events import RecordChanged
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind
from outrider.media.split import Holding, grant, split
from outrider.speech import store
from outrider.speech.model import (
    ENGINES,
    LARGEST_UNITS,
    LARGEST_WEIGHT,
    LONGEST_NAME,
    SPEECH_KINDS,
    Plan,
    SpeechServer,
)
from outrider.supply import service as supply

RECORD = "speech_server"


def servers(tx: Tx, kind: LicenceKind | None = None) -> list[SpeechServer]:
    """Return all speech servers, or those of one kind, by name."""
    return store.servers(tx, kind)


def server(tx: Tx, server_id: int) -> SpeechServer:
    """Return one speech server. NotFoundError."""
    found = store.server(tx, server_id)
    if found is None:
        raise NotFoundError(f"there is no speech server {server_id}")
    return found


def licensed(tx: Tx, kind: LicenceKind) -> int:
    """Return how many connections of a kind are authorised."""
    return supply.current(tx).counts.get(kind, 0)


def add(tx: Tx, plan: Plan, now: dt.datetime, actor: str) -> SpeechServer:
    """Configure a speech server; it gets its share of the licensed connections at once.

    LicenceShortageError when no connection of its kind is licensed at all, InvalidInputError names the field,
    ConflictError a name that is in use.
    """
    _check(plan)
    if licensed(tx, plan.kind) <= 0:
        raise LicenceShortageError(
            f"no {plan.kind.upper()} connection is licensed, so no {plan.kind.upper()} server can be "
            f"configured: load a licence file with {plan.kind} connections first",
            kind=plan.kind.value,
        )
    if any(each.name == plan.name for each in store.servers(tx)):
        raise ConflictError(f"there is a speech server {plan.name!r} already: choose another name")
    server_id = store.add(
        tx,
        {
            "name": plan.name,
            "kind": plan.kind.value,
            "engine": plan.engine.value,
            "options": dict(plan.options),
            "maximum": plan.maximum,
            "weight": plan.weight,
            "enabled": plan.enabled,
            "created_at": now,
        },
    )
    _note(tx, now, server_id, "created", plan.name, actor)
    rebalance(tx, plan.kind)
    return server(tx, server_id)


def change(tx: Tx, server_id: int, plan: Plan, now: dt.datetime, actor: str) -> SpeechServer:
    """Change a speech server but for its kind. Errors as for `add`, and NotFoundError."""
    found = server(tx, server_id)
    _check(plan)
    if plan.kind is not found.kind:
        raise InvalidInputError("kind: a speech server keeps its kind: add another one", where="kind")
    if any(each.name == plan.name and each.id != found.id for each in store.servers(tx)):
        raise ConflictError(f"there is a speech server {plan.name!r} already: choose another name")
    values = {
        "name": plan.name,
        "engine": plan.engine.value,
        "options": dict(plan.options),
        "maximum": plan.maximum,
        "weight": plan.weight,
        "enabled": plan.enabled,
    }
    store.change(tx, server_id, values)
    _note(tx, now, server_id, "changed", plan.name, actor)
    rebalance(tx, found.kind)
    return server(tx, server_id)


def remove(tx: Tx, server_id: int, now: dt.datetime, actor: str) -> None:
    """Remove a speech server. NotFoundError; ConflictError while calls use it."""
    found = server(tx, server_id)
    if found.in_use:
        raise ConflictError(
            f"{found.in_use} calls use speech server {found.name}: disable it, and remove it when "
            "they are over"
        )
    store.remove(tx, server_id)
    _note(tx, now, server_id, "deleted", found.name, actor)
    rebalance(tx, found.kind)


def rebalance(tx: Tx, *kinds: LicenceKind) -> bool:
    """Split the licensed connections over the servers anew; return whether a share changed.

    Called on every change of a server and of what is licensed. Connections in use are never cut.
    """
    changed = False
    for kind in kinds or SPEECH_KINDS:
        members = store.lock_members(tx, kind)
        units = licensed(tx, kind)
        quotas = split(units, members)
        wanted = [replace(each, quota=quotas[each.id]) for each in members]
        changed |= _save(tx, members, quotas, grant(units, wanted))
    return changed


def is_stale(tx: Tx) -> bool:
    """Return whether `rebalance` has something to do: what is licensed changed. Nothing is locked."""
    return any(
        split(licensed(tx, kind), members) != {each.id: each.quota for each in members}
        for kind in SPEECH_KINDS
        if (members := store.members(tx, kind))
    )


def take(tx: Tx, attempt_id: AttemptId, kind: LicenceKind, now: dt.datetime) -> bool:
    """Take a connection for a call that is under way; False when none is free, or the call is over.

    Repeating it for a call that has one changes nothing. The guarded update decides: no server ever carries
    more than its grant.
    """
    task_id = store.lock_open_attempt(tx, attempt_id)
    if task_id is None:
        return False
    if store.has_unit(tx, attempt_id, kind):
        return True
    return store.charge(tx, attempt_id, kind, task_id, now)


def refuse(tx: Tx, kind: LicenceKind) -> None:
    """Count a call that waited for a connection in vain."""
    store.count_refusal(tx, kind)


def give(tx: Tx, attempt_id: AttemptId, kind: LicenceKind) -> None:
    """Give a call's connection back while it goes on; nothing happens when it has none."""
    _settle(tx, store.give_back(tx, [attempt_id], kind))


def release(tx: Tx, attempts: Sequence[AttemptId]) -> None:
    """Give back all connections of calls that are over."""
    _settle(tx, store.give_back(tx, attempts))


def held(tx: Tx, attempts: Sequence[AttemptId]) -> dict[AttemptId, frozenset[LicenceKind]]:
    """Return which connections these calls have; calls without any are left out."""
    return store.held(tx, attempts)


def use_by_job(tx: Tx) -> list[Row]:
    """Return the connections in use by job and kind: job_id, kind, units."""
    return store.use_by_job(tx)


def drifts(tx: Tx) -> list[str]:
    """Return every disagreement between cached sums and the connections that calls have, for `check`."""
    found = [
        f"speech server {row['name']}: connections in use is {row['in_use']}, should be {row['truth']}"
        for row in store.wrong_sums(tx)
    ]
    leaked = store.leaked(tx)
    return found + ([f"{leaked} speech connections belong to calls that are over"] if leaked else [])


def _settle(tx: Tx, given: dict[LicenceKind, dict[int, int]]) -> None:
    """Grant what became free to servers that are owed some."""
    for kind in given:
        members = store.lock_members(tx, kind)
        if any(each.granted < each.quota or each.in_use > each.granted for each in members):
            quotas = {each.id: each.quota for each in members}
            _save(tx, members, quotas, grant(licensed(tx, kind), members))


def _save(tx: Tx, members: Sequence[Holding], quotas: dict[int, int], granted: dict[int, int]) -> bool:
    shares = {
        each.id: (quotas[each.id], granted[each.id])
        for each in members
        if (each.quota, each.granted) != (quotas[each.id], granted[each.id])
    }
    store.save_shares(tx, shares)
    return bool(shares)


def _check(plan: Plan) -> None:
    if not 1 <= len(plan.name) <= LONGEST_NAME or not plan.name.isprintable():
        raise InvalidInputError(f"name: must have 1 to {LONGEST_NAME} printable characters", where="name")
    if plan.kind not in SPEECH_KINDS:
        raise InvalidInputError("kind: must be asr or tts", where="kind")
    if plan.engine not in ENGINES[plan.kind]:
        known = ", ".join(ENGINES[plan.kind])
        raise InvalidInputError(f"engine: {plan.engine} does no {plan.kind}; choose {known}", where="engine")
    if not 1 <= plan.maximum <= LARGEST_UNITS:
        raise InvalidInputError(f"maximum: must be from 1 to {LARGEST_UNITS}", where="maximum")
    if not 1 <= plan.weight <= LARGEST_WEIGHT:
        raise InvalidInputError(f"weight: must be from 1 to {LARGEST_WEIGHT}", where="weight")


def _note(tx: Tx, now: dt.datetime, server_id: int, change: str, name: str, actor: str) -> None:
    event = RecordChanged(record=RECORD, record_id=server_id, change=change, name=name, actor=actor)
    log.append(tx, now, event)
