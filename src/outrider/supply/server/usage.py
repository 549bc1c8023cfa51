"""What a licence server shows of itself: files, counts, peaks, denials, and who holds what.

The status page, `GET /v1/usage` and `outrider licences usage` show a Usage; reading needs no lock.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from outrider.db.database import Tx
from outrider.licences.model import GATE_KINDS, LicenceKind
from outrider.supply.server import file_store, files, store, usage_store
from outrider.supply.server.entitlement import Entitlement, problem_of
from outrider.supply.server.model import Client, Wanted
from outrider.supply.server.usage_store import DenialRecord

WEEK, MONTH = dt.timedelta(days=7), dt.timedelta(days=30)
SHOWN_DENIALS = 20


@dataclass(frozen=True, slots=True)
class FeatureUsage:
    """One feature: units there are, leased now, reserved for those who do not have them, free for anybody.

    Peaks are the most that was leased in the last 7 and 30 days, denials those of the last 30 days.
    """

    kind: LicenceKind
    is_gate: bool
    total: int
    leased: int
    reserved: int
    free: int
    peak_7_days: int
    peak_30_days: int
    denials: int
    true_denials: int
    expires_at: dt.datetime | None
    version: str


@dataclass(frozen=True, slots=True)
class Holder:
    """What one client holds of one feature. `kept` is more than `count` until it has heard of a cut."""

    client: str
    kind: LicenceKind
    wanted: Wanted
    count: int
    kept: int
    minimum: int
    maximum: int | None
    granted_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ClientUsage:
    """One client: when it was heard last, how long its leases run, and what it holds."""

    name: str
    about: str
    is_present: bool
    is_retired: bool
    renewed_at: dt.datetime | None
    expires_at: dt.datetime | None
    holds: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class FileUsage:
    """One loaded file: what it says, and why it does not count (nothing: it counts)."""

    file_id: str
    customer: str
    host_id: str
    expires_at: dt.datetime | None
    counts: dict[LicenceKind, int]
    loaded_at: dt.datetime
    problem: str
    notice: str


@dataclass(frozen=True, slots=True)
class Usage:
    """The whole state of a licence server at `now`."""

    now: dt.datetime
    customer: str
    message: str
    features: tuple[FeatureUsage, ...]
    clients: tuple[ClientUsage, ...]
    files: tuple[FileUsage, ...]
    denials: tuple[DenialRecord, ...]


def usage(tx: Tx, host_id: str, now: dt.datetime) -> Usage:
    """Return who holds what, peaks of 7 and 30 days, and denials, at `now` (aware UTC)."""
    entitlement = files.authorised(tx, host_id, now)
    clients = store.clients(tx)
    weekly, monthly = usage_store.peaks_since(tx, now - WEEK), usage_store.peaks_since(tx, now - MONTH)
    denials = usage_store.denial_counts(tx, now - MONTH)
    kinds = {*entitlement.features, *monthly, *(kind for client in clients for kind in client.leases)}
    features = tuple(
        _feature(
            kind,
            entitlement,
            clients,
            now,
            (weekly.get(kind, 0), monthly.get(kind, 0)),
            denials.get(kind, (0, 0)),
        )
        for kind in LicenceKind
        if kind in kinds
    )
    return Usage(
        now=now,
        customer=entitlement.customer,
        message=entitlement.message,
        features=features,
        clients=tuple(_client(client, now) for client in clients if _is_of_interest(client, now)),
        files=_files(tx, host_id, now),
        denials=tuple(usage_store.latest_denials(tx, SHOWN_DENIALS)),
    )


def _feature(
    kind: LicenceKind,
    entitlement: Entitlement,
    clients: Sequence[Client],
    now: dt.datetime,
    peaks: tuple[int, int],
    denials: tuple[int, int],
) -> FeatureUsage:
    feature, total = entitlement.features.get(kind), entitlement.total(kind)
    charges = [client.charge(kind, now) for client in clients]
    aside = [
        max(0, client.limit(kind).minimum - charge)
        for client, charge in zip(clients, charges, strict=True)
        if client.retired_at is None
    ]
    leased = sum(charges)
    reserved = min(sum(aside), max(0, total - leased))
    weekly, monthly = peaks
    every, true = denials
    return FeatureUsage(
        kind=kind,
        is_gate=kind in GATE_KINDS,
        total=total,
        leased=leased,
        reserved=reserved,
        free=max(0, total - leased - reserved),
        peak_7_days=max(weekly, leased),
        peak_30_days=max(monthly, leased),
        denials=every,
        true_denials=true,
        expires_at=None if feature is None else feature.expires_at,
        version="" if feature is None else feature.version,
    )


def _is_of_interest(client: Client, now: dt.datetime) -> bool:
    return client.retired_at is None or any(client.charge(kind, now) for kind in client.leases)


def _client(client: Client, now: dt.datetime) -> ClientUsage:
    present = client.is_present(now)
    holds = []
    for kind in LicenceKind:
        lease, limit = client.leases.get(kind), client.limit(kind)
        if lease is None and limit.minimum == 0 and limit.maximum is None:
            continue
        holds.append(
            Holder(
                client=client.name,
                kind=kind,
                wanted=0 if lease is None or not present else lease.wanted,
                count=0 if lease is None or not present else lease.count,
                kept=client.charge(kind, now),
                minimum=limit.minimum,
                maximum=limit.maximum,
                granted_at=None if lease is None else lease.granted_at,
            )
        )
    return ClientUsage(
        name=client.name,
        about=client.about,
        is_present=present,
        is_retired=client.retired_at is not None,
        renewed_at=client.renewed_at,
        expires_at=client.expires_at,
        holds=tuple(holds),
    )


def _files(tx: Tx, host_id: str, now: dt.datetime) -> tuple[FileUsage, ...]:
    latest = file_store.latest_time(tx)
    judged_at = now if latest is None else max(now, latest)
    shown = []
    for file in files.judged(tx):
        licence, problem = file.licence, problem_of(file, host_id, judged_at)
        notice = ""
        if not problem and file.withdrawal is not None:
            notice = file.withdrawal.sentence()
        elif not problem and licence is not None and licence.expires_at <= judged_at:
            notice = f"expired on {licence.expires_at:%Y-%m-%d}, in grace"
        shown.append(
            FileUsage(
                file_id=file.stored.file_id,
                customer="" if licence is None else licence.customer,
                host_id="" if licence is None else licence.host_id,
                expires_at=None if licence is None else licence.expires_at,
                counts={} if licence is None else dict(licence.counts),
                loaded_at=file.stored.loaded_at,
                problem=problem,
                notice=notice,
            )
        )
    return tuple(shown)
