"""A pool with jobs for agents and people who log in, for tests of seats: rows only, no floor."""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import select

from outrider.agents import seats, sessions
from outrider.agents import store as agents_store
from outrider.agents.model import AgentId, AgentState, SessionId
from outrider.agents.rebalancing import Rebalanced
from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.ids import JobId, PoolId, TaskId
from outrider.jobs import service as jobs
from outrider.jobs import store as job_store
from outrider.jobs.model import JobCommand
from outrider.jobs.service import Limits
from outrider.licences import division_store
from outrider.runtime import store
from support.campaigning import NOON, RULES, campaigning

SOURCE = """
name = "{name}"
[[actions]]
name = "talk"
channel = "call"
minimum = {minimum}
maximum = {maximum}
priority = {priority}
[actions.agents]
mode = "{mode}"
{skills}
[actions.agents.abandoned]
text = "Sorry."
"""


class Seating:
    """One pool: jobs by name, people by name, at a time that only `now` moves."""

    def __init__(self, database: Database, **licences: int) -> None:
        self.database = database
        self.system = campaigning(database)
        self.license(**licences)
        self.pool = PoolId(database.read_now(division_store.pools)[0].id)
        self.now = NOON
        self.sessions: dict[str, SessionId] = {}
        self.agents: dict[str, AgentId] = {}
        self.jobs: dict[str, JobId] = {}
        self.tasks: dict[str, TaskId] = {}
        self.at_work: set[SessionId] = set()

    def license(self, **licences: int) -> None:
        """Have these licences from now on, and plenty of ports."""
        counts = {"telephony_ports": 100, "outbound_ports": 5, "agent_web_api": 50, **licences}
        self.system.license(NOON, **counts)

    def job(
        self,
        name: str,
        mode: str = "predictive",
        *,
        minimum: int = 1,
        maximum: int = 30,
        priority: int = 5,
        **skills: int,
    ) -> JobId:
        """Start a job for agents with these skills, with one contact to talk to."""
        levels = ", ".join(f"{skill} = {level}" for skill, level in skills.items())
        source = SOURCE.format(
            name=name,
            mode=mode,
            minimum=minimum,
            maximum=maximum,
            priority=priority,
            skills=f"skills = {{ {levels} }}" if levels else "",
        )
        listed = self.system.contact_list(name, 1)
        campaign = self.system.campaign(name, [listed], source=source)
        self.jobs[name] = self.system.start(campaign, self.now)
        rows = self.database.read_now(job_store.tasks, None, job_ids=[self.jobs[name]])
        self.tasks[name] = rows[0].id
        return self.jobs[name]

    def hire(self, name: str, campaigns: tuple[int, ...] = (), **skills: int) -> AgentId:
        """Make an account."""

        def make(tx: Tx) -> AgentId:
            pool = next(row for row in division_store.pools(tx) if row.id == self.pool)
            number = agents_store.add_agent(
                tx,
                {
                    "organization_id": pool.organization_id,
                    "zone_id": pool.zone_id,
                    "name": name,
                    "display_name": name.title(),
                    "address": f"sip:{name}@example.org",
                    "preferred_campaigns": list(campaigns),
                    "created_at": self.now,
                },
            )
            agents_store.set_skills(tx, pool.organization_id, number, skills)
            return number

        self.agents[name] = self.database.write_now(make)
        return self.agents[name]

    def log_in(self, name: str, *, api: bool = True, ready: bool = True, **skills: int) -> SessionId:
        """Log somebody in (hired first, if need be), ready at once unless said otherwise."""
        if name not in self.agents:
            self.hire(name, (), **skills)

        def open_session(tx: Tx) -> SessionId:
            (agent,) = agents_store.agents(tx, None, agent_id=self.agents[name])
            return sessions.open_session(tx, agent, self.now, api=api).session.id

        self.sessions[name] = self.database.write_now(open_session)
        if ready:
            self.is_in(name, AgentState.READY)
        return self.sessions[name]

    def is_in(self, name: str, state: AgentState) -> None:
        """Let the floor write that somebody is in a state."""
        self.database.write_now(self.write_state, self.sessions[name], state.value)

    def write_state(self, tx: Tx, session_id: SessionId, state: str) -> None:
        """Let the floor write a state in a transaction of the test's."""
        row = schema.agent_sessions
        tx.execute(row.update().where(row.c.id == session_id).values(state=state))

    def log_out(self, name: str) -> bool:
        """Log somebody out."""
        session = self.sessions.pop(name)
        self.at_work.discard(session)
        return self.database.write_now(sessions.close_session, RULES, session, self.now, "went home")

    def command(self, name: str, what: JobCommand) -> None:
        """Pause, snooze, resume or stop a job."""
        self.database.write_now(jobs.command, RULES, self.jobs[name], None, what, self.now, "test")

    def limit(self, name: str, **limits: int) -> None:
        """Change priority, minimum or maximum of a job's task."""
        self.database.write_now(
            jobs.change_limits, RULES, self.tasks[name], None, Limits(**limits), self.now, "test"
        )

    def deal(self, seen: Mapping[SessionId, TaskId | None] | None = None) -> Rebalanced:
        """Deal the seats anew."""
        self.now += dt.timedelta(seconds=1)
        return self.database.write_now(
            seats.rebalance, RULES, self.pool, self.now, frozenset(self.at_work), seen
        )

    def where(self) -> dict[str, str | None]:
        """Return the job of everybody who is logged in."""
        names = {number: name for name, number in self.tasks.items()}
        rows = {row["id"]: row for row in self.rows()}
        return {name: names.get(rows[number]["task_id"]) for name, number in self.sessions.items()}

    def rows(self) -> list[Row]:
        """Return the sessions that are open."""
        query = select(schema.agent_sessions).where(schema.agent_sessions.c.ended_at.is_(None))
        return self.database.read_now(lambda tx: list(tx.execute(query).mappings()))

    def row(self, name: str) -> Row:
        """Return somebody's session."""
        return next(row for row in self.rows() if row["id"] == self.sessions[name])

    def task(self, name: str) -> Row:
        """Return a job's task."""
        query = select(schema.tasks).where(schema.tasks.c.id == self.tasks[name])
        return self.database.read_now(lambda tx: tx.execute(query).mappings().one())

    def recalculations(self) -> list[Row]:
        """Return the history of the pool, oldest first."""
        query = select(schema.recalculations).order_by(schema.recalculations.c.id)
        return self.database.read_now(lambda tx: list(tx.execute(query).mappings()))

    def drifts(self) -> list[str]:
        """Return what `outrider check` finds."""
        return self.database.read_now(store.drifts)
