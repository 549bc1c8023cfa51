"""Texts that were handed over, or may have been, as rows that receipts can find. Used by `results`."""

import datetime as dt
from collections.abc import Sequence

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Channel
from outrider.channels.model import ReceiptState
from outrider.db.database import Tx
from outrider.dialing import receipts
from outrider.dialing.attempt import Result, text_reference
from outrider.ids import AttemptId
from outrider.texting import store

KEPT = {Outcome.SENT: store.SUBMITTED, Outcome.UNKNOWN: store.UNKNOWN}


def is_kept(result: Result) -> bool:
    """Return whether a result is that of a text that a receipt can tell more of."""
    return result.claim.plan.action.channel is Channel.SMS and result.outcome in KEPT


def record(tx: Tx, results: Sequence[Result], now: dt.datetime) -> list[AttemptId]:
    """Keep submitted texts and their parts; return the attempts for which receipts were here first."""
    texts = [result for result in results if is_kept(result)]
    store.add_messages(tx, [_message(result, now) for result in texts])
    parts = [
        {
            "connection": result.sent.connection,
            "remote_id": remote_id,
            "attempt_id": result.claim.attempt_id,
            "state": ReceiptState.ENROUTE.value,
        }
        for result in texts
        if result.sent is not None
        for remote_id in result.sent.remote_ids
    ]
    store.add_parts(tx, parts)
    if not texts:
        return []
    lost = [
        (result.claim.address, text_reference(result.claim.attempt_id))
        for result in texts
        if result.outcome is Outcome.UNKNOWN
    ]
    found = []
    since = now - receipts.LOST_RECEIPTS
    for receipt in store.early_receipts(tx, [str(part["remote_id"]) for part in parts], lost, since):
        attempt_id = receipts.find(tx, receipt, now)
        if attempt_id is None:
            store.add_news(tx, receipt)
        else:
            found.append(attempt_id)
    return sorted(set(found))


def _message(result: Result, now: dt.datetime) -> dict[str, object]:
    claim = result.claim
    sms = claim.plan.action.sms
    return {
        "attempt_id": claim.attempt_id,
        "organization_id": claim.plan.organization_id,
        "job_id": claim.plan.job_id,
        "address": claim.address,
        "sender": "" if sms is None else sms.sender_for(claim.contact.field),
        "language": "en" if sms is None else sms.language,
        "reference": text_reference(claim.attempt_id),
        "state": KEPT[result.outcome],
        "segments": 0 if result.sent is None else result.sent.segments,
        "submitted_at": now,
    }
