"""The session against centres that misbehave: nonsense, wrong answers, cut links, and sinks that fail.

Whatever happens, an outcome is true: compared, text by text, with what the centre has in its books.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from outrider.channels.model import OutboundText, TextResult
from outrider.channels.sms.bodies import (
    Bind,
    BindResponse,
    DeliverSm,
    EnquireLink,
    GenericNack,
    Pdu,
    SubmitSm,
    SubmitSmResponse,
    Unsupported,
)
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.framing import Framer
from outrider.channels.sms.pdu import HEADER, decode, encode
from outrider.channels.sms.simulated.behaviour import CentreBehaviour
from outrider.channels.sms.simulated.centre import SimulatedCentre
from support.message_centre import a_text, centre, channel_over, eventually, play, settings_for

LONG = "Dear customer, the water will be off tomorrow. " * 8
Say = Callable[[Pdu], Awaitable[bytes | None]]


@asynccontextmanager
async def scripted(say: Say) -> AsyncIterator[tuple[SmppSettings, list[Pdu]]]:
    """Give settings of a centre that binds anyone and answers as `say` says; None cuts the link."""
    heard: list[Pdu] = []
    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.append(task)
        framer = Framer()
        while data := await reader.read(65_536):
            for octets in framer.feed(data):
                pdu = decode(octets)
                if isinstance(pdu.body, Bind):
                    writer.write(encode(Pdu(BindResponse(pdu.body.kind, "odd"), pdu.sequence)))
                    continue
                heard.append(pdu)
                answer = await say(pdu)
                if answer is None:
                    writer.transport.abort()
                    return
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield SmppSettings("odd", "127.0.0.1", port, "t", reconnect_first=0.02, response_timeout=1.0), heard
    finally:
        server.close()
        await server.wait_closed()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


@pytest.mark.parametrize(
    ("answer", "result", "words"),
    [
        (
            lambda s: encode(Pdu(GenericNack(), s, 0x03)),
            TextResult.FAILED,
            "does not know the command (0x03)",
        ),
        (lambda s: encode(Pdu(GenericNack(), s)), TextResult.FAILED, "unknown error (0xFF)"),
        (lambda s: HEADER.pack(16, 0x80000004, 0, s), TextResult.ACCEPTED, ""),
        (lambda s: HEADER.pack(18, 0x80000004, 0, s) + b"ab", TextResult.UNKNOWN, "unreadable answer"),
        (lambda s: HEADER.pack(4, 0, 0, s), TextResult.UNKNOWN, "what came was no SMPP"),
        (lambda _: None, TextResult.UNKNOWN, "before the answer came"),
        (
            lambda s: encode(Pdu(SubmitSmResponse("other"), s + 1000)),
            TextResult.UNKNOWN,
            "did not answer within 1 s",
        ),
    ],
)
def test_odd_answers_to_a_submission(
    answer: Callable[[int], bytes | None], result: TextResult, words: str
) -> None:
    async def say(pdu: Pdu) -> bytes | None:
        return answer(pdu.sequence) if isinstance(pdu.body, SubmitSm) else b""

    async def scenario() -> None:
        async with scripted(say) as (settings, heard), channel_over(settings) as (channel, _):
            sent = await channel.send(a_text(1))
            assert sent.result is result
            assert words in sent.detail
            assert sum(isinstance(pdu.body, SubmitSm) for pdu in heard) == 1

    play(scenario)


def test_requests_we_do_not_know_are_refused_and_the_session_lives_on() -> None:
    async def say(pdu: Pdu) -> bytes | None:
        if not isinstance(pdu.body, SubmitSm):
            return b""
        return b"".join(
            [
                encode(Pdu(Unsupported(0x103, b"data_sm"), 901)),
                HEADER.pack(17, 0x05, 0, 902) + b"x",
                encode(Pdu(EnquireLink(), 903)),
                encode(Pdu(DeliverSm(short_message=b"hello"), 904)),
                encode(Pdu(SubmitSmResponse("id"), pdu.sequence)),
            ]
        )

    async def scenario() -> None:
        async with scripted(say) as (settings, heard), channel_over(settings) as (channel, hearer):
            assert (await channel.send(a_text(1))).remote_ids == ("id",)
            await hearer.until(lambda: len(hearer.texts) == 1)
            await eventually(lambda: {pdu.sequence for pdu in heard} >= {901, 902, 903, 904})
            answered = {pdu.sequence: (type(pdu.body).__name__, pdu.status) for pdu in heard}
            assert answered[901] == ("GenericNack", 0x03)
            assert answered[902] == ("GenericNack", 0x02)
            assert answered[903] == ("EnquireLinkResponse", 0)
            assert answered[904] == ("DeliverSmResponse", 0)
            assert (await channel.send(a_text(2))).result is TextResult.ACCEPTED

    play(scenario)


def test_a_flood_of_receipts_is_bounded_and_nothing_is_lost() -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(reply_delay=0.01)
        async with centre(behaviour) as server, channel_over(settings_for(server)) as (_, heard):
            heard.gate.clear()
            for number in range(6_000):
                server.text("+4915550001", "12345", f"No {number}")
            await eventually(lambda: server.ledger.counts["deliveries_refused"] >= 1_000)
            heard.gate.set()
            await eventually(lambda: len({text.text for text in heard.texts}) == 6_000)
            await eventually(lambda: server.ledger.counts["acknowledged"] == 6_000)

    play(scenario)


@pytest.mark.parametrize("seed", range(6))
def test_links_cut_at_any_moment_leave_every_outcome_true(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Two connections, random behaviour, cuts, maintenance and failing sinks; 300 texts, some long."""
    chance = random.Random(seed)
    behaviour = CentreBehaviour(
        refuse={"7": 0x0B},
        unanswered=frozenset({"33"}),
        drops=frozenset({"6"}),
        rate=chance.choice([None, 700.0]),
        answer_delay=chance.choice([0.0, 0.002]),
        receipt_delay=0.01,
        reply_delay=0.01,
    )

    async def mischief(servers: list[SimulatedCentre]) -> None:
        while True:
            await asyncio.sleep(chance.uniform(0.005, 0.05))
            server = chance.choice(servers)
            if chance.random() < 0.2:
                server.unbind_all()
            else:
                server.drop_links()

    async def scenario() -> None:
        async with centre(behaviour) as first, centre(behaviour) as second:
            one = settings_for(first, name="one", window=10, response_timeout=1.0)
            two = settings_for(second, name="two", window=30, response_timeout=1.0)
            async with channel_over(one, two) as (channel, heard):
                heard.failures = 5
                texts = [
                    a_text(n, f"+49155{n:05}", LONG + str(n) if chance.random() < 0.2 else f"No {n}")
                    for n in range(1, 301)
                ]
                trouble = asyncio.ensure_future(mischief([first, second]))
                results = await asyncio.gather(*(channel.send(text) for text in texts))
                trouble.cancel()
                books = Counter(
                    (entry.message.destination.digits, entry.part.number if entry.part else 1)
                    for server in (first, second)
                    for entry in server.ledger.taken
                )
                assert set(books.values()) == {1}
                by_text = Counter(number for number, _ in books)
                for text, sent in zip(texts, results, strict=True):
                    _is_true(
                        text, sent.result, by_text[text.address[1:]], sent.segments, len(sent.remote_ids)
                    )
                taken = first.ledger.counts["taken"] + second.ledger.counts["taken"]
                await eventually(
                    lambda: (
                        len({receipt.remote_id + receipt.connection for receipt in heard.receipts}) == taken
                    )
                )

    with caplog.at_level(logging.ERROR, "asyncio"):
        play(scenario)
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


def _is_true(text: OutboundText, result: TextResult, taken: int, segments: int, ids: int) -> None:
    """Check one outcome against the number of parts that the centres have of it."""
    if result is TextResult.ACCEPTED:
        assert taken == segments == ids, text
    elif result is TextResult.UNKNOWN:
        assert ids <= taken <= min(segments, ids + 1), text
    elif result is TextResult.BAD_ADDRESS:
        assert text.address.endswith("7"), text
        assert taken == 0, text
    else:
        raise AssertionError(f"{result} of {text}")
