"""Tiny servers that are not what they should be: a web server, an old Asterisk, one that speaks TLS.

Tests of misconfigurations point media servers, mail settings and licence settings at them.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping

INFO = '{"system": {"version": "%s"}, "status": {"startup_time": "2026-01-01T00:00:00.000+0000"}}'


@contextlib.asynccontextmanager
async def http_server(
    answers: Mapping[str, tuple[int, str]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Give the port of a web server that gives `answers` (status, body) by path, and 404 else."""
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            while head := await reader.read(65_536):
                if b"HTTP/1.1" not in head:
                    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                    break
                path = head.split(b" ")[1].decode().partition("?")[0]
                status, body = answers.get(path, (404, "<html>not here</html>"))
                text = f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                writer.write(text.encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        for _ in range(5):
            await asyncio.sleep(0)
        await server.wait_closed()


def asterisk_of(version: str, **answers: tuple[int, str]) -> dict[str, tuple[int, str]]:
    """Return the answers of an Asterisk of a version, as far as it says who it is."""
    return {"/ari/asterisk/info": (200, INFO % version), **answers}


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Give a port of loopback on which nobody listens, and which nobody else takes meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
