"""Why a contact is not called, over both databases: each state as it arises, and in step with claims."""

import datetime as dt

import pytest

from outrider.agents import job_figures, pacing_view, seats
from outrider.agents.job_figures import AgentSample
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy_agents import AgentMode
from outrider.db.database import Database
from outrider.dialing.contact_why import ContactWhy, contact_why
from outrider.dialing.why_nobody import ContactState
from outrider.errors import NotFoundError
from outrider.ids import JobId
from outrider.jobs import service as jobs
from outrider.jobs.model import JobCommand
from support.agent_campaigns import AgentWork
from support.campaigning import RULES
from support.decided import DECISION

HOUR = dt.timedelta(hours=1)
RETRIES = "".join(f"[actions.retry.{name}]\ncount = 3\ndelays = [600]\n" for name in ("busy", "abandoned"))


def why(work: AgentWork, job_id: JobId, number: int = 0) -> ContactWhy:
    """Return why the nth contact is not called."""
    contact_id = int(work.targets()[number]["contact_id"])
    return work.database.read_now(contact_why, int(job_id), contact_id, None, work.now)


def test_a_due_contact_then_a_call_then_its_code(database: Database) -> None:
    work = AgentWork(database)
    work.code("sold", "done")
    job_id = work.start(2)
    assert why(work, job_id).state is ContactState.DUE
    (claim,) = work.take(job_id, 1).claims
    called = why(work, job_id)
    assert (called.state, called.address) == (ContactState.IN_HAND, claim.address)
    work.end(claim, Outcome.ANSWERED, talked=True)
    waits = why(work, job_id)
    assert waits.state is ContactState.COMPLETION_CODE
    assert waits.until is not None
    assert waits.until > work.now
    work.record(work.wrap_up(claim, "sold"))
    done = why(work, job_id)
    assert (done.state, done.sentence) == (ContactState.DONE, "It is done: answered (sold).")


def test_a_card_names_the_agent_who_looks_at_it(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(1, mode="preview")
    work.card(job_id)
    assert why(work, job_id).sentence == "Agent ada looks at its card."


def test_a_retry_pause_and_a_claim_agree(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(1, extra=RETRIES)
    (claim,) = work.take(job_id, 1).claims
    work.end(claim, Outcome.BUSY)
    found = why(work, job_id)
    assert (found.state, found.detail, found.attempts) == (ContactState.RETRY, "busy", 1)
    assert found.until == work.now + dt.timedelta(seconds=600)
    work.wait(seconds=599)
    assert work.take(job_id, 1).claims == ()
    work.wait(seconds=1)
    assert why(work, job_id).state is ContactState.DUE
    assert len(work.take(job_id, 1).claims) == 1


def test_an_abandoned_contact_is_locked_out(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(1, extra=RETRIES)
    (claim,) = work.take(job_id, 1).claims
    work.end(claim, Outcome.ABANDONED, answered_at=work.now)
    found = why(work, job_id)
    assert found.state is ContactState.LOCKOUT
    assert found.until is not None
    assert found.until > work.now + 72 * HOUR
    work.now = found.until - dt.timedelta(minutes=1)
    assert work.take(job_id, 1).claims == ()
    work.now = found.until
    assert why(work, job_id).state is ContactState.DUE


def test_hours_are_closed_until_they_open(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(1)
    work.wait(hours=11)
    found = why(work, job_id)
    assert found.state is ContactState.HOURS
    assert found.until is not None
    assert work.take(job_id, 1).claims == ()
    work.now = found.until
    assert why(work, job_id).state is ContactState.DUE
    assert len(work.take(job_id, 1).claims) == 1


def test_a_number_on_a_do_not_contact_list(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(1)
    address = why(work, job_id).address
    assert address
    work.block(address)
    assert why(work, job_id).state is ContactState.DO_NOT_CONTACT


def test_a_stranger_is_none_of_the_job(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(1)
    with pytest.raises(NotFoundError, match="contact 999 is not one of job"):
        database.read_now(contact_why, int(job_id), 999, None, work.now)
    contact_id = int(work.targets()[0]["contact_id"])
    with pytest.raises(NotFoundError):
        database.read_now(contact_why, int(job_id), contact_id, 999, work.now)


def test_a_task_tells_what_pacing_decided_while_it_runs(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(2)
    task_id = work.plan(job_id).task_id
    asked = (RULES, task_id, None, work.now)
    database.write_now(seats.rebalance, RULES, work.plan(job_id).pool_id, work.now)
    told = database.read_now(pacing_view.pacing, *asked, [("pbx", DECISION)])
    assert (told.mode, told.bound) == (AgentMode.PREDICTIVE, "agents")
    assert told.sentence.startswith("On pbx: dials nobody: 1 agent is free, 3 lines ring")
    assert told.decisions[0].decision is DECISION
    database.write_now(jobs.command, RULES, job_id, None, JobCommand.PAUSE, work.now, "test")
    told = database.read_now(pacing_view.pacing, *asked, [("pbx", DECISION)])
    assert (told.bound, told.sentence) == ("paused", "The job is paused.")


def test_figures_and_the_chart_come_from_samples_and_counts(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(6)
    task_id = work.plan(job_id).task_id
    for number, claim in enumerate(work.take(job_id, 4).claims):
        work.end(claim, Outcome.ANSWERED if number else Outcome.ABANDONED, answered_at=work.now)
    for busy, ready in ((0, 4), (3, 1)):
        work.wait(seconds=5)
        database.write_now(job_figures.keep, [AgentSample(task_id, busy, ready, 2, 1)], work.now)
    found = database.read_now(job_figures.figures, int(job_id), None, work.now)
    (task,) = found.tasks
    assert (task.busy, task.ready, task.lines, task.waiting) == (3, 1, 2, 1)
    assert (task.busy_share, task.busy_share_hour) == (0.75, 3 / 8)
    assert (found.live, found.abandoned, found.abandonment, found.limit) == (4, 1, 0.25, 0.03)
    chart = database.read_now(job_figures.chart, int(job_id), None, work.now - HOUR)
    assert (chart.busy, chart.ready, chart.abandoned_today) == ((0, 3), (4, 1), (0.25, 0.25))
    work.wait(minutes=2)
    (later,) = database.read_now(job_figures.figures, int(job_id), None, work.now).tasks
    assert (later.busy, later.busy_share, later.busy_share_hour) == (None, None, 3 / 8)


def test_a_long_chart_is_thinned_to_means_and_ends_with_the_newest(database: Database) -> None:
    work = AgentWork(database)
    job_id = work.start(1)
    task_id = work.plan(job_id).task_id
    begin = work.now
    for number in range(2 * job_figures.POINTS):
        work.wait(seconds=5)
        sample = AgentSample(task_id, number % 2, 1, 0, 0)
        database.write_now(job_figures.keep, [sample], work.now)
    chart = database.read_now(job_figures.chart, int(job_id), None, begin)
    assert len(chart.at) == job_figures.POINTS
    assert set(chart.busy) == {0.5}
    assert chart.at[-1] == work.now.timestamp()
    assert chart.abandoned_today == (None,) * job_figures.POINTS
