"""Media servers as records: what an administrator configures, what workers see, where calls are placed. Pure.

Every module of the slice uses it; `check` is the judge of what may be configured.
"""

import datetime as dt
import enum
import re
from dataclasses import dataclass, field
from typing import NewType
from urllib.parse import urlsplit

from outrider.errors import InvalidInputError
from outrider.ids import ZoneId

MediaServerId = NewType("MediaServerId", int)

NUMBER_PLACES = ("{number}", "{digits}")
"""Where the trunk template takes the number that is called: as dialled (+4930...), or without the plus."""

LARGEST_PORTS, LARGEST_WEIGHT, FASTEST = 100_000, 1_000, 1_000
LONGEST_NAME, LONGEST_URL, LONGEST_FIELD, LONGEST_SECRET = 80, 300, 120, 200
FORBIDDEN_IN_NAMES = frozenset(",'\\<>()\"&?+=:!/")
"""As in the names of zones: names go into addresses, logs and messages as they are."""

_APP = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_CALLER_ID = re.compile(r"[0-9+*#A-Za-z_. -]{0,40}")


class Driver(enum.StrEnum):
    """How a media server is spoken to."""

    ASTERISK = "asterisk"


class SeenAs(enum.StrEnum):
    """What one worker says of its connection to a media server, in the words that drivers use."""

    CONNECTED = "connected"
    CONNECTING = "connecting"
    """Trying, or trying again after a break: no verdict yet."""
    GONE = "gone"
    """No process listens there: whatever calls it had are over."""
    UNREACHABLE = "unreachable"
    """No answer: its calls may still be up."""
    REFUSED = "refused"
    """It answers, but not to us: credentials, version, interface switched off."""


class Health(enum.StrEnum):
    """What the system holds of a media server (health.py)."""

    NEW = "new"
    """Never connected since it was registered or its address changed: it has no ports yet."""
    CONNECTED = "connected"
    FAILED = "failed"


class Standing(enum.StrEnum):
    """Where a media server stands: only one in service has ports."""

    IN_SERVICE = "in_service"
    DRAINING = "draining"
    DISABLED = "disabled"
    NEW = "new"
    FAILED = "failed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Report:
    """What one worker sees of one media server now; `version` is what the server says of itself."""

    server_id: MediaServerId
    seen_as: SeenAs
    message: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an administrator configures. `secret` is plain here, and never shown.

    `trunk` is the dial string with {number} or {digits} in it; without `originations_per_second` as many
    calls begin as come.
    """

    name: str
    url: str
    username: str
    secret: str = field(repr=False)
    zone: str = "default"
    driver: Driver = Driver.ASTERISK
    app: str = "outrider"
    trunk: str = "PJSIP/{number}@trunk"
    caller_id: str = ""
    maximum_ports: int = 100
    weight: int = 1
    originations_per_second: float | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaServer:
    """One registered media server, without its secret. Ports are counted; times are aware UTC."""

    id: MediaServerId
    name: str
    zone_id: ZoneId | None
    zone: str
    driver: Driver
    url: str
    username: str
    app: str
    trunk: str
    caller_id: str
    maximum_ports: int
    weight: int
    originations_per_second: float | None
    enabled: bool
    draining: bool
    health: Health
    health_at: dt.datetime | None
    message: str
    version: str
    revision: int
    quota: int
    granted: int
    in_use: int
    created_at: dt.datetime
    retired_at: dt.datetime | None

    @property
    def standing(self) -> Standing:
        """Return where the server stands; what was decided by people comes before what was seen."""
        if self.retired_at is not None:
            return Standing.REMOVED
        if not self.enabled:
            return Standing.DISABLED
        if self.draining:
            return Standing.DRAINING
        by_health = {Health.NEW: Standing.NEW, Health.FAILED: Standing.FAILED}
        return by_health.get(self.health, Standing.IN_SERVICE)


@dataclass(frozen=True, slots=True)
class ZonePorts:
    """One zone with its media servers: `ports` is what they share."""

    name: str
    ports: int
    servers: tuple[MediaServer, ...]

    @property
    def in_use(self) -> int:
        """Return how many ports are in use."""
        return sum(each.in_use for each in self.servers)

    @property
    def unused(self) -> int:
        """Return the ports that no server has: none is in service, or all are at their maximum."""
        return max(0, self.ports - sum(each.quota for each in self.servers))


@dataclass(frozen=True, slots=True)
class Connection:
    """All that a worker or a check needs to speak to a media server, its secret in the clear.

    `revision` grows with every change of the configuration: connect anew when it differs. A server that
    is not `wanted` any more (disabled, removed) is listed as long as calls of ours are up on it.
    """

    id: MediaServerId
    name: str
    driver: Driver
    url: str
    username: str
    secret: str = field(repr=False)
    app: str
    trunk: str
    caller_id: str
    revision: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """One call's place: the media server whose port was charged for it."""

    server_id: MediaServerId
    server: str


@dataclass(frozen=True, slots=True)
class Placed:
    """What a zone had for a batch of calls. `bound` says why there were fewer placements than wanted.

    "" nothing, "ports" all granted ports are in use, "rate" originations per second (then `again_at` is when
    to ask again), "server" no media server of the zone is in service.
    """

    placements: tuple[Placement, ...]
    bound: str = ""
    again_at: dt.datetime | None = None


def check(plan: Plan) -> None:
    """Raise InvalidInputError, which names the field, for a plan that cannot be registered."""
    _text("name", plan.name, LONGEST_NAME)
    wrong = FORBIDDEN_IN_NAMES.intersection(plan.name)
    if wrong:
        raise InvalidInputError(f"name: {' '.join(sorted(wrong))} cannot be in a name", where="name")
    _text("username", plan.username, LONGEST_FIELD)
    _text("secret", plan.secret, LONGEST_SECRET)
    _url(plan.url)
    if not _APP.fullmatch(plan.app):
        raise InvalidInputError("app: use letters, digits, dots, dashes and underscores", where="app")
    _text("trunk", plan.trunk, LONGEST_URL)
    rest = plan.trunk
    for place in NUMBER_PLACES:
        rest = rest.replace(place, "")
    if sum(plan.trunk.count(place) for place in NUMBER_PLACES) != 1 or "{" in rest:
        raise InvalidInputError(
            f"trunk: say once where the number goes, as in PJSIP/{NUMBER_PLACES[0]}@trunk", where="trunk"
        )
    if not _CALLER_ID.fullmatch(plan.caller_id):
        raise InvalidInputError("caller_id: give a phone number, as +493012345678", where="caller_id")
    _between("maximum_ports", plan.maximum_ports, 1, LARGEST_PORTS)
    _between("weight", plan.weight, 1, LARGEST_WEIGHT)
    if plan.originations_per_second is not None:
        _between("originations_per_second", plan.originations_per_second, 0.1, FASTEST)


def _text(where: str, value: str, longest: int) -> None:
    if not value.strip() or value != value.strip() or len(value) > longest or not value.isprintable():
        raise InvalidInputError(
            f"{where}: give 1 to {longest} printable characters without blanks around them", where=where
        )


def _between(where: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise InvalidInputError(f"{where}: {value:g} is not between {least:g} and {most:g}", where=where)


def _url(url: str) -> None:
    _text("url", url, LONGEST_URL)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        usable, parts = False, urlsplit("")
    if not usable or parts.query or parts.fragment:
        raise InvalidInputError(
            "url: give the address of the server's HTTP interface, as http://10.0.0.5:8088", where="url"
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError("url: user and password have fields of their own", where="url")
