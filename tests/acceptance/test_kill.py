"""The kill test: `outrider serve` dies by SIGKILL at random moments of a run of 1,000 contacts.

Three jobs compete for one pool through a carrier process, which keeps its own ledger. After every kill the
server is started again; at the end ledger and database must agree about everything (issue 2, must hold 3).
"""

import random
import statistics
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.events import WorkerRecovered
from support import audits
from support.live_runs import LISTENING, LiveRun, live_run
from support.processes import Program, Programs, eventually

pytestmark = pytest.mark.alone

PORTS = 40
SPEED = 15.0
RESUMED_WITHIN = 5.0
"""Seconds from the start of the process to its first call, which the issue demands."""
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


@dataclass(slots=True)
class Life:
    """One life of the server."""

    program: Program
    killed_at_start: bool = False


@dataclass(slots=True)
class Killer:
    """Runs the server, and kills it again and again."""

    run: LiveRun
    chance: random.Random
    lives: list[Life] = field(default_factory=list)

    def start(self) -> Life:
        """Start the server once more."""
        life = Life(self.run.commands.start("serve", "--port", "0"))
        self.lives.append(life)
        return life

    def kill_now_and_then(self, kills: int) -> None:
        """Let the server live and die `kills` times, and start it once more.

        Three of four die after they have made calls, at a random moment; the fourth at a random moment of
        its start, perhaps while it takes over from its former life.
        """
        life = self.start()
        life.program.wait_for(LISTENING)
        made = 0
        for number in range(kills):
            life.killed_at_start = number % 4 == 3
            if life.killed_at_start:
                self.let_live(2.0)
            else:
                self.wait_for_call(made)
                self.let_live(3.0)
            due = self.run.due()
            assert due >= LEFT_AT_EVERY_KILL, f"only {due} contacts are left at kill {number + 1}"
            life.program.kill()
            made = len(self.run.calls_made())
            life = self.start()

    def wait_for_call(self, made: int) -> None:
        """Wait until the carrier has made more than `made` calls."""
        eventually("a new call is made", lambda: len(self.run.calls_made()) > made)

    def let_live(self, longest: float) -> None:
        """Let a random time of up to `longest` real seconds pass."""
        threading.Event().wait(self.chance.uniform(0.0, longest))

    def resumed_after(self, tried: Mapping[str, Row]) -> list[float]:
        """Return, for each restart that was not killed at once, the seconds to the first call of its own.

        A call is a life's own when its attempt was claimed in it: an order of its former life may still
        have been on its way to the carrier.
        """
        made = [
            (self.run.real(tried[number]["claimed_at"]), self.run.real(at))
            for number, at in self.run.calls_made().items()
        ]
        found = []
        for life, following in zip(self.lives[1:], [*self.lives[2:], None], strict=True):
            start = life.program.started
            end = None if following is None else following.program.started
            own = [at for claimed, at in made if claimed >= start and (end is None or claimed < end)]
            if not life.killed_at_start and own:
                found.append((min(own) - start).total_seconds())
        return found


def _recoveries(tx: Tx) -> Counter[str]:
    E = schema.events.c  # noqa: N806 - a table's columns
    found: Counter[str] = Counter()
    for data in tx.execute(select(E.data).where(E.kind == WorkerRecovered.kind)).scalars():
        found.update({name: data[name] for name in ("taken_over", "interrupted")})
    return found


def start_jobs(run: LiveRun) -> list[int]:
    """Start three jobs with 1,000 contacts in all, one of which dials interrupted contacts again."""
    system, now = run.system, run.clock.now()
    plain, again = RETRY.format(interrupted=""), RETRY.format(interrupted="retry_interrupted = true")
    reserved, dynamic, repeated = (
        [system.contact_list(name, contacts)]
        for name, contacts in (("reserved", 350), ("dynamic", 400), ("again", 250))
    )
    campaigns = [
        system.campaign(
            "reserved", reserved, allocation="reserved", priority=8, minimum=5, maximum=15, extra=plain
        ),
        system.campaign("dynamic", dynamic, priority=5, extra=plain),
        system.campaign("again", repeated, priority=2, extra=again),
    ]
    return [system.start(campaign, now) for campaign in campaigns]


def test_a_run_survives_kills(
    database: Database, commands: Programs, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    kills = KILLS["sqlite" if database.single_writer else "postgresql"]
    run = live_run(database, commands, tmp_path, ports=PORTS, speed=SPEED, seed=kills)
    killer = Killer(run, random.Random(kills))
    jobs = start_jobs(run)
    with audits.watched(database) as usage:
        killer.kill_now_and_then(kills)
        eventually("all jobs finish", lambda: run.finished(*jobs), within=120)
    last = killer.lives[-1].program
    assert last.stop() == 0, last.complaints
    books, tried = audits.check_run(database, run.ledger, contacts=1000)
    check = commands.run("check")
    assert (check.process.returncode, check.text) == (0, "no drift\n"), check.text + check.complaints
    assert usage.samples > 100
    assert PORTS / 2 < usage.most_in_use <= usage.most_charged <= PORTS
    assert books.most_at_once() <= PORTS
    resumed = killer.resumed_after(tried)
    recovered = database.read_now(_recoveries)
    interrupted = sum(row["outcome"] == "interrupted" for row in tried.values())
    record_property(
        "measured",
        f"{kills} kills, dialing resumed after {statistics.median(resumed):.1f} s (median), "
        f"{max(resumed):.1f} s (longest of {len(resumed)}); {len(tried)} attempts, {len(books.calls)} calls; "
        f"recovered: {recovered['taken_over']} taken over, {recovered['interrupted']} closed; "
        f"{interrupted} attempts ended as interrupted; most units {usage.most_in_use} in use, "
        f"{usage.most_charged} charged ({usage.samples} samples), {books.most_at_once()} calls at once, "
        f"of {PORTS}",
    )
    assert recovered["taken_over"] > 0
    assert interrupted >= recovered["interrupted"]
    assert len(resumed) > kills / 2
    assert max(resumed) <= RESUMED_WITHIN, f"dialing resumed after {sorted(resumed)} s"
