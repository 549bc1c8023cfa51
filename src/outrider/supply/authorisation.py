"""What a licence server tells a platform, and how it can fail to: the border between the two. Pure.

`supply/server/` makes these answers, embedded or over HTTP; the platform manager judges them
(licensing.md 7).
"""

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Protocol

from outrider.errors import OutriderError
from outrider.licences.model import LicenceKind


@dataclass(frozen=True, slots=True)
class Feature:
    """One counted feature as granted to this platform: `count` units until `expires_at` (aware UTC).

    `expires_at` is that of the file which ends first among those that count; the server goes on counting
    a file for its grace (30 days) after that.
    """

    kind: LicenceKind
    count: int
    expires_at: dt.datetime
    version: str = ""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A good answer: who answered, and what this platform may use until `lease_until`.

    No features at all means that the server holds no licence for us (removed, or none was ever loaded).
    `server_time` is what the server's clock said, aware UTC.
    """

    server_id: str
    protocol_version: str
    customer: str
    features: tuple[Feature, ...]
    lease_until: dt.datetime
    server_time: dt.datetime
    message: str = ""


class SourceFault(enum.StrEnum):
    """Why a poll brought no authorisation."""

    UNREACHABLE = "unreachable"
    """No answer: name not found, port closed, timeout, TLS failure."""
    REFUSED = "refused"
    """The server does not accept our client id or token."""
    FORGED = "forged"
    """The answer is not signed by the server's key, or is an old one played again."""
    TOO_OLD = "too_old"
    """The server speaks a protocol older than the configured minimum."""
    BROKEN = "broken"
    """The server answered something that is no authorisation."""


class LicenceSourceError(OutriderError):
    """A poll failed; the message is one sentence that names the server and what to do."""

    code = "licence_source"

    def __init__(self, fault: SourceFault, message: str) -> None:
        super().__init__(message, fault=fault.value)
        self.fault = fault


class LicenceSource(Protocol):
    """Where the platform manager gets its licences: the embedded server, or one over the network."""

    async def poll(self) -> Authorisation:
        """Acquire or renew what this platform may use. Raises LicenceSourceError."""
        ...

    async def close(self) -> None:
        """Close connections; the lease runs on until it ends by itself or is taken up again."""
        ...
