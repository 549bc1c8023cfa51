"""Cards, calls that agents make themselves, seats and moves on the floor."""

import pytest

from outrider.agents.actions import (
    ClaimNumber,
    Complete,
    DialCard,
    EndSession,
    Give,
    HangUp,
    MoveSeat,
    ReleaseSeat,
    ReturnCard,
)
from outrider.agents.commands import (
    AcceptPreview,
    Detach,
    Dial,
    ExtendWrapUp,
    LogOut,
    MoveTo,
    Ready,
    Redial,
    SkipPreview,
    WrapUp,
)
from outrider.agents.model import AgentState, Attachment, SessionId
from outrider.campaigns.strategy_agents import AgentMode
from outrider.errors import ConflictError
from outrider.ids import AttemptId, TaskId
from support.floor_play import Play, engagement, task

PREVIEW, MANUAL, SELL = task(1, AgentMode.PREVIEW), task(2, AgentMode.MANUAL), task(3)


def test_a_card_is_looked_at_dialed_and_talked_about() -> None:
    play = Play()
    phone = play.at_work(1, PREVIEW)
    assert play.floor.wants_cards(PREVIEW.task_id) == [1]
    assert play.card(1, "c1", PREVIEW)
    assert play.floor.wants_cards(PREVIEW.task_id) == []
    assert play.command(1, AcceptPreview()) == (DialCard(AttemptId("c1"), SessionId(1)),)
    assert play.answer("c1", PREVIEW, made_for=1) == (Give(AttemptId("c1"), SessionId(1), phone),)
    play.take(play.floor.joined(play.session(1).engagement.attempt_id, play.now))  # type: ignore[union-attr]
    play.end("c1")
    assert play.command(1, WrapUp("sale")) == (Complete(AttemptId("c1"), SessionId(1), "sale"),)


def test_time_dials_a_card_and_an_agent_may_skip_it() -> None:
    play = Play()
    play.at_work(1, PREVIEW)
    play.card(1, "c1", PREVIEW)
    assert play.command(1, SkipPreview("known")) == (
        ReturnCard(AttemptId("c1"), skipped=True, reason="known"),
    )
    assert play.session(1).is_free
    play.card(1, "c2", PREVIEW)
    assert play.wait(30) == (DialCard(AttemptId("c2"), SessionId(1)),)


def test_cards_are_taken_back_where_time_does_not_dial() -> None:
    slow = task(1, AgentMode.PREVIEW, auto_dial=False, may_skip=False)
    play = Play()
    play.at_work(1, slow)
    play.card(1, "c1", slow)
    with pytest.raises(ConflictError, match="skip"):
        play.command(1, SkipPreview())
    assert play.wait(30) == (ReturnCard(AttemptId("c1"), skipped=False),)


@pytest.mark.parametrize("by", ["the agent", "time"])
def test_a_caller_who_waits_is_given_to_the_agent_whose_card_goes_back(by: str) -> None:
    slow = task(1, AgentMode.PREVIEW, auto_dial=False, preview_time=1.0)
    play = Play()
    phone = play.at_work(1, slow)
    play.card(1, "c1", slow)
    assert play.answer("c2", slow) == ()
    done = play.command(1, SkipPreview()) if by == "the agent" else play.wait(1)
    assert done[-1] == Give(AttemptId("c2"), SessionId(1), phone)


def test_a_card_that_was_not_answered_leads_back_to_ready() -> None:
    play = Play()
    play.at_work(1, PREVIEW)
    play.card(1, "c1", PREVIEW)
    play.command(1, AcceptPreview())
    play.kinds(1)
    play.end("c1", outcome="busy", by="fault")
    assert play.kinds(1) == ["dial_failed", "state_changed"]
    assert play.session(1).is_free


def test_a_number_is_claimed_before_it_is_dialed() -> None:
    play = Play()
    play.at_work(1, MANUAL)
    assert play.command(1, Dial("+4315551")) == (ClaimNumber(SessionId(1), TaskId(2), "+4315551"),)
    play.take(play.floor.dialing(SessionId(1), engagement("c1", MANUAL), play.now))
    assert play.session(1).state is AgentState.DIALING
    play.end("c1", outcome="no_answer", by="fault")
    assert play.session(1).is_free
    play.command(1, Dial("+4315552"))
    play.take(play.floor.dial_refused(SessionId(1), play.now, "on a do-not-contact list"))
    assert play.session(1).is_free


def test_a_forced_logout_does_not_wait_for_a_number_that_is_being_claimed() -> None:
    play = Play()
    phone = play.at_work(1, MANUAL)
    play.command(1, Dial("+4315551"))
    assert play.command(1, LogOut("supervisor", force=True)) == (
        HangUp(AttemptId(phone)),
        EndSession(SessionId(1), "supervisor"),
    )
    # The claim comes back late: it is called off.
    assert not play.floor.may_dial(SessionId(1), None)
    assert play.take(play.floor.dial_refused(SessionId(1), play.now, "not waited for")) == ()


def test_a_redial_keeps_the_contact_in_hand() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.end("c1")
    assert play.command(1, Redial()) == (ClaimNumber(SessionId(1), TaskId(3), "", again=AttemptId("c1")),)
    play.take(play.floor.dialing(SessionId(1), engagement("c2", SELL), play.now))
    assert play.session(1).state is AgentState.DIALING


def test_wrap_ups_can_be_extended_as_often_as_the_strategy_allows() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.end("c1")
    for _ in range(3):
        play.command(1, ExtendWrapUp())
    with pytest.raises(ConflictError, match="3 times"):
        play.command(1, ExtendWrapUp())
    assert play.wait(149) == ()
    assert play.wait(1) == (Complete(AttemptId("c1"), SessionId(1), "done", by_timeout=True),)


def test_a_move_waits_for_the_contact_and_says_for_what() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    assert play.command(1, MoveTo(TaskId(9))) == ()
    assert play.session(1).attachment is Attachment.MOVING
    assert "contact in hand" in play.session(1).pending_why
    play.end("c1")
    assert play.command(1, WrapUp("sale"))[-1] == MoveSeat(SessionId(1), TaskId(9))
    assert not play.session(1).is_free
    play.take(play.floor.seat_given(SessionId(1), task(9), play.now))
    assert play.session(1).is_free
    assert play.session(1).task_id == 9


def test_a_move_that_does_not_fit_changes_nothing() -> None:
    play = Play()
    play.at_work(1, SELL)
    assert play.command(1, MoveTo(TaskId(9))) == (MoveSeat(SessionId(1), TaskId(9)),)
    play.take(play.floor.move_refused(SessionId(1), play.now, "no predictive seat is free"))
    assert play.session(1).is_free
    assert play.session(1).task_id == SELL.task_id
    assert play.kinds(1)[-1] == "seat_refused"


def test_why_there_is_no_seat_is_told_once_for_each_reason() -> None:
    play = Play()
    play.log_in(1)
    play.command(1, Ready())
    for why in ("all seats are taken", "all seats are taken", "no skill", "all seats are taken"):
        play.take(play.floor.seat_refused(SessionId(1), play.now, why))
    assert play.kinds(1).count("seat_refused") == 3
    play.take(play.floor.seat_given(SessionId(1), SELL, play.now))
    play.take(play.floor.seat_refused(SessionId(1), play.now, "it came too late"))
    assert "seat_refused" not in play.kinds(1)


def test_a_detachment_calls_off_the_move_that_waits_for_the_contact() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.command(1, MoveTo(TaskId(9)))
    play.command(1, Detach("needed no more"))
    assert (play.session(1).attachment, play.session(1).next_task) == (Attachment.DETACHING, None)
    play.end("c1")
    assert play.command(1, WrapUp("sale"))[1:] == (ReleaseSeat(SessionId(1), "needed no more"),)
    assert play.session(1).state is AgentState.NOT_READY


def test_a_detachment_calls_off_the_move_of_an_agent_without_a_seat() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.take(play.floor.seat_released(SessionId(1), play.now, "the job snoozes"))
    play.command(1, MoveTo(TaskId(9)))
    play.kinds(1)
    assert play.command(1, Detach("needed no more")) == ()
    assert play.kinds(1) == ["seat_refused"]
    play.end("c1")
    assert play.command(1, WrapUp("sale")) == (Complete(AttemptId("c1"), SessionId(1), "sale"),)
    assert play.session(1).state is AgentState.NOT_READY


def test_a_seat_that_a_move_brings_after_the_detachment_is_given_back() -> None:
    play = Play()
    play.log_in(1)
    play.command(1, Ready())
    play.command(1, MoveTo(TaskId(9)))
    assert play.command(1, Detach("needed no more")) == (ReleaseSeat(SessionId(1), "needed no more"),)
    play.take(play.floor.seat_given(SessionId(1), task(9), play.now))
    play.take(play.floor.seat_released(SessionId(1), play.now, "needed no more"))
    assert (play.session(1).state, play.session(1).attachment) == (AgentState.NOT_READY, Attachment.FREE)


def test_a_move_that_waits_for_the_contact_happens_though_the_old_job_is_snoozed() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.command(1, MoveTo(TaskId(9)))
    play.take(play.floor.seat_released(SessionId(1), play.now, "the job snoozes"))
    assert (play.session(1).attachment, play.session(1).next_task) == (Attachment.FREE, TaskId(9))
    play.end("c1")
    assert play.command(1, WrapUp("sale"))[-1] == MoveSeat(SessionId(1), TaskId(9))


def test_an_agent_without_a_seat_is_moved_too() -> None:
    play = Play()
    play.log_in(1)
    play.command(1, Ready())
    assert play.command(1, MoveTo(TaskId(9))) == (MoveSeat(SessionId(1), TaskId(9)),)
    play.take(play.floor.move_refused(SessionId(1), play.now, "no predictive seat is free"))
    assert (play.session(1).attachment, play.session(1).next_task) == (Attachment.FREE, None)
    play.command(1, MoveTo(TaskId(9)))
    play.take(play.floor.seat_given(SessionId(1), task(9), play.now))
    assert (play.session(1).attachment, play.session(1).task_id) == (Attachment.ATTACHED, 9)


def test_a_move_that_was_ordered_is_carried_out_by_the_next_process() -> None:
    before = Play()
    before.at_work(1, SELL)
    before.talk("c1", SELL)
    before.command(1, MoveTo(TaskId(9)))
    in_contact = before.session(1)
    before.end("c1")
    before.command(1, WrapUp("sale"))
    after = Play()
    after.floor.know_task(SELL)
    moved = MoveSeat(SessionId(1), TaskId(9))
    assert moved in after.take(after.floor.admit(before.session(1), after.now))
    waits = Play()
    waits.floor.know_task(SELL)
    assert moved not in waits.take(waits.floor.admit(in_contact, waits.now))
    waits.end("c1")
    assert waits.command(1, WrapUp("sale"))[-1] == moved


def test_a_seat_that_was_wanted_back_is_given_back_by_the_next_process() -> None:
    before = Play()
    before.at_work(1, SELL)
    before.command(1, Detach("quota"))
    after = Play()
    after.floor.know_task(SELL)
    assert ReleaseSeat(SessionId(1), "quota") in after.take(after.floor.admit(before.session(1), after.now))


def test_a_seat_that_is_wanted_back_goes_after_the_contact() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.at_work(2, SELL)
    play.talk("c1", SELL)
    assert play.command(1, Detach("quota")) == ()
    assert play.command(2, Detach("quota")) == (ReleaseSeat(SessionId(2), "quota"),)
    assert (play.session(2).state, play.session(2).reason) == (AgentState.NOT_READY, "quota")
    play.end("c1")
    done = play.command(1, WrapUp("sale"))
    assert done == (Complete(AttemptId("c1"), SessionId(1), "sale"), ReleaseSeat(SessionId(1), "quota"))
    assert play.session(1).state is AgentState.NOT_READY


def test_a_seat_that_is_gone_at_once_leaves_the_call_up() -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.take(play.floor.seat_released(SessionId(1), play.now, "the job snoozes"))
    assert play.session(1).state is AgentState.TALKING
    play.end("c1")
    play.command(1, WrapUp("sale"))
    assert play.session(1).attachment is Attachment.FREE
    assert not play.session(1).is_free


def test_a_logout_waits_for_the_contact_too() -> None:
    play = Play()
    phone = play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.command(1, LogOut("home"))
    play.end("c1")
    done = play.command(1, WrapUp("sale"))
    assert done == (
        Complete(AttemptId("c1"), SessionId(1), "sale"),
        HangUp(AttemptId(phone)),
        EndSession(SessionId(1), "home"),
    )
    assert play.floor.sessions() == ()
