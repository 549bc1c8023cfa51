"""SQL of completion codes. `service.py` uses it, and dialing and callbacks read single codes.

Codes are never deleted, only retired: attempts and strategies go on naming them.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, select, update

from outrider.completion.model import CompletionCode, Effect
from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert

D = schema.completion_codes.c


def codes(
    tx: Tx, organization_id: int | None, *, code_id: int | None = None, name: str | None = None
) -> list[CompletionCode]:
    """Return codes that are in use, of one organization or of all, in the order in which they are shown."""
    query = select(schema.completion_codes).where(D.retired_at.is_(None))
    for column, value in ((D.organization_id, organization_id), (D.id, code_id), (D.name, name)):
        if value is not None:
            query = query.where(column == value)
    rows = tx.execute(query.order_by(D.organization_id, D.position, D.name)).mappings()
    return [_code(row) for row in rows]


def find(tx: Tx, organization_id: int, name: str) -> CompletionCode | None:
    """Return a code by its name, retired ones too; None when there never was one."""
    query = select(schema.completion_codes).where(D.organization_id == organization_id, D.name == name)
    row = tx.execute(query).mappings().first()
    return None if row is None else _code(row)


def put(tx: Tx, organization_id: int, values: Mapping[str, Any]) -> int:
    """Write a code, or bring a retired one of its name back; return its id."""
    row = insert(tx, schema.completion_codes).values(organization_id=organization_id, **values)
    row = row.on_conflict_do_update(
        index_elements=["organization_id", "name"], set_={**values, "retired_at": None}
    )
    return int(tx.execute(row.returning(D.id)).scalar_one())


def set_code(tx: Tx, code_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of a code."""
    tx.execute(update(schema.completion_codes).where(D.id == code_id).values(**values))


def retire(tx: Tx, code_id: int, now: dt.datetime) -> None:
    """Take a code out of use."""
    tx.execute(update(schema.completion_codes).where(D.id == code_id).values(retired_at=now))


def _code(row: RowMapping) -> CompletionCode:
    return CompletionCode(
        id=row["id"],
        organization_id=row["organization_id"],
        name=row["name"],
        label=row["label"],
        effect=Effect(row["effect"]),
        retry_after=row["retry_after"],
        shortcut=row["shortcut"],
        position=row["position"],
    )
