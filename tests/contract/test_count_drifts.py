"""`outrider check` finds counts of outcomes and dispositions that are not those of the rows."""

from sqlalchemy import insert, update

from outrider.campaigns.outcome import Outcome
from outrider.db import schema
from outrider.db.database import Database
from outrider.dialing import claims, plans, results
from outrider.dialing.attempt import Result
from outrider.jobs.loading import load_targets
from outrider.runtime import store
from support.campaigning import NOON, RULES, campaigning


def test_wrong_counts_are_found(database: Database) -> None:
    system = campaigning(database)
    system.license(outbound_ports=10)
    job_id = system.start(system.campaign("a", [system.contact_list("a", 2)]))
    database.write_now(load_targets, RULES, job_id, NOON)
    _, (plan,) = database.read_now(plans.admitted_plans, frozenset())
    made = database.write_now(claims.take_batch, RULES, plan, 2, "worker", NOON).claims
    ended = [Result(claim, Outcome.ANSWERED, NOON, disposition="yes") for claim in made]
    database.write_now(results.record, RULES, ended, NOON)
    assert database.read_now(store.drifts) == []
    counts, chosen = schema.outcome_counts, schema.disposition_counts
    database.write_now(lambda tx: tx.execute(update(counts).values(attempts=3)))
    database.write_now(lambda tx: tx.execute(update(chosen).values(final=1)))
    extra = {"task_id": plan.task_id, "outcome": "busy", "attempts": 0, "final": 1}
    database.write_now(lambda tx: tx.execute(insert(counts).values(**extra)))
    assert database.read_now(store.drifts) == [
        f"task {plan.task_id}: attempts counted answered is 3, should be 2",
        f"task {plan.task_id}: final counted busy is 1, should be 0",
        f"task {plan.task_id}: final counted yes is 1, should be 2",
    ]
