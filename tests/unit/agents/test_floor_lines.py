"""Phones that are lost, people who are consulted, transfers and conferences on the floor."""

import datetime as dt
from dataclasses import replace

import pytest

from outrider.agents.actions import Complete, EndSession, HangUp, Join, Leave
from outrider.agents.commands import (
    AcceptPreview,
    Callback,
    CancelConsult,
    CompleteTransfer,
    ConsultCall,
    EndConference,
    LogOut,
    SkipPreview,
    StartConference,
    WrapUp,
)
from outrider.agents.lines import PHONE_LOST
from outrider.agents.model import AgentState, LegId, NailUp, SessionId
from outrider.campaigns.strategy_agents import AgentMode
from outrider.channels.model import CallPurpose
from outrider.errors import ConflictError
from outrider.ids import AttemptId
from support.floor_play import Play, leg_of, task

SELL = task(1)


def calling_third(play: Play) -> tuple[str, LegId]:
    """Let an agent talk to a contact and call a third person; return the agent's leg and the third one."""
    phone = play.at_work(1, SELL)
    play.talk("c1", SELL)
    done = play.command(1, ConsultCall("+431555"))
    assert done[0] == Leave(AttemptId("c1"))
    return phone, leg_of(done, CallPurpose.CONSULT)


def consulting(play: Play) -> tuple[str, LegId]:
    """Let an agent talk to a contact and consult somebody; return the agent's leg and the third one."""
    phone, third = calling_third(play)
    assert play.take(play.floor.leg_up(third, "", play.now)) == (Join(third, phone),)
    return phone, third


def test_a_phone_that_is_lost_between_calls_is_called_again() -> None:
    play = Play()
    phone = play.at_work(1, SELL)
    done = play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone"))
    assert leg_of(done, CallPurpose.AGENT) != phone
    assert play.session(1).nail_up is NailUp.DIALING
    assert not play.session(1).is_free


def test_a_phone_that_does_not_answer_is_called_again_after_a_pause() -> None:
    play = Play()
    phone = play.at_work(1, SELL)
    again = leg_of(play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone")), CallPurpose.AGENT)
    assert play.take(play.floor.leg_ended(again, play.now, "no answer")) == ()
    assert leg_of(play.wait(10), CallPurpose.AGENT) not in (phone, again)


def test_a_contact_whose_agents_phone_is_lost_hears_music_and_is_joined_again() -> None:
    play = Play()
    phone = play.at_work(1, SELL)
    play.talk("c1", SELL)
    done = play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone"))
    assert done[0] == Leave(AttemptId("c1"))
    assert (play.session(1).state, play.session(1).reason) == (AgentState.HOLD, PHONE_LOST)
    again = leg_of(done, CallPurpose.AGENT)
    joined = play.take(play.floor.leg_up(again, "", play.now))
    assert joined == (Join(again, again), Join(AttemptId("c1"), again))
    assert play.session(1).state is AgentState.TALKING
    assert play.wait(60) == ()


def test_a_contact_whose_agent_has_no_phone_is_not_kept_for_ever() -> None:
    play = Play()
    phone = play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone"))
    assert play.wait(20) == (HangUp(AttemptId("c1")),)
    play.end("c1", by="fault")
    assert play.session(1).state is AgentState.WRAP_UP


def test_a_contact_stays_with_the_third_person_when_the_agents_phone_is_lost() -> None:
    play = Play()
    phone, third = consulting(play)
    done = play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone"))
    assert done == (Join(third, third), Join(AttemptId("c1"), third))
    assert play.session(1).state is AgentState.WRAP_UP


def test_a_contact_stays_on_hold_when_the_phone_is_back_and_the_third_person_rings() -> None:
    play = Play()
    phone, third = calling_third(play)
    done = play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone"))
    again = leg_of(done, CallPurpose.AGENT)
    assert play.take(play.floor.leg_up(again, "", play.now)) == (Join(again, again),)
    assert (play.session(1).state, play.session(1).reason) == (AgentState.HOLD, "")
    assert play.take(play.floor.leg_up(third, "", play.now)) == (Join(third, again),)
    assert play.wait(60) == ()


def test_a_third_person_who_answers_before_the_phone_is_back_is_joined_when_it_is() -> None:
    play = Play()
    phone, third = calling_third(play)
    done = play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone"))
    again = leg_of(done, CallPurpose.AGENT)
    assert play.take(play.floor.leg_up(third, "", play.now)) == ()
    with pytest.raises(ConflictError, match="phone is not connected"):
        play.command(1, StartConference())
    assert play.take(play.floor.leg_up(again, "", play.now)) == (Join(again, again), Join(third, again))
    assert play.session(1).state is AgentState.HOLD


@pytest.mark.parametrize("phone_is", ["not answered", "still ringing"])
def test_a_third_person_who_answers_gets_the_contact_when_the_phone_does_not_come_back(phone_is: str) -> None:
    play = Play()
    phone, third = calling_third(play)
    done = play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone"))
    again = leg_of(done, CallPurpose.AGENT)
    play.take(play.floor.leg_up(third, "", play.now))
    if phone_is == "not answered":
        done = play.take(play.floor.leg_ended(again, play.now, "no answer"))
    else:
        done = play.wait(20)
    assert done == (Join(third, third), Join(AttemptId("c1"), third))
    assert play.session(1).state is AgentState.WRAP_UP


def test_a_contact_is_not_joined_to_a_phone_that_rings_when_the_consultation_fails() -> None:
    play = Play()
    phone, third = calling_third(play)
    done = play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone"))
    again = leg_of(done, CallPurpose.AGENT)
    assert play.take(play.floor.leg_ended(third, play.now, "busy")) == ()
    assert play.session(1).state is AgentState.HOLD
    joined = play.take(play.floor.leg_up(again, "", play.now))
    assert joined == (Join(again, again), Join(AttemptId("c1"), again))


def test_a_third_person_is_not_kept_for_ever_when_contact_and_phone_are_gone() -> None:
    play = Play()
    phone, third = consulting(play)
    play.end("c1")
    done = play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone"))
    again = leg_of(done, CallPurpose.AGENT)
    assert play.take(play.floor.leg_ended(again, play.now, "no answer")) == (HangUp(third),)
    play.take(play.floor.leg_ended(third, play.now, "ended"))
    assert play.session(1).state is AgentState.WRAP_UP


def test_nobody_is_consulted_while_the_phone_is_called_again() -> None:
    play = Play()
    phone = play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.take(play.floor.leg_ended(AttemptId(phone), play.now, "gone"))
    with pytest.raises(ConflictError, match="phone is not connected"):
        play.command(1, ConsultCall("+431555"))
    assert play.session(1).reason == PHONE_LOST


def test_a_transfer_leaves_both_talking_until_one_of_them_hangs_up() -> None:
    play = Play()
    _, third = consulting(play)
    assert play.command(1, CompleteTransfer()) == (Join(third, third), Join(AttemptId("c1"), third))
    play.command(1, WrapUp("sale"))
    assert play.session(1).state is AgentState.READY
    assert play.take(play.floor.leg_ended(third, play.now, "hung up")) == (HangUp(AttemptId("c1")),)
    assert play.end("c1") == (HangUp(third),)


def test_what_an_agent_says_of_a_transferred_contact_is_written_down_while_that_still_talks() -> None:
    play = Play()
    consulting(play)
    play.command(1, CompleteTransfer())
    promise = Callback(play.now + dt.timedelta(days=1))
    said = Complete(AttemptId("c1"), SessionId(1), "sale", "a note", promise)
    assert play.command(1, WrapUp("sale", "a note", promise)) == (said,)


def test_a_conference_and_its_end() -> None:
    play = Play()
    phone, third = consulting(play)
    assert play.command(1, StartConference()) == (Join(AttemptId("c1"), phone),)
    assert play.session(1).state is AgentState.TALKING
    assert play.command(1, EndConference()) == (HangUp(third),)
    assert play.take(play.floor.leg_ended(third, play.now, "ended")) == ()
    assert play.session(1).state is AgentState.TALKING
    play.end("c1")
    assert play.session(1).state is AgentState.WRAP_UP


def test_a_consultation_that_is_cancelled_leads_back_to_the_contact() -> None:
    play = Play()
    phone, third = consulting(play)
    assert play.command(1, CancelConsult()) == (HangUp(third),)
    done = play.take(play.floor.leg_ended(third, play.now, "ended"))
    assert done == (Join(AttemptId("c1"), phone),)
    assert play.session(1).state is AgentState.TALKING


def test_a_contact_who_hangs_up_during_a_consultation_is_wrapped_up_after_it() -> None:
    play = Play()
    _, third = consulting(play)
    assert play.end("c1") == ()
    assert play.session(1).state is AgentState.HOLD
    play.take(play.floor.leg_ended(third, play.now, "ended"))
    assert play.session(1).state is AgentState.WRAP_UP


def test_a_forced_logout_hands_the_contact_over_or_hangs_up_and_ends_with_the_default_code() -> None:
    play = Play()
    phone = play.at_work(1, SELL)
    play.talk("c1", SELL)
    done = play.command(1, LogOut("supervisor", force=True))
    assert done[:3] == (
        HangUp(AttemptId("c1")),
        Complete(AttemptId("c1"), SessionId(1), "done", by_timeout=True),
        HangUp(AttemptId(phone)),
    )
    assert play.floor.session(SessionId(1)) is None
    assert play.end("c1") == ()


def test_a_forced_logout_hangs_up_on_a_third_person_who_has_not_answered() -> None:
    play = Play()
    _, third = calling_third(play)
    assert play.command(1, LogOut("supervisor", force=True))[:3] == (
        HangUp(AttemptId("c1")),
        HangUp(third),
        Complete(AttemptId("c1"), SessionId(1), "done", by_timeout=True),
    )
    assert play.take(play.floor.leg_up(third, "", play.now)) == (HangUp(third),)


def test_a_forced_logout_hangs_up_on_a_third_person_whose_contact_is_gone() -> None:
    play = Play()
    phone, third = consulting(play)
    play.end("c1")
    assert play.command(1, LogOut("supervisor", force=True)) == (
        HangUp(third),
        Complete(AttemptId("c1"), SessionId(1), "done", by_timeout=True),
        HangUp(AttemptId(phone)),
        EndSession(SessionId(1), "supervisor"),
    )


def test_a_forced_logout_leaves_the_contact_with_the_third_person() -> None:
    play = Play()
    phone, third = consulting(play)
    assert play.command(1, LogOut("supervisor", force=True)) == (
        Join(third, third),
        Join(AttemptId("c1"), third),
        Complete(AttemptId("c1"), SessionId(1), "done", by_timeout=True),
        HangUp(AttemptId(phone)),
        EndSession(SessionId(1), "supervisor"),
    )
    assert play.end("c1") == (HangUp(third),)


def test_a_session_that_comes_back_without_its_phone_calls_it_and_lets_the_contact_wait() -> None:
    before = Play()
    before.at_work(1, SELL)
    before.talk("c1", SELL)
    play = Play()
    play.floor.know_task(SELL)
    lost = replace(before.session(1), nail_up=NailUp.LOST, leg=None)
    done = play.take(play.floor.admit(lost, play.now))
    assert done[0] == Leave(AttemptId("c1"))
    again = leg_of(done, CallPurpose.AGENT)
    assert play.take(play.floor.leg_up(again, "", play.now))[-1] == Join(AttemptId("c1"), again)


@pytest.mark.parametrize("lost_in", ["preview", "dialing", "wrap_up"])
def test_a_phone_that_is_lost_with_a_contact_in_hand_is_called_when_the_agent_is_ready_again(
    lost_in: str,
) -> None:
    play, of = Play(), task(1, AgentMode.PREVIEW)
    leg = play.at_work(1, of)
    assert play.card(1, "c1", of)
    if lost_in != "preview":
        play.command(1, AcceptPreview())
    if lost_in == "wrap_up":
        play.answer("c1", of, made_for=1)
        play.take(play.floor.joined(AttemptId("c1"), play.now))
        play.end("c1")
    assert play.session(1).state.value == lost_in
    play.take(play.floor.leg_ended(LegId(AttemptId(leg)), play.now, "hung up"))
    if lost_in == "preview":
        play.command(1, SkipPreview())
    elif lost_in == "dialing":
        play.end("c1", outcome="busy")
    else:
        play.command(1, WrapUp("done"))
    again = leg_of(play.wait(0), CallPurpose.AGENT)
    play.take(play.floor.leg_up(again, "", play.now))
    assert play.session(1).is_free
