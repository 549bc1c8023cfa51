"""A floor of agents over a real Asterisk: their phones, the people they talk to, and their desktops.

Half of the agents' phones are SIPp's, half are the test bed's own, each with a tone. Of the people called,
those whom the test bed's phones play hear which agent talks to them, and how soon; all others are SIPp's, to
whom calls are sent on (302).
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tools.testbed.configuration import CARRIER
from tools.testbed.numbering import Outcome as Far
from tools.testbed.numbering import number
from tools.testbed.phones import Habit, Phone, Phones, running_phones
from tools.testbed.ports import LOOPBACK

from outrider.client import AgentClient
from outrider.client.simulated import Habits, simulate
from support.chain import Chain

FIRST_AGENT, AGENT_STEP = 2_800, 50
"""Hz: tones of agents, above those of speech, which is full of tones."""
FIRST_CONTACT, CONTACT_STEP, CONTACT_TONES = 400, 50, 40
REAL = 10
"""Packets (20 ms) of a tone that are more than the click of a beginning or an end."""

SHARES = {
    Far.TALKS: 30,
    Far.HANGS_UP: 15,
    Far.ANSWERS: 5,
    Far.MACHINE: 8,
    Far.BUSY: 14,
    Far.NO_ANSWER: 10,
    Far.UNAVAILABLE: 8,
    Far.UNALLOCATED: 7,
    Far.REJECTED: 3,
}
"""What becomes of so many calls in a hundred. TALKS are played by phones of the test bed."""


def mixed(count: int, first: int = 0) -> list[str]:
    """Return `count` numbers of all outcomes, mixed, with serials from `first` on.

    People talk for 2 to 6 seconds, and let it ring for up to 2.
    """
    chance = random.Random(first)
    details = {Far.HANGS_UP: (2, 6), Far.ANSWERS: (0, 2)}
    hundred = [far for far, share in SHARES.items() for _ in range(share)]
    found: list[str] = []
    while len(found) < count:
        chance.shuffle(hundred)
        for far in hundred[: count - len(found)]:
            found.append(number(far, first + len(found), chance.randint(*details.get(far, (0, 0)))))
    return found


@dataclass
class Floor:
    """Phones, and who has them."""

    phones: Phones
    addresses: list[str]
    """The SIP addresses of the agents' phones."""
    tones: list[int]
    """Of each agent; 0 for one whose phone is SIPp's."""
    happened: Counter[str] = field(default_factory=Counter)

    @property
    def trunk(self) -> str:
        """The dial string of the media server."""
        return f"PJSIP/{CARRIER}/sip:{{number}}@{LOOPBACK}:{self.phones.port}"

    def heard_by(self, phone: Phone) -> set[int]:
        """Return the numbers (from 0) of the agents with tones whom somebody heard."""
        return {index for index, tone in enumerate(self.tones) if tone and phone.lengths[tone] >= REAL}

    def is_at_sipp(self, called: str) -> bool:
        """Return whether it is SIPp that plays who has this number."""
        return self.phones.habits.get(called, self.phones.habits[""]).moved != ""

    def people(self) -> list[Phone]:
        """Return the calls to people whom phones of the test bed played, oldest first."""
        return [phone for phone in self.phones.calls if phone.name.startswith("+") and not phone.habit.moved]

    @asynccontextmanager
    async def at_work(self, url: str, tokens: Sequence[str], habits: Habits) -> AsyncIterator[None]:
        """Let agents with these tokens work during the block; afterwards they have logged out."""
        clients = [AgentClient(url, token) for token in tokens]
        work = asyncio.ensure_future(simulate(clients, habits, seed=1, counts=self.happened))
        try:
            yield
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            for client in clients:
                await client.__aexit__(None, None, None)


@asynccontextmanager
async def asterisk_floor(chain: Chain, agents: int, numbers: Sequence[str]) -> AsyncIterator[Floor]:
    """Give phones for so many agents, and for the people at these numbers who are not SIPp's."""
    chance, tones = random.Random(2), itertools.cycle(range(CONTACT_TONES))
    people = {
        each: Habit(
            ring=chance.uniform(0.1, 1.5),
            talk=chance.uniform(2.0, 6.0),
            tone=FIRST_CONTACT + CONTACT_STEP * next(tones),
        )
        for each in numbers
        if each.startswith(number(Far.TALKS, 0)[: -len("00000")])
    }
    sipp = f"{LOOPBACK}:{chain.network.port}"
    own = {f"agent{index}": Habit(tone=FIRST_AGENT + AGENT_STEP * index) for index in range(0, agents, 2)}
    async with running_phones({**people, **own, "": Habit(moved=sipp)}) as phones:
        addresses = [
            phones.address(f"agent{index}")
            if f"agent{index}" in own
            else f"sip:{number(Far.PHONE, index)}@{sipp}"
            for index in range(agents)
        ]
        yield Floor(phones, addresses, [own.get(f"agent{index}", Habit()).tone for index in range(agents)])
