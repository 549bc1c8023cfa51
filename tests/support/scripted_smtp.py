"""A mail server that answers as a test tells it: for answers that the demo's sink never gives."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[str], str] | str

DEFAULTS: Mapping[str, Answer] = {
    "GREETING": "220 scripted",
    "EHLO": "250-scripted\r\n250 SIZE 1000000",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 go",
    ".": "250 taken",
    "RSET": "250 OK",
    "QUIT": "221 bye",
}


@dataclass(slots=True)
class ScriptedServer:
    """What was heard: command lines in order, and contents."""

    port: int = 0
    lines: list[str] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def scripted_smtp(
    answers: Mapping[str, Answer] | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[ScriptedServer]:
    """Give a server; `answers` by verb replace those of `DEFAULTS`, "" answers nothing."""
    script = {**DEFAULTS, **(answers or {})}
    heard = ScriptedServer()
    writers: set[asyncio.StreamWriter] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)

        def say(verb: str, line: str) -> str:
            answer = script.get(verb, "502 what?")
            text = answer if isinstance(answer, str) else answer(line)
            if text:
                writer.write(f"{text}\r\n".encode())
            return text

        with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            say("GREETING", "")
            while True:
                line = (await reader.readuntil(b"\r\n")).decode().strip()
                heard.lines.append(line)
                verb = line[:4].upper()
                if say(verb, line).startswith("354"):
                    heard.contents.append(await reader.readuntil(b"\r\n.\r\n"))
                    say(".", line)
                if verb == "QUIT":
                    writer.close()
                    return

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    heard.port = server.sockets[0].getsockname()[1]
    try:
        yield heard
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        for _ in range(5):
            await asyncio.sleep(0)
        await server.wait_closed()
