"""One frozen tree of settings: TOML file < `OUTRIDER_` environment < command-line flags.

`app.py` and `cli/` read it once at start and hand the parts on. Nested names in the environment are
joined by two underscores: `OUTRIDER_SERVER__PORT=9000`. Secrets are never shown.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from outrider.errors import InvalidInputError, StoreError


class Section(BaseModel):
    """A part of the settings: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Section):
    """Where the web server listens. Loopback unless told otherwise."""

    host: str = "127.0.0.1"
    port: int = Field(8088, ge=0, le=65535)
    public_url: str = ""
    """Address under which browsers and mail recipients reach us; default http://host:port."""
    secure_cookies: bool = False


class ClockSettings(Section):
    """Which time the system lives in. `speed` other than 1 is for demos and tests."""

    speed: float = Field(1.0, gt=0, le=10_000)
    anchor: AwareDatetime | None = None
    """Aware time at which scaled time and real time are equal; default: the start of the process."""


class CarrierSettings(Section):
    """The simulated carrier: in our own process, or one that `outrider carrier serve` runs."""

    address: str = ""
    """host:port of a carrier process; empty: embedded."""
    seed: int = 1
    profiles: Path | None = None
    maximum_ports: int | None = Field(None, ge=1)


class DkimSettings(Section):
    """The signature of our mails (RFC 6376). Without a domain they are not signed."""

    domain: str = ""
    selector: str = ""
    key_file: Path | None = None


class RateSettings(Section):
    """How fast mail goes to one recipient domain, in messages per second, and over how many connections."""

    default: float | None = Field(None, gt=0)
    domains: dict[str, float] = Field(default_factory=dict)
    connections: int | None = Field(None, ge=1)


class BounceSettings(Section):
    """Where we take bounces: a listener for the mail server's deliveries to the bounce domain."""

    domain: str = ""
    """Mails get envelope senders in this domain; empty: bounces are not taken."""
    host: str = "127.0.0.1"
    port: int = Field(8024, ge=0, le=65535)
    protocol: Literal["lmtp", "smtp"] = "lmtp"
    largest: int = Field(16_777_216, ge=1)
    """Bytes of the largest mail that is taken."""


class EmailSettings(Section):
    """The SMTP server that mail is handed to. Without a host, email tasks wait."""

    host: str = ""
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["none", "starttls", "implicit"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    domain: str = "localhost"
    """Domain of our Message-IDs and EHLO."""
    connections: int = Field(4, ge=1, le=100)
    messages_per_connection: int = Field(500, ge=1)
    timeout: float = Field(30.0, gt=0)
    ca_file: Path | None = None
    """Certificates to trust in place of the system's."""
    envelope_sender: str = ""
    """Where bounces go when there is no bounce domain; default: to the sender of each mail."""
    missing: str = ""
    """What stands in a mail for an attribute without value or default."""
    attachments_folder: Path | None = None
    """Default: `attachments` in the data folder."""
    largest_attachments: int = Field(10_485_760, ge=0)
    """Bytes of all attachments of one mail."""
    dkim: DkimSettings = DkimSettings()
    rates: RateSettings = RateSettings()
    bounces: BounceSettings = BounceSettings()


class SmsConnectionSettings(Section):
    """One account at a message centre (SMPP 3.4). Times are seconds."""

    name: str
    host: str
    port: int = Field(2775, ge=1, le=65535)
    system_id: str
    password: SecretStr = SecretStr("")
    system_type: str = ""
    bind: Literal["transceiver", "transmitter", "receiver"] = "transceiver"
    tls: bool = False
    ca_file: Path | None = None
    window: int = Field(10, ge=1, le=10_000)
    """Submissions that may wait for their answers."""
    rate: float | None = Field(None, gt=0)
    """Messages per second; none: as fast as the window allows."""
    priority: int = Field(5, ge=1, le=10)
    """10 is used first."""
    sender: str = ""
    source_ton: int | None = Field(None, ge=0, le=255)
    source_npi: int | None = Field(None, ge=0, le=255)
    long_messages: Literal["udh", "payload"] = "udh"
    receipts: bool = True
    timeout: float = Field(30.0, gt=0)


class SmsSettings(Section):
    """The message centres that texts are handed to. Without any, SMS tasks wait."""

    connections: tuple[SmsConnectionSettings, ...] = ()


class WebhookSettings(Section):
    """What webhook actions of strategies may use: header values that stand in no document."""

    secrets: dict[str, SecretStr] = Field(default_factory=dict)


class MediaSettings(Section):
    """What all media servers (Asterisk) have in common."""

    sounds: str = "sound:"
    """Put before the names of audio files, such as `sound:/var/lib/outrider/sounds/`."""


class SpeechEngineSettings(Section):
    """What speech servers may use on this machine; the servers themselves are in the registry."""

    prompts_folder: Path | None = None
    """Where spoken prompts are kept; media servers must be able to read it. Default: `prompts` in the data
    folder."""
    prompts_seen_as: str = ""
    """The same folder as media servers see it; empty: by the same path."""
    sounds_folder: Path | None = None
    """Where audio files of strategies are; none: media servers have their own."""
    sounds_seen_as: str = ""
    largest_cache: int = Field(1_000_000_000, ge=1_000_000)
    parallel: int = Field(2, ge=1)
    most_waiting: int = Field(1000, ge=1)
    timeout: float = Field(15.0, gt=0)
    espeak: str = "espeak-ng"
    """The espeak-ng program, with its first arguments if it needs any."""
    commands: dict[str, str] = Field(default_factory=dict)
    """Other programs that speak, by name: `{text}`, `{voice}` and `{out}` stand in their words."""
    secrets: dict[str, SecretStr] = Field(default_factory=dict)
    """Authorization headers of web services that speak, by name."""
    decoders: int = Field(2, ge=1)
    """Utterances that are recognised at the same time."""


class LicenceServerSettings(Section):
    """The licence server that authorises this platform. Without a URL: the one embedded in this process."""

    url: str = ""
    client: str = ""
    token: SecretStr = SecretStr("")
    public_key: Path | None = None
    """The server's own public key: answers that it did not sign are not believed."""
    ca_file: Path | None = None
    """Certificates to trust in place of the system's."""
    minimum_version: str = ""
    """The oldest protocol that is accepted; default: the oldest that this release knows to be safe."""
    timeout: float = Field(10.0, gt=0)
    insecure: bool = False
    """Allow plain HTTP over a network that something else protects."""


class PollSettings(Section):
    """How often the licence server is asked. Times are seconds."""

    every: float = Field(60.0, gt=0)
    jitter: float = Field(0.1, ge=0, lt=1)
    """Part of `every` by which each wait differs at random."""
    stale_after: float = Field(600.0, gt=0)
    """Without a good poll for so long, the grace period begins, counted from the last good one."""


class AlarmSettings(Section):
    """Where alarms are posted, beside the pages, the log and the metrics."""

    webhook: str = ""
    secret: SecretStr = SecretStr("")
    """Signs the posts (Standard Webhooks); empty: unsigned."""
    timeout: float = Field(10.0, gt=0)


class LicenceSettings(Section):
    """How licences are shared (licensing.md 3 to 5). Times are seconds."""

    idle_after: float = Field(60.0, gt=0)
    minimum_hold: float = Field(0.0, ge=0)
    coalesce: float = Field(0.02, ge=0, le=1)
    """Real seconds within which commands are answered by one recalculation."""
    file: Path | None = None
    """A signed licence file to be loaded at the start."""
    public_key: Path | None = None
    host_id: str = ""
    server: LicenceServerSettings = LicenceServerSettings()
    poll: PollSettings = PollSettings()


class WorkerSettings(Section):
    """How this process dials. Times are real seconds."""

    enabled: bool = True
    batch: int = Field(50, ge=1, le=1000)
    lease: float = Field(15.0, gt=0)
    poll: float = Field(1.0, gt=0)
    result_delay: float = Field(0.05, ge=0)
    originations_in_flight: int = Field(200, ge=1)


class DesktopSettings(Section):
    """How the Agent Web API treats desktops. Times are real seconds."""

    desktop_patience: float = Field(10.0, ge=0)
    """How long a desktop may be away before its session counts as not connected."""
    slow_reader: float = Field(10.0, gt=0)
    """How long one notification may wait to be read before the desktop is disconnected."""


class Settings(BaseSettings):
    """The whole tree. `data_folder` holds the database, uploads and reject files by default."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="OUTRIDER_", env_nested_delimiter="__"
    )

    data_folder: Path = Path("outrider-data")
    database: str = ""
    """SQLite or PostgreSQL URL; default: outrider.db in the data folder."""
    secret_key: SecretStr = SecretStr("")
    """Seals stored passwords of other systems; default: a key file made in the data folder."""
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    server: ServerSettings = ServerSettings()
    clock: ClockSettings = ClockSettings()
    carrier: CarrierSettings = CarrierSettings()
    email: EmailSettings = EmailSettings()
    sms: SmsSettings = SmsSettings()
    webhooks: WebhookSettings = WebhookSettings()
    media: MediaSettings = MediaSettings()
    speech: SpeechEngineSettings = SpeechEngineSettings()
    licences: LicenceSettings = LicenceSettings()
    alarms: AlarmSettings = AlarmSettings()
    worker: WorkerSettings = WorkerSettings()
    agents: DesktopSettings = DesktopSettings()

    toml_file: ClassVar[Path | None] = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, which wins over the file."""
        file = (TomlConfigSettingsSource(settings_cls, cls.toml_file),) if cls.toml_file else ()
        return (init_settings, env_settings, *file)

    @property
    def database_url(self) -> str:
        """Return the URL of the database, the default one filled in."""
        return self.database or f"sqlite:///{self.data_folder / 'outrider.db'}"

    def make_data_folder(self) -> None:
        """Create the data folder unless it exists. StoreError when that is not possible."""
        try:
            self.data_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"data folder {self.data_folder}: cannot be made: {error.strerror}") from None

    @property
    def public_url(self) -> str:
        """Return the address that links in pages and mails begin with, without a final slash."""
        return (self.server.public_url or f"http://{self.server.host}:{self.server.port}").rstrip("/")


def load_settings(file: Path | None = None, flags: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings. InvalidInputError names the file or variable, the field and what is wrong."""
    if file is not None and not file.is_file():
        raise InvalidInputError(f"settings: there is no file {file}")

    class FromFile(Settings):
        toml_file: ClassVar[Path | None] = file

    try:
        return FromFile(**(flags or {}))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        variable = "OUTRIDER_" + "__".join(str(part) for part in first["loc"]).upper()
        raise InvalidInputError(
            f"settings: {place}: {first['msg']} (from {file or 'the environment'} or {variable})"
        ) from None
    except ValueError as error:
        raise InvalidInputError(f"settings: {file or 'environment'}: {error}") from None
