"""Receipts that come while their text's result, or the end of the wait for them, is being written."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import ReceiptState, TextReceipt, TextResult, TextSent
from outrider.db.database import Database, Tx
from outrider.dialing import claims, plans, receipts, results
from outrider.dialing.attempt import Claim, Result
from outrider.ids import JobId
from outrider.jobs.loading import load_targets
from outrider.runtime import store
from support.campaigning import NOON, RULES, Campaigning, campaigning
from support.outreach import course, people
from support.overlapping import overlap

PHONE = "+493012345601"
TEXT = """
name = "a"
[[actions]]
name = "text"
channel = "sms"
text = "Hello."
receipt_wait = 3600
retry = { no_receipt = { then = "again" } }
[[actions]]
name = "again"
channel = "sms"
text = "Hello again."
"""


class Texted:
    """A job with one contact, whose text was claimed."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.system: Campaigning = campaigning(database)
        self.system.license(sms=1)
        listed = people(self.system, "a", [{"phone": PHONE}])
        self.job_id: JobId = self.system.start(self.system.campaign("a", [listed], source=TEXT))
        database.write_now(load_targets, RULES, self.job_id, NOON)
        self.now = NOON + dt.timedelta(seconds=1)
        _, found = database.read_now(plans.admitted_plans, frozenset())
        self.plan = next(plan for plan in found if plan.action.name == "text")
        (self.claim,) = database.write_now(self.take_batch)

    def take_batch(self, tx: Tx) -> tuple[Claim, ...]:
        return claims.take_batch(tx, RULES, self.plan, 5, "test", self.now).claims

    def record(self, tx: Tx) -> None:
        sent = TextSent(self.claim.attempt_id, self.now, TextResult.ACCEPTED, "centre", ("77",), 1)
        results.record(tx, RULES, [Result(self.claim, Outcome.SENT, self.now, sent=sent)], self.now)

    def receive(self, tx: Tx) -> None:
        delivered = TextReceipt("centre", "77", self.now, ReceiptState.DELIVERED, PHONE)
        receipts.take(tx, RULES, [delivered], self.now)

    def both(self, first: Callable[[Tx], Any], second: Callable[[Tx], Any]) -> None:
        overlap(self.database, first, second)


@pytest.fixture
def texted(database: Database) -> Texted:
    """Give a claimed text over each database in turn."""
    return Texted(database)


def test_a_receipt_that_comes_while_its_result_is_written_is_not_lost(texted: Texted) -> None:
    texted.both(texted.record, texted.receive)
    assert texted.system.final_outcomes(texted.job_id) == {"delivered": 1}
    assert texted.database.read_now(store.drifts) == []


def test_a_result_that_is_written_while_its_receipt_is_kept_finds_it(texted: Texted) -> None:
    texted.both(texted.receive, texted.record)
    assert texted.system.final_outcomes(texted.job_id) == {"delivered": 1}
    assert texted.database.read_now(store.drifts) == []


def test_a_receipt_in_the_moment_in_which_the_wait_ends_moves_the_contact_once(texted: Texted) -> None:
    texted.database.write_now(texted.record)
    texted.now += dt.timedelta(hours=1)
    texted.both(texted.take_batch, texted.receive)
    assert texted.database.read_now(course) == [("text", PHONE, "delivered")]
    assert texted.system.final_outcomes(texted.job_id) == {"": 1}
    assert texted.database.read_now(store.drifts) == []


def test_a_wait_that_ends_in_the_moment_of_its_receipt_moves_the_contact_once(texted: Texted) -> None:
    texted.database.write_now(texted.record)
    texted.now += dt.timedelta(hours=1)
    texted.both(texted.receive, texted.take_batch)
    assert texted.system.final_outcomes(texted.job_id) == {"delivered": 1}
    assert texted.database.read_now(store.drifts) == []
