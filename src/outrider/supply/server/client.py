"""A licence server over the network, as the platform manager polls it. `app.py` makes one of the settings.

What an answer must satisfy to be believed is in `verification`; this sends requests, and says what is wrong
with the way there.
"""

import datetime as dt
import secrets
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from joserfc.jwk import OKPKey

from outrider.clock import stopwatch
from outrider.errors import InvalidInputError, LicenceFileError
from outrider.licences.model import LicenceKind
from outrider.supply.authorisation import Authorisation, LicenceSourceError, SourceFault
from outrider.supply.keys import read_public
from outrider.supply.server.model import Granted, LeaseRequest, Wanted
from outrider.supply.server.protocol import LEASES, RELEASE, write_request
from outrider.supply.server.settings import is_loopback
from outrider.supply.server.verification import Checks, believe
from outrider.supply.server.versions import MINIMUM_VERSION, parse_version

TIMEOUT = 10.0
NONCE_BYTES = 18
LARGEST_ANSWER = 256 * 1024
ZERO = dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """Which licence server, and as whom. `public_key` is the server's, as PEM text: no other is believed.

    `installation` tells this platform from a copy of it: anything that is its own for good, such as a random
    text in its database. `wants` None is all of every feature. `ca_file` verifies the server's certificate
    instead of the system's authorities. `timeout` is in seconds. `insecure` allows plain HTTP over a network.
    """

    url: str
    client: str
    token: str
    public_key: str
    ca_file: Path | None = None
    minimum_version: str = MINIMUM_VERSION
    installation: str = ""
    wants: Mapping[LicenceKind, Wanted] | None = None
    timeout: float = TIMEOUT
    insecure: bool = False


class RemoteSource:
    """A LicenceSource over HTTP(S). One request at a time; connections are kept between polls."""

    def __init__(self, settings: RemoteSettings) -> None:
        """Read keys and certificates. InvalidInputError says which setting is wrong; nothing is sent yet."""
        self._settings = settings
        self._key = _public_key(settings.public_key)
        self._url = _address(settings)
        parse_version(settings.minimum_version)
        self._http = httpx.AsyncClient(
            verify=_trust(settings.ca_file), timeout=settings.timeout, follow_redirects=False, trust_env=False
        )
        self._seen = 0

    async def poll(self) -> Authorisation:
        """Acquire or renew what this platform may use. Raises LicenceSourceError.

        The lease is told as ending so much earlier as the answer took: it is counted from the question.
        """
        began = stopwatch()
        server_id, version, granted = await self._ask(LEASES)
        taken = dt.timedelta(seconds=stopwatch() - began)
        return Authorisation(
            server_id=server_id,
            protocol_version=version,
            customer=granted.customer,
            features=granted.features,
            lease_until=max(granted.server_time, granted.lease_until - taken),
            server_time=granted.server_time,
            message=granted.message,
        )

    async def release(self) -> None:
        """Give everything back at once, as when this platform is taken down for good. LicenceSourceError."""
        await self._ask(RELEASE)

    async def close(self) -> None:
        """Close connections; the lease runs on until it ends by itself or is taken up again."""
        await self._http.aclose()

    async def _ask(self, path: str) -> tuple[str, str, Granted]:
        settings = self._settings
        request = LeaseRequest(
            client=settings.client,
            nonce=secrets.token_urlsafe(NONCE_BYTES),
            wants=settings.wants,
            seen=self._seen,
            installation=settings.installation,
            releases=path == RELEASE,
        )
        status, body = await self._send(path, write_request(request))
        checks = Checks(self._url, self._key, request.client, request.nonce, settings.minimum_version)
        answer, granted = believe(status, body, checks)
        self._seen = granted.sequence
        return answer.server_id, answer.protocol_version, granted

    async def _send(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer; LicenceSourceError (UNREACHABLE) when there is none."""
        headers = {"authorization": f"Bearer {self._settings.token}", "content-type": "application/json"}
        received = b""
        try:
            async with self._http.stream("POST", self._url + path, content=body, headers=headers) as response:
                async for part in response.aiter_bytes():
                    received += part
                    if len(received) > LARGEST_ANSWER:
                        break
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise LicenceSourceError(
                SourceFault.UNREACHABLE, f"the licence server at {self._url} {_trouble(error)}"
            ) from error
        return response.status_code, received


def _trouble(error: Exception) -> str:
    """Return what is wrong with the way to the server, and what to do."""
    if isinstance(error, httpx.TimeoutException):
        return "did not answer in time: check that it runs, and that nothing between blocks the port"
    certificate = _cause(error, ssl.SSLCertVerificationError)
    if certificate is not None:
        reason = getattr(certificate, "verify_message", "") or str(certificate)
        return (
            f"shows a TLS certificate that is not accepted ({reason}): give the file of the authority that"
            " issued it, or correct the address"
        )
    if _cause(error, ssl.SSLError) is not None:
        return "does not speak TLS on that port: correct the address, http:// or https://"
    if _cause(error, socket.gaierror) is not None:
        return "cannot be found: its name is not known; correct the address, or the DNS"
    if _cause(error, ConnectionRefusedError) is not None:
        return "cannot be reached: nothing listens there; check the address, and that it runs"
    if isinstance(error, httpx.ConnectError):
        return f"cannot be reached ({error}): check the address, and that it runs"
    return f"broke off ({str(error) or type(error).__name__}): try again"


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """Return the error of that kind behind `error`, if any."""
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None


def _public_key(pem: str) -> OKPKey:
    try:
        return read_public(pem)
    except LicenceFileError as error:
        raise InvalidInputError(
            f"the public key of the licence server: {error.message} (outrider licences server-key prints it)",
            where="public_key",
        ) from None


def _address(settings: RemoteSettings) -> str:
    """Return the address without a final slash. InvalidInputError when it is none, or not safe."""
    try:
        url = httpx.URL(settings.url)
    except httpx.InvalidURL as error:
        raise InvalidInputError(
            f"{settings.url!r} is not the address of a licence server: {error}", where="url"
        ) from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise InvalidInputError(
            f"{settings.url!r} is not the address of a licence server, such as https://licences.example:8099",
            where="url",
        )
    if url.scheme == "http" and not settings.insecure and not is_loopback(url.host):
        raise InvalidInputError(
            f"{settings.url!r} would send the client's token in the clear: use https://, or allow it by"
            " `insecure` if something else protects the line",
            where="url",
        )
    return str(url).rstrip("/")


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise InvalidInputError(
            f"{ca_file} is not a file of certificates (PEM): {error}", where="ca_file"
        ) from None
