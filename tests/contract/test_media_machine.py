"""Media servers under anything that may happen, in any order: the invariants hold after every step.

Servers come, fail, return, drain, leave; calls come and end; the licence changes; workers die.
"""

import datetime as dt
import tempfile
from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import delete

from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.media import placing, service, sharing, store
from outrider.media.model import MediaServerId, SeenAs, Standing
from support.databases import postgres_url, sqlite_url
from support.media import SEALER, add, add_worker, load_ports, make_system, tell

START = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
SETTINGS = settings(
    max_examples=12, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
PICK = st.integers(0, 10**6)
WORKERS = ("worker-1", "worker-2")


class MediaServers(RuleBasedStateMachine):
    """The model: which calls are up where, and whether ports were ever taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.database = Database(self.stack.enter_context(self.url()), connections=2)
        self.now = START
        self.ports = 20
        self.cut = False
        self.calls: list[int] = []
        self.names = 0

    def url(self) -> AbstractContextManager[str]:
        """Give the URL of a fresh database."""
        return sqlite_url(Path(self.stack.enter_context(tempfile.TemporaryDirectory())))

    def teardown(self) -> None:
        self.database.close()
        self.stack.close()

    def living(self) -> list[MediaServerId]:
        """Return the servers that can still be changed."""
        found = self.database.read_now(service.servers)
        return [each.id for each in found if each.standing is not Standing.REMOVED]

    def chosen(self, pick: int) -> MediaServerId:
        """Return one of them."""
        living = self.living()
        return living[pick % len(living)]

    @initialize()
    def begin(self) -> None:
        self.zone = make_system(self.database, self.now, self.ports)
        self.database.write_now(add_worker, WORKERS[1], self.now)
        for _ in range(2):
            self.register(30, 1)
            for worker in WORKERS:
                tell(self.database, self.now, self.living()[-1], SeenAs.CONNECTED, worker)

    @rule(maximum=st.integers(1, 30), weight=st.integers(1, 4))
    def register(self, maximum: int, weight: int) -> None:
        if self.names < 5:
            self.names += 1
            add(self.database, self.now, f"s{self.names}", maximum_ports=maximum, weight=weight)

    @precondition(lambda self: self.living())
    @rule(pick=PICK, seen_as=st.sampled_from(SeenAs), worker=st.sampled_from(WORKERS))
    def report(self, pick: int, seen_as: SeenAs, worker: str) -> None:
        tell(self.database, self.now, self.chosen(pick), seen_as, worker)

    @precondition(lambda self: self.living())
    @rule(pick=PICK)
    def connect(self, pick: int) -> None:
        tell(self.database, self.now, self.chosen(pick), SeenAs.CONNECTED)

    @precondition(lambda self: self.living())
    @rule(pick=PICK, draining=st.booleans())
    def drain(self, pick: int, draining: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
        self.database.write_now(service.drain, self.chosen(pick), self.now, "test", draining=draining)

    @precondition(lambda self: self.living())
    @rule(pick=PICK, maximum=st.integers(1, 30), enabled=st.booleans())
    def change(self, pick: int, maximum: int, enabled: bool) -> None:  # noqa: FBT001 - as above
        changes = {"maximum_ports": maximum, "enabled": enabled}
        self.database.write_now(service.change, SEALER, self.chosen(pick), changes, self.now, "test")

    @precondition(lambda self: len(self.living()) > 1)
    @rule(pick=PICK)
    def remove(self, pick: int) -> None:
        self.database.write_now(service.remove, self.chosen(pick), self.now, "test")

    @rule(wanted=st.integers(1, 25))
    def place(self, wanted: int) -> None:
        placed = self.database.write_now(placing.place, self.zone, wanted, self.now)
        if placed is not None:
            assert len(placed.placements) == wanted or placed.bound
            self.calls += [each.server_id for each in placed.placements]

    @rule(kept=st.integers(0, 25), pick=PICK)
    def end(self, kept: int, pick: int) -> None:
        turn = pick % (len(self.calls) + 1)
        self.calls = self.calls[turn:] + self.calls[:turn]
        over, self.calls = self.calls[kept:], self.calls[:kept]
        self.database.write_now(placing.release, Counter(over))

    @rule(ports=st.integers(1, 30))
    def licence(self, ports: int) -> None:
        self.cut |= ports < self.ports
        self.ports = ports
        self.database.write_now(load_ports, self.now, ports)
        self.watch()

    @rule(worker=st.sampled_from(WORKERS))
    def worker_dies(self, worker: str) -> None:
        def die(tx: Tx) -> None:
            tx.execute(delete(schema.workers).where(schema.workers.c.id == worker))
            add_worker(tx, worker, self.now)

        self.database.write_now(die)
        self.watch()

    @rule(seconds=st.integers(1, 90))
    def wait(self, seconds: int) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def watch(self) -> None:
        """Do what the monitor does."""
        if self.database.read_now(sharing.is_stale):
            self.database.write_now(sharing.watch, self.now)
        assert not self.database.read_now(sharing.is_stale)

    @invariant()
    def ports_are_never_promised_twice(self) -> None:
        shares = self.database.read_now(store.all_shares)
        used = {row["id"]: row["in_use"] for row in shares if row["in_use"]}
        assert used == Counter(self.calls)
        held = sum(max(row["granted"], row["in_use"]) for row in shares)
        assert held <= (max(self.ports, len(self.calls)) if self.cut else self.ports)
        assert all(0 <= row["granted"] <= row["quota"] for row in shares)

    @invariant()
    def ports_are_split_as_far_as_servers_are_in_service(self) -> None:
        found = self.database.read_now(service.servers)
        serving = [each for each in found if each.standing is Standing.IN_SERVICE]
        quotas = sum(each.quota for each in serving)
        assert quotas == min(self.ports, sum(each.maximum_ports for each in serving))
        assert all(each.quota == 0 for each in found if each not in serving)
        owed = any(each.granted < each.quota for each in serving)
        if owed:
            assert sum(max(each.granted, each.in_use) for each in found) >= self.ports


class OverPostgres(MediaServers):
    """The same over the other database."""

    def url(self) -> AbstractContextManager[str]:
        """Give the URL of a fresh database."""
        return postgres_url()


MediaServers.TestCase.settings = SETTINGS
OverPostgres.TestCase.settings = settings(SETTINGS, max_examples=4)
TestOverSqlite = MediaServers.TestCase
TestOverPostgres = OverPostgres.TestCase
