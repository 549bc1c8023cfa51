"""Why is nobody being called for a task? What binds it, and what pacing last decided on each media server.

`agents/supervising_api.py` and the pages of jobs call it; decisions come from the floor of this process.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from outrider.campaigns.strategy_agents import AgentMode
from outrider.db.database import Tx
from outrider.dialing import plans, store
from outrider.dialing.predictive.model import Decision
from outrider.dialing.why_nobody import TaskFacts, bound_of, task_sentence
from outrider.errors import NotFoundError
from outrider.ids import TaskId
from outrider.jobs import service as jobs
from outrider.licences import explaining
from outrider.licences.model import Standing
from outrider.licences.service import SharingRules

Decisions = Sequence[tuple[str, Decision]]
"""What pacing last decided for a task, by media server ("" before a phone is nailed up)."""


@dataclass(frozen=True, slots=True)
class ServerDecision:
    """One decision of pacing: all its numbers, the limit that bound, and the sentence."""

    server: str
    decision: Decision
    sentence: str


@dataclass(frozen=True, slots=True)
class Pacing:
    """Why a task calls nobody (more). `mode` is null where no agents talk.

    `bound` is a job's state, "licence", what the last claim noted ("ports", "contacts", "later"...), or
    where pacing decides, what bound its only or its last server. `decisions` are empty where another process
    has the floor, where agents dial themselves, and while nothing was decided yet.
    """

    task_id: TaskId
    job_id: int
    campaign: str
    action: str
    mode: AgentMode | None
    bound: str
    sentence: str
    licence: str
    decisions: tuple[ServerDecision, ...]


def pacing(
    tx: Tx,
    rules: SharingRules,
    task_id: int,
    organization_id: int | None,
    now: dt.datetime,
    decisions: Decisions = (),
) -> Pacing:
    """Return why a task calls nobody. NotFoundError when this caller can see none by that id."""
    task = jobs.task(tx, task_id, organization_id)
    row = store.task_row(tx, task_id)
    if row is None:
        raise NotFoundError(f"there is no task {task_id}")
    job = jobs.job(tx, task.job_id, organization_id)
    licence = explaining.why_task(tx, rules, task_id, organization_id, now).sentence
    facts = TaskFacts(
        job_state=job.state.value,
        waits=task.standing == Standing.WAITING.value,
        granted=task.granted,
        bound=task.bound,
        due=store.next_due(tx, task.id),
        licence=licence,
    )
    settings = plans.plan_of(tx, row).action.agents
    shown = tuple(ServerDecision(server, each, each.sentence) for server, each in decisions)
    bound = bound_of(facts)
    paced = bound == facts.bound and bool(shown)
    return Pacing(
        task_id=task.id,
        job_id=int(job.id),
        campaign=task.campaign_name,
        action=task.action,
        mode=None if settings is None else settings.mode,
        bound=shown[-1].decision.bound.value if paced else bound,
        sentence=task_sentence(facts, [(each.server, each.sentence) for each in shown]),
        licence=licence,
        decisions=shown,
    )
