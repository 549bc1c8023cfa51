"""Who gets what of one feature: the product's own sharing among the clients of a licence server. Pure.

`ledger` keeps one FeaturePool per feature while it answers requests. Clients are like tasks of one
pool with equal priority (licensing.md 4): minimums first, then equal shares; units move only when free.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from outrider.licences.model import DEFAULT_PRIORITY, Holding, LicenceKind, Problem, TaskShare
from outrider.licences.settle import settle
from outrider.licences.share import share

UNIT = LicenceKind.OUTBOUND_PORTS
"""Each feature is shared by itself, as one pool of plain units; that is how the rules know such a kind."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One client of one feature: a right to `minimum`, a wish for `wanted`, and `charge` units kept for it.

    The minimum is reserved even while the client is away (then it wants nothing). `created` orders age.
    """

    client: int
    created: float
    minimum: int
    wanted: int
    charge: int

    @property
    def task(self) -> TaskShare:
        """Return the claim as a task: what it holds changes nothing, as its maximum is its need."""
        most = max(self.minimum, self.wanted)
        return TaskShare(
            id=str(self.client),
            kind=UNIT,
            minimum=self.minimum,
            maximum=most,
            priority=DEFAULT_PRIORITY,
            need=most,
            started=self.created,
        )


@lru_cache(maxsize=64)
def quotas(total: int, tasks: tuple[TaskShare, ...]) -> Mapping[str, int]:
    """Return what each task should have of `total` units (licensing.md 4.1 and 4.2)."""
    return share(Problem({UNIT: total}, tasks)).quotas


class FeaturePool:
    """The claims to one feature of `total` units, and the grants that follow from them."""

    def __init__(self, total: int, claims: Sequence[Claim]) -> None:
        self.total = total
        self._claims = {claim.client: claim for claim in claims}
        self._quotas: Mapping[str, int] | None = None
        self._behind: set[int] = set()
        self._charged = sum(claim.charge for claim in claims)

    @property
    def charged(self) -> int:
        """Return the units that are kept for somebody."""
        return self._charged

    def put(self, claim: Claim) -> None:
        """Replace a client's claim."""
        old = self._claims.get(claim.client)
        if old == claim:
            return
        self._charged += claim.charge - (0 if old is None else old.charge)
        self._claims[claim.client] = claim
        if old is None or (old.minimum, old.wanted) != (claim.minimum, claim.wanted):
            self._quotas = None
        elif self._quotas is not None:
            self._judge(claim, self._quotas)

    def grant(self, client: int) -> int:
        """Return the units that `client` gets now.

        It shrinks to its quota at once, and grows out of units that nobody holds: the sum of what is kept
        never rises above the total. While others hold more than their quotas, what is free is settled
        minimums first (licensing.md 4.5). After a cut nobody grows, and each keeps what its quota allows.
        """
        claim = self._claims[client]
        shares = self._shares()
        quota = shares[str(client)]
        if not self._behind - {client}:
            return min(quota, claim.wanted)
        settled = settle({UNIT: self.total}, [self._holding(each, client, shares) for each in self])
        kept = min(claim.charge, quota)
        return min(max(kept, settled[str(client)]), claim.wanted)

    def __iter__(self) -> Iterator[Claim]:
        return iter(tuple(self._claims.values()))

    def _shares(self) -> Mapping[str, int]:
        """Return everybody's quota, and know who holds more than that."""
        if self._quotas is None:
            self._quotas = quotas(self.total, tuple(claim.task for claim in self))
            self._behind = set()
            for claim in self:
                self._judge(claim, self._quotas)
        return self._quotas

    def _judge(self, claim: Claim, shares: Mapping[str, int]) -> None:
        if claim.charge > shares[str(claim.client)]:
            self._behind.add(claim.client)
        else:
            self._behind.discard(claim.client)

    @staticmethod
    def _holding(claim: Claim, asking: int, shares: Mapping[str, int]) -> Holding:
        """Return a claim as granting sees it: others keep what they hold until they ask themselves."""
        return Holding(
            id=str(claim.client),
            kind=UNIT,
            quota=shares[str(claim.client)],
            granted=claim.charge,
            in_use=0 if claim.client == asking else claim.charge,
            right=claim.minimum,
            priority=DEFAULT_PRIORITY,
            started=claim.created,
        )
