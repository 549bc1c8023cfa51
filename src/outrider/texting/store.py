"""SQL of texting: submitted messages, the message centres' ids of their parts, receipts, inbound texts.

`dialing/results.py`, `dialing/receipts.py` and `texting/inbound.py` use it in their transactions.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, case, delete, func, insert, or_, select, update

from outrider.channels.model import InboundText, ReceiptState, TextReceipt
from outrider.channels.sms.receipt import id_variants
from outrider.db import schema, turns
from outrider.db.database import Tx
from outrider.db.dialect import insert as upsert
from outrider.ids import AttemptId

M, P, N = schema.text_messages.c, schema.text_parts.c, schema.text_news.c

SUBMITTED, UNKNOWN = "submitted", "unknown"
RECEIPT, INBOUND = "receipt", "inbound"
LONGEST_DETAIL = 200

SETTLED = tuple(
    state.value
    for state in ReceiptState
    if state not in {ReceiptState.ENROUTE, ReceiptState.ACCEPTED, ReceiptState.UNKNOWN}
)
"""States that nothing but another of them follows; receipts may come in any order."""
SET_PART = (
    update(schema.text_parts)
    .where(P.connection == bindparam("by"), P.remote_id == bindparam("remote"))
    .values(
        state=case(
            (P.state.in_(SETTLED) & bindparam("new_state").not_in(SETTLED), P.state),
            else_=bindparam("new_state"),
        ),
        detail=bindparam("words"),
    )
    .returning(P.attempt_id)
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote to an address last: for whom an answer speaks, and in which language to confirm it."""

    organization_id: int
    language: str


def take_turn(tx: Tx) -> None:
    """Let receipts and the messages that they are of be written one after the other, until commit.

    Otherwise both might look for the other before either can be seen, and the receipt would be lost. Comes
    before any other lock.
    """
    turns.take(tx, "texts and receipts")


def add_messages(tx: Tx, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep messages that were submitted, or may have been: columns of `text_messages`."""
    if rows:
        tx.execute(insert(schema.text_messages), list(rows))


def add_parts(tx: Tx, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep the message centres' ids of parts; one that a centre uses again belongs to the newer message."""
    if rows:
        statement = upsert(tx, schema.text_parts)
        newer = {"attempt_id": statement.excluded.attempt_id, "state": statement.excluded.state, "detail": ""}
        tx.execute(
            statement.on_conflict_do_update(index_elements=["connection", "remote_id"], set_=newer),
            list(rows),
        )


def early_receipts(
    tx: Tx, remote_ids: Sequence[str], references: Sequence[tuple[str, int]], since: dt.datetime
) -> list[TextReceipt]:
    """Take receipts since then that came before their message was known here, oldest first.

    They are found by the centre's ids, in whatever form, or by address and reference where the ids were
    lost. They are kept no longer: `add_news` keeps again what turns out to be another message's.
    """
    forms = {form for remote_id in remote_ids for form in id_variants(remote_id)}
    lost = [(N.address == address) & (N.reference == reference) for address, reference in references]
    statement = (
        delete(schema.text_news)
        .where(N.kind == RECEIPT, N.at >= since, or_(N.remote_id.in_(forms), *lost))
        .returning(N.id, N.connection, N.remote_id, N.at, N.state, N.address, N.reference, N.text)
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
        for row in sorted(tx.execute(statement), key=lambda row: int(row.id))
    ]


def set_part(tx: Tx, receipt: TextReceipt) -> AttemptId | None:
    """Note what a receipt says of a part; return its message's attempt, None when the part is unknown.

    Centres write the id of a receipt in other forms than that of the answer: those are looked for when there
    is no part of exactly that id, among the messages to the receipt's address.
    """
    found = _set_part(tx, receipt, receipt.remote_id)
    if found is not None:
        return found
    query = (
        select(P.remote_id)
        .join(schema.text_messages, M.attempt_id == P.attempt_id)
        .where(P.connection == receipt.connection, P.remote_id.in_(id_variants(receipt.remote_id)))
        .order_by(M.submitted_at.desc())
        .limit(1)
    )
    if receipt.address:
        query = query.where(M.address == receipt.address)
    remote_id = tx.execute(query).scalar()
    return None if remote_id is None else _set_part(tx, receipt, remote_id)


def set_only_part(tx: Tx, attempt_id: AttemptId, receipt: TextReceipt) -> bool:
    """Note what a receipt says of a message that is known to have one part only; False when it has not.

    For centres whose receipts bear ids that cannot be told from their answers'.
    """
    query = (
        select(P.remote_id)
        .join(schema.text_messages, M.attempt_id == P.attempt_id)
        .where(P.attempt_id == attempt_id, P.connection == receipt.connection, M.state == SUBMITTED)
    )
    known = list(tx.execute(query).scalars())
    return len(known) == 1 and _set_part(tx, receipt, known[0]) is not None


def _set_part(tx: Tx, receipt: TextReceipt, remote_id: str) -> AttemptId | None:
    values = {
        "by": receipt.connection,
        "remote": remote_id,
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
            "kind": RECEIPT,
            "remote_id": news.remote_id,
            "address": news.address,
            "state": news.state.value,
            "reference": news.reference,
            "text": _printed(news.detail),
        }
    else:
        values = {
            "kind": INBOUND,
            "address": news.sender,
            "recipient": news.recipient,
            "text": _printed(news.text),
            "meaning": meaning,
        }
    tx.execute(insert(schema.text_news).values(connection=news.connection, at=news.at, **values))


def _printed(text: str) -> str:
    """Return a text without what no database keeps: a message centre may deliver any octets."""
    return text.replace("\0", "")


def parts_expected(tx: Tx, attempt_id: AttemptId) -> int:
    """Return how many parts must be settled before a message is: of a lost submission, every segment.

    Of one that the centre took, all ids are known, and one id may stand for several segments.
    """
    query = select(M.segments).where(M.attempt_id == attempt_id, M.state == UNKNOWN)
    return int(tx.execute(query).scalar() or 1)


def last_meaning(tx: Tx, address: str, recipient: str, since: dt.datetime) -> str | None:
    """Return what the last text from an address to one of our numbers since then was taken to mean."""
    query = (
        select(N.meaning)
        .where(N.kind == INBOUND, N.address == address, N.recipient == recipient, N.at >= since)
        .order_by(N.id.desc())
        .limit(1)
    )
    return tx.execute(query).scalar()


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
    query = select(N.text, N.meaning).where(N.kind == INBOUND, N.address == address).order_by(N.id)
    return [(row.text, row.meaning) for row in tx.execute(query)]
