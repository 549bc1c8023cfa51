"""After a crash: a contact is in an agent's room, and nothing was written down of that."""

from outrider.agents.model import AgentState, Attachment, LegId, NailUp
from outrider.ids import AttemptId
from support.floor_play import Play, task

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
