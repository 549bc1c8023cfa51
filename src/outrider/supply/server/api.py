"""HTTP of a licence server: leases (fast, `lease_endpoint`), its usage as JSON, and its status page.

`runner` serves `create_app`. Usage may be read from this very host, or with the reader's token.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from outrider.clock import Clock
from outrider.db.database import Database
from outrider.errors import NotAuthenticatedError, OutriderError
from outrider.supply.server import service
from outrider.supply.server.batches import Batches
from outrider.supply.server.lease_endpoint import App, LeaseEndpoint
from outrider.supply.server.protocol import Signer
from outrider.supply.server.server_key import ServerKey
from outrider.supply.server.settings import ServerConfig, is_loopback
from outrider.supply.server.usage import Usage, usage
from outrider.supply.server.usage_json import usage_json
from outrider.web import problems
from outrider.web.assets import Assets
from outrider.web.middleware import SecurityHeaders
from outrider.web.pages import render

PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


@dataclass(frozen=True, slots=True)
class LicenceServer:
    """The parts of a running licence server. `reader_token` opens usage to other hosts."""

    database: Database
    clock: Clock
    config: ServerConfig
    key: ServerKey
    reader_token: str


def create_app(server: LicenceServer) -> App:
    """Return the ASGI application of a licence server."""

    async def answer(requests: service.Requests) -> service.Answers:
        config = server.config
        return await server.database.write(
            service.answer, requests, config.host_id, server.clock.now(), config.terms
        )

    pages = Starlette(
        routes=[
            Route("/", _status_page),
            Route("/healthz", _health),
            Route("/v1/usage", _usage),
            Route("/v1/server", _about),
            Mount("/static", Assets()),
        ],
        exception_handlers={OutriderError: _problem},
        middleware=[Middleware(SecurityHeaders)],
    )
    pages.state.server = server
    signer = Signer(server.key.key, server.config.protocol_version)
    return LeaseEndpoint(Batches(answer), signer, pages)


async def _status_page(request: Request) -> Response:
    found, server = await _read_usage(request), _server(request)
    return render(
        request,
        "licence_server.html",
        usage=found,
        server_id=server.key.server_id,
        protocol=server.config.protocol_version,
        host_id=server.config.host_id,
    )


async def _usage(request: Request) -> Response:
    return JSONResponse(usage_json(await _read_usage(request)))


async def _about(request: Request) -> Response:
    """Say who this is. The public key is no secret, but clients should be given it on another way."""
    server = _server(request)
    return JSONResponse(
        {
            "server": server.key.server_id,
            "protocol": server.config.protocol_version,
            "public_key": server.key.public_pem,
        }
    )


async def _health(request: Request) -> Response:
    server = _server(request)
    await server.database.read(lambda _tx: None)
    return JSONResponse({"status": "ok"})


async def _read_usage(request: Request) -> Usage:
    server = _server(request)
    _check_reader(request, server.reader_token)
    return await server.database.read(usage, server.config.host_id, server.clock.now())


def _server(request: Request) -> LicenceServer:
    server = request.app.state.server
    if isinstance(server, LicenceServer):
        return server
    raise LookupError("the app has no LicenceServer; make it with create_app")


def _check_reader(request: Request, token: str) -> None:
    """NotAuthenticatedError unless the caller is on this host, or has the reader's token.

    What a proxy passes on is not from this host, nor is what a browser sends for a foreign name (DNS
    rebinding). Browsers give the token as the password of any user name.
    """
    if _is_here(request):
        return
    given = _given(request.headers.get("authorization", ""))
    if not secrets.compare_digest(given.encode(), token.encode()):
        raise NotAuthenticatedError(
            "give the reader's token of this licence server (outrider licences admin-token) as a bearer"
            " token, or as the password in a browser"
        )


def _is_here(request: Request) -> bool:
    peer = "" if request.client is None else request.client.host
    named = request.url.hostname or ""
    proxied = any(name in request.headers for name in PROXY_HEADERS)
    return not proxied and is_loopback(peer) and is_loopback(named)


def _given(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, OutriderError):
        raise error
    found = problems.of_error(error)
    response = JSONResponse(found.document(), found.status, media_type="application/problem+json")
    response.headers.update(found.headers)
    if isinstance(error, NotAuthenticatedError) and "text/html" in request.headers.get("accept", ""):
        response.headers["WWW-Authenticate"] = 'Basic realm="licence server", charset="UTF-8"'
    return response
