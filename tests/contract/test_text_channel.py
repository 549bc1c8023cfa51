"""The TextChannel over SMPP against a simulated message centre over sockets, conversation by conversation.

Nothing lost, nothing sent twice, nothing claimed that is not so: compared with the centre's own books.
"""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from outrider.channels.base import TextChannel
from outrider.channels.model import OutboundText, ReceiptState, TextResult
from outrider.channels.sms.bodies import BindType
from outrider.channels.sms.channel import SmppChannel
from outrider.channels.sms.connection_settings import LongMessages, SmppSettings
from outrider.channels.sms.keywords import Meaning, meaning
from outrider.channels.sms.receipt import id_variants
from outrider.channels.sms.segments import ReferenceSize
from outrider.channels.sms.simulated.behaviour import CentreBehaviour
from outrider.clock import RealClock
from outrider.errors import ChannelError, InvalidInputError
from support.mail_sink import own_certificate
from support.message_centre import Hearer, a_text, centre, channel_over, eventually, play, settings_for

LONG = "Dear customer, the water will be off tomorrow. [€] " * 8
LONG_UCS_2 = "Завтра не будет воды 💧. " * 7


def test_it_is_a_text_channel_and_says_what_became_of_a_text() -> None:
    async def scenario() -> None:
        async with centre() as server, channel_over(settings_for(server)) as (channel, heard):
            spoken: TextChannel = channel
            assert spoken.reachable
            sent = await spoken.send(a_text(7, text="Hello {} €"))
            assert (sent.message_id, sent.result, sent.segments) == ("7", TextResult.ACCEPTED, 1)
            assert sent.connection == "main"
            (taken,) = server.ledger.taken
            assert sent.remote_ids == (taken.message_id,)
            assert (taken.text, taken.reference) == ("Hello {} €", 7)
            assert (taken.message.destination.digits, taken.message.destination.ton) == ("4915550001", 1)
            assert (taken.message.source.digits, taken.message.source.ton) == ("OUTRIDER", 5)
            await heard.until(lambda: len(heard.receipts) == 1)
            (receipt,) = heard.receipts
            assert receipt.remote_id == taken.message_id
            assert (receipt.state, receipt.reference) == (ReceiptState.DELIVERED, 7)
            assert receipt.address == "+4915550001"
            assert receipt.at.tzinfo is not None

    play(scenario)


@pytest.mark.parametrize("size", list(ReferenceSize))
@pytest.mark.parametrize("form", list(LongMessages))
@pytest.mark.parametrize("text", [LONG, LONG_UCS_2])
def test_long_texts_arrive_whole(text: str, form: LongMessages, size: ReferenceSize) -> None:
    async def scenario() -> None:
        async with (
            centre() as server,
            channel_over(settings_for(server, long_messages=form, reference_size=size)) as (channel, heard),
        ):
            results = await asyncio.gather(
                *(channel.send(a_text(n, text=text + str(n))) for n in range(1, 9))
            )
            assert {sent.result for sent in results} == {TextResult.ACCEPTED}
            assert {sent.segments for sent in results} == {3}
            pdus = 3 if form is LongMessages.UDH else 1
            assert {len(sent.remote_ids) for sent in results} == {pdus}
            arrived = server.ledger.texts()["4915550001"]
            assert sorted(arrived) == sorted(text + str(n) for n in range(1, 9))
            await heard.until(lambda: len(heard.receipts) == 8 * pdus)
            assert Counter(r.reference for r in heard.receipts) == dict.fromkeys(range(1, 9), pdus)

    play(scenario)


def test_refusals_and_receipts_by_number() -> None:
    async def scenario() -> None:
        refuse = {"7": 0x0B, "77": 0x58 + 0x400, "4": 0x45}
        async with (
            centre(CentreBehaviour(refuse=refuse, receipt_delay=0.01)) as server,
            channel_over(settings_for(server)) as (channel, heard),
        ):
            bad = await channel.send(a_text(1, "+4915550007"))
            assert bad.result is TextResult.BAD_ADDRESS
            assert bad.detail == "refused: the recipient's number is not valid (0x0B)"
            own = await channel.send(a_text(2, "+4915550077"))
            assert own.result is TextResult.FAILED
            assert "this provider's own" in own.detail
            assert (await channel.send(a_text(3, "+4915550004"))).result is TextResult.FAILED
            assert (await channel.send(a_text(4, "+4915550009"))).result is TextResult.ACCEPTED
            assert (await channel.send(a_text(5, "+4915550008"))).result is TextResult.ACCEPTED
            await heard.until(lambda: len(heard.receipts) == 2)
            assert {r.reference: (r.state, r.detail) for r in heard.receipts} == {
                4: (ReceiptState.UNDELIVERABLE, "error 069"),
                5: (ReceiptState.EXPIRED, "error 069"),
            }
            quiet = await channel.send(a_text(6, receipt=False))
            assert quiet.result is TextResult.ACCEPTED
            assert server.ledger.counts["receipts"] == 2

    play(scenario)


@pytest.mark.parametrize(
    ("address", "text", "sender", "result", "words"),
    [
        ("mary", "x", "", TextResult.BAD_ADDRESS, "'mary' is not a phone number"),
        ("+4915550001", "x" * 153 * 256, "", TextResult.FAILED, "at most 255"),
        ("+4915550001", "x", "a name that is too long", TextResult.FAILED, "sender"),
    ],
)
def test_what_cannot_be_sent_is_not_offered(
    address: str, text: str, sender: str, result: TextResult, words: str
) -> None:
    async def scenario() -> None:
        async with centre() as server, channel_over(settings_for(server)) as (channel, _):
            sent = await channel.send(a_text(1, address, text, sender=sender))
            assert sent.result is result
            assert words in sent.detail
            assert server.ledger.counts["submitted"] == 0

    play(scenario)


def test_a_refused_part_is_told_honestly() -> None:
    """The first part's answer is held back; meanwhile the centre learns that the number is bad."""

    async def scenario() -> None:
        async with centre() as server, channel_over(settings_for(server)) as (channel, _):
            server.withholding = True
            sending = asyncio.ensure_future(channel.send(a_text(1, text=LONG)))
            await eventually(lambda: server.ledger.counts["taken"] == 1)
            server.behaviour = CentreBehaviour(refuse={"1": 0x0B})
            server.release()
            sent = await sending
            assert sent.result is TextResult.BAD_ADDRESS
            assert len(sent.remote_ids) == 1
            assert sent.detail.startswith("part 2 of 3 refused")
            assert server.ledger.counts["submitted"] == 2

    play(scenario)


def test_throttling_loses_nothing_and_repeats_nothing() -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(rate=400, receipt_delay=0.01)
        async with (
            centre(behaviour) as server,
            channel_over(settings_for(server, window=100)) as (channel, heard),
        ):
            results = await asyncio.gather(*(channel.send(a_text(n, text=f"No {n}")) for n in range(1, 901)))
            assert {sent.result for sent in results} == {TextResult.ACCEPTED}
            counts = server.ledger.counts
            assert counts["throttled"] > 0
            assert counts["taken"] == 900
            assert Counter(server.ledger.texts()["4915550001"]) == Counter(f"No {n}" for n in range(1, 901))
            (state,) = channel.connections()
            assert state.counters.throttled == counts["throttled"]
            await heard.until(lambda: len(heard.receipts) == 900)

    play(scenario)


def test_throttling_without_end_gives_the_text_back() -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(refuse={"1": 0x14})
        settings = {"throttle_patience": 0.2}
        async with (
            centre(behaviour) as server,
            channel_over(settings_for(server, **settings)) as (channel, _),
        ):
            sent = await channel.send(a_text(1))
            assert sent.result is TextResult.UNREACHABLE
            assert "queue is full" in sent.detail
            assert server.ledger.counts["taken"] == 0
            assert server.ledger.counts["refused"] >= 2

    play(scenario)


def test_the_rate_of_a_connection_is_kept() -> None:
    async def scenario() -> None:
        async with (
            centre(CentreBehaviour(rate=200)) as server,
            channel_over(settings_for(server, rate=150.0, window=50)) as (channel, _),
        ):
            results = await asyncio.gather(*(channel.send(a_text(n)) for n in range(1, 101)))
            assert {sent.result for sent in results} == {TextResult.ACCEPTED}
            assert server.ledger.counts["throttled"] == 0

    play(scenario)


def test_the_window_is_never_exceeded() -> None:
    async def scenario() -> None:
        async with centre() as server, channel_over(settings_for(server, window=8)) as (channel, _):
            server.withholding = True
            sending = [asyncio.ensure_future(channel.send(a_text(n))) for n in range(1, 41)]
            await eventually(lambda: server.ledger.counts["submitted"] == 8)
            for _ in range(50):
                await asyncio.sleep(0)
            assert server.ledger.counts["submitted"] == 8
            server.release()
            assert {sent.result for sent in await asyncio.gather(*sending)} == {TextResult.ACCEPTED}
            assert server.ledger.counts["submitted"] == 40

    play(scenario)


def test_a_link_that_drops_in_mid_window_repeats_nothing_and_loses_nothing() -> None:
    """Written and unanswered: UNKNOWN, resolved by the receipt's reference. Not written: sent afterwards."""

    async def scenario() -> None:
        async with centre() as server, channel_over(settings_for(server, window=20)) as (channel, heard):
            server.withholding = True
            texts = [a_text(n, text=f"No {n}") for n in range(1, 61)]
            sending = [asyncio.ensure_future(channel.send(text)) for text in texts]
            await eventually(lambda: server.ledger.counts["submitted"] == 20)
            server.withholding = False
            server.drop_links()
            results = await asyncio.gather(*sending)
            told = Counter(sent.result for sent in results)
            assert told == {TextResult.UNKNOWN: 20, TextResult.ACCEPTED: 40}
            assert all(
                "not sent again" in sent.detail for sent in results if sent.result is TextResult.UNKNOWN
            )
            assert Counter(server.ledger.texts()["4915550001"]) == Counter(f"No {n}" for n in range(1, 61))
            await heard.until(lambda: len({r.reference for r in heard.receipts}) == 60)
            unknown = {int(sent.message_id) for sent in results if sent.result is TextResult.UNKNOWN}
            delivered = {r.reference for r in heard.receipts if r.state is ReceiptState.DELIVERED}
            assert unknown <= delivered
            (state,) = channel.connections()
            assert (state.counters.binds, state.counters.unanswered) == (2, 20)

    play(scenario)


def test_a_lost_answer_is_unknown_and_a_late_one_brings_the_id() -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(unanswered=frozenset({"3"}), receipt_delay=0.01)
        async with (
            centre(behaviour) as server,
            channel_over(settings_for(server, response_timeout=0.2)) as (channel, heard),
        ):
            sent = await channel.send(a_text(1, "+4915550003"))
            assert sent.result is TextResult.UNKNOWN
            assert "did not answer within 0.2 s" in sent.detail
            await heard.until(lambda: [r.reference for r in heard.receipts] == [1])
            server.withholding = True
            late = await channel.send(a_text(2, receipt=False))
            assert late.result is TextResult.UNKNOWN
            assert server.release() == 1
            await heard.until(lambda: len(heard.receipts) == 2)
            told = heard.receipts[1]
            assert (told.reference, told.state) == (2, ReceiptState.ENROUTE)
            assert told.remote_id == server.ledger.taken[1].message_id
            assert server.ledger.counts["taken"] == 2

    play(scenario)


def test_without_any_connection_a_text_is_given_back_not_offered() -> None:
    async def scenario() -> None:
        async with centre() as server:
            settings = settings_for(server, password="wrong")
            async with channel_over(settings, patience=0.3, wait=False) as (channel, _):
                sent = await channel.send(a_text(1))
                assert sent.result is TextResult.UNREACHABLE
                assert "the password is wrong (0x0E)" in sent.detail
                assert not channel.reachable
                (state,) = channel.connections()
                assert "the password is wrong" in state.trouble
                named = await channel.send(a_text(2, connection="none such"))
                assert named.result is TextResult.UNREACHABLE
                assert "no connection named none such" in named.detail
            assert server.ledger.counts["submitted"] == 0
            assert server.ledger.counts["binds_refused"] >= 1

    play(scenario)


def test_texts_wait_for_a_centre_that_comes_back() -> None:
    async def scenario() -> None:
        async with centre() as server:
            settings = settings_for(server)
        async with channel_over(settings, wait=False) as (channel, _):
            sending = [asyncio.ensure_future(channel.send(a_text(n))) for n in range(1, 6)]
            await eventually(lambda: "nobody listens" in channel.connections()[0].trouble)
            await server.start(port=settings.port)
            assert {sent.result for sent in await asyncio.gather(*sending)} == {TextResult.ACCEPTED}
            assert await channel.bound(1.0)
        await server.stop()

    play(scenario)


def test_the_most_important_connection_is_used_and_others_take_over() -> None:
    async def scenario() -> None:
        async with centre() as first, centre() as second:
            dear = settings_for(first, name="dear", priority=3)
            cheap = settings_for(second, name="cheap", priority=8)
            async with channel_over(dear, cheap) as (channel, _):
                sent = [await channel.send(a_text(n)) for n in range(1, 6)]
                assert {one.connection for one in sent} == {"cheap"}
                named = await channel.send(a_text(6, connection="dear"))
                assert named.connection == "dear"
                second.withholding = True
                sending = [asyncio.ensure_future(channel.send(a_text(n))) for n in range(10, 40)]
                await eventually(lambda: second.ledger.counts["submitted"] == 15)
                await second.stop()
                results = await asyncio.gather(*sending)
                assert Counter((one.result, one.connection) for one in results) == {
                    (TextResult.UNKNOWN, "cheap"): 10,
                    (TextResult.ACCEPTED, "dear"): 20,
                }
                assert first.ledger.counts["taken"] == 21
                assert channel.reachable

    play(scenario)


def test_equals_share_by_free_window() -> None:
    async def scenario() -> None:
        async with centre() as first, centre() as second:
            one = settings_for(first, name="one", window=5)
            two = settings_for(second, name="two", window=15)
            async with channel_over(one, two) as (channel, _):
                first.withholding = second.withholding = True
                sending = [asyncio.ensure_future(channel.send(a_text(n))) for n in range(1, 21)]
                await eventually(
                    lambda: (first.ledger.counts["taken"], second.ledger.counts["taken"]) == (5, 15)
                )
                first.release()
                second.release()
                assert {sent.result for sent in await asyncio.gather(*sending)} == {TextResult.ACCEPTED}

    play(scenario)


def test_transmitter_and_receiver_in_place_of_a_transceiver() -> None:
    async def scenario() -> None:
        async with centre() as server:
            out = settings_for(server, name="out", bind=BindType.TRANSMITTER)
            into = settings_for(server, name="into", bind=BindType.RECEIVER, priority=10)
            async with channel_over(out, into) as (channel, heard):
                sent = await channel.send(a_text(1))
                assert (sent.result, sent.connection) == (TextResult.ACCEPTED, "out")
                server.text("+4915550001", "12345", "hello")
                await heard.until(lambda: len(heard.news) == 2)
                assert {news.connection for news in heard.news} == {"into"}

    play(scenario)


def test_a_person_says_stop() -> None:
    async def scenario() -> None:
        async with (
            centre() as server,
            channel_over(settings_for(server, sender="+4930123456")) as (channel, heard),
        ):
            await channel.send(a_text(1, "+4915550005", receipt=False))
            await heard.until(lambda: len(heard.texts) == 1)
            (text,) = heard.texts
            assert (text.sender, text.recipient, text.text) == ("+4915550005", "+4930123456", "STOP")
            said = meaning(text.text, ["de"])
            assert said is not None
            assert said.meaning is Meaning.STOP
            assert server.text("+4915550001", "12345", "Wann genau kommt das Wasser wieder? " * 8) == 2
            await heard.until(lambda: len(heard.texts) == 2)
            assert heard.texts[1].text == "Wann genau kommt das Wasser wieder? " * 8
            assert heard.texts[1].recipient == "12345"
            server.text("+4915550001", "12345", "Привет 💧")
            await heard.until(lambda: len(heard.texts) == 3)
            assert heard.texts[2].text == "Привет 💧"
            await eventually(lambda: server.ledger.counts["acknowledged"] == 4)

    play(scenario)


def test_news_is_acknowledged_only_when_the_sink_has_it() -> None:
    async def scenario() -> None:
        async with centre() as server, channel_over(settings_for(server)) as (_, heard):
            heard.gate.clear()
            server.text("+4915550001", "12345", "one")
            await heard.until(lambda: heard.offered == 1)
            assert server.ledger.counts["acknowledged"] == 0
            server.drop_links()
            await heard.until(lambda: heard.offered == 2)
            heard.failures = 2
            heard.gate.set()
            await heard.until(lambda: [text.text for text in heard.texts] == ["one"])
            await eventually(lambda: server.ledger.counts["acknowledged"] == 1)

    play(scenario)


def test_a_centre_that_plays_dead_is_left() -> None:
    async def scenario() -> None:
        async with centre() as server:
            settings = settings_for(server, enquire_interval=0.1, response_timeout=0.2)
            async with channel_over(settings) as (channel, _):
                server.behaviour = CentreBehaviour(answers_enquiries=False)
                await eventually(lambda: channel.connections()[0].counters.binds >= 2)
                server.behaviour = CentreBehaviour()
                await eventually(lambda: channel.reachable)
                assert (await channel.send(a_text(1))).result is TextResult.ACCEPTED

    play(scenario)


def test_a_centre_that_unbinds_is_bound_again() -> None:
    async def scenario() -> None:
        async with centre() as server, channel_over(settings_for(server)) as (channel, _):
            server.unbind_all()
            await eventually(lambda: channel.connections()[0].counters.binds == 2)
            assert (await channel.send(a_text(1))).result is TextResult.ACCEPTED

    play(scenario)


def test_closing_finishes_what_was_submitted_and_takes_leave() -> None:
    async def scenario() -> None:
        async with centre(CentreBehaviour(answer_delay=0.05)) as server:
            channel = SmppChannel([settings_for(server)], RealClock())
            await channel.open(Hearer())
            assert await channel.bound(5.0)
            sending = [asyncio.ensure_future(channel.send(a_text(n))) for n in range(1, 6)]
            await asyncio.sleep(0)
            await channel.close()
            assert {sent.result for sent in await asyncio.gather(*sending)} == {TextResult.ACCEPTED}
            await eventually(lambda: server.connections == 0)
            with pytest.raises(ChannelError, match="closed"):
                await channel.send(a_text(9))

    play(scenario)


def test_receipts_in_decimal_are_found_by_their_variants() -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(decimal_receipts=True, receipt_parameters=False, receipt_delay=0.01)
        async with centre(behaviour) as server, channel_over(settings_for(server)) as (channel, heard):
            sent = await channel.send(a_text(1))
            await heard.until(lambda: len(heard.receipts) == 1)
            (receipt,) = heard.receipts
            assert receipt.remote_id not in sent.remote_ids
            assert set(id_variants(receipt.remote_id)) & set(sent.remote_ids)
            assert (receipt.state, receipt.reference) == (ReceiptState.DELIVERED, None)

    play(scenario)


def test_over_tls(tmp_path: Path) -> None:
    context, certificate = own_certificate(tmp_path)

    async def scenario() -> None:
        async with centre(tls=context) as server:
            settings = settings_for(server, tls=True, ca_file=str(certificate))
            async with channel_over(settings) as (channel, heard):
                assert (await channel.send(a_text(1, text=LONG))).result is TextResult.ACCEPTED
                await heard.until(lambda: len(heard.receipts) == 3)
                server.drop_links()
                await eventually(lambda: channel.connections()[0].counters.binds == 2)
                assert (await channel.send(a_text(2))).result is TextResult.ACCEPTED

    play(scenario)


def test_impossible_configurations_are_refused() -> None:
    settings = SmppSettings("a", "127.0.0.1", 1, "test")
    with pytest.raises(InvalidInputError, match="two connections named a"):
        SmppChannel([settings, settings], RealClock())
    with pytest.raises(InvalidInputError, match="no connection can submit"):
        SmppChannel([SmppSettings("a", "127.0.0.1", 1, "test", bind=BindType.RECEIVER)], RealClock())


def test_a_cancelled_send_gives_its_place_back() -> None:
    async def scenario() -> None:
        async with centre() as server, channel_over(settings_for(server, window=1)) as (channel, _):
            server.withholding = True
            sending = [asyncio.ensure_future(channel.send(a_text(n))) for n in range(1, 4)]
            await eventually(lambda: server.ledger.counts["submitted"] == 1)
            for one in sending:
                one.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
            server.release()
            assert (await channel.send(OutboundText(a_text(9).message_id, "+4915550001", "x"))).result is (
                TextResult.ACCEPTED
            )

    play(scenario)
