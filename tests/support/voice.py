"""Voice channels under test, opened over each implementation, and a sink that tests can wait on."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from outrider.channels.base import VoiceChannel
from outrider.channels.model import CallEnded, CallEvent, OutboundCall
from outrider.channels.simulated.behaviour import CarrierProfile, FarEnd, Span
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.client import CarrierAddress, TcpCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.channels.simulated.server import CarrierServer
from outrider.clock import Clock, RealClock, ScaledClock, VirtualClock
from outrider.ids import AttemptId

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
KINDS = ("embedded-virtual", "embedded-scaled", "tcp")
SPEED = 200.0
PATIENCE = 30.0
"""Real seconds after which a test that waits for an event has failed."""


def certain(end: FarEnd, **times: Span | float) -> CarrierProfile:
    """Return a profile in which every call meets the same far end, and listens to the end."""
    return CarrierProfile(outcomes={end: 1.0}, hangs_up_early=0.0, **times)  # type: ignore[arg-type] # fields by name


PROFILES: Mapping[str, CarrierProfile] = {end.value: certain(end) for end in FarEnd} | {
    "impatient": CarrierProfile(outcomes={FarEnd.HUMAN: 1.0}, hangs_up_early=1.0),
    "late": certain(FarEnd.BUSY, setup=Span(30.0, 30.0)),
    "silent": certain(FarEnd.HUMAN, linger=Span(3600.0, 3600.0), patience=Span(3600.0, 3600.0)),
}


def a_call(name: str, profile: str = "human", ring_timeout: float = 45.0) -> OutboundCall:
    """Return a call with a readable id."""
    return OutboundCall(AttemptId(name), f"+4930{name}", ring_timeout=ring_timeout, profile=profile)


@dataclass
class Recorder:
    """Keeps events in order of arrival, and wakes who waits for them."""

    clock: Clock
    events: list[CallEvent] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, event: CallEvent) -> None:
        self.events.append(event)
        self._news.set()

    def of(self, call_id: str) -> list[CallEvent]:
        """Return one call's events."""
        return [event for event in self.events if event.call_id == call_id]

    def ended(self, call_id: str) -> CallEnded | None:
        """Return the end of a call, or None while it is up."""
        ends = [event for event in self.of(call_id) if isinstance(event, CallEnded)]
        return ends[0] if ends else None

    def has(self, call_id: str, kind: type[object]) -> bool:
        """Return whether a call had an event of this kind."""
        return any(isinstance(event, kind) for event in self.of(call_id))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass until `condition` holds."""
        if isinstance(self.clock, VirtualClock):
            for _ in range(20_000):
                if condition():
                    return
                await self.clock.advance(0.25)
            raise AssertionError("it did not happen in 5,000 virtual seconds")
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()


@dataclass
class Setup:
    """An open channel, the carrier behind it and what was heard."""

    channel: VoiceChannel
    carrier: SimulatedCarrier
    heard: Recorder
    server: CarrierServer | None = None


@asynccontextmanager
async def voice(kind: str, max_ports: int | None = None, rate: float | None = None) -> AsyncIterator[Setup]:
    """Give an open channel of one of KINDS, with PROFILES."""
    clock: Clock = (
        VirtualClock(START) if kind == "embedded-virtual" else ScaledClock(SPEED, RealClock().now())
    )
    carrier = SimulatedCarrier(clock, PROFILES, seed=7, max_ports=max_ports, originations_per_second=rate)
    heard = Recorder(clock)
    if kind == "tcp":
        server = CarrierServer(carrier)
        await server.start()
        client = TcpCarrier(CarrierAddress(server.host, server.port, timeout=10.0))
        await client.open(heard)
        try:
            yield Setup(client, carrier, heard, server)
        finally:
            await client.close()
            await server.stop()
    else:
        embedded = EmbeddedCarrier(carrier)
        await embedded.open(heard)
        try:
            yield Setup(embedded, carrier, heard)
        finally:
            await embedded.close()
