"""The simulated message centre for tests: opened in the test's own loop, with channels to it over sockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from outrider.channels.model import InboundText, OutboundText, TextNews, TextReceipt
from outrider.channels.sms.channel import SmppChannel
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.simulated.behaviour import CentreBehaviour
from outrider.channels.sms.simulated.centre import SimulatedCentre
from outrider.clock import RealClock
from outrider.ids import AttemptId

PATIENCE = 20.0
"""Seconds after which a test that waits has failed; nothing waits so long when all is well."""


class Hearer:
    """A sink that remembers, and lets a test wait for what it wants to hear."""

    def __init__(self) -> None:
        self.news: list[TextNews] = []
        self.gate = asyncio.Event()
        """Cleared, the sink takes nothing until it is set."""
        self.gate.set()
        self.failures = 0
        """How many of the next news the sink fails to keep."""
        self.offered = 0
        self._changed = asyncio.Condition()

    async def __call__(self, news: TextNews) -> None:
        async with self._changed:
            self.offered += 1
            self._changed.notify_all()
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the store is away")
        async with self._changed:
            self.news.append(news)
            self._changed.notify_all()

    @property
    def receipts(self) -> list[TextReceipt]:
        return [news for news in self.news if isinstance(news, TextReceipt)]

    @property
    def texts(self) -> list[InboundText]:
        return [news for news in self.news if isinstance(news, InboundText)]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; TimeoutError when it never does."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(holds)


async def eventually(holds: Callable[[], bool]) -> None:
    """Let the loop run until something holds; TimeoutError when it never does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if holds():
                return
            await asyncio.sleep(0.001)


@asynccontextmanager
async def centre(
    behaviour: CentreBehaviour | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[SimulatedCentre]:
    """Give a running message centre, quick by default."""
    quick = behaviour or CentreBehaviour(receipt_delay=0.01, reply_delay=0.01)
    running = SimulatedCentre(quick)
    await running.start(tls=tls)
    try:
        yield running
    finally:
        await running.stop()


def settings_for(server: SimulatedCentre, **changes: object) -> SmppSettings:
    """Return settings that reach a centre; `changes` are fields of SmppSettings."""
    settings = SmppSettings(
        "main", server.host, server.port, "test", "test", sender="OUTRIDER", reconnect_first=0.02
    )
    return replace(settings, **changes)  # type: ignore[arg-type] # fields by name


@asynccontextmanager
async def channel_over(
    *connections: SmppSettings, hearer: Hearer | None = None, patience: float = PATIENCE, wait: bool = True
) -> AsyncIterator[tuple[SmppChannel, Hearer]]:
    """Give an open channel, bound unless told otherwise, and what hears its news."""
    heard = hearer or Hearer()
    channel = SmppChannel(connections, RealClock(), patience=patience)
    await channel.open(heard)
    try:
        if wait:
            await eventually(lambda: all(state.bound for state in channel.connections()))
        yield channel, heard
    finally:
        heard.gate.set()
        await channel.close()


def a_text(
    number: int | str, address: str = "+4915550001", text: str = "Hello", **changes: object
) -> OutboundText:
    """Return a text; its reference is its number, when it has one."""
    reference = number if isinstance(number, int) else 0
    made = OutboundText(AttemptId(str(number)), address, text, reference=reference)
    return replace(made, **changes)  # type: ignore[arg-type] # fields by name


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario in a fresh event loop; it fails rather than hangs."""

    async def run() -> None:
        async with asyncio.timeout(3 * PATIENCE):
            await scenario()

    asyncio.run(run())
