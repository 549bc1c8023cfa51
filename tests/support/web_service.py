"""A little web service for webhooks: answers as a test says, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request: its first line, headers in small letters, and its body as JSON."""

    line: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What the service answers; `after` waits that many seconds first, `slowly` dribbles the body."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0
    slowly: bool = False


@dataclass
class WebService:
    """The running service."""

    answer: Callable[[Asked], Answer]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while line := (await reader.readline()).decode().strip():
                headers: dict[str, str] = {}
                while header := (await reader.readline()).decode().strip():
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                asked = Asked(line, headers, json.loads(body) if body else None)
                self.asked.append(asked)
                await _write(writer, self.answer(asked))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    await asyncio.sleep(answer.after)
    length = len(answer.body) + (1000 if answer.slowly else 0)
    lines = [f"HTTP/1.1 {answer.status} Whatever", f"content-length: {length}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n" + answer.body).encode())
    await writer.drain()
    while answer.slowly:
        await asyncio.sleep(0.05)
        writer.write(b" ")
        await writer.drain()


@asynccontextmanager
async def web_service(answer: Callable[[Asked], Answer] | Answer = Answer()) -> AsyncIterator[WebService]:
    """Give a service on a free port of this machine."""
    service = WebService((lambda _: answer) if isinstance(answer, Answer) else answer)
    connections: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(service.serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield service
    finally:
        server.close()
        for task in tuple(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await server.wait_closed()
