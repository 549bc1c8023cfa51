"""The connections to the mail server that `smtp` sends over: made when needed, kept, replaced in time.

`check` makes them too, so that what it finds is what sending would meet.
"""

import ssl
from contextlib import suppress
from dataclasses import dataclass

import aiosmtplib

from outrider.channels.email.classify import Stage, classify
from outrider.channels.email.settings import SmtpSettings, Tls
from outrider.channels.email.transaction import Unreachable


@dataclass(slots=True, eq=False)
class Connection:
    """One connection to the server, and how many messages went over it."""

    client: aiosmtplib.SMTP
    messages: int = 0


def make_client(settings: SmtpSettings, tls: ssl.SSLContext | None) -> aiosmtplib.SMTP:
    """Return a client that is not connected yet."""
    return aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.username,
        password=settings.password,
        local_hostname=settings.domain,
        timeout=settings.timeout,
        use_tls=settings.tls is Tls.IMPLICIT,
        start_tls=settings.tls is Tls.STARTTLS,
        tls_context=tls,
    )


class Connections:
    """The idle connections of one channel. `tls` is set when the channel opens."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._idle: list[Connection] = []
        self.tls: ssl.SSLContext | None = None

    def reuse(self) -> Connection | None:
        """Return a connection that was up when last looked at; the server may have closed others."""
        while self._idle:
            connection = self._idle.pop()
            if connection.client.is_connected:
                return connection
            connection.client.close()
        return None

    async def make(self) -> Connection:
        """Return a new connection, greeted, protected and signed in; Unreachable says why there is none."""
        settings = self._settings
        client = make_client(settings, self.tls)
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
        return Connection(client)

    async def give_back(self, connection: Connection, *, good: bool) -> None:
        """Keep a connection that may carry another message, and end any other."""
        if not good or not connection.client.is_connected:
            connection.client.close()
        elif connection.messages >= self._settings.messages_per_connection:
            await _quit(connection)
        else:
            self._idle.append(connection)

    async def close(self) -> None:
        """End all idle connections."""
        while self._idle:
            await _quit(self._idle.pop())


async def _quit(connection: Connection) -> None:
    """Take leave; a server that is gone already needs no good-bye."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await connection.client.quit()
    connection.client.close()
