"""Seats of agents over each database: dealt, refused with numbers, moved in one step, given back."""

import datetime as dt
from dataclasses import replace

import pytest

from outrider.agents import seats, service, sessions, sessions_store
from outrider.agents.model import AgentState, Attachment, NailUp
from outrider.agents.rebalancing import SeatChange
from outrider.db.database import Database
from outrider.errors import ConflictError, LicenceShortageError
from outrider.jobs import planning
from outrider.jobs.model import JobCommand
from outrider.jobs.schemas import ChangeLicences, StartCampaign
from outrider.licences import explaining
from outrider.licences.explained import Explained
from outrider.licences.model import LicenceKind
from support.campaigning import RULES
from support.seating import SOURCE, Seating


@pytest.fixture
def place(database: Database) -> Seating:
    return Seating(database, predictive_agents=3, preview_agents=2)


def test_the_published_example_gives_eight_and_two(database: Database) -> None:
    place = Seating(database, predictive_agents=50, preview_agents=50)
    place.job("one", "preview", priority=8)
    place.job("two", priority=2)
    for number in range(10):
        place.log_in(f"agent{number}")
    place.deal()
    jobs = list(place.where().values())
    assert (jobs.count("one"), jobs.count("two")) == (8, 2)
    assert place.drifts() == []


def test_who_rests_has_no_seat_and_who_is_ready_gets_one(place: Seating) -> None:
    place.job("a")
    place.log_in("ada", ready=False)
    assert place.deal().changes == ()
    place.is_in("ada", AgentState.READY)
    (change,) = place.deal().changes
    assert (change.session_id, change.from_task, change.to_task) == (
        place.sessions["ada"],
        None,
        place.tasks["a"],
    )
    assert change.licence == "predictive_agents"
    # A break with a seat keeps it.
    place.is_in("ada", AgentState.NOT_READY)
    assert place.deal().changes == ()
    task = place.task("a")
    assert (task["asking"], task["quota"], task["granted"], task["in_use"]) == (1, 1, 1, 1)
    assert place.log_out("ada")
    assert place.task("a")["in_use"] == 0
    place.deal()
    assert place.task("a")["asking"] == 0
    assert place.drifts() == []


def test_nothing_is_recorded_when_nothing_changes(place: Seating) -> None:
    place.job("a")
    place.log_in("ada")
    place.deal()
    before = place.recalculations()
    assert before[-1]["trigger"] == "return"
    for _ in range(3):
        done = place.deal()
        assert (done.changes, done.refused) == ((), {})
    assert len(place.recalculations()) == len(before)
    place.log_out("ada")
    place.deal()
    assert place.recalculations()[-1]["trigger"] == "idle"


def test_refusals_name_what_is_missing_and_are_tried_again(place: Seating) -> None:
    place.job("a")
    for name in ("ada", "bob", "cyd", "dan"):
        place.log_in(name)
    done = place.deal()
    assert done.refused == {place.sessions["dan"]: "no seat: 3 of 3 predictive seats are in use"}
    place.log_out("bob")
    assert place.deal().refused == {}
    assert place.where() == {"ada": "a", "cyd": "a", "dan": "a"}


def test_who_is_at_work_leaves_after_the_contact(place: Seating) -> None:
    place.job("a")
    for name in ("ada", "bob", "cyd"):
        place.log_in(name)
    place.deal()
    place.at_work = {place.sessions["ada"], place.sessions["cyd"]}
    place.command("a", JobCommand.PAUSE)
    changes = {change.session_id: change for change in place.deal().changes}
    assert {session for session, change in changes.items() if change.leaving} == place.at_work
    assert changes[place.sessions["ada"]].reason == "job a / talk is paused"
    assert changes[place.sessions["bob"]].to_task is None
    assert place.where() == {"ada": "a", "bob": None, "cyd": "a"}
    assert place.row("ada")["attachment"] == "detaching"
    assert place.deal().changes == ()
    # The floor gives one back; the other is found by the next dealing, as after a crash.
    ada = place.sessions["ada"]
    assert place.database.write_now(seats.detach, RULES, ada, place.now, "done")
    assert not place.database.write_now(seats.detach, RULES, ada, place.now, "done")
    place.at_work.clear()
    (change,) = place.deal().changes
    assert (change.session_id, change.leaving) == (place.sessions["cyd"], False)
    assert place.task("a")["in_use"] == 0
    assert place.drifts() == []


def test_a_snooze_takes_all_seats_at_once_even_in_a_call(place: Seating) -> None:
    place.job("a", minimum=0)
    place.log_in("ada")
    place.log_in("bob")
    place.deal()
    place.at_work = {place.sessions["ada"]}
    believed = dict.fromkeys(place.sessions.values(), place.tasks["a"])
    place.command("a", JobCommand.SNOOZE)
    assert place.task("a")["in_use"] == 0
    assert place.where() == {"ada": None, "bob": None}
    place.job("b")
    changes = {change.session_id: change for change in place.deal(dict(believed)).changes}
    ada, bob = changes[place.sessions["ada"]], changes[place.sessions["bob"]]
    assert (ada.from_task, ada.to_task) == (place.tasks["a"], None)
    # Who talks still is not given to another job before the end.
    assert (bob.to_task, place.where()) == (place.tasks["b"], {"ada": None, "bob": "b"})
    place.at_work.clear()
    place.deal()
    assert place.where() == {"ada": "b", "bob": "b"}
    assert place.drifts() == []


def test_the_least_proficient_leaves_when_a_job_shrinks(place: Seating) -> None:
    place.job("a", dutch=1)
    place.log_in("ada", dutch=9)
    place.log_in("bob", dutch=2)
    place.log_in("cyd", dutch=5)
    place.deal()
    place.limit("a", maximum=2)
    place.deal()
    assert place.where() == {"ada": "a", "bob": None, "cyd": "a"}
    place.license(predictive_agents=1, preview_agents=2)
    place.deal()
    assert place.where() == {"ada": "a", "bob": None, "cyd": None}
    place.license(predictive_agents=0, preview_agents=2)
    done = place.deal()
    assert done.refused[place.sessions["ada"]] == "no seat: there is no predictive licence here"
    assert place.drifts() == []


def test_seats_wait_until_others_have_given_theirs_back(place: Seating) -> None:
    place.job("a", minimum=0, dutch=1)
    for name in ("ada", "bob", "cyd"):
        place.log_in(name, dutch=5)
    place.deal()
    place.at_work = set(place.sessions.values())
    place.job("b", minimum=2, priority=10)
    place.log_in("eva")
    done = place.deal()
    assert done.refused == {
        place.sessions["eva"]: "no seat yet for job b / talk: it waits for seats that others still have"
    }
    assert sum(change.leaving for change in done.changes) == 2
    place.at_work.clear()
    place.deal()
    place.deal()
    assert (place.where()["eva"], list(place.where().values()).count("b")) == ("b", 2)
    assert place.drifts() == []


def test_an_api_session_takes_a_licence_from_login_to_logout(place: Seating) -> None:
    place.license(predictive_agents=3, agent_web_api=1)
    place.log_in("ada")
    place.hire("bob")
    with pytest.raises(LicenceShortageError, match="1 of 1 are in use"):
        place.log_in("bob")
    place.log_in("cyd", api=False)
    with pytest.raises(ConflictError, match="is logged in already"):
        place.log_in("ada")
    place.log_out("ada")
    place.log_in("bob")
    gone = place.sessions["bob"]
    assert place.log_out("bob")
    assert not place.database.write_now(sessions.close_session, RULES, gone, place.now, "again")
    assert [row["api"] for row in place.rows()] == [False]


def explained(place: Seating, job: str) -> Explained:
    return place.database.read_now(explaining.why_task, RULES, place.tasks[job], None, place.now)


def test_jobs_say_what_keeps_agents_from_them(place: Seating) -> None:
    place.job("a")
    place.deal()
    assert "no agent is logged in and ready" in explained(place, "a").sentence
    place.log_in("ada")
    place.deal()
    told = explained(place, "a")
    assert (told.binding, told.need, told.quota) == ("agents", 1, 1)
    assert "the only agent logged in is given out" in told.sentence
    for name in ("bob", "cyd", "dan"):
        place.log_in(name)
    place.deal()
    told = explained(place, "a")
    assert (told.binding, told.limit, told.need) == ("pool", ("predictive_agents",), 3)
    assert "all 3 predictive agent licences are given out" in told.sentence
    place.job("b", "preview", maximum=1)
    place.deal()
    assert explained(place, "b").binding == "maximum"
    # With room for more, nobody has the skills.
    place.license(predictive_agents=9, preview_agents=2)
    place.job("c", dutch=3)
    place.hire("eva")
    place.deal()
    place.log_in("eva")
    place.limit("a", maximum=3)
    place.deal()
    told = explained(place, "c")
    assert (told.binding, told.quota) == ("need", 0)


def test_what_if_knows_how_many_agents_there_are(place: Seating) -> None:
    place.job("a", priority=5)
    for name in ("ada", "bob", "cyd", "dan"):
        place.log_in(name)
    place.deal()

    def suppose(change: ChangeLicences | StartCampaign) -> dict[str, int | None]:
        found = place.database.read_now(planning.what_if, RULES, place.pool, None, [change], place.now)
        return {each.task.name: each.after for each in found.tasks}

    more = ChangeLicences(what="change_count", kind=LicenceKind.PREDICTIVE_AGENTS, by=5)
    assert suppose(more) == {"a / talk": 4}
    source = SOURCE.format(name="b", minimum=1, maximum=9, priority=5, mode="preview", skills="")
    campaign = place.system.campaign("b", [place.system.contact_list("b", 1)], source=source)
    start = StartCampaign(what="start_campaign", campaign_id=campaign)
    assert suppose(start) == {"a / talk": 2, "b / talk (new)": 2}


def test_the_floor_is_heard_about_all_but_the_seat(place: Seating) -> None:
    place.job("a")
    place.log_in("ada")
    place.deal()
    (kept,) = place.database.read_now(sessions.open_sessions)
    assert (kept.session.attachment, kept.session.task_id) == (Attachment.ATTACHED, place.tasks["a"])
    wish = replace(
        kept.session,
        state=AgentState.TALKING,
        attachment=Attachment.DETACHING,
        then=AgentState.NOT_READY,
        then_reason="lunch",
        nail_up=NailUp.UP,
    )
    place.database.write_now(sessions.save_sessions, [wish], [])
    (after,) = place.database.read_now(sessions.open_sessions)
    assert after.session == replace(wish, connected=False)
    # What the floor had not heard of yet does not undo it.
    stale = replace(wish, attachment=Attachment.FREE, task_id=None)
    place.database.write_now(sessions.save_sessions, [stale], [])
    assert (place.row("ada")["attachment"], place.where()["ada"]) == ("detaching", "a")
    assert place.drifts() == []


def test_a_session_that_was_not_closed_before_the_end_is_closed_later(place: Seating) -> None:
    place.license(predictive_agents=1, agent_web_api=1)
    place.job("a")
    place.log_in("ada")
    place.deal()
    place.is_in("ada", AgentState.LOGGED_OUT)
    del place.sessions["ada"]
    assert place.database.read_now(sessions.open_sessions) == []
    place.log_in("bob")
    place.now += dt.timedelta(minutes=1)
    place.deal()
    assert [row["name"] for row in place.database.read_now(sessions_store.live, None)] == ["bob"]
    place.is_in("bob", AgentState.READY)
    place.deal()
    assert place.where()["bob"] == "a"
    place.is_in("bob", AgentState.LOGGED_OUT)
    # Whoever logs in again does not have to wait for that.
    place.log_in("bob")
    assert place.drifts() == []


def test_logins_and_logouts_are_in_the_audit(place: Seating) -> None:
    place.log_in("ada", ready=False)
    place.log_out("ada")
    found, _ = place.database.read_now(service.transitions, place.agents["ada"], None, None, 9)
    assert [(row["before"], row["after"], row["reason"]) for row in found] == [
        ("not_ready", "logged_out", "went home"),
        ("logged_out", "not_ready", "logged in"),
    ]


def test_nobody_is_taken_for_idle_when_the_floor_is_asked_first(place: Seating) -> None:
    place.job("a")
    place.log_in("ada")
    place.deal()
    place.command("a", JobCommand.PAUSE)

    def ask() -> SeatChange:
        (change,) = place.database.write_now(
            seats.rebalance, RULES, place.pool, place.now, ask_first=True
        ).changes
        return change

    change = ask()
    assert (change.leaving, place.where(), place.row("ada")["attachment"]) == (
        True,
        {"ada": "a"},
        "detaching",
    )
    # It gets no contact any more, so that the seat of one who is idle still can be taken.
    change = ask()
    assert (change.leaving, place.where()) == (False, {"ada": None})
    assert place.drifts() == []
