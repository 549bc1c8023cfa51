"""Imports as records: asked for, claimed, advanced, ended. The API, the CLI and the runner call it.

Changes by a worker are guarded by its lease: when it was lost (the worker was thought dead, or somebody
cancelled), LeaseLostError ends its transaction, so that two workers never write the same rows.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from outrider.contacts.detection import check_delimiter, check_encoding
from outrider.contacts.imports import store
from outrider.contacts.imports.merging import merge
from outrider.contacts.imports.model import Import, ImportOptions, ImportState
from outrider.contacts.numbers import check_country
from outrider.contacts.rows import CleanRow
from outrider.contacts.service import get_list
from outrider.db import log
from outrider.db.database import Tx
from outrider.errors import ConflictError, InvalidInputError, NotFoundError, OutriderError
from outrider.events import ImportChanged

LONGEST_FILE_NAME: Final = 200
LARGEST_PAGE: Final = 1_000
CANCELLABLE: Final = (ImportState.QUEUED, ImportState.READING)


class LeaseLostError(OutriderError):
    """Somebody else has the import now, or it was cancelled or deleted."""

    code = "lease_lost"


def request_import(
    tx: Tx,
    now: dt.datetime,
    *,
    organization_id: int | None,
    actor: str,
    list_id: int,
    file_name: str,
    file_size: int,
    file_digest: str,
    spool: str,
    options: ImportOptions,
) -> Import:
    """Queue a saved file for a list. NotFoundError; InvalidInputError or ImportFileError for bad options."""
    target = get_list(tx, organization_id=organization_id, list_id=list_id)
    check_options(options)
    import_id = store.insert_import(
        tx,
        now,
        list_id=list_id,
        file_name=_plain_name(file_name),
        file_size=file_size,
        file_digest=file_digest,
        spool=spool,
        options=options,
    )
    _tell(tx, now, target.organization_id, import_id, ImportState.QUEUED, actor)
    return get_import(tx, organization_id=organization_id, import_id=import_id)


def check_options(options: ImportOptions) -> None:
    """Refuse options that cannot be right for any file. InvalidInputError, ImportFileError."""
    if options.duplicates not in ("skip", "update"):
        raise InvalidInputError(
            f"duplicates: {options.duplicates!r} is not skip or update", where="duplicates"
        )
    if options.country is not None:
        check_country(options.country)
    if options.encoding is not None:
        check_encoding(options.encoding)
    if options.delimiter is not None:
        check_delimiter(options.delimiter)


def get_import(tx: Tx, *, organization_id: int | None, import_id: int) -> Import:
    """Return one import. NotFoundError."""
    found = store.find_import(tx, organization_id, import_id)
    if found is None:
        raise NotFoundError(f"there is no import {import_id}", where="import_id")
    return found


def imports(
    tx: Tx,
    *,
    organization_id: int | None,
    list_id: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Import]:
    """Return up to `limit` (1 to 1,000) imports with ids below `before`, newest first."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInputError(f"limit: {limit} is not between 1 and {LARGEST_PAGE}", where="limit")
    if list_id is not None:
        get_list(tx, organization_id=organization_id, list_id=list_id)
    return store.all_imports(tx, organization_id, list_id, before, limit)


def cancel_import(
    tx: Tx, now: dt.datetime, *, organization_id: int | None, actor: str, import_id: int
) -> Import:
    """Cancel an import. NotFoundError; ConflictError when it has ended.

    With keep_good, rows that are written stay; an all-or-nothing import is refused while it is applied.
    """
    present = get_import(tx, organization_id=organization_id, import_id=import_id)
    states = (*CANCELLABLE, ImportState.APPLYING) if present.options.keep_good else CANCELLABLE
    values = {
        "state": ImportState.CANCELLED.value,
        "finished_at": now,
        "message": f"cancelled by {actor}" if actor else "cancelled",
        "owner": None,
        "lease_until": None,
    }
    if not store.end_unstarted(tx, import_id, states, values):
        if present.active:
            raise ConflictError(
                f"import {import_id} is all or nothing and is being written: it cannot stop half-way"
            )
        raise ConflictError(f"import {import_id} has already ended ({present.state.value})")
    _tell(tx, now, present.organization_id, import_id, ImportState.CANCELLED, actor)
    return get_import(tx, organization_id=organization_id, import_id=import_id)


def claim(
    tx: Tx, now: dt.datetime, owner: str, lease: dt.timedelta, import_id: int | None = None
) -> Import | None:
    """Lease the next import (or just `import_id`) that nobody works on; None when there is none."""
    found = store.claim(tx, now, owner, now + lease, import_id)
    return None if found is None else get_import(tx, organization_id=None, import_id=found)


def start_reading(
    tx: Tx, now: dt.datetime, present: Import, owner: str, until: dt.datetime, found: Mapping[str, Any]
) -> None:
    """Note that the file is read from its beginning, and what was recognised in it. LeaseLostError."""
    fresh = {
        "state": ImportState.READING.value,
        "position": 0,
        "rows_read": 0,
        "rows_rejected": 0,
        "lease_until": until,
    }
    _own(tx, present, owner, CANCELLABLE, fresh)
    store.set_found(tx, present.id, found)
    _tell(tx, now, present.organization_id, present.id, ImportState.READING)


def report_reading(
    tx: Tx, now: dt.datetime, present: Import, owner: str, until: dt.datetime, counters: Mapping[str, int]
) -> None:
    """Write progress (position, rows_read, rows_rejected) and renew the lease. LeaseLostError."""
    _own(tx, present, owner, [ImportState.READING], {**counters, "lease_until": until})
    _tell(tx, now, present.organization_id, present.id, ImportState.READING)


def start_applying(
    tx: Tx, now: dt.datetime, present: Import, owner: str, until: dt.datetime, counters: Mapping[str, int]
) -> None:
    """Note that the clean rows lie complete on disk: from here the file is not read again. LeaseLostError."""
    values = {**counters, "state": ImportState.APPLYING.value, "position": 0, "lease_until": until}
    _own(tx, present, owner, [ImportState.READING], values)
    _tell(tx, now, present.organization_id, present.id, ImportState.APPLYING)


def apply_rows(
    tx: Tx,
    now: dt.datetime,
    present: Import,
    owner: str,
    until: dt.datetime,
    rows: Sequence[CleanRow],
    position: tuple[int, int],
) -> None:
    """Write rows to the list and move the cursor from `position[0]` to `position[1]`, all in one.

    Counters, the list's count and the lease move with them. LeaseLostError changes nothing.
    """
    if not store.lock_list(tx, present.list_id):
        raise _lost(present)
    if present.options.duplicates == "update":
        merged = merge(rows, store.contacts_by_key(tx, present.list_id, list({row[0] for row in rows})))
        added = store.insert_contacts(tx, present.list_id, present.id, merged.new)
        store.update_contacts(tx, merged.changed)
        updated, duplicate = merged.updated, merged.same
    else:
        added = store.insert_contacts(tx, present.list_id, present.id, rows)
        updated, duplicate = 0, len(rows) - added
    values = {
        "position": position[1],
        "rows_added": store.plus("rows_added", added),
        "rows_updated": store.plus("rows_updated", updated),
        "rows_duplicate": store.plus("rows_duplicate", duplicate),
        "lease_until": until,
    }
    _own(tx, present, owner, [ImportState.APPLYING], values, position[0])
    store.add_to_list_count(tx, present.list_id, added)
    _tell(tx, now, present.organization_id, present.id, ImportState.APPLYING)


def finish(tx: Tx, now: dt.datetime, present: Import, owner: str) -> None:
    """End an import whose rows are all written. LeaseLostError."""
    _end(tx, now, present, owner, ImportState.DONE, "", [ImportState.APPLYING])


def fail(
    tx: Tx, now: dt.datetime, present: Import, owner: str, message: str, counters: Mapping[str, int]
) -> None:
    """End an import that changed nothing, with the reason for people. LeaseLostError."""
    _end(tx, now, present, owner, ImportState.FAILED, message, CANCELLABLE, counters)


def release(tx: Tx, present: Import, owner: str) -> None:
    """Give the lease back at once, so that another worker may go on; nothing happens when it was lost."""
    active = (*CANCELLABLE, ImportState.APPLYING)
    store.change_own(tx, present.id, owner, active, {"owner": None, "lease_until": None})


def known_spools(tx: Tx) -> set[str]:
    """Return the spool names of all imports, to tell forgotten files from needed ones."""
    return store.spools(tx)


def _end(
    tx: Tx,
    now: dt.datetime,
    present: Import,
    owner: str,
    state: ImportState,
    message: str,
    states: Sequence[ImportState],
    counters: Mapping[str, int] | None = None,
) -> None:
    values = {
        **(counters or {}),
        "state": state.value,
        "message": message,
        "finished_at": now,
        "owner": None,
        "lease_until": None,
    }
    _own(tx, present, owner, states, values)
    _tell(tx, now, present.organization_id, present.id, state)


def _own(
    tx: Tx,
    present: Import,
    owner: str,
    states: Sequence[ImportState],
    values: Mapping[str, Any],
    position: int | None = None,
) -> None:
    if not store.change_own(tx, present.id, owner, states, values, position):
        raise _lost(present)


def _lost(present: Import) -> LeaseLostError:
    return LeaseLostError(f"import {present.id} was cancelled or is now worked on by another process")


def _plain_name(file_name: str) -> str:
    name = "".join(
        character for character in file_name.replace("\\", "/").rpartition("/")[2] if character.isprintable()
    )
    return name[-LONGEST_FILE_NAME:] or "contacts.csv"


def _tell(
    tx: Tx, now: dt.datetime, organization_id: int, import_id: int, state: ImportState, actor: str = ""
) -> None:
    event = ImportChanged(
        organization_id=organization_id, import_id=import_id, state=state.value, actor=actor
    )
    log.append(tx, now, event)
