"""The kill test: `outrider serve` dies by SIGKILL at random moments of a run of 1,000 contacts.

Three jobs compete for one pool through a carrier process, which keeps its own ledger. After every kill the
server is started again; at the end ledger and database must agree about everything (issue 2, must hold 3).
"""

import datetime as dt
import random
import statistics
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select
from support import audits
from support.campaigning import NOON, Campaigning, campaigning
from support.processes import Program, Programs, eventually

from outrider.channels.simulated.ledger import read_ledger
from outrider.clock import RealClock, ScaledClock
from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.events import WorkerRecovered
from outrider.jobs.model import JobState

PORTS = 40
SPEED = 15.0
RESUMED_WITHIN = 5.0
"""Seconds from the start of the process to the first new call, which the issue demands."""
KILLS = {"sqlite": 12, "postgresql": 10}
LEFT_AT_EVERY_KILL = 60
"""Contacts that must be due at every kill, so that a restart surely has something to dial."""

RETRY = """
{interrupted}
ring_timeout = 20
[actions.retry.busy]
count = 2
delays = ["30s"]
[actions.retry.no_answer]
count = 1
delays = ["45s"]
"""


def clock_from_noon(speed: float) -> ScaledClock:
    """Return a clock that shows NOON now, whatever the time of day: calling windows are open."""
    real = RealClock().now()
    return ScaledClock(speed, real + (real - NOON) / (speed - 1))


@dataclass(slots=True)
class Life:
    """One life of the server."""

    program: Program
    killed_at_start: bool = False


@dataclass(slots=True)
class Run:
    """A whole run: the system under test and what was done to it."""

    system: Campaigning
    commands: Programs
    ledger: Path
    clock: ScaledClock
    chance: random.Random
    jobs: Sequence[int]
    lives: list[Life] = field(default_factory=list)

    def real(self, moment: dt.datetime) -> dt.datetime:
        """Return the real time of a moment of the scaled clock."""
        return self.clock.anchor + (moment - self.clock.anchor) / self.clock.speed

    def calls_made(self) -> int:
        """Return how many calls the carrier has accepted so far."""
        return sum(entry["what"] == "made" for entry in read_ledger(self.ledger))

    def start(self) -> Life:
        """Start the server once more."""
        life = Life(self.commands.start("serve", "--port", "0"))
        self.lives.append(life)
        return life

    def kill_now_and_then(self, kills: int) -> None:
        """Let the server live and die `kills` times, and start it once more.

        Three of four die after they have made calls, at a random moment; the fourth at a random moment of
        its start, perhaps while it takes over from its former life.
        """
        life = self.start()
        life.program.wait_for("Outrider is at (.+)")
        for number in range(kills):
            life.killed_at_start = number % 4 == 3
            if life.killed_at_start:
                self.let_live(2.0)
            else:
                before = self.calls_made()
                eventually("a new call is made", lambda before=before: self.calls_made() > before)
                self.let_live(3.0)
            due = self.system.database.read_now(_due)
            assert due >= LEFT_AT_EVERY_KILL, f"only {due} contacts are left at kill {number + 1}"
            life.program.kill()
            life = self.start()

    def let_live(self, longest: float) -> None:
        """Let a random time of up to `longest` real seconds pass."""
        threading.Event().wait(self.chance.uniform(0.0, longest))

    def finished(self) -> bool:
        """Return whether all jobs have ended by themselves."""
        return all(self.system.job(job).state is JobState.FINISHED for job in self.jobs)

    def resumed_after(self, tried: Mapping[str, Row]) -> list[float]:
        """Return, for each restart that was not killed at once, the seconds to the first call of its own."""
        made = {
            str(entry["id"]): self.real(dt.datetime.fromisoformat(str(entry["at"])))
            for entry in read_ledger(self.ledger)
            if entry["what"] == "made"
        }
        claimed = {number: self.real(row["claimed_at"]) for number, row in tried.items()}
        found = []
        for life in self.lives[1:]:
            start = life.program.started
            own = [at for number, at in made.items() if claimed[number] >= start]
            if not life.killed_at_start:
                found.append((min(own) - start).total_seconds())
        return found


def _due(tx: Tx) -> int:
    X = schema.targets.c  # noqa: N806 - a table's columns
    return int(tx.execute(select(func.count()).where(X.state == "due")).scalar_one())


def _recoveries(tx: Tx) -> Counter[str]:
    E = schema.events.c  # noqa: N806 - a table's columns
    found: Counter[str] = Counter()
    for data in tx.execute(select(E.data).where(E.kind == WorkerRecovered.kind)).scalars():
        found.update({name: data[name] for name in ("taken_over", "interrupted")})
    return found


def prepare(database: Database, commands: Programs, folder: Path, seed: int) -> Run:
    """Make a system of three jobs and 1,000 contacts, and start its carrier."""
    clock = clock_from_noon(SPEED)
    system = campaigning(database)
    system.license(clock.now(), outbound_ports=PORTS)
    campaigns = [
        system.campaign(
            name,
            [system.contact_list(name, contacts)],
            allocation=allocation,
            priority=priority,
            minimum=minimum,
            maximum=maximum,
            extra=RETRY.format(interrupted=interrupted),
        )
        for name, contacts, allocation, priority, minimum, maximum, interrupted in (
            ("reserved", 350, "reserved", 8, 5, 15, ""),
            ("dynamic", 400, "dynamic", 5, 1, 30, ""),
            ("again", 250, "dynamic", 2, 1, 30, "retry_interrupted = true"),
        )
    ]
    jobs = [system.start(campaign, clock.now()) for campaign in campaigns]
    ledger = folder / "ledger.jsonl"
    own_time = ("--speed", str(SPEED), "--anchor", clock.anchor.isoformat())
    carrier = commands.start("carrier", "serve", "--seed", str(seed), "--ledger", str(ledger), *own_time)
    commands.configure(
        database=database.url.render_as_string(hide_password=False),
        carrier__address=carrier.wait_for(r"carrier on (\S+)")[1],
        clock__speed=SPEED,
        clock__anchor=clock.anchor.isoformat(),
    )
    return Run(system, commands, ledger, clock, random.Random(seed), jobs)


def test_a_run_survives_kills(
    database: Database, commands: Programs, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    kills = KILLS["sqlite" if database.single_writer else "postgresql"]
    run = prepare(database, commands, tmp_path, seed=kills)
    with audits.watched(database) as usage:
        run.kill_now_and_then(kills)
        eventually("all jobs finish", run.finished, within=120)
    assert run.lives[-1].program.stop() == 0, run.lives[-1].program.complaints
    books = audits.read_books(run.ledger)
    tried = database.read_now(audits.attempts)
    targets = database.read_now(audits.targets)
    assert books.refused == [], "the carrier was asked for a call twice"
    audits.check_attempts(books, tried)
    audits.check_targets(targets, tried)
    audits.check_counts(database, targets)
    assert len(targets) == 1000
    check = commands.run("check")
    assert (check.process.returncode, check.text) == (0, "no drift\n"), check.text + check.complaints
    assert usage.samples > 100
    assert PORTS / 2 < usage.most_in_use <= usage.most_charged <= PORTS
    assert books.most_at_once() <= PORTS
    resumed = run.resumed_after(tried)
    recovered = database.read_now(_recoveries)
    outcomes = Counter(row["outcome"] for row in tried.values())
    record_property(
        "measured",
        f"{kills} kills, dialing resumed after {statistics.median(resumed):.1f} s (median), "
        f"{max(resumed):.1f} s (longest of {len(resumed)}); {len(tried)} attempts, {len(books.calls)} calls; "
        f"recovered: {recovered['taken_over']} taken over, {recovered['interrupted']} closed; "
        f"{outcomes['interrupted']} attempts ended as interrupted; "
        f"most units {usage.most_in_use} in use, {usage.most_charged} charged "
        f"({usage.samples} samples), {books.most_at_once()} calls at once, of {PORTS}",
    )
    assert recovered["taken_over"] > 0
    assert outcomes["interrupted"] >= recovered["interrupted"]
    assert max(resumed) <= RESUMED_WITHIN, f"dialing resumed after {sorted(resumed)} s"
