"""What a run over real Asterisk leaves behind, checked against SIPp's books and Asterisk's channel lists.

Acceptance tests over `chain.py` call it. Nothing here trusts a cached sum or a log line.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import httpx
from sqlalchemy import select
from tools.testbed.numbering import Outcome as Far
from tools.testbed.numbering import planned
from tools.testbed.public_network import Tally

from outrider.campaigns.outcome import Outcome
from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.licences.model import LicenceKind
from outrider.media import service as media
from support.chain import Chain

TRUE: Mapping[Far, Outcome] = {
    Far.ANSWERS: Outcome.ANSWERED,
    Far.HANGS_UP: Outcome.ANSWERED,
    Far.HUMAN: Outcome.ANSWERED,
    Far.TALKS: Outcome.ANSWERED,
    Far.MACHINE: Outcome.MACHINE,
    Far.BUSY: Outcome.BUSY,
    Far.UNAVAILABLE: Outcome.NO_ANSWER,
    Far.NO_ANSWER: Outcome.NO_ANSWER,
    Far.CONGESTED: Outcome.CONGESTION,
    Far.UNALLOCATED: Outcome.FAILED,
    Far.REJECTED: Outcome.FAILED,
}
"""What a call to a number of the plan comes to, when nothing dies meanwhile."""

PORTS = LicenceKind.OUTBOUND_PORTS.value


@dataclass(slots=True)
class Watch:
    """What was seen while a run went on: the most of everything, and every breach of a rule."""

    samples: int = 0
    lists: int = 0
    """Channel lists of Asterisk servers that were compared with their grants."""
    most_in_use: int = 0
    most_on_server: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    most_channels: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    breaches: list[str] = field(default_factory=list)
    unanswered: int = 0
    """Channel lists that a server did not give."""


@contextmanager
def watched(chain: Chain, every: float = 0.1, lists_every: float = 0.25) -> Iterator[Watch]:
    """Sample the database, and each Asterisk's channel list, from threads of their own during the block."""
    watch, end = Watch(), threading.Event()
    sampling = [(partial(_sample, chain, watch), every)]
    sampling += [(partial(_compare, chain, watch, name), lists_every) for name in chain.servers]

    def again(step: Callable[[], None], pause: float) -> None:
        while not end.wait(pause):
            step()

    threads = [threading.Thread(target=again, args=each, name="watch") for each in sampling]
    for thread in threads:
        thread.start()
    try:
        yield watch
    finally:
        end.set()
        for thread in threads:
            thread.join()


def _sample(chain: Chain, watch: Watch) -> None:
    """Licences never above the pool, ports never above a server's maximum and its zone's ports."""
    pools, zones = chain.database.read_now(_charged)
    watch.samples += 1
    for pool, (in_use, charged, authorised) in pools.items():
        watch.most_in_use = max(watch.most_in_use, in_use)
        if charged > authorised:
            watch.breaches.append(f"pool {pool}: {charged} licences charged of {authorised}")
    for name, ports, servers in zones:
        held = sum(max(granted, in_use) for _, _, granted, in_use, _ in servers)
        if held > ports:
            watch.breaches.append(f"zone {name}: {held} ports held of {ports}")
        for server, quota, granted, in_use, maximum in servers:
            watch.most_on_server[server] = max(watch.most_on_server[server], in_use)
            if granted > min(quota, maximum):
                watch.breaches.append(f"{server}: {granted} ports granted, its split is {quota} of {maximum}")


def _charged(
    tx: Tx,
) -> tuple[dict[int, tuple[int, int, int]], list[tuple[str, int, list[tuple[str, int, int, int, int]]]]]:
    T, C = schema.tasks.c, schema.pool_counts.c  # noqa: N806 - tables' columns
    effective = {
        row.pool_id: int(row.effective)
        for row in tx.execute(select(C.pool_id, C.effective).where(C.kind == PORTS))
    }
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row in tx.execute(select(T.pool_id, T.granted, T.in_use).where(T.kind == PORTS)):
        sums[row.pool_id][0] += row.in_use
        sums[row.pool_id][1] += max(row.granted, row.in_use)
    pools = {pool: (used, charged, effective.get(pool, 0)) for pool, (used, charged) in sums.items()}
    zones = [
        (
            zone.name,
            zone.ports,
            [(each.name, each.quota, each.granted, each.in_use, each.maximum_ports) for each in zone.servers],
        )
        for zone in media.zones(tx)
    ]
    return pools, zones


def _compare(chain: Chain, watch: Watch, name: str) -> None:
    """Compare Asterisk's own list with what the server was granted at the time, or used by an older grant."""
    before = chain.seen()[name]
    try:
        channels = len(chain.servers[name].channel_ids())
    except httpx.HTTPError:
        watch.unanswered += 1
        return
    after = chain.seen()[name]
    watch.lists += 1
    watch.most_channels[name] = max(watch.most_channels[name], channels)
    allowed = max(before.granted, before.in_use, after.granted, after.in_use)
    if channels > allowed:
        watch.breaches.append(f"{name}: {channels} channels are up, {allowed} ports are its own")


def attempts(database: Database) -> list[Row]:
    """Return all attempts, oldest first."""
    A = schema.attempts  # noqa: N806 - a table

    def read(tx: Tx) -> list[Row]:
        return list(tx.execute(select(A).order_by(A.c.claimed_at, A.c.id)).mappings())

    return database.read_now(read)


def outcomes(tried: Sequence[Row]) -> Counter[str]:
    """Return how many attempts came to what."""
    return Counter(str(row["outcome"]) for row in tried)


def told_by(tally: Tally) -> Counter[str]:
    """Return the outcomes that SIPp's own counts come to."""
    found: Counter[str] = Counter()
    for far, count in tally.seen.items():
        found[TRUE[far].value] += count
    return found


def false_outcomes(
    tried: Sequence[Row], *, allowed: frozenset[Outcome] = frozenset(), truth: Mapping[Far, Outcome] = TRUE
) -> list[str]:
    """Return the attempts whose outcome is not what the called number does, nor one that is `allowed`."""
    found = []
    for row in tried:
        number = planned(row["address"])
        assert number is not None, row["address"]
        if row["ended_at"] is None:
            found.append(f"{row['id']} to {row['address']} is open")
        elif row["outcome"] != truth[number.outcome].value and row["outcome"] not in allowed:
            found.append(f"{row['address']}: {row['outcome']} ({row['detail']})")
    return found


def called_too_often(chain: Chain, tried: Sequence[Row]) -> list[str]:
    """Return the numbers that SIPp saw more often than there were attempts to call them."""
    asked = Counter(row["address"] for row in tried)
    seen = Counter(number for number, _ in chain.network.called())
    return [
        f"{number}: called {count} times by {asked[number]} attempts"
        for number, count in seen.items()
        if count > asked[number]
    ]


def most_at_once(tried: Sequence[Row]) -> int:
    """Return the largest number of attempts that were under way at the same time, by their own times.

    Exact where transactions are done in the order in which they are asked for, as SQLite's are.
    """
    changes = [(row["claimed_at"], 1) for row in tried] + [(row["ended_at"], -1) for row in tried]
    most = present = 0
    for _, change in sorted(changes):
        present += change
        most = max(most, present)
    return most


def excessive_records(database: Database) -> list[str]:
    """Return the records, of recalculations and of each second, that gave tasks more than their pool had."""
    return database.read_now(_excessive)


def _excessive(tx: Tx) -> list[str]:
    R, S, T = schema.recalculations.c, schema.samples.c, schema.tasks.c  # noqa: N806 - tables' columns
    found = []
    latest: dict[int, int] = {}
    for row in tx.execute(select(schema.recalculations).order_by(R.id)):
        latest[row.pool_id] = int(row.counts.get(PORTS, 0))
        for what in ("quota", "granted"):
            total = sum(
                int(task.get(what, 0)) for task in row.after.values() if task.get("kind", PORTS) == PORTS
            )
            if total > latest[row.pool_id]:
                found.append(f"recalculation {row.id}: {what} {total} of {latest[row.pool_id]}")
        if row.violations:
            found.append(f"recalculation {row.id}: {row.violations}")
    seconds: dict[tuple[int, object], int] = defaultdict(int)
    pool_of = {task.id: task.pool_id for task in tx.execute(select(T.id, T.pool_id))}
    for sample in tx.execute(select(S.task_id, S.at, S.granted, S.in_use)):
        seconds[pool_of[sample.task_id], sample.at] += max(sample.granted, sample.in_use)
    for (pool, at), total in seconds.items():
        if total > latest.get(pool, 0):
            found.append(f"{at}: {total} licences charged of {latest.get(pool, 0)}")
    return found


def is_quiet(chain: Chain) -> bool:
    """Return whether no Asterisk has a channel left, and no port is in use."""
    busy = any(server.channel_ids() for server in chain.servers.values())
    return not busy and not any(each.in_use for each in chain.seen().values())
