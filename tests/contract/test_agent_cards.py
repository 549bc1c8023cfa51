"""Cards that agents look at before anything is dialed, over each database: dialed, given back, skipped."""

from pathlib import Path

from outrider.campaigns.outcome import Outcome
from outrider.db.database import Database
from outrider.dialing import agent_claims, plans
from support.agent_campaigns import AgentWork, known_targets
from support.campaigning import RULES
from support.outreach import attempts, outreach, run, targets

BERLIN = "+493012345601"
LIMIT = """
[restrictions]
[[restrictions.limits]]
attempts = 1
period = "24h"
per = "address"
"""


def test_a_card_becomes_a_call_once(database: Database) -> None:
    work = AgentWork(database)
    claim = work.card(work.start(1))
    row = work.attempt(claim)
    assert (row["preview"], row["session_id"], claim.preview) == (True, work.session, True)
    assert [work.start_card(claim), work.start_card(claim)] == [True, False]
    assert work.attempt(claim)["preview"] is False
    assert not work.give_back(claim, skipped=False)
    assert work.attempt(claim)["ended_at"] is None
    work.end(claim, Outcome.BUSY)
    assert work.drifts() == []


def test_a_card_that_is_taken_back_costs_the_contact_nothing(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start([{"phone": BERLIN}], top=LIMIT)
    for _ in range(3):
        claim = work.card(job_id)
        assert [work.give_back(claim, skipped=False) for _ in range(2)] == [True, False]
        assert not work.start_card(claim)
        assert known_targets(work)[0][:2] == ("due", 0)
    claim = work.card(job_id)
    assert claim.number == 1
    assert work.start_card(claim)
    work.end(claim, Outcome.BUSY)
    # That was a call: the limit counts it.
    assert work.drifts() == []


def test_a_card_that_is_skipped_is_an_attempt_that_the_strategy_goes_on_from(database: Database) -> None:
    work = AgentWork(database)
    claim = work.card(work.start(1))
    assert work.give_back(claim, skipped=True)
    assert work.attempt(claim)["outcome"] == "skipped"
    assert work.targets()[0]["attempts"] == 1
    assert work.drifts() == []


def test_cards_of_a_dead_process_were_never_dialed(database: Database, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with outreach(database, tmp_path, speed=1, predictive_agents=3, telephony_ports=9) as running:
            work = AgentWork(database, predictive_agents=3, telephony_ports=9)
            work.now = running.clock.now()
            job_id = work.start(1)
            (found,) = database.write_now(
                agent_claims.take_for_agents,
                RULES,
                work.plan(job_id),
                1,
                "a dead worker",
                work.now,
                session_id=work.session,
                preview=True,
            ).claims
            (orphan,) = database.read_now(plans.orphans, ["a dead worker"])
            assert (orphan.preview, orphan.session_id) == (True, work.session)
            await running.until(lambda tx: attempts(tx)[0]["ended_at"])
            row = database.read_now(attempts)[0]
            assert (row["id"], row["outcome"]) == (found.attempt_id, "skipped")
            (target,) = database.read_now(targets)
            assert (target["state"], target["attempts"]) == ("due", 0)
            assert running.carrier is not None

    run(scenario)
