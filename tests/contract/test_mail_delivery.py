"""The mail channel's signatures, attachments, envelope and rates, over real sockets."""

import asyncio
import email
import email.policy
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import dkim
import pytest

from outrider.channels.email.dkim import KeyKind, load_key, new_key, record_value
from outrider.channels.email.rates import RateSettings
from outrider.channels.email.settings import DkimSettings, SmtpSettings, Tls
from outrider.channels.email.smtp import SmtpChannel
from outrider.channels.model import Attachment, MailResult, MailSent
from outrider.clock import VirtualClock
from outrider.errors import InvalidInputError
from support.mail_sink import NOON, a_mail, channel_to, sink
from support.scripted_smtp import scripted_smtp


@pytest.mark.parametrize("kind", list(KeyKind))
def test_signed_messages_with_attachments_arrive_and_are_verified(tmp_path: Path, kind: KeyKind) -> None:
    (tmp_path / "key.pem").write_bytes(new_key(kind))
    key = load_key(tmp_path / "key.pem")
    files = (Attachment("big.bin", "application/octet-stream", bytes(range(256)) * 2000),)

    async def run() -> None:
        settings = DkimSettings("out.test", "s1", str(tmp_path / "key.pem"))
        async with sink() as server, channel_to(server, dkim=settings) as channel:
            for mail in (a_mail("ann@cust.test"), replace(a_mail("ann@cust.test", "m2"), attachments=files)):
                sent = await channel.send(mail)
                assert sent.result is MailResult.ACCEPTED, sent.detail
            for sunk in server.mails:
                assert dkim.verify(
                    sunk.content, dnsfunc=lambda _, timeout: record_value(key).encode()[: timeout * 1000]
                )
            message = email.message_from_bytes(server.mails[1].content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            assert message["List-Unsubscribe"] == "<https://out.test/u/token>"
            (attachment,) = message.iter_attachments()
            assert attachment.get_payload(decode=True) == files[0].content

    asyncio.run(run())


def test_a_key_that_cannot_be_read_is_told_at_opening(tmp_path: Path) -> None:
    settings = SmtpSettings(
        "127.0.0.1", 25, "out.test", dkim=DkimSettings("out.test", "s1", str(tmp_path / "none"))
    )
    with pytest.raises(InvalidInputError, match="cannot be read"):
        asyncio.run(SmtpChannel(settings, VirtualClock(NOON)).open())


def test_the_envelope_sender_is_the_messages_own_then_the_configured_then_the_sender() -> None:
    async def run() -> None:
        async with sink() as server:
            async with channel_to(server, envelope_sender="all@bounce.test") as channel:
                await channel.send(replace(a_mail("ann@cust.test"), envelope_sender="bounces+m1@bounce.test"))
                await channel.send(a_mail("ann@cust.test"))
                broken = replace(a_mail("ann@cust.test"), envelope_sender="x@b.test>\r\nRCPT TO:<eve@x.test")
                assert (await channel.send(broken)).result is MailResult.FAILED
            async with channel_to(server) as channel:
                await channel.send(a_mail("ann@cust.test"))
            senders = [mail.sender for mail in server.mails]
            assert senders == ["bounces+m1@bounce.test", "all@bounce.test", "news@out.test"]

    asyncio.run(run())


def test_too_large_attachments_fail_the_message() -> None:
    async def run() -> None:
        async with sink() as server, channel_to(server, largest_attachments=10) as channel:
            files = (Attachment("a.bin", "application/octet-stream", b"x" * 11),)
            sent = await channel.send(replace(a_mail("ann@cust.test"), attachments=files))
            assert (sent.result, "11 bytes together" in sent.detail) == (MailResult.FAILED, True)
            assert not server.mails

    asyncio.run(run())


async def settled(until: Callable[[], bool]) -> None:
    """Let tasks and sockets run until something is so."""
    async with asyncio.timeout(20):
        while not until():  # noqa: ASYNC110 - what is waited for happens in the channel and the server
            await asyncio.sleep(0)


def a_channel(port: int, clock: VirtualClock, rates: RateSettings, connections: int = 4) -> SmtpChannel:
    return SmtpChannel(
        SmtpSettings(
            "127.0.0.1", port, "out.test", tls=Tls.NONE, rates=rates, connections=connections, timeout=10
        ),
        clock,
    )


def test_a_slow_domain_holds_up_no_other() -> None:
    async def run() -> None:
        clock = VirtualClock(NOON)
        async with sink() as server:
            channel = a_channel(server.port, clock, RateSettings(domains={"slow.test": 0.5}), connections=1)
            await channel.open()
            async with asyncio.TaskGroup() as group:
                slow = [group.create_task(channel.send(a_mail(f"u{n}@slow.test", f"s{n}"))) for n in range(3)]
                fast = [group.create_task(channel.send(a_mail(f"u{n}@fast.test", f"f{n}"))) for n in range(9)]
                await settled(lambda: all(task.done() for task in fast) and slow[0].done())
                assert not slow[1].done()
                await clock.advance(1.9)
                assert [task.done() for task in slow] == [True, False, False]
                await clock.advance(0.2)
                await settled(slow[1].done)
                assert not slow[2].done()
                await clock.advance(2)
            assert [task.result().at.second for task in slow] == [0, 2, 4]
            assert {task.result().result for task in (*slow, *fast)} == {MailResult.ACCEPTED}
            await channel.close()

    asyncio.run(run())


def test_a_domain_that_says_too_fast_is_left_alone_for_a_while() -> None:
    async def run() -> None:
        clock = VirtualClock(NOON)
        answers = iter(["450 4.7.1 You send too fast", "250 OK", "250 OK"])

        def answer(line: str) -> str:
            return next(answers) if "slow.test" in line else "250 OK"

        async with scripted_smtp({"RCPT": answer}) as server:
            channel = a_channel(server.port, clock, RateSettings())
            await channel.open()
            first = await channel.send(a_mail("a@slow.test"))
            assert (first.result, "450" in first.detail) == (MailResult.SOFT_BOUNCE, True)
            async with asyncio.TaskGroup() as group:
                second = group.create_task(channel.send(a_mail("b@slow.test", "m2")))
                third = group.create_task(channel.send(a_mail("c@slow.test", "m3")))
                assert (await channel.send(a_mail("a@fast.test", "m4"))).result is MailResult.ACCEPTED
                await clock.advance(9.9)
                assert not second.done()
                await clock.advance(0.2)
                await settled(second.done)
                assert not third.done()
                await clock.advance(1)
            assert second.result().result is third.result().result is MailResult.ACCEPTED
            await channel.close()

    asyncio.run(run())


def test_closing_sends_those_home_who_wait_for_their_turn() -> None:
    async def run() -> None:
        async with sink() as server:
            channel = a_channel(server.port, VirtualClock(NOON), RateSettings(default=0.001))
            await channel.open()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(channel.send(a_mail(f"u{n}@a.test", f"m{n}"))) for n in range(4)]
                await settled(tasks[0].done)
                await channel.close()
            results = [task.result().result for task in tasks]
            assert results == [MailResult.ACCEPTED, *[MailResult.UNREACHABLE] * 3]
            assert server.counts["accepted"] == 1

    asyncio.run(run())


def test_one_domain_gets_no_more_connections_than_it_may_have() -> None:
    async def run() -> None:
        async with sink() as server:
            channel = a_channel(server.port, VirtualClock(NOON), RateSettings(connections=1))
            await channel.open()
            async with asyncio.TaskGroup() as group:
                tasks: list[asyncio.Task[MailSent]] = [
                    group.create_task(channel.send(a_mail(f"slow{n}@a.test", f"m{n}"))) for n in range(3)
                ]
                other = group.create_task(channel.send(a_mail("ann@b.test", "m9")))
                await server.waiting.wait()
                await settled(other.done)
                assert server.counts["slow"] == 1
                server.released.set()
            assert {task.result().result for task in tasks} == {MailResult.ACCEPTED}
            await channel.close()

    asyncio.run(run())
