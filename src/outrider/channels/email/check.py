"""Tries the mail server for real, step by step, and says in one sentence each what works and what does not.

`outrider mail check` and the console's page call it. It sends no message: it stops before the content.
"""

import asyncio
import enum
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass

import aiosmtplib

from outrider.channels.email.check_dkim import TxtLookup, check_dkim, look_up_txt
from outrider.channels.email.classify import Stage, classify
from outrider.channels.email.connections import make_client
from outrider.channels.email.encoding import mail_address
from outrider.channels.email.findings import Finding, Level
from outrider.channels.email.settings import SmtpSettings, Tls
from outrider.channels.email.smtp import load_tls
from outrider.channels.email.tls_problems import explain_handshake, speaks_no_tls
from outrider.errors import OutriderError

_COMPLETED = 250
_FIRST_FAILURE = 400
_GREETING_SECONDS = 5.0
_AUTH_REQUIRED = 530
_ENCODED_SHARE = 1.4
"""Bytes of a message per byte of its attachments: base64 and line ends."""


class Step(enum.StrEnum):
    """What is tried, in this order."""

    NAME = "name"
    CONNECTION = "connection"
    GREETING = "greeting"
    TLS = "tls"
    SIGN_IN = "sign-in"
    SENDER = "sender"
    RECIPIENT = "recipient"
    SIZE = "size"


class _Stop(Exception):  # noqa: N818 - it ends the check, the finding says why
    """Nothing further can be tried."""

    def __init__(self, step: Step, message: str) -> None:
        super().__init__(message)
        self.finding = Finding(Level.PROBLEM, step, message)


@dataclass(frozen=True, slots=True)
class _Target:
    """The server, and how it is named in sentences."""

    settings: SmtpSettings
    tls: ssl.SSLContext | None

    @property
    def where(self) -> str:
        return f"{self.settings.host} port {self.settings.port}"

    @property
    def patience(self) -> float:
        return min(self.settings.timeout, _GREETING_SECONDS)


async def check(
    settings: SmtpSettings,
    sender: str | None = None,
    recipient: str | None = None,
    look_up: TxtLookup = look_up_txt,
) -> list[Finding]:
    """Return what was found, in the order in which it was tried; never raises for what it finds.

    `sender` is the envelope sender to try (default: the configured one), `recipient` an address that would
    be written to. `look_up` asks the DNS for TXT records.
    """
    findings: list[Finding] = []
    try:
        target = _Target(settings, await load_tls(settings))
        findings += await _reach(target)
        findings += await _converse(target, sender or settings.envelope_sender, recipient)
    except _Stop as stop:
        findings.append(stop.finding)
    except OutriderError as error:
        findings.append(Finding(Level.PROBLEM, Step.TLS, error.message))
    if settings.dkim is not None:
        findings += await check_dkim(settings.dkim, sender, look_up)
    return findings


async def _reach(target: _Target) -> list[Finding]:
    """Look the name up, connect, and look how the server begins."""
    settings = target.settings
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else "it is not a host name"
        message = f"no address is known for {settings.host} ({reason}); check the host's name and the DNS"
        raise _Stop(Step.NAME, message) from error
    addresses = ", ".join(dict.fromkeys(str(entry[4][0]) for entry in found))
    findings = [Finding(Level.GOOD, Step.NAME, f"{settings.host} is {addresses}")]
    reader, writer = await _connect(target)
    try:
        findings.append(Finding(Level.GOOD, Step.CONNECTION, f"{target.where} takes connections"))
        if settings.tls is not Tls.IMPLICIT:
            await _hear_greeting(target, reader)
    finally:
        writer.close()
    return findings


async def _connect(target: _Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    settings = target.settings
    try:
        async with asyncio.timeout(settings.timeout):
            return await asyncio.open_connection(settings.host, settings.port)
    except TimeoutError as error:
        message = (
            f"{target.where} did not answer within {settings.timeout:g} s; a firewall may be in between, "
            "or the provider closes this port"
        )
        raise _Stop(Step.CONNECTION, message) from error
    except ConnectionRefusedError as error:
        message = f"nothing listens on {target.where}; check the port (587 or 465, 25 for relays)"
        raise _Stop(Step.CONNECTION, message) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise _Stop(Step.CONNECTION, f"{target.where} cannot be reached: {reason}") from error


async def _hear_greeting(target: _Target, reader: asyncio.StreamReader) -> None:
    """Read the first line in clear: a server that says nothing may be waiting for TLS."""
    line = b""
    with suppress(TimeoutError, ValueError, OSError):
        async with asyncio.timeout(target.patience):
            line = await reader.readline()
    if line.startswith((b"220", b"4", b"5")):
        return
    if await _speaks_tls(target):
        message = f'{target.where} expects TLS from the first byte; set tls to "implicit"'
        raise _Stop(Step.GREETING, message)
    said = line.decode(errors="replace").strip()[:80]
    heard = f"said {said!r}" if said else f"said nothing within {target.patience:g} s"
    raise _Stop(Step.GREETING, f"{target.where} is not a mail server: it {heard}")


async def _speaks_tls(target: _Target) -> bool:
    """Return whether a handshake succeeds; nothing is sent over it, so certificates do not matter."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(target.patience):
            _, writer = await asyncio.open_connection(target.settings.host, target.settings.port, ssl=context)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _converse(target: _Target, sender: str | None, recipient: str | None) -> list[Finding]:
    """Greet, protect, sign in and name sender and recipient, as sending would."""
    client = make_client(target.settings, target.tls)
    try:
        findings = await _protect(target, client)
        findings += await _sign_in(target, client)
        findings += await _envelope(target, client, sender, recipient)
        findings += _size(target, client)
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit()
    finally:
        client.close()
    return findings


async def _protect(target: _Target, client: aiosmtplib.SMTP) -> list[Finding]:
    """Connect and agree on TLS as configured."""
    settings = target.settings
    try:
        # Without sign-in: that is a step of its own.
        await client.connect(username=None, password=None, start_tls=False)
        await client.ehlo()
    except aiosmtplib.SMTPResponseException as error:
        message = f"{target.where} refuses us at the beginning: {error.code} {_line(error.message)}"
        raise _Stop(Step.GREETING, message) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _Stop(Step.TLS, _handshake_failure(target, error)) from error
    offered = client.supports_extension("starttls")
    if settings.tls is Tls.NONE:
        if offered:
            message = f"mail goes to {target.where} in clear, though it offers STARTTLS"
            return [Finding(Level.WARNING, Step.TLS, message)]
        return []
    if settings.tls is Tls.STARTTLS:
        if not offered:
            message = (
                f"{target.where} offers no STARTTLS, so nothing is sent; "
                'set tls to "implicit" for port 465, or to "none" for a relay on this machine'
            )
            raise _Stop(Step.TLS, message)
        try:
            await client.starttls(tls_context=target.tls, server_hostname=settings.host)
            await client.ehlo()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _Stop(Step.TLS, _handshake_failure(target, error)) from error
    return [Finding(Level.GOOD, Step.TLS, "the connection is encrypted, and the certificate is trusted")]


def _handshake_failure(target: _Target, error: Exception) -> str:
    """Return what went wrong in TLS: the cause is inside aiosmtplib's own error."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if not isinstance(cause, ssl.SSLError):
        return f"{target.where}: the connection broke: {error}"
    if target.settings.tls is Tls.IMPLICIT and speaks_no_tls(cause):
        return f'{target.where} does not begin with TLS; set tls to "starttls"'
    return f"{target.where}: {explain_handshake(cause, target.settings.host)}"


async def _sign_in(target: _Target, client: aiosmtplib.SMTP) -> list[Finding]:
    settings = target.settings
    if settings.username is None or settings.password is None:
        return []
    if not client.supports_extension("auth"):
        hint = "; it may do so after STARTTLS only" if settings.tls is Tls.NONE else ""
        message = f"{target.where} takes no sign-in, but a user name is configured{hint}"
        raise _Stop(Step.SIGN_IN, message)
    try:
        await client.login(settings.username, settings.password)
    except aiosmtplib.SMTPAuthenticationError as error:
        message = (
            f"{target.where} refuses the user name {settings.username!r} or its password: "
            f"{error.code} {_line(error.message)}"
        )
        raise _Stop(Step.SIGN_IN, message) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _Stop(Step.SIGN_IN, f"signing in at {target.where} failed: {error}") from error
    return [Finding(Level.GOOD, Step.SIGN_IN, f"signed in as {settings.username}")]


async def _envelope(
    target: _Target, client: aiosmtplib.SMTP, sender: str | None, recipient: str | None
) -> list[Finding]:
    """Name the sender, and the recipient if there is one; take both back."""
    address = mail_address(sender or f"postmaster@{target.settings.domain}", "sender")
    findings: list[Finding] = []
    try:
        code, text = await client.execute_command(b"MAIL", b"FROM:<" + address.encode() + b">")
        if code >= _FIRST_FAILURE:
            refused = _refused_sender(target, address, code, _line(text))
            if sender is None and code != _AUTH_REQUIRED:
                # It is made up: the senders of strategies may well be accepted.
                return [Finding(Level.WARNING, Step.SENDER, f"{refused}; name one of yours with --from")]
            raise _Stop(Step.SENDER, refused)
        findings.append(Finding(Level.GOOD, Step.SENDER, f"the sender {address} is accepted"))
        if recipient is not None:
            to = mail_address(recipient, "recipient")
            code, text = await client.execute_command(b"RCPT", b"TO:<" + to.encode() + b">")
            if code >= _FIRST_FAILURE:
                reason = classify(Stage.RCPT, code, text).reason
                message = f"the recipient {to} is refused: {reason} ({code} {_line(text)})"
                raise _Stop(Step.RECIPIENT, message)
            findings.append(Finding(Level.GOOD, Step.RECIPIENT, f"the recipient {to} is accepted"))
        await client.execute_command(b"RSET")
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _Stop(Step.SENDER, f"{target.where}: the connection broke: {error}") from error
    return findings


def _refused_sender(target: _Target, address: str, code: int, text: str) -> str:
    if code == _AUTH_REQUIRED and target.settings.username is None:
        return f"{target.where} wants a sign-in: set username and password ({code} {text})"
    return f"the sender {address} is refused; the server may send for some domains only ({code} {text})"


def _size(target: _Target, client: aiosmtplib.SMTP) -> list[Finding]:
    """Compare the largest message that the server takes with what we would attach."""
    limit = client.esmtp_extensions.get("size", "").strip()
    wanted = int(target.settings.largest_attachments * _ENCODED_SHARE)
    if not limit.isdecimal() or int(limit) == 0 or int(limit) >= wanted:
        return []
    message = f"the server takes messages up to {int(limit):,} bytes, attachments may need {wanted:,}"
    return [Finding(Level.WARNING, Step.SIZE, message)]


def _line(text: str) -> str:
    return " ".join(text.split())
