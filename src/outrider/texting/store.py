"""SQL of texting: submitted messages, the message centres' ids of their parts, receipts, inbound texts.

`dialing/results.py`, `dialing/receipts.py` and `texting/inbound.py` use it in their transactions.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, insert, or_, select, update

from outrider.channels.model import InboundText, ReceiptState, TextReceipt
from outrider.db import schema
from outrider.db.database import Tx
from outrider.db.dialect import insert as upsert
from outrider.ids import AttemptId

M, P, N = schema.text_messages.c, schema.text_parts.c, schema.text_news.c

SUBMITTED, UNKNOWN = "submitted", "unknown"
LONGEST_DETAIL = 200

SET_PART = (
    update(schema.text_parts)
    .where(P.connection == bindparam("by"), P.remote_id == bindparam("remote"))
    .values(state=bindparam("new_state"), detail=bindparam("words"))
    .returning(P.attempt_id)
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote to an address last: for whom an answer speaks, and in which language to confirm it."""

    organization_id: int
    language: str


def add_messages(tx: Tx, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep messages that were submitted, or may have been: columns of `text_messages`."""
    if rows:
        tx.execute(insert(schema.text_messages), list(rows))


def add_parts(tx: Tx, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep the message centres' ids of parts; one that is used twice by a centre stays with its first."""
    if rows:
        statement = upsert(tx, schema.text_parts)
        tx.execute(statement.on_conflict_do_nothing(index_elements=["connection", "remote_id"]), list(rows))


def early_receipts(
    tx: Tx, remote_ids: Sequence[str], references: Sequence[tuple[str, int]] = ()
) -> list[TextReceipt]:
    """Return receipts that came before their message was known here, oldest first.

    They are found by the centre's ids, or by address and reference where the ids were lost.
    """
    lost = [(N.address == address) & (N.reference == reference) for address, reference in references]
    query = (
        select(N.connection, N.remote_id, N.at, N.state, N.address, N.reference, N.text)
        .where(N.kind == "receipt", or_(N.remote_id.in_(remote_ids), *lost))
        .order_by(N.id)
    )
    return [
        TextReceipt(
            row.connection,
            row.remote_id,
            row.at,
            ReceiptState(row.state),
            row.address,
            row.reference,
            row.text,
        )
        for row in tx.execute(query)
    ]


def set_part(tx: Tx, receipt: TextReceipt) -> AttemptId | None:
    """Note what a receipt says of a part; return its message's attempt, None when the part is unknown."""
    values = {
        "by": receipt.connection,
        "remote": receipt.remote_id,
        "new_state": receipt.state.value,
        "words": receipt.detail[:LONGEST_DETAIL],
    }
    found = tx.execute(SET_PART, values).scalar()
    return None if found is None else AttemptId(found)


def by_reference(tx: Tx, receipt: TextReceipt, since: dt.datetime) -> AttemptId | None:
    """Return the message to that address with the echoed reference: the answer to its submission was lost."""
    if receipt.reference is None or not receipt.address:
        return None
    query = (
        select(M.attempt_id)
        .where(M.address == receipt.address, M.submitted_at >= since, M.reference == receipt.reference)
        .order_by(M.submitted_at.desc())
        .limit(1)
    )
    found = tx.execute(query).scalar()
    return None if found is None else AttemptId(found)


def part_states(tx: Tx, attempt_id: AttemptId) -> list[ReceiptState]:
    """Return what is known of each part of a message."""
    query = select(P.state).where(P.attempt_id == attempt_id)
    return [ReceiptState(state) for state in tx.execute(query).scalars()]


def add_news(tx: Tx, news: TextReceipt | InboundText, meaning: str = "") -> None:
    """Keep an inbound text, or a receipt whose message is not known (yet)."""
    if isinstance(news, TextReceipt):
        values: dict[str, object] = {
            "kind": "receipt",
            "remote_id": news.remote_id,
            "address": news.address,
            "state": news.state.value,
            "reference": news.reference,
            "text": news.detail,
        }
    else:
        values = {
            "kind": "inbound",
            "address": news.sender,
            "recipient": news.recipient,
            "text": news.text,
            "meaning": meaning,
        }
    tx.execute(insert(schema.text_news).values(connection=news.connection, at=news.at, **values))


def last_senders(tx: Tx, address: str, since: dt.datetime) -> list[Sender]:
    """Return the organizations that texted an address since then, the latest first."""
    latest = func.max(M.submitted_at)
    query = (
        select(M.organization_id, func.max(M.language).label("language"))
        .where(M.address == address, M.submitted_at >= since)
        .group_by(M.organization_id)
        .order_by(latest.desc())
    )
    return [Sender(row.organization_id, row.language) for row in tx.execute(query)]


def inbound(tx: Tx, address: str) -> list[tuple[str, str]]:
    """Return what an address has texted us, as (text, meaning), oldest first."""
    query = select(N.text, N.meaning).where(N.kind == "inbound", N.address == address).order_by(N.id)
    return [(row.text, row.meaning) for row in tx.execute(query)]
