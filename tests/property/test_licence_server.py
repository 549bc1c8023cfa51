"""The rules of the licence server under every order of requests, losses, crashes, cuts and passing time.

What clients believe to hold is kept apart from the ledger, as the network and their crashes leave it: that
sum, not the ledger's own, must never exceed what there is (issue 3, part 1).
"""

import datetime as dt
from dataclasses import dataclass

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from outrider.licences.model import LicenceKind
from outrider.supply.authorisation import Feature
from outrider.supply.server.entitlement import Entitlement
from outrider.supply.server.ledger import Ledger, Moment
from outrider.supply.server.model import ALL, Client, Granted, LeaseRequest, Limit, Terms, Wanted

KIND = LicenceKind.OUTBOUND_PORTS
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
TERMS = Terms(lease=dt.timedelta(seconds=60), margin=dt.timedelta(seconds=5))
CLIENTS = 4

numbers = st.integers(min_value=0, max_value=CLIENTS - 1)
counts = st.integers(min_value=0, max_value=20)
wishes = st.one_of(st.just(ALL), counts)


@dataclass
class Belief:
    """What one client goes by: the last answer that reached it."""

    count: int = 0
    until: dt.datetime = START
    seen: int = 0


class LicenceServer(RuleBasedStateMachine):
    """One feature, four clients, and a network that loses answers."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.total = 10
        self.allowed = 10
        self.clients = {
            number: Client(number, f"c{number}", START + dt.timedelta(seconds=number), token_hash=str(number))
            for number in range(CLIENTS)
        }
        self.beliefs = {number: Belief() for number in range(CLIENTS)}
        self.wishes: dict[int, Wanted] = dict.fromkeys(range(CLIENTS), 0)

    def entitlement(self) -> Entitlement:
        feature = Feature(KIND, self.total, START + dt.timedelta(days=365))
        return Entitlement({KIND: feature} if self.total else {})

    def charged(self) -> int:
        return sum(client.charge(KIND, self.now) for client in self.clients.values())

    def ask(self, number: int, wanted: Wanted, *, delivered: bool, seen: int | None = None) -> Granted:
        """Let a client ask; an answer that is lost changes nothing for the client."""
        ledger = Ledger(self.clients.values(), self.entitlement(), Moment(self.now, self.now), TERMS)
        belief = self.beliefs[number]
        request = LeaseRequest(
            f"c{number}",
            "nonce",
            {KIND: wanted},
            belief.seen if seen is None else seen,
            token_hash=str(number),
        )
        answer = ledger.answer(request)
        assert isinstance(answer, Granted)
        self.clients = ledger.clients
        self.wishes[number] = wanted
        assert ledger.leased(KIND) == self.charged()
        count = sum(feature.count for feature in answer.features)
        assert count <= (self.total if wanted is ALL else wanted)
        if delivered:
            self.beliefs[number] = Belief(count, answer.lease_until, answer.sequence)
        self.allowed = max(self.total, min(self.allowed, self.charged()))
        return answer

    @rule(number=numbers, wanted=wishes, delivered=st.booleans())
    def renew(self, number: int, wanted: Wanted, delivered: bool) -> None:  # noqa: FBT001 - hypothesis's call
        """Ask once; perhaps nobody hears the answer."""
        self.ask(number, wanted, delivered=delivered)

    @rule(number=numbers, wanted=wishes)
    def repeat(self, number: int, wanted: Wanted) -> None:
        """Ask again without having heard: the same client never gets a second lease."""
        first = self.ask(number, wanted, delivered=False)
        again = self.ask(number, wanted, delivered=True)
        assert [each.count for each in again.features] >= [each.count for each in first.features]
        assert self.clients[number].leases.keys() <= {KIND}

    @rule(number=numbers)
    def forget(self, number: int) -> None:
        """Crash a client: it remembers what it holds (in its database), but not which answer that was."""
        self.beliefs[number].seen = 0

    @rule(number=numbers)
    def release(self, number: int) -> None:
        """Give everything back, as far as the server knows it."""
        belief = self.beliefs[number]
        self.send_release(number, belief.seen)
        self.beliefs[number] = Belief(0, self.now, belief.seen)

    @precondition(lambda self: any(belief.seen > 1 for belief in self.beliefs.values()))
    @rule(number=numbers)
    def late_release(self, number: int) -> None:
        """Let a release arrive that was sent before the client asked anew: it must free nothing."""
        belief = self.beliefs[number]
        if belief.seen > 1:
            self.send_release(number, belief.seen - 1)

    def send_release(self, number: int, seen: int) -> None:
        ledger = Ledger(self.clients.values(), self.entitlement(), Moment(self.now, self.now), TERMS)
        request = LeaseRequest(f"c{number}", "n", {}, seen, token_hash=str(number), releases=True)
        assert isinstance(ledger.answer(request), Granted)
        self.clients = ledger.clients
        self.allowed = max(self.total, min(self.allowed, self.charged()))

    @rule(seconds=st.integers(min_value=1, max_value=100))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.now += dt.timedelta(seconds=seconds)

    @rule(total=st.integers(min_value=0, max_value=30))
    def change_total(self, total: int) -> None:
        """Load or remove files; a cut leaves what is out until it is renewed or runs out."""
        self.allowed = max(total, self.charged())
        self.total = total

    @rule(number=numbers, minimum=st.integers(min_value=0, max_value=8))
    def reserve(self, number: int, minimum: int) -> None:
        """Set a client's minimum."""
        client = self.clients[number]
        limited = Client(
            client.id,
            client.name,
            client.created_at,
            client.token_hash,
            sequence=client.sequence,
            expires_at=client.expires_at,
            limits={KIND: Limit(minimum)},
            leases=client.leases,
        )
        self.clients = {**self.clients, number: limited}

    @precondition(lambda self: sum(c.limit(KIND).minimum for c in self.clients.values()) <= self.total)
    @rule(wanted=st.lists(wishes, min_size=CLIENTS, max_size=CLIENTS))
    def settle(self, wanted: list[Wanted]) -> None:
        """Let everybody renew until it has come to rest: minimums are honoured, and nothing lies idle."""
        for _ in range(4):
            for number in range(CLIENTS):
                self.ask(number, wanted[number], delivered=True)
        held = {number: self.beliefs[number].count for number in range(CLIENTS)}
        wishes_met = {n: self.total if w is ALL else min(w, self.total) for n, w in enumerate(wanted)}
        aside = 0
        for number, count in held.items():
            minimum = self.clients[number].limit(KIND).minimum
            assert count >= min(minimum, wishes_met[number])
            aside += max(0, minimum - count)
        short = any(held[number] < wishes_met[number] for number in held)
        assert not short or sum(held.values()) + aside == self.total

    @invariant()
    def never_more_than_there_is(self) -> None:
        """Compare what clients believe with what the ledger keeps, and that with what there is."""
        believed = {n: b.count if self.now < b.until else 0 for n, b in self.beliefs.items()}
        for number, count in believed.items():
            assert count <= self.clients[number].charge(KIND, self.now)
        assert sum(believed.values()) <= self.charged() <= self.allowed


TestLicenceServer = LicenceServer.TestCase
TestLicenceServer.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
