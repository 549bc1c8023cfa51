"""Where the entitlement comes from: signed files on disk, verified again at every poll.

The seam of the platform manager: `poll` is all that the rest of the system knows of the source. The API,
the command line and the worker's monitor call it in their transactions (licensing.md 7).
"""

import datetime as dt
from dataclasses import replace

from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import LicenceFileError, NotFoundError
from outrider.events import RecordChanged
from outrider.licences import division, division_store
from outrider.licences.service import SharingRules
from outrider.supply import file as licence_file
from outrider.supply import store
from outrider.supply.claims import LicenceFile
from outrider.supply.model import Supply, SupplyState, add_up

LONGEST_ID, LONGEST_VERSION = 80, 32
"""Characters that the columns hold."""


def load_file(
    tx: Tx, rules: SharingRules, text: str, public_key: str, host_id: str, now: dt.datetime, actor: str
) -> Supply:
    """Verify a signed file for this host, keep it, and put what it authorises in force.

    Several files add up; one by the same id supersedes the older. LicenceFileError says why one is refused.
    """
    licence = licence_file.load(text, public_key, host_id, now)
    if len(licence.id) > LONGEST_ID or len(licence.platform_version) > LONGEST_VERSION:
        raise LicenceFileError(
            f"the licence file's id has more than {LONGEST_ID} characters, or its platform version more than "
            f"{LONGEST_VERSION}: ask the issuer for one with shorter names",
            reason="bad_claim",
        )
    store.save_file(tx, store.StoredFile(licence.id, text.strip(), public_key, now))
    event = RecordChanged(record="licence_file", record_id=0, change="loaded", name=licence.id, actor=actor)
    log.append(tx, now, event)
    return poll(tx, rules, host_id, now, cause=f"licence file {licence.id} loaded", actor=actor)


def remove_file(
    tx: Tx, rules: SharingRules, file_id: str, host_id: str, now: dt.datetime, actor: str
) -> Supply:
    """Forget a file on purpose; its counts are gone at once. NotFoundError when there is none by that id."""
    if not store.delete_file(tx, file_id):
        raise NotFoundError(f"there is no licence file {file_id!r}")
    event = RecordChanged(record="licence_file", record_id=0, change="removed", name=file_id, actor=actor)
    log.append(tx, now, event)
    return poll(tx, rules, host_id, now, cause=f"licence file {file_id} removed", actor=actor)


def poll(
    tx: Tx, rules: SharingRules, host_id: str, now: dt.datetime, *, cause: str = "poll", actor: str = ""
) -> Supply:
    """Verify the loaded files again, add them up, and divide what they authorise.

    Counts that changed are divided over the zones, and the pools that are touched recalculate. A file that
    no longer verifies (another host, a damaged database) counts nothing, and the message says why.
    """
    division.lock(tx)
    before = store.current(tx)
    verified, problems = _verified(tx, host_id)
    supply = add_up(tuple(verified), now)
    moved = supply.counts != before.counts
    success = bool(verified) or not problems
    supply = replace(
        supply,
        last_poll_at=now,
        last_success_at=now if success else before.last_success_at,
        last_changed_at=now if moved or before.last_changed_at is None else before.last_changed_at,
        message="; ".join(filter(None, (supply.message, *problems))),
    )
    store.save(tx, supply)
    division_store.ensure_defaults(tx, now)
    division.apply(tx, rules, supply.counts, now, cause=cause, actor=actor)
    return supply


def current(tx: Tx) -> Supply:
    """Return what the last poll found."""
    return store.current(tx)


def files(tx: Tx) -> list[tuple[LicenceFile | None, store.StoredFile, str]]:
    """Return the loaded files with what they say, or None and the reason why they are refused now."""
    found: list[tuple[LicenceFile | None, store.StoredFile, str]] = []
    for stored in store.files(tx):
        try:
            found.append((licence_file.read(stored.text, stored.public_key), stored, ""))
        except LicenceFileError as error:
            found.append((None, stored, error.message))
    return found


def is_licensed(supply: Supply) -> bool:
    """Return whether anything may start at all."""
    return supply.state in {SupplyState.NORMAL, SupplyState.STALE, SupplyState.GRACE}


def _verified(tx: Tx, host_id: str) -> tuple[list[LicenceFile], list[str]]:
    verified, problems = [], []
    for licence, stored, problem in files(tx):
        if licence is None:
            problems.append(f"{stored.file_id}: {problem}")
        elif licence.host_id not in (host_id, "any"):
            problems.append(f"{stored.file_id}: issued for host {licence.host_id}, this is {host_id}")
        else:
            verified.append(licence)
    return verified, problems
