"""The adapters that the settings ask for: carrier, mail server, message centres, web services.

Part of the composition root: `app.py` and `cli/` make the program of them, nobody else imports this.
"""

import tomllib
from collections.abc import Mapping

from outrider.channels.base import MailChannel, TextChannel, VoiceChannel
from outrider.channels.email.bounces import BounceListener, BounceSettings, Protocol
from outrider.channels.email.files import AttachmentFiles
from outrider.channels.email.news import MailNewsSink
from outrider.channels.email.rates import RateSettings
from outrider.channels.email.settings import DkimSettings, SmtpSettings, Tls
from outrider.channels.email.smtp import SmtpChannel
from outrider.channels.media_servers import Engines, MediaServers
from outrider.channels.simulated.behaviour import CarrierProfile, parse_profiles
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.client import CarrierAddress, TcpCarrier
from outrider.channels.simulated.embedded import EmbeddedCarrier
from outrider.channels.sms.bodies import BindType
from outrider.channels.sms.channel import SmppChannel
from outrider.channels.sms.connection_settings import LongMessages, SmppSettings
from outrider.clock import Clock
from outrider.db.database import Database
from outrider.db.sealed import Sealer, load_sealer
from outrider.errors import InvalidInputError
from outrider.runtime.alarm_delivery import AlarmDelivery
from outrider.runtime.alarm_delivery import WebhookSettings as AlarmWebhook
from outrider.runtime.mailing import MailComposer
from outrider.runtime.webhooks import WebhookChannel
from outrider.settings import Settings, SmsConnectionSettings
from outrider.speaking import Speech, speech_settings
from outrider.supply.authorisation import LicenceSource
from outrider.supply.server.client import RemoteSettings, RemoteSource
from outrider.supply.server.embedded import EmbeddedSource
from outrider.supply.server.versions import MINIMUM_VERSION


def make_voice(settings: Settings, clock: Clock, controller: str, speech: Speech) -> MediaServers:
    """Return the voice channel: all registered media servers, and the simulated carrier without any."""
    carrier = make_carrier(settings, clock, controller)
    voice = MediaServers(clock, carrier, Engines(speech.speaker, speech.recognizer))

    def doubt() -> None:
        if voice.on_doubt is not None:
            voice.on_doubt()

    if isinstance(carrier, TcpCarrier):
        carrier.on_reconnected = doubt
    return voice


def make_sealer(settings: Settings) -> Sealer:
    """Return what seals stored secrets: by the configured key, or one kept in the data folder."""
    return load_sealer(settings.data_folder, settings.secret_key.get_secret_value())


def make_carrier(settings: Settings, clock: Clock, controller: str) -> VoiceChannel:
    """Return the simulated carrier: a process by address, or the embedded one."""
    carrier = settings.carrier
    if carrier.address:
        address, colon, port = carrier.address.rpartition(":")
        if not colon or not port.isdecimal():
            raise InvalidInputError(f"settings: carrier.address: {carrier.address!r} is not host:port")
        return TcpCarrier(CarrierAddress(address or "127.0.0.1", int(port), controller))
    return EmbeddedCarrier(
        SimulatedCarrier(clock, _profiles(settings), seed=carrier.seed, max_ports=carrier.maximum_ports)
    )


def make_mail(settings: Settings, clock: Clock) -> MailChannel | None:
    """Return the SMTP channel, None when no mail server is configured."""
    email = settings.email
    if not email.host:
        return None
    return SmtpChannel(
        SmtpSettings(
            host=email.host,
            port=email.port,
            domain=email.domain,
            tls=Tls(email.tls),
            username=email.username or None,
            password=email.password.get_secret_value() or None,
            connections=email.connections,
            timeout=email.timeout,
            messages_per_connection=email.messages_per_connection,
            envelope_sender=email.envelope_sender or None,
            ca_file=None if email.ca_file is None else str(email.ca_file),
            missing=email.missing,
            dkim=_dkim(settings),
            rates=RateSettings(email.rates.default, email.rates.domains, email.rates.connections),
            largest_attachments=email.largest_attachments,
        ),
        clock,
    )


def make_mail_composer(settings: Settings, secret: bytes) -> MailComposer:
    """Return what makes mails of claims; `secret` signs the unsubscribe links."""
    email = settings.email
    folder = email.attachments_folder or settings.data_folder / "attachments"
    files = AttachmentFiles(folder, email.largest_attachments)
    return MailComposer(secret, settings.public_url, email.bounces.domain or None, files)


def make_bounce_listener(settings: Settings, clock: Clock, sink: MailNewsSink) -> BounceListener | None:
    """Return the listener for bounces, None when there is no bounce domain."""
    bounces = settings.email.bounces
    if not bounces.domain:
        return None
    protocol = Protocol(bounces.protocol)
    return BounceListener(
        BounceSettings(bounces.domain, bounces.host, bounces.port, protocol, bounces.largest), clock, sink
    )


def make_licence_source(
    settings: Settings, database: Database, clock: Clock, host_id: str, installation: str
) -> LicenceSource:
    """Return where licences come from: the configured server, or the one embedded in this database.

    InvalidInputError names the setting that is missing or wrong.
    """
    server = settings.licences.server
    if not server.url:
        return EmbeddedSource(database, clock, host_id)
    if not server.client or server.public_key is None:
        missing = "client" if not server.client else "public_key"
        raise InvalidInputError(
            f"settings: licences.server.{missing}: is missing; `outrider licences clients add` makes a client"
            " and its token, `outrider licences server-key` prints the public key"
        )
    try:
        public_key = server.public_key.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"settings: licences.server.public_key: {error}") from None
    return RemoteSource(
        RemoteSettings(
            url=server.url,
            client=server.client,
            token=server.token.get_secret_value(),
            public_key=public_key,
            ca_file=server.ca_file,
            minimum_version=server.minimum_version or MINIMUM_VERSION,
            installation=installation,
            timeout=server.timeout,
            insecure=server.insecure,
        )
    )


def make_alarm_delivery(settings: Settings, database: Database, clock: Clock) -> AlarmDelivery:
    """Return what tells of alarms: the log, and the webhook where one is configured."""
    alarms = settings.alarms
    webhook = None
    if alarms.webhook:
        secret = alarms.secret.get_secret_value()
        webhook = AlarmWebhook(alarms.webhook, secret, alarms.timeout)
    return AlarmDelivery(database, clock, webhook)


def check_settings(settings: Settings, clock: Clock) -> None:
    """Make the adapters once for their errors: mistakes are told before anything is written.

    InvalidInputError names the setting. What lies outside the settings (a key file, a server) is tried by the
    worker, and told on the page of the channels.
    """
    make_carrier(settings, clock, "")
    speech_settings(settings)
    make_mail(settings, clock)
    sms_connections(settings)


def _dkim(settings: Settings) -> DkimSettings | None:
    dkim = settings.email.dkim
    if not dkim.domain:
        return None
    if dkim.key_file is None:
        raise InvalidInputError("settings: email.dkim.key_file: name the file of the private key")
    return DkimSettings(dkim.domain, dkim.selector, str(dkim.key_file))


def make_text(settings: Settings, clock: Clock) -> TextChannel | None:
    """Return the channel over all configured message centres, None when there is none."""
    connections = sms_connections(settings)
    return SmppChannel(connections, clock) if connections else None


def sms_connections(settings: Settings) -> tuple[SmppSettings, ...]:
    """Return the configured connections to message centres. InvalidInputError names the field."""
    return tuple(_sms_connection(each) for each in settings.sms.connections)


def make_webhooks(settings: Settings, clock: Clock) -> WebhookChannel:
    """Return the channel of webhook actions, with the secrets that their headers may name."""
    secrets = {name: value.get_secret_value() for name, value in settings.webhooks.secrets.items()}
    return WebhookChannel(clock, secrets)


def _sms_connection(each: SmsConnectionSettings) -> SmppSettings:
    return SmppSettings(
        name=each.name,
        host=each.host,
        port=each.port,
        system_id=each.system_id,
        password=each.password.get_secret_value(),
        system_type=each.system_type,
        bind=BindType(each.bind),
        tls=each.tls,
        ca_file=None if each.ca_file is None else str(each.ca_file),
        window=each.window,
        rate=each.rate,
        priority=each.priority,
        sender=each.sender,
        source_ton=each.source_ton,
        source_npi=each.source_npi,
        long_messages=LongMessages(each.long_messages),
        receipts=each.receipts,
        response_timeout=each.timeout,
    )


def _profiles(settings: Settings) -> Mapping[str, CarrierProfile] | None:
    path = settings.carrier.profiles
    if path is None:
        return None
    try:
        return parse_profiles(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"settings: carrier.profiles: {path}: {error}") from None
