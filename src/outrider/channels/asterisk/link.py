"""One websocket, as an asyncio protocol: messages are handed over as they arrive, without a task or a queue.

The client's requests and events, and the sound of a call (`listening`), go over one each. It stands on the
sans-I/O part of `websockets`, which costs half of what its coroutines do per message.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Self, cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from outrider.clock import stopwatch

OnMessage = Callable[[bytes], None]

_CLOSED = "the server closed the connection"
_OURS = "we closed the connection"


class HandshakeError(Exception):
    """The server answered, but would not open a websocket; `status` is the HTTP status, if it gave one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Link(asyncio.Protocol):
    """An open websocket. `on_text` and `on_binary` get whole messages; `lost` says why it closed."""

    def __init__(self, uri: str, on_text: OnMessage, on_binary: OnMessage, subprotocol: str | None) -> None:
        subprotocols = None if subprotocol is None else [Subprotocol(subprotocol)]
        self._protocol = ClientProtocol(parse_uri(uri), subprotocols=subprotocols, max_size=None)
        self._on_message = {Opcode.TEXT: on_text, Opcode.BINARY: on_binary}
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes | bytearray | memoryview] = []
        self._kind = Opcode.TEXT
        loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[str] = loop.create_future()
        self._heard_at = stopwatch()
        self._flushes = False

    @classmethod
    async def connect(
        cls,
        uri: str,
        on_text: OnMessage,
        on_binary: OnMessage,
        *,
        authorization: str = "",
        subprotocol: str | None = None,
        within: float = 10.0,
    ) -> Self:
        """Open a websocket to a ws: or wss: address in `within` seconds.

        OSError (TimeoutError, ssl.SSLError among it) when there is no connection, HandshakeError when it
        is refused.
        """
        link = cls(uri, on_text, on_binary, subprotocol)
        target = link._protocol.uri
        tls = ssl.create_default_context() if target.secure else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within):
                await loop.create_connection(lambda: link, target.host, target.port, ssl=tls)
                link._greet(authorization)
                await link._opened
        except BaseException:
            link.abort()
            raise
        return link

    @property
    def idle(self) -> float:
        """Return for how many seconds nothing has come."""
        return stopwatch() - self._heard_at

    def send(self, text: bytes) -> None:
        """Send one text message (UTF-8). ConnectionError when the websocket is closed: nothing is sent.

        What is sent in one turn of the event loop goes out together.
        """
        if self._protocol.state is not State.OPEN or self.lost.done():
            raise ConnectionError(_CLOSED)
        self._protocol.send_text(text)
        if not self._flushes:
            self._flushes = True
            asyncio.get_running_loop().call_soon(self._flush)

    def ping(self) -> None:
        """Ask the other side for a sign of life; its answer counts against `idle`."""
        if not self.lost.done() and self._protocol.state is State.OPEN:
            self._protocol.send_ping(b"")
            self._flush()

    def close(self) -> None:
        """Close in good order, without waiting for the other side."""
        if not self.lost.done() and self._transport is not None:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(1000)
                self._flush()
            self._transport.close()
        self._end(_OURS)

    def abort(self, reason: str = _OURS) -> None:
        """Drop the connection at once."""
        self._end(reason)
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin (asyncio calls this)."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take what came (asyncio calls this): whole messages are handed over before it returns."""
        self._heard_at = stopwatch()
        self._protocol.receive_data(data)
        self._take()

    def eof_received(self) -> None:
        """Note that the other side sends nothing more (asyncio calls this)."""
        self._protocol.receive_eof()
        self._take()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is over (asyncio calls this)."""
        self._end(str(exc) if exc is not None else _CLOSED)

    def _greet(self, authorization: str) -> None:
        request = self._protocol.connect()
        if authorization:
            request.headers["Authorization"] = authorization
        self._protocol.send_request(request)
        self._flush()

    def _take(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take_frame(event)
            elif isinstance(event, Response):
                self._answered(event)
        if self._protocol.handshake_exc is not None and not self._opened.done():
            self._opened.set_exception(HandshakeError(str(self._protocol.handshake_exc)))
        self._flush()

    def _answered(self, response: Response) -> None:
        if self._opened.done():
            return
        refusal = self._protocol.handshake_exc
        if refusal is None:
            self._opened.set_result(None)
        else:
            self._opened.set_exception(HandshakeError(str(refusal), response.status_code))

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CONT:
            self._parts.append(frame.data)
        elif frame.opcode in self._on_message:
            self._kind, self._parts = frame.opcode, [frame.data]
        else:
            return
        if frame.fin:
            parts, self._parts = self._parts, []
            self._on_message[self._kind](bytes(parts[0]) if len(parts) == 1 else b"".join(parts))

    def _flush(self) -> None:
        self._flushes = False
        chunks = self._protocol.data_to_send()
        if self._transport is None or self._transport.is_closing():
            return
        data = b"".join(chunks)
        if data:
            self._transport.write(data)
        # The protocol says by an empty chunk, always its last, that nothing more will be sent.
        if chunks and not chunks[-1] and self._transport.can_write_eof():
            self._transport.write_eof()

    def _end(self, reason: str) -> None:
        if not self._opened.done():
            self._opened.set_exception(HandshakeError(reason))
            # Nobody may be waiting for it any more: then it is no news.
            self._opened.exception()
        if not self.lost.done():
            self.lost.set_result(reason)
