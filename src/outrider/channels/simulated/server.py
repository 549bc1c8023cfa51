"""The simulated carrier as its own process: TCP, JSON lines, calls that outlive their controllers.

`outrider carrier serve` and tests start it; `client` talks to it. There is no authentication: bind it to
loopback. Kill tests count on it: its ids and ledger survive every controller, and its own restarts too.
"""

import asyncio
import dataclasses
import logging
import secrets
from contextlib import suppress

from outrider.channels.base import DuplicateCallError
from outrider.channels.model import CallEvent
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.faults import parse_faults
from outrider.channels.simulated.mailbox import Mailbox, Switchboard
from outrider.channels.simulated.scheduler import Scheduler
from outrider.channels.simulated.wire import (
    LINE_LIMIT,
    Message,
    decode,
    encode,
    event_message,
    living_message,
    parse_call,
    parse_prompt,
    parse_words,
    whole_number,
)
from outrider.clock import stopwatch
from outrider.errors import ChannelError, OutriderError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)


class CarrierServer:
    """Serves one carrier to any number of controllers, each with its own name.

    `grace` is real seconds: a controller that is away for longer loses its calls to one that asks `living`.
    """

    def __init__(
        self, carrier: SimulatedCarrier, host: str = "127.0.0.1", port: int = 0, *, grace: float = 1.0
    ) -> None:
        self.carrier = carrier
        self.host = host
        self.port = port
        """The port asked for; after `start`, the port that is served."""
        self._boot = secrets.token_hex(8)
        self._scheduler = Scheduler(carrier)
        self._switchboard = Switchboard(grace, stopwatch)
        self._made_in: dict[AttemptId, str] = {}
        self._keyed: dict[AttemptId, tuple[str, object]] = {}
        """The last command of each call that sent keys, by session and number."""
        self._server: asyncio.Server | None = None
        self._connections: dict[_Connection, asyncio.Task[None] | None] = {}

    async def start(self) -> None:
        """Bind and serve. Raises ChannelError when the address cannot be used."""
        try:
            self._server = await asyncio.start_server(self._serve, self.host, self.port, limit=LINE_LIMIT)
        except OSError as error:
            message = f"the carrier cannot listen on {self.host} port {self.port}: {error.strerror}"
            raise ChannelError(message, host=self.host, port=self.port) from error
        self.port = self._server.sockets[0].getsockname()[1]
        self.carrier.connect(self._switchboard.deliver)
        self._scheduler.start()

    async def stop(self) -> None:
        """End all calls, tell the controllers, and close; the ledger stays with its owner."""
        if self._server is None:
            return
        self._server.close()
        await self._scheduler.stop()
        self.carrier.drop_all()
        self.carrier.run_due()
        await self.disconnect_all()
        await self._server.wait_closed()
        self._server = None

    async def disconnect_all(self) -> None:
        """Close every connection, as a broken network does; calls live on and controllers may come back."""
        tasks = [task for task in self._connections.values() if task is not None]
        for connection in self._connections:
            connection.close()
        await asyncio.gather(*tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        self._connections[connection] = asyncio.current_task()
        try:
            await connection.run()
        except OSError as error:
            log.info("a controller's connection broke: %s", error)
        except OutriderError as error:
            log.warning("a controller is disconnected: %s", error.message)
        finally:
            del self._connections[connection]
            connection.close()
            # The controller may be gone already; what was sent is lost, and sent again when it returns.
            with suppress(OSError):
                await writer.wait_closed()

    def welcome(self, connection: "_Connection", hello: Message) -> Mailbox:
        """Connect a controller's mailbox; an older connection of the same name is closed."""
        name = hello.get("hello")
        if not isinstance(name, str) or not name:
            raise ChannelError('the first line must be {"hello": NAME}')
        for other in self._connections:
            if other is not connection and other.box is not None and other.box.name == name:
                log.warning("controller %s connected anew, its older connection is closed", name)
                other.close()
        taken = whole_number(hello, "taken") if hello.get("boot") == self._boot else 0
        connection.session = str(hello.get("session", ""))
        connection.send({"welcome": self._boot})
        return self._switchboard.connect(name, connection.post, taken)

    def leave(self, connection: "_Connection", box: Mailbox) -> None:
        """Keep a controller's events from now on."""
        self._switchboard.disconnect(box, connection.post)

    def execute(self, message: Message, box: Mailbox, session: str) -> object:
        """Carry out one command and return its answer; OutriderError when it is refused."""
        match message.get("do"):
            case "originate":
                self._originate(message, box, session)
            case "living":
                living = [living_message(call) for call in self.carrier.living().calls]
                self._switchboard.inherit(box)
                return living
            case "statistics":
                return dataclasses.asdict(self.carrier.counts)
            case "inject":
                self.carrier.inject(parse_faults(message.get("faults") or {}))
            case "drop_all":
                self.carrier.drop_all()
            case other:
                self._act_on_call(other, message, session)
        return True

    def _act_on_call(self, what: object, message: Message, session: str) -> None:
        """Carry out a command about one call."""
        call_id = AttemptId(str(message.get("id")))
        match what:
            case "play":
                self._play(message)
            case "stop_playing":
                self.carrier.stop_playing(call_id)
            case "listen":
                self.carrier.listen(call_id, parse_words(message))
            case "stop_listening":
                self.carrier.stop_listening(call_id)
            case "hang_up":
                self.carrier.hang_up(call_id)
            case "join":
                self.carrier.join(call_id, str(message.get("room") or ""))
            case "leave":
                self.carrier.leave(call_id, music=bool(message.get("music")))
            case "send_digits":
                self._send_digits(call_id, message, session)
            case _:
                raise ChannelError(f"the carrier knows no command {what!r}")

    def _originate(self, message: Message, box: Mailbox, session: str) -> None:
        call = parse_call(message)
        try:
            self.carrier.originate(call)
        except DuplicateCallError:
            # A command sent again after a reconnect: the first one arrived, only its answer was lost.
            if message.get("again") and self._made_in.get(call.call_id) == session:
                return
            raise
        self._made_in[call.call_id] = session
        self._switchboard.made(call.call_id, box)

    def _send_digits(self, call_id: AttemptId, message: Message, session: str) -> None:
        command = session, message.get("n")
        if not (message.get("again") and self._keyed.get(call_id) == command):
            self.carrier.send_digits(call_id, str(message.get("digits") or ""))
            self._keyed[call_id] = command

    def _play(self, message: Message) -> None:
        call_id = AttemptId(str(message.get("id")))
        if message.get("again") and any(
            call.call_id == call_id and call.playing for call in self.carrier.living().calls
        ):
            return
        self.carrier.play(call_id, parse_prompt(message))


class _Connection:
    """One controller's connection: reads commands, writes answers and events."""

    def __init__(
        self, server: CarrierServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.box: Mailbox | None = None
        self.session = ""
        self._server = server
        self._reader = reader
        self._writer = writer
        self._late: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until the controller goes away."""
        first = await self._read()
        if first is None:
            return
        self.box = box = self._server.welcome(self, first)
        try:
            while (message := await self._read()) is not None:
                if "ack" in message:
                    box.acknowledge(whole_number(message, "ack"))
                elif self._server.carrier.faults.latency:
                    late = asyncio.get_running_loop().create_task(self._answer_late(message, box))
                    self._late.add(late)
                    late.add_done_callback(self._late.discard)
                else:
                    self._answer(message, box)
        finally:
            self._server.leave(self, box)
            for late in self._late:
                late.cancel()

    def send(self, message: Message) -> None:
        """Send one line, unless the controller is gone."""
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    def post(self, number: int, event: CallEvent) -> None:
        """Send one numbered event."""
        self.send(event_message(event) | {"seq": number})

    def close(self) -> None:
        """Close the connection; `run` ends by itself then."""
        self._writer.close()

    async def _answer_late(self, message: Message, box: Mailbox) -> None:
        carrier = self._server.carrier
        await carrier.clock.sleep(carrier.faults.latency)
        self._answer(message, box)

    def _answer(self, message: Message, box: Mailbox) -> None:
        number = message.get("n")
        try:
            self.send({"n": number, "ok": self._server.execute(message, box, self.session)})
        except OutriderError as error:
            self.send({"n": number, "error": error.code, "message": error.message})

    async def _read(self) -> Message | None:
        try:
            line = await self._reader.readline()
        except ValueError as error:
            raise ChannelError(f"a line is longer than {LINE_LIMIT} bytes") from error
        return decode(line) if line.endswith(b"\n") else None
