"""The dial loops of agents: lines for teams as pacing says, cards for those who look first.

One loop per task while it is admitted and the floor is ours; it is woken by everything that may change the
answer. Decisions are kept, so that pages can say why nobody is being called.
"""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import structlog

from outrider.agents.model import Session, SessionId
from outrider.callbacks import giving
from outrider.callbacks.model import FreeAgent
from outrider.campaigns.strategy_agents import AgentMode
from outrider.clock import stopwatch
from outrider.db.database import Database
from outrider.dialing import agent_claims, wrap_ups
from outrider.dialing.attempt import Batch, Means, TaskPlan
from outrider.dialing.predictive.model import Bound, Decision, FloorView, Observation, count_busy, count_lines
from outrider.errors import StoreError
from outrider.ids import TaskId
from outrider.licences.service import SharingRules
from outrider.runtime.floor_desk import FloorDesk
from outrider.runtime.floor_work import FloorWork
from outrider.runtime.pacers import Pacers
from outrider.runtime.wake import wait_for

log = structlog.get_logger(__name__)

PERIOD = 1.0
"""Real seconds between two decisions when nothing happens."""
TOGETHER = 0.02
"""Real seconds in which events are answered by one decision."""
SAVE_EVERY = 30.0
AT_ONCE = 50
CEILINGS = {"ports": Bound.PORTS, "servers": Bound.PORTS, "pace": Bound.RATE}
"""What a claim says when it gives fewer lines than pacing wants, and what bound the decision then."""
NOBODY = frozenset({"contacts", "later"})
"""What a claim says when nobody is due."""

Cell = tuple[TaskId, str]


class AgentLoops:
    """All loops of one floor. `decisions` has the last one of each cell."""

    def __init__(
        self,
        database: Database,
        rules: SharingRules,
        desk: FloorDesk,
        work: FloorWork,
        owner: str,
        means_of: Callable[[TaskPlan], Means],
    ) -> None:
        self.decisions: dict[Cell, Decision] = {}
        self._database = database
        self._rules = rules
        self._desk = desk
        self._work = work
        self._owner = owner
        self._means_of = means_of
        self._pacers = Pacers(database, desk.clock)
        self._flags: dict[TaskId, asyncio.Event] = {}
        self._nobody_until: dict[TaskId, dt.datetime | None] = {}
        self._ask_again: dict[TaskId, float] = {}
        """Stopwatch readings from which on nobody's being due is no longer taken for known."""
        desk.lines.on_observed = self._observed
        desk.lines.on_answer = self._answered

    async def run(self, plan: TaskPlan, admitted: Callable[[], bool]) -> None:
        """Dial for a task while it is admitted."""
        flag = self._flags.setdefault(plan.task_id, asyncio.Event())
        settings = plan.action.agents
        speed = float(getattr(self._desk.clock, "speed", 1.0))
        saved = self._desk.clock.now()
        try:
            while admitted() and settings is not None:
                try:
                    await self._step(plan, settings.mode)
                    if (self._desk.clock.now() - saved).total_seconds() > SAVE_EVERY * speed:
                        saved = self._desk.clock.now()
                        await self._pacers.save()
                except StoreError as error:
                    log.warning("claims_wait_for_database", task=plan.task_id, error=error.message)
                await wait_for(flag, PERIOD)
                await asyncio.sleep(TOGETHER)
        finally:
            self._flags.pop(plan.task_id, None)
            for cell in [cell for cell in self.decisions if cell[0] == plan.task_id]:
                del self.decisions[cell]

    def session_changed(self, before: Session | None, after: Session) -> None:
        """Wake the loops of the tasks that a session left, or works for."""
        for session in (before, after):
            if session is not None and session.task_id is not None:
                self.wake(session.task_id)

    def wake(self, task_id: TaskId) -> None:
        """Let a task be looked at soon."""
        flag = self._flags.get(task_id)
        if flag is not None:
            flag.set()

    async def save(self) -> None:
        """Keep what pacing has learned."""
        try:
            await self._pacers.save()
        except StoreError as error:
            log.warning("pacing_not_saved", error=error.message)

    async def _step(self, plan: TaskPlan, mode: AgentMode) -> None:
        await self._give_callbacks(plan)
        if mode is AgentMode.MANUAL:
            await self._database.write(wrap_ups.time_out, self._rules, plan, self._desk.clock.now())
        elif mode is AgentMode.PREVIEW:
            await self._give_cards(plan)
        else:
            for server in sorted(self._desk.floor.servers(plan.task_id)) or [""]:
                await self._dial_ahead(plan, server)

    async def _give_callbacks(self, plan: TaskPlan) -> None:
        """Show agents the callbacks that are due, before anybody else is called for them."""
        desk, now = self._desk, self._desk.clock.now()
        free = [
            FreeAgent(each.id, each.agent_id, desk.server_id(each)) for each in desk.floor.idle(plan.task_id)
        ]
        if not await self._database.read(giving.is_due, plan, free, now):
            return
        means = self._means_of(plan)
        given = await self._database.write(giving.give, self._rules, plan, free, self._owner, now, means)
        for each in given:
            await self._work.show_card(SessionId(each.session_id), each.claim, each.callback)

    async def _dial_ahead(self, plan: TaskPlan, server: str) -> None:
        """Dial as many lines on a media server as pacing allows now."""
        pacer = await self._pacers.of(plan)
        decision = pacer.decide(self._view(plan, server))
        self.decisions[plan.task_id, server] = decision
        if decision.lines <= 0:
            return
        wanted = min(AT_ONCE, decision.lines)
        batch = await self._claim(plan, wanted, server)
        for claim in batch.claims:
            self._desk.driver.start(claim)
        if len(batch.claims) < wanted and batch.bound in CEILINGS:
            bound = CEILINGS[batch.bound]
            self.decisions[plan.task_id, server] = replace(decision, lines=len(batch.claims), bound=bound)
        elif not batch.claims:
            self.decisions[plan.task_id, server] = pacer.decide(self._view(plan, server))
        if len(batch.claims) == AT_ONCE:
            self.wake(plan.task_id)

    async def _claim(
        self, plan: TaskPlan, wanted: int, server: str, session: SessionId | None = None
    ) -> Batch:
        batch = await self._database.write(
            agent_claims.take_for_agents,
            self._rules,
            plan,
            wanted,
            self._owner,
            self._desk.clock.now(),
            self._means_of(plan),
            server_id=self._server_id(plan.task_id, server),
            session_id=session,
            preview=session is not None,
        )
        if batch.bound in NOBODY and not batch.claims:
            self._nobody_until[plan.task_id] = batch.again_at
            # Contacts that are loaded, or that a result made due again, tell nobody: they are looked for.
            self._ask_again[plan.task_id] = stopwatch() + PERIOD
        else:
            self._nobody_until.pop(plan.task_id, None)
        return batch

    async def _give_cards(self, plan: TaskPlan) -> None:
        """Show a contact to every agent who is free to look at one."""
        for session_id in self._desk.floor.wants_cards(plan.task_id):
            session = self._desk.floor.session(session_id)
            if session is None or not self._somebody(plan.task_id):
                return
            batch = await self._claim(plan, 1, session.server, session_id)
            for claim in batch.claims:
                await self._work.show_card(session_id, claim)

    def _view(self, plan: TaskPlan, server: str) -> FloorView:
        desk, cell = self._desk, (plan.task_id, server)
        now = desk.clock.now()
        seconds = now.timestamp()
        busy = [(now - since).total_seconds() for _, since in desk.floor.busy(plan.task_id, server)]
        somebody = self._somebody(plan.task_id)
        waits = self._nobody_until.get(plan.task_id) is not None
        return FloorView(
            now=seconds,
            free=desk.floor.free(plan.task_id, server),
            busy=count_busy(busy),
            lines=count_lines([seconds - begun for begun in desk.lines.lines(cell)]),
            waiting=desk.floor.waiting(plan.task_id, server),
            contacts=somebody or waits,
            window=somebody or not waits,
        )

    def _somebody(self, task_id: TaskId) -> bool:
        """Return whether a contact may be due, as far as the last claim said."""
        if task_id not in self._nobody_until:
            return True
        until = self._nobody_until[task_id]
        known = stopwatch() < self._ask_again[task_id]
        if known and (until is None or until > self._desk.clock.now()):
            return False
        del self._nobody_until[task_id]
        return True

    def _server_id(self, task_id: TaskId, server: str) -> int | None:
        for session in self._desk.floor.roster.of_task(task_id):
            if session.server == server and session.leg is not None:
                return self._desk.server_id(session)
        return None

    def _observed(self, task_id: TaskId, observation: Observation) -> None:
        self._pacers.observe(task_id, observation)
        self.wake(task_id)

    def _answered(self, task_id: TaskId, abandoned: bool) -> None:  # noqa: FBT001 - its only meaning
        self._pacers.observe_answer(task_id, abandoned=abandoned)
