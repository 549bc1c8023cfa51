"""After a crash: a contact is in an agent's room, and nothing was written down of that."""

from outrider.agents.actions import HangUp, Join
from outrider.agents.commands import CompleteTransfer, ConsultCall
from outrider.agents.model import AgentState, Attachment, LegId, NailUp
from outrider.channels.model import CallPurpose
from outrider.ids import AttemptId
from support.floor_play import Play, leg_of, task

CALLS = task(1)


def at_work() -> Play:
    play = Play()
    play.floor.know_task(CALLS)
    play.log_in(
        1,
        state=AgentState.READY,
        attachment=Attachment.ATTACHED,
        task_id=CALLS.task_id,
        nail_up=NailUp.UP,
        leg=LegId(AttemptId("leg9")),
    )
    return play


def test_the_agent_whose_room_it_is_has_the_contact_in_hand() -> None:
    play = at_work()
    session, _ = play.floor.found_in_room(
        AttemptId("call"), CALLS.task_id, LegId(AttemptId("leg9")), {"name": "call"}, play.now
    )
    assert session is not None
    found = play.session(1)
    assert found.state is AgentState.TALKING
    assert found.engagement is not None
    assert found.engagement.attempt_id == "call"
    assert play.floor.free(CALLS.task_id, "") == 0


def test_a_room_of_nobody_or_of_somebody_with_another_contact_is_no_answer() -> None:
    play = at_work()
    nobody, _ = play.floor.found_in_room(
        AttemptId("call"), CALLS.task_id, LegId(AttemptId("leg8")), {}, play.now
    )
    assert nobody is None
    for call, has_it in (("first", True), ("second", False)):
        session, _ = play.floor.found_in_room(
            AttemptId(call), CALLS.task_id, LegId(AttemptId("leg9")), {}, play.now
        )
        assert (session is not None) is has_it


def with_third() -> tuple[Play, LegId]:
    """Let an agent talk to a contact on hold and to a third person."""
    play = Play()
    play.at_work(1, CALLS)
    play.talk("call", CALLS)
    third = leg_of(play.command(1, ConsultCall("+431555")), CallPurpose.CONSULT)
    play.take(play.floor.leg_up(third, "", play.now))
    return play, third


def test_a_contact_found_with_a_third_person_ends_with_that_person() -> None:
    play, third = with_third()
    play.command(1, CompleteTransfer())
    after = Play()
    after.floor.know_task(CALLS)
    after.take(after.floor.admit(play.session(1), after.now))
    assert after.take(after.floor.found_with_third(AttemptId("call"), third, after.now)) == ()
    assert after.take(after.floor.leg_ended(third, after.now, "hung up")) == (HangUp(AttemptId("call")),)


def test_an_agent_who_had_just_handed_a_contact_over_wraps_up() -> None:
    play, third = with_third()
    after = Play()
    after.floor.know_task(CALLS)
    after.take(after.floor.admit(play.session(1), after.now))
    assert after.take(after.floor.found_with_third(AttemptId("call"), third, after.now)) == (
        Join(third, third),
        Join(AttemptId("call"), third),
    )
    assert after.session(1).state is AgentState.WRAP_UP
    assert after.end("call") == (HangUp(third),)
