"""A server that cannot be reached costs the contact nothing: the attempt is over, and made again."""

import datetime as dt

import pytest

from outrider.campaigns.outcome import Outcome
from outrider.channels.model import MailResult, MailSent, OutboundCall, OutboundMail, Prompt
from outrider.db.database import Database
from outrider.dialing import claims, engine, plans, results
from outrider.dialing.attempt import Result
from outrider.dialing.call_script import CallPlan
from outrider.dialing.commands import Finish
from outrider.ids import AttemptId
from outrider.jobs.loading import load_targets
from outrider.licences.service import SharingRules
from outrider.runtime import store
from support.campaigning import NOON, campaigning

RULES = SharingRules()
CALL = OutboundCall(AttemptId("c1"), "+49301234567")
MAIL = OutboundMail(AttemptId("m1"), "a@example.org", "b@example.org", "Hello", "Hello")


def test_a_call_that_the_carrier_could_not_be_asked_for_is_untried() -> None:
    state, _ = engine.place_call(CALL, CallPlan(Prompt("Hello")))
    state, commands = engine.refused(state, NOON, "nobody there", untried=True)
    assert commands == (Finish(CALL.call_id, Outcome.CONGESTION, NOON, None, "nobody there", untried=True),)
    assert engine.refused(state, NOON, "again", untried=True)[1] == ()


@pytest.mark.parametrize(
    ("result", "outcome", "untried"),
    [
        (MailResult.UNREACHABLE, Outcome.CONGESTION, True),
        (MailResult.FAILED, Outcome.FAILED, False),
        (MailResult.ACCEPTED, Outcome.DELIVERED, False),
    ],
)
def test_what_a_mail_has_come_to(result: MailResult, outcome: Outcome, untried: bool) -> None:  # noqa: FBT001 - a case
    state, _ = engine.place_mail(MAIL)
    _, (finish,) = engine.handle(state, MailSent(MAIL.message_id, NOON, result, "words"))
    assert isinstance(finish, Finish)
    assert (finish.outcome, finish.untried) == (outcome, untried)


def test_an_untried_contact_is_due_again_and_has_lost_no_retry(sqlite_database: Database) -> None:
    system = campaigning(sqlite_database)
    system.license(outbound_ports=10)
    campaign = system.campaign("a", [system.contact_list("a", 3)], extra="max_attempts = 1")
    job_id = system.start(campaign)
    sqlite_database.write_now(load_targets, RULES, job_id, NOON)
    _, (plan,) = sqlite_database.read_now(plans.admitted_plans, frozenset())
    for second in range(1, 4):
        now = NOON + dt.timedelta(seconds=second)
        batch = sqlite_database.write_now(claims.take_batch, RULES, plan, 3, "worker", now)
        assert len(batch.claims) == 3
        untried = [Result(claim, Outcome.CONGESTION, now, untried=True) for claim in batch.claims]
        sqlite_database.write_now(results.record, RULES, untried, now)
        assert system.final_outcomes(job_id) == {"": 3}
        assert sqlite_database.read_now(store.drifts) == []
