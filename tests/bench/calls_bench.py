"""Calls a second and processor time per call: the whole product against a bare ARI script, on one Asterisk.

`make bench` calls `figures`. Both sides call the same far ends in turn: who answers, hears a prompt begin and
hangs up. Needs the real test bed. Run it alone with `python -m tests.bench.calls_bench`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from tools.testbed.asterisk import AsteriskServer, running_asterisk
from tools.testbed.cache import ensure
from tools.testbed.numbering import Outcome, number
from tools.testbed.public_network import running_network

from outrider.clock import RealClock
from outrider.db.database import Database
from support import chain_audit as audit
from support.chain import Chain, make_chain
from support.databases import sqlite_url
from support.processes import Program, eventually, programs

CALLS = 1_500
RATE = 150.0
ROUNDS = 3
PORTS = 300
Figure = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Run:
    """One run: calls a second from the first request to the last end, processor milliseconds per call."""

    rate: float
    processor: float


def numbers(round_number: int) -> list[str]:
    """Return the numbers of one round: all answer, and hang up after a fifth of a second."""
    return [number(Outcome.HANGS_UP, serial + round_number * CALLS) for serial in range(CALLS)]


def bare(asterisk: AsteriskServer, called: Sequence[str]) -> Run:
    """Run the bare script."""
    where = (asterisk.ari_url, asterisk.username, asterisk.password, "bare", str(RATE))
    output = subprocess.run(
        [sys.executable, "-m", "support.bare_ari", *where, *called],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ,
    ).stdout
    told = json.loads(output)
    assert told["calls"] == len(called), told
    return Run(told["calls"] / told["seconds"], told["processor"] / told["calls"] * 1000)


def ours(chain: Chain, platform: Program, name: str, called: Sequence[str]) -> Run:
    """Run a job of the platform over the same numbers; its process does everything that it always does."""
    process = psutil.Process(platform.process.pid)
    before = sum(process.cpu_times()[:2])
    job = chain.job(name, called, pacing=RATE, maximum=PORTS)
    eventually("the job finishes", lambda: chain.finished(job))
    used = sum(process.cpu_times()[:2]) - before
    tried = [row for row in audit.attempts(chain.database) if row["address"] in set(called)]
    assert audit.outcomes(tried) == {"answered": len(called)}, audit.outcomes(tried)
    took = max(row["ended_at"] for row in tried) - min(row["claimed_at"] for row in tried)
    return Run(len(tried) / took.total_seconds(), used / len(tried) * 1000)


@contextmanager
def platform_on_asterisk(folder: Path) -> Iterator[tuple[Chain, Program]]:
    """Give a platform that is connected to one real Asterisk."""
    bed = ensure()
    with (
        running_network(bed, folder / "sipp") as network,
        running_asterisk(bed, folder / "asterisk", network.port) as asterisk,
        sqlite_url(folder) as url,
        programs(folder / "programs", data_folder=folder / "data", log_level="warning") as commands,
    ):
        database = Database(url, connections=2)
        chain = make_chain(database, commands, folder / "data", network, {"bench": asterisk})
        chain.system.license(RealClock().now(), outbound_ports=PORTS)
        chain.register()
        program = chain.serve()
        chain.wait_for_servers()
        yield chain, program
        program.stop()
        database.close()


def measure() -> list[tuple[Run, Run]]:
    """Return (bare, ours) of each round, in turn on the same server."""
    with tempfile.TemporaryDirectory() as name, platform_on_asterisk(Path(name)) as (chain, platform):
        (asterisk,) = chain.servers.values()
        found = []
        for turn in range(ROUNDS):
            first = bare(asterisk, numbers(2 * turn))
            found.append((first, ours(chain, platform, f"turn {turn}", numbers(2 * turn + 1))))
        return found


def figures() -> list[Figure]:
    """Return (what, value, target) of every measurement: medians of ROUNDS."""
    rounds = measure()
    rate = statistics.median(run.rate for _, run in rounds)
    bare_rate = statistics.median(run.rate for run, _ in rounds)
    processor = statistics.median(run.processor for _, run in rounds)
    bare_processor = statistics.median(run.processor for run, _ in rounds)
    return [
        (f"calls over real Asterisk, {RATE:.0f}/s offered", f"{rate:.0f}/s", f"bare {bare_rate:.0f}/s"),
        ("of a bare ARI script's calls a second", f"{rate / bare_rate:.0%}", ">= 90 %"),
        ("processor time per call", f"{processor:.2f} ms", f"bare {bare_processor:.2f} ms"),
        ("of a bare ARI script's processor time", f"{processor / bare_processor:.2f} x", "<= 2 x"),
    ]


if __name__ == "__main__":
    for what, value, target in figures():
        sys.stdout.write(f"{what:55} {value:>15}   {target}\n")
