"""The MailChannel against a real SMTP server: what it sends, and what it makes of answers and failures."""

import asyncio
import email
import email.policy
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from outrider.channels.email.settings import SmtpSettings, Tls
from outrider.channels.email.smtp import SmtpChannel
from outrider.channels.model import MailResult, MailSent
from outrider.clock import VirtualClock
from outrider.demo.mail_sink import MailSink, SinkSettings
from outrider.errors import ChannelError, InvalidInputError
from support.mail_sink import NOON, a_mail, channel_to, own_certificate, settings_for, sink

Scenario = Callable[[MailSink, SmtpChannel], Awaitable[None]]


def play(scenario: Scenario, server_settings: SinkSettings | None = None, **changes: object) -> None:
    async def run() -> None:
        async with sink(server_settings) as server, channel_to(server, **changes) as channel:
            await scenario(server, channel)

    asyncio.run(run())


def parsed(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def test_a_message_arrives_as_it_was_meant() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        sent = await channel.send(a_mail("ann@cust.test", name="Zoë <b>"))
        assert (sent.message_id, sent.result) == ("m1", MailResult.ACCEPTED)
        assert sent.detail.startswith("250")
        (mail,) = server.mails
        assert (mail.sender, mail.recipient) == ("news@out.test", "ann@cust.test")
        message = parsed(mail.content)
        assert message["From"] == "Water Company <news@out.test>"
        assert message["To"] == "ann@cust.test"
        assert message["Subject"] == "Your bill, Zoë <b>"
        assert message["Message-ID"] == "<m1@out.test>"
        assert message["Date"] == "Mon, 02 Mar 2026 12:00:00 +0000"
        assert message["List-Unsubscribe"] == "<https://out.test/u/token>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        text, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
        assert text == "Hello Zoë <b>,\n\nyour bill is due.\n.\n..dots\n"
        assert html == "<p>Hello Zoë &lt;b&gt;</p>"

    play(scenario)


@pytest.mark.parametrize(
    ("address", "result", "words"),
    [
        ("bad1@cust.test", MailResult.HARD_BOUNCE, "no such mailbox"),
        ("full1@cust.test", MailResult.SOFT_BOUNCE, "the mailbox is full"),
        ("busy1@cust.test", MailResult.SOFT_BOUNCE, "451"),
        ("policy1@cust.test", MailResult.FAILED, "policy"),
        ("big1@cust.test", MailResult.FAILED, "too big"),
        ("spam1@cust.test", MailResult.FAILED, "policy"),
        ("not an address", MailResult.HARD_BOUNCE, "not an email address"),
        ("ann@cust.test\r\nRCPT TO:<eve@cust.test>", MailResult.HARD_BOUNCE, "not an email address"),
    ],
)
def test_refusals_are_told_apart_and_the_connection_goes_on(
    address: str, result: MailResult, words: str
) -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        refused = await channel.send(a_mail(address))
        assert refused.result is result
        assert words in refused.detail
        accepted = await channel.send(a_mail("ann@cust.test", "m2"))
        assert accepted.result is MailResult.ACCEPTED
        assert server.counts["connections"] == 1
        assert [mail.recipient for mail in server.mails] == ["ann@cust.test"]

    play(scenario)


def test_greylisted_mail_is_accepted_when_sent_again_later() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        first = await channel.send(a_mail("grey1@cust.test"))
        assert first.result is MailResult.SOFT_BOUNCE
        second = await channel.send(a_mail("grey1@cust.test", "m2"))
        assert second.result is MailResult.ACCEPTED
        assert server.counts["accepted"] == 1

    play(scenario)


def test_connections_are_reused_and_limited() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        mails = [a_mail(f"user{number}@cust.test", f"m{number}") for number in range(100)]
        sent: list[MailSent] = await asyncio.gather(*(channel.send(mail) for mail in mails))
        assert {one.result for one in sent} == {MailResult.ACCEPTED}
        assert [one.message_id for one in sent] == [mail.message_id for mail in mails]
        assert len({mail.recipient for mail in server.mails}) == server.counts["accepted"] == 100
        assert server.counts["connections"] == 3

    play(scenario, connections=3)


def test_a_connection_is_replaced_after_its_share_of_messages() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        for number in range(7):
            sent = await channel.send(a_mail(f"user{number}@cust.test", f"m{number}"))
            assert sent.result is MailResult.ACCEPTED
        assert server.counts["connections"] == 3

    play(scenario, messages_per_connection=3)


def test_a_server_that_closes_with_421_gets_the_message_on_a_new_connection() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        for number in range(5):
            sent = await channel.send(a_mail(f"user{number}@cust.test", f"m{number}"))
            assert sent.result is MailResult.ACCEPTED
        assert server.counts["accepted"] == len({mail.recipient for mail in server.mails}) == 5
        assert server.counts["closed"] == 2

    play(scenario, SinkSettings(messages_per_connection=2))


def test_a_server_that_was_restarted_gets_the_message_on_a_new_connection() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        await asyncio.gather(
            *(channel.send(a_mail(f"user{number}@cust.test", f"m{number}")) for number in range(4))
        )
        server.disconnect_all()
        sent = await channel.send(a_mail("ann@cust.test", "m9"))
        assert sent.result is MailResult.ACCEPTED
        assert [mail.recipient for mail in server.mails].count("ann@cust.test") == 1

    play(scenario)


def test_a_connection_that_breaks_before_the_content_is_tried_once_more_only() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        sent = await channel.send(a_mail("droprcpt1@cust.test"))
        assert sent.result is MailResult.FAILED
        assert "rcpt to" in sent.detail
        assert not sent.detail.startswith("unknown")
        assert server.counts["droprcpt"] == 2
        assert not server.mails

    play(scenario)


def test_a_message_whose_outcome_is_unknown_is_never_sent_again() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        sent = await channel.send(a_mail("dropdata1@cust.test"))
        assert sent.result is MailResult.FAILED
        assert sent.detail.startswith("unknown")
        assert [mail.recipient for mail in server.mails] == ["dropdata1@cust.test"]
        assert server.counts["dropdata"] == 1
        following = await channel.send(a_mail("ann@cust.test", "m2"))
        assert following.result is MailResult.ACCEPTED

    play(scenario)


def test_a_server_that_is_too_slow_fails_the_message_without_delivery() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        sent = await channel.send(a_mail("slow1@cust.test"))
        assert sent.result is MailResult.FAILED
        assert "Timed out" in sent.detail
        assert not server.mails

    play(scenario, timeout=0.2)


def test_closing_lets_a_slow_message_finish() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(channel.send(a_mail("slow1@cust.test")))
            await server.waiting.wait()
            closing = group.create_task(channel.close())
            await asyncio.sleep(0)
            server.released.set()
        assert closing.done()
        assert sending.result().result is MailResult.ACCEPTED
        with pytest.raises(ChannelError, match="closed"):
            await channel.send(a_mail("ann@cust.test"))

    play(scenario)


def test_nobody_at_the_address_of_the_server() -> None:
    async def run() -> None:
        async with sink() as server:
            settings = settings_for(server)
        channel = SmtpChannel(settings, VirtualClock(NOON))
        await channel.open()
        sent = await channel.send(a_mail("ann@cust.test"))
        await channel.close()
        assert sent.result is MailResult.UNREACHABLE
        assert f"127.0.0.1:{settings.port}" in sent.detail

    asyncio.run(run())


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_over_tls_with_a_certificate_that_is_trusted(tls: Tls, tmp_path: Path) -> None:
    context, certificate = own_certificate(tmp_path)
    server_settings = SinkSettings(
        tls=context, implicit_tls=tls is Tls.IMPLICIT, username="out", password="pw-1"
    )

    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        sent = await channel.send(a_mail("ann@cust.test"))
        assert sent.result is MailResult.ACCEPTED, sent.detail
        assert server.counts["signed in"] == 1

    play(scenario, server_settings, tls=tls, ca_file=str(certificate), username="out", password="pw-1")


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_over_tls_with_a_certificate_that_is_not_trusted(tls: Tls, tmp_path: Path) -> None:
    context, _ = own_certificate(tmp_path)

    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        sent = await channel.send(a_mail("ann@cust.test"))
        assert sent.result is MailResult.UNREACHABLE
        assert "certificate" in sent.detail.lower()
        assert not server.mails

    play(scenario, SinkSettings(tls=context, implicit_tls=tls is Tls.IMPLICIT), tls=tls)


def test_starttls_never_falls_back_to_clear() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        sent = await channel.send(a_mail("ann@cust.test"))
        assert sent.result is MailResult.UNREACHABLE
        assert not server.mails

    play(scenario, tls=Tls.STARTTLS)


def test_signing_in() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        sent = await channel.send(a_mail("ann@cust.test"))
        assert sent.result is MailResult.ACCEPTED
        assert server.counts["signed in"] == 1

    play(scenario, SinkSettings(username="out", password="pw-1"), username="out", password="pw-1")


def test_a_wrong_password_is_said_but_not_shown() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        sent = await channel.send(a_mail("ann@cust.test"))
        assert sent.result is MailResult.UNREACHABLE
        assert "user name or password" in sent.detail
        assert "pw-wrong" not in sent.detail
        assert server.counts["signed in"] == 0

    play(scenario, SinkSettings(username="out", password="pw-1"), username="out", password="pw-wrong")


def test_a_server_that_wants_a_sign_in_we_do_not_have() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        sent = await channel.send(a_mail("ann@cust.test"))
        assert sent.result is MailResult.FAILED
        assert "530" in sent.detail
        assert not server.mails

    play(scenario, SinkSettings(username="out", password="pw-1"))


def test_a_template_with_a_mistake_fails_the_message_with_the_place() -> None:
    async def scenario(server: MailSink, channel: SmtpChannel) -> None:
        broken = a_mail("ann@cust.test")
        sent = await channel.send(
            type(broken)(
                message_id=broken.message_id,
                address=broken.address,
                sender=broken.sender,
                subject="Hello",
                text="line one\n{first name",
            )
        )
        assert sent.result is MailResult.FAILED
        assert "text, line 2, column 1" in sent.detail
        assert not server.mails

    play(scenario)


def test_a_certificate_file_that_is_none_is_reported_at_opening(tmp_path: Path) -> None:
    settings = SmtpSettings("127.0.0.1", 25, "out.test", ca_file=str(tmp_path / "missing.pem"))
    with pytest.raises(ChannelError, match="ca_file"):
        asyncio.run(SmtpChannel(settings, VirtualClock(NOON)).open())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"host": ""}, "host"),
        ({"host": "a b"}, "host"),
        ({"port": 0}, "port"),
        ({"domain": "exa mple"}, "domain"),
        ({"domain": ""}, "domain"),
        ({"connections": 0}, "connections"),
        ({"timeout": 0.0}, "timeout"),
        ({"messages_per_connection": 0}, "messages_per_connection"),
        ({"username": "out"}, "username"),
        ({"host": "mail.test", "username": "out", "password": "pw", "tls": Tls.NONE}, "tls"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, object], field: str) -> None:
    values: dict[str, object] = {"host": "127.0.0.1", "port": 25, "domain": "out.test", **changes}
    with pytest.raises(InvalidInputError) as caught:
        SmtpSettings(**values)  # type: ignore[arg-type] # fields by name
    assert caught.value.facts["where"] == f"smtp.{field}"


def test_the_password_is_not_shown() -> None:
    settings = SmtpSettings("127.0.0.1", 25, "out.test", username="out", password="pw-secret")
    assert "pw-secret" not in repr(settings)
