"""A campaign whose agents promise callbacks, for tests that make and give them at times that they choose."""

import datetime as dt
from typing import Any

from outrider.callbacks import giving, service
from outrider.callbacks.giving import Given
from outrider.callbacks.model import Callback, CallbackPlan, FreeAgent
from outrider.campaigns.strategy_agents import CallbackState
from outrider.db.database import Database
from outrider.dialing.attempt import Claim
from outrider.people.model import SYSTEM
from support.agent_campaigns import AgentWork
from support.agent_sessions import log_in
from support.campaigning import NOON, RULES

HOUR = dt.timedelta(hours=1)


class Promising(AgentWork):
    """A campaign of agents with callbacks, which a test gives to whom it says is free."""

    def __init__(self, database: Database, contacts: int = 3, **start: Any) -> None:
        super().__init__(database)
        self.job = self.start(contacts, **start)
        self.campaign = self.system.job(self.job).campaign_id

    def make(self, contact: int = 0, hours: float = 1, **plan: Any) -> Callback:
        """Promise the nth contact a call in so many hours, by hand."""
        made = CallbackPlan(at=self.now + hours * HOUR, **plan)
        return self.database.write_now(
            service.create, self.now, SYSTEM, self.campaign, self.contact_id(contact), made
        )

    def contact_id(self, number: int) -> int:
        """Return the id of the nth contact."""
        return int(self.targets()[number]["contact_id"])

    def mine(self) -> FreeAgent:
        """Return our agent, free."""
        return FreeAgent(self.session, self.agent)

    def give(self, *free: FreeAgent) -> list[Given]:
        """Give what is due to these; asking whether it is says the same."""
        due = self.database.read_now(giving.is_due, self.plan(self.job), free, self.now)
        before = self.all()
        given = self.database.write_now(giving.give, RULES, self.plan(self.job), free, "worker", self.now)
        assert due == (bool(given) or self.all() != before)
        return given

    def one(self, *free: FreeAgent) -> Claim:
        """Give the one that is due."""
        (given,) = self.give(*free)
        return given.claim

    def all(self) -> list[Callback]:
        """Return all callbacks as they are now."""
        found, _ = self.database.read_now(lambda tx: service.callbacks(tx, None, states=tuple(CallbackState)))
        return found

    def state(self) -> CallbackState:
        """Return the state of the only callback."""
        (callback,) = self.all()
        return callback.state


def other_agent(work: Promising, name: str = "bob") -> FreeAgent:
    """Log another agent in."""
    agent, session = log_in(work.database, work.plan(work.job).pool_id, name, NOON)
    return FreeAgent(session, agent)
