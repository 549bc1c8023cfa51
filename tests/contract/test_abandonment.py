"""Abandoned calls by campaign and day: what is counted is what the attempts say, over each database."""

import datetime as dt

from sqlalchemy import update

from outrider.campaigns.outcome import Outcome
from outrider.db import schema
from outrider.db.database import Database
from outrider.dialing import abandonment, claims
from outrider.ids import JobId
from support.agent_campaigns import AgentWork
from support.campaigning import RULES

DAY = dt.date(2026, 3, 4)


def days(work: AgentWork, job_id: JobId, since: dt.date = DAY) -> dict[dt.date, tuple[int, int, int]]:
    campaign = work.system.job(job_id).campaign_id
    return work.database.read_now(abandonment.days, [campaign], since).get(campaign, {})


def test_answers_are_counted_on_their_day(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(12)
    claims = work.take(job_id, 7).claims
    for claim, outcome in zip(
        claims,
        (
            Outcome.ANSWERED,
            Outcome.ABANDONED,
            Outcome.ABANDONED,
            Outcome.MACHINE,
            Outcome.BUSY,
            Outcome.NO_ANSWER,
        ),
        strict=False,
    ):
        for _ in range(2):
            work.end(claim, outcome, talked=outcome is Outcome.ANSWERED)
    assert days(work, job_id) == {DAY: (3, 2, 1)}
    # It is the day of the answer in UTC, not that of the call's end.
    work.now = dt.datetime(2026, 3, 5, 0, 10, tzinfo=dt.UTC)
    work.end(claims[6], Outcome.ANSWERED, answered_at=dt.datetime(2026, 3, 4, 23, 59, tzinfo=dt.UTC))
    assert days(work, job_id) == {DAY: (4, 2, 1)}
    work.now = dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC)
    (claim,) = work.take(job_id, 1).claims
    work.end(claim, Outcome.ABANDONED, answered_at=work.now)
    next_day = DAY + dt.timedelta(days=1)
    assert days(work, job_id) == {DAY: (4, 2, 1), next_day: (1, 1, 0)}
    assert days(work, job_id, next_day) == {next_day: (1, 1, 0)}
    assert work.drifts() == []


def test_calls_without_agents_are_none_of_it(database: Database) -> None:
    work = AgentWork(database, outbound_ports=5)
    job_id = work.start(2)
    plain = work.system.start(work.system.campaign("plain", [work.system.contact_list("plain", 2)]))
    work.load(plain)
    batch = database.write_now(claims.take_batch, RULES, work.plan(plain, "call"), 2, "worker", work.now)
    for claim in batch.claims:
        work.end(claim, Outcome.ANSWERED, answered_at=work.now)
    assert len(batch.claims) == 2
    assert (days(work, job_id), days(work, plain)) == ({}, {})
    assert work.drifts() == []


def test_a_wrong_count_is_found(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(2)
    (claim,) = work.take(job_id, 1).claims
    work.end(claim, Outcome.ABANDONED, answered_at=work.now)
    database.write_now(lambda tx: tx.execute(update(schema.abandonment).values(live=7)))
    campaign = work.plan(job_id).campaign_id
    told = (
        f"campaign {campaign}, 2026-03-04: live, abandoned and machines counted are {(7, 1, 0)}, "
        f"should be {(1, 1, 0)}"
    )
    assert work.drifts() == [told]
