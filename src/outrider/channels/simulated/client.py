"""A VoiceChannel over TCP to a simulated carrier in another process (`server`).

Workers use it in place of `embedded`. It reconnects by itself; commands that were under way are sent again,
which is safe because a call's id makes the same originate recognisable.
"""

import asyncio
import itertools
import logging
import random
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from outrider.channels.base import ChannelUnreachableError, DuplicateCallError, EventSink
from outrider.channels.model import Living, OutboundCall, Prompt
from outrider.channels.simulated.wire import (
    LINE_LIMIT,
    Message,
    call_message,
    decode,
    encode,
    parse_event,
    parse_living,
    prompt_message,
)
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CarrierAddress:
    """Where the carrier listens, and how patient we are; times are real seconds."""

    host: str
    port: int
    controller: str = "outrider"
    """Our name: events of calls made under it find us again after a restart. Unique per worker."""
    timeout: float = 10.0
    """For one command, reconnecting included."""
    commands_in_flight: int = 64
    shortest_pause: float = 0.05
    longest_pause: float = 2.0


_UNTRIED = "no connection was made yet"


def _reason(error: Exception) -> str:
    """Return why there is no connection, and what to do."""
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; start it with `outrider carrier serve`, or correct carrier.address"
    if isinstance(error, socket.gaierror):
        return "its name is not known; correct carrier.address, or the DNS"
    if isinstance(error, ValueError):
        return "what listens there is no carrier; correct carrier.address"
    return getattr(error, "strerror", None) or str(error) or "it did not answer in time"


class TcpCarrier:
    """A carrier in another process. `on_reconnected` is called after a lost connection was restored.

    Another controller may have been told what happened while we were away: ask `living` then.
    """

    def __init__(self, address: CarrierAddress, on_reconnected: Callable[[], None] | None = None) -> None:
        self._address = address
        self.on_reconnected = on_reconnected
        self._session = secrets.token_hex(8)
        self._slots = asyncio.Semaphore(address.commands_in_flight)
        self._numbers = itertools.count(1)
        self._pending: dict[int, tuple[Message, asyncio.Future[Any]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._sink: EventSink | None = None
        self._boot = ""
        self._taken = 0
        self._acknowledged = 0
        self._trouble = _UNTRIED

    @property
    def trouble(self) -> str | None:
        """Return why there is no connection, in one sentence; empty while there is one, None before a try."""
        if self._writer is not None:
            return ""
        return None if self._trouble == _UNTRIED else self._unreachable().message

    async def open(self, sink: EventSink) -> None:
        """Connect. Raises ChannelError when the carrier does not answer within the timeout."""
        self._sink = sink
        self._keeper = asyncio.get_running_loop().create_task(self._keep_connected())
        try:
            async with asyncio.timeout(self._address.timeout):
                await self._connected.wait()
        except TimeoutError as error:
            await self.close()
            raise self._unreachable() from error

    async def close(self) -> None:
        """Disconnect; calls that are up live on at the carrier."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
        for _, answer in self._pending.values():
            if not answer.done():
                answer.set_exception(ChannelError("the voice channel was closed", outcome="unknown"))

    async def originate(self, call: OutboundCall) -> None:
        """Make a call. Raises DuplicateCallError for an id used before, ChannelError when refused.

        The error's fact `outcome` is "unknown" when the command may have arrived: ask `living` then.
        """
        await self._command("originate", call_message(call))

    async def play(self, call_id: AttemptId, prompt: Prompt) -> None:
        """Play a prompt on an answered call. Raises ChannelError when the call is not up."""
        await self._command("play", {"id": call_id, **prompt_message(prompt)})

    async def hang_up(self, call_id: AttemptId) -> None:
        """End a call; nothing happens when it is over already."""
        await self._command("hang_up", {"id": call_id})

    async def stop_playing(self, call_id: AttemptId) -> None:
        """End the prompt that is being played, if any."""
        await self._command("stop_playing", {"id": call_id})

    async def listen(self, call_id: AttemptId, words: Sequence[str]) -> None:
        """Recognise these words. Raises ChannelError when the call is not up."""
        await self._command("listen", {"id": call_id, "words": list(words)})

    async def stop_listening(self, call_id: AttemptId) -> None:
        """Recognise nothing any more."""
        await self._command("stop_listening", {"id": call_id})

    async def join(self, call_id: AttemptId, room: str) -> None:
        """Put an answered call into a room. Raises ChannelError when the call is not up."""
        await self._command("join", {"id": call_id, "room": room})

    async def leave(self, call_id: AttemptId, *, music: bool = False) -> None:
        """Take a call out of its room; nothing happens when it is gone."""
        await self._command("leave", {"id": call_id, "music": music})

    async def send_digits(self, call_id: AttemptId, digits: str) -> None:
        """Play keys to the far end. Raises ChannelError when the call is not up."""
        await self._command("send_digits", {"id": call_id, "digits": digits})

    async def living(self) -> Living:
        """Return every call that exists now, of other controllers too. ChannelError if unreachable.

        From then on we are told the events of calls whose controllers have been away for a second or more.
        """
        rows = await self._command("living", {})
        return Living(tuple(parse_living(row) for row in rows))

    async def inject(self, **faults: object) -> None:
        """Let things go wrong at the carrier, by the names of `faults.Faults`; without any, nothing does."""
        await self._command("inject", {"faults": faults})

    async def drop_all(self) -> None:
        """Let the carrier end all of its calls."""
        await self._command("drop_all", {})

    async def statistics(self) -> dict[str, int]:
        """Return what the carrier did since it started, by the names of `carrier.CarrierCounts`."""
        return dict(await self._command("statistics", {}))

    async def _command(self, name: str, fields: Message) -> Any:
        """Send a command and return its answer; it waits its turn when too many are in flight."""
        async with self._slots:
            if self._writer is None:
                raise self._unreachable()
            number = next(self._numbers)
            message = {"n": number, "do": name, **fields}
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._pending[number] = message, answer
            try:
                self._writer.write(encode(message))
                async with asyncio.timeout(self._address.timeout):
                    return await answer
            except TimeoutError as error:
                text = f"the carrier did not answer {name} within {self._address.timeout:g} s"
                raise ChannelError(text, outcome="unknown") from error
            finally:
                del self._pending[number]

    async def _keep_connected(self) -> None:
        """Connect again and again, with pauses that double and vary."""
        pause = self._address.shortest_pause
        connected_before = False
        while True:
            try:
                reader, writer = await asyncio.open_connection(
                    self._address.host, self._address.port, limit=LINE_LIMIT
                )
                try:
                    await self._greet(reader, writer)
                    pause = self._address.shortest_pause
                    if connected_before and self.on_reconnected is not None:
                        self.on_reconnected()
                    connected_before = True
                    await self._listen(reader)
                finally:
                    self._writer = None
                    self._connected.clear()
                    writer.close()
            except (OSError, ValueError, ChannelError) as error:
                self._trouble = _reason(error)
                log.info("the carrier at %s:%d: %s", self._address.host, self._address.port, self._trouble)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnects, no secret
            pause = min(pause * 2, self._address.longest_pause)

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Say who we are and which events we have taken; send commands that were under way again."""
        hello = {
            "hello": self._address.controller,
            "session": self._session,
            "boot": self._boot,
            "taken": self._taken,
        }
        writer.write(encode(hello))
        async with asyncio.timeout(self._address.timeout):
            welcome = decode(await self._line(reader))
        boot = welcome.get("welcome")
        if not isinstance(boot, str):
            raise ChannelError("the other side did not welcome us; is it a carrier?")
        if boot != self._boot:
            self._boot, self._taken, self._acknowledged = boot, 0, 0
        for message, _ in self._pending.values():
            writer.write(encode({**message, "again": True}))
        self._writer = writer
        self._connected.set()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            message = decode(await self._line(reader))
            if "seq" in message:
                self._take(message)
            else:
                self._settle(message)

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        line = await reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the carrier closed the connection")
        return line

    def _take(self, message: Message) -> None:
        """Hand one event to the sink, once, and acknowledge it with others of the same moment."""
        if message["seq"] <= self._taken or self._sink is None:
            return
        event = parse_event(message)
        if self._taken == self._acknowledged:
            asyncio.get_running_loop().call_soon(self._acknowledge)
        self._taken = message["seq"]
        try:
            self._sink(event)
        except Exception:
            # One call's controller must not keep the others from their events.
            log.exception("an event of call %s was not taken", event.call_id)

    def _acknowledge(self) -> None:
        if self._writer is not None:
            self._writer.write(encode({"ack": self._taken}))
        self._acknowledged = self._taken

    def _settle(self, message: Message) -> None:
        """Give a command its answer; one that nobody waits for any more is dropped."""
        _, answer = self._pending.get(message.get("n", 0), (None, None))
        if answer is None or answer.done():
            return
        if "error" not in message:
            answer.set_result(message.get("ok"))
        elif message["error"] == DuplicateCallError.code:
            answer.set_exception(DuplicateCallError(message["message"]))
        else:
            answer.set_exception(ChannelError(message["message"]))

    def _unreachable(self) -> ChannelError:
        where = f"{self._address.host}:{self._address.port}"
        return ChannelUnreachableError(f"the carrier at {where} is unreachable: {self._trouble}", where=where)
