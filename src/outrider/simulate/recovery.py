"""A worker's first minute after another one died: sessions, legs and calls of the former life taken over.

As `runtime/floor_keeper.py` and `runtime/recovery.py`: what is up is asked of the media servers; calls on one
that does not answer wait. Nothing is dialed again by itself.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

from outrider.agents.leg import LegPurpose
from outrider.agents.model import AgentState, Attachment, NailUp, Session
from outrider.channels.model import LivingCall
from outrider.dialing.attempt import Claim
from outrider.ids import AttemptId
from outrider.simulate.desk import Desk
from outrider.simulate.desk_work import floor_task
from outrider.simulate.memory import Memory
from outrider.simulate.phones import release_legs
from outrider.simulate.rows import LegRow, SessionRow
from outrider.simulate.worker import Worker

TRY_AGAIN = 1.0
"""Seconds until a media server that does not answer is asked again."""


class Recovery:
    """Takes over for one new worker; `done` once nothing of a former life is undecided."""

    def __init__(self, worker: Worker, desk: Desk, on_floor: Callable[[], None]) -> None:
        self._on_floor = on_floor
        self._worker = worker
        self._desk = desk
        self._memory = worker.memory
        self._seized: list[Claim] = []
        self.is_done = False

    def begin(self) -> None:
        """Take over what can be decided now; the rest as soon as its media server answers.

        Without an answer of every server that has a phone up, the floor waits too.
        """
        worker = self._worker
        if worker.is_dead:
            return
        living = {name: link.living() for name, link in worker.links.items()}
        if any(found is None for found in living.values()) and self._memory.legs:
            worker.agenda.after(TRY_AGAIN, self.begin)
            return
        up = {call.call_id: call for found in living.values() if found is not None for call in found.calls}
        self._restore_floor(up)
        self._on_floor()
        self._seized = list(self._memory.write(seize, worker.owner))
        self._adopt()

    def _restore_floor(self, up: dict[AttemptId, LivingCall]) -> None:
        memory, desk = self._memory, self._desk
        kept = set()
        for leg in tuple(memory.legs.values()):
            call = up.get(leg.id)
            if call is not None and call.answered and leg.purpose is not LegPurpose.BRIDGE:
                desk.phones.adopt(leg)
                kept.add(leg.id)
            else:
                self._lose(leg, exists=call is not None)
        for row in tuple(memory.sessions.values()):
            session = _as_found(row, kept)
            if session.task_id is not None:
                desk.floor.know_task(floor_task(memory, session.task_id))
            if session.engagement is not None:
                desk.floor.know_task(floor_task(memory, session.engagement.task_id))
            desk.admit(session)

    def _lose(self, leg: LegRow, *, exists: bool) -> None:
        if exists:
            self._worker.links[leg.server].command(lambda carrier: carrier.hang_up(leg.id))
        self._memory.write(release_legs, [leg.id])

    def _adopt(self) -> None:
        """Adopt or close the attempts of servers that answer; ask the others again."""
        worker = self._worker
        if worker.is_dead:
            return
        living = {name: link.living() for name, link in worker.links.items()}
        waiting = [claim for claim in self._seized if living[claim.server] is None]
        decided = [claim for claim in self._seized if living[claim.server] is not None]
        up = {call.call_id: call for found in living.values() if found is not None for call in found.calls}
        # Whoever is in an agent's room has that agent: before others get one.
        decided.sort(key=lambda claim: not (claim.attempt_id in up and up[claim.attempt_id].room))
        self._seized = waiting
        for claim in decided:
            worker.adopt(claim, up.get(claim.attempt_id))
        if waiting:
            worker.agenda.after(TRY_AGAIN, self._adopt)
            return
        worker.recovered()
        self._settle()
        self.is_done = True

    def _settle(self) -> None:
        """End the contacts in hand whose calls are over."""
        for session in self._desk.floor.sessions():
            engagement = session.engagement
            if engagement is None or session.state is AgentState.WRAP_UP:
                continue
            if engagement.attempt_id not in self._worker.live:
                now = self._worker.agenda.now()
                over = self._desk.floor.call_ended(
                    engagement.attempt_id, now, outcome="interrupted", by="fault"
                )
                self._desk.do(over)


def seize(memory: Memory, owner: str) -> tuple[Claim, ...]:
    """Make the open attempts of workers before us ours, and return them as claims."""
    found = [row for row in memory.attempts.values() if row.owner != owner]
    for row in found:
        row.owner = owner
    return tuple(replace(row.claim, preview=row.preview) for row in found)


def _as_found(row: SessionRow, kept: Collection[AttemptId]) -> Session:
    """Return a session of a former life with its seat and its phone as they are now."""
    session = row.session
    attachment = Attachment.FREE
    if row.task_id is not None:
        attachment = Attachment.DETACHING if row.leaving else Attachment.ATTACHED
        if session.attachment is not Attachment.FREE:
            attachment = session.attachment
    session = replace(
        session,
        task_id=row.task_id,
        attachment=attachment,
        next_task=session.next_task if attachment in (Attachment.MOVING, Attachment.FREE) else None,
        connected=True,
    )
    if session.leg is not None and session.leg in kept:
        return replace(session, nail_up=NailUp.UP)
    lost = NailUp.NONE if session.nail_up is NailUp.NONE else NailUp.LOST
    return replace(session, nail_up=lost, leg=None)
