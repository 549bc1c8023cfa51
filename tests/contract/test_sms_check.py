"""Ways to misconfigure a connection to a message centre: real sockets, and one clear sentence each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from outrider.channels.sms.bodies import BindType
from outrider.channels.sms.check import Finding, Level, check
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.simulated.behaviour import CentreBehaviour
from support.mail_sink import own_certificate
from support.message_centre import a_text, centre, channel_over, eventually, play, settings_for


@asynccontextmanager
async def saying(words: bytes | None, *, listen: bool = True) -> AsyncIterator[SmppSettings]:
    """Give settings of a server that says `words` when spoken to; None closes at once, empty is silent."""
    serving: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.append(task)
        if words is not None:
            await reader.read(100)
            writer.write(words)
            if not words:
                await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if not listen:
        server.close()
        await server.wait_closed()
    try:
        yield SmppSettings("odd", "127.0.0.1", port, "test", "test", connect_timeout=0.3)
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.gather(*serving)


def the_error(findings: list[Finding]) -> Finding:
    (error,) = [finding for finding in findings if finding.level is Level.ERROR]
    assert "\n" not in error.sentence
    assert "Traceback" not in error.sentence
    return error


@pytest.mark.parametrize(
    ("words", "about", "sentence"),
    [
        (None, "hung_up", "closed the connection"),
        (b"", "silent", "does not answer the bind within 0.3 s"),
        (b"220 mail.example ESMTP\r\n", "not_smpp", "does not speak SMPP"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not_smpp", "does not speak SMPP"),
        (
            bytes.fromhex("00000010800000090000000e00000001"),
            "refused",
            "the password is wrong (0x0E); check password",
        ),
        (
            bytes.fromhex("00000010800000090000000d00000001"),
            "refused",
            "check system_id, password, system_type",
        ),
        (bytes.fromhex("00000010800000090000005300000001"), "refused", "the system type is wrong (0x53)"),
        (bytes.fromhex("00000010800000000000000300000001"), "version", "older than SMPP 3.4"),
        (bytes.fromhex("00000010800000000000000800000001"), "refused", "internal error (0x08)"),
        (bytes.fromhex("00000016800000090000000000000001000210000133"), "version", "speaks SMPP 3.3"),
        (
            bytes.fromhex("00000010000000150000000000000001"),
            "not_smpp",
            "answered the bind with something else",
        ),
    ],
)
def test_servers_that_are_not_what_they_should_be(words: bytes | None, about: str, sentence: str) -> None:
    async def scenario() -> None:
        async with saying(words) as settings:
            error = the_error(await check(settings))
            assert error.about == about
            assert sentence in error.sentence
            assert "odd" in error.sentence

    play(scenario)


def test_a_closed_port_and_an_unknown_name() -> None:
    async def scenario() -> None:
        async with saying(b"", listen=False) as settings:
            error = the_error(await check(settings))
            assert (error.about, "nobody listens at 127.0.0.1" in error.sentence) == ("closed_port", True)
        unknown = SmppSettings("main", "no-such-host.invalid", 2775, "test")
        error = the_error(await check(unknown))
        assert error.about == "name"
        assert "the name no-such-host.invalid is not known" in error.sentence

    play(scenario)


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize(
    ("account", "words"),
    [(("test", "wrong"), "the password is wrong (0x0E)"), (("nobody", "x"), "the system id is wrong (0x0F)")],
)
def test_refused_by_the_centre(bare: bool, account: tuple[str, str], words: str) -> None:  # noqa: FBT001 - a case
    async def scenario() -> None:
        async with centre(CentreBehaviour(bare_refusals=bare)) as server:
            settings = settings_for(server, system_id=account[0], password=account[1])
            error = the_error(await check(settings))
            assert (error.about, words in error.sentence) == ("refused", True)

    play(scenario)


def test_bound_too_often() -> None:
    async def scenario() -> None:
        async with centre(CentreBehaviour(most_binds=1)) as server, channel_over(settings_for(server)):
            error = the_error(await check(settings_for(server, name="second")))
            assert "already bound" in error.sentence
            assert "end the other connection" in error.sentence

    play(scenario)


def test_tls_that_does_not_fit(tmp_path: Path) -> None:
    context, certificate = own_certificate(tmp_path)
    missing = str(tmp_path / "none.pem")

    async def scenario() -> None:
        async with centre() as clear, centre(tls=context) as protected:
            for settings, about, words in (
                (settings_for(clear, tls=True), "tls", "set tls to false"),
                (settings_for(protected, connect_timeout=2.0), "tls", "set tls to true"),
                (settings_for(protected, tls=True), "certificate", "not trusted"),
                (settings_for(protected, tls=True, ca_file=missing), "certificate", "ca_file"),
            ):
                error = the_error(await check(settings))
                assert (error.about, words in error.sentence) == (about, True), error.sentence
            good = await check(settings_for(protected, tls=True, ca_file=str(certificate)))
            assert [finding.level for finding in good] == [Level.OK, Level.OK]

    play(scenario)


def test_a_good_connection_and_what_might_be_better() -> None:
    async def scenario() -> None:
        behaviour = CentreBehaviour(accounts={"test": "long-password"})
        async with centre(behaviour) as server:
            settings = settings_for(server, password="long-password", bind=BindType.TRANSMITTER)
            findings = await check(settings)
            assert [finding.level for finding in findings] == [
                Level.OK,
                Level.WARNING,
                Level.WARNING,
                Level.OK,
            ]
            assert {finding.about for finding in findings} == {"bound", "password", "transmitter", "answers"}
            await eventually(lambda: server.connections == 0)
            assert server.ledger.counts["submitted"] == 0

    play(scenario)


def test_a_check_takes_no_news_away() -> None:
    async def scenario() -> None:
        async with centre() as server:
            server.text("+4915550001", "12345", "hello")
            await check(settings_for(server))
            await eventually(lambda: server.connections == 0)
            assert server.ledger.counts["acknowledged"] == 0
            async with channel_over(settings_for(server)) as (channel, heard):
                await heard.until(lambda: [text.text for text in heard.texts] == ["hello"])
                assert (await channel.send(a_text(1))).remote_ids

    play(scenario)


def test_a_password_in_clear_over_a_network_is_warned_of() -> None:
    async def scenario() -> None:
        findings = await check(SmppSettings("main", "no-such-host.invalid", 2775, "test", "secret"))
        assert [finding.about for finding in findings] == ["name", "clear"]
        assert "secret" not in findings[1].sentence

    play(scenario)
