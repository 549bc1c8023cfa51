"""The demo's agents: their accounts, and simulated people at their desktops over the real Agent Web API.

`cli/demo.py` hires them before the program serves; `running` lets them work while the job with agents runs.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import httpx

from outrider.agents import service
from outrider.agents.accounts import AccountPlan
from outrider.client import AgentClient
from outrider.client.simulated import Habits, simulate
from outrider.db.database import Tx
from outrider.demo.system import System
from outrider.people import passwords
from outrider.people import service as people
from outrider.people.model import SYSTEM

NAMES: Final = (
    "amelia",
    "callum",
    "chloe",
    "george",
    "harriet",
    "imogen",
    "isla",
    "niamh",
    "oliver",
    "rhys",
    "sean",
    "zoe",
)
TALK: Final = 60.0
WRAP_UP: Final = 12.0
"""Mean seconds."""

CODES: Final = {"sale": 0.25, "not_interested": 0.7, "wrong_number": 0.05}
"""What the conversations come to, as weights."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Agents at work. `tokens` are those of the API, one an agent; `counts` says what the desktops saw."""

    url: str
    tokens: Sequence[str]
    habits: Habits
    seed: int
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Return how many agents there are."""
        return len(self.tokens)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let them be logged in, ready, and at work for as long as the block lasts; then all log out."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=len(self.tokens))
        async with httpx.AsyncClient(limits=limits) as http:
            clients = [AgentClient(self.url, token, http=http) for token in self.tokens]
            working = asyncio.ensure_future(
                simulate(clients, self.habits, seed=self.seed, counts=self.counts)
            )
            try:
                yield
            finally:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)


async def hire(system: System, url: str, *, speed: float, seed: int) -> tuple[Staff, str]:
    """Make accounts of NAMES with users and tokens; return them and the one-time password of every user."""
    password = passwords.new_password()
    hashed = await passwords.hash_later(password)
    tokens = await system.database.write(partial(_make, system=system, password_hash=hashed))
    return Staff(url, tokens, Habits(talk=TALK, wrap_up=WRAP_UP, codes=CODES, speed=speed), seed), password


def _make(tx: Tx, system: System, password_hash: str) -> list[str]:
    now = system.clock.now()
    tokens = []
    for name in NAMES:
        plan = AccountPlan(name, f"sip:{name}@demo.invalid", name.title())
        made = service.create(tx, now, SYSTEM, plan, password_hash=password_hash)
        if made.user_id is None:
            raise ValueError(f"agent {name} has no user")
        tokens.append(people.create_token(tx, now, SYSTEM, made.user_id, name="demo", expires_at=None)[1])
    return tokens
