"""Trying a connection for real: what is wrong with it, in one clear sentence each.

`outrider sms check` and the console call `check`; nothing is submitted.
"""

import asyncio
import enum
import ipaddress
from contextlib import suppress
from dataclasses import dataclass

from outrider.channels.sms.bodies import BindType, DeliverSm
from outrider.channels.sms.connecting import ConnectError, connect, explained
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.link import Link, LinkLostError, NotWrittenError
from outrider.channels.sms.status import Status
from outrider.channels.sms.submission import source_of
from outrider.clock import stopwatch
from outrider.errors import InvalidInputError

_LONGEST_PASSWORD = 8


class Level(enum.StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found; `about` is a stable word for it, as "refused" or "name"."""

    connection: str
    level: Level
    about: str
    sentence: str


async def check(settings: SmppSettings) -> list[Finding]:
    """Connect, bind, ask whether the centre is there, unbind; return what was found, errors included.

    Never raises for what a network or a centre may do. Receipts and texts that come meanwhile are left to
    the centre, which delivers them again.
    """
    findings = _warnings(settings)
    began = stopwatch()
    try:
        bound = await connect(settings)
    except ConnectError as error:
        error = await explained(settings, error)
        return [Finding(settings.name, Level.ERROR, error.trouble.value, error.message), *findings]
    took = stopwatch() - began
    named = f" named {bound.centre}" if bound.centre else ""
    sentence = (
        f"{settings.where}{named} bound {settings.system_id} as {settings.bind.value} in {1000 * took:.0f} ms"
    )
    findings.insert(0, Finding(settings.name, Level.OK, "bound", sentence))
    link = Link(bound, settings, _not_here, _no_late)
    living = asyncio.get_running_loop().create_task(link.run())
    findings.append(await _round_trip(link, settings))
    await link.close()
    living.cancel()
    with suppress(asyncio.CancelledError):
        await living
    return findings


async def _round_trip(link: Link, settings: SmppSettings) -> Finding:
    """Return how long the centre takes to answer enquire_link."""
    began = stopwatch()
    try:
        await link.enquire()
    except (LinkLostError, NotWrittenError) as error:
        return Finding(settings.name, Level.ERROR, "silent", f"bound, but then: {error.message}")
    sentence = f"the centre answers in {1000 * (stopwatch() - began):.1f} ms"
    return Finding(settings.name, Level.OK, "answers", sentence)


async def _not_here(_: DeliverSm) -> int:
    """Refuse for now whatever is delivered during a check."""
    return Status.TEMPORARY_APPLICATION_ERROR


async def _no_late(_message: object, _message_id: str) -> None:
    """Ignore answers to submissions; a check makes none."""


def _warnings(settings: SmppSettings) -> list[Finding]:
    """Return what can be said without asking the centre."""
    found = []
    if not settings.tls and settings.password and not _is_local(settings.host):
        sentence = f"the password goes to {settings.host} in clear; use tls, or a private line"
        found.append(Finding(settings.name, Level.WARNING, "clear", sentence))
    if len(settings.password) > _LONGEST_PASSWORD:
        length = len(settings.password)
        sentence = f"the password has {length} characters; SMPP 3.4 allows 8, and some centres cut it"
        found.append(Finding(settings.name, Level.WARNING, "password", sentence))
    try:
        source_of(settings.sender, settings)
    except InvalidInputError as error:
        sentence = f"{error.message}: texts that bring no sender of their own are not sent; correct sender"
        found.append(Finding(settings.name, Level.WARNING, "sender", sentence))
    if settings.bind is BindType.TRANSMITTER and settings.receipts:
        sentence = "a transmitter hears no receipts and no texts; a receiver connection must hear them"
        found.append(Finding(settings.name, Level.WARNING, "transmitter", sentence))
    return found


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
