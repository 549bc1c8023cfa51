"""The MailChannel over SMTP (aiosmtplib): a few connections, reused, and never one message twice.

Workers send through it. A connection that breaks before the content was sent is replaced and the message
tried once more; after that its outcome is unknown, and it is not sent again.
"""

import asyncio
import logging
import ssl

from outrider.channels.email.classify import classify, is_too_fast
from outrider.channels.email.compiled import CompiledMessages
from outrider.channels.email.connections import Connections
from outrider.channels.email.dkim import DkimSigner, load_signer
from outrider.channels.email.encoding import mail_address
from outrider.channels.email.message import CompiledMessage, MessageSource, build_message
from outrider.channels.email.rates import domain_of
from outrider.channels.email.settings import SmtpSettings, Tls
from outrider.channels.email.transaction import Answer, Broken, Unreachable, transmit
from outrider.channels.email.turns import TurnLostError, Turns
from outrider.channels.model import MailResult, MailSent, OutboundMail
from outrider.clock import Clock
from outrider.errors import ChannelError, InvalidInputError

log = logging.getLogger(__name__)

_ATTEMPTS = 2
_LARGE = 256 * 1024
"""Bytes from which on a message is signed on a thread: hashing it would hold up the loop."""


class SmtpChannel:
    """Sends messages over at most `settings.connections` connections. Belongs to one event loop."""

    def __init__(self, settings: SmtpSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._slots = asyncio.Semaphore(settings.connections)
        self._connections = Connections(settings)
        self._turns = Turns(settings.rates, clock)
        self._compiled = CompiledMessages(settings.largest_attachments)
        self._signer: DkimSigner | None = None
        self._closed = True
        self._sending = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def open(self) -> None:
        """Load certificates and the DKIM key; connections are made when first needed.

        ChannelError for certificates that cannot be used, InvalidInputError for such a key or address.
        """
        settings = self.settings
        self._connections.tls = await load_tls(settings)
        if settings.envelope_sender is not None:
            mail_address(settings.envelope_sender, "smtp.envelope_sender")
        if settings.dkim is not None:
            self._signer = await asyncio.to_thread(load_signer, settings.dkim)
        self._turns.open()
        self._closed = False

    async def close(self) -> None:
        """Let what is being sent finish, then close all connections. Who still waits a turn is not sent."""
        self._closed = True
        self._turns.close()
        await self._quiet.wait()
        await self._connections.close()

    async def send(self, mail: OutboundMail) -> MailSent:
        """Send one message when its domain's turn has come, and say what became of it.

        FAILED with a detail that begins with "unknown" means that the message may have been delivered.
        Raises ChannelError only when the channel is closed.
        """
        if self._closed:
            raise ChannelError("the mail channel is closed; open it before sending")
        try:
            compiled = self._compiled.get(MessageSource.of(mail))
        except InvalidInputError as error:
            return self._sent(mail, MailResult.FAILED, error.message)
        try:
            recipient = mail_address(mail.address, "address")
        except InvalidInputError as error:
            return self._sent(mail, MailResult.HARD_BOUNCE, error.message)
        self._sending += 1
        self._quiet.clear()
        try:
            async with self._turns.turn(domain_of(recipient)), self._slots:
                return await self._deliver(mail, compiled, recipient)
        except TurnLostError:
            return self._sent(mail, MailResult.UNREACHABLE, "the channel was closed before its turn came")
        finally:
            self._sending -= 1
            if self._sending == 0:
                self._quiet.set()

    async def _deliver(self, mail: OutboundMail, compiled: CompiledMessage, recipient: str) -> MailSent:
        """Build the message and hand it over, on a second connection when the first proves dead."""
        sender = mail.envelope_sender or self.settings.envelope_sender or compiled.sender_address
        try:
            sender = mail_address(sender, "envelope_sender")
            content = await self._content(mail, compiled)
        except InvalidInputError as error:
            return self._sent(mail, MailResult.FAILED, error.message)
        broken: Broken | None = None
        for attempt in range(_ATTEMPTS):
            try:
                answer = await self._transmit(sender, recipient, content, fresh=attempt > 0)
            except Broken as error:
                broken = error
                if not error.may_retry:
                    break
            else:
                return self._judged(mail, recipient, answer)
        if broken is not None and broken.closed:
            self._slow_down(recipient, broken.detail)
        detail = broken.detail if broken is not None else "the message was not sent"
        unreachable = isinstance(broken, Unreachable)
        return self._sent(mail, MailResult.UNREACHABLE if unreachable else MailResult.FAILED, detail)

    async def _content(self, mail: OutboundMail, compiled: CompiledMessage) -> bytes:
        """Return the whole message, signed where there is a key."""
        settings, now = self.settings, self._clock.now()
        content = build_message(compiled, mail, domain=settings.domain, at=now, missing=settings.missing)
        if self._signer is None:
            return content
        if len(content) < _LARGE:
            return self._signer.sign(content, now)
        return await asyncio.to_thread(self._signer.sign, content, now)

    async def _transmit(self, sender: str, recipient: str, content: bytes, *, fresh: bool) -> Answer:
        """Run one message's dialogue on a connection, which is kept if it is still good."""
        reused = None if fresh else self._connections.reuse()
        connection = reused or await self._connections.make()
        keep = False
        try:
            answer = await transmit(connection.client, sender, recipient, content)
            connection.messages += 1
            keep = answer.reusable and not self._closed
        finally:
            await self._connections.give_back(connection, good=keep)
        return answer

    def _judged(self, mail: OutboundMail, recipient: str, answer: Answer) -> MailSent:
        """Return what the server's answer means."""
        verdict = classify(answer.stage, answer.code, answer.text)
        words = f"{answer.code} {' '.join(answer.text.split())}".strip()
        if verdict.result is MailResult.ACCEPTED:
            return self._sent(mail, verdict.result, words)
        if is_too_fast(answer.code, answer.text):
            self._slow_down(recipient, words)
        return self._sent(mail, verdict.result, f"{verdict.reason} ({answer.stage}: {words})")

    def _slow_down(self, recipient: str, words: str) -> None:
        domain = domain_of(recipient)
        pause = self._turns.slow_down(domain)
        log.warning("mail to %s waits %.0f s and goes on more slowly: %s", domain, pause, words)

    def _sent(self, mail: OutboundMail, result: MailResult, detail: str) -> MailSent:
        return MailSent(mail.message_id, self._clock.now(), result, detail)


async def load_tls(settings: SmtpSettings) -> ssl.SSLContext | None:
    """Return the certificates to trust, None without TLS. ChannelError for a file that cannot be used."""
    if settings.tls is Tls.NONE:
        return None
    try:
        return await asyncio.to_thread(ssl.create_default_context, cafile=settings.ca_file)
    except OSError as error:
        reason = error.strerror or str(error)
        message = (
            f"smtp.ca_file: {settings.ca_file} cannot be used ({reason}); name a file of certificates (PEM)"
        )
        raise ChannelError(message, where="smtp.ca_file") from error
