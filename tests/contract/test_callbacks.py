"""Callbacks over each database: made by hand or promised, given to whom they belong, expired, never lost."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from outrider.agents.commands import Callback as Promise
from outrider.callbacks import giving, service
from outrider.callbacks.model import OVERDUE, CallbackPlan
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy_agents import CallbackKind, CallbackState
from outrider.db import schema
from outrider.db.database import Database
from outrider.dialing.promises import AGAIN_AFTER, RETRY_AFTER
from outrider.errors import ConflictError, InvalidInputError, NotAllowedError
from outrider.ids import JobId
from outrider.jobs import service as jobs
from outrider.jobs.model import JobCommand, JobState
from outrider.people.model import SYSTEM, Caller, Role
from support.campaigning import NOON, RULES
from support.promising import HOUR, Promising, other_agent

S, K = CallbackState, CallbackKind


def test_a_callback_is_given_when_it_is_due_and_done_when_it_was_called(database: Database) -> None:
    work = Promising(database)
    made = work.make(kind=K.AGENT, agent_id=work.agent, note="about the loan")
    assert (made.state, made.due_at, made.note) == (S.WAITING, work.now + HOUR, "about the loan")
    assert work.give(work.mine()) == []
    work.wait(hours=1)
    claim = work.one(work.mine())
    assert (claim.contact.id, claim.preview, claim.session_id) == (made.contact_id, True, work.session)
    assert (work.state(), work.all()[0].given_attempt) == (S.QUEUED, claim.attempt_id)
    assert work.give(work.mine()) == []
    assert work.start_card(claim)
    work.end(claim, Outcome.ANSWERED, talked=True)
    assert (work.state(), work.all()[0].closed_why) == (S.DONE, "answered")
    assert work.drifts() == []


def test_no_ordinary_claim_takes_a_promised_contact_before_it_expires(database: Database) -> None:
    work = Promising(database, 2)
    made = work.make(0, expires_at=work.now + 3 * HOUR)
    assert [each.contact.id for each in work.take(work.job, 2).claims] == [work.contact_id(1)]
    work.wait(hours=2)
    assert work.take(work.job, 2).claims == ()
    work.wait(hours=1)
    (claim,) = work.take(work.job, 2).claims
    assert claim.contact.id == made.contact_id
    work.end(claim, Outcome.BUSY)
    # It was called, by whoever was next: nobody need keep it any more.
    assert work.give(work.mine()) == []
    assert (work.state(), work.all()[0].closed_why) == (S.DONE, service.CALLED)
    assert work.drifts() == []


@pytest.mark.parametrize("kind", [K.AGENT, K.STRICT_AGENT])
def test_an_agents_own_callback_waits_for_that_agent(database: Database, kind: CallbackKind) -> None:
    work = Promising(database)
    work.make(kind=kind, agent_id=work.agent)
    bob = other_agent(work)
    work.wait(hours=1)
    assert work.give(bob) == []
    work.now += OVERDUE
    if kind is K.STRICT_AGENT:
        assert work.give(bob) == []
        assert work.one(bob, work.mine()).session_id == work.session
    else:
        assert work.one(bob).session_id == bob.session_id
    assert work.drifts() == []


def test_an_expired_callback_is_anybodys(database: Database) -> None:
    work = Promising(database)
    work.make(kind=K.STRICT_AGENT, agent_id=work.agent, expires_at=work.now + 2 * HOUR)
    bob = other_agent(work)
    work.wait(hours=2)
    claim = work.one(bob)
    assert claim.session_id == bob.session_id
    assert (work.all()[0].kind, work.all()[0].agent_id) == (K.CAMPAIGN, None)
    work.end(claim, Outcome.NO_ANSWER)
    assert work.state() is S.DONE


def test_a_card_that_is_taken_back_is_given_again_soon(database: Database) -> None:
    work = Promising(database)
    work.make()
    work.wait(hours=1)
    first = work.one(work.mine())
    assert work.give_back(first, skipped=False)
    assert work.state() is S.WAITING
    assert work.take(work.job, 3).claims
    assert work.give(work.mine()) == []
    work.now += AGAIN_AFTER
    second = work.one(work.mine())
    assert (second.contact.id, second.number) == (first.contact.id, first.number)
    assert work.drifts() == []


@pytest.mark.parametrize("outcome", [Outcome.ABANDONED, Outcome.CONGESTION, Outcome.SKIPPED])
def test_what_reached_nobody_in_earnest_keeps_no_promise(database: Database, outcome: Outcome) -> None:
    work = Promising(database, 1)
    work.make()
    work.wait(hours=1)
    claim = work.one(work.mine())
    if outcome is Outcome.SKIPPED:
        assert work.give_back(claim, skipped=True)
    else:
        work.start_card(claim)
        work.end(claim, outcome)
    # By the strategy the contact would be done with, and the job too.
    assert (work.state(), work.targets()[0]["state"]) == (S.WAITING, "due")
    assert work.give(work.mine()) == []
    assert work.take(work.job, 1).claims == ()
    work.now += RETRY_AFTER
    assert work.one(work.mine()).contact.id == claim.contact.id
    assert work.drifts() == []


def test_a_callback_outlives_the_process_that_showed_it(database: Database) -> None:
    """The expiry passes while the system is down: the contact is called all the same."""
    work = Promising(database, 1)
    work.make(kind=K.STRICT_AGENT, agent_id=work.agent, expires_at=work.now + 2 * HOUR)
    work.wait(hours=1)
    card = work.one(work.mine())
    work.wait(hours=5)
    work.record(work.result(card, Outcome.SKIPPED, untried=True))
    work.now += AGAIN_AFTER
    claim = work.one(other_agent(work))
    work.start_card(claim)
    work.wait(seconds=30)
    work.record(work.result(claim, Outcome.INTERRUPTED))
    work.now += AGAIN_AFTER
    again = work.one(work.mine())
    work.end(again, Outcome.ANSWERED, talked=True)
    assert work.state() is S.DONE
    assert work.drifts() == []


def test_a_contact_that_had_ended_is_the_jobs_again(database: Database) -> None:
    work = Promising(database, 2)
    (claim,) = work.take(work.job, 1).claims
    work.end(claim, Outcome.ANSWERED, answered_at=work.now)
    assert work.targets()[0]["state"] == "done"
    made = work.make(0)
    target = work.targets()[0]
    assert (target["state"], target["next_at"], target["outcome"]) == ("due", made.expires_at, "answered")
    assert work.drifts() == []
    (other,) = work.take(work.job, 2).claims
    work.end(other, Outcome.ANSWERED, answered_at=work.now)
    assert work.system.job(work.job).state is JobState.RUNNING
    work.wait(hours=1)
    work.end(work.one(work.mine()), Outcome.ANSWERED, answered_at=work.now)
    assert work.system.job(work.job).state is JobState.FINISHED
    assert work.drifts() == []


def test_the_campaigns_next_job_keeps_what_the_last_one_promised(database: Database) -> None:
    work = Promising(database, 1)
    made = work.make(hours=30)
    stop = (RULES, work.job, None, JobCommand.STOP, work.now, "test")
    work.database.write_now(jobs.command, *stop)
    work.wait(hours=28)
    work.job = work.system.start(work.campaign, work.now)
    work.load(work.job)
    assert work.take(work.job, 1).claims == ()
    work.wait(hours=2)
    assert work.one(work.mine()).contact.id == made.contact_id
    assert work.drifts() == []


def test_promises_of_wrap_ups_come_the_same_way_and_the_last_holds(database: Database) -> None:
    work = Promising(database)
    by_hand = work.make(0)
    work.wait(hours=1)
    claim = work.one(work.mine())
    work.start_card(claim)
    later = Promise(work.now + 2 * HOUR, K.STRICT_AGENT, note="after work")
    work.end(claim, Outcome.ANSWERED, talked=True)
    work.record(work.wrap_up(claim, "call_back", callback=later))
    first, second = work.all()
    assert (first.id, first.state) == (by_hand.id, S.DONE)
    assert (second.state, second.agent_id, second.due_at) == (S.WAITING, work.agent, later.at)
    work.wait(hours=2)
    again = work.one(work.mine())
    work.start_card(again)
    # Wrapped up before the result is written.
    third = work.wrap_up(again, "call_back", callback=Promise(work.now + HOUR))
    work.record(third)
    work.record(work.result(again, Outcome.ANSWERED, talked=True))
    assert [each.state for each in work.all()] == [S.DONE, S.DONE, S.WAITING]
    assert work.targets()[0]["state"] == "due"
    assert work.drifts() == []


def test_a_callback_is_changed_and_cancelled_while_nobody_has_it(database: Database) -> None:
    work = Promising(database, 1)
    made = work.make()
    plan = CallbackPlan(at=work.now + 2 * HOUR, kind=K.AGENT, agent_id=work.agent)
    changed = work.database.write_now(service.change, work.now, SYSTEM, made.id, plan)
    assert (changed.due_at, changed.agent_id) == (work.now + 2 * HOUR, work.agent)
    work.wait(hours=2)
    card = work.one(work.mine())
    for refused in (
        lambda tx: service.cancel(tx, work.now, SYSTEM, made.id),
        lambda tx: service.change(tx, work.now, SYSTEM, made.id, plan),
    ):
        with pytest.raises(ConflictError, match="an agent has it in hand"):
            work.database.write_now(refused)
    work.give_back(card, skipped=False)
    assert work.take(work.job, 1).claims == ()
    gone = work.database.write_now(service.cancel, work.now, SYSTEM, made.id, "moved away")
    assert (gone.state, gone.closed_why, gone.closed_at) == (S.CANCELLED, "moved away", work.now)
    assert [each.contact.id for each in work.take(work.job, 1).claims] == [made.contact_id]
    with pytest.raises(ConflictError, match="is cancelled"):
        work.database.write_now(service.cancel, work.now, SYSTEM, made.id)
    assert work.drifts() == []


def test_an_overdue_callback_is_given_to_somebody_else_at_the_time_that_it_had(database: Database) -> None:
    work = Promising(database)
    made = work.make(kind=K.STRICT_AGENT, agent_id=work.agent, expires_at=work.now + 3 * HOUR)
    bob = other_agent(work)
    work.wait(hours=2)
    plan = CallbackPlan(
        made.due_at, K.STRICT_AGENT, bob.agent_id, note="ada is ill", expires_at=made.expires_at
    )
    changed = work.database.write_now(service.change, work.now, SYSTEM, made.id, plan)
    assert (changed.due_at, changed.expires_at, changed.note) == (made.due_at, made.expires_at, "ada is ill")
    work.give_back(work.one(bob), skipped=False)
    # Another time must lie ahead, and so must that of one which has expired.
    earlier = replace(plan, at=made.due_at + HOUR / 2)
    with pytest.raises(InvalidInputError, match="give a time from now"):
        work.database.write_now(service.change, work.now, SYSTEM, made.id, earlier)
    work.wait(hours=1)
    with pytest.raises(InvalidInputError, match="give a time from now"):
        work.database.write_now(service.change, work.now, SYSTEM, made.id, plan)


def test_only_a_list_or_a_deletion_ends_a_callback(database: Database) -> None:
    work = Promising(database, 2)
    blocked, deleted = work.make(0), work.make(1)
    work.block(blocked.address)
    work.database.write_now(
        lambda tx: tx.execute(schema.contacts.delete().where(schema.contacts.c.id == deleted.contact_id))
    )
    work.wait(hours=1)
    assert work.give(work.mine(), other_agent(work)) == []
    assert {each.closed_why for each in work.all()} == {
        "the number is on a do-not-contact list",
        "the contact was deleted",
    }
    assert {each.state for each in work.all()} == {S.CANCELLED}
    assert work.drifts() == []


@pytest.mark.parametrize(
    ("plan", "where"),
    [
        ({"hours": -1}, "at"),
        ({"hours": 24 * 400}, "at"),
        ({"hours": 12}, "at"),
        ({"kind": K.AGENT}, "agent_id"),
        ({"kind": K.AGENT, "agent_id": 999}, "agent_id"),
        ({"agent_id": 1}, "agent_id"),
        ({"address": "12"}, "address"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"expires_at": NOON}, "expires_at"),
        ({"kind": K.STRICT_AGENT, "agent_id": 1}, "kind"),
    ],
)
def test_a_callback_that_cannot_be_names_the_field(
    database: Database, plan: dict[str, Any], where: str
) -> None:
    work = Promising(database, 1, agents='callbacks = ["agent", "campaign"]')
    with pytest.raises(InvalidInputError) as caught:
        work.make(**plan)
    assert caught.value.facts["where"] == where
    assert work.all() == []


def test_outside_of_hours_the_next_opening_is_told_or_taken(database: Database) -> None:
    work = Promising(database, 1)
    late = work.now.replace(hour=22, minute=30)
    plan = CallbackPlan(at=late)
    args = (work.now, SYSTEM, work.campaign, work.contact_id(0))
    with pytest.raises(InvalidInputError, match="outside of the contact's calling hours") as caught:
        work.database.write_now(service.create, *args, plan)
    opening = dt.datetime.fromisoformat(str(caught.value.facts["next_opening"]))
    made = work.database.write_now(service.create, *args, CallbackPlan(at=late, shift=True))
    assert made.due_at == opening > late


def test_a_local_time_is_that_of_the_contact(database: Database) -> None:
    work = Promising(database, 1)
    day = (work.now + 24 * HOUR).replace(tzinfo=None, hour=18, minute=0, second=0, microsecond=0)
    args = (work.now, SYSTEM, work.campaign, work.contact_id(0))
    made = work.database.write_now(service.create, *args, CallbackPlan(at=day))
    assert made.due_at.astimezone(dt.UTC).hour == 17  # Germany in winter
    with pytest.raises(ConflictError, match="has callback"):
        work.database.write_now(service.create, *args, CallbackPlan(at=day))
    viewer = Caller(1, "vic", Role.VIEWER, None)
    with pytest.raises(NotAllowedError):
        work.database.write_now(service.cancel, work.now, viewer, made.id)


def test_a_campaign_without_agents_can_promise_nothing(database: Database) -> None:
    work = Promising(database, 1)
    listed = work.system.contact_list("robots", 1)
    campaign = work.system.campaign("robots", [listed])
    query = select(schema.contacts.c.id).where(schema.contacts.c.list_id == listed)
    contact = work.database.read_now(lambda tx: tx.execute(query).scalar_one())
    plan = CallbackPlan(at=work.now + HOUR)
    with pytest.raises(InvalidInputError, match="no action in which agents talk"):
        work.database.write_now(service.create, work.now, SYSTEM, campaign, contact, plan)
    with pytest.raises(InvalidInputError, match="is not one that the campaign calls"):
        work.database.write_now(service.create, work.now, SYSTEM, work.campaign, contact, plan)


def test_an_agent_is_given_callbacks_of_its_own_campaign_only(database: Database) -> None:
    work = Promising(database, 1)
    made = work.make()
    other: JobId = work.start(1, name="b")
    work.wait(hours=1)
    free = [work.mine()]
    assert work.database.write_now(giving.give, RULES, work.plan(other), free, "w", work.now) == []
    assert work.one(*free).contact.id == made.contact_id


def test_an_agent_has_so_many_open_callbacks_and_no_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_OF_AN_AGENT", 2)
    work = Promising(database, 3)
    mine: dict[str, Any] = {"kind": K.STRICT_AGENT, "agent_id": work.agent}
    first = work.make(0, **mine)
    work.make(1, **mine)
    with pytest.raises(InvalidInputError, match="has 2 open callbacks, and cannot take more"):
        work.make(2, **mine)
    work.make(2, kind=K.AGENT, agent_id=other_agent(work).agent_id)
    # One of them may be changed all the same, and one that is closed counts no more.
    later = CallbackPlan(at=work.now + 2 * HOUR, **mine)
    work.database.write_now(service.change, work.now, SYSTEM, first.id, later)
    work.database.write_now(service.cancel, work.now, SYSTEM, first.id)
    work.make(0, **mine)


def test_what_an_agent_promises_is_checked_before_it_is_written(database: Database) -> None:
    work = Promising(database, 1)

    def promised(**plan: Any) -> CallbackPlan:
        made = CallbackPlan(**{"at": work.now + HOUR, "kind": K.AGENT, **plan})
        args = (work.now, work.plan(work.job).task_id, work.contact_id(0), work.agent, made)
        return work.database.read_now(service.promisable, *args)

    found = promised(address="030 1234567", note="n")
    assert (found.address, found.agent_id, found.at) == ("+49301234567", work.agent, work.now + HOUR)
    assert promised(kind=K.CAMPAIGN).agent_id is None
    with pytest.raises(InvalidInputError, match="outside of the contact's calling hours"):
        promised(at=work.now.replace(hour=23))
    with pytest.raises(InvalidInputError, match="give a time from now to"):
        promised(at=work.now - HOUR)
    work.block("+49301234567")
    with pytest.raises(InvalidInputError, match="do-not-contact list"):
        promised(address="030 1234567")
    assert work.all() == []
