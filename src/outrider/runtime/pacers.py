"""The pacers of a floor, one per campaign: made of what is in the database, fed with what happens, kept.

`agent_loops.py` asks them for decisions. What they learned is saved now and then, and at the end.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from outrider.campaigns.strategy_agents import AgentMode, AgentSettings
from outrider.clock import Clock
from outrider.db.database import Database, Tx
from outrider.dialing import abandonment, pacing_store
from outrider.dialing.attempt import TaskPlan
from outrider.dialing.predictive.model import Counts, Observation, PacingMode
from outrider.dialing.predictive.pacer import Pacer
from outrider.ids import TaskId


class Pacers:
    """One pacer per campaign; tasks of one campaign share its budget and what is known of its list."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._pacers: dict[int, Pacer] = {}
        self._campaign_of: dict[TaskId, int] = {}

    async def of(self, plan: TaskPlan) -> Pacer:
        """Return the pacer of a task's campaign, with the present day begun."""
        settings = plan.action.agents
        if settings is None:
            raise ValueError(f"task {plan.task_id} is no task of agents")
        self._campaign_of[plan.task_id] = plan.campaign_id
        today = self._clock.now().date()
        pacer = self._pacers.get(plan.campaign_id)
        if pacer is None:
            pacer = make_pacer(settings)
            since = today - dt.timedelta(days=settings.abandonment.days)
            learned, days = await self._database.read(_known, plan.campaign_id, since)
            if learned is not None:
                pacer.restore(learned)
            pacer.begin_day(today.toordinal(), days)
            self._pacers[plan.campaign_id] = pacer
        pacer.begin_day(today.toordinal())
        return pacer

    def observe(self, task_id: TaskId, observation: Observation) -> None:
        """Learn from the end of a line or of a contact."""
        pacer = self._known(task_id)
        if pacer is not None:
            pacer.observe(observation)

    def observe_answer(self, task_id: TaskId, *, abandoned: bool) -> None:
        """Learn what became of a person who answered."""
        pacer = self._known(task_id)
        if pacer is not None:
            pacer.observe_answer(abandoned=abandoned)

    async def save(self) -> None:
        """Keep what was learned."""
        learned = {campaign_id: pacer.snapshot() for campaign_id, pacer in self._pacers.items()}
        if learned:
            await self._database.write(pacing_store.save, learned, self._clock.now())

    def _known(self, task_id: TaskId) -> Pacer | None:
        campaign_id = self._campaign_of.get(task_id)
        return None if campaign_id is None else self._pacers.get(campaign_id)


def make_pacer(settings: AgentSettings) -> Pacer:
    """Return a pacer that knows nothing yet but the rule of contact."""
    rule = settings.abandonment
    predictive = settings.mode is AgentMode.PREDICTIVE
    mode = PacingMode.PREDICTIVE if predictive else PacingMode.PROGRESSIVE
    return Pacer(mode, rule.limit, rule.days, rule.denominator)


def _known(tx: Tx, campaign_id: int, since: dt.date) -> tuple[Mapping[str, Any] | None, dict[int, Counts]]:
    days = abandonment.days(tx, [campaign_id], since).get(campaign_id, {})
    counts = {day.toordinal(): Counts(*numbers) for day, numbers in days.items()}
    return pacing_store.learned(tx, campaign_id), counts
