"""Agents on a real Asterisk, watched every second: its channels and bridges against our own books.

Acceptance tests over `chain.py` call it. Channels have the ids of attempts and legs, so that ports are
compared one by one, not by their number.
"""

import datetime as dt
import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, or_, select
from tools.testbed.asterisk import AsteriskServer

from outrider.agents.leg import LegPurpose
from outrider.channels.asterisk.rooms import PREFIX
from outrider.clock import RealClock
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.licences.model import LicenceKind
from outrider.runtime import store

EVERY = 1.0
LAG = dt.timedelta(seconds=1)
"""How long after an attempt's end, by our books, Asterisk may still list its channel."""

A, G, S, T, M = (
    schema.attempts.c,
    schema.agent_legs.c,
    schema.agent_sessions.c,
    schema.tasks.c,
    schema.media_servers.c,
)


@dataclass(frozen=True, slots=True)
class Books:
    """What the platform holds at one moment, read in one transaction.

    `calls` are open attempts and legs of agents (each has a channel), `bridging` ports held while two legs
    are joined, `ended` the attempts that ended not long ago. `agents` is who has which leg.
    """

    calls: frozenset[str]
    bridging: frozenset[str]
    ended: frozenset[str]
    agents: dict[str, int]
    ports: int
    seats: int
    seated: int
    nailed_up: int
    drifts: tuple[str, ...]


def read_books(tx: Tx) -> Books:
    """Return what is charged now."""
    recent = RealClock().now() - LAG - dt.timedelta(seconds=EVERY)
    attempts = tx.execute(
        select(A.id, A.ended_at).where(or_(A.ended_at.is_(None), A.ended_at >= recent))
    ).all()
    of_agents = select(G.id, G.purpose, S.agent_id).join(schema.agent_sessions, S.id == G.session_id)
    legs = tx.execute(of_agents).all()
    sessions = tx.execute(select(S.task_id, S.nail_up).where(S.ended_at.is_(None))).all()
    bridging = {leg.id for leg in legs if leg.purpose == LegPurpose.BRIDGE.value}
    seats = select(func.coalesce(func.sum(T.in_use), 0)).where(T.kind == LicenceKind.PREDICTIVE_AGENTS.value)
    return Books(
        calls=frozenset({row.id for row in attempts if row.ended_at is None})
        | {leg.id for leg in legs if leg.id not in bridging},
        bridging=frozenset(bridging),
        ended=frozenset(row.id for row in attempts if row.ended_at is not None),
        agents={leg.id: leg.agent_id for leg in legs if leg.purpose == LegPurpose.AGENT.value},
        ports=int(tx.execute(select(func.coalesce(func.sum(M.in_use), 0))).scalar_one()),
        seats=int(tx.execute(seats).scalar_one()),
        seated=sum(row.task_id is not None for row in sessions),
        nailed_up=sum(row.nail_up == "up" for row in sessions),
        drifts=tuple(store.drifts(tx)),
    )


@dataclass(slots=True)
class AgentWatch:
    """What was seen: the most of everything, who talked to whom, and every breach of a rule."""

    database: Database
    server: AsteriskServer
    ports: int
    seats: int
    samples: int = 0
    exact: int = 0
    """Samples in which Asterisk listed exactly the calls of our books."""
    most: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    pairs: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Agents by the attempt with which they were seen in one bridge."""
    agents: dict[str, int] = field(default_factory=dict)
    """Agents by leg."""
    _open: dict[str, frozenset[str]] = field(default_factory=dict)
    """Differences of the sample before: each must be gone in the next."""

    def sample(self) -> None:
        """Compare once. Our books are read before and after Asterisk's lists: these must fit in between."""
        before = self.database.read_now(read_books)
        channels = self.server.channel_ids()
        bridges = self.server.ari("GET", "/bridges").raise_for_status().json()
        after = self.database.read_now(read_books)
        self.samples += 1
        self.agents |= before.agents | after.agents
        for books in (before, after):
            self._sums(books)
        self._ports(before, channels, after)
        self._people(bridges)
        self.most["channels"] = max(self.most["channels"], len(channels))

    def _sums(self, books: Books) -> None:
        """In one transaction every sum is exactly that of its rows, and none is above its licences."""
        charged = len(books.calls) + len(books.bridging)
        if books.ports != charged:
            self._complain(f"{books.ports} ports are in use, calls and legs come to {charged}")
        if books.seats != books.seated:
            self._complain(f"{books.seats} seats are in use, {books.seated} agents have one")
        if books.ports > self.ports:
            self._complain(f"{books.ports} ports are in use, {self.ports} are licensed")
        if books.seats > self.seats:
            self._complain(f"{books.seats} seats are in use, {self.seats} are licensed")
        for drift in books.drifts:
            self._complain(drift)
        for what in ("ports", "seats", "nailed_up"):
            self.most[what] = max(self.most[what], getattr(books, what))
        self.most["bridging"] = max(self.most["bridging"], len(books.bridging))

    def _ports(self, before: Books, channels: set[str], after: Books) -> None:
        """Asterisk has no call without a port; and no port stays in use without its call."""
        unpaid = channels - before.calls - after.calls - after.ended
        if unpaid:
            self._complain(f"Asterisk has calls without ports: {sorted(unpaid)}")
        if len(channels) > self.ports:
            self._complain(f"Asterisk has {len(channels)} calls, {self.ports} ports are licensed")
        self.exact += before.calls == channels == after.calls
        now = {
            "ports without a call": (before.calls & after.calls) - channels,
            "calls that are over": channels - after.calls,
            "ports for bridging": before.bridging & after.bridging,
        }
        for what, differing in now.items():
            lasting = differing & self._open.get(what, frozenset())
            if lasting:
                self._complain(f"for two samples there were {what}: {sorted(lasting)}")
        self._open = {what: frozenset(differing) for what, differing in now.items()}

    def _people(self, bridges: list[dict[str, Any]]) -> None:
        """In each bridge is one agent, and one contact at most; nobody is in two."""
        where: Counter[str] = Counter()
        talking = 0
        for bridge in bridges:
            leg = str(bridge["id"]).removeprefix(PREFIX)
            if leg == bridge["id"]:
                continue
            members = {str(each) for each in bridge["channels"]}
            where.update(members)
            contacts = members - self.agents.keys()
            legs = members & self.agents.keys()
            talking += bool(contacts and legs)
            if len(contacts) > 1 or len(legs) > 1:
                self._complain(f"bridge of {leg}: contacts {sorted(contacts)}, agents' legs {sorted(legs)}")
            for contact in contacts:
                self.pairs[contact] |= {self.agents[each] for each in legs}
        self.most["talking"] = max(self.most["talking"], talking)
        for one, count in where.items():
            if count > 1:
                self._complain(f"{one} is in {count} bridges")

    def _complain(self, breach: str) -> None:
        self.breaches.append(f"sample {self.samples}: {breach}")


@contextmanager
def watched_agents(
    database: Database, server: AsteriskServer, *, ports: int, seats: int
) -> Iterator[AgentWatch]:
    """Sample every second from a thread of its own during the block; `ports` and `seats` are licensed."""
    watch, end = AgentWatch(database, server, ports, seats), threading.Event()

    def again() -> None:
        while not end.wait(EVERY):
            watch.sample()

    with ThreadPoolExecutor(1, thread_name_prefix="watch") as threads:
        watching = threads.submit(again)
        try:
            yield watch
        finally:
            end.set()
        watching.result()


def doubled_agents(tx: Tx) -> list[str]:
    """Return every case of an agent with two contacts at once, by the times of their attempts."""
    rows = tx.execute(
        select(A.id, A.agent_id, A.joined_at, A.ended_at)
        .where(A.joined_at.is_not(None))
        .order_by(A.agent_id, A.joined_at)
    ).all()
    return [
        f"agent {second.agent_id} was given {second.id} at {second.joined_at}, and had {first.id}"
        for first, second in itertools.pairwise(rows)
        if first.agent_id == second.agent_id and (first.ended_at is None or second.joined_at < first.ended_at)
    ]


def excessive_seats(tx: Tx) -> list[str]:
    """Return the recalculations that gave tasks more seats than there were, or broke another rule.

    Only where all tasks are of predictive agents.
    """
    found = []
    for row in tx.execute(select(schema.recalculations).order_by(schema.recalculations.c.id)):
        seats = int(row.counts.get(LicenceKind.PREDICTIVE_AGENTS.value, 0))
        for what in ("quota", "granted", "in_use"):
            total = sum(int(task[what]) for task in row.after.values())
            if total > seats:
                found.append(f"recalculation {row.id}: {what} {total} of {seats}")
        found += [f"recalculation {row.id}: {violation}" for violation in row.violations or ()]
    return found
