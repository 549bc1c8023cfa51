"""Dialing as a state machine: whatever is claimed, recorded, changed, cut or killed, the sums stay true.

The service functions run on a real SQLite database in virtual time; hypothesis looks for the sequence of
events after which an invariant of licensing.md 2, or a count, does not hold.
"""

import datetime as dt
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Select, select

from outrider.campaigns.outcome import Outcome
from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.dialing import claims, plans, results
from outrider.dialing import store as dialing_store
from outrider.dialing.attempt import Claim, Result, TaskPlan
from outrider.errors import ConflictError, LicenceShortageError
from outrider.events import CertificateFailed
from outrider.ids import AttemptId, JobId, PoolId
from outrider.jobs import service as jobs
from outrider.jobs.loading import load_targets
from outrider.jobs.model import ENDED, JobCommand
from outrider.jobs.service import Limits
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.runtime import store
from support.campaigning import NOON, RULES, campaigning
from support.databases import sqlite_url

CONTACTS = 9
MOST_PORTS = 14
WORKERS = ("first worker", "second worker")
OUTCOMES = (
    Outcome.ANSWERED,
    Outcome.MACHINE,
    Outcome.BUSY,
    Outcome.NO_ANSWER,
    Outcome.FAILED,
    Outcome.INTERRUPTED,
)
TWO_STEPS = """
name = "two steps"
max_attempts = 4
[[actions]]
name = "first"
channel = "call"
minimum = 2
priority = 7
prompt = { text = "Hello." }
retry_interrupted = true
[actions.retry.busy]
count = 1
delays = [20]
[[actions]]
name = "then"
channel = "call"
minimum = 0
maximum = 4
priority = 3
prompt = { text = "Hello again." }
"""
RETRY = "[actions.retry.no_answer]\ncount = 2\ndelays = [0, 30]"


class Dialing(RuleBasedStateMachine):
    """Two workers, three campaigns and one pool. `live` are the calls that are up, oldest first.

    Ids are random, so nothing may be drawn in the order of ids.
    """

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        folder = Path(self.resources.enter_context(tempfile.TemporaryDirectory()))
        self.database = Database(self.resources.enter_context(sqlite_url(folder)), connections=1)
        self.resources.callback(self.database.close)
        self.system = campaigning(self.database)
        self.now = NOON
        self.live: dict[AttemptId, tuple[str, Claim]] = {}
        self.past: list[Result] = []
        self.finals: dict[int, str] = {}
        self.started: dict[int, JobId] = {}
        self.ports = 10
        lists = [self.system.contact_list(name, CONTACTS) for name in ("one", "two", "three")]
        self.campaigns = [
            self.system.campaign("reserved", lists[:1], allocation="reserved", minimum=1, maximum=4),
            self.system.campaign("dynamic", lists[1:2], minimum=0, maximum=8, priority=2, extra=RETRY),
            self.system.campaign("two steps", lists[2:], source=TWO_STEPS),
        ]

    @initialize(ports=st.integers(1, MOST_PORTS), running=st.sets(st.integers(0, 2), min_size=1))
    def begin(self, ports: int, running: set[int]) -> None:
        """License the pool, and start with one job at least."""
        self.license_ports(ports)
        for campaign in sorted(running):
            self.start(campaign, 100)

    def license_ports(self, ports: int) -> None:
        """Put another count in force."""
        self.ports = ports
        self.system.license(self.now, outbound_ports=ports)

    @rule(campaign=st.integers(0, 2), page=st.sampled_from([4, 100]))
    def start_job(self, campaign: int, page: int) -> None:
        self.start(campaign, page)

    def start(self, campaign: int, page: int) -> None:
        """Start a new job when the campaign has none; load it whole, or leave most of it for later."""
        job_id = self.started.get(campaign)
        if job_id is not None and self.system.job(job_id).state not in ENDED:
            return
        self.started[campaign] = self.system.start(self.campaigns[campaign], self.now)
        self.load(campaign, page)

    @rule(campaign=st.integers(0, 2), page=st.sampled_from([1, 4, 100]))
    def load(self, campaign: int, page: int) -> None:
        """Let the monitor make a page of contacts targets."""
        if campaign in self.started:
            self.database.write_now(load_targets, RULES, self.started[campaign], self.now, page)

    @rule(
        campaign=st.integers(0, 2),
        what=st.sampled_from([JobCommand.PAUSE, JobCommand.RESUME, JobCommand.SNOOZE, JobCommand.STOP]),
    )
    def command(self, campaign: int, what: JobCommand) -> None:
        if campaign not in self.started:
            return
        try:
            self.database.write_now(
                jobs.command, RULES, self.started[campaign], None, what, self.now, "somebody"
            )
        except (ConflictError, LicenceShortageError):
            return

    @precondition(lambda self: self.started)
    @rule(data=st.data(), priority=st.integers(1, 10), minimum=st.integers(0, 5), more=st.integers(0, 10))
    def change(self, data: st.DataObject, priority: int, minimum: int, more: int) -> None:
        """Change a task's limits while it runs; refused when its job has ended."""
        task = data.draw(st.sampled_from([row["id"] for row in self.tasks()]))
        limits = Limits(priority, minimum, minimum + more)
        try:
            self.database.write_now(jobs.change_limits, RULES, task, None, limits, self.now, "somebody")
        except ConflictError:
            return

    @rule(ports=st.integers(1, MOST_PORTS))
    def supply(self, ports: int) -> None:
        """Cut or raise the pool."""
        self.license_ports(ports)

    @rule(data=st.data(), worker=st.sampled_from(WORKERS), wanted=st.integers(1, 12))
    def claim_for_one(self, data: st.DataObject, worker: str, wanted: int) -> None:
        """Let one task's dial loop ask."""
        _, dialed = self.database.read_now(plans.admitted_plans, frozenset())
        if dialed:
            self.claim(data.draw(st.sampled_from(dialed)), worker, wanted)

    @rule(worker=st.sampled_from(WORKERS), wanted=st.integers(1, 12))
    def claim_for_all(self, worker: str, wanted: int) -> None:
        """Let every task's dial loop ask in turn."""
        _, dialed = self.database.read_now(plans.admitted_plans, frozenset())
        for plan in dialed:
            self.claim(plan, worker, wanted)

    def claim(self, plan: TaskPlan, worker: str, wanted: int) -> None:
        """Claim a batch; in a pool that was cut nothing starts before the excess has drained."""
        room = max(0, self.ports - len(self.live))
        batch = self.database.write_now(claims.take_batch, RULES, plan, wanted, worker, self.now)
        assert len(batch.claims) <= min(wanted, room)
        for each in batch.claims:
            assert each.attempt_id not in self.live
            self.live[each.attempt_id] = worker, each

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        """Let some calls end, in any order, and write their results in one batch."""
        ids = data.draw(st.lists(st.sampled_from(list(self.live)), min_size=1, unique=True))
        outcome = data.draw(st.sampled_from(OUTCOMES))
        self.write([Result(self.live.pop(number)[1], outcome, self.now) for number in ids])

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def record_again(self, data: st.DataObject) -> None:
        """Write results again, with whatever outcome: the first one counts, and the unit is back already."""
        repeated = data.draw(st.lists(st.sampled_from(self.past), min_size=1, max_size=5))
        before = self.tasks()
        outcome = data.draw(st.sampled_from(OUTCOMES))
        self.write([Result(result.claim, outcome, self.now) for result in repeated])
        assert [row["in_use"] for row in self.tasks()] == [row["in_use"] for row in before]

    @precondition(lambda self: self.live)
    @rule(worker=st.sampled_from(WORKERS))
    def die(self, worker: str) -> None:
        """Kill a worker: the next one finds exactly its calls in the database, and closes them."""
        lost = {number: claim for number, (owner, claim) in self.live.items() if owner == worker}
        found = self.database.write_now(seize, worker)
        assert {claim.attempt_id: (claim.target_id, claim.counters, claim.address) for claim in found} == {
            number: (claim.target_id, claim.counters, claim.address) for number, claim in lost.items()
        }
        for number in lost:
            del self.live[number]
        self.write([Result(claim, Outcome.INTERRUPTED, self.now) for claim in found])

    @rule(seconds=st.sampled_from([1, 20, 40, 61, 200]))
    def pass_time(self, seconds: int) -> None:
        """Let time pass; idle tasks donate."""
        self.now += dt.timedelta(seconds=seconds)
        for pool_id in self.database.read_now(licence_store.busy_pools):
            self.database.write_now(licences.recalculate_if_due, RULES, PoolId(pool_id), self.now)

    def write(self, batch: list[Result]) -> None:
        """Write results as the recorder does."""
        self.database.write_now(results.record, RULES, batch, self.now)
        self.past += batch

    def tasks(self) -> list[Row]:
        """Return the rows of all tasks."""
        return self.rows(select(schema.tasks).order_by(schema.tasks.c.id))

    def rows(self, query: Select[Any]) -> list[Row]:
        """Return all rows of a query."""
        return self.database.read_now(lambda tx: list(tx.execute(query).mappings()))

    @invariant()
    def units_stay_inside_the_pool(self) -> None:
        rows = self.tasks()
        in_use = sum(row["in_use"] for row in rows)
        charged = sum(max(row["granted"], row["in_use"]) for row in rows)
        assert charged <= max(self.ports, in_use), "licensing.md 2.1"
        for row in rows:
            assert row["quota"] <= row["maximum"], "licensing.md 2.2"
            assert row["granted"] <= row["quota"] or row["granted"] <= row["in_use"]

    @invariant()
    def no_unit_is_free_while_owed(self) -> None:
        rows = self.tasks()
        charged = sum(max(row["granted"], row["in_use"]) for row in rows)
        if charged < self.ports:
            assert all(row["granted"] == row["quota"] for row in rows), "licensing.md 2.5 and 4.5"

    @invariant()
    def calls_are_neither_cut_nor_lost(self) -> None:
        A = schema.attempts.c  # noqa: N806 - a table's columns
        opened = self.rows(select(A.id, A.task_id).where(A.ended_at.is_(None)))
        assert {row["id"] for row in opened} == set(self.live)
        truth = Counter(row["task_id"] for row in opened)
        assert {row["id"]: row["in_use"] for row in self.tasks() if row["in_use"]} == truth

    @invariant()
    def contacts_are_tried_in_turn_and_end_once(self) -> None:
        tried = [(row["target_id"], row["number"]) for row in self.rows(select(schema.attempts))]
        assert len(set(tried)) == len(tried)
        made = Counter(target for target, _ in tried)
        claimed = {claim.target_id for _, claim in self.live.values()}
        for row in self.rows(select(schema.targets)):
            assert row["attempts"] == made[row["id"]]
            assert (row["state"] == "claimed") == (row["id"] in claimed)
            assert (row["state"] == "done") == (row["finished_at"] is not None)
            if row["state"] == "done":
                assert self.finals.setdefault(row["id"], row["outcome"]) == row["outcome"]
            else:
                assert row["id"] not in self.finals

    @invariant()
    def nothing_drifts(self) -> None:
        assert self.database.read_now(store.drifts) == []
        assert not self.rows(select(schema.events).where(schema.events.c.kind == CertificateFailed.kind))

    def teardown(self) -> None:
        """End all calls and stop all jobs: then nobody has or holds anything."""
        try:
            self.write([Result(claim, Outcome.ANSWERED, self.now) for _, claim in self.live.values()])
            self.live.clear()
            for campaign in self.started:
                self.command(campaign, JobCommand.STOP)
            assert all(row["quota"] == row["granted"] == row["in_use"] == 0 for row in self.tasks())
            self.nothing_drifts()
        finally:
            self.resources.close()


def seize(tx: Tx, worker: str) -> list[Claim]:
    """Take the open attempts of a worker over, as recovery does."""
    found = plans.orphans(tx, [worker])
    dialing_store.set_owner(tx, [claim.attempt_id for claim in found], [worker], "its heir")
    return found


TestDialing = Dialing.TestCase
TestDialing.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
