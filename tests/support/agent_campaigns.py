"""Campaigns in which agents talk, for tests that claim, call and wrap up themselves."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select

from outrider.agents.model import AgentId, SessionId
from outrider.campaigns.outcome import Outcome
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.db import schema
from outrider.db.database import Database, Row, Tx
from outrider.dialing import agent_claims, plans, recording, results
from outrider.dialing.attempt import Batch, Claim, Refusal, Result, TaskPlan
from outrider.dialing.recording import Recorded
from outrider.dialing.wrap_ups import WrapUpDone
from outrider.ids import JobId, ListId
from outrider.jobs.loading import load_targets
from outrider.runtime import store
from support import outreach
from support.agent_sessions import log_in
from support.campaigning import NOON, RULES, campaigning

SOURCE = """
name = "{name}"
{top}
[[actions]]
name = "talk"
channel = "call"
{extra}
[actions.agents]
mode = "{mode}"
abandoned = {{ text = "Nobody is free to talk to you now." }}
{agents}
"""

LATER = NOON + dt.timedelta(seconds=1)


class AgentWork:
    """A system with one agent, whose claims and results a test makes itself, at times that it chooses."""

    def __init__(self, database: Database, **licences: int) -> None:
        self.database = database
        self.system = campaigning(database)
        counts = {"telephony_ports": 30, "predictive_agents": 10, "sms": 1, **licences}
        self.system.license(NOON, **counts)
        self.now = LATER
        self._plans: dict[tuple[JobId, str], TaskPlan] = {}
        self.agent = AgentId(0)
        self.session = SessionId(0)

    def start(
        self,
        phones: int | Sequence[Mapping[str, Any]],
        *,
        name: str = "a",
        mode: str = "predictive",
        extra: str = "",
        agents: str = "",
        top: str = "",
    ) -> JobId:
        """Start a campaign with contacts of these fields, or so many that can be called; log an agent in."""
        source = SOURCE.format(name=name, mode=mode, extra=extra, agents=agents, top=top)
        listed: ListId = (
            self.system.contact_list(name, phones)
            if isinstance(phones, int)
            else outreach.people(self.system, name, phones)
        )
        job_id = self.system.start(self.system.campaign(name, [listed], source=source), NOON)
        self.load(job_id)
        if not self.session:
            self.agent, self.session = log_in(self.database, self.plan(job_id).pool_id, "ada", NOON)
        return job_id

    def load(self, job_id: JobId) -> None:
        """Make the contacts of a job its targets."""
        self.database.write_now(load_targets, RULES, job_id, NOON)

    def plan(self, job_id: JobId, action: str = "talk") -> TaskPlan:
        """Return the plan of a job's task, as it was when it ran."""
        if (job_id, action) not in self._plans:
            _, found = self.database.read_now(plans.admitted_plans, frozenset())
            self._plans |= {(plan.job_id, plan.action.name): plan for plan in found}
        return self._plans[job_id, action]

    def take(self, job_id: JobId, wanted: int, **how: Any) -> Batch:
        """Claim contacts that are due for agents."""
        return self.database.write_now(
            agent_claims.take_for_agents, RULES, self.plan(job_id), wanted, "worker", self.now, **how
        )

    def card(self, job_id: JobId) -> Claim:
        """Claim a card for the agent."""
        (claim,) = self.take(job_id, 1, session_id=self.session, preview=True).claims
        return claim

    def contact(self, job_id: JobId, contact_id: int, **how: Any) -> Claim | Refusal:
        """Claim one contact for the agent."""
        plan = self.plan(job_id)
        how.setdefault("session_id", self.session)
        batch = self.database.write_now(
            agent_claims.take_contact, RULES, plan, contact_id, "worker", self.now, **how
        )
        return batch if isinstance(batch, Refusal) else batch.claims[0]

    def number(self, job_id: JobId, address: str, **how: Any) -> Claim | Refusal:
        """Claim a number for the agent."""
        plan = self.plan(job_id)
        how.setdefault("session_id", self.session)
        batch = self.database.write_now(
            agent_claims.take_number, RULES, plan, address, "worker", self.now, **how
        )
        return batch if isinstance(batch, Refusal) else batch.claims[0]

    def start_card(self, claim: Claim) -> bool:
        """Let an accepted card become a call."""
        return self.database.write_now(agent_claims.start_preview, claim.attempt_id)

    def give_back(self, claim: Claim, *, skipped: bool) -> bool:
        """Give a card back."""
        return self.database.write_now(agent_claims.give_back, RULES, claim, self.now, skipped=skipped)

    def end(self, claim: Claim, outcome: Outcome, *, talked: bool = False, **fields: Any) -> Result:
        """Write the result of a call; `talked` with the agent."""
        result = self.result(claim, outcome, talked=talked, **fields)
        self.database.write_now(results.record, RULES, [result], self.now)
        return result

    def result(self, claim: Claim, outcome: Outcome, *, talked: bool = False, **fields: Any) -> Result:
        """Return the result of a call that ends now."""
        result = Result(claim, outcome, self.now, **fields)
        if talked:
            result = replace(
                result, answered_at=self.now, joined_at=self.now, agent_id=self.agent, session_id=self.session
            )
        return result

    def wrap_up(self, claim: Claim, code: str | None, **fields: Any) -> WrapUpDone:
        """Return what the agent says of a call, now."""
        return WrapUpDone(claim.attempt_id, code, fields.pop("note", ""), self.agent, self.now, **fields)

    def record(self, *batch: Recorded) -> None:
        """Write what the recorder would write."""
        self.database.write_now(recording.record_all, RULES, batch, self.now)

    def code(self, name: str, effect: str, retry_after: float | None = None) -> None:
        """Make a completion code."""

        def make(tx: Tx) -> None:
            values = {"name": name, "label": name, "effect": effect, "retry_after": retry_after}
            row = insert(schema.completion_codes)
            tx.execute(row.values(organization_id=self.system.organization_id, **values))

        self.database.write_now(make)

    def block(self, address: str) -> None:
        """Put a number on a do-not-contact list."""
        self.database.write_now(
            do_not_contact.opt_out,
            self.now,
            organization_id=self.system.organization_id,
            list_name="blocked",
            addresses=[address],
            source="test",
            actor="test",
        )

    def wait(self, **span: float) -> None:
        """Let time pass, as for timedelta."""
        self.now += dt.timedelta(**span)

    def targets(self) -> list[Row]:
        """Return all targets in the order of their ids."""
        return self.database.read_now(outreach.targets)

    def attempts(self) -> list[Row]:
        """Return all attempts in the order of their claims."""
        return self.database.read_now(outreach.attempts)

    def attempt(self, claim: Claim) -> Row:
        """Return the row of an attempt."""
        return next(row for row in self.attempts() if row["id"] == claim.attempt_id)

    def task(self, job_id: JobId) -> Row:
        """Return the row of the task."""
        query = select(schema.tasks).where(schema.tasks.c.id == self.plan(job_id).task_id)
        return self.database.read_now(lambda tx: tx.execute(query).mappings().one())

    def drifts(self) -> list[str]:
        """Return what `outrider check` finds."""
        return self.database.read_now(store.drifts)


def known_targets(work: AgentWork) -> list[tuple[str, int, str | None]]:
    """Return state, attempts and outcome of each target."""
    return [(row["state"], row["attempts"], row["outcome"]) for row in work.targets()]
