"""How one Asterisk is reached and used: checked on construction, the password never shown.

The composition root makes these from the registry of media servers; the whole package uses them.
"""

import enum
import re
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from outrider.errors import InvalidInputError

_APPLICATION = re.compile(r"[A-Za-z0-9_.-]{1,73}")
"""Asterisk refuses longer names."""
_ARI = "/ari"


class Requests(enum.StrEnum):
    """How requests are sent; events come over a websocket in any case."""

    AUTO = "auto"
    """Over the websocket where the server can (20.14, 21.9, 22.4 and later), else HTTP."""
    WEBSOCKET = "websocket"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class AsteriskSettings:
    """One Asterisk. InvalidInputError on construction names the field; times are real seconds.

    `url` is that of its HTTP server (`http://10.0.0.5:8088`, with or without `/ari`). `trunk` is a dial
    string with `{number}` (as dialled, `+4930...`) or `{digits}` (without the plus) in it.
    """

    name: str
    url: str
    username: str
    password: str = field(repr=False)
    app: str = "outrider"
    """The Stasis application. Several programs on one Asterisk need different ones."""
    controller: str = ""
    """Our name among the workers that share `app`: each has its own application, APP-CONTROLLER."""
    trunk: str = "PJSIP/{number}@trunk"
    caller_id: str = ""
    """The number shown to who is called, where the call has none of its own."""
    amd_context: str = "outrider-amd"
    """The dialplan context that runs AMD(); without it detection is done here, by TALK_DETECT."""
    sounds: str = "sound:"
    """Put before the names of audio files, as `sound:/var/lib/outrider/sounds/`."""
    requests: Requests = Requests.AUTO
    timeout: float = 10.0
    """For connecting, and for the answer to one request."""
    requests_in_flight: int = 64
    silence: float = 15.0
    """A connection on which nothing came for so long, not even the answer to a ping, is given up."""
    shortest_pause: float = 0.1
    longest_pause: float = 5.0

    def __post_init__(self) -> None:
        """Check everything that can be checked without asking the server."""
        parts = self._parts()
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            self._wrong("url", "must be the address of Asterisk's HTTP server, as http://10.0.0.5:8088")
        if not self.username:
            self._wrong("username", "is missing: it is the name of a section of ari.conf")
        if not _APPLICATION.fullmatch(self.application):
            self._wrong("app", "must be letters, digits, dots, dashes and underscores, at most 73")
        if self.trunk.count("{number}") + self.trunk.count("{digits}") != 1:
            self._wrong("trunk", "must say once where the number goes, as PJSIP/{number}@trunk")
        if self.timeout <= 0 or self.requests_in_flight < 1:
            self._wrong("timeout", "and requests_in_flight must be greater than 0")

    @property
    def application(self) -> str:
        """Return the name of our own application."""
        return f"{self.app}-{self.controller}" if self.controller else self.app

    @property
    def http_base(self) -> str:
        """Return the address of ARI without a slash at its end, as http://10.0.0.5:8088/ari."""
        parts = self._parts()
        path = parts.path.rstrip("/").removesuffix(_ARI)
        return f"{parts.scheme}://{parts.netloc}{path}{_ARI}"

    @property
    def websocket_base(self) -> str:
        """Return the address of the HTTP server as a websocket's, without ARI's own part."""
        base = self.http_base.removesuffix(_ARI)
        return "ws" + base.removeprefix("http")

    @property
    def host(self) -> str:
        """Return the host alone."""
        return self._parts().hostname or ""

    @property
    def port(self) -> int:
        """Return the port, which the scheme decides when the address has none."""
        parts = self._parts()
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def connection(self) -> tuple[object, ...]:
        """Return what cannot be changed on a connection that is up."""
        return (
            self.name,
            self.http_base,
            self.username,
            self.password,
            self.application,
            self.requests,
            self.timeout,
            self.requests_in_flight,
            self.silence,
        )

    @property
    def where(self) -> str:
        """Return the place in words: host and port."""
        return f"{self.host}:{self.port}"

    def is_family(self, application: str) -> bool:
        """Return whether an application is one of those that share our `app`."""
        return application == self.app or application.startswith(f"{self.app}-")

    def _parts(self) -> SplitResult:
        try:
            parts = urlsplit(self.url)
            _ = parts.port
        except ValueError:
            self._wrong("url", "is not an address")
        return parts

    def _wrong(self, name: str, complaint: str) -> NoReturn:
        where = f"asterisk.{self.name}.{name}"
        raise InvalidInputError(f"{where}: {getattr(self, name)!r} {complaint}", where=where)
