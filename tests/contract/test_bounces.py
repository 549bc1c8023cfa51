"""The bounce listener over real sockets: what it takes, refuses and puts off, and what the sink is told."""

import asyncio
import smtplib
from collections.abc import Awaitable, Callable

import aiosmtplib
import pytest

from outrider.channels.email.bounces import BounceListener, BounceSettings, Protocol
from outrider.channels.email.news import MailBounced, MailComplained, MailNews, MailNewsSink
from outrider.clock import VirtualClock
from outrider.errors import ChannelError, InvalidInputError, NotFoundError
from support.mail_sink import NOON
from support.reports import (
    COMPLAINT,
    HUMAN,
    ID,
    POSTFIX_DELAYED,
    POSTFIX_FAILED,
    POSTFIX_FULL,
    VACATION,
    VERP,
    octets,
)

DOMAIN = "bounce.out.test"


class Mta:
    """Speaks LMTP (by the standard library) or SMTP to a listener, as a mail server does."""

    def __init__(self, listener: BounceListener) -> None:
        self._listener = listener

    async def deliver(self, text: str, recipient: str = VERP, sender: str = "") -> tuple[int, str]:
        """Hand one mail over; return the answer that decided."""
        return await asyncio.to_thread(self._deliver, octets(text), recipient, sender)

    def _deliver(self, content: bytes, recipient: str, sender: str) -> tuple[int, str]:
        kind = smtplib.LMTP if self._listener.settings.protocol is Protocol.LMTP else smtplib.SMTP
        with kind("127.0.0.1", self._listener.port) as client:
            client.ehlo_or_helo_if_needed()
            code, words = client.mail(sender)
            if code == 250:
                code, words = client.rcpt(recipient)
            if code == 250:
                code, words = client.data(content)
            return code, words.decode()


def play(
    scenario: Callable[[Mta, BounceListener], Awaitable[None]], sink: MailNewsSink, **settings: object
) -> None:
    async def run() -> None:
        values: dict[str, object] = {"domain": DOMAIN, "port": 0, **settings}
        listener = BounceListener(
            BounceSettings(**values),  # type: ignore[arg-type] # fields by name
            VirtualClock(NOON),
            sink,
        )
        await listener.start()
        try:
            await scenario(Mta(listener), listener)
        finally:
            await listener.stop()

    asyncio.run(run())


@pytest.mark.parametrize("protocol", list(Protocol))
def test_reports_become_news(protocol: Protocol) -> None:
    heard: list[MailNews] = []

    async def take(news: MailNews) -> None:
        await asyncio.sleep(0)
        heard.append(news)

    async def scenario(mta: Mta, listener: BounceListener) -> None:
        assert (await mta.deliver(POSTFIX_FAILED))[0] == 250
        assert (await mta.deliver(POSTFIX_FULL, f"bounces@{DOMAIN}"))[0] == 250
        assert (await mta.deliver(COMPLAINT, f"complaints@{DOMAIN}", "feedback@provider.test"))[0] == 250
        for quiet in (POSTFIX_DELAYED, VACATION):
            assert (await mta.deliver(quiet))[0] == 250
        assert listener.counts == {"failed": 2, "complaint": 1, "delayed": 1, "auto_reply": 1}

    play(scenario, take, protocol=protocol)
    first, second, third = heard
    assert isinstance(first, MailBounced)
    assert (first.message_id, first.at, first.address) == (ID, NOON, "bad1@cust.test")
    assert (first.permanent, first.status) == (True, "5.1.1")
    assert isinstance(second, MailBounced)
    assert (second.message_id, second.permanent, second.status) == (ID, False, "5.2.2")
    assert third == MailComplained(first.message_id, NOON, "ann@provider.test", third.detail)


def test_unknown_recipients_are_refused() -> None:
    async def scenario(mta: Mta, listener: BounceListener) -> None:
        for recipient in (f"ann@{DOMAIN}", f"bounces+@{DOMAIN}", "bounces+m1@other.test", "x"):
            code, _ = await mta.deliver(POSTFIX_FAILED, recipient)
            assert code == 550
        assert listener.counts["unknown"] == 4

    play(scenario, _fail)


def test_mail_is_put_off_while_the_sink_cannot_take_it() -> None:
    heard: list[MailNews] = []
    broken = [True]

    def take(news: MailNews) -> None:
        if broken.pop():
            raise ConnectionError("the database is away")
        heard.append(news)

    async def scenario(mta: Mta, listener: BounceListener) -> None:
        assert (await mta.deliver(POSTFIX_FAILED))[0] == 451
        assert not heard
        broken.append(False)
        assert (await mta.deliver(POSTFIX_FAILED))[0] == 250
        assert len(heard) == 1
        assert listener.counts["put off"] == 1

    play(scenario, take)


def test_reports_of_messages_that_we_never_sent_are_refused_for_good() -> None:
    async def refuse(news: MailNews) -> None:
        raise NotFoundError(f"there is no attempt {news.message_id}")

    async def scenario(mta: Mta, listener: BounceListener) -> None:
        assert (await mta.deliver(POSTFIX_FAILED))[0] == 550
        assert listener.counts["refused"] == 1

    play(scenario, refuse)


def test_people_are_told_that_nobody_reads_it_and_unreadable_reports_are_taken() -> None:
    async def scenario(mta: Mta, listener: BounceListener) -> None:
        assert (await mta.deliver(HUMAN, sender="ann@cust.test"))[0] == 550
        assert (await mta.deliver(HUMAN.replace("5.1.1", "x").replace("550", "x")))[0] == 250
        assert listener.counts == {"other": 2, "refused": 1}

    play(scenario, _fail)


def test_what_is_too_large_is_refused_and_long_lines_are_not() -> None:
    heard: list[MailNews] = []

    async def scenario(mta: Mta, listener: BounceListener) -> None:
        assert listener.settings.largest == 20_000
        assert (await mta.deliver(POSTFIX_FAILED.replace("\nHello\n", "\n" + "x" * 9_000 + "\n")))[0] == 250
        assert (await mta.deliver(POSTFIX_FAILED + "y" * 70 * 300))[0] == 552
        assert len(heard) == 1

    play(scenario, heard.append, largest=20_000)


def test_one_recipient_per_transaction_and_many_per_connection() -> None:
    heard: list[MailNews] = []

    async def scenario(_: Mta, listener: BounceListener) -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=listener.port, start_tls=False)
        async with client:
            refused, _text = await client.sendmail("", [VERP, f"bounces@{DOMAIN}"], octets(POSTFIX_FAILED))
            assert [answer[0] for answer in refused.values()] == [452]
            await client.sendmail("", [VERP], octets(POSTFIX_FAILED))
        assert len(heard) == 2

    play(scenario, heard.append, protocol=Protocol.SMTP)


def test_a_port_that_is_taken_is_reported() -> None:
    async def scenario(_: Mta, listener: BounceListener) -> None:
        second = BounceListener(BounceSettings(DOMAIN, port=listener.port), VirtualClock(NOON), _fail)
        with pytest.raises(ChannelError, match=r"cannot listen on 127\.0\.0\.1 port"):
            await second.start()

    play(scenario, _fail)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"domain": "a b"}, "domain"),
        ({"port": -1}, "port"),
        ({"largest": 0}, "largest"),
        ({"host": ""}, "host"),
    ],
)
def test_settings_that_cannot_work(values: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        BounceSettings(**{"domain": DOMAIN, **values})  # type: ignore[arg-type] # fields by name
    assert caught.value.facts["where"] == f"bounces.{field}"


def _fail(news: MailNews) -> None:
    raise AssertionError(news)
