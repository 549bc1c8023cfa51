"""Restrictions over each database, in virtual time: limits of attempts, holidays and hours over midnight."""

import datetime as dt
from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import select

from outrider.campaigns.outcome import Outcome
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.dialing import claims, plans, results
from outrider.dialing.attempt import Claim, Result, TaskPlan
from outrider.jobs.loading import load_targets
from outrider.runtime import store
from support.campaigning import NOON, RULES, Campaigning, campaigning
from support.outreach import people, targets
from support.overlapping import overlap

ADA, BOB = "+493012345601", "+493012345602"
LIMITED = """
name = "{name}"
{restrictions}
[[actions]]
name = "first"
channel = "call"
{extra}
[actions.prompt]
text = "Hello."
[actions.retry.busy]
count = 9
delays = [60]
[[actions]]
name = "then"
channel = "sms"
text = "Hello."
"""
LIMIT = """
[restrictions]
when_limited = "{when}"
[[restrictions.limits]]
attempts = {attempts}
period = "24h"
per = "{per}"
campaigns = "{campaigns}"
{more}
"""


def limit(
    attempts: int, per: str = "contact", campaigns: str = "this", when: str = "wait", more: str = ""
) -> str:
    return LIMIT.format(attempts=attempts, per=per, campaigns=campaigns, when=when, more=more)


class Dialed:
    """A system whose claims a test makes itself, at times that it chooses."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.system: Campaigning = campaigning(database)
        self.system.license(outbound_ports=50, sms=1)
        self.now = NOON + dt.timedelta(seconds=1)

    def start(self, name: str, restrictions: str, phones: list[str], extra: str = "", **row: object) -> int:
        source = LIMITED.format(name=name, restrictions=restrictions, extra=extra)
        listed = people(self.system, name, [{"phone": phone, **row} for phone in phones])
        job_id = self.system.start(self.system.campaign(name, [listed], source=source), self.now)
        self.database.write_now(load_targets, RULES, job_id, self.now)
        return job_id

    def plan(self, job_id: int, action: str = "first") -> TaskPlan:
        _, found = self.database.read_now(plans.admitted_plans, frozenset())
        return next(plan for plan in found if plan.job_id == job_id and plan.action.name == action)

    def claim(self, job_id: int, action: str = "first", at: dt.datetime | None = None) -> list[Claim]:
        self.now = at or self.now
        plan = self.plan(job_id, action)
        return list(self.database.write_now(claims.take_batch, RULES, plan, 50, "test", self.now).claims)

    def end(self, made: list[Claim], outcome: Outcome = Outcome.BUSY) -> None:
        batch = [Result(claim, outcome, self.now) for claim in made]
        self.database.write_now(results.record, RULES, batch, self.now)

    def due(self, job_id: int) -> list[dt.datetime]:
        return [row["next_at"] for row in self.database.read_now(targets) if row["job_id"] == job_id]


@pytest.fixture
def dialed(database: Database) -> Iterator[Dialed]:
    """Give a system over each database in turn, and see that its sums are right in the end."""
    made = Dialed(database)
    yield made
    assert database.read_now(store.drifts) == []


def test_a_contact_waits_exactly_until_a_limit_allows_it_again(dialed: Dialed) -> None:
    job_id = dialed.start("a", limit(2), [ADA])
    begun = dialed.now
    for minute in (0, 1):
        made = dialed.claim(job_id, at=begun + dt.timedelta(minutes=minute))
        assert len(made) == 1
        dialed.end(made)
    assert dialed.claim(job_id, at=begun + dt.timedelta(minutes=2)) == []
    allowed = begun + dt.timedelta(hours=24)
    assert dialed.due(job_id) == [allowed]
    assert dialed.claim(job_id, at=allowed - dt.timedelta(microseconds=1)) == []
    assert len(dialed.claim(job_id, at=allowed)) == 1


def test_a_limit_counts_other_campaigns_where_it_says_so(dialed: Dialed) -> None:
    other = dialed.start("other", "", [ADA, BOB])
    dialed.end(dialed.claim(other), Outcome.ANSWERED)
    everywhere = dialed.start("everywhere", limit(1, "address", "organization"), [ADA, BOB])
    here = dialed.start("here", limit(1, "address"), [ADA, BOB])
    assert dialed.claim(everywhere) == []
    assert dialed.due(everywhere) == [dialed.now + dt.timedelta(hours=24)] * 2
    assert len(dialed.claim(here)) == 2


def test_a_limit_per_address_counts_contacts_of_the_same_number_in_one_batch(dialed: Dialed) -> None:
    job_id = dialed.start("a", limit(2, "address"), [ADA, ADA, ADA, BOB])
    made = dialed.claim(job_id)
    assert sorted(claim.address for claim in made) == [ADA, ADA, BOB]


def test_a_limit_of_one_channel_does_not_bind_another(dialed: Dialed) -> None:
    calls = limit(1, "address", "organization", "skip", more='channels = ["call"]')
    first = dialed.start("first", "", [ADA])
    dialed.end(dialed.claim(first), Outcome.ANSWERED)
    job_id = dialed.start("second", calls, [ADA])
    assert dialed.claim(job_id) == []
    assert [claim.plan.action.name for claim in dialed.claim(job_id, "then")] == ["then"]


def test_who_is_limited_in_every_action_ends_as_restricted(dialed: Dialed) -> None:
    first = dialed.start("first", "", [ADA])
    dialed.end(dialed.claim(first), Outcome.ANSWERED)
    job_id = dialed.start("second", limit(1, "address", "organization", "skip"), [ADA])
    assert dialed.claim(job_id) == []
    assert dialed.claim(job_id, "then") == []
    assert dialed.system.final_outcomes(job_id) == {"restricted": 1}


def test_a_limit_of_outcomes_is_a_rest_after_a_conversation(dialed: Dialed) -> None:
    talked = limit(1, "address", "organization", more='outcomes = ["answered"]')
    first = dialed.start("first", "", [ADA, BOB])
    busy, answered = sorted(dialed.claim(first), key=lambda claim: claim.address)
    dialed.end([busy], Outcome.BUSY)
    dialed.end([answered], Outcome.ANSWERED)
    job_id = dialed.start("second", talked, [ADA, BOB])
    assert [claim.address for claim in dialed.claim(job_id)] == [ADA]


def test_two_campaigns_that_claim_at_once_keep_one_limit(dialed: Dialed) -> None:
    jobs = [dialed.start(name, limit(1, "address", "organization"), [ADA, BOB]) for name in ("a", "b")]
    first, second = (partial(_claimed, plan=dialed.plan(job), now=dialed.now) for job in jobs)
    assert overlap(dialed.database, first, second) == (2, 0)


def _claimed(tx: Tx, plan: TaskPlan, now: dt.datetime) -> int:
    return len(claims.take_batch(tx, RULES, plan, 50, "test", now).claims)


def test_holidays_are_days_of_the_contacts_own_calendar(dialed: Dialed) -> None:
    """Noon UTC of 4 March is the evening of that day in Tokyo, and the morning in New York."""
    holiday = '[restrictions]\nholidays = ["2026-03-05"]'
    hours = 'window = { start = "00:00", end = "24:00" }'
    tokyo = dialed.start("tokyo", holiday, [ADA], hours, time_zone="Asia/Tokyo")
    york = dialed.start("york", holiday, [BOB], hours, time_zone="America/New_York")
    at = dt.datetime(2026, 3, 4, 20, tzinfo=dt.UTC)
    assert dialed.claim(tokyo, at=at) == []
    assert dialed.due(tokyo) == [dt.datetime(2026, 3, 5, 15, tzinfo=dt.UTC)]
    assert len(dialed.claim(york, at=at)) == 1


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins(dialed: Dialed) -> None:
    friday_night = 'windows = [{ start = "22:00", end = "01:00", days = ["fri"] }]'
    job_id = dialed.start("a", "", [ADA], friday_night)
    friday = dt.datetime(2026, 3, 6, 21, tzinfo=dt.UTC)
    assert dialed.claim(job_id, at=friday - dt.timedelta(minutes=1)) == []
    assert dialed.due(job_id) == [friday]
    made = dialed.claim(job_id, at=friday + dt.timedelta(hours=2, minutes=59))
    dialed.end(made, Outcome.BUSY)
    assert dialed.claim(job_id, at=friday + dt.timedelta(hours=3, minutes=1)) == []
    assert dialed.due(job_id) == [friday + dt.timedelta(days=7)]


def test_blocked_numbers_are_left_out_of_a_loop(dialed: Dialed) -> None:
    loop = 'addresses = ["phone", "phone2"]\nretry_on = "loop"'
    job_id = dialed.start("a", "", [ADA], loop, other_phones=[BOB])
    dialed.end(dialed.claim(job_id))

    def block(tx: Tx) -> None:
        lists = schema.do_not_contact_lists
        made = tx.execute(
            lists.insert().values(name="no", organization_id=None, created_at=NOON).returning(lists.c.id)
        ).scalar_one()
        entry = {"list_id": made, "address": BOB, "source": "", "added_at": NOON}
        tx.execute(schema.do_not_contact_entries.insert().values(**entry))

    dialed.database.write_now(block)
    made = dialed.claim(job_id, at=dialed.now + dt.timedelta(minutes=1))
    assert [claim.address for claim in made] == [ADA]
    column = schema.attempts.c.address
    tried = dialed.database.read_now(lambda tx: tx.execute(select(column)).scalars().all())
    assert tried == [ADA, ADA]
