"""What a desktop reads and writes in the database, over both kinds of it."""

import datetime as dt

import pytest
from sqlalchemy import insert, update

from outrider.agents import desk_service, desk_store, store
from outrider.agents.model import Agent
from outrider.campaigns.outcome import Outcome
from outrider.db import schema
from outrider.db.database import Database, Tx
from outrider.errors import ConflictError, NotAllowedError
from support.agent_campaigns import AgentWork
from support.campaigning import NOON


def agent(work: AgentWork) -> Agent:
    """Return the account of the one agent."""
    return work.database.read_now(lambda tx: store.agents(tx, None, agent_id=work.agent)[0])


def test_figures_are_those_of_the_agents_own_calls_since_a_time(database: Database) -> None:
    work = AgentWork(database)
    job = work.start(4)
    sold, refused, missed = work.take(job, 3, session_id=work.session).claims
    work.end(sold, Outcome.ANSWERED, talked=True)
    ended = work.now
    work.wait(seconds=20)
    work.record(work.wrap_up(sold, "sale"))
    work.end(refused, Outcome.ANSWERED, talked=True)
    work.record(work.wrap_up(refused, None))
    work.end(missed, Outcome.NO_ANSWER)
    found = database.read_now(desk_service.figures, agent(work), NOON)
    assert (found.calls, found.wrap_up_seconds, found.codes) == (2, 20.0, {"sale": 1, "": 1})
    assert found.attempts == 2
    after = database.read_now(desk_service.figures, agent(work), ended + dt.timedelta(hours=1))
    assert (after.calls, after.codes) == (0, {})


def test_jobs_say_what_an_agent_lacks_for_them(database: Database) -> None:
    work = AgentWork(database)
    work.start(1, name="open")
    work.start(1, name="hard", agents="skills = { dutch = 7 }")
    found = {job.campaign: job for job in database.read_now(desk_service.jobs, agent(work))}
    assert {name: job.why_not for name, job in found.items()} == {
        "open": "",
        "hard": "it asks for skills that you do not have: dutch 7",
    }
    chosen = database.write_now(desk_service.prefer, agent(work), [found["hard"].campaign_id])
    assert chosen.preferred_campaigns == (found["hard"].campaign_id,)
    found = {job.campaign: job for job in database.read_now(desk_service.jobs, chosen)}
    assert found["open"].why_not == "you prefer other campaigns"


def test_a_command_is_written_down_once(database: Database) -> None:
    work = AgentWork(database)
    work.start(1)
    database.write_now(desk_store.note_done, work.session, "c-1", "wrap_up", NOON)
    assert database.read_now(desk_store.was_done, work.session, "c-1") == "wrap_up"
    assert database.read_now(desk_store.was_done, work.session, "c-2") is None
    with pytest.raises(ConflictError):
        database.write_now(desk_store.note_done, work.session, "c-1", "wrap_up", NOON)


def test_a_user_is_bound_to_one_agent_that_is_switched_on(database: Database) -> None:
    work = AgentWork(database)
    work.start(1)

    def bind(tx: Tx) -> int:
        values = {"name": "ada", "password_hash": "x", "role": "agent", "created_at": NOON}
        U = schema.users.c  # noqa: N806 - a table's columns
        user = tx.execute(
            insert(schema.users)
            .values(**values, organization_id=work.system.organization_id, disabled=False)
            .returning(U.id)
        ).scalar_one()
        tx.execute(update(schema.agents).values(user_id=user))
        return int(user)

    with pytest.raises(NotAllowedError, match="bound to no agent"):
        database.read_now(desk_service.agent_id_of_user, 1)
    user = database.write_now(bind)
    assert database.read_now(desk_service.agent_id_of_user, user) == work.agent
    assert database.read_now(desk_service.agent_of_user, user) == agent(work)
    database.write_now(lambda tx: tx.execute(update(schema.agents).values(enabled=False)).close())
    with pytest.raises(NotAllowedError, match="switched off"):
        database.read_now(desk_service.agent_id_of_user, user)
