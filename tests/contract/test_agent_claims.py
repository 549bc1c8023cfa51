"""Claims for agents over each database: lines, cards, one contact, any number, and what rules forbid."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from outrider.agents import legs
from outrider.agents.leg import Leg, LegPurpose
from outrider.campaigns.outcome import Outcome
from outrider.contacts import by_hand
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.dialing import agent_claims, claims, plans
from outrider.dialing.attempt import Claim, Refusal
from outrider.ids import new_attempt_ids
from support import media
from support.agent_campaigns import AgentWork, known_targets
from support.campaigning import NOON, RULES

BERLIN, NEW_YORK = "+493012345601", "+12125550123"
LIMIT = """
[restrictions]
[[restrictions.limits]]
attempts = 1
period = "24h"
per = "address"
"""
OFFICE_HOURS = 'windows = [{ start = "09:00", end = "18:00" }]'


def refusal(found: Claim | Refusal) -> str:
    assert isinstance(found, Refusal), found
    return found.reason


def claimed(found: Claim | Refusal) -> Claim:
    assert isinstance(found, Claim), found
    return found


def test_lines_are_claimed_without_licence_units(database: Database) -> None:
    work = AgentWork(database, predictive_agents=1)
    job_id = work.start(5)
    batch = work.take(job_id, 3)
    assert (len(batch.claims), batch.bound) == (3, "")
    task = work.task(job_id)
    assert (task["in_use"], task["last_attempt_at"], task["contacts_left"]) == (0, work.now, 5)
    for claim in batch.claims:
        work.end(claim, Outcome.BUSY)
    assert work.task(job_id)["in_use"] == 0
    assert work.take(job_id, 5).bound == "contacts"
    assert work.task(job_id)["bound"] == "contacts"
    assert work.drifts() == []


def test_a_dial_loop_without_agents_gets_nothing(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(2)
    batch = database.write_now(claims.take_batch, RULES, work.plan(job_id), 2, "worker", work.now)
    assert (batch.claims, batch.bound) == ((), "agents")
    assert work.attempts() == []


def test_rules_of_contact_hold_for_lines(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(
        [{"phone": BERLIN}, {"phone": NEW_YORK, "time_zone": None}, {"phone": "+493012345602"}],
        extra=OFFICE_HOURS,
    )
    work.block(BERLIN)
    assert [claim.address for claim in work.take(job_id, 3).claims] == ["+493012345602"]
    states = [(row["state"], row["outcome"]) for row in work.targets()]
    assert states == [("done", "do_not_contact"), ("due", None), ("claimed", None)]
    assert work.targets()[1]["next_at"] > work.now
    assert work.drifts() == []


def test_lines_go_to_the_server_of_the_agents_and_leave_a_port_to_join_them(database: Database) -> None:
    work = AgentWork(database)
    database.write_now(media.add_worker, media.WORKER, NOON)
    servers = {name: media.connected(database, NOON, name, maximum_ports=5) for name in ("one", "two")}
    job_id = work.start(20)
    batch = work.take(job_id, 9, server_id=servers["two"])
    assert [claim.server for claim in batch.claims] == ["two"] * 4
    assert batch.bound == "servers"
    bridge = database.write_now(
        legs.take,
        new_attempt_ids(NOON, 1)[0],
        work.session,
        LegPurpose.BRIDGE,
        work.plan(job_id).zone_id,
        "worker",
        NOON,
        only_server=servers["two"],
    )
    assert isinstance(bridge, Leg)
    assert work.take(job_id, 9, server_id=servers["two"]).bound == "servers"
    assert work.drifts() == []
    for claim in batch.claims:
        for _ in range(2):
            work.end(claim, Outcome.NO_ANSWER)
    database.write_now(legs.release, [bridge.id])
    assert {name: used for name, (_, _, used) in media.shares(database).items()} == {"one": 0, "two": 0}
    assert work.drifts() == []


def test_over_the_simulated_carrier_lines_keep_to_the_ports_of_the_zone(database: Database) -> None:
    work = AgentWork(database, telephony_ports=5)
    job_id = work.start(20)
    phone = database.write_now(
        legs.take,
        new_attempt_ids(NOON, 1)[0],
        work.session,
        LegPurpose.AGENT,
        work.plan(job_id).zone_id,
        "worker",
        NOON,
    )
    assert isinstance(phone, Leg)
    batch = work.take(job_id, 20)
    assert (len(batch.claims), batch.bound) == (3, "servers")
    assert work.take(job_id, 20).claims == ()
    work.end(batch.claims[0], Outcome.BUSY)
    assert len(work.take(job_id, 20).claims) == 1


def test_one_contact_is_claimed_before_it_is_due(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(3)
    wanted = work.targets()[2]["contact_id"]
    (busy,) = work.take(job_id, 1).claims
    assert busy.contact.id != wanted
    claim = claimed(work.contact(job_id, wanted))
    assert (claim.contact.id, claim.session_id, claim.number) == (wanted, work.session, 1)
    assert "in contact with this person already" in refusal(work.contact(job_id, wanted))
    assert "not one of this job's" in refusal(work.contact(job_id, 999_999))
    assert work.drifts() == []


def test_of_many_who_want_the_same_contact_one_has_it(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(1)
    contact = work.targets()[0]["contact_id"]

    def want(number: int) -> int:
        if number % 2:
            return len(work.take(job_id, 1).claims)
        return isinstance(work.contact(job_id, contact), Claim)

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(want, range(12))) == 1
    assert len(work.attempts()) == 1
    assert work.drifts() == []


def test_a_promise_is_kept_out_of_hours_but_never_to_who_wants_no_call(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start([{"phone": BERLIN}, {"phone": "+493012345602"}], extra=OFFICE_HOURS, top=LIMIT)
    first, second = (row["contact_id"] for row in work.targets())
    work.wait(hours=9)
    before = work.targets()
    found = work.contact(job_id, first)
    assert isinstance(found, Refusal)
    assert "calling hours" in found.reason
    assert found.again_at is not None
    assert work.targets() == before
    assert claimed(work.contact(job_id, first, promised=True)).address == BERLIN
    work.block("+493012345602")
    assert "do-not-contact" in refusal(work.contact(job_id, second, promised=True))
    assert work.drifts() == []


def test_limits_hold_back_a_contact_that_was_called(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start([{"phone": BERLIN}], top=LIMIT)
    (claim,) = work.take(job_id, 1).claims
    work.end(claim, Outcome.ANSWERED, talked=True)
    found = work.contact(job_id, claim.contact.id)
    assert "at most 1 attempt" in refusal(found)
    assert claimed(work.contact(job_id, claim.contact.id, promised=True)).number == 2
    assert work.drifts() == []


def test_a_redial_takes_the_contact_that_waits_for_its_code(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start([{"phone": BERLIN}])
    (first,) = work.take(job_id, 1).claims
    work.end(first, Outcome.ANSWERED, talked=True)
    again = claimed(work.contact(job_id, first.contact.id, address="+493012345699"))
    assert (again.address, again.number) == ("+493012345699", 2)
    work.record(work.wrap_up(first, "sold"))
    assert work.targets()[0]["state"] == "claimed"
    work.end(again, Outcome.BUSY)
    assert work.attempt(first)["disposition"] == "sold"
    assert work.drifts() == []


@pytest.mark.parametrize("said", ["+493012345602", "+49 30 12345602", "030 12345602", "0049-30-12345602"])
def test_a_refused_number_is_not_called_however_an_agent_writes_it(database: Database, said: str) -> None:
    work = AgentWork(database)
    job_id = work.start([{"phone": BERLIN}], mode="manual")
    contact = work.targets()[0]["contact_id"]
    assert claimed(work.contact(job_id, contact, address=said, preview=True)).address == "+493012345602"
    work.block("+493012345602")
    assert "do-not-contact" in refusal(work.contact(job_id, contact, address=said))
    assert "number" in refusal(work.contact(job_id, contact, address="call me maybe"))


def test_a_contact_that_had_ended_is_taken_up_and_put_back(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start([{"phone": BERLIN}, {"phone": "+493012345602"}])
    work.code("sold", "done")
    (first,) = work.take(job_id, 1).claims
    work.end(first, Outcome.ANSWERED, talked=True)
    work.record(work.wrap_up(first, "sold"))
    ended = work.targets()[0]
    assert (ended["state"], ended["disposition"]) == ("done", "sold")
    card = claimed(work.contact(job_id, first.contact.id, preview=True))
    assert work.system.job(job_id).targets_done == 0
    assert work.drifts() == []
    assert work.give_back(card, skipped=False)
    back = work.targets()[0]
    assert (back["state"], back["outcome"], back["disposition"]) == ("done", "answered", "sold")
    assert work.system.job(job_id).targets_done == 1
    assert work.drifts() == []
    once_more = claimed(work.contact(job_id, first.contact.id))
    work.end(once_more, Outcome.ANSWERED, talked=True)
    work.record(work.wrap_up(once_more, "sold"))
    assert work.system.job(job_id).targets_done == 1
    assert work.drifts() == []


def test_a_contact_comes_back_from_another_action(database: Database) -> None:
    work = AgentWork(database)
    text = '[[actions]]\nname = "text"\nchannel = "sms"\ntext = "Hello."'
    job_id = work.start([{"phone": BERLIN}], agents=text)
    (claim,) = work.take(job_id, 1).claims
    work.end(claim, Outcome.NO_ANSWER)
    assert work.targets()[0]["task_id"] == work.plan(job_id, "text").task_id
    assert work.drifts() == []
    again = claimed(work.contact(job_id, claim.contact.id))
    assert again.counters.action_attempts == 1
    assert work.drifts() == []
    work.end(again, Outcome.ANSWERED)
    assert work.drifts() == []


def test_any_number_may_be_dialed_that_the_rules_allow(database: Database) -> None:
    work = AgentWork(database)
    rows = [{"phone": number, "duplicate_key": number} for number in (BERLIN, "+493012345602")]
    job_id = work.start(rows, extra=OFFICE_HOURS)
    mine = claimed(work.number(job_id, "030 123456-01"))
    assert (mine.address, mine.contact.id) == (BERLIN, work.targets()[0]["contact_id"])
    assert len(work.targets()) == 2
    new = claimed(work.number(job_id, "+49 30 12345699"))
    assert new.address == "+493012345699"
    assert work.system.job(job_id).targets == 3
    assert work.task(job_id)["contacts_left"] == 3
    assert work.drifts() == []
    work.end(new, Outcome.ANSWERED, talked=True)
    work.record(work.wrap_up(new, None))
    again = claimed(work.number(job_id, "+493012345699"))
    assert again.contact.id == new.contact.id
    assert len(work.targets()) == 3
    assert work.drifts() == []


def test_what_the_rules_forbid_is_not_dialed_and_leaves_nothing_behind(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start([{"phone": BERLIN}], extra=OFFICE_HOURS, top=LIMIT)
    work.block("+493012345688")
    assert "not a phone number" in refusal(work.number(job_id, "the boss"))
    assert "do-not-contact" in refusal(work.number(job_id, "+493012345688"))
    # Noon in London is morning in New York: the number's own zone counts.
    assert "calling hours" in refusal(work.number(job_id, NEW_YORK))
    assert (work.attempts(), len(work.targets())) == ([], 1)

    def lists(tx: Tx) -> list[str]:
        return list(tx.execute(select(schema.contact_lists.c.name)).scalars())

    assert by_hand.LIST_NAME not in database.read_now(lists)
    work.end(claimed(work.number(job_id, "+493012345677")), Outcome.BUSY)
    assert "at most 1 attempt" in refusal(work.number(job_id, "+493012345677"))
    assert work.drifts() == []


def test_a_job_that_does_not_run_dials_nobody(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(1)
    plan, contact = work.plan(job_id), work.targets()[0]["contact_id"]
    out = update(schema.tasks).values(standing="out")
    database.write_now(lambda tx: tx.execute(out))
    found = database.write_now(
        agent_claims.take_contact, RULES, plan, contact, "worker", work.now, session_id=work.session
    )
    assert found == Refusal("the job does not run")
    batch = database.write_now(agent_claims.take_for_agents, RULES, plan, 1, "worker", work.now)
    assert (batch.claims, batch.bound) == ((), "paused")


@pytest.mark.parametrize("guaranteed", [False, True])
def test_an_abandoned_number_rests_unless_an_agent_is_there_for_sure(
    database: Database,
    guaranteed: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    work = AgentWork(database)
    job_id = work.start([{"phone": BERLIN}], extra="[actions.retry.abandoned]\ncount = 3\ndelays = [60]")
    (claim,) = work.take(job_id, 1).claims
    work.end(claim, Outcome.ABANDONED, answered_at=work.now)
    work.wait(hours=2)
    if guaranteed:
        assert work.card(job_id).address == BERLIN
        return
    assert work.take(job_id, 1).claims == ()
    call = claim.plan.action.call
    assert call is not None
    rang = dt.timedelta(seconds=call.ring_timeout + 2)
    assert work.targets()[0]["next_at"] == claim_time(work, claim) + dt.timedelta(hours=72) + rang
    work.wait(hours=71)
    assert [each.address for each in work.take(job_id, 1).claims] == [BERLIN]
    assert work.drifts() == []


def claim_time(work: AgentWork, claim: Claim) -> dt.datetime:
    found: dt.datetime = work.attempt(claim)["claimed_at"]
    return found


def test_orphans_that_had_ended_before_are_put_back(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start([{"phone": BERLIN}, {"phone": "+493012345602"}])
    (first,) = work.take(job_id, 1).claims
    work.end(first, Outcome.ANSWERED)
    assert work.targets()[0]["state"] == "done"
    claimed(work.contact(job_id, first.contact.id, preview=True))
    (orphan,) = database.read_now(plans.orphans, ["worker"])
    work.end(orphan, Outcome.SKIPPED, untried=True)
    assert known_targets(work)[0] == ("done", 1, "answered")
    assert work.drifts() == []
