"""A local mail server that swallows everything, for the demo and for tests (aiosmtpd).

It answers by the recipient's name, unless told otherwise: `bad...@` has no mailbox, `full...@` is full,
`grey...@` is greylisted once, and so on as in `Behaviour`. What it accepted, it counts and keeps.
"""

import asyncio
import enum
import ssl
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from outrider.errors import ChannelError

_ROUNDS = 5
"""Of the loop, until closed connections and their tasks have noticed; they must not outlive it."""


class Behaviour(enum.StrEnum):
    """What happens to mail for recipients whose name begins with the value."""

    NO_MAILBOX = "bad"
    FULL = "full"
    GREYLISTED = "grey"
    POLICY = "policy"
    TOO_BIG = "big"
    SPAM = "spam"
    BUSY = "busy"
    DROP_AT_RCPT = "droprcpt"
    DROP_AFTER_CONTENT = "dropdata"
    SLOW = "slow"


def behaviour_by_name(address: str) -> Behaviour | None:
    """Return how a recipient is answered by its name, None for an ordinary mailbox."""
    return next((behaviour for behaviour in Behaviour if address.lower().startswith(behaviour)), None)


_RCPT_ANSWERS = {
    Behaviour.NO_MAILBOX: "550 5.1.1 Recipient address rejected: User unknown",
    Behaviour.FULL: "552 5.2.2 Mailbox full",
    Behaviour.POLICY: "550 5.7.1 Message rejected by policy",
    Behaviour.BUSY: "451 4.3.0 Try again later",
}
_CONTENT_ANSWERS = {
    Behaviour.TOO_BIG: "552 5.3.4 Message too big",
    Behaviour.SPAM: "554 5.7.1 Message looks like spam",
}


@dataclass(frozen=True, slots=True)
class SunkMail:
    """One accepted message; `content` is as it was sent, with CRLF line ends."""

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """How the sink serves. Port 0 takes any free one; `keep` messages are kept, older ones only counted."""

    host: str = "127.0.0.1"
    port: int = 0
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    """With a context in `tls`: from the first byte, instead of by STARTTLS."""
    messages_per_connection: int | None = None
    """After so many messages the server says 421 and closes."""
    keep: int = 1000
    behaviour: Callable[[str], Behaviour | None] = behaviour_by_name
    """How a recipient is answered; None is an ordinary mailbox."""


class MailSink:
    """The server. `counts` has one number per answer: accepted, connections, greylisted, Behaviour values."""

    def __init__(self, settings: SinkSettings = SinkSettings()) -> None:
        self.settings = settings
        self.port = settings.port
        self.counts: Counter[str] = Counter()
        self.mails: deque[SunkMail] = deque(maxlen=settings.keep)
        self.released = asyncio.Event()
        """Recipients named `slow...@` are answered when this is set."""
        self.waiting = asyncio.Event()
        """Set when such a recipient is waiting for its answer."""
        self._greylisted: set[str] = set()
        self._server: asyncio.Server | None = None
        self._protocols: set[_Protocol] = set()

    async def start(self) -> None:
        """Bind and serve. Raises ChannelError when the address cannot be used."""
        settings = self.settings
        implicit = settings.tls if settings.implicit_tls else None
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._protocol, settings.host, settings.port, ssl=implicit
            )
        except OSError as error:
            message = f"the mail sink cannot listen on {settings.host} port {settings.port}: {error.strerror}"
            raise ChannelError(message) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop serving and close all connections."""
        if self._server is not None:
            self._server.close()
            self.disconnect_all()
            await self._server.wait_closed()
            self._server = None
            for _ in range(_ROUNDS):
                await asyncio.sleep(0)

    def disconnect_all(self) -> None:
        """Close every connection, as a server does that is restarted."""
        for protocol in self._protocols:
            _abort(protocol)

    def _protocol(self) -> "_Protocol":
        settings = self.settings
        protocol = _Protocol(
            self,
            hostname="mail-sink.invalid",
            ident="Outrider mail sink",
            enable_SMTPUTF8=True,
            tls_context=None if settings.implicit_tls else settings.tls,
            require_starttls=settings.tls is not None and not settings.implicit_tls,
            authenticator=self._authenticate if settings.username is not None else None,
            auth_require_tls=False,
        )
        self._protocols.add(protocol)
        self.counts["connections"] += 1
        return protocol

    def forget(self, protocol: "_Protocol") -> None:
        """Note that a connection is closed."""
        self._protocols.discard(protocol)

    # aiosmtpd finds these by name.

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, mail_options: list[str]
    ) -> str:
        """Take the sender, once the client has signed in if it must."""
        if self.settings.username is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        limit = self.settings.messages_per_connection
        if limit is not None and isinstance(server, _Protocol) and server.accepted >= limit:
            self.counts["closed"] += 1
            if server.transport is not None:
                asyncio.get_running_loop().call_soon(server.transport.close)
            return "421 4.7.0 Too many messages on this connection"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,  # noqa: ARG002 - aiosmtpd's signature
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],  # noqa: ARG002 - aiosmtpd's signature
    ) -> str:
        """Take or refuse the recipient by its name."""
        behaviour = self.settings.behaviour(address)
        if behaviour is not None:
            self.counts[behaviour] += 1
        if behaviour is Behaviour.GREYLISTED and address not in self._greylisted:
            self._greylisted.add(address)
            self.counts["greylisted"] += 1
            return "451 4.7.1 Greylisted, try again later"
        if behaviour in _RCPT_ANSWERS:
            return _RCPT_ANSWERS[behaviour]
        if behaviour is Behaviour.DROP_AT_RCPT:
            return _drop(server)
        if behaviour is Behaviour.SLOW:
            self.waiting.set()
            await self.released.wait()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,  # noqa: ARG002 - aiosmtpd's signature
        envelope: Envelope,
    ) -> str:
        """Keep the message, or refuse it by its first recipient's name."""
        recipient = envelope.rcpt_tos[0]
        behaviour = self.settings.behaviour(recipient)
        if behaviour in _CONTENT_ANSWERS:
            return _CONTENT_ANSWERS[behaviour]
        if isinstance(server, _Protocol):
            server.accepted += 1
        content = envelope.original_content or b""
        self.mails.append(SunkMail(envelope.mail_from or "", recipient, content))
        if behaviour is Behaviour.DROP_AFTER_CONTENT:
            return _drop(server)
        self.counts["accepted"] += 1
        return "250 2.0.0 OK, swallowed"

    def _authenticate(
        self,
        server: SMTP,  # noqa: ARG002 - aiosmtpd's signature
        session: Session,  # noqa: ARG002 - aiosmtpd's signature
        envelope: Envelope,  # noqa: ARG002 - aiosmtpd's signature
        mechanism: str,  # noqa: ARG002 - aiosmtpd's signature
        data: object,
    ) -> AuthResult:
        """Compare user name and password with ours."""
        expected = (self.settings.username or "").encode(), (self.settings.password or "").encode()
        matches = isinstance(data, LoginPassword) and (data.login, data.password) == expected
        self.counts["signed in" if matches else "refused sign-ins"] += 1
        return AuthResult(success=matches, handled=False)


class _Protocol(SMTP):
    """One connection, which tells its sink when it is closed."""

    def __init__(self, sink: MailSink, **settings: Any) -> None:
        super().__init__(sink, **settings)
        self._sink = sink
        self.accepted = 0

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the sink."""
        super().connection_lost(error)
        self._sink.forget(self)


def _drop(server: SMTP) -> str:
    """Close the connection without an answer. What is returned goes nowhere."""
    _abort(server)
    return "421 4.4.2 Gone"


def _abort(server: SMTP) -> None:
    """Close a connection at once, without TLS's good-bye."""
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()
