"""A desktop that is lost while its agent is free, looks at a card, talks, holds, consults or wraps up."""

import pytest

from outrider.agents.absence import DESKTOP_LOST
from outrider.agents.actions import Complete, EndSession, Give, HangUp, Join, Miss, ReturnCard
from outrider.agents.commands import ConsultCall, Hold, LogOut, NotReady, Unhold
from outrider.agents.model import AgentState, SessionId
from outrider.campaigns.strategy_agents import AgentMode
from outrider.channels.model import CallPurpose
from outrider.ids import AttemptId
from support.floor_play import Play, leg_of, task

SELL = task(1)
PREVIEW = task(2, AgentMode.PREVIEW)


def desktop(play: Play, *, there: bool, number: int = 1) -> None:
    """Let a desktop come or go."""
    play.take(play.floor.connected(SessionId(number), play.now, connected=there))


def working() -> tuple[Play, str]:
    """Return a floor with one agent at a desktop, and its phone."""
    play = Play()
    phone = play.at_work(1, SELL)
    desktop(play, there=True)
    return play, phone


def test_nobody_is_given_to_an_agent_whose_desktop_is_lost_until_it_is_back() -> None:
    play, _ = working()
    desktop(play, there=False)
    assert (play.session(1).state, play.session(1).reason) == (AgentState.NOT_READY, DESKTOP_LOST)
    assert play.answer("c1", SELL) == ()
    assert play.wait(2) == (Miss(AttemptId("c1")),)
    play.answer("c2", SELL)
    desktop(play, there=True)
    assert isinstance(play.done[-1], Give)
    assert play.session(1).state is AgentState.TALKING


def test_a_card_that_nobody_looks_at_goes_back_and_is_not_dialed() -> None:
    play = Play()
    play.at_work(1, PREVIEW)
    desktop(play, there=True)
    assert play.card(1, "c1", PREVIEW)
    desktop(play, there=False)
    assert play.done == (ReturnCard(AttemptId("c1"), skipped=False, reason=DESKTOP_LOST),)
    assert play.wait(600) == ()
    assert not play.card(1, "c2", PREVIEW)
    desktop(play, there=True)
    assert play.card(1, "c3", PREVIEW)


@pytest.mark.parametrize("held", [False, True])
def test_a_contact_goes_on_by_phone_and_is_wrapped_up_by_time(held: bool) -> None:  # noqa: FBT001 - a parameter
    play, _ = working()
    play.talk("c1", SELL)
    if held:
        play.command(1, Hold())
    state = play.session(1).state
    desktop(play, there=False)
    assert play.done == ()
    assert play.wait(3600) == ()
    assert play.session(1).state is state
    play.end("c1")
    assert play.wait(60) == (Complete(AttemptId("c1"), SessionId(1), "done", by_timeout=True),)
    assert (play.session(1).state, play.session(1).reason) == (AgentState.NOT_READY, DESKTOP_LOST)


def test_an_agent_who_is_back_in_time_works_on_as_if_nothing_had_been() -> None:
    play, phone = working()
    play.talk("c1", SELL)
    play.command(1, Hold())
    desktop(play, there=False)
    desktop(play, there=True)
    assert play.command(1, Unhold()) == (Join(AttemptId("c1"), phone),)
    play.end("c1")
    desktop(play, there=False)
    desktop(play, there=True)
    play.wait(60)
    assert play.session(1).is_free


def test_a_consultation_goes_on_and_leads_back_to_the_contact() -> None:
    play, phone = working()
    play.talk("c1", SELL)
    third = leg_of(play.command(1, ConsultCall("+431555")), CallPurpose.CONSULT)
    play.take(play.floor.leg_up(third, "", play.now))
    desktop(play, there=False)
    assert play.done == ()
    assert play.take(play.floor.leg_ended(third, play.now, "hung up")) == (Join(AttemptId("c1"), phone),)
    assert play.session(1).state is AgentState.TALKING


def test_a_break_or_logout_that_was_wished_for_stays() -> None:
    play, phone = working()
    play.talk("c1", SELL)
    play.command(1, NotReady("lunch"))
    desktop(play, there=False)
    desktop(play, there=True)
    assert play.session(1).then_reason == "lunch"
    play.command(1, LogOut("home"))
    desktop(play, there=False)
    play.end("c1")
    done = play.wait(60)
    assert done[1:] == (HangUp(AttemptId(phone)), EndSession(SessionId(1), "home"))


def test_who_rests_is_not_made_ready_by_a_desktop() -> None:
    play, _ = working()
    play.command(1, NotReady("lunch"))
    desktop(play, there=False)
    desktop(play, there=True)
    assert (play.session(1).state, play.session(1).reason) == (AgentState.NOT_READY, "lunch")
