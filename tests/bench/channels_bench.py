"""Speed of the simulated carrier: calls per second of its core, embedded and over TCP.

`make bench` calls `figures`; run it alone with `python tests/bench/channels_bench.py`. The carrier
runs in the same process, so the rates are lower bounds.
"""

import asyncio
import datetime as dt
import statistics
import sys
from collections.abc import Callable
from contextlib import suppress

from outrider.channels.model import CallAnswered, CallEnded, CallEvent, OutboundCall, Prompt
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.client import CarrierAddress, TcpCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.channels.simulated.server import CarrierServer
from outrider.clock import RealClock, ScaledClock, VirtualClock, stopwatch
from outrider.errors import ChannelError
from outrider.ids import AttemptId, new_attempt_ids

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
SPEED = 2000.0
PROMPT = Prompt(text="Your appointment is tomorrow at ten. Call us if you cannot come. " * 2)
RUNS = 3

Figure = tuple[str, str, str]


def a_call(number: int) -> OutboundCall:
    return OutboundCall(new_attempt_ids(START, 1)[0], f"+49301{number:06}")


def core_calls(count: int = 20_000) -> float:
    """Return calls per second of the carrier's core alone: originate, all events, a prompt when answered."""
    clock = VirtualClock(START)
    carrier = SimulatedCarrier(clock, seed=1)
    answered: list[AttemptId] = []

    def sink(event: CallEvent) -> None:
        if isinstance(event, CallAnswered):
            answered.append(event.call_id)

    carrier.connect(sink)
    calls = [a_call(number) for number in range(count)]
    began = stopwatch()
    for call in calls:
        carrier.originate(call)
    while (seconds := carrier.seconds_to_next()) is not None:
        clock._now += dt.timedelta(seconds=seconds)
        carrier.run_due()
        for call_id in answered:
            carrier.play(call_id, PROMPT)
        answered.clear()
    return count / (stopwatch() - began)


async def embedded_calls(count: int = 10_000) -> float:
    """Return whole calls per second through the embedded channel, on a scaled clock and the event loop."""
    channel = EmbeddedCarrier(SimulatedCarrier(ScaledClock(SPEED, RealClock().now()), seed=1))
    return await _drive(channel, count)


async def tcp_calls(count: int = 5_000) -> float:
    """Return whole calls per second through client and server over loopback."""
    server = CarrierServer(SimulatedCarrier(ScaledClock(SPEED, RealClock().now()), seed=1))
    await server.start()
    rate = await _drive(TcpCarrier(CarrierAddress(server.host, server.port)), count)
    await server.stop()
    return rate


async def _drive(channel: EmbeddedCarrier | TcpCarrier, count: int) -> float:
    """Make calls as fast as the channel takes them, play to whoever answers, until all have ended."""
    answered: asyncio.Queue[AttemptId] = asyncio.Queue()
    done = asyncio.Event()
    ended = 0

    def sink(event: CallEvent) -> None:
        nonlocal ended
        if isinstance(event, CallAnswered):
            answered.put_nowait(event.call_id)
        elif isinstance(event, CallEnded):
            ended += 1
            if ended == count:
                done.set()

    async def play() -> None:
        while True:
            await _play_unless_gone(channel, await answered.get())

    await channel.open(sink)
    calls = iter([a_call(number) for number in range(count)])

    async def originate() -> None:
        for call in calls:
            await channel.originate(call)

    began = stopwatch()
    async with asyncio.TaskGroup() as group:
        player = group.create_task(play())
        for _ in range(32):
            group.create_task(originate())
        await done.wait()
        player.cancel()
    rate = count / (stopwatch() - began)
    await channel.close()
    return rate


async def _play_unless_gone(channel: EmbeddedCarrier | TcpCarrier, call_id: AttemptId) -> None:
    """Play the prompt, unless the far end has hung up meanwhile: scaled time is fast."""
    with suppress(ChannelError):
        await channel.play(call_id, PROMPT)


def figures() -> list[Figure]:
    """Return (what, value, target): the median of each rate over three runs, per second."""

    def median(measure: Callable[[], float]) -> float:
        return statistics.median(measure() for _ in range(RUNS))

    return [
        ("simulated calls, carrier core", f"{median(core_calls):,.0f}/s", ""),
        ("simulated calls, embedded channel", f"{median(lambda: asyncio.run(embedded_calls())):,.0f}/s", ""),
        ("simulated calls, over TCP", f"{median(lambda: asyncio.run(tcp_calls())):,.0f}/s", ""),
    ]


if __name__ == "__main__":
    for what, value, target in figures():
        sys.stdout.write(f"{what:50} {value:>12}   {target}\n")
