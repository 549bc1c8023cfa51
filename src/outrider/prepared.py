"""A database that is ready for work, and what was found out while making it so.

Part of the composition root: `app.py`, `background.py`, the command line and the demo begin with `prepare`.
"""

import secrets as random
from dataclasses import dataclass

import structlog

from outrider import adapters
from outrider.clock import Clock, RealClock, ScaledClock
from outrider.db import secret_store
from outrider.db.database import Database, Tx
from outrider.db.migrate import upgrade
from outrider.db.sealed import Sealer
from outrider.errors import InvalidInputError
from outrider.licences import division_store
from outrider.licences.service import SharingRules
from outrider.people import passwords
from outrider.people import service as people
from outrider.settings import Settings
from outrider.supply import host
from outrider.supply import service as supply

log = structlog.get_logger(__name__)

UNSUBSCRIBE_SECRET = "unsubscribe"  # noqa: S105 - its name, not its value
INSTALLATION = "installation"
SECRET_BYTES = 32


@dataclass(frozen=True)
class Prepared:
    """A database that is ready for work, and what was found out while making it so."""

    settings: Settings
    database: Database
    clock: Clock
    rules: SharingRules
    host_id: str
    mail_secret: bytes
    installation: str
    """A random text that is this database's own, which tells it from a copy."""
    sealer: Sealer
    """Seals the secrets of other systems that the database keeps."""
    first_password: str | None
    """The one-time password of the first administrator, when there were no users yet."""


def prepare(settings: Settings) -> Prepared:
    """Open and migrate the database, create what every system has, and load the configured licence file.

    OutriderError says what is wrong with the settings, the database or the licence file.
    """
    settings.make_data_folder()
    clock = make_clock(settings)
    adapters.check_settings(settings, clock)
    database = Database(settings.database_url)
    upgrade(database)
    rules = SharingRules(
        settings.licences.idle_after, settings.licences.minimum_hold, settings.licences.coalesce
    )
    host_id = host.host_id(settings.licences.host_id)
    now = clock.now()
    database.write_now(division_store.ensure_defaults, now)
    password = None
    if not database.read_now(people.has_users):
        password = passwords.new_password()
        hashed = passwords.hash_password(password)
        if database.write_now(people.ensure_administrator, now, hashed) is None:
            password = None
    _load_licence_file(settings, database, rules, host_id, clock)
    secret = database.write_now(secret_store.ensure, UNSUBSCRIBE_SECRET, random.token_bytes(SECRET_BYTES))
    sealer = adapters.make_sealer(settings)
    mark = database.write_now(secret_store.ensure, INSTALLATION, random.token_bytes(SECRET_BYTES))
    return Prepared(settings, database, clock, rules, host_id, secret, mark.hex(), sealer, password)


def make_clock(settings: Settings) -> Clock:
    """Return real time, or the scaled time that the settings ask for."""
    if settings.clock.speed == 1:
        return RealClock()
    return ScaledClock(settings.clock.speed, settings.clock.anchor or RealClock().now())


def _load_licence_file(
    settings: Settings, database: Database, rules: SharingRules, host_id: str, clock: Clock
) -> None:
    """Load the licence file that the settings name, unless that very text is loaded already; then poll."""
    path, key = settings.licences.file, settings.licences.public_key
    if settings.licences.server.url:
        if path is not None:
            raise InvalidInputError(
                "settings: licences.file: a licence server is configured: load the file there instead"
            )
        return
    if path is None:
        database.write_now(supply.poll, rules, host_id, clock.now())
        return
    if key is None:
        raise InvalidInputError("settings: licences.public_key: name the issuer's public key beside the file")
    try:
        text, public_key = path.read_text(encoding="ascii"), key.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"settings: licences: {error}") from None

    def load(tx: Tx) -> None:
        known = {stored.text for _, stored, _ in supply.files(tx)}
        if text.strip() in known:
            supply.poll(tx, rules, host_id, clock.now())
        else:
            supply.load_file(tx, rules, text, public_key, host_id, clock.now(), "settings")

    database.write_now(load)
