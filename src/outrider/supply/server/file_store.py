"""SQL of the licence server's files: those that are loaded, and those that were withdrawn.

Only `supply/server/files.py` uses it.
"""

import datetime as dt

from sqlalchemy import delete, select

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert, locked
from outrider.supply.server.entitlement import StoredFile, Withdrawal

F, W, S = schema.licence_files.c, schema.licence_withdrawals.c, schema.licence_server_state.c
THE_ROW = 1


def lock(tx: Tx, now: dt.datetime) -> dt.datetime:
    """Let one transaction at a time judge files and leases; return the latest time that was ever noted.

    On SQLite the write transaction already is the lock.
    """
    query = locked(select(S.latest_at).where(S.id == THE_ROW))
    found: dt.datetime | None = tx.execute(query).scalar()
    if found is None:
        row = insert(tx, schema.licence_server_state).values(id=THE_ROW, latest_at=now)
        tx.execute(row.on_conflict_do_nothing(index_elements=["id"]))
        found = tx.execute(query).scalar_one()
    return found


def note_time(tx: Tx, latest_at: dt.datetime) -> None:
    """Remember the latest time that was noted; `lock` comes first."""
    tx.execute(schema.licence_server_state.update().where(S.id == THE_ROW).values(latest_at=latest_at))


def newest_issue(tx: Tx) -> dt.datetime | None:
    """Return when the file was issued that was issued last of all that were ever loaded."""
    found: dt.datetime | None = tx.execute(select(S.newest_issue_at).where(S.id == THE_ROW)).scalar()
    return found


def note_issue(tx: Tx, latest_at: dt.datetime, issued_at: dt.datetime) -> None:
    """Remember the newest issue, and the time from which the clock is trusted again; `lock` comes first."""
    row = schema.licence_server_state.update().where(S.id == THE_ROW)
    tx.execute(row.values(latest_at=latest_at, newest_issue_at=issued_at))


def latest_time(tx: Tx) -> dt.datetime | None:
    """Return the latest time that was noted, without a lock."""
    found: dt.datetime | None = tx.execute(select(S.latest_at).where(S.id == THE_ROW)).scalar()
    return found


def files(tx: Tx) -> list[StoredFile]:
    """Return all loaded files, oldest first."""
    query = select(F.file_id, F.text, F.public_key, F.loaded_at).order_by(F.id)
    return [StoredFile(*row) for row in tx.execute(query)]


def save_file(tx: Tx, file: StoredFile) -> None:
    """Store a file; one by the same id supersedes the older."""
    row = insert(tx, schema.licence_files).values(
        file_id=file.file_id, text=file.text, public_key=file.public_key, loaded_at=file.loaded_at
    )
    new = {name: row.excluded[name] for name in ("text", "public_key", "loaded_at")}
    tx.execute(row.on_conflict_do_update(index_elements=["file_id"], set_=new))


def delete_file(tx: Tx, file_id: str) -> bool:
    """Forget a file; return whether there was one."""
    return tx.execute(delete(schema.licence_files).where(F.file_id == file_id)).rowcount == 1


def withdrawals(tx: Tx) -> dict[str, Withdrawal]:
    """Return all withdrawn files by their ids."""
    query = select(W.file_id, W.effective_at, W.issued_at, W.replaced_by, W.new_host_id)
    return {row.file_id: Withdrawal(*row) for row in tx.execute(query)}


def save_withdrawal(tx: Tx, withdrawal: Withdrawal) -> None:
    """Remember that a file was withdrawn; of two withdrawals the earlier moment and later issue hold."""
    values = {
        "effective_at": withdrawal.effective_at,
        "issued_at": withdrawal.issued_at,
        "replaced_by": withdrawal.replaced_by,
        "new_host_id": withdrawal.new_host_id,
    }
    row = insert(tx, schema.licence_withdrawals).values(file_id=withdrawal.file_id, **values)
    tx.execute(row.on_conflict_do_update(index_elements=["file_id"], set_=values))
