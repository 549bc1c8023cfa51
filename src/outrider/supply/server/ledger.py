"""All clients and leases of a licence server at one moment, and the answers to requests. Pure.

`supply/server/service.py` fills one per transaction, asks it for each request of a batch in turn, and
stores what changed. A request states the whole of what a client wants, so repeating it changes nothing.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from outrider.licences.model import GATE_KINDS, LicenceKind
from outrider.supply.authorisation import Feature
from outrider.supply.server.entitlement import Entitlement
from outrider.supply.server.model import (
    ALL,
    Client,
    Denial,
    Granted,
    Lease,
    LeaseAnswer,
    LeaseRequest,
    RefusalReason,
    Refused,
    Terms,
    Wanted,
)
from outrider.supply.server.sharing import Claim, FeaturePool


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of a batch: `now` runs leases, `judged` (never earlier) is what the server says it is."""

    now: dt.datetime
    judged: dt.datetime


class Ledger:
    """Who holds what. `changed` and `denials` are what a batch of requests left to be stored."""

    def __init__(
        self, clients: Iterable[Client], entitlement: Entitlement, moment: Moment, terms: Terms
    ) -> None:
        self.entitlement = entitlement
        self.moment = moment
        self.terms = terms
        self.changed: set[int] = set()
        self.outcomes: dict[tuple[int, LicenceKind], Denial | None] = {}
        """The last outcome of every feature that was asked for: a denial, or None when it was satisfied."""
        self.clients: dict[int, Client] = {}
        for client in clients:
            kept = self._clipped(client)
            self.clients[kept.id] = kept
            if kept is not client:
                self.changed.add(kept.id)
        self._by_name = {client.name: client.id for client in self.clients.values()}
        self._pools: dict[LicenceKind, FeaturePool] = {}

    def answer(self, request: LeaseRequest) -> LeaseAnswer:
        """Return the answer to `request`, and note what it changes."""
        found = self._by_name.get(request.client)
        client = None if found is None else self.clients[found]
        if client is None or client.retired_at is not None or not _proves(client, request):
            return Refused(
                RefusalReason.UNKNOWN_CLIENT,
                f"there is no client {request.client!r} with this token: ask the administrator of the licence"
                " server for a new one (outrider licences clients add).",
            )
        now = self.moment.now
        if client.is_present(now) and client.installation != request.installation:
            return Refused(
                RefusalReason.IN_USE,
                f"the client {client.name!r} is in use by another installation until"
                f" {client.expires_at:%Y-%m-%d %H:%M:%S} UTC: give each platform a client of its own, or free"
                " its leases first (outrider licences clients release).",
            )
        if request.releases:
            return self._release(client, request)
        return self._renew(client, request)

    def leased(self, kind: LicenceKind) -> int:
        """Return the units of `kind` that are kept for somebody now."""
        return self._pool(kind).charged

    def _renew(self, client: Client, request: LeaseRequest) -> Granted:
        features = self.entitlement.features
        wants: Mapping[LicenceKind, Wanted] = (
            dict.fromkeys(features, ALL) if request.wants is None else request.wants
        )
        leases: dict[LicenceKind, Lease] = {}
        granted: dict[LicenceKind, int] = {}
        for kind in {*wants, *client.leases}:
            if kind in GATE_KINDS:
                granted[kind] = self._gate(client, kind)
                continue
            wanted = wants.get(kind, 0)
            granted[kind] = self._grant(client, kind, wanted)
            self._judge(client, kind, wanted, granted[kind])
            lease = self._lease(client, request.seen, kind, wanted, granted[kind])
            if wanted != 0 or lease.believed:
                leases[kind] = lease
        told = tuple(
            Feature(kind, granted[kind], feature.expires_at, feature.version)
            for kind, feature in features.items()
            if kind in wants
        )
        return self._answered(client, request, leases, told)

    def _release(self, client: Client, request: LeaseRequest) -> Granted:
        """Free all of a client's units.

        A release that is older than our last answer frees none: the client may since have been told that
        it has units. They come free when the lease ends.
        """
        if request.seen != client.sequence:
            return self._told(client, (), self.moment.judged)
        released = replace(client, sequence=client.sequence + 1, expires_at=self.moment.now, leases={})
        self._keep(client, released)
        return self._told(released, (), self.moment.judged)

    def _answered(
        self,
        client: Client,
        request: LeaseRequest,
        leases: Mapping[LicenceKind, Lease],
        features: tuple[Feature, ...],
    ) -> Granted:
        """Note the client's new leases, which all run from now, and return what it is told."""
        renewed = client.renewed(
            request.installation,
            max(client.sequence, request.seen) + 1,
            self.moment.now,
            self.moment.now + self.terms.whole,
            leases,
        )
        self._keep(client, renewed)
        return self._told(renewed, features, self.moment.judged + self.terms.lease)

    def _keep(self, before: Client, client: Client) -> None:
        """Take over a client's new state, in the pools too."""
        self.clients[client.id] = client
        self.changed.add(client.id)
        for kind, pool in self._pools.items():
            if kind in client.leases or kind in before.leases:
                pool.put(self._claim(client, kind, self._wish(client, kind)))

    def _told(self, client: Client, features: tuple[Feature, ...], lease_until: dt.datetime) -> Granted:
        return Granted(
            client=client.name,
            sequence=client.sequence,
            server_time=self.moment.judged,
            lease_until=lease_until,
            customer=self.entitlement.customer,
            features=features,
            message=self.entitlement.message,
        )

    def _grant(self, client: Client, kind: LicenceKind, wanted: Wanted) -> int:
        """Return the units of one feature that `client` gets now, wanting so many."""
        pool = self._pool(kind)
        pool.put(self._claim(client, kind, self._most(client, kind, wanted)))
        return pool.grant(client.id)

    def _lease(self, client: Client, seen: int, kind: LicenceKind, wanted: Wanted, count: int) -> Lease:
        """Return the new lease of one feature.

        Until the client says that it has seen an answer, it may go by any earlier one that still runs.
        """
        now, before = self.moment.now, client.leases.get(kind)
        if before is None:
            return Lease(wanted, count, now)
        if before.believed == 0 and before.count == count and before.wanted == wanted:
            return before
        held = before.count if client.expires_at is not None and now < client.expires_at else 0
        ends = [client.expires_at] if held and client.expires_at is not None else []
        most = held
        if seen != client.sequence and before.believed_until is not None and now < before.believed_until:
            most = max(most, before.believed)
            ends.append(before.believed_until)
        granted_at = before.granted_at if before.count == count else now
        if most <= count:
            return Lease(wanted, count, granted_at)
        return Lease(wanted, count, granted_at, most, max(ends))

    def _judge(self, client: Client, kind: LicenceKind, wanted: Wanted, got: int) -> None:
        """Note whether the client got what it asked for."""
        total = self.entitlement.total(kind)
        denied = (got == 0 and total > 0) if wanted is ALL else got < wanted
        if not denied:
            self.outcomes[client.id, kind] = None
            return
        others = self._pool(kind).charged - client.charge(kind, self.moment.now)
        self.outcomes[client.id, kind] = Denial(client.id, kind, wanted, got, is_true=others + got >= total)

    def _gate(self, client: Client, kind: LicenceKind) -> int:
        """Return a gate's count: any non-zero one opens the channel for everybody, nothing is shared."""
        return self._most(client, kind, ALL)

    def _most(self, client: Client, kind: LicenceKind, wanted: Wanted) -> int:
        """Return the most that a wish can come to: never above the client's maximum, or what there is."""
        total, maximum = self.entitlement.total(kind), client.limit(kind).maximum
        return min(total if wanted is ALL else wanted, total, total if maximum is None else maximum)

    def _pool(self, kind: LicenceKind) -> FeaturePool:
        pool = self._pools.get(kind)
        if pool is None:
            claims = [self._claim(client, kind, self._wish(client, kind)) for client in self.clients.values()]
            living = [claim for claim in claims if claim.minimum or claim.wanted or claim.charge]
            pool = self._pools[kind] = FeaturePool(self.entitlement.total(kind), living)
        return pool

    def _wish(self, client: Client, kind: LicenceKind) -> int:
        """Return what a client's lease says that it wants; one that is away wants nothing."""
        lease = client.leases.get(kind)
        if lease is None or not client.is_present(self.moment.now):
            return 0
        return self._most(client, kind, lease.wanted)

    def _claim(self, client: Client, kind: LicenceKind, wanted: int) -> Claim:
        return Claim(
            client.id,
            client.created_at.timestamp(),
            0 if client.retired_at is not None else client.limit(kind).minimum,
            wanted,
            client.charge(kind, self.moment.now),
        )

    def _clipped(self, client: Client) -> Client:
        """Return the client with leases that end as late as they may: after a clock was set back, sooner."""
        latest = self.moment.now + self.terms.whole
        late = {
            kind: replace(lease, believed_until=latest)
            for kind, lease in client.leases.items()
            if lease.believed_until is not None and lease.believed_until > latest
        }
        if client.expires_at is None or (client.expires_at <= latest and not late):
            return client
        return replace(client, expires_at=min(client.expires_at, latest), leases={**client.leases, **late})


def _proves(client: Client, request: LeaseRequest) -> bool:
    """Say whether the request has the client's token; the local client has none, and needs none."""
    return client.token_hash == request.token_hash
