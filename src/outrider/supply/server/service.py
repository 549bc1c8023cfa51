"""Leases inside a transaction: requests are answered in batches, and what follows is stored.

`api` (through `batches`) and `embedded` call `answer`; the platform's own service calls `acquire_local` where
it must know at once. One lock makes all of it one after another, in every process (architecture: never count
and then act).
"""

import datetime as dt
from collections.abc import Sequence

from outrider.db.database import Tx
from outrider.errors import StoreError
from outrider.licences.model import GATE_KINDS, LicenceKind
from outrider.supply.authorisation import Authorisation
from outrider.supply.server import files, store, usage_store
from outrider.supply.server.ledger import Ledger, Moment
from outrider.supply.server.model import LOCAL, Granted, LeaseAnswer, LeaseRequest, Refused, Terms
from outrider.supply.server.versions import PROTOCOL_VERSION

HISTORY = dt.timedelta(days=400)
"""How long peaks and denials are kept."""

EMBEDDED_ID = "embedded"
DEFAULT_TERMS = Terms()

Requests = Sequence[LeaseRequest]
Answers = Sequence[LeaseAnswer]


def answer(
    tx: Tx, requests: Sequence[LeaseRequest], host_id: str, now: dt.datetime, terms: Terms = DEFAULT_TERMS
) -> list[LeaseAnswer]:
    """Answer requests one after another, as the rules of `ledger` say, and store what changed.

    The leases of all clients together never exceed what the files authorise on this host at `now` (aware
    UTC); after a cut they only shrink until they fit.
    """
    judged_at = files.judged_time(tx, now)
    entitlement = files.authorised(tx, host_id, now)
    before = {client.id: client for client in store.clients(tx)}
    ledger = Ledger(before.values(), entitlement, Moment(now, judged_at), terms)
    answers = [ledger.answer(request) for request in requests]
    store.save(tx, [(before[changed], ledger.clients[changed]) for changed in sorted(ledger.changed)])
    _note_peaks(tx, ledger, now)
    _note_denials(tx, ledger, now)
    return answers


def ensure_local(tx: Tx, now: dt.datetime) -> None:
    """Make the client that is the platform of this very database, unless there is one."""
    found = store.find(tx, LOCAL)
    if found is None or found.retired_at is not None:
        store.add(tx, LOCAL, "the platform of this database", None, now)


def acquire_local(
    tx: Tx, host_id: str, now: dt.datetime, terms: Terms = DEFAULT_TERMS, seen: int | None = None
) -> Authorisation:
    """Lease everything there is for the platform of this very database, and return what it may use.

    `seen` is the sequence of the last answer that the platform took note of; None when answers are taken
    note of in their own transaction.
    """
    return authorisation(lease_local(tx, host_id, now, terms, seen))


def lease_local(
    tx: Tx, host_id: str, now: dt.datetime, terms: Terms = DEFAULT_TERMS, seen: int | None = None
) -> Granted:
    """Do what `acquire_local` does, and return the answer as the server gives it. StoreError."""
    ensure_local(tx, now)
    if seen is None:
        files.judged_time(tx, now)
        found = store.find(tx, LOCAL)
        seen = 0 if found is None else found.sequence
    (granted,) = answer(tx, [LeaseRequest(LOCAL, "", seen=seen)], host_id, now, terms)
    if isinstance(granted, Refused):
        raise StoreError(f"the embedded licence server refuses its own platform: {granted.message}")
    return granted


def authorisation(granted: Granted) -> Authorisation:
    """Return an embedded server's answer in the platform's words."""
    return Authorisation(
        server_id=EMBEDDED_ID,
        protocol_version=PROTOCOL_VERSION,
        customer=granted.customer,
        features=granted.features,
        lease_until=granted.lease_until,
        server_time=granted.server_time,
        message=granted.message,
    )


def _note_peaks(tx: Tx, ledger: Ledger, now: dt.datetime) -> None:
    """Raise the peaks of this hour to what is leased now; at a new hour, forget what is too old."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    known = usage_store.hour_peaks(tx, hour)
    present: dict[LicenceKind, tuple[int, int]] = {}
    for kind, feature in ledger.entitlement.features.items():
        if kind in GATE_KINDS:
            continue
        leased = ledger.leased(kind)
        peak, total = known.get(kind, (-1, -1))
        if leased > peak or feature.count > total:
            present[kind] = (max(leased, peak), max(feature.count, total))
    usage_store.save_peaks(tx, hour, present)
    if present and not known:
        usage_store.forget(tx, now - HISTORY)


def _note_denials(tx: Tx, ledger: Ledger, now: dt.datetime) -> None:
    """Keep one record for a denial and its repetitions, closed when the client got what it asked for."""
    if not ledger.outcomes:
        return
    known = usage_store.open_denials(tx)
    again, over, new = [], [], []
    for place, denial in ledger.outcomes.items():
        before = known.get(place)
        if before is not None and denial == before.denial:
            again.append(before.id)
            continue
        if before is not None:
            over.append(before.id)
        if denial is not None:
            new.append(denial)
    usage_store.repeat_denials(tx, again, now)
    usage_store.close_denials(tx, over)
    usage_store.add_denials(tx, new, now)
