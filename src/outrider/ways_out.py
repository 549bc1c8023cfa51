"""The ways out that the settings name, in words; how each is tried; and what workers watch of them.

Part of the composition root: `background.py` gives the watches to its worker, `app.py` the checks to pages.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress

from outrider import adapters
from outrider.channel_reports.checking import ChannelChecks
from outrider.channel_reports.model import Kind, Way
from outrider.channels.email import check as mail_check
from outrider.channels.email.findings import Level as MailLevel
from outrider.channels.email.smtp import SmtpChannel
from outrider.channels.media_servers import MediaServers
from outrider.channels.simulated.client import CarrierAddress, TcpCarrier
from outrider.channels.sms import check as sms_check
from outrider.channels.sms.channel import SmppChannel
from outrider.clock import RealClock
from outrider.db.database import Database
from outrider.db.sealed import Sealer
from outrider.errors import ChannelError, NotFoundError
from outrider.fleet import AsteriskFleet, check_server
from outrider.media import service as media
from outrider.media.checking import Finding, Level
from outrider.media.port_findings import joined
from outrider.runtime.channel_keeper import ChannelKeeper, Watch
from outrider.runtime.performer import Channels
from outrider.runtime.watches import CarrierWatch, MailWatch, MediaWatch, SpeechWatch, TextWatch
from outrider.settings import Settings
from outrider.speech import service as speech
from outrider.speech.check import SpeechCheck

PATIENCE = 2.0
"""Seconds that a carrier or bounce listener has for its greeting."""

MAIL_LEVELS = {MailLevel.GOOD: Level.OK, MailLevel.WARNING: Level.WARNING, MailLevel.PROBLEM: Level.ERROR}


def configured_ways(settings: Settings) -> tuple[Way, ...]:
    """Return every way out that the settings name, or could name; secrets are named, never shown."""
    carrier, bounces = settings.carrier.address, settings.email.bounces
    simulated = f"Simulated, by the process at {carrier}" if carrier else "Simulated, inside this process"
    ways = [Way(Kind.CARRIER, Kind.CARRIER, "Carrier", simulated)]
    ways += [
        Way(
            f"{Kind.SMS}.{each.name}",
            Kind.SMS,
            each.name,
            f"{each.host}:{each.port} as {each.system_id}, {each.bind}{', over TLS' if each.tls else ''}",
        )
        for each in settings.sms.connections
    ]
    if not settings.sms.connections:
        none = "No message centre: texts wait until one is in the settings (sms.connections)"
        ways.append(Way(Kind.SMS, Kind.SMS, "Text messages", none, checkable=False))
    ways.append(Way(Kind.EMAIL, Kind.EMAIL, "Mail server", _mail(settings), bool(settings.email.host)))
    if bounces.domain:
        where = f"{bounces.protocol.upper()} at {bounces.host}:{bounces.port} for {bounces.domain}"
        ways.append(Way(Kind.BOUNCES, Kind.BOUNCES, "Bounce listener", where))
    names = ", ".join(sorted(settings.webhooks.secrets)) or "none"
    ways.append(
        Way(Kind.WEBHOOKS, Kind.WEBHOOKS, "Webhooks", f"Secrets for headers: {names}", checkable=False)
    )
    return tuple(ways)


def make_channel_checks(
    settings: Settings, database: Database, sealer: Sealer, speaking: SpeechCheck
) -> ChannelChecks:
    """Return what pages and API show and try."""

    async def run(key: str) -> tuple[Finding, ...]:
        kind, _, name = key.partition(".")
        if kind == Kind.MEDIA and name.isdecimal():
            return await try_media_server(database, sealer, int(name))
        if kind == Kind.SPEECH and name.isdecimal():
            return await speaking.run(await database.read(speech.server, int(name)))
        if key == Kind.CARRIER:
            return await try_carrier(settings)
        if key == Kind.EMAIL and settings.email.host:
            return await try_mail(settings)
        if key == Kind.BOUNCES and settings.email.bounces.domain:
            return await try_bounces(settings)
        if kind == Kind.SMS:
            return await try_sms(settings, name)
        raise NotFoundError(f"there is no channel {key!r} that could be tried")

    return ChannelChecks(configured_ways(settings), run)


def make_keeper(
    settings: Settings,
    database: Database,
    sealer: Sealer,
    channels: Channels,
    fleet: AsteriskFleet,
    mail_trouble: Callable[[], str],
    speaking: SpeechCheck | None,
) -> ChannelKeeper:
    """Return what a worker tells of its ways out. `mail_trouble` says why mail does not go out now."""
    watches: list[Watch] = [MediaWatch(database, sealer, fleet.seen, check_server)]
    carrier = channels.voice.fallback if isinstance(channels.voice, MediaServers) else None
    watches.append(CarrierWatch(lambda: carrier.trouble if isinstance(carrier, TcpCarrier) else ""))
    if isinstance(channels.mail, SmtpChannel):
        watches.append(MailWatch(lambda: try_mail(settings), mail_trouble))
    if isinstance(channels.text, SmppChannel):
        watches.append(TextWatch(channels.text.connections))
    if speaking is not None:
        watches.append(SpeechWatch(database, speaking.run))
    return ChannelKeeper(database, watches)


async def try_media_server(database: Database, sealer: Sealer, server_id: int) -> tuple[Finding, ...]:
    """Try a registered media server, and look whether calls can come to it. NotFoundError."""
    connection = await database.read(media.connection, sealer, server_id)
    ports = await database.read(media.port_findings)
    return joined(await check_server(connection), ports.get(connection.id, ()))


async def try_carrier(settings: Settings) -> tuple[Finding, ...]:
    """Greet the process of the simulated carrier; the one inside this process needs no trying."""
    if not settings.carrier.address:
        inside = "the simulated carrier is inside this process: calls are made up, and nobody is called"
        return (Finding(Level.OK, "carrier", inside),)
    address, _, port = settings.carrier.address.rpartition(":")
    where = CarrierAddress(
        address or "127.0.0.1", int(port), f"check-{secrets.token_hex(4)}", timeout=PATIENCE
    )
    probe = TcpCarrier(where)
    try:
        await probe.open(lambda _: None)
    except ChannelError as error:
        return (Finding(Level.ERROR, "carrier", error.message),)
    await probe.close()
    there = f"the carrier at {settings.carrier.address} answers: calls are made up, and nobody is called"
    return (Finding(Level.OK, "carrier", there),)


async def try_mail(settings: Settings) -> tuple[Finding, ...]:
    """Try the mail server as `outrider mail check` does."""
    channel = adapters.make_mail(settings, RealClock())
    if not isinstance(channel, SmtpChannel):
        return ()
    found = await mail_check.check(channel.settings)
    return tuple(Finding(MAIL_LEVELS[each.level], each.step, each.message) for each in found)


async def try_sms(settings: Settings, name: str) -> tuple[Finding, ...]:
    """Try a connection to a message centre as `outrider sms check` does. NotFoundError."""
    for each in adapters.sms_connections(settings):
        if each.name == name:
            found = await sms_check.check(each)
            return tuple(Finding(Level(one.level.value), one.about, one.sentence) for one in found)
    raise NotFoundError(f"sms.connections: there is no connection {name!r}")


async def try_bounces(settings: Settings) -> tuple[Finding, ...]:
    """Connect to the bounce listener as the mail server would, and hear its greeting."""
    bounces = settings.email.bounces
    where = f"{bounces.host}:{bounces.port}"
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(bounces.host, bounces.port)
            greeting = await reader.readline()
    except (OSError, TimeoutError) as error:
        reason = getattr(error, "strerror", None) or "no answer in time"
        message = (
            f"the bounce listener at {where} does not answer ({reason}): is `outrider serve` running there?"
        )
        return (Finding(Level.ERROR, "bounces", message),)
    with suppress(OSError):
        writer.close()
        await writer.wait_closed()
    if not greeting.startswith(b"220"):
        message = f"what answers at {where} is no bounce listener: another program has that port"
        return (Finding(Level.ERROR, "bounces", message),)
    return (Finding(Level.OK, "bounces", f"bounces are taken at {where}"),)


def _mail(settings: Settings) -> str:
    email = settings.email
    if not email.host:
        return "No mail server: email tasks wait until one is in the settings (email.host)"
    tls = {"none": "in clear", "starttls": "STARTTLS", "implicit": "TLS"}[email.tls]
    user = f" as {email.username}" if email.username else ""
    return f"{email.host}:{email.port}{user}, {tls}"
