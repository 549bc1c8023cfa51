"""Several real media servers and the simulated carrier as one voice channel."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from tools.testbed.asterisk import AsteriskServer
from tools.testbed.numbering import Outcome, number

from outrider.channels.asterisk.health import ServerHealth
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.channels.asterisk.trouble import ServerState
from outrider.channels.base import ChannelUnreachableError
from outrider.channels.media_servers import MediaServers
from outrider.channels.model import CallAnswered, EndCause, Living, OutboundCall, PlaybackFinished, Prompt
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.clock import RealClock, ScaledClock
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from support.asterisk_driving import settings_of
from support.voice import PROFILES, SPEED, Recorder

Pair = tuple[AsteriskServer, AsteriskServer]


@dataclass
class Setup:
    """Open media servers, and what they told."""

    channel: MediaServers
    heard: Recorder
    left: AsteriskSettings
    right: AsteriskSettings
    news: asyncio.Event

    async def until(self, **states: ServerState) -> None:
        """Wait until each named server is in its state."""
        async with asyncio.timeout(30):
            while {name: health.state for name, health in self.channel.health().items()} != states:
                self.news.clear()
                await self.news.wait()

    async def call(self, name: str, server: str, outcome: Outcome, serial: int = 1) -> AttemptId:
        """Make a call on a server."""
        call = OutboundCall(AttemptId(name), number(outcome, serial), profile="silent", server=server)
        await self.channel.originate(call)
        return call.call_id

    async def up(self, name: str, server: str, serial: int) -> AttemptId:
        """Make a call that is answered."""
        call_id = await self.call(name, server, Outcome.ANSWERS, serial)
        await self.heard.until(lambda: self.heard.has(call_id, CallAnswered))
        return call_id

    async def played(self, call_id: str) -> None:
        """Wait for the end of a call's prompt."""
        await self.heard.until(lambda: self.heard.has(call_id, PlaybackFinished))

    async def cause_of(self, call_id: str) -> EndCause:
        """Return why a call ended, once it has."""
        await self.heard.until(lambda: self.heard.ended(call_id) is not None)
        end = self.heard.ended(call_id)
        assert end is not None
        return end.cause


@asynccontextmanager
async def opened(pair: Pair) -> AsyncIterator[Setup]:
    clock = RealClock()
    heard, news = Recorder(clock), asyncio.Event()
    carrier = SimulatedCarrier(ScaledClock(SPEED, clock.now()), PROFILES, seed=7)

    def on_health(_: ServerHealth) -> None:
        news.set()

    channel = MediaServers(clock, EmbeddedCarrier(carrier), on_health=on_health)
    left, right = (
        settings_of(server, name=name) for server, name in zip(pair, ("left", "right"), strict=True)
    )
    await channel.configure([left, right])
    await channel.open(heard)
    setup = Setup(channel, heard, left, right, news)
    try:
        await setup.until(left=ServerState.CONNECTED, right=ServerState.CONNECTED)
        yield setup
    finally:
        await channel.close()


def play(pair: Pair, scenario: Callable[[Setup], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(60), opened(pair) as setup:
            await scenario(setup)

    asyncio.run(run())


def test_each_call_is_on_its_server_and_all_are_one(asterisk_pair: Pair) -> None:
    async def scenario(setup: Setup) -> None:
        left = await setup.up("on left", "left", 1)
        right = await setup.up("on right", "right", 2)
        busy = await setup.call("busy", "right", Outcome.BUSY, 3)
        simulated = await setup.up("simulated", "", 4)
        assert [server.channel_ids() for server in asterisk_pair] == [{left}, {right}]
        assert await setup.cause_of(busy) is EndCause.BUSY
        living = await setup.channel.living()
        assert {call.call_id: call.server for call in living.calls} == {
            left: "left",
            right: "right",
            simulated: "",
        }
        for call in (left, right):
            await setup.channel.play(call, Prompt(file="digits/1"))
            await setup.played(call)
            await setup.channel.hang_up(call)
            assert await setup.cause_of(call) is EndCause.NORMAL
        await setup.channel.hang_up(simulated)
        assert await setup.cause_of(simulated) is EndCause.NORMAL
        assert await setup.channel.living() == Living()
        with pytest.raises(ChannelUnreachableError, match="'middle' is not configured"):
            await setup.call("nowhere", "middle", Outcome.BUSY)
        with pytest.raises(ChannelError, match="not up"):
            await setup.channel.play(left, Prompt(file="digits/1"))

    play(asterisk_pair, scenario)


def test_one_that_dies_or_freezes_does_not_disturb_the_other(asterisk_pair: Pair) -> None:
    left_server, _ = asterisk_pair

    async def scenario(setup: Setup) -> None:
        on_left = await setup.up("on left", "left", 1)
        right = await setup.up("on right", "right", 2)
        left_server.kill()
        await setup.until(left=ServerState.GONE, right=ServerState.CONNECTED)
        living = await setup.channel.living()
        assert ([call.call_id for call in living.calls], living.silent) == ([right], frozenset())
        with pytest.raises(ChannelUnreachableError):
            await setup.call("untried", "left", Outcome.BUSY)
        left_server.restart()
        await setup.until(left=ServerState.CONNECTED, right=ServerState.CONNECTED)
        again = await setup.up("again", "left", 3)
        assert {call.call_id for call in (await setup.channel.living()).calls} == {again, right}
        for call in (again, right):
            await setup.channel.hang_up(call)
            assert await setup.cause_of(call) is EndCause.NORMAL
        assert setup.heard.ended(on_left) is None

    play(asterisk_pair, scenario)


def test_servers_come_change_and_go_while_calls_are_up(asterisk_pair: Pair) -> None:
    async def scenario(setup: Setup) -> None:
        left = await setup.up("on left", "left", 1)
        right = await setup.up("on right", "right", 2)
        await setup.channel.configure([setup.right])
        assert list(setup.channel.health()) == ["right"]
        with pytest.raises(ChannelUnreachableError):
            await setup.call("too late", "left", Outcome.BUSY)
        assert {call.call_id for call in (await setup.channel.living()).calls} == {left, right}
        await setup.channel.hang_up(left)
        assert await setup.cause_of(left) is EndCause.NORMAL
        await setup.channel.living()
        assert not setup.channel._leaving
        await setup.channel.configure([setup.left, setup.right])
        await setup.until(left=ServerState.CONNECTED, right=ServerState.CONNECTED)
        busy = await setup.call("back", "left", Outcome.BUSY, 3)
        assert await setup.cause_of(busy) is EndCause.BUSY
        assert {call.call_id for call in (await setup.channel.living()).calls} == {right}
        await setup.channel.hang_up(right)
        assert await setup.cause_of(right) is EndCause.NORMAL

    play(asterisk_pair, scenario)
