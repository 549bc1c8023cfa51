"""One connection to a message centre: checked on construction, the password never shown.

The composition root makes them from the configuration; `channel`, `session` and `check` use them.
"""

import enum
import re
from dataclasses import dataclass, field

from outrider.channels.sms.bodies import BindType
from outrider.channels.sms.segments import ReferenceSize
from outrider.errors import InvalidInputError

_HIGHEST_PORT = 65535
_LONGEST_SYSTEM_ID = 15
_LONGEST_PASSWORD = 64
_LONGEST_SYSTEM_TYPE = 12
_HIGHEST_NUMBER_TYPE = 255
_HIGHEST_PRIORITY = 10
_MOST_WINDOW = 10_000
_LONGEST_SENDER = 20


class LongMessages(enum.StrEnum):
    """How a text that needs several segments is handed over."""

    UDH = "udh"
    """Cut by us, each part with a user data header: every centre takes it, each part has its receipt."""
    PAYLOAD = "payload"
    """Whole, as message_payload: the centre cuts it, and gives one id and one receipt."""


@dataclass(frozen=True, slots=True)
class SmppSettings:
    """An account at a message centre. InvalidInputError on construction names the field.

    Times are seconds, `rate` messages per second (None: as fast as the window allows), `window` how many
    submissions may wait for their answers, `priority` 1 to 10, 10 used first.
    """

    name: str
    host: str
    port: int
    system_id: str
    password: str = field(default="", repr=False)
    system_type: str = ""
    bind: BindType = BindType.TRANSCEIVER
    tls: bool = False
    ca_file: str | None = None
    """Certificates to trust in place of the system's."""
    window: int = 10
    rate: float | None = None
    priority: int = 5
    sender: str = ""
    """Who a text is from when it does not say itself: a number, a short code or a name."""
    source_ton: int | None = None
    """Type of number of all senders; None tells names, short codes and numbers apart."""
    source_npi: int | None = None
    destination_ton: int = 1
    destination_npi: int = 1
    long_messages: LongMessages = LongMessages.UDH
    reference_size: ReferenceSize = ReferenceSize.BITS_8
    receipts: bool = True
    """False for a centre that refuses to be asked for receipts."""
    connect_timeout: float = 10.0
    response_timeout: float = 30.0
    enquire_interval: float = 30.0
    """How long a connection may be silent before it is asked whether it is still there."""
    reconnect_first: float = 1.0
    reconnect_longest: float = 60.0
    throttle_patience: float = 60.0
    """How long a text that a centre refuses for going too fast is offered again."""

    def __post_init__(self) -> None:
        """Check everything that can be checked without asking the centre."""
        self._require(bool(re.fullmatch(r"[A-Za-z0-9._-]{1,40}", self.name)), "name", "is not a plain name")
        bad_host = not self.host or re.search(r"[\s\x00-\x1f/]", self.host) is not None
        self._require(not bad_host, "host", "is not a host")
        self._require(0 < self.port <= _HIGHEST_PORT, "port", "must be from 1 to 65535")
        self._text("system_id", _LONGEST_SYSTEM_ID, shortest=1)
        self._text("password", _LONGEST_PASSWORD)
        self._text("system_type", _LONGEST_SYSTEM_TYPE)
        self._text("sender", _LONGEST_SENDER + 1)
        self._require(1 <= self.window <= _MOST_WINDOW, "window", f"must be from 1 to {_MOST_WINDOW:,}")
        self._require(self.rate is None or self.rate > 0, "rate", "must be greater than 0 per second")
        self._require(1 <= self.priority <= _HIGHEST_PRIORITY, "priority", "must be from 1 to 10")
        for name in ("source_ton", "source_npi", "destination_ton", "destination_npi"):
            value = getattr(self, name)
            within = value is None or 0 <= value <= _HIGHEST_NUMBER_TYPE
            self._require(within, name, "must be from 0 to 255")
        for name in ("connect_timeout", "response_timeout", "enquire_interval", "reconnect_first"):
            self._require(getattr(self, name) > 0, name, "must be greater than 0 seconds")
        longest = self.reconnect_longest >= self.reconnect_first
        self._require(longest, "reconnect_longest", "must not be less than reconnect_first")
        self._require(self.throttle_patience >= 0, "throttle_patience", "must not be negative")

    @property
    def where(self) -> str:
        """Return the connection in words, for messages: its name and its address."""
        return f"the message centre {self.name} at {self.host}:{self.port}"

    @property
    def submits(self) -> bool:
        """Return whether texts can be submitted over it."""
        return self.bind is not BindType.RECEIVER

    def _text(self, name: str, longest: int, shortest: int = 0) -> None:
        value = getattr(self, name)
        fits = shortest <= len(value) <= longest and value.isascii() and value.isprintable()
        shown = "" if name == "password" else f"{value!r} "
        if not fits:
            message = (
                f"sms.{self.name}.{name}: {shown}must have {shortest} to {longest} plain ASCII characters"
            )
            raise InvalidInputError(message, where=f"sms.{self.name}.{name}")

    def _require(self, holds: bool, name: str, complaint: str) -> None:  # noqa: FBT001 - the condition itself
        if not holds:
            message = f"sms.{self.name}.{name}: {getattr(self, name)!r} {complaint}"
            raise InvalidInputError(message, where=f"sms.{self.name}.{name}")
