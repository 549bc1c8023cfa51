"""Reads what the agents of a finished run did, and makes the figures of the report: busy, abandoned, audits.

`running` calls `agent_figures` after `collecting.run_figures`. Who was with whom is read twice: from the
attempts, and from the agents' own changes of state.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from outrider.agents import job_figures
from outrider.agents.model import AT_WORK, AgentState
from outrider.db.database import Tx
from outrider.demo import series, store
from outrider.demo.collecting import COLUMNS
from outrider.demo.figures import AgentFigures, JobFigures, RunFigures
from outrider.demo.series import Sample
from outrider.demo.store import Change, Talk
from outrider.demo.system import System
from outrider.jobs import service as jobs


def agent_figures(tx: Tx, system: System, run: RunFigures, seats: int, told: int) -> tuple[AgentFigures, ...]:
    """Return the figures of every job of the run in which agents talk.

    `seats` are licensed; `told` is how many contacts the desktops of all jobs were told of.
    """
    now = system.clock.now()
    return tuple(
        _of_job(tx, job, seats, told, now) for job in run.jobs if job_figures.has_agents(tx, job.job_id, None)
    )


def staffing(changes: Iterable[Change]) -> list[Sample]:
    """Return how many agents were busy (in use) and busy or ready (granted) after every change of state."""
    states: dict[int, str] = {}
    samples = []
    for each in sorted(changes, key=lambda change: change.at):
        states[each.session_id] = each.after
        busy = sum(state in AT_WORK for state in states.values())
        present = busy + sum(state == AgentState.READY for state in states.values())
        samples.append(Sample(each.at, present, present, busy))
    return samples


def shared_contacts(talks: Sequence[Talk], changes: Iterable[Change]) -> int:
    """Count contacts with whom more than one agent was, by the attempts or by the agents' own states."""
    contact_of = {talk.attempt_id: talk.contact_id for talk in talks}
    agents: dict[int, set[int]] = defaultdict(set)
    for talk in talks:
        agents[talk.contact_id].add(talk.agent_id)
    for each in changes:
        if each.attempt_id in contact_of:
            agents[contact_of[each.attempt_id]].add(each.agent_id)
    return sum(len(found) > 1 for found in agents.values())


def doubled_agents(talks: Iterable[Talk]) -> int:
    """Count talks that began before the same agent's last one was over; `talks` are in order of beginning."""
    over: dict[int, dt.datetime | None] = {}
    doubled = 0
    for talk in talks:
        before = over.get(talk.agent_id, talk.joined_at)
        doubled += before is None or before > talk.joined_at
        over[talk.agent_id] = talk.ended_at
    return doubled


def _of_job(tx: Tx, job: JobFigures, seats: int, told: int, now: dt.datetime) -> AgentFigures:
    figures = job_figures.figures(tx, job.job_id, None, now)
    talks, changes = store.talks(tx, job.task_id), store.changes(tx)
    ran = jobs.job(tx, job.job_id, None)
    begin, end = ran.started_at or now, ran.ended_at or now
    staff = [each for each in staffing(changes) if each.at < end]
    present = series.area(staff, lambda each: each.granted, end)
    return AgentFigures(
        job_id=job.job_id,
        name=job.name,
        mode=figures.tasks[0].mode.value,
        seats=seats,
        most_seated=job.most_in_use,
        talked=len({talk.contact_id for talk in talks}),
        told=told,
        live=figures.live,
        abandoned=figures.abandoned,
        share=figures.abandonment or 0.0,
        limit=figures.limit,
        days=figures.days,
        busy_share=series.area(staff, lambda each: each.in_use, end) / present if present else 0.0,
        codes=dict(Counter(talk.code for talk in talks).most_common()),
        shared_contacts=shared_contacts(talks, changes),
        doubled_agents=doubled_agents(talks),
        busy_over_time=series.columns(staff, lambda each: each.in_use, begin, end, COLUMNS),
    )
