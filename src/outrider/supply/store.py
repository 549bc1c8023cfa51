"""SQL of the supply slice: licence files that were loaded, and what the last poll found.

Only `supply/service.py` uses it.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert
from outrider.licences.model import LicenceKind
from outrider.supply.model import Supply, SupplyState

F, S = schema.licence_files.c, schema.supply_state.c
THE_ROW = 1
LONGEST_CUSTOMERS = 200
"""Characters: several files may name several customers."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A licence file as it was loaded, with the key that it was verified with."""

    file_id: str
    text: str
    public_key: str
    loaded_at: dt.datetime


def files(tx: Tx) -> list[StoredFile]:
    """Return all loaded files, oldest first."""
    query = select(F.file_id, F.text, F.public_key, F.loaded_at).order_by(F.id)
    return [StoredFile(**row) for row in tx.execute(query).mappings()]


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


def current(tx: Tx) -> Supply:
    """Return what the last poll found; nothing authorised when there was none."""
    row = tx.execute(select(schema.supply_state).where(S.id == THE_ROW)).mappings().first()
    if row is None:
        return Supply()
    return Supply(
        state=SupplyState(row["state"]),
        version=row["version"],
        customer=row["customer"],
        counts=_counts(row["counts"]),
        last_poll_at=row["last_poll_at"],
        last_success_at=row["last_success_at"],
        last_changed_at=row["last_changed_at"],
        expires_at=row["expires_at"],
        message=row["message"],
    )


def save(tx: Tx, supply: Supply) -> None:
    """Store what a poll found."""
    values = {
        "state": supply.state.value,
        "version": supply.version,
        "customer": supply.customer[:LONGEST_CUSTOMERS],
        "counts": {kind.value: units for kind, units in supply.counts.items()},
        "last_poll_at": supply.last_poll_at,
        "last_success_at": supply.last_success_at,
        "last_changed_at": supply.last_changed_at,
        "expires_at": supply.expires_at,
        "message": supply.message,
    }
    row = insert(tx, schema.supply_state).values(id=THE_ROW, **values)
    tx.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))


def _counts(data: Mapping[str, int]) -> dict[LicenceKind, int]:
    return {LicenceKind(kind): units for kind, units in data.items()}
