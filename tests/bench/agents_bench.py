"""Many agents on one server process: 500 desktops on websockets, 50 live answers a second.

`make bench` calls `figures`. Times are the carrier's own: from its answering a call until it is told to put
that call into an agent's room: everything between "hello?" and the agent. Carrier, desktops and server are
processes of their own, and share the machine's cores.
"""

import datetime as dt
import re
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from outrider.channels.simulated.ledger import read_ledger
from outrider.channels.simulated.mismatches import mismatches_of_ledger
from outrider.db.database import Database
from support.agent_floor import add_agents
from support.databases import sqlite_url
from support.live_runs import LISTENING, LiveRun, live_run
from support.processes import PATIENCE, Program, Programs, eventually, programs

AGENTS = 500
RATE = 50
"""Live answers a second: as many as the agents' talk and wrap-up make."""
TALK, WRAP_UP = 6.0, 2.5
SECONDS = 60.0
"""Real seconds that are measured, after everybody is logged in and at work."""
TELEPHONY_PORTS = 1_500
SPEED = 1.01
"""The scaled clock begins at a working hour, and runs as fast as a real one, nearly."""
PROFILES = """
[profiles.default]
setup = [0.2, 0.6]
human_ring = [1.0, 4.0]
hangs_up_early = 0.0
[profiles.default.outcomes]
human = 0.5
busy = 0.5
"""
SELL = """
name = "sell"
[[actions]]
name = "call"
channel = "call"
maximum = 1000
[actions.agents]
mode = "predictive"
wrap_up = "60s"
completion_codes = ["done"]
abandoned = { text = "This was a call of Example Ltd." }
"""

Figure = tuple[str, str, str]


def begun(folder: Path, database: Database, commands: Programs) -> tuple[LiveRun, list[str]]:
    """Start a carrier and make agents and a job; return the run and the agents' tokens."""
    behaviour = folder / "carrier.toml"
    behaviour.write_text(PROFILES, encoding="utf-8")
    run = live_run(database, commands, folder, ports=TELEPHONY_PORTS, speed=SPEED, carrier=False)
    run.start_carrier("--profiles", str(behaviour))
    run.system.license(
        run.clock.now(),
        outbound_ports=TELEPHONY_PORTS,
        telephony_ports=TELEPHONY_PORTS,
        predictive_agents=AGENTS,
        agent_web_api=AGENTS,
    )
    tokens = add_agents(database, AGENTS)
    numbers = run.system.contact_list("people", 30_000)
    run.system.start(run.system.campaign("sell", [numbers], source=SELL), run.clock.now())
    return run, tokens


def delays(entries: Sequence[Mapping[str, Any]], begin: dt.datetime, end: dt.datetime) -> list[float]:
    """Return real seconds from answer to bridging of the customers who answered in a time."""
    found = []
    for entry in entries:
        if entry["what"] != "over" or entry["purpose"] != "customer" or not entry["visits"]:
            continue
        answered = dt.datetime.fromisoformat(entry["answered"])
        if begin <= answered <= end:
            joined = dt.datetime.fromisoformat(entry["visits"][0][1])
            found.append((joined - answered).total_seconds() / SPEED)
    return found


def answers(entries: Sequence[Mapping[str, Any]], begin: dt.datetime, end: dt.datetime) -> int:
    """Return how many customers answered in a time."""
    return sum(
        entry["what"] == "over"
        and entry["purpose"] == "customer"
        and entry["answered"] is not None
        and begin <= dt.datetime.fromisoformat(entry["answered"]) <= end
        for entry in entries
    )


def figures() -> list[Figure]:
    """Return (what, value, target)."""
    with (
        tempfile.TemporaryDirectory() as place,
        sqlite_url(Path(place)) as url,
        programs(Path(place)) as commands,
    ):
        folder, database = Path(place), Database(url)
        run, tokens = begun(folder, database, commands)
        server = commands.start("serve", "--port", "0")
        address = server.wait_for(LISTENING)[1]
        secrets = folder / "tokens.txt"
        secrets.write_text("\n".join(tokens), encoding="utf-8")
        desktops = commands.start(
            *("agents", "simulate", "--count", str(AGENTS), "--url", address, "--tokens", str(secrets)),
            *("--talk", str(TALK), "--wrap-up", str(WRAP_UP), "--pause", "0.05"),
        )
        return measured(run, server, desktops)


def measured(run: LiveRun, server: Program, desktops: Program) -> list[Figure]:
    """Let them work, and return what the carrier saw."""
    eventually("all work", lambda: len(run.calls_made()) > 4 * AGENTS, within=4 * PATIENCE)
    process = psutil.Process(server.process.pid)
    begin, used = run.clock.now(), sum(process.cpu_times()[:2])
    end = begin + dt.timedelta(seconds=SECONDS * SPEED)
    eventually("the time is over", lambda: run.clock.now() > end, within=SECONDS + PATIENCE)
    used = sum(process.cpu_times()[:2]) - used
    assert desktops.stop() == 0, desktops.complaints
    told = re.search(r"commands: (\d+), median ([\d.]+) ms", desktops.text)
    assert server.stop() == 0, server.complaints
    entries = list(read_ledger(run.ledger))
    assert mismatches_of_ledger(entries) == []
    took = sorted(delays(entries, begin, end))
    rate = answers(entries, begin, end) / SECONDS
    return [
        (f"{AGENTS} desktops on websockets, live answers", f"{rate:.1f}/s", f"{RATE}/s"),
        ("... from answer to bridging, median", f"{1000 * statistics.median(took):.1f} ms", "20 ms or less"),
        ("... 95 % within", f"{1000 * took[int(0.95 * len(took))]:.1f} ms", ""),
        ("... live answers without an agent", f"{1 - len(took) / (rate * SECONDS):.2%}", "3 % or less"),
        ("... a desktop's command, median", f"{told[2] if told else '?'} ms", ""),
        ("... the server process's use of one core", f"{used / SECONDS:.0%}", ""),
    ]


if __name__ == "__main__":
    for what, value, target in figures():
        sys.stdout.write(f"{what:50} {value:>14}   {target}\n")
