"""The product's driver on a server of the real test bed, for tests of `tests/telephony`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tools.testbed import asterisk as bed
from tools.testbed.numbering import Outcome, number

from outrider.channels.asterisk.health import ServerHealth
from outrider.channels.asterisk.server import AsteriskServer
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.channels.model import CallEnded, EndCause, OutboundCall
from outrider.clock import RealClock
from outrider.ids import AttemptId
from support.voice import Recorder

SHORT = 2.0
"""Seconds that a test lets it ring."""


def settings_of(server: bed.AsteriskServer, **changes: Any) -> AsteriskSettings:
    """Return the settings that reach a server of the test bed."""
    known: Mapping[str, Any] = {
        "name": "bed",
        "url": server.ari_url,
        "username": server.username,
        "password": server.password,
        "longest_pause": 0.5,
    }
    return AsteriskSettings(**{**known, **changes})


@dataclass
class Driving:
    """An open driver, what it told, and how often it doubted."""

    channel: AsteriskServer
    heard: Recorder
    health: list[ServerHealth] = field(default_factory=list)
    doubts: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(
        self, name: str, outcome: Outcome, serial: int = 1, detail: int = 0, **fields: Any
    ) -> AttemptId:
        """Make a call to a number of the public network; it rings for SHORT seconds unless told otherwise."""
        call = OutboundCall(
            AttemptId(name), number(outcome, serial, detail), **{"ring_timeout": SHORT, **fields}
        )
        await self.channel.originate(call)
        return call.call_id

    async def end_of(self, name: str) -> CallEnded:
        """Return the end of a call once it has come."""
        await self.heard.until(lambda: self.heard.ended(name) is not None)
        end = self.heard.ended(name)
        assert end is not None
        return end

    async def cause_of(self, name: str) -> EndCause:
        """Return why a call ended once it has."""
        return (await self.end_of(name)).cause

    async def has(self, name: str, kind: type[object]) -> None:
        """Wait for an event of a kind."""
        await self.heard.until(lambda: self.heard.has(name, kind))

    async def until_health(self, condition: Callable[[ServerHealth], bool]) -> None:
        """Wait until the driver says of its server what satisfies `condition`."""
        async with asyncio.timeout(30):
            while not condition(self.channel.health):
                self._news.clear()
                await self._news.wait()

    def noted(self, health: ServerHealth) -> None:
        """Keep a change of health."""
        self.health.append(health)
        self._news.set()

    def doubted(self) -> None:
        """Count a doubt."""
        self.doubts += 1
        self._news.set()


@asynccontextmanager
async def driving(settings: AsteriskSettings, **parts: Any) -> AsyncIterator[Driving]:
    """Give an open driver; it is closed afterwards. `parts` are further arguments of AsteriskServer."""
    heard = Recorder(RealClock())
    channel = AsteriskServer(settings, RealClock(), **parts)
    driver = Driving(channel, heard)
    channel.on_doubt, channel.on_health = driver.doubted, driver.noted
    await channel.open(heard)
    try:
        yield driver
    finally:
        await channel.close()


def drive(scenario: Callable[[Driving], Awaitable[None]], settings: AsteriskSettings, **parts: Any) -> None:
    """Run a scenario on an open driver, for a minute at most."""

    async def run() -> None:
        async with asyncio.timeout(60), driving(settings, **parts) as driver:
            await scenario(driver)

    asyncio.run(run())
