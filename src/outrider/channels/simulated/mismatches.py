"""The audit of who talked with whom: no contact with two agents, no agent with two contacts, at any instant.

Pure, over the carrier's own records: of calls in memory, or of a ledger that was read back.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from outrider.channels.model import CallPurpose
from outrider.channels.simulated.ledger import CallRecord, Visit
from outrider.ids import AttemptId

Stay = tuple[str, dt.datetime, bool, CallPurpose, AttemptId]
"""Room, when, whether it comes or goes, who it is. Who goes at an instant is gone before who comes."""

_AUDITED = (CallPurpose.AGENT, CallPurpose.CUSTOMER)


def mismatches(records: Iterable[CallRecord]) -> list[str]:
    """Return every instant at which a room had more than one agent or contact, oldest first of each room."""
    stays: list[Stay] = []
    for record in records:
        stays += _stays(record.purpose, record.call_id, record.visits)
    return list(_wrong(stays))


def mismatches_of_ledger(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the same of the entries of a ledger; visits of calls that are not over are not in it."""
    stays: list[Stay] = []
    for entry in entries:
        if entry["what"] == "over":
            visits = [
                Visit(room, dt.datetime.fromisoformat(since), until and dt.datetime.fromisoformat(until))
                for room, since, until in entry.get("visits") or ()
            ]
            stays += _stays(CallPurpose(entry["purpose"]), AttemptId(entry["id"]), visits)
    return list(_wrong(stays))


def _stays(purpose: CallPurpose, call_id: AttemptId, visits: Iterable[Visit]) -> Iterator[Stay]:
    if purpose not in _AUDITED:
        return
    for visit in visits:
        # A visit of no length at all met nobody.
        if visit.until is None or visit.until > visit.since:
            yield visit.room, visit.since, True, purpose, call_id
            if visit.until is not None:
                yield visit.room, visit.until, False, purpose, call_id


def _wrong(stays: list[Stay]) -> Iterator[str]:
    there: Counter[tuple[str, CallPurpose]] = Counter()
    for room, at, comes, purpose, call_id in sorted(stays):
        there[room, purpose] += 1 if comes else -1
        if comes and there[room, purpose] > 1:
            yield f"{at.isoformat()} room {room}: {call_id} is {purpose} number {there[room, purpose]} there"
