"""Speed of mail: messages built, signed, and sent through the channel, against bare aiosmtplib.

`make bench` calls `figures`; run it alone with `python tests/bench/email_bench.py`. The mail server is a
process of its own that only answers, so that the clients' own work decides; each pair of runs alternates.
"""

import asyncio
import datetime as dt
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

import aiosmtplib
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from outrider.channels.email.dkim import DkimSigner, PrivateKey
from outrider.channels.email.message import MessageSource, build_message, compile_message
from outrider.channels.email.settings import SmtpSettings, Tls
from outrider.channels.email.smtp import SmtpChannel
from outrider.channels.model import MailResult, OutboundMail
from outrider.clock import RealClock, stopwatch
from outrider.ids import AttemptId

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
CONNECTIONS = 8
COUNT = 4000
RUNS = 5

Figure = tuple[str, str, str]

SOURCE = MessageSource(
    "Wasserwerk <news@out.test>",
    "Ihre Rechnung, {name}",
    "Guten Tag {name},\n\nIhre Rechnung über {amount} ist fällig.\n" * 5,
    '<p>Guten Tag {name},</p><p>Ihre Rechnung über <b>{amount}</b> ist da. <a href="{link}">Zahlen</a></p>'
    * 5,
)

ANSWERING_SERVER = """
import asyncio, sys

class Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer, self.in_content = transport, b"", False
        transport.write(b"220 bench\\r\\n")

    def data_received(self, data):
        self.buffer += data
        while True:
            end = b"\\r\\n.\\r\\n" if self.in_content else b"\\r\\n"
            head, found, rest = self.buffer.partition(end)
            if not found:
                return
            self.buffer = rest
            if self.in_content:
                self.in_content = False
                self.transport.write(b"250 taken\\r\\n")
                continue
            verb = head[:4].upper()
            self.in_content = verb == b"DATA"
            answers = {b"DATA": b"354 go\\r\\n", b"EHLO": b"250-bench\\r\\n250 SIZE 0\\r\\n"}
            self.transport.write(answers.get(verb, b"250 ok\\r\\n"))

async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


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


@contextmanager
def answering_server() -> Iterator[int]:
    """Run a server that takes every message and looks at none; give its port."""
    process = subprocess.Popen([sys.executable, "-c", ANSWERING_SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


async def channel_mails(port: int, key: PrivateKey | None = None) -> float:
    """Return messages per second through the SMTP channel, building included."""
    settings = SmtpSettings("127.0.0.1", port, "out.test", tls=Tls.NONE, connections=CONNECTIONS)
    channel = SmtpChannel(settings, RealClock())
    await channel.open()
    if key is not None:
        channel._signer = DkimSigner("out.test", "s1", key)
    mails = iter([a_mail(number) for number in range(COUNT)])

    async def send() -> None:
        for mail in mails:
            sent = await channel.send(mail)
            assert sent.result is MailResult.ACCEPTED, sent.detail

    began = stopwatch()
    await asyncio.gather(*(send() for _ in range(4 * CONNECTIONS)))
    rate = COUNT / (stopwatch() - began)
    await channel.close()
    return rate


async def bare_mails(port: int) -> float:
    """Return messages per second of aiosmtplib's own `sendmail` with bytes that were built before."""
    compiled = compile_message(SOURCE)
    built = iter(
        [
            (f"user{number}@cust.test", build_message(compiled, a_mail(number), domain="out.test", at=START))
            for number in range(COUNT)
        ]
    )

    async def send() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for address, content in built:
                await client.sendmail("news@out.test", [address], content)

    began = stopwatch()
    await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return COUNT / (stopwatch() - began)


def built_from_template() -> float:
    """Return the microseconds that building one message takes."""
    compiled = compile_message(SOURCE)
    mails = [a_mail(number) for number in range(COUNT)]
    began = stopwatch()
    for mail in mails:
        build_message(compiled, mail, domain="out.test", at=START)
    return (stopwatch() - began) / COUNT * 1e6


def built_by_standard_library(count: int = 200) -> float:
    """Return the microseconds that the standard library's EmailMessage takes for the same message."""
    began = stopwatch()
    for number in range(count):
        mail = a_mail(number)
        message = EmailMessage(policy=SMTP_POLICY)
        message["From"], message["To"] = mail.sender, mail.address
        message["Subject"] = mail.subject.format(**mail.attributes)
        message["Message-ID"], message["Date"] = f"<{mail.message_id}@out.test>", format_datetime(START)
        message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(mail.text.format(**mail.attributes))
        message.add_alternative((mail.html or "").format(**mail.attributes), subtype="html")
        message.as_bytes()
    return (stopwatch() - began) / count * 1e6


def signed(key: PrivateKey, count: int = 500) -> float:
    """Return the milliseconds that one DKIM signature takes."""
    signer = DkimSigner("out.test", "s1", key)
    content = build_message(compile_message(SOURCE), a_mail(1), domain="out.test", at=START)
    began = stopwatch()
    for _ in range(count):
        signer.sign(content, START)
    return (stopwatch() - began) / count * 1e3


def _run(work: Callable[[int], Awaitable[float]], port: int) -> float:
    async def run() -> float:
        return await work(port)

    return asyncio.run(run())


def _pair(port: int, *, channel_first: bool) -> tuple[float, float]:
    """Measure both, one right after the other, by turns in either order."""
    if channel_first:
        return _run(channel_mails, port), _run(bare_mails, port)
    bare = _run(bare_mails, port)
    return _run(channel_mails, port), bare


def figures() -> list[Figure]:
    """Return (what, value, target): medians, and the median of the ratios of neighbouring runs."""
    rsa = generate_private_key(public_exponent=65537, key_size=2048)
    with answering_server() as port:
        pairs = [_pair(port, channel_first=number % 2 == 0) for number in range(RUNS)]
        signing = statistics.median(_run(lambda to: channel_mails(to, rsa), port) for _ in range(RUNS))
    channel, bare = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    edges = min(ours / theirs for ours, theirs in pairs), max(ours / theirs for ours, theirs in pairs)
    ours, theirs = built_from_template(), built_by_standard_library()
    return [
        ("one message built from a template", f"{ours:,.0f} µs", ""),
        ("the same by the standard library's EmailMessage", f"{theirs:,.0f} µs", ""),
        ("mail through the channel, building included", f"{channel:,.0f}/s", ""),
        ("bare aiosmtplib, bytes prebuilt", f"{bare:,.0f}/s", ""),
        ("mail channel against bare aiosmtplib", f"{ratio:.2f} x", ">= 0.8 x"),
        ("the same, worst and best pair of runs", f"{edges[0]:.2f} - {edges[1]:.2f} x", ""),
        ("mail through the channel, signed with RSA-2048", f"{signing:,.0f}/s", ""),
        ("one DKIM signature, RSA-2048", f"{signed(rsa):.2f} ms", ""),
        ("one DKIM signature, Ed25519", f"{signed(Ed25519PrivateKey.generate()):.2f} ms", ""),
    ]


if __name__ == "__main__":
    for what, value, target in figures():
        sys.stdout.write(f"{what:50} {value:>14}   {target}\n")
