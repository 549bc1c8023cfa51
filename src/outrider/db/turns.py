"""Named turns: one transaction at a time has each, from `take` until it ends. Works on every database.

For rules over rows that two transactions could each add without seeing the other's: limits of attempts, and
receipts that come while their message is being written. Take turns before locking tasks.
"""

import datetime as dt

from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert

ALWAYS = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""Turns end with their transactions, so the time in their rows means nothing."""


def take(tx: Tx, name: str) -> None:
    """Wait until no other transaction has the turn of that name; it is ours until commit or rollback."""
    row = insert(tx, schema.leases).values(name=name, owner="", until=ALWAYS)
    tx.execute(row.on_conflict_do_update(index_elements=["name"], set_={"owner": ""}))
