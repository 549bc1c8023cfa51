"""Where and how mail is handed over: checked on construction, the password never shown.

The composition root makes one from the configuration; `smtp` uses it.
"""

import enum
import ipaddress
import re
from dataclasses import dataclass, field

from outrider.channels.email.attachments import LARGEST_TOTAL
from outrider.channels.email.rates import RateSettings
from outrider.errors import InvalidInputError

_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_HIGHEST_PORT = 65535


def is_domain(text: str) -> bool:
    """Return whether a text is a domain name in ASCII."""
    return bool(_DOMAIN.fullmatch(text))


class Tls(enum.StrEnum):
    """How the connection is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    """Begins in clear and must be upgraded before anything else; never falls back."""
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class DkimSettings:
    """Who signs our messages (RFC 6376): the key's TXT record is at `selector`._domainkey.`domain`.

    `key_file` holds a private key as PEM, RSA or Ed25519; `outrider mail dkim-key` makes one. The domain
    should be the one of the senders, or one above it, for DMARC. InvalidInputError names the field.
    """

    domain: str
    selector: str
    key_file: str

    def __post_init__(self) -> None:
        """Check what can be checked without reading the key."""
        for name, value in (("domain", self.domain), ("selector", self.selector)):
            if not is_domain(value):
                message = f"smtp.dkim.{name}: {value!r} is not a domain name"
                raise InvalidInputError(message, where=f"smtp.dkim.{name}")
        if not self.key_file:
            raise InvalidInputError("smtp.dkim.key_file: no file is named", where="smtp.dkim.key_file")


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """A mail server (submission or relay). InvalidInputError on construction names the field.

    `timeout` is seconds for each step; `domain` is the right side of our Message-IDs and our name in EHLO.
    """

    host: str
    port: int
    domain: str
    tls: Tls = Tls.STARTTLS
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    connections: int = 4
    timeout: float = 30.0
    messages_per_connection: int = 500
    envelope_sender: str | None = None
    """Where bounces of messages without an own envelope sender go; None: to each message's sender."""
    ca_file: str | None = None
    """Certificates to trust in place of the system's."""
    missing: str = ""
    """What stands in a message for an attribute that the contact does not have."""
    dkim: DkimSettings | None = None
    rates: RateSettings = field(default_factory=RateSettings)
    largest_attachments: int = LARGEST_TOTAL
    """Bytes of all attachments of one message, before encoding."""

    def __post_init__(self) -> None:
        """Check everything that can be checked without asking the server."""
        self._require(bool(self.host) and not re.search(r"[\s\x00-\x1f]", self.host), "host", "is not a host")
        self._require(0 < self.port <= _HIGHEST_PORT, "port", "must be from 1 to 65535")
        self._require(is_domain(self.domain), "domain", "is not a domain name")
        self._require(self.connections > 0, "connections", "must be at least 1")
        self._require(self.timeout > 0, "timeout", "must be greater than 0 seconds")
        self._require(self.messages_per_connection > 0, "messages_per_connection", "must be at least 1")
        self._require(self.largest_attachments >= 0, "largest_attachments", "must be at least 0")
        if (self.username is None) != (self.password is None):
            raise InvalidInputError("smtp: username and password belong together", where="smtp.username")
        if self.password is not None and self.tls is Tls.NONE and not self._is_local():
            message = f"smtp: the password would go to {self.host} in clear; use tls starttls or implicit"
            raise InvalidInputError(message, where="smtp.tls")

    def _require(self, holds: bool, name: str, complaint: str) -> None:  # noqa: FBT001 - the condition itself
        if not holds:
            value = getattr(self, name)
            raise InvalidInputError(f"smtp.{name}: {value!r} {complaint}", where=f"smtp.{name}")

    def _is_local(self) -> bool:
        """Return whether the server is on this machine, where nobody listens in between."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
