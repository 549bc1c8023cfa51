"""What is wrong with a connection to Asterisk, in one clear sentence each. The client and `check` use it."""

import enum
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from outrider.channels.asterisk.link import HandshakeError
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.channels.asterisk.version import OLDEST
from outrider.errors import ChannelError


class ServerState(enum.StrEnum):
    """How we stand with one server."""

    CONNECTING = "connecting"
    """Trying, or trying again after a break: no verdict yet."""
    CONNECTED = "connected"
    GONE = "gone"
    """No process listens there: whatever calls it had are over."""
    UNREACHABLE = "unreachable"
    """No answer: its calls may be up, nobody knows."""
    REFUSED = "refused"
    """It answers, but not to us: credentials, version, ARI switched off, another controller."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no connection. `what` is a short stable name, for tests and interfaces."""

    state: ServerState
    what: str
    message: str


class RefusedError(ChannelError):
    """The server answers, but will not serve us; `what` is as in Trouble."""

    code = "channel_refused"

    def __init__(self, what: str, message: str) -> None:
        super().__init__(message, what=what)
        self.what = what


def explain(error: BaseException, settings: AsteriskSettings) -> Trouble:
    """Return what an attempt to connect failed of. The deepest known cause decides."""
    who, where = f"Asterisk {settings.name!r}", settings.where
    if isinstance(error, RefusedError):
        return Trouble(ServerState.REFUSED, error.what, error.message)
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        message = f"{who}: the name {settings.host} cannot be resolved; check its url and your DNS"
        return Trouble(ServerState.UNREACHABLE, "dns", message)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        message = (
            f"{who}: the certificate of {where} is not trusted ({_certificate(causes)}); let this machine"
            " trust its issuer, or put the name that is in it into the url"
        )
        return Trouble(ServerState.REFUSED, "certificate", message)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        message = f"{who}: {where} does not speak TLS, as its https url says; use http:// or its TLS port"
        return Trouble(ServerState.REFUSED, "tls", message)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes) and not _others(causes):
        message = f"{who}: nothing listens at {where}; is Asterisk running, and http.conf enabled there?"
        return Trouble(ServerState.GONE, "refused", message)
    if any(isinstance(cause, TimeoutError | httpx.TimeoutException) for cause in causes):
        message = (
            f"{who}: {where} did not answer within {settings.timeout:g} s; is it up, and no firewall between?"
        )
        return Trouble(ServerState.UNREACHABLE, "timeout", message)
    return _garbled(error, settings)


def _garbled(error: BaseException, settings: AsteriskSettings) -> Trouble:
    who, where = f"Asterisk {settings.name!r}", settings.where
    if isinstance(error, httpx.RemoteProtocolError):
        message = f"{who}: {where} does not answer in plain HTTP; use https:// if that is its TLS port"
        return Trouble(ServerState.UNREACHABLE, "protocol", message)
    if isinstance(error, HandshakeError):
        return Trouble(ServerState.REFUSED, "websocket", no_websocket(error, settings))
    text = str(error) or type(error).__name__
    return Trouble(ServerState.UNREACHABLE, "network", f"{who}: {where} cannot be reached: {text}")


def refusal(status: int, settings: AsteriskSettings) -> RefusedError:
    """Return the error for an answer to `GET /asterisk/info` that is not the information."""
    who, base = f"Asterisk {settings.name!r}", settings.http_base
    if status in {401, 403}:
        return RefusedError(
            "credentials",
            f"{who}: user {settings.username!r} or its password is wrong; compare them with ari.conf",
        )
    if status == 404:  # noqa: PLR2004 - HTTP
        return RefusedError(
            "ari", f"{who}: there is no ARI at {base}; set enabled=yes in ari.conf, and load res_ari_asterisk"
        )
    if status == 503:  # noqa: PLR2004 - HTTP
        return RefusedError(
            "busy", f"{who}: {base} has too many connections; raise sessionlimit in http.conf"
        )
    return RefusedError("answer", f"{who}: {base} does not answer like ARI (status {status}); check its url")


def no_websocket(error: HandshakeError, settings: AsteriskSettings) -> str:
    """Return the sentence for a server that is an Asterisk of ours, and would not open the websocket."""
    why = str(error) if error.status is None else f"status {error.status}"
    return (
        f"Asterisk {settings.name!r}: {settings.where} would not open a websocket ({why}); load"
        " res_http_websocket and res_ari_events, and let proxies between pass websockets on"
    )


def too_old(version: str, settings: AsteriskSettings) -> RefusedError:
    """Return the error for a version that is not supported."""
    message = (
        f"Asterisk {settings.name!r} is version {version}; version {OLDEST.major} or later is needed:"
        " upgrade it"
    )
    return RefusedError("version", message)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it came from, groups opened."""
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        todo += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        if isinstance(one, BaseExceptionGroup):
            todo += one.exceptions


def _others(causes: list[BaseException]) -> bool:
    """Return whether another address of the host failed otherwise than by a closed port."""
    return any(
        (type(cause) is OSError and cause.errno is not None) or isinstance(cause, TimeoutError)
        for cause in causes
    )


def _certificate(causes: list[BaseException]) -> str:
    found = next(cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError))
    return found.verify_message or str(found)
