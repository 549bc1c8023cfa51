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
from outrider.campaigns.strategy import Channel
from outrider.channels.model import ReceiptState, TextReceipt, TextResult, TextSent
from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.dialing import claims, plans, receipts, results
from outrider.dialing import store as dialing_store
from outrider.dialing.attempt import Claim, Result, TaskPlan, text_reference
from outrider.errors import ConflictError, LicenceShortageError
from outrider.events import CertificateFailed
from outrider.ids import AttemptId, JobId, PoolId
from outrider.jobs import service as jobs
from outrider.jobs.loading import load_targets
from outrider.jobs.model import ENDED, JobCommand
from outrider.jobs.service import Limits
from outrider.licences import service as licences
from outrider.licences import store as licence_store
from outrider.licences.model import LicenceKind
from outrider.media import sharing
from outrider.media.model import SeenAs
from outrider.runtime import store
from support import media
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
menu = { choices = [{ digit = "1", disposition = "yes" }, { digit = "2", disposition = "later" }] }
dispositions = { later = { count = 1, delays = [10], then = "then" } }
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
TEXTS = """
name = "texts"
max_attempts = 4
[[actions]]
name = "text"
channel = "sms"
text = "Hello."
receipt_wait = 60
retry = { undelivered = { count = 1, delays = [5] }, no_receipt = { then = "call" } }
[[actions]]
name = "call"
channel = "call"
minimum = 0
prompt = { text = "Hello again." }
"""
TEXTED = (Outcome.SENT, Outcome.SENT, Outcome.UNKNOWN, Outcome.UNDELIVERED, Outcome.FAILED)
RECEIPTS = (ReceiptState.DELIVERED, ReceiptState.UNDELIVERABLE, ReceiptState.ENROUTE)
RETRY = "[actions.retry.no_answer]\ncount = 2\ndelays = [0, 30]"


class Dialing(RuleBasedStateMachine):
    """Two workers, four campaigns and one pool. `live` are the attempts under way, oldest first.

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
        self.texts: list[Claim] = []
        self.servers: list[int] = []
        lists = [self.system.contact_list(name, CONTACTS) for name in ("one", "two", "three", "four")]
        self.campaigns = [
            self.system.campaign("reserved", lists[:1], allocation="reserved", minimum=1, maximum=4),
            self.system.campaign("dynamic", lists[1:2], minimum=0, maximum=8, priority=2, extra=RETRY),
            self.system.campaign("two steps", lists[2:3], source=TWO_STEPS),
            self.system.campaign("texts", lists[3:], source=TEXTS),
        ]

    @initialize(
        ports=st.integers(1, MOST_PORTS),
        running=st.sets(st.integers(0, 3), min_size=1),
        servers=st.lists(st.integers(1, 8), max_size=2),
    )
    def begin(self, ports: int, running: set[int], servers: list[int]) -> None:
        """License the pool, register media servers or leave it at none, and start with one job at least."""
        self.license_ports(ports)
        self.database.write_now(media.add_worker, media.WORKER, self.now)
        for number, maximum in enumerate(servers):
            server = media.add(self.database, self.now, f"server {number}", maximum_ports=maximum)
            media.tell(self.database, self.now, server, SeenAs.CONNECTED)
            self.servers.append(server)
        for campaign in sorted(running):
            self.start(campaign, 100)

    def license_ports(self, ports: int) -> None:
        """Put another count in force."""
        self.ports = ports
        self.system.license(self.now, outbound_ports=ports, sms=1)
        self.database.write_now(sharing.watch, self.now, self.now)

    @precondition(lambda self: self.servers)
    @rule(data=st.data(), seen=st.sampled_from([SeenAs.CONNECTED, SeenAs.UNREACHABLE, SeenAs.GONE]))
    def hear_of_server(self, data: st.DataObject, seen: SeenAs) -> None:
        """Let a media server fail, or come back."""
        media.tell(self.database, self.now, data.draw(st.sampled_from(self.servers)), seen)

    @rule(campaign=st.integers(0, 3), page=st.sampled_from([4, 100]))
    def start_job(self, campaign: int, page: int) -> None:
        self.start(campaign, page)

    def start(self, campaign: int, page: int) -> None:
        """Start a new job when the campaign has none; load it whole, or leave most of it for later."""
        job_id = self.started.get(campaign)
        if job_id is not None and self.system.job(job_id).state not in ENDED:
            return
        self.started[campaign] = self.system.start(self.campaigns[campaign], self.now)
        self.load(campaign, page)

    @rule(campaign=st.integers(0, 3), page=st.sampled_from([1, 4, 100]))
    def load(self, campaign: int, page: int) -> None:
        """Let the monitor make a page of contacts targets."""
        if campaign in self.started:
            self.database.write_now(load_targets, RULES, self.started[campaign], self.now, page)

    @rule(
        campaign=st.integers(0, 3),
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
        calls = sum(claim.plan.action.channel is Channel.CALL for _, claim in self.live.values())
        room = max(0, self.ports - calls) if plan.action.channel is Channel.CALL else wanted
        batch = self.database.write_now(claims.take_batch, RULES, plan, wanted, worker, self.now)
        assert len(batch.claims) <= min(wanted, room)
        for each in batch.claims:
            assert each.attempt_id not in self.live
            assert bool(each.server) == (plan.action.channel is Channel.CALL and bool(self.servers))
            self.live[each.attempt_id] = worker, each
            if plan.action.channel is Channel.SMS:
                self.texts.append(each)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        """Let some attempts end, in any order, and write their results in one batch."""
        ids = data.draw(st.lists(st.sampled_from(list(self.live)), min_size=1, unique=True))
        called, texted = data.draw(st.sampled_from(OUTCOMES)), data.draw(st.sampled_from(TEXTED))
        chosen = data.draw(st.sampled_from([None, "yes", "later"]))
        parts = data.draw(st.integers(1, 2))
        ended = [self.live.pop(number)[1] for number in ids]
        self.write([self.ended(claim, called, chosen, texted, parts) for claim in ended])

    def ended(self, claim: Claim, called: Outcome, chosen: str | None, texted: Outcome, parts: int) -> Result:
        """Return how an attempt ended; of a text of unknown fate the centre's ids are lost."""
        if claim.plan.action.channel is Channel.SMS:
            ids = tuple(remote_id(claim, part) for part in range(parts))
            sent = TextSent(claim.attempt_id, self.now, TextResult.ACCEPTED, "centre", ids, parts)
            return Result(claim, texted, self.now, sent=sent if texted is Outcome.SENT else None)
        asked = claim.plan.action.name == "first" and called is Outcome.ANSWERED
        return Result(claim, called, self.now, disposition=chosen if asked else None)

    @precondition(lambda self: self.texts)
    @rule(data=st.data(), by_reference=st.booleans(), state=st.sampled_from(RECEIPTS))
    def receive(self, data: st.DataObject, by_reference: bool, state: ReceiptState) -> None:  # noqa: FBT001 - drawn
        """Let receipts come in any order: late, early, twice, of parts that are not, or by reference."""
        about = data.draw(st.lists(st.sampled_from(self.texts), min_size=1, max_size=5))
        news = [
            TextReceipt(
                "centre",
                remote_id(claim, data.draw(st.integers(0, 1))),
                self.now,
                state,
                claim.address,
                text_reference(claim.attempt_id) if by_reference else None,
            )
            for claim in about
        ]
        self.database.write_now(receipts.take, RULES, news, self.now)

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
        self.write([self.ended(claim, Outcome.INTERRUPTED, None, Outcome.UNKNOWN, 0) for claim in found])

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

    def sharing_tasks(self) -> list[Row]:
        """Return the rows of the tasks that share the pool's ports."""
        return [row for row in self.tasks() if row["kind"] == LicenceKind.OUTBOUND_PORTS.value]

    def rows(self, query: Select[Any]) -> list[Row]:
        """Return all rows of a query."""
        return self.database.read_now(lambda tx: list(tx.execute(query).mappings()))

    @invariant()
    def units_stay_inside_the_pool(self) -> None:
        rows = self.sharing_tasks()
        in_use = sum(row["in_use"] for row in rows)
        charged = sum(max(row["granted"], row["in_use"]) for row in rows)
        assert charged <= max(self.ports, in_use), "licensing.md 2.1"
        for row in rows:
            assert row["quota"] <= row["maximum"], "licensing.md 2.2"
            assert row["granted"] <= row["quota"] or row["granted"] <= row["in_use"]

    @invariant()
    def no_unit_is_free_while_owed(self) -> None:
        rows = self.sharing_tasks()
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
    def who_waits_for_news_waits_for_the_last_message(self) -> None:
        A = schema.attempts.c  # noqa: N806 - a table's columns
        outcomes = {row["id"]: row for row in self.rows(select(A.id, A.outcome, A.number, A.target_id))}
        for row in self.rows(select(schema.targets).where(schema.targets.c.awaiting.is_not(None))):
            awaited = outcomes[row["awaiting"]]
            assert (row["state"], awaited["target_id"]) == ("due", row["id"])
            assert (awaited["number"], awaited["outcome"]) == (row["attempts"], row["outcome"])
            assert row["outcome"] in {Outcome.SENT, Outcome.UNKNOWN}

    @invariant()
    def nothing_drifts(self) -> None:
        assert self.database.read_now(store.drifts) == []
        assert not self.rows(select(schema.events).where(schema.events.c.kind == CertificateFailed.kind))

    def teardown(self) -> None:
        """End all calls and stop all jobs: then nobody has or holds anything."""
        try:
            ended = [claim for _, claim in self.live.values()]
            self.write([self.ended(each, Outcome.ANSWERED, None, Outcome.SENT, 1) for each in ended])
            self.live.clear()
            for campaign in self.started:
                self.command(campaign, JobCommand.STOP)
            assert all(row["quota"] == row["granted"] == row["in_use"] == 0 for row in self.tasks())
            self.nothing_drifts()
        finally:
            self.resources.close()


def remote_id(claim: Claim, part: int) -> str:
    """Return the id that the message centre gives a part of a text."""
    return f"{claim.attempt_id}-{part}"


def seize(tx: Tx, worker: str) -> list[Claim]:
    """Take the open attempts of a worker over, as recovery does."""
    found = plans.orphans(tx, [worker])
    dialing_store.set_owner(tx, [claim.attempt_id for claim in found], [worker], "its heir")
    return found


TestDialing = Dialing.TestCase
TestDialing.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
