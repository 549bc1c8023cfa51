"""Answered calls on the floor: who gets them, how long they wait, what follows when they end."""

import pytest

from outrider.agents.actions import Complete, Give, HangUp, Miss
from outrider.agents.commands import EndCall, Hold, NotReady, Ready, Unhold, WrapUp
from outrider.agents.model import AgentState, SessionId
from outrider.errors import IllegalTransitionError
from outrider.ids import AttemptId
from support.floor_play import Play, task

SELL, OTHER = task(1), task(2)


def test_the_agent_who_was_free_for_longest_gets_the_call() -> None:
    play = Play()
    first = play.at_work(1, SELL)
    play.wait(1)
    play.at_work(2, SELL)
    assert play.answer("c1", SELL) == (Give(AttemptId("c1"), SessionId(1), first),)
    assert play.session(1).state is AgentState.TALKING
    assert play.session(2).state is AgentState.READY


def test_nobody_gets_a_call_of_another_job_or_server() -> None:
    play = Play()
    play.at_work(1, SELL)
    assert play.answer("c1", OTHER) == ()
    assert play.answer("c2", SELL, server="media-2") == ()
    assert play.wait(2.0) == (Miss(AttemptId("c1")), Miss(AttemptId("c2")))


def test_a_call_that_waits_goes_to_the_first_who_gets_free() -> None:
    play = Play()
    leg = play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.end("c1")
    play.answer("c2", SELL)
    play.wait(1.5)
    done = play.command(1, WrapUp("sale", "a note"))
    assert done == (
        Complete(AttemptId("c1"), SessionId(1), "sale", "a note"),
        Give(AttemptId("c2"), SessionId(1), leg),
    )
    assert play.wait(1.0) == ()


def test_a_call_that_ended_while_it_waited_is_given_to_nobody() -> None:
    play = Play()
    play.answer("c1", SELL)
    play.end("c1", outcome="abandoned")
    play.at_work(1, SELL)
    assert play.session(1).state is AgentState.READY
    assert play.wait(5) == ()


def test_one_agent_never_has_two_contacts() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    assert play.answer("c2", SELL) == ()
    play.command(1, Hold())
    assert play.answer("c3", SELL) == ()
    play.end("c1")
    assert play.answer("c4", SELL) == ()


def test_the_desktop_hears_of_everything_in_order() -> None:
    play = Play()
    play.at_work(1, SELL)
    assert play.kinds(1) == ["state_changed", "nail_up_changed", "nail_up_changed", "seat_taken"]
    play.talk("c1", SELL)
    play.command(1, Hold())
    play.command(1, Unhold())
    assert play.command(1, EndCall()) == (HangUp(AttemptId("c1")),)
    play.end("c1", by="agent")
    play.command(1, WrapUp("sale"))
    assert play.kinds(1) == [
        "state_changed",
        "call_connected",
        "state_changed",
        "call_changed",
        "state_changed",
        "call_changed",
        "call_ended",
        "state_changed",
        "wrap_up_ended",
        "state_changed",
    ]


def test_a_wrap_up_that_runs_out_ends_with_the_default_code() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.end("c1")
    assert play.wait(59) == ()
    assert play.wait(1) == (Complete(AttemptId("c1"), SessionId(1), "done", by_timeout=True),)
    assert play.session(1).state is AgentState.READY


def test_an_agent_whose_contact_cannot_be_joined_is_free_again_without_wrap_up() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.answer("c1", SELL)
    play.take(play.floor.join_failed(play.session(1).engagement.attempt_id, play.now))  # type: ignore[union-attr]
    assert play.session(1).is_free
    assert play.end("c1", outcome="failed") == ()


def test_a_break_waits_for_the_end_of_the_contact() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.command(1, NotReady("lunch"))
    assert play.session(1).state is AgentState.TALKING
    play.end("c1")
    play.command(1, WrapUp("sale"))
    assert (play.session(1).state, play.session(1).reason) == (AgentState.NOT_READY, "lunch")
    assert play.answer("c2", SELL) == ()
    assert [type(each) for each in play.command(1, Ready())] == [Give]


def test_what_the_state_forbids_is_refused_and_changes_nothing() -> None:
    play = Play()
    play.at_work(1, SELL)
    before = play.session(1)
    for command in (Hold(), Unhold(), EndCall(), WrapUp("sale")):
        with pytest.raises(IllegalTransitionError):
            play.command(1, command)
    assert play.session(1) == before
    assert play.floor.roster.take_actions() == ()
