"""Simulated agents on the real Agent Web API: they accept cards, talk, and wrap up after random times.

`outrider agents simulate`, the demo and load tests run them. What they are told decides what they do, so that
they are in step with the floor after a lost connection too.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from outrider.agents.notifications import (
    CallConnected,
    Notification,
    SeatRefused,
    StateChanged,
    Welcome,
    WrapUpEnded,
)
from outrider.client.agent import AgentClient
from outrider.client.errors import AgentApiError
from outrider.clock import stopwatch

LATE = frozenset({"illegal_transition", "conflict", "not_found"})
"""Refusals that come of the contact's being quicker: it hung up, or the time was over."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Mean seconds of looking at a card, talking (0: until the contact hangs up) and wrapping up.

    `codes` are completion codes with their weights. `speed` is that of the server's clock.
    """

    preview: float = 5.0
    talk: float = 60.0
    wrap_up: float = 15.0
    codes: Mapping[str, float] = field(default_factory=lambda: {"done": 1.0})
    speed: float = 1.0

    def seconds(self, mean: float, chance: random.Random) -> float:
        """Draw a time: gamma of shape 4, whose standard deviation is half the mean."""
        return chance.gammavariate(4.0, mean / 4.0) / self.speed


class SimulatedAgent:
    """One agent. `counts` of what happened and `delays` may be shared by many.

    Delays are real seconds from sending commands until they were answered.
    """

    def __init__(
        self,
        client: AgentClient,
        habits: Habits,
        chance: random.Random,
        counts: Counter[str],
        delays: list[float],
    ) -> None:
        self._client = client
        self._habits = habits
        self._chance = chance
        self._counts = counts
        self._delays = delays
        self._doing: asyncio.Task[None] | None = None
        self._asking: set[asyncio.Task[None]] = set()

    async def work(self) -> None:
        """Log in and work until the session is over; cancelled, log out. AgentApiError."""
        try:
            await self._client.log_in(ready=True)
        except asyncio.CancelledError:
            # It may have come through: nobody is left logged in.
            await self._client.log_out("the simulation is over", force=True)
            raise
        except AgentApiError as error:
            if error.status != 409 or error.code == "licence_shortage":  # noqa: PLR2004 - HTTP's conflict
                raise
            # It is logged in from a run before.
            await self._client.ready()
        try:
            async with aclosing(self._client.notifications()) as heard:
                async for told in heard:
                    self._hear(told.notification)
        finally:
            self._stop()
            await asyncio.gather(*self._asking)
            await self._client.log_out("the simulation is over", force=True)

    def _hear(self, told: Notification) -> None:
        match told:
            case Welcome(session=session):
                self._be(str(session["state"]))
            case StateChanged(after=after):
                self._be(after)
            case CallConnected():
                self._counts["calls"] += 1
            case WrapUpEnded(code=code, by_timeout=late):
                self._counts["wrapped up late" if late else f"code {code}"] += 1
            case SeatRefused():
                self._counts["seats refused"] += 1
            case _:
                pass

    def _be(self, state: str) -> None:
        """Begin what one does in a state, and leave what one did in another."""
        self._stop()
        habits, client = self._habits, self._client
        match state:
            case "preview":
                self._later(habits.preview, client.accept_preview)
            case "talking" if habits.talk > 0:
                self._later(habits.talk, client.end_call)
            case "wrap_up":
                names = list(habits.codes)
                code = self._chance.choices(names, [habits.codes[each] for each in names])[0]
                self._later(habits.wrap_up, lambda: client.wrap_up(code, "simulated"))
            case "not_ready":
                self._later(0.0, client.ready)

    def _later(self, mean: float, act: Callable[[], Awaitable[None]]) -> None:
        seconds = self._habits.seconds(mean, self._chance) if mean > 0 else 0.0
        self._doing = asyncio.ensure_future(self._act(seconds, act))

    async def _act(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(seconds)
        # What was begun is finished, even when its own effect ends this state.
        asking = asyncio.ensure_future(self._ask(act))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        await asyncio.shield(asking)

    async def _ask(self, act: Callable[[], Awaitable[None]]) -> None:
        began = stopwatch()
        try:
            await act()
        except AgentApiError as error:
            self._counts["too late" if error.code in LATE else f"refused {error.code}"] += 1
        self._delays.append(stopwatch() - began)

    def _stop(self) -> None:
        if self._doing is not None:
            self._doing.cancel()
            self._doing = None


async def simulate(
    clients: Sequence[AgentClient],
    habits: Habits,
    *,
    seed: int = 0,
    seconds: float | None = None,
    pause: float = 0.01,
    counts: Counter[str] | None = None,
    delays: list[float] | None = None,
) -> tuple[Counter[str], list[float]]:
    """Let these agents work for so many real seconds (None: until cancelled).

    They log in one after another, `pause` seconds apart. Return what happened, and how long their commands
    took in real seconds: `counts` and `delays`, which who cancels it keeps. An agent that cannot log in is
    counted, and the others go on.
    """
    happened: Counter[str] = Counter() if counts is None else counts
    took = [] if delays is None else delays
    agents = [
        SimulatedAgent(client, habits, random.Random(f"{seed} {number}"), happened, took)  # noqa: S311
        for number, client in enumerate(clients)
    ]

    async def one(number: int, agent: SimulatedAgent) -> None:
        await asyncio.sleep(number * pause)
        try:
            await agent.work()
        except AgentApiError as error:
            happened[f"not logged in: {error.code}"] += 1

    try:
        # A group is over when everybody is logged out; a cancelled `gather` when the first one is.
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for number, agent in enumerate(agents):
                group.create_task(one(number, agent))
    except TimeoutError:
        pass
    return happened, took
