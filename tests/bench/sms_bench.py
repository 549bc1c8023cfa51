"""Speed of text messages: through our SMPP channel with receipts, and of the simulated centre alone.

`make bench` calls `figures`; run it alone with `python tests/bench/sms_bench.py`. The centre runs in a
process of its own, as `outrider sms simulate` does.
"""

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from outrider.channels.model import OutboundText, TextNews, TextReceipt, TextResult
from outrider.channels.sms.bodies import (
    Address,
    Bind,
    BindResponse,
    BindType,
    DeliverSm,
    DeliverSmResponse,
    Pdu,
    SubmitSm,
    SubmitSmResponse,
)
from outrider.channels.sms.channel import SmppChannel
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.framing import Framer
from outrider.channels.sms.pdu import decode, encode
from outrider.channels.sms.segments import count
from outrider.clock import RealClock, stopwatch
from outrider.ids import AttemptId

SIMULATE = "from outrider.cli.sms import sms; sms()"
TEXT = "Your appointment is tomorrow at 9. Reply STOP to get no more messages."
WINDOW = 100
SENDERS = 200
RUNS = 3
PATIENCE = 120.0

Figure = tuple[str, str, str]


@dataclass(frozen=True)
class Measured:
    """Messages per second from first submission to last receipt, and our CPU per message in ms."""

    rate: float
    cpu: float


@contextmanager
def simulated() -> Iterator[int]:
    """Give the port of a centre in a process of its own; its books are checked by whoever measures."""
    command = [sys.executable, "-c", SIMULATE, "simulate", "--receipt-delay", "0.05"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None:
            raise RuntimeError("the centre was started without a pipe")
        yield int(process.stdout.readline().rpartition(":")[2])
        process.send_signal(signal.SIGTERM)
        books = json.loads(process.stdout.readline())
        if books["taken"] != books["receipts"] or books["taken"] != books["acknowledged"]:
            raise RuntimeError(f"the books do not agree: {books}")
    finally:
        process.kill()
        process.communicate()


async def through_channel(port: int, total: int = 20_000) -> Measured:
    """Send through the channel as workers do, and hear all receipts."""
    receipts = 0
    done = asyncio.Event()

    async def sink(news: TextNews) -> None:
        nonlocal receipts
        receipts += isinstance(news, TextReceipt)
        if receipts == total:
            done.set()

    settings = SmppSettings("bench", "127.0.0.1", port, "test", "test", window=WINDOW, sender="OUTRIDER")
    channel = SmppChannel([settings], RealClock())
    await channel.open(sink)
    await channel.bound(PATIENCE)
    numbers = iter(range(total))

    async def send() -> None:
        for number in numbers:
            text = OutboundText(
                AttemptId(f"{number:032x}"), "+4915550001", TEXT, reference=number & 0xFFFF or 1
            )
            sent = await channel.send(text)
            if sent.result is not TextResult.ACCEPTED:
                raise RuntimeError(sent.detail)

    began, worked = stopwatch(), time.process_time()
    async with asyncio.timeout(PATIENCE):
        async with asyncio.TaskGroup() as group:
            for _ in range(SENDERS):
                group.create_task(send())
        await done.wait()
    took = Measured(total / (stopwatch() - began), 1000 * (time.process_time() - worked) / total)
    await channel.close()
    return took


async def bare(port: int, total: int = 20_000) -> Measured:
    """Do the same with nothing but the codec and one loop that never waits: the most that is possible."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(encode(Pdu(Bind(BindType.TRANSCEIVER, "test", "test"), 1)))
    framer = Framer()
    message = SubmitSm(
        Address(5, 0, "OUTRIDER"), Address(1, 1, "4915550001"), TEXT.encode(), registered_delivery=1
    )
    began, worked = stopwatch(), time.process_time()
    submitted = answered = receipts = 0
    while receipts < total:
        out = []
        for octets in framer.feed(await reader.read(65_536)):
            pdu = decode(octets)
            if isinstance(pdu.body, DeliverSm):
                receipts += 1
                out.append(encode(Pdu(DeliverSmResponse(), pdu.sequence)))
            elif isinstance(pdu.body, SubmitSmResponse):
                answered += 1
            elif isinstance(pdu.body, BindResponse):
                began, worked = stopwatch(), time.process_time()
        while submitted < total and submitted - answered < WINDOW:
            submitted += 1
            out.append(encode(Pdu(message, submitted + 1)))
        writer.write(b"".join(out))
    took = Measured(total / (stopwatch() - began), 1000 * (time.process_time() - worked) / total)
    writer.close()
    await writer.wait_closed()
    return took


def counted(total: int = 50_000) -> float:
    """Return texts per second whose segments are counted."""
    began = stopwatch()
    for _ in range(total):
        count(TEXT)
    return total / (stopwatch() - began)


def figures() -> list[Figure]:
    """Return (what, value, target): medians over three runs, taken in turn."""

    def median(values: list[float]) -> float:
        return statistics.median(values)

    ours: list[Measured] = []
    most: list[Measured] = []
    with simulated() as port:
        for _ in range(RUNS):
            ours.append(asyncio.run(through_channel(port)))
            most.append(asyncio.run(bare(port)))
    rate, bound = median([one.rate for one in ours]), median([one.rate for one in most])
    return [
        ("texts with receipts through the SMPP channel", f"{rate:,.0f}/s", ">= 3,000/s"),
        ("our processor time for each", f"{median([one.cpu for one in ours]):.3f} ms", ""),
        ("texts with receipts, codec alone, same centre", f"{bound:,.0f}/s", ""),
        ("SMPP channel against the codec alone", f"{rate / bound:.2f} x", ""),
        ("texts whose segments are counted", f"{median([counted() for _ in range(RUNS)]):,.0f}/s", ""),
    ]


if __name__ == "__main__":
    for what, value, target in figures():
        sys.stdout.write(f"{what:50} {value:>12}   {target}\n")
