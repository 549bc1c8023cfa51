"""A real uvicorn server over a test's app, in a thread, for browsers and for event streams."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from outrider.web.news import News
from outrider.web.server import Server, bound_port, make_server

START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that listens at `address` (without a final slash)."""

    address: str
    server: Server
    thread: threading.Thread

    def stop(self) -> None:
        """Ask the server to stop, as a signal would, and wait for its end."""
        self.server.should_exit = True
        self.thread.join(START_SECONDS)
        assert not self.thread.is_alive(), "the server did not stop"


class _Announcing(Server):
    """Sets an event when it listens."""

    listening: threading.Event

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def run_server(app: FastAPI, news: News) -> Iterator[RunningServer]:
    """Run `app` on a free port of the loopback address; stopped at the end of the block."""
    made = make_server(app, news, host="127.0.0.1", port=0)
    server = _Announcing(made.config, news)
    server.listening = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), name="test-server")
    thread.start()
    assert server.listening.wait(START_SECONDS), "the server did not start"
    running = RunningServer(f"http://127.0.0.1:{bound_port(server)}", server, thread)
    try:
        yield running
    finally:
        running.stop()
