"""Secrets that the system makes for itself once and keeps in its database, such as signing keys.

`app.py` reads them at the start and hands them to those who need them; they are never logged or shown.
"""

from sqlalchemy import select

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert


def ensure(tx: Tx, name: str, fresh: bytes) -> bytes:
    """Return the secret by that name; `fresh` becomes it when there is none yet."""
    row = insert(tx, schema.secrets).values(name=name, value=fresh)
    tx.execute(row.on_conflict_do_nothing(index_elements=["name"]))
    column = schema.secrets.c
    return bytes(tx.execute(select(column.value).where(column.name == name)).scalar_one())
