"""What a simulated floor wants done that takes a transaction: cards, numbers, seats, the ends of sessions.

`desk` calls `carry_out`, as production's floor hands such work to its worker (`FloorDesk.on_work`).
"""

from typing import TYPE_CHECKING

from outrider.agents import actions
from outrider.agents.actions import Action
from outrider.agents.model import Engagement, SessionId
from outrider.agents.roster import FloorTask
from outrider.dialing.attempt import Claim
from outrider.ids import AttemptId, TaskId
from outrider.runtime.cards import card_of
from outrider.simulate import claiming, seats
from outrider.simulate.claiming import Ask
from outrider.simulate.memory import Memory

if TYPE_CHECKING:
    from outrider.simulate.desk import Desk


def carry_out(desk: "Desk", action: Action) -> None:
    """Do one thing that the floor wants done."""
    match action:
        case actions.MakeLeg():
            session = desk.floor.session(action.session_id)
            own = session is None or session.leg == action.leg
            desk.phones.make(action, None if own or session is None else desk.phones.server(session.leg))
        case actions.DialCard(attempt_id, session_id):
            _dial_card(desk, attempt_id, session_id)
        case actions.ReturnCard(attempt_id, skipped, reason):
            claim = desk.cards.pop(attempt_id, None)
            if claim is not None:
                desk.worker.give_back(claim, reason, skipped=skipped)
        case actions.ClaimNumber():
            _claim_number(desk, action)
        case _:
            _move_seats(desk, action)


def floor_task(memory: Memory, task_id: TaskId) -> FloorTask:
    """Return what the floor must know of a task. ValueError for one without agents."""
    plan = memory.tasks[task_id].plan
    settings = plan.action.agents
    if settings is None:
        raise ValueError(f"task {task_id} is no task of agents")
    return FloorTask(task_id, plan.job_id, plan.campaign_id, plan.strategy.name, plan.action.name, settings)


def engagement_of(claim: Claim) -> Engagement:
    """Return a claimed contact as an agent has it in hand. ValueError for an attempt without agents."""
    settings = claim.plan.action.agents
    if settings is None:
        raise ValueError(f"attempt {claim.attempt_id} is not for agents")
    return Engagement(claim.attempt_id, claim.plan.task_id, settings.mode, card_of(claim))


def _move_seats(desk: "Desk", action: Action) -> None:
    now = desk.agenda.now()
    match action:
        case actions.ReleaseSeat(session_id, why):
            desk.memory.write(seats.release, session_id)
            desk.do(desk.floor.seat_released(session_id, now, why))
        case actions.MoveSeat(session_id, task_id):
            refused = desk.memory.write(seats.move, session_id, task_id)
            if refused:
                desk.do(desk.floor.move_refused(session_id, now, refused))
            else:
                desk.do(desk.floor.seat_given(session_id, floor_task(desk.memory, task_id), now))
        case actions.EndSession(session_id):
            desk.save()
            desk.memory.write(seats.close, session_id)
        case _:
            return
    desk.deal_soon()


def _dial_card(desk: "Desk", attempt_id: AttemptId, session_id: SessionId) -> None:
    claim = desk.cards.pop(attempt_id, None)
    if claim is None or not desk.memory.write(claiming.start_preview, attempt_id):
        desk.do(desk.floor.card_failed(session_id, desk.agenda.now()))
        return
    desk.worker.start(claim)


def _claim_number(desk: "Desk", action: actions.ClaimNumber) -> None:
    """Claim the contact that an agent wants to call: the same again, or the task's next one."""
    memory, worker = desk.memory, desk.worker
    task = memory.tasks[action.task_id]
    session = desk.floor.session(action.session_id)
    server = "" if session is None else session.server
    ask = Ask(1, worker.owner, worker.wall.now(), server, worker.away, session_id=action.session_id)
    claim: Claim | None = None
    if action.again is None:
        taken = memory.write(claiming.take, task, ask)
        claim = taken.claims[0] if taken.claims else None
    else:
        worker.flush()
        target = memory.awaiting.get(action.again)
        if target is not None:
            claim = memory.write(claiming.take_this, task, target, ask)
    if claim is None:
        reason = "there is nobody to call now"
        desk.do(desk.floor.dial_refused(action.session_id, desk.agenda.now(), reason))
        return
    desk.do(desk.floor.dialing(action.session_id, engagement_of(claim), desk.agenda.now()))
    worker.start(claim)
