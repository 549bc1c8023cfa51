"""Agents at work for acceptance tests: accounts with tokens, and people at desktops over the real API."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from outrider.agents import accounts, service
from outrider.agents.notifications import (
    CallConnected,
    LoggedOut,
    NailUpChanged,
    PreviewOffered,
    SeatTaken,
    StateChanged,
)
from outrider.client import AgentApiError, AgentClient
from outrider.db.database import Database, Tx
from outrider.people import passwords
from outrider.people import service as people
from outrider.people.model import SYSTEM
from support.campaigning import NOON

AGENT_PASSWORD = "an agent's own sentence"


def add_agents(
    database: Database, count: int, address: str = "sip:{name}@phones.test", addresses: Sequence[str] = ()
) -> list[str]:
    """Make accounts with users; return an API token of each.

    `addresses` are those of their phones one by one, where no pattern makes them.
    """
    hashed = passwords.hash_password(AGENT_PASSWORD)

    def create(tx: Tx) -> list[str]:
        tokens = []
        for number in range(1, count + 1):
            name = f"agent{number}"
            phone = addresses[number - 1] if addresses else address.format(name=name, number=number)
            plan = accounts.AccountPlan(name=name, address=phone)
            made = service.create(tx, NOON, SYSTEM, plan, password_hash=hashed)
            assert made.user_id is not None
            _, secret = people.create_token(tx, NOON, SYSTEM, made.user_id, name="desk", expires_at=None)
            tokens.append(secret)
        return tokens

    return database.write_now(create)


@dataclass
class Staff:
    """People at desktops: they are ready, talk, and wrap up after `pause` real seconds.

    `heard` counts notifications by kind, `contacts` has every contact that somebody talked to.
    """

    url: str
    tokens: Sequence[str]
    code: str = "sale"
    pause: tuple[float, float] = (0.05, 0.2)
    heard: Counter[str] = field(default_factory=Counter)
    contacts: list[str] = field(default_factory=list)
    seats: int = 0
    trouble: list[str] = field(default_factory=list)

    async def work(self, until: asyncio.Event) -> None:
        """Work until the event is set, then log out."""
        async with asyncio.TaskGroup() as group:
            for number, token in enumerate(self.tokens):
                group.create_task(self._one(number, token, until))

    async def _one(self, number: int, token: str, until: asyncio.Event) -> None:
        chance = random.Random(number)
        async with AgentClient(self.url, token) as agent:
            await agent.log_in(ready=True)
            listening = asyncio.ensure_future(self._listen(agent, chance))
            await until.wait()
            await agent.log_out("the test is over", force=True)
            await listening

    async def _listen(self, agent: AgentClient, chance: random.Random) -> None:
        async with aclosing(agent.notifications()) as heard:
            async for told in heard:
                note = told.notification
                self.heard[note.kind] += 1
                match note:
                    case SeatTaken():
                        self.seats += 1
                    case CallConnected():
                        self.contacts.append(note.attempt_id)
                    case PreviewOffered():
                        await agent.accept_preview()
                    case StateChanged(after="wrap_up"):
                        await asyncio.sleep(chance.uniform(*self.pause))
                        try:
                            await agent.wrap_up(self.code)
                        except AgentApiError as error:
                            self.trouble.append(str(error))
                    case NailUpChanged() if note.detail:
                        self.trouble.append(note.detail)
                    case LoggedOut():
                        return
