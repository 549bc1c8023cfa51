"""Seats of agents who are moved, or whose zone changes, over each database."""

from dataclasses import replace

import pytest

from outrider.agents import seats, service, sessions, sessions_store
from outrider.agents.accounts import AccountPlan
from outrider.agents.model import AgentState, Attachment
from outrider.db.database import Database, Tx
from outrider.errors import ConflictError, LicenceShortageError, NotFoundError
from outrider.ids import TaskId
from outrider.jobs.model import JobCommand
from outrider.licences import division, division_store
from outrider.licences.tree import Counts
from outrider.people.model import SYSTEM
from outrider.supply import service as supply
from support.campaigning import RULES
from support.seating import Seating


@pytest.fixture
def place(database: Database) -> Seating:
    return Seating(database, predictive_agents=3, preview_agents=2)


def test_a_move_takes_the_seat_along_and_dealing_leaves_it_there(place: Seating) -> None:
    place.job("a")
    place.job("b", "preview")
    for name in ("ada", "bob", "cyd", "dan"):
        place.log_in(name)
    place.deal()
    there = place.where()
    mover = next(name for name, job in there.items() if job == "b")
    place.database.write_now(seats.move, RULES, place.sessions[mover], place.tasks["a"], place.now)
    assert place.where()[mover] == "a"
    place.deal()
    assert place.where()[mover] == "a"
    assert sorted(place.where().values(), key=str) == ["a", "a", "b", "b"]
    with pytest.raises(ConflictError, match="works for this job already"):
        place.database.write_now(seats.move, RULES, place.sessions[mover], place.tasks["a"], place.now)
    assert place.drifts() == []


def test_a_seat_that_its_licence_was_taken_from_cannot_be_moved(place: Seating) -> None:
    """It drains: moved, it would be granted anew, of a pool that has none left (licensing.md 2.1)."""
    place.job("a", minimum=0)
    place.job("b", minimum=0)
    place.log_in("ada")
    place.deal()
    (there,) = place.where().values()
    other = "b" if there == "a" else "a"
    place.license(predictive_agents=0, preview_agents=2)
    before = (place.rows(), place.task("a"), place.task("b"))
    with pytest.raises(LicenceShortageError, match="no seat: 1 of 0 predictive seats are taken"):
        place.database.write_now(seats.move, RULES, place.sessions["ada"], place.tasks[other], place.now)
    assert (place.rows(), place.task("a"), place.task("b")) == before
    assert place.drifts() == []


def test_a_move_that_does_not_fit_changes_nothing_and_says_why(place: Seating) -> None:
    place.license(predictive_agents=1, preview_agents=2)
    place.job("a", minimum=1)
    place.job("b", "preview", maximum=2)
    for name in ("ada", "bob", "cyd", "dan"):
        place.log_in(name)
    place.deal()
    assert sorted(place.where().values(), key=str) == [None, "a", "b", "b"]
    mover = next(name for name, job in place.where().items() if job == "b")
    before = (place.rows(), place.task("a"), place.task("b"))
    with pytest.raises(LicenceShortageError, match="no seat: 1 of 1 predictive seats are taken") as refused:
        place.database.write_now(seats.move, RULES, place.sessions[mover], place.tasks["a"], place.now)
    assert refused.value.facts == {"kind": "predictive_agents", "in_use": 1, "limit": 1}
    assert (place.rows(), place.task("a"), place.task("b")) == before
    free = next(name for name, job in place.where().items() if job is None)
    with pytest.raises(LicenceShortageError, match="job b / talk is at its maximum of 2 agents"):
        place.database.write_now(seats.attach, RULES, place.sessions[free], place.tasks["b"], place.now)
    with pytest.raises(NotFoundError, match="there is no task 999"):
        place.database.write_now(seats.attach, RULES, place.sessions[free], TaskId(999), place.now)


def test_agents_of_a_deleted_zone_move_to_the_default_one(place: Seating) -> None:
    def entitlement(tx: Tx) -> Counts:
        return supply.current(tx).counts

    place.database.write_now(division.add_zone, "South", place.now, "test")
    place.hire("ada")

    def settle_in(tx: Tx) -> None:
        service.change(
            tx,
            place.now,
            SYSTEM,
            place.agents["ada"],
            AccountPlan("ada", "sip:ada@example.org", zone="South"),
        )

    place.database.write_now(settle_in)
    place.license(predictive_agents=3, preview_agents=2)
    place.log_in("ada", api=False)
    south = place.row("ada")["pool_id"]
    assert south != place.pool
    counts = place.database.read_now(entitlement)
    place.database.write_now(division.remove_zone, RULES, counts, "South", place.now, "test")
    assert place.database.write_now(division_store.purge_retired) == 0
    assert place.row("ada")["pool_id"] == south
    place.log_out("ada")
    assert place.database.write_now(division_store.purge_retired) == 1
    place.log_in("ada")
    assert place.row("ada")["pool_id"] == place.pool


def test_a_session_stays_in_the_zone_in_which_it_logged_in(place: Seating) -> None:
    place.database.write_now(division.add_zone, "South", place.now, "test")
    place.log_in("ada")
    (before,) = place.database.read_now(sessions.open_sessions)
    moved = AccountPlan("ada", "sip:ada@example.org", zone="South")
    place.database.write_now(service.change, place.now, SYSTEM, place.agents["ada"], moved)
    (after,) = place.database.read_now(sessions.open_sessions)
    assert (after.session.pool_id, after.zone_id) == (place.pool, before.zone_id)
    (shown,) = place.database.read_now(sessions_store.live, None)
    assert shown["zone"] == "default"


def test_a_move_is_kept_for_an_agent_whose_old_job_is_snoozed_and_made_without_a_seat(place: Seating) -> None:
    place.job("a")
    place.job("b")
    place.log_in("ada")
    place.deal()
    (kept,) = place.database.read_now(sessions.open_sessions)
    old = next(job for job in ("a", "b") if place.tasks[job] == kept.session.task_id)
    new = "b" if old == "a" else "a"
    moving = replace(
        kept.session,
        state=AgentState.TALKING,
        attachment=Attachment.MOVING,
        next_task=place.tasks[new],
        pending_why="moves after the contact in hand",
    )
    place.database.write_now(sessions.save_sessions, [moving], [])
    place.command(old, JobCommand.SNOOZE)
    assert place.where() == {"ada": None}
    without = replace(moving, attachment=Attachment.FREE, task_id=None)
    place.database.write_now(sessions.save_sessions, [without], [])
    (after,) = place.database.read_now(sessions.open_sessions)
    assert after.session == replace(without, connected=False)
    place.database.write_now(seats.move, RULES, place.sessions["ada"], place.tasks[new], place.now)
    assert place.where() == {"ada": new}
    assert place.drifts() == []
