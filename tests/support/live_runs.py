"""Systems for acceptance tests in which real processes dial: a database, a carrier with its ledger, a clock.

The carrier is a process of its own, so that it survives the servers; all of them live in one scaled time.
"""

import datetime as dt
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import func, select

from outrider.channels.simulated.ledger import read_ledger
from outrider.clock import RealClock, ScaledClock
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.jobs.model import JobState
from support.campaigning import NOON, Campaigning, campaigning
from support.processes import Program, Programs
from support.web import PASSWORD

LISTENING = r"Outrider is at (\S+)"
ONE_TIME = r'One-time password of user "admin": (\S+)'


@dataclass(frozen=True, slots=True)
class LiveRun:
    """One system that processes work on; `clock` is theirs."""

    system: Campaigning
    commands: Programs
    ledger: Path
    clock: ScaledClock
    port: int
    seed: int

    def start_carrier(self, *options: str) -> Program:
        """Start the carrier, or start it again: its ledger goes on."""
        time = ("--speed", str(self.clock.speed), "--anchor", self.clock.anchor.isoformat())
        where = ("--port", str(self.port), "--ledger", str(self.ledger), "--seed", str(self.seed))
        carrier = self.commands.start("carrier", "serve", *where, *time, *options)
        carrier.wait_for("carrier on")
        return carrier

    @property
    def database(self) -> Database:
        """Return the test's own way into the database."""
        return self.system.database

    def real(self, moment: dt.datetime) -> dt.datetime:
        """Return the real time of a moment of the scaled clock."""
        return self.clock.anchor + (moment - self.clock.anchor) / self.clock.speed

    def calls_made(self) -> dict[str, dt.datetime]:
        """Return the calls that the carrier has accepted so far, with their times on the scaled clock."""
        return {
            str(entry["id"]): dt.datetime.fromisoformat(str(entry["at"]))
            for entry in read_ledger(self.ledger)
            if entry["what"] == "made"
        }

    def finished(self, *jobs: int) -> bool:
        """Return whether jobs have ended by themselves."""
        return all(self.system.job(job).state is JobState.FINISHED for job in jobs)

    def due(self) -> int:
        """Return how many targets wait for an attempt."""

        def count(tx: Tx) -> int:
            X = schema.targets.c  # noqa: N806 - a table's columns
            return int(tx.execute(select(func.count()).where(X.state == "due")).scalar_one())

        return self.database.read_now(count)


def clock_from_noon(speed: float) -> ScaledClock:
    """Return a clock that shows NOON now, whatever the time of day: calling windows are open."""
    real = RealClock().now()
    return ScaledClock(speed, real + (real - NOON) / (speed - 1))


def live_run(
    database: Database,
    commands: Programs,
    folder: Path,
    *,
    ports: int,
    speed: float,
    seed: int = 1,
    carrier: bool = True,
) -> LiveRun:
    """License `ports`, start a carrier, and point all further commands at it and at the database.

    Without `carrier` it is for the test to start it, at the address where everybody expects it.
    """
    clock = clock_from_noon(speed)
    system = campaigning(database)
    system.license(clock.now(), outbound_ports=ports)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    commands.configure(
        database=database.url.render_as_string(hide_password=False),
        carrier__address=f"127.0.0.1:{port}",
        clock__speed=speed,
        clock__anchor=clock.anchor.isoformat(),
    )
    run = LiveRun(system, commands, folder / "ledger.jsonl", clock, port, seed)
    if carrier:
        run.start_carrier()
    return run


@contextmanager
def signed_in(address: str, one_time_password: str) -> Iterator[httpx.Client]:
    """Give a client of a server, signed in as its first administrator, whose password is PASSWORD now."""
    with httpx.Client(base_url=address, timeout=30) as client:
        _open_session(client, one_time_password)
        change = {"current": one_time_password, "new": PASSWORD}
        changed = client.post("/api/session/password", json=change)
        assert changed.status_code == 204, changed.text
        _open_session(client, PASSWORD)
        yield client


def _open_session(client: httpx.Client, password: str) -> None:
    answer = client.post("/api/session", json={"name": "admin", "password": password})
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
