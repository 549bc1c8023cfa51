"""What the floor wants done that takes a transaction: cards, numbers that agents dial, seats, logouts.

The floor's service runs it beside the desk. Work of one session is done in the order in which it was wished.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from outrider.agents import actions, sessions
from outrider.agents.model import Engagement, SessionId
from outrider.callbacks.model import Callback
from outrider.db.database import Database
from outrider.dialing import agent_claims
from outrider.dialing.attempt import Batch, Claim, Means, Refusal, TaskPlan
from outrider.errors import ConflictError, OutriderError, StoreError
from outrider.ids import AttemptId, TaskId
from outrider.licences.service import SharingRules
from outrider.runtime.cards import card_of
from outrider.runtime.floor_desk import FloorDesk
from outrider.runtime.seating import Seating

log = structlog.get_logger(__name__)

PAUSE = 1.0
"""Real seconds between two tries to write what became of a card, while the database is away."""

FAILED = "not dialed: the server failed to do it; the reason is in its log"
UNWANTED = "not dialed: the agent did not wait for it, or its phone was lost"

PlanOf = Callable[[TaskId], Awaitable[TaskPlan]]
MeansOf = Callable[[TaskPlan], Means]


class FloorWork:
    """Carries transactions out for one floor."""

    def __init__(
        self,
        database: Database,
        rules: SharingRules,
        desk: FloorDesk,
        seating: Seating,
        owner: str,
        plan_of: PlanOf,
        means_of: MeansOf,
    ) -> None:
        self._database = database
        self._rules = rules
        self._desk = desk
        self._seating = seating
        self._owner = owner
        self._plan_of = plan_of
        self._means_of = means_of
        self._turns: dict[SessionId, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, action: actions.Action) -> None:
        """Begin to carry out what the floor wants."""
        match action:
            case actions.DialCard(_, session_id):
                self._in_turn(session_id, lambda: self._dial_card(action))
            case actions.ReturnCard():
                self._run(self._return_card(action))
            case actions.ReleaseSeat(session_id):
                self._in_turn(session_id, lambda: self._seating.release(action))
            case actions.MoveSeat(session_id):
                self._in_turn(session_id, lambda: self._seating.move(action))
            case actions.EndSession(session_id):
                self._in_turn(session_id, lambda: self._end(action))

    async def claim_number(self, action: actions.ClaimNumber) -> None:
        """Claim and call what an agent dials. ConflictError with the reason when it may not be called now."""
        desk = self._desk
        try:
            found = await self._claim(action)
        except OutriderError as error:
            desk.do(desk.floor.dial_refused(action.session_id, desk.clock.now(), error.message))
            raise
        except Exception:
            # Whatever it was: an agent who waits for a call that never comes could do nothing else any more.
            desk.do(desk.floor.dial_refused(action.session_id, desk.clock.now(), FAILED))
            raise
        if isinstance(found, str):
            desk.do(desk.floor.dial_refused(action.session_id, desk.clock.now(), found))
            raise ConflictError(found)
        if not desk.floor.may_dial(action.session_id, action.again):
            desk.call_off(found, UNWANTED)
            desk.do(desk.floor.dial_refused(action.session_id, desk.clock.now(), UNWANTED))
            raise ConflictError(UNWANTED)
        desk.do(desk.floor.dialing(action.session_id, engagement_of(found), desk.clock.now()))
        desk.driver.start(found)

    async def show_card(self, session_id: SessionId, claim: Claim, callback: Callback | None = None) -> bool:
        """Let an agent look at a claimed contact; taken back when it is not free any more.

        `callback` is the promise that a call to it would keep.
        """
        desk = self._desk
        desk.cards[claim.attempt_id] = claim
        given, done = desk.floor.give_card(session_id, engagement_of(claim, callback), desk.clock.now())
        desk.do(done)
        if not given:
            await self._return_card(actions.ReturnCard(claim.attempt_id, skipped=False))
        return given

    async def close(self) -> None:
        """End what still runs."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _claim(self, action: actions.ClaimNumber) -> Claim | str:
        session = self._desk.floor.session(action.session_id)
        if session is None:
            return "the session is over"
        plan = await self._plan_of(action.task_id)
        server = self._desk.server_id(session)
        means, now = self._means_of(plan), self._desk.clock.now()
        contact_id, address = action.contact_id, action.address
        if action.again is not None and session.engagement is not None:
            contact_id = int(str(session.engagement.card["contact_id"]))
            address = address or str(session.engagement.card.get("address", ""))
            await self._desk.recorded()
        found: Batch | Refusal
        if contact_id is not None:
            found = await self._database.write(
                agent_claims.take_contact,
                self._rules,
                plan,
                contact_id,
                self._owner,
                now,
                means,
                session_id=session.id,
                server_id=server,
                address=address or None,
            )
        else:
            found = await self._database.write(
                agent_claims.take_number,
                self._rules,
                plan,
                address,
                self._owner,
                now,
                means,
                session_id=session.id,
                server_id=server,
            )
        if isinstance(found, Refusal):
            return found.reason
        return found.claims[0] if found.claims else f"it cannot be called now: no {found.bound or 'contact'}"

    async def _dial_card(self, action: actions.DialCard) -> None:
        desk = self._desk
        claim = desk.cards.pop(action.attempt_id, None)
        started = claim is not None and await self._start_card(action.attempt_id)
        if claim is not None and started:
            desk.driver.start(claim)
        else:
            desk.do(desk.floor.card_failed(action.session_id, desk.clock.now()))

    async def _return_card(self, action: actions.ReturnCard) -> None:
        claim = self._desk.cards.pop(action.attempt_id, None)
        while claim is not None:
            now, skipped, why = self._desk.clock.now(), action.skipped, action.reason
            try:
                await self._database.write(
                    agent_claims.give_back, self._rules, claim, now, skipped=skipped, detail=why
                )
            except StoreError as error:
                # Nobody else knows of the card: a promise that it was to keep would stay in hand for ever.
                log.warning("card_waits_for_database", attempt=claim.attempt_id, error=error.message)
                await asyncio.sleep(PAUSE)
            else:
                return

    async def _start_card(self, attempt_id: AttemptId) -> bool:
        tried = False
        while True:
            try:
                # What was refused the second time was done the first time, the answer to which was lost.
                return await self._database.write(agent_claims.start_preview, attempt_id) or tried
            except StoreError as error:
                log.warning("card_waits_for_database", attempt=attempt_id, error=error.message)
                tried = True
                await asyncio.sleep(PAUSE)

    async def _end(self, action: actions.EndSession) -> None:
        now = self._desk.clock.now()
        await self._desk.writer.flushed()
        await self._database.write(sessions.close_session, self._rules, action.session_id, now, action.reason)
        self._desk.feeds.end(action.session_id)
        self._seating.nudge_all()

    def _in_turn(self, session_id: SessionId, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        before = self._turns.get(session_id)

        async def in_turn() -> None:
            if before is not None:
                await asyncio.wait((before,))
            await work()

        task = self._run(in_turn())
        self._turns[session_id] = task
        task.add_done_callback(lambda done: self._turn_over(session_id, done))

    def _turn_over(self, session_id: SessionId, done: asyncio.Task[None]) -> None:
        if self._turns.get(session_id) is done:
            del self._turns[session_id]

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._patiently(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _patiently(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`; what could not be done is told in the log, and mended by seats being dealt anew."""
        try:
            await work
        except StoreError as error:
            log.warning("floor_work_waits_for_database", error=error.message)
            self._seating.nudge_all()
        except Exception:
            log.exception("floor_work_failed")


def engagement_of(claim: Claim, callback: Callback | None = None) -> Engagement:
    """Return a claimed contact as an agent has it in hand."""
    settings = claim.plan.action.agents
    if settings is None:
        raise ValueError(f"task {claim.plan.task_id} is no task of agents")
    return Engagement(
        claim.attempt_id,
        claim.plan.task_id,
        settings.mode,
        card_of(claim, callback),
        callback_id=None if callback is None else callback.id,
    )
