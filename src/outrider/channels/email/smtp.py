"""The MailChannel over SMTP (aiosmtplib): a few connections, reused, and never one message twice.

Workers send through it. A connection that breaks before the content was sent is replaced and the message
tried once more; after that its outcome is unknown, and it is not sent again.
"""

import asyncio
import logging
import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import aiosmtplib

from outrider.channels.email.classify import Stage, classify
from outrider.channels.email.encoding import mail_address
from outrider.channels.email.message import CompiledMessage, MessageSource, build_message, compile_message
from outrider.channels.email.settings import SmtpSettings, Tls
from outrider.channels.email.transaction import Answer, Broken, Unreachable, transmit
from outrider.channels.model import MailResult, MailSent, OutboundMail
from outrider.clock import Clock
from outrider.errors import ChannelError, InvalidInputError

log = logging.getLogger(__name__)

_ATTEMPTS = 2
_compiled = lru_cache(maxsize=256)(compile_message)


@dataclass(slots=True, eq=False)
class _Connection:
    """One connection to the server, and how many messages went over it."""

    client: aiosmtplib.SMTP
    messages: int = 0


class SmtpChannel:
    """Sends messages over at most `settings.connections` connections. Belongs to one event loop."""

    def __init__(self, settings: SmtpSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._slots = asyncio.Semaphore(settings.connections)
        self._idle: list[_Connection] = []
        self._tls: ssl.SSLContext | None = None
        self._closed = True
        self._sending = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def open(self) -> None:
        """Load certificates; connections are made when first needed. ChannelError for unusable ones."""
        settings = self._settings
        if settings.tls is not Tls.NONE:
            try:
                self._tls = await asyncio.to_thread(ssl.create_default_context, cafile=settings.ca_file)
            except OSError as error:
                message = f"smtp.ca_file: {settings.ca_file} cannot be used: {error}"
                raise ChannelError(message, where="smtp.ca_file") from error
        if settings.envelope_sender is not None:
            mail_address(settings.envelope_sender, "smtp.envelope_sender")
        self._closed = False

    async def close(self) -> None:
        """Let what is being sent finish, then close all connections."""
        self._closed = True
        await self._quiet.wait()
        while self._idle:
            await self._quit(self._idle.pop())

    async def send(self, mail: OutboundMail) -> MailSent:
        """Send one message and say what became of it.

        FAILED with a detail that begins with "unknown" means that the message may have been delivered.
        Raises ChannelError only when the channel is closed.
        """
        if self._closed:
            raise ChannelError("the mail channel is closed; open it before sending")
        try:
            compiled = _compiled(MessageSource.of(mail))
        except InvalidInputError as error:
            return self._sent(mail, MailResult.FAILED, error.message)
        self._sending += 1
        self._quiet.clear()
        try:
            async with self._slots:
                return await self._deliver(mail, compiled)
        finally:
            self._sending -= 1
            if self._sending == 0:
                self._quiet.set()

    async def _deliver(self, mail: OutboundMail, compiled: CompiledMessage) -> MailSent:
        """Build the message and hand it over, on a second connection when the first proves dead."""
        settings = self._settings
        try:
            recipient = mail_address(mail.address, "address")
        except InvalidInputError as error:
            return self._sent(mail, MailResult.HARD_BOUNCE, error.message)
        try:
            content = build_message(
                compiled, mail, domain=settings.domain, at=self._clock.now(), missing=settings.missing
            )
        except InvalidInputError as error:
            return self._sent(mail, MailResult.FAILED, error.message)
        sender = settings.envelope_sender or compiled.sender_address
        broken: Broken | None = None
        for attempt in range(_ATTEMPTS):
            try:
                connection = (self._reuse() if attempt == 0 else None) or await self._connect()
                answer = await self._transmit(connection, sender, recipient, content)
            except Broken as error:
                broken = error
                if not error.may_retry:
                    break
            else:
                return self._judged(mail, answer)
        detail = broken.detail if broken is not None else "the message was not sent"
        unreachable = isinstance(broken, Unreachable)
        return self._sent(mail, MailResult.UNREACHABLE if unreachable else MailResult.FAILED, detail)

    def _reuse(self) -> _Connection | None:
        """Return a connection that was up when last looked at; the server may have closed others."""
        while self._idle:
            connection = self._idle.pop()
            if connection.client.is_connected:
                return connection
            connection.client.close()
        return None

    async def _transmit(self, connection: _Connection, sender: str, recipient: str, content: bytes) -> Answer:
        """Run one message's dialogue on a connection, which is kept if it is still good."""
        client = connection.client
        keep = False
        try:
            answer = await transmit(client, sender, recipient, content)
            connection.messages += 1
            keep = answer.reusable
        finally:
            if not keep or not client.is_connected or self._closed:
                client.close()
            elif connection.messages >= self._settings.messages_per_connection:
                await self._quit(connection)
            else:
                self._idle.append(connection)
        return answer

    async def _connect(self) -> _Connection:
        """Return a new connection, greeted, protected and signed in; Unreachable says why there is none."""
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            local_hostname=settings.domain,
            timeout=settings.timeout,
            use_tls=settings.tls is Tls.IMPLICIT,
            start_tls=settings.tls is Tls.STARTTLS,
            tls_context=self._tls,
        )
        where = f"the mail server {settings.host}:{settings.port}"
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except aiosmtplib.SMTPResponseException as error:
            signing_in = isinstance(error, aiosmtplib.SMTPAuthenticationError)
            verdict = classify(Stage.AUTH if signing_in else Stage.CONNECT, error.code, error.message)
            detail = f"{verdict.reason} ({where}: {error.code} {error.message})"
            raise Unreachable(detail, may_retry=False) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Unreachable(f"{where} cannot be used: {error}", may_retry=False) from error
        return _Connection(client)

    async def _quit(self, connection: _Connection) -> None:
        """Take leave; a server that is gone already needs no good-bye."""
        with suppress(aiosmtplib.SMTPException, OSError):
            await connection.client.quit()
        connection.client.close()

    def _judged(self, mail: OutboundMail, answer: Answer) -> MailSent:
        """Return what the server's answer means."""
        verdict = classify(answer.stage, answer.code, answer.text)
        words = f"{answer.code} {' '.join(answer.text.split())}".strip()
        if verdict.result is MailResult.ACCEPTED:
            return self._sent(mail, verdict.result, words)
        return self._sent(mail, verdict.result, f"{verdict.reason} ({answer.stage}: {words})")

    def _sent(self, mail: OutboundMail, result: MailResult, detail: str) -> MailSent:
        return MailSent(mail.message_id, self._clock.now(), result, detail)
