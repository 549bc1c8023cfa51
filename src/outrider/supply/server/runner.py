"""Runs a licence server as a process of its own under uvicorn, until it is told to stop.

`outrider licences serve` awaits `serve`; tests run the same with a port of their own.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from outrider.clock import Clock
from outrider.db.database import Database
from outrider.errors import InvalidInputError
from outrider.supply.server.api import LicenceServer, create_app
from outrider.supply.server.server_key import load_key, load_token
from outrider.supply.server.settings import ServerConfig
from outrider.web.server import bound_port, listen

KEEP_ALIVE = 150
"""Seconds that an idle connection is kept: longer than twice the usual poll, which then needs no new one."""
GRACE_SECONDS = 5


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to the program around it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: the command stops the server, and then closes the database."""
        yield


def make_server(server: LicenceServer) -> Server:
    """Return the HTTP server. InvalidInputError when the TLS files cannot be used."""
    config = uvicorn.Config(
        create_app(server),
        host=server.config.host,
        port=server.config.port,
        ssl_certfile=None if server.config.tls_certificate is None else str(server.config.tls_certificate),
        ssl_keyfile=None if server.config.tls_key is None else str(server.config.tls_key),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError, ValueError) as error:
        files = f"{server.config.tls_certificate} and {server.config.tls_key}"
        raise InvalidInputError(f"TLS: {files} cannot be used: {error}", where="tls") from None
    return Server(config)


async def serve(
    database: Database,
    clock: Clock,
    config: ServerConfig,
    folder: Path,
    started: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    """Serve leases, usage and the status page until `stop` is set; `started` is told the address.

    `folder` holds the server's key and the reader's token, made at the first start. OutriderError says what
    is wrong with the configuration.
    """
    config.check()
    parts = LicenceServer(database, clock, config, load_key(folder), load_token(folder))
    server = make_server(parts)
    listening = listen(config.host, config.port)
    # asyncio sets it only on sockets that name their protocol; without it answers wait 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    serving = asyncio.ensure_future(server.serve([listening]))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event for it
            await asyncio.sleep(0.01)
        if server.started:
            shown = f"[{config.host}]" if ":" in config.host else config.host
            started(f"{config.scheme}://{shown}:{bound_port(server)}")
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stopping.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    serving.result()
