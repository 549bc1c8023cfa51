"""Speed of the channels: simulated calls per second, messages per second against bare aiosmtplib.

`make bench` calls `figures`; run it alone with `python tests/bench/channels_bench.py`. The far end (carrier,
mail sink) runs in the same process, so the rates are lower bounds.
"""

import asyncio
import datetime as dt
import statistics
import sys
from collections.abc import Callable
from contextlib import suppress

import aiosmtplib

from outrider.channels.email.message import MessageSource, build_message, compile_message
from outrider.channels.email.settings import SmtpSettings, Tls
from outrider.channels.email.smtp import SmtpChannel
from outrider.channels.model import CallAnswered, CallEnded, CallEvent, OutboundCall, OutboundMail, Prompt
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.client import CarrierAddress, TcpCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.channels.simulated.server import CarrierServer
from outrider.clock import RealClock, ScaledClock, VirtualClock, stopwatch
from outrider.demo.mail_sink import MailSink, SinkSettings
from outrider.errors import ChannelError
from outrider.ids import AttemptId, new_attempt_ids

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
SPEED = 2000.0
PROMPT = Prompt(text="Your appointment is tomorrow at ten. Call us if you cannot come. " * 2)
CONNECTIONS = 8
RUNS = 3

Figure = tuple[str, str, str]

SOURCE = MessageSource(
    "Wasserwerk <news@out.test>",
    "Ihre Rechnung, {name}",
    "Guten Tag {name},\n\nIhre Rechnung über {amount} ist fällig.\n" * 5,
    '<p>Guten Tag {name},</p><p>Ihre Rechnung über <b>{amount}</b> ist da. <a href="{link}">Zahlen</a></p>'
    * 5,
)


def a_call(number: int) -> OutboundCall:
    return OutboundCall(new_attempt_ids(START, 1)[0], f"+49301{number:06}")


def a_mail(number: int) -> OutboundMail:
    return OutboundMail(
        AttemptId(f"{number:032x}"),
        f"user{number}@cust.test",
        SOURCE.sender,
        SOURCE.subject,
        SOURCE.text,
        SOURCE.html,
        unsubscribe_url=f"https://out.test/u/{number}",
        attributes={"name": f"Zoë {number}", "amount": "42,00 €", "link": f"https://out.test/p/{number}"},
    )


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


async def channel_mails(count: int = 2_000) -> float:
    """Return messages per second through the SMTP channel, building included."""
    sink = MailSink(SinkSettings(keep=1))
    await sink.start()
    settings = SmtpSettings("127.0.0.1", sink.port, "out.test", tls=Tls.NONE, connections=CONNECTIONS)
    channel = SmtpChannel(settings, RealClock())
    await channel.open()
    mails = [a_mail(number) for number in range(count)]
    began = stopwatch()
    await asyncio.gather(*(channel.send(mail) for mail in mails))
    rate = count / (stopwatch() - began)
    await channel.close()
    await sink.stop()
    return rate


async def bare_mails(count: int = 2_000) -> float:
    """Return messages per second of aiosmtplib's own `sendmail` with bytes that were built before."""
    sink = MailSink(SinkSettings(keep=1))
    await sink.start()
    compiled = compile_message(SOURCE)
    built = iter(
        [
            (f"user{number}@cust.test", build_message(compiled, a_mail(number), domain="out.test", at=START))
            for number in range(count)
        ]
    )

    async def send() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=sink.port, start_tls=False) as client:
            for address, content in built:
                await client.sendmail("news@out.test", [address], content)

    began = stopwatch()
    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    rate = count / (stopwatch() - began)
    await sink.stop()
    return rate


def built_mails(count: int = 5_000) -> float:
    """Return messages built per second."""
    compiled = compile_message(SOURCE)
    mails = [a_mail(number) for number in range(count)]
    began = stopwatch()
    for mail in mails:
        build_message(compiled, mail, domain="out.test", at=START)
    return count / (stopwatch() - began)


def figures() -> list[Figure]:
    """Return (what, value, target): the median of each rate over three runs, per second."""

    def median(measure: Callable[[], float]) -> float:
        return statistics.median(measure() for _ in range(RUNS))

    channel = median(lambda: asyncio.run(channel_mails()))
    bare = median(lambda: asyncio.run(bare_mails()))
    return [
        ("simulated calls, carrier core", f"{median(core_calls):,.0f}/s", ""),
        ("simulated calls, embedded channel", f"{median(lambda: asyncio.run(embedded_calls())):,.0f}/s", ""),
        ("simulated calls, over TCP", f"{median(lambda: asyncio.run(tcp_calls())):,.0f}/s", ""),
        ("messages built from a template", f"{median(built_mails):,.0f}/s", ""),
        ("messages through the SMTP channel", f"{channel:,.0f}/s", ""),
        ("the same over bare aiosmtplib, bytes prebuilt", f"{bare:,.0f}/s", ""),
        ("SMTP channel against bare aiosmtplib", f"{channel / bare:.2f} x", ">= 0.8 x"),
    ]


if __name__ == "__main__":
    for what, value, target in figures():
        sys.stdout.write(f"{what:50} {value:>12}   {target}\n")
