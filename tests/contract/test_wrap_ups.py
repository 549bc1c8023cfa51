"""What agents say of contacts, over each database: codes settle them, once, in whatever order they come."""

import asyncio
import datetime as dt

import pytest
from sqlalchemy import select

from outrider.agents.commands import Callback
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy_agents import CallbackKind
from outrider.clock import VirtualClock
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.dialing import wrap_ups
from outrider.dialing.attempt import Claim
from outrider.errors import InvalidInputError
from outrider.ids import AttemptId, JobId
from outrider.jobs.model import JobState
from outrider.runtime.recorder import Recorder
from outrider.runtime.wake import Wake
from support.agent_campaigns import AgentWork
from support.campaigning import NOON, RULES

WAIT = dt.timedelta(seconds=60 + 3 * 30 + 60)
"""Wrap-up, its extensions, and the margin for a restart."""
RETRIED = """
[actions.dispositions.wrong_person]
count = 1
delays = [600]
"""


def dispositions(tx: Tx) -> dict[str, tuple[int, int]]:
    D = schema.disposition_counts.c  # noqa: N806 - a table's columns
    rows = tx.execute(select(D.disposition, D.attempts, D.final))
    return {row.disposition: (row.attempts, row.final) for row in rows}


def talked(work: AgentWork, job_id: JobId) -> Claim:
    (claim,) = work.take(job_id, 1).claims
    work.end(claim, Outcome.ANSWERED, talked=True)
    return claim


def test_a_contact_that_was_talked_to_waits_for_its_code(database: Database) -> None:
    work = AgentWork(database)
    claim = talked(work, work.start(2))
    (row, _) = work.targets()
    assert (row["state"], row["awaiting"], row["next_at"]) == ("due", claim.attempt_id, work.now + WAIT)
    attempt = work.attempt(claim)
    assert (attempt["agent_id"], attempt["session_id"], attempt["joined_at"]) == (
        work.agent,
        work.session,
        work.now,
    )
    assert work.drifts() == []


def test_an_answer_without_a_talk_waits_for_nothing(database: Database) -> None:
    work = AgentWork(database)
    (claim,) = work.take(work.start(2), 1).claims
    work.end(claim, Outcome.ANSWERED, answered_at=work.now)
    assert work.targets()[0]["state"] == "done"


def test_a_code_settles_the_contact_once(database: Database) -> None:
    work = AgentWork(database)
    work.code("sold", "done")
    claim = talked(work, work.start(2))
    work.wait(seconds=20)
    done = work.wrap_up(claim, "sold", note="two of them")
    for _ in range(2):
        work.record(done)
    row = work.attempt(claim)
    assert (row["outcome"], row["disposition"], row["note"]) == ("answered", "sold", "two of them")
    assert row["wrapped_up_at"] == work.now
    target = work.targets()[0]
    assert (target["state"], target["outcome"], target["disposition"]) == ("done", "answered", "sold")
    assert database.read_now(dispositions) == {"sold": (1, 1)}
    work.record(work.wrap_up(claim, "other"))
    assert work.attempt(claim)["disposition"] == "sold"
    assert work.drifts() == []


@pytest.mark.parametrize("together", [True, False])
def test_a_code_may_come_in_any_order_with_its_result(
    database: Database,
    together: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    work = AgentWork(database)
    work.code("sold", "done")
    job_id = work.start(3)
    first, second, third = work.take(job_id, 3).claims
    results = [work.result(claim, Outcome.ANSWERED, talked=True) for claim in (first, second, third)]
    codes = [work.wrap_up(claim, "sold") for claim in (first, second, third)]
    if together:
        work.record(results[0], codes[0], results[1], codes[1], results[2], codes[2])
    else:
        for code, result in zip(codes, results, strict=True):
            work.record(code)
            assert work.drifts() == []
            work.record(result)
    assert {row["disposition"] for row in work.targets()} == {"sold"}
    assert {row["state"] for row in work.targets()} == {"done"}
    assert database.read_now(dispositions) == {"sold": (3, 3)}
    assert work.system.job(job_id).state is JobState.FINISHED
    assert work.drifts() == []


def test_a_retry_code_calls_again_after_its_time(database: Database) -> None:
    work = AgentWork(database)
    work.code("not_now", "retry", 900.0)
    job_id = work.start(1, extra="max_attempts = 2")
    claim = talked(work, job_id)
    work.record(work.wrap_up(claim, "not_now"))
    target = work.targets()[0]
    assert (target["state"], target["next_at"]) == ("due", work.now + dt.timedelta(seconds=900))
    assert target["disposition"] == "not_now"
    assert work.drifts() == []
    work.wait(seconds=901)
    again = talked(work, job_id)
    assert again.number == 2
    work.record(work.wrap_up(again, "not_now"))
    # Twice is all that the action allows.
    assert work.targets()[0]["state"] == "done"
    assert database.read_now(dispositions) == {"not_now": (2, 1)}
    assert work.drifts() == []


def test_the_strategy_may_say_what_follows_a_code(database: Database) -> None:
    work = AgentWork(database)
    work.code("wrong_person", "done")
    claim = talked(work, work.start(1, extra=RETRIED))
    work.record(work.wrap_up(claim, "wrong_person"))
    target = work.targets()[0]
    assert (target["state"], target["next_at"]) == ("due", work.now + dt.timedelta(seconds=600))


def test_who_wants_no_more_calls_is_called_by_nobody(database: Database) -> None:
    work = AgentWork(database)
    work.code("opt_out", "do_not_contact")
    claim = talked(work, work.start(2))
    work.record(work.wrap_up(claim, "opt_out"))
    assert work.targets()[0]["state"] == "done"
    organization = work.system.organization_id
    assert database.read_now(do_not_contact.blocked, organization, [claim.address]) == {claim.address}
    assert work.drifts() == []


@pytest.mark.parametrize("code_first", [False, True])
def test_a_promised_contact_is_left_alone_until_the_promise_expires(
    database: Database,
    code_first: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    work = AgentWork(database)
    work.code("later", "callback")
    job_id = work.start(1)
    (claim,) = work.take(job_id, 1).claims
    at, expires = work.now + dt.timedelta(hours=1), work.now + dt.timedelta(hours=5)
    result = work.result(claim, Outcome.ANSWERED, talked=True)
    done = work.wrap_up(claim, "later", callback=Callback(at, note="after lunch", expires_at=expires))
    for item in (done, result, done) if code_first else (result, done, done):
        work.record(item)
    target = work.targets()[0]
    assert (target["state"], target["next_at"], target["awaiting"]) == ("due", expires, None)
    promise = database.read_now(lambda tx: tx.execute(select(schema.callbacks)).mappings().one())
    assert (promise["contact_id"], promise["agent_id"], promise["address"]) == (
        claim.contact.id,
        work.agent,
        claim.address,
    )
    assert (promise["due_at"], promise["expires_at"], promise["note"]) == (at, expires, "after lunch")
    work.wait(hours=2)
    assert work.take(job_id, 1).claims == ()
    kept = work.contact(job_id, claim.contact.id, promised=True)
    assert isinstance(kept, Claim)
    assert work.drifts() == []


def test_a_promise_without_an_end_lasts_as_long_as_the_strategy_says(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(1, agents='callback_life = "2h"')
    claim = talked(work, job_id)
    at = work.now + dt.timedelta(hours=1)
    work.record(work.wrap_up(claim, None, callback=Callback(at, CallbackKind.CAMPAIGN, "+493012345600")))
    promise = database.read_now(lambda tx: tx.execute(select(schema.callbacks)).mappings().one())
    assert promise["expires_at"] == at + dt.timedelta(hours=2)
    assert (promise["agent_id"], promise["address"]) == (None, "+493012345600")
    assert work.targets()[0]["next_at"] == promise["expires_at"]
    # Whoever is not called by then is a contact like any other again.
    work.wait(hours=3)
    assert [each.contact.id for each in work.take(job_id, 1).claims] == [claim.contact.id]
    assert work.drifts() == []


@pytest.mark.parametrize(("default", "disposition"), [('default_code = "sold"', "sold"), ("", None)])
def test_a_wait_that_is_over_ends_with_the_default_code(
    database: Database, default: str, disposition: str | None
) -> None:
    work = AgentWork(database)
    work.code("sold", "done")
    job_id = work.start(2, agents=default)
    claim = talked(work, job_id)
    work.now += WAIT - dt.timedelta(seconds=1)
    assert database.write_now(wrap_ups.time_out, RULES, work.plan(job_id), work.now) == 0
    work.wait(seconds=1)
    assert work.take(job_id, 1).claims[0].contact.id != claim.contact.id
    target = work.targets()[0]
    assert (target["state"], target["outcome"], target["disposition"]) == ("done", "answered", disposition)
    assert work.drifts() == []
    # What the agent says afterwards is noted, if nothing was said for it, but moves nobody any more.
    work.record(work.wrap_up(claim, "late", note="came late"))
    assert work.targets()[0]["disposition"] == disposition
    assert work.attempt(claim)["note"] == ("" if disposition else "came late")
    assert work.drifts() == []


def test_a_call_that_broke_off_in_the_talk_is_wrapped_up_too(database: Database) -> None:
    work = AgentWork(database)
    work.code("sold", "done")
    job_id = work.start(2)
    (claim,) = work.take(job_id, 1).claims
    work.end(claim, Outcome.INTERRUPTED, talked=True)
    assert work.targets()[0]["awaiting"] == claim.attempt_id
    work.record(work.wrap_up(claim, "sold"))
    target = work.targets()[0]
    assert (target["state"], target["outcome"], target["disposition"]) == ("done", "answered", "sold")
    assert work.attempt(claim)["outcome"] == "interrupted"
    assert work.drifts() == []


def test_a_job_finishes_by_a_criterion_on_completion_codes(database: Database) -> None:
    work = AgentWork(database)
    work.code("sold", "done")
    job_id = work.start(9, top="[finish.dispositions]\nsold = 2")
    for number in range(2):
        assert work.system.job(job_id).state is JobState.RUNNING, number
        work.record(work.wrap_up(talked(work, job_id), "sold"))
    job = work.system.job(job_id)
    assert (job.state, job.end_reason) == (JobState.FINISHED, "finish criterion: 2 contacts ended with sold")
    assert work.drifts() == []


def test_a_criterion_on_a_code_that_no_agent_can_choose_is_refused(database: Database) -> None:
    work = AgentWork(database)
    with pytest.raises(InvalidInputError, match=r"finish\.dispositions\.sold can never be reached"):
        work.start(1, top="[finish.dispositions]\nsold = 2", agents='completion_codes = ["bought"]')


def test_the_recorder_writes_results_and_codes_in_one_go(database: Database) -> None:
    work = AgentWork(database)
    work.code("sold", "done")
    made = work.take(work.start(60), 29).claims

    async def scenario() -> None:
        recorder = Recorder(database, RULES, VirtualClock(work.now), Wake(), 0.0)
        running = asyncio.ensure_future(recorder.run())
        for claim in made:
            recorder.add(work.result(claim, Outcome.ANSWERED, talked=True))
            recorder.add_wrap_up(work.wrap_up(claim, "sold"))
        await recorder.flushed()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert recorder.recorded == len(made)

    asyncio.run(scenario())
    assert database.read_now(dispositions) == {"sold": (len(made), len(made))}
    assert work.drifts() == []


def test_nothing_is_known_of_an_attempt_that_there_is_not(database: Database) -> None:
    AgentWork(database).start(1)
    done = database.write_now(wrap_ups.complete, RULES, AttemptId("0" * 32), "sold", "", None, NOON)
    assert done is False
