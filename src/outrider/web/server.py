"""Runs the app under uvicorn, and ends event streams first when the process is told to stop.

`outrider/app.py` awaits `serve`; tests run `Server` in a thread.
"""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from outrider.errors import InvalidInputError
from outrider.web.news import News

GRACE_SECONDS = 10
"""How long running requests may go on after the signal to stop."""
BACKLOG = 2048
"""Connections that may wait to be accepted."""
WEBSOCKET_LIMIT = 1 << 18
"""Bytes of the largest message that a websocket's client may send."""


class Server(uvicorn.Server):
    """A uvicorn server whose shutdown begins by closing the news, on which event streams wait.

    Without this it would wait for browsers that never hang up.
    """

    def __init__(self, config: uvicorn.Config, news: News) -> None:
        super().__init__(config)
        self._news = news

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program around the server.

        uvicorn would raise them once more when it has stopped, and so end the process before the worker has.
        """
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End event streams, finish requests, close."""
        self._news.close()
        await super().shutdown(sockets)


def make_server(app: FastAPI, news: News, *, host: str, port: int) -> Server:
    """Return a server for `app` on that address; port 0 takes a free one."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=WEBSOCKET_LIMIT,
        # Messages are small, and a compressor for each of hundreds of desktops costs more than it saves.
        ws_per_message_deflate=False,
    )
    return Server(config, news)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address, for `Server.serve`; port 0 takes a free one.

    Bound before anything else starts: a second process must not dial before it finds the port taken.
    InvalidInputError when the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInputError(
            f"cannot listen on {host} port {port}: {reason}; choose another with --host or --port",
            where="server.port",
        ) from None
    # asyncio sets it only on sockets that name their protocol; without it answers wait 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def bound_port(server: uvicorn.Server) -> int:
    """Return the port that a started server listens on; LookupError before it listens."""
    for listening in server.servers:
        for opened in listening.sockets:
            return int(opened.getsockname()[1])
    raise LookupError("the server is not listening yet")
