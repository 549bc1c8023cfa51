"""Our SMPP against the npm package `smpp`, an implementation that is not ours: as client, and as centre."""

import asyncio
from collections import defaultdict

import pytest

from outrider.channels.model import ReceiptState, TextResult
from outrider.channels.sms.check import Level, check
from outrider.channels.sms.connection_settings import LongMessages, SmppSettings
from outrider.channels.sms.keywords import Meaning, meaning
from support.message_centre import a_text, centre, channel_over, eventually, play
from support.npm_smpp_peer import NpmServer, npm_client, npm_server, npm_smpp

LONG = "Dear customer, the water will be off tomorrow. [€] " * 8
LONG_UCS_2 = "Завтра не будет воды 💧. " * 7


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return npm_smpp()


def reached(server: NpmServer, **changes: object) -> SmppSettings:
    values: dict[str, object] = {"sender": "OUTRIDER", "password": "test", **changes}
    return SmppSettings("npm", "127.0.0.1", server.port, "test", **values)  # type: ignore[arg-type] # by name


def test_our_client_to_their_centre(environment: dict[str, str]) -> None:
    async def scenario() -> None:
        async with npm_server(environment) as server, channel_over(reached(server)) as (channel, heard):
            plain = await channel.send(a_text(1, text="Hello {} [] €", validity=90.0))
            said = await server.hear()
            assert plain.remote_ids == (said["messageId"],)
            assert (said["text"], said["coding"], said["reference"]) == ("Hello {} [] €", 0, 1)
            assert (said["to"], said["ton"], said["from"], said["fromTon"]) == (
                "4915550001",
                1,
                "OUTRIDER",
                5,
            )
            assert (await channel.send(a_text(2, "+4915550007"))).result is TextResult.BAD_ADDRESS
            assert (await channel.send(a_text(3, "+4915550009", "Привет 💧"))).result is TextResult.ACCEPTED
            await heard.until(lambda: len(heard.receipts) == 2)
            assert [(r.reference, r.state) for r in heard.receipts] == [
                (1, ReceiptState.DELIVERED),
                (3, ReceiptState.UNDELIVERABLE),
            ]
            assert heard.receipts[0].remote_id == plain.remote_ids[0]
            assert heard.receipts[0].address == "+4915550001"
            await channel.send(a_text(4, "+4915550005", receipt=False))
            await heard.until(lambda: len(heard.texts) == 1)
            asked = meaning(heard.texts[0].text, ["ru"])
            assert asked is not None
            assert asked.meaning is Meaning.STOP
            while sum("acknowledged" in line for line in server.said) < 3:
                await server.hear()
            assert {line["status"] for line in server.said if "acknowledged" in line} == {0}
            assert "Привет 💧" in [line["text"] for line in server.submitted]

    play(scenario)


@pytest.mark.parametrize("text", [LONG, LONG_UCS_2])
def test_long_texts_in_parts(environment: dict[str, str], text: str) -> None:
    async def scenario() -> None:
        async with npm_server(environment) as server, channel_over(reached(server)) as (channel, heard):
            sent = await channel.send(a_text(0x1234, text=text))
            assert (sent.result, sent.segments) == (TextResult.ACCEPTED, 3)
            await heard.until(lambda: len(heard.receipts) == 3)
            while len(server.submitted) < 3:
                await server.hear()
            parts = server.submitted
            assert [line["esm"] for line in parts] == [0x40] * 3
            assert [line["header"] for line in parts] == [f"000334030{number}" for number in (1, 2, 3)]
            assert "".join(line["text"] for line in parts) == text
            assert tuple(line["messageId"] for line in parts) == sent.remote_ids

    play(scenario)


@pytest.mark.parametrize("text", [LONG, LONG_UCS_2])
def test_long_texts_as_payload(environment: dict[str, str], text: str) -> None:
    async def scenario() -> None:
        async with npm_server(environment) as server:
            settings = reached(server, long_messages=LongMessages.PAYLOAD)
            async with channel_over(settings) as (channel, _):
                sent = await channel.send(a_text(5, text=text))
                assert (sent.result, sent.segments, len(sent.remote_ids)) == (TextResult.ACCEPTED, 3, 1)
                said = await server.hear()
                assert said["payload"] is True
                assert said["text"] == text

    play(scenario)


def test_a_wrong_password_is_named(environment: dict[str, str]) -> None:
    async def scenario() -> None:
        async with npm_server(environment) as server:
            (finding,) = await check(reached(server, password="wrong"))
            assert finding.level is Level.ERROR
            assert "the password is wrong (0x0E)" in finding.sentence
            good = await check(reached(server))
            assert [one.level for one in good] == [Level.OK, Level.OK]
            assert "named npm" in good[0].sentence
            assert await server.hear() == {"unbind": True}

    play(scenario)


def test_many_at_once_lose_nothing(environment: dict[str, str]) -> None:
    async def scenario() -> None:
        async with (
            npm_server(environment) as server,
            channel_over(reached(server, window=50)) as (channel, heard),
        ):
            sending = asyncio.gather(*(channel.send(a_text(n)) for n in range(1, 501)))
            while len(server.submitted) < 500:
                await server.hear()
            ids: defaultdict[str, int] = defaultdict(int)
            for sent in await sending:
                assert sent.result is TextResult.ACCEPTED
                ids[sent.remote_ids[0]] += 1
            assert ids == {line["messageId"]: 1 for line in server.submitted}
            while sum("acknowledged" in line for line in server.said) < 500:
                await server.hear()
            await eventually(lambda: len(heard.receipts) == 500)
            assert sorted(r.reference or 0 for r in heard.receipts) == list(range(1, 501))

    play(scenario)


def test_their_client_to_our_centre(environment: dict[str, str]) -> None:
    async def scenario() -> None:
        async with centre() as server:
            heard = await npm_client(environment, server.port)
            assert heard["refusedBind"] == 0x0E
            assert heard["bound"] == {"status": 0, "id": "simulated", "version": 0x34}
            taken = {entry.message_id: entry for entry in server.ledger.taken}
            answers = heard["answers"]
            assert answers["refused"][0] == 0x0B
            assert {status for name, (status, _) in answers.items() if name != "refused"} == {0}
            assert taken[answers["plain"][1]].text == "Hello {} [] €"
            assert taken[answers["cyrillic"][1]].text == "Привет"
            assert taken[answers["payload"][1]].text == "x" * 400
            receipts = {one["id"]: one for one in heard["delivered"] if one["esm"] == 4}
            assert {receipts[answers[name][1]]["state"] for name in ("plain", "cyrillic", "payload")} == {2}
            assert receipts[answers["undelivered"][1]]["state"] == 5
            assert {one["reference"] for one in receipts.values()} == {7}
            (reply,) = [one for one in heard["delivered"] if one["esm"] == 0]
            assert (reply["from"], reply["to"], reply["text"]) == ("4915550005", "NPM", "STOP")
            assert (heard["enquired"], heard["unbound"]) == (0, 0)
            await eventually(lambda: server.connections == 0)
            assert server.ledger.counts["acknowledged"] == 5
            assert server.ledger.counts["malformed"] == 0

    play(scenario)
