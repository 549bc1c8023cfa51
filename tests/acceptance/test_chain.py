"""The whole chain, every part a real process: licence server, platform, two Asterisk, SIPp as the network.

2,000 calls of mixed outcomes at 100 a second over two competing jobs (issue 3, must hold 1).
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tools.testbed.asterisk import AsteriskServer
from tools.testbed.numbering import Outcome as Far
from tools.testbed.numbering import number
from tools.testbed.public_network import PublicNetwork, Tally

from outrider.db.database import Database, Row
from outrider.supply import service as supply
from outrider.supply.model import SupplyState
from support import chain_audit as audit
from support import licence_servers
from support.chain import Chain, make_chain
from support.databases import sqlite_url
from support.processes import Program, Programs, eventually, programs

pytestmark = pytest.mark.alone

PORTS = 90
CALLS = 2_000
RATE = 100.0
SLOWEST = 0.9
"""Part of the rate that the claims must reach, their last pause included."""

ANNOUNCED = {
    Far.ANSWERS: 350,
    Far.HANGS_UP: 250,
    Far.BUSY: 120,
    Far.UNALLOCATED: 80,
    Far.UNAVAILABLE: 90,
    Far.CONGESTED: 60,
    Far.REJECTED: 30,
    Far.NO_ANSWER: 20,
}
DETECTED = {
    Far.HUMAN: 100,
    Far.MACHINE: 60,
    Far.HANGS_UP: 200,
    Far.BUSY: 200,
    Far.UNALLOCATED: 90,
    Far.UNAVAILABLE: 150,
    Far.CONGESTED: 120,
    Far.REJECTED: 60,
    Far.NO_ANSWER: 20,
}
"""What the contacts of the two jobs do; the second job asks who answers."""


@dataclass(frozen=True, slots=True)
class LicenceServer:
    """A running licence server with what a platform needs to lease from it."""

    program: Program
    settings: dict[str, object]


@pytest.fixture
def licence_server(tmp_path: Path) -> Iterator[LicenceServer]:
    """Give a licence server of its own database and environment, with a signed file and one client."""
    folder = tmp_path / "licences"
    folder.mkdir()
    with sqlite_url(folder) as url, programs(folder / "programs", log_format="json") as commands:
        database = Database(url, connections=2)
        counts = {"outbound_ports": PORTS, "telephony_ports": PORTS}
        licence_servers.load(database, licence_servers.now(), counts=counts)
        token = licence_servers.add_clients(database, ["platform"], licence_servers.now())["platform"]
        database.close()
        program = licence_servers.start_server(commands, url, folder / "keys")
        host, port = licence_servers.address_of(program)
        key = folder / "server-key.pem"
        key.write_text(commands.run("licences", "server-key", "--data-folder", str(folder / "keys")).text)
        yield LicenceServer(
            program,
            {
                "licences__server__url": f"http://{host}:{port}",
                "licences__server__client": "platform",
                "licences__server__token": token,
                "licences__server__public_key": key,
                "licences__poll__every": 2,
            },
        )


def numbers(plan: dict[Far, int], first: int) -> list[str]:
    """Return the numbers of a plan, mixed, with serials from `first`."""
    found = [number(outcome, first + serial) for outcome, count in plan.items() for serial in range(count)]
    random.Random(first).shuffle(found)
    return found


def test_the_whole_chain(
    sqlite_database: Database,
    licence_server: LicenceServer,
    commands: Programs,
    public_network: PublicNetwork,
    asterisk_pair: tuple[AsteriskServer, AsteriskServer],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    servers = dict(zip(("left", "right"), asterisk_pair, strict=True))
    chain = make_chain(sqlite_database, commands, tmp_path / "data", public_network, servers)
    commands.configure(**licence_server.settings)
    chain.register()
    platform = chain.serve()
    split = {name: each.granted for name, each in chain.wait_for_servers().items()}
    assert split == {"left": PORTS // 2, "right": PORTS // 2}
    called = [*numbers(ANNOUNCED, 0), *numbers(DETECTED, 1_000)]
    assert len(called) == CALLS
    with audit.watched(chain) as watch:
        jobs = (
            chain.job("announced", called[:1_000], pacing=RATE / 2, maximum=PORTS),
            chain.job(
                "detected", called[1_000:], pacing=RATE / 2, maximum=PORTS, extra="detect_machine = true"
            ),
        )
        eventually("both jobs finish", lambda: chain.finished(*jobs), within=90)
        tally = public_network.settled(CALLS)
    supplied = sqlite_database.read_now(supply.current)
    assert supplied.state is SupplyState.NORMAL
    assert platform.stop() == 0, platform.complaints
    assert "Traceback" not in platform.complaints
    tried = audit.attempts(sqlite_database)
    rate = rate_of(tried)
    record_property(
        "measured",
        f"{len(tried)} calls, claimed at {rate:.0f}/s; {dict(audit.outcomes(tried))}; "
        f"most licences in use {watch.most_in_use} of {PORTS}, ports {dict(watch.most_on_server)} of {split} "
        f"({watch.samples} samples), channels {dict(watch.most_channels)} ({watch.lists} lists)",
    )
    check_outcomes(chain, tried, tally)
    check_limits(chain, watch, tried, split)
    check = commands.run("check")
    assert (check.process.returncode, check.text) == (0, "no drift\n"), check.text + check.complaints
    assert rate >= RATE * SLOWEST
    assert licence_server.program.running


def rate_of(tried: Sequence[Row]) -> float:
    """Return the attempts per second, from the first claim to the last."""
    times = [row["claimed_at"] for row in tried]
    took: float = (max(times) - min(times)).total_seconds()
    return len(tried) / took


def check_outcomes(chain: Chain, tried: Sequence[Row], tally: Tally) -> None:
    """Our outcomes are SIPp's, in sum and call by call; every contact was called once, by one attempt."""
    assert audit.false_outcomes(tried) == []
    assert audit.outcomes(tried) == audit.told_by(tally)
    assert (tally.offered, tally.unknown, tally.failed) == (CALLS, 0, 0), chain.network.errors
    once = Counter(row["address"] for row in tried)
    assert len(once) == len(tried) == CALLS
    assert Counter(called for called, _ in chain.network.called()) == once


def check_limits(chain: Chain, watch: audit.Watch, tried: Sequence[Row], split: dict[str, int]) -> None:
    """No sample and no record shows more licences than the pool has, or more ports than a server's split."""
    assert watch.breaches == []
    assert watch.samples > 100
    assert watch.lists > 50
    assert not watch.unanswered
    assert PORTS / 2 < watch.most_in_use <= PORTS
    assert audit.excessive_records(chain.database) == []
    for name, server in chain.seen().items():
        assert 0 < watch.most_channels[name] <= split[name]
        own = [row for row in tried if row["server_id"] == server.id]
        assert audit.most_at_once(own) <= split[name]
        assert len(own) > CALLS / 4
    assert audit.most_at_once(tried) <= PORTS
