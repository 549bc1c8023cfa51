"""Telephones with ears: agents' phones and people, who answer, send a tone each, and tell what they hear.

One UDP port has any number of them, by user name or number; `tools.testbed.sip` speaks SIP for them. They
run on the event loop of who uses them. SIPp's public network is for load; these are for what is heard.
"""

import asyncio
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from tools.testbed import sip, tones
from tools.testbed.ports import LOOPBACK
from tools.testbed.waiting import PATIENCE, NotSoError

_KEYS = "0123456789*#ABCD"
_EVENTS = 101
"""RTP payload type of keys (RFC 4733)."""
_HEAD = 12
_RECENT = 0.1
"""Seconds: a tone that came no longer ago is being heard."""
_TICK = 0.02


@dataclass(frozen=True, slots=True)
class Habit:
    """What a phone does when it is called; times are seconds.

    `ring` None rings for ever; `talk` None never hangs up; `tone` is what it sends, in Hz (0: silence).
    `moved`: the SIP address, without the user, that it sends callers on to (302) instead.
    """

    ring: float | None = 0.0
    talk: float | None = None
    tone: int = 0
    busy: bool = False
    moved: str = ""


@dataclass(eq=False)
class Phone(asyncio.DatagramProtocol):
    """One call at a phone. Times are readings of `time.perf_counter`."""

    name: str
    habit: Habit
    dialog: sip.Dialog
    news: Callable[[], None]
    state: str = "ringing"
    """ringing, answered, up (acknowledged), or over."""
    answered_at: float = 0.0
    first: dict[int, float] = field(default_factory=dict)
    """When each tone was heard first."""
    last: dict[int, float] = field(default_factory=dict)
    lengths: Counter[int] = field(default_factory=Counter)
    """In how many packets each tone was heard."""
    loud_at: float = 0.0
    packets: int = 0
    keys: str = ""
    reinvites: int = 0
    _transport: asyncio.DatagramTransport | None = None
    _sequence: int = 0
    _event: int = -1

    @property
    def hears(self) -> frozenset[int]:
        """Return the tones that it hears now."""
        since = time.perf_counter() - _RECENT
        return frozenset(tone for tone, at in self.last.items() if at >= since)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket for sound."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, _: object) -> None:
        """Listen to 20 ms, or take a key."""
        now = time.perf_counter()
        payload = data[_HEAD:]
        if data[1] & 0x7F == _EVENTS:
            (stamp,) = struct.unpack("!I", data[4:8])
            if stamp != self._event:
                self._event = stamp
                self.keys += _KEYS[payload[0]]
        elif len(payload) == tones.PACKET:
            self.packets += 1
            for tone in tones.heard(payload):
                self.first.setdefault(tone, now)
                self.last[tone] = now
                self.lengths[tone] += 1
            if tones.is_loud(payload):
                self.loud_at = now
        self.news()

    def speak(self) -> None:
        """Send 20 ms of its tone."""
        if self._transport is not None and self.state in {"answered", "up"} and self.habit.tone:
            self._sequence += 1
            head = struct.pack(
                "!BBHII", 0x80, 0, self._sequence & 0xFFFF, self._sequence * tones.PACKET & 0xFFFFFFFF, 7
            )
            self._transport.sendto(head + tones.packet(self.habit.tone), self.dialog.media)

    def is_over(self) -> None:
        """Stop to speak and to listen."""
        self.state = "over"
        if self._transport is not None:
            self._transport.close()
        self.news()


class Phones(asyncio.DatagramProtocol):
    """All phones of one port. `habits` are by name; who is not in it has the one named ""."""

    def __init__(self, habits: Mapping[str, Habit]) -> None:
        self.habits = dict(habits)
        self.calls: list[Phone] = []
        """Every call so far, oldest first."""
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._by_id: dict[str, Phone] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    async def start(self) -> None:
        """Bind a free port."""
        loop = asyncio.get_running_loop()
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        listening.bind((LOOPBACK, 0))
        listening.setblocking(False)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=listening)
        self.port = listening.getsockname()[1]
        self._run(self._speak())

    async def close(self) -> None:
        """Take all phones away; nobody is told."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for phone in self.calls:
            if phone.state != "over":
                phone.is_over()
        if self._transport is not None:
            self._transport.close()

    def address(self, name: str) -> str:
        """Return a phone's SIP address."""
        return f"sip:{name}@{LOOPBACK}:{self.port}"

    def at(self, name: str) -> Phone:
        """Return the latest call at a phone; NotSoError when there was none."""
        for phone in reversed(self.calls):
            if phone.name == name:
                return phone
        raise NotSoError(f"nobody has called {name}")

    async def until(self, what: str, fact: Callable[[], object], within: float = PATIENCE) -> None:
        """Wait until `fact` is true; it is looked at whenever a phone hears something, and each 20 ms."""
        try:
            async with asyncio.timeout(within):
                while not fact():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as error:
            raise NotSoError(f"not within {within:g} s: {what}") from error

    def hang_up(self, phone: Phone) -> None:
        """Let a person hang up."""
        if phone.state in {"answered", "up"}:
            self._send(phone.dialog.bye(self.port), phone)
            phone.is_over()

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """Take one SIP message."""
        message = sip.parse(data)
        phone = self._by_id.get(message.call_id)
        match message.method:
            case "INVITE" if phone is None:
                self._ring(message, address)
            case "INVITE" if phone is not None:
                self._again(phone, message)
            case "ACK":
                if phone is not None and phone.state == "answered":
                    phone.state = "up"
            case "CANCEL" if phone is not None and phone.state == "ringing":
                self._send(phone.dialog.answer(200, "OK", message), phone)
                self._send(phone.dialog.answer(487, "Request Terminated"), phone)
                phone.is_over()
            case "BYE" if phone is not None:
                self._send(phone.dialog.answer(200, "OK", message), phone)
                if phone.state != "over":
                    phone.is_over()

    def _ring(self, invite: sip.Message, address: tuple[str, int]) -> None:
        habit = self.habits.get(invite.user, self.habits.get("", Habit()))
        phone = Phone(invite.user, habit, sip.Dialog(invite, address), self._news.set)
        self._by_id[invite.call_id] = phone
        self.calls.append(phone)
        if habit.moved:
            contact = f"sip:{invite.user}@{habit.moved}"
            self._send(phone.dialog.answer(302, "Moved Temporarily", contact=contact), phone)
            phone.is_over()
            return
        if habit.busy:
            self._send(phone.dialog.answer(486, "Busy Here"), phone)
            phone.is_over()
            return
        self._send(phone.dialog.answer(180, "Ringing"), phone)
        self._run(self._live(phone))

    def _again(self, phone: Phone, invite: sip.Message) -> None:
        """Answer a re-INVITE, or a repeated INVITE, as before."""
        if invite.sequence != phone.dialog.invite.sequence:
            phone.reinvites += 1
        if phone.state in {"answered", "up"}:
            self._send(phone.dialog.accept(self.port, invite), phone)

    async def _live(self, phone: Phone) -> None:
        habit, loop = phone.habit, asyncio.get_running_loop()
        if habit.ring is None:
            return
        await asyncio.sleep(habit.ring)
        if phone.state != "ringing":
            return
        transport, _ = await loop.create_datagram_endpoint(lambda: phone, local_addr=(LOOPBACK, 0))
        phone.dialog.media_port = transport.get_extra_info("sockname")[1]
        phone.state, phone.answered_at = "answered", time.perf_counter()
        self._send(phone.dialog.accept(self.port), phone)
        if habit.talk is not None:
            await asyncio.sleep(habit.talk)
            self.hang_up(phone)

    async def _speak(self) -> None:
        """Let all phones send 20 ms every 20 ms."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            for phone in self.calls:
                phone.speak()
            self._news.set()
            due += _TICK
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _send(self, data: bytes, phone: Phone) -> None:
        if self._transport is not None:
            self._transport.sendto(data, phone.dialog.address)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def running_phones(habits: Mapping[str, Habit]) -> AsyncIterator[Phones]:
    """Give started phones; they are taken away afterwards."""
    phones = Phones(habits)
    await phones.start()
    try:
        yield phones
    finally:
        await phones.close()
