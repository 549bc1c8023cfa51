"""The words of the licence server: clients, limits, leases, requests, and what is answered. Pure.

`ledger` applies the rules to them, `store` keeps them, `protocol` carries them over the network.
Times are aware UTC by the server's own clock.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.errors import InvalidInputError
from outrider.licences.model import LARGEST_COUNT, LicenceKind
from outrider.supply.authorisation import Feature

LOCAL = "local"
"""The name of the client that is the platform in the server's own process and database."""

ALL = None
"""As a wanted count: as many as there are."""

Wanted = int | None
"""A count, or ALL."""

LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Terms:
    """How long leases last. The server counts `margin` longer than it tells: clocks run differently."""

    lease: dt.timedelta = dt.timedelta(minutes=10)
    margin: dt.timedelta = dt.timedelta(seconds=5)

    @property
    def whole(self) -> dt.timedelta:
        """Return how long the server keeps units for a client that it does not hear from."""
        return self.lease + self.margin


@dataclass(frozen=True, slots=True)
class Limit:
    """What a client may count on, and at most have, of one feature: 0 <= minimum <= maximum."""

    minimum: int = 0
    maximum: int | None = None

    def check(self, kind: LicenceKind) -> None:
        """InvalidInputError when the numbers make no sense."""
        if not 0 <= self.minimum <= LARGEST_COUNT:
            raise InvalidInputError(
                f"the minimum of {kind} is {self.minimum}: it must be 0 to {LARGEST_COUNT}", where="minimum"
            )
        if self.maximum is not None and not self.minimum <= self.maximum <= LARGEST_COUNT:
            raise InvalidInputError(
                f"the maximum of {kind} is {self.maximum}: it must be from the minimum, {self.minimum}, to "
                f"{LARGEST_COUNT}",
                where="maximum",
            )


NO_LIMIT = Limit()


@dataclass(frozen=True, slots=True)
class Lease:
    """What a client holds of one feature, and what it may still believe to hold.

    `believed` counts until `believed_until`: an answer that told it less may not have reached the client.
    """

    wanted: Wanted
    count: int
    granted_at: dt.datetime
    believed: int = 0
    believed_until: dt.datetime | None = None

    def charge(self, now: dt.datetime, expires_at: dt.datetime | None) -> int:
        """Return the units that nobody else may have at `now`; `expires_at` is that of the client."""
        held = self.count if expires_at is not None and now < expires_at else 0
        believed = self.believed if self.believed_until is not None and now < self.believed_until else 0
        return max(held, believed)


@dataclass(frozen=True, slots=True)
class Client:
    """A platform that may lease. `sequence` numbers our answers to it; all its leases end together."""

    id: int
    name: str
    created_at: dt.datetime
    token_hash: str | None = None
    about: str = ""
    installation: str = ""
    sequence: int = 0
    renewed_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    retired_at: dt.datetime | None = None
    limits: Mapping[LicenceKind, Limit] = field(default_factory=dict)
    leases: Mapping[LicenceKind, Lease] = field(default_factory=dict)

    def renewed(
        self,
        installation: str,
        sequence: int,
        now: dt.datetime,
        expires_at: dt.datetime,
        leases: Mapping[LicenceKind, Lease],
    ) -> "Client":
        """Return the client after an answer (`dataclasses.replace` takes five times as long)."""
        return Client(
            self.id,
            self.name,
            self.created_at,
            self.token_hash,
            self.about,
            installation,
            sequence,
            now,
            expires_at,
            self.retired_at,
            self.limits,
            leases,
        )

    def is_present(self, now: dt.datetime) -> bool:
        """Return whether its leases run at `now`."""
        return self.retired_at is None and self.expires_at is not None and now < self.expires_at

    def limit(self, kind: LicenceKind) -> Limit:
        """Return its limit of one feature."""
        return self.limits.get(kind, NO_LIMIT)

    def charge(self, kind: LicenceKind, now: dt.datetime) -> int:
        """Return the units of `kind` that are its own at `now`."""
        lease = self.leases.get(kind)
        return 0 if lease is None else lease.charge(now, self.expires_at)


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """What a client asks for: the whole of what it wants, whatever it asked before.

    `wants` None is ALL of every feature. `seen` is the sequence of the last answer that it took note of, 0
    when it knows none. `installation` tells a client from a copy of it. `token_hash` proves who it is.
    """

    client: str
    nonce: str
    wants: Mapping[LicenceKind, Wanted] | None = None
    seen: int = 0
    installation: str = ""
    token_hash: str | None = None
    releases: bool = False


class RefusalReason(enum.StrEnum):
    """Why a request is refused."""

    UNKNOWN_CLIENT = "unknown_client"
    IN_USE = "in_use"


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer to a request that is not served."""

    reason: RefusalReason
    message: str


@dataclass(frozen=True, slots=True)
class Granted:
    """The answer to a request: what the client holds now, until `lease_until`."""

    client: str
    sequence: int
    server_time: dt.datetime
    lease_until: dt.datetime
    customer: str
    features: tuple[Feature, ...]
    message: str = ""


LeaseAnswer = Granted | Refused


@dataclass(frozen=True, slots=True)
class Denial:
    """A request that got less than it asked for; `is_true` when every unit there is was really leased.

    ALL is denied only when it gets nothing of a feature that is licensed. A denial that is not true had
    another reason: units reserved for others, units that others have not given back, or the client's maximum.
    """

    client_id: int
    kind: LicenceKind
    asked: Wanted
    got: int
    is_true: bool
