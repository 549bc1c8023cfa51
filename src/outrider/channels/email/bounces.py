"""The listener for the bounce domain: takes delivery reports over LMTP or SMTP, and tells a sink (aiosmtpd).

The mail server of the bounce domain hands its mail here; `app.py` starts one beside the worker. A report is
acknowledged only once the sink has taken its news, so none is lost in a crash.
"""

import asyncio
import enum
import inspect
import logging
from collections import Counter
from dataclasses import dataclass

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from outrider.channels.email.dsn import Bounce, Incoming, MailKind, read_mail
from outrider.channels.email.news import MailBounced, MailComplained, MailNews, MailNewsSink
from outrider.channels.email.settings import is_domain
from outrider.channels.email.verp import is_ours
from outrider.clock import Clock
from outrider.errors import ChannelError, InvalidInputError, NotFoundError

log = logging.getLogger(__name__)

_ROUNDS = 5
"""Of the loop, until closed connections and their tasks have noticed; they must not outlive it."""

_LONGEST_LINE = 2**20
"""Of a report in bytes: what it returns may be any message, also one with lines that are too long."""


class Protocol(enum.StrEnum):
    """What the mail server speaks to us."""

    LMTP = "lmtp"
    SMTP = "smtp"


@dataclass(frozen=True, slots=True)
class BounceSettings:
    """Where the listener is, and which domain's mail it takes. InvalidInputError names the field.

    Port 0 takes any free one. There is no sign-in: listen on loopback, or where only the mail server can
    reach it. `largest` is bytes (servers may return the whole message), `timeout` seconds without a command.
    """

    domain: str
    host: str = "127.0.0.1"
    port: int = 8024
    protocol: Protocol = Protocol.LMTP
    largest: int = 16 * 2**20
    timeout: float = 300.0

    def __post_init__(self) -> None:
        """Check what can be checked before listening."""
        for name, holds in (
            ("domain", is_domain(self.domain)),
            ("host", bool(self.host)),
            ("port", 0 <= self.port < 2**16),
            ("largest", self.largest > 0),
            ("timeout", self.timeout > 0),
        ):
            if not holds:
                message = f"bounces.{name}: {getattr(self, name)!r} cannot be used"
                raise InvalidInputError(message, where=f"bounces.{name}")


class BounceListener:
    """The server. `counts` has one number per MailKind, and `refused`, `unknown` and `put off`."""

    def __init__(self, settings: BounceSettings, clock: Clock, sink: MailNewsSink) -> None:
        self.settings = settings
        self.port = settings.port
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._sink = sink
        self._server: asyncio.Server | None = None
        self._connections: set[SMTP] = set()

    async def start(self) -> None:
        """Bind and serve. Raises ChannelError when the address cannot be used."""
        settings = self.settings
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._connection, settings.host, settings.port
            )
        except OSError as error:
            message = f"bounces: cannot listen on {settings.host} port {settings.port}: {error.strerror}"
            raise ChannelError(message, where="bounces.port") from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop serving; reports that are not acknowledged yet will be sent again."""
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._connections):
            if isinstance(connection.transport, asyncio.WriteTransport):
                connection.transport.abort()
        await self._server.wait_closed()
        self._server = None
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)

    def _connection(self) -> SMTP:
        kind = _SmtpConnection if self.settings.protocol is Protocol.SMTP else _LmtpConnection
        connection = kind(
            self,
            data_size_limit=self.settings.largest,
            enable_SMTPUTF8=True,
            hostname=self.settings.domain,
            ident="Outrider",
            timeout=self.settings.timeout,
        )
        self._connections.add(connection)
        return connection

    def forget(self, connection: SMTP) -> None:
        """Note that a connection is closed."""
        self._connections.discard(connection)

    # aiosmtpd finds these by name.

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,  # noqa: ARG002 - aiosmtpd's signature
        session: Session,  # noqa: ARG002 - aiosmtpd's signature
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],  # noqa: ARG002 - aiosmtpd's signature
    ) -> str:
        """Take one recipient of ours per transaction, so that every answer speaks of one report."""
        if not is_ours(address, self.settings.domain):
            self.counts["unknown"] += 1
            return "550 5.1.1 No such mailbox here"
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,  # noqa: ARG002 - aiosmtpd's signature
        session: Session,  # noqa: ARG002 - aiosmtpd's signature
        envelope: Envelope,
    ) -> str:
        """Read the mail, tell the sink, and answer for it."""
        content = envelope.original_content or b""
        # aiosmtpd writes the null sender as it came.
        sender = (envelope.mail_from or "").strip("<>")
        incoming = await asyncio.to_thread(read_mail, content, envelope.rcpt_tos[0], sender)
        self.counts[incoming.kind] += 1
        news = self._news(incoming)
        if news is None:
            return self._without_news(incoming, sender)
        try:
            taken = self._sink(news)
            if inspect.isawaitable(taken):
                await taken
        except NotFoundError:
            self.counts["refused"] += 1
            return "550 5.1.1 No message of ours has this id"
        except Exception:
            self.counts["put off"] += 1
            log.exception("a report of message %s was put off", news.message_id)
            return "451 4.3.0 Cannot be written down now, try again later"
        return "250 2.0.0 OK"

    def _without_news(self, incoming: Incoming, sender: str) -> str:
        """Return the answer to mail that changes nothing. People are told that nobody reads it."""
        if incoming.kind is MailKind.OTHER and sender:
            self.counts["refused"] += 1
            return "550 5.7.1 This address takes delivery reports only"
        if incoming.kind in {MailKind.OTHER, MailKind.FAILED, MailKind.COMPLAINT}:
            log.warning("a report about mail of ours names no message, or could not be understood")
        return "250 2.0.0 OK"

    def _news(self, incoming: Incoming) -> MailNews | None:
        """Return what is to be written down: failures and complaints about messages of ours."""
        report: Bounce | None = incoming.report
        if report is None or report.message_id is None:
            return None
        now = self._clock.now()
        if incoming.kind is MailKind.COMPLAINT:
            return MailComplained(report.message_id, now, report.recipient, report.diagnostic)
        if incoming.kind is not MailKind.FAILED:
            return None
        return MailBounced(
            report.message_id, now, report.recipient, report.permanent, report.status, report.diagnostic
        )


class _SmtpConnection(SMTP):
    """One SMTP connection, which tells its listener when it is closed."""

    line_length_limit = _LONGEST_LINE

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the listener."""
        super().connection_lost(error)
        self.event_handler.forget(self)


class _LmtpConnection(LMTP):
    """One LMTP connection, which tells its listener when it is closed."""

    line_length_limit = _LONGEST_LINE

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the listener."""
        super().connection_lost(error)
        self.event_handler.forget(self)
