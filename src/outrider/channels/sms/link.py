"""One bound connection while it lives: requests and answers, keep-alive, acknowledgement of what comes in.

`session` runs one after the other. A request whose answer never came ends as LinkLostError: nobody knows
whether the centre took it. One that was not written yet ends as NotWrittenError: it may go elsewhere.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from outrider.channels.sms.bodies import (
    Body,
    DeliverSm,
    DeliverSmResponse,
    EnquireLink,
    EnquireLinkResponse,
    GenericNack,
    Outbind,
    Pdu,
    SubmitSm,
    SubmitSmResponse,
    Unbind,
    UnbindResponse,
    Unsupported,
)
from outrider.channels.sms.connecting import Bound
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.constants import MAX_SEQUENCE, RESPONSE
from outrider.channels.sms.octets import MalformedPduError
from outrider.channels.sms.pdu import decode, encode
from outrider.channels.sms.status import Status
from outrider.clock import stopwatch
from outrider.errors import ChannelError

log = logging.getLogger(__name__)

_READ = 65_536
_MOST_TAKING = 5_000
"""Receipts and texts that wait for the sink at once; the centre is asked to try again later with more."""
_MOST_LATE = 10_000
_GOOD_BYE = 2.0


class LinkLostError(ChannelError):
    """The request was written and no answer came: the link broke, or the centre kept silent."""

    code = "sms_link_lost"


class NotWrittenError(ChannelError):
    """The link was gone before the request was written: the centre cannot have it."""

    code = "sms_not_written"


@dataclass(slots=True, eq=False)
class _Pending:
    """A request that waits for its answer until `deadline` (monotonic seconds)."""

    body: Body
    answer: asyncio.Future[Pdu]
    deadline: float


Deliver = Callable[[DeliverSm], Awaitable[int]]
"""Takes a receipt or text and returns the command_status of our answer; awaited before answering."""
Late = Callable[[SubmitSm, str], Awaitable[None]]
"""Hears of a submission that was given up as unanswered and turned out to be accepted, with its id."""


class Link:
    """A bound connection; belongs to one event loop. `run` lives as long as the connection does."""

    def __init__(self, bound: Bound, settings: SmppSettings, deliver: Deliver, late: Late) -> None:
        self._bound = bound
        self._settings = settings
        self._deliver = deliver
        self._on_late = late
        self._sequence = 1
        self._pending: OrderedDict[int, _Pending] = OrderedDict()
        self._late: OrderedDict[int, SubmitSm] = OrderedDict()
        self._out: list[bytes] = []
        self._unwritten: set[int] = set()
        self._taking: set[asyncio.Task[None]] = set()
        self._heard = stopwatch()
        self._in_flight = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._lost: str | None = None

    @property
    def alive(self) -> bool:
        """Return whether requests can be written."""
        return self._lost is None and not self._bound.writer.is_closing()

    @property
    def free(self) -> int:
        """Return how many more submissions the window holds, less those that wait: may be negative."""
        return self._settings.window - self._in_flight - len(self._waiters)

    @property
    def unanswered(self) -> int:
        """Return how many requests wait for an answer."""
        return len(self._pending)

    async def enter(self) -> None:
        """Wait for a place in the submit window, in order. NotWrittenError when the link is lost first."""
        self._check()
        if self._in_flight < self._settings.window and not self._waiters:
            self._in_flight += 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place in the window to whoever waits longest."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._in_flight -= 1

    def request(self, body: Body) -> asyncio.Future[Pdu]:
        """Write a request; the future gives the answer, LinkLostError or NotWrittenError.

        NotWrittenError is raised at once when the link is gone, InvalidInputError for an impossible field.
        """
        self._check()
        self._sequence = self._sequence % MAX_SEQUENCE + 1
        sequence = self._sequence
        octets = encode(Pdu(body, sequence))
        answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._pending[sequence] = _Pending(body, answer, stopwatch() + self._settings.response_timeout)
        self._unwritten.add(sequence)
        self._write(octets)
        return answer

    async def enquire(self) -> None:
        """Ask whether the centre is there; LinkLostError or NotWrittenError when it is not."""
        await self.request(EnquireLink())

    async def run(self) -> str:
        """Read until the connection ends, and return why it ended. Always settles every request."""
        keeper = asyncio.get_running_loop().create_task(self._keep_alive())
        reason = "the link was closed"
        try:
            reason = await self._read()
        except MalformedPduError as error:
            reason = f"what came was no SMPP: {error.message}"
        except OSError as error:
            reason = f"the connection broke: {error}"
        finally:
            keeper.cancel()
            self._settle(self._lost or reason)
            self._bound.writer.transport.abort()
        return self._lost or reason

    async def close(self) -> None:
        """Wait for answers and for the sink, take leave with unbind, close; bounded by the timeouts."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.response_timeout):
                waiting = [entry.answer for entry in self._pending.values()]
                if waiting:
                    await asyncio.wait(waiting)
                if self._taking:
                    await asyncio.wait(set(self._taking))
        with suppress(TimeoutError, ChannelError):
            async with asyncio.timeout(_GOOD_BYE):
                await self.request(Unbind())
        self.drop("the link was closed")

    def drop(self, reason: str) -> None:
        """End the connection at once; `run` returns soon after."""
        self._lost = self._lost or reason
        if self._out and not self._bound.writer.is_closing():
            self._flush()
        self._bound.writer.close()
        self._settle(self._lost)

    def _check(self) -> None:
        if not self.alive:
            raise NotWrittenError(f"{self._settings.where} is not connected")

    def _write(self, octets: bytes) -> None:
        """Write with everything else of this turn of the event loop: one system call instead of many."""
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(octets)

    def _flush(self) -> None:
        if self._out and not self._bound.writer.is_closing():
            self._bound.writer.write(b"".join(self._out))
            self._out.clear()
            self._unwritten.clear()

    async def _read(self) -> str:
        """Handle PDUs until the other side closes; return how it ended."""
        for octets in self._bound.early:
            self._handle(octets)
        framer, reader = self._bound.framer, self._bound.reader
        while data := await reader.read(_READ):
            self._heard = stopwatch()
            for octets in framer.feed(data):
                self._handle(octets)
        return "the message centre closed the connection"

    def _handle(self, octets: bytes) -> None:
        """Answer a request, or give an answer to whoever waits for it."""
        try:
            pdu = decode(octets)
        except MalformedPduError as error:
            self._malformed(error)
            return
        body = pdu.body
        if isinstance(body, SubmitSmResponse | EnquireLinkResponse | GenericNack | UnbindResponse):
            self._answered(pdu)
        elif isinstance(body, DeliverSm):
            self._take(pdu.sequence, body)
        elif isinstance(body, EnquireLink):
            self._write(encode(Pdu(EnquireLinkResponse(), pdu.sequence)))
        elif isinstance(body, Unbind):
            self._write(encode(Pdu(UnbindResponse(), pdu.sequence)))
            self.drop("the message centre ended the session (unbind)")
        elif isinstance(body, Unsupported) and body.command & RESPONSE:
            self._answered(pdu)
        elif not isinstance(body, Outbind):
            self._write(encode(Pdu(GenericNack(), pdu.sequence, Status.INVALID_COMMAND)))

    def _malformed(self, error: MalformedPduError) -> None:
        """Answer a request that cannot be read; an answer that cannot be read is no answer."""
        log.warning("%s sent a malformed PDU: %s", self._settings.where, error.message)
        command, sequence = error.facts.get("command"), error.facts.get("sequence")
        if not isinstance(command, int) or not isinstance(sequence, int) or sequence > MAX_SEQUENCE:
            return
        if command & RESPONSE:
            entry = self._pending.pop(sequence, None)
            if entry is not None and not entry.answer.done():
                unreadable = f"{self._settings.where} gave an unreadable answer: {error.message}"
                entry.answer.set_exception(LinkLostError(unreadable))
        else:
            self._write(encode(Pdu(GenericNack(), sequence, Status.INVALID_COMMAND_LENGTH)))

    def _answered(self, pdu: Pdu) -> None:
        entry = self._pending.pop(pdu.sequence, None)
        if entry is not None:
            if not entry.answer.done():
                entry.answer.set_result(pdu)
            return
        late = self._late.pop(pdu.sequence, None)
        if late is not None and isinstance(pdu.body, SubmitSmResponse) and pdu.status == Status.OK:
            self._keep(self._on_late(late, pdu.body.message_id))

    def _take(self, sequence: int, message: DeliverSm) -> None:
        """Give a receipt or text to the sink, and answer once it has it."""
        if len(self._taking) >= _MOST_TAKING:
            self._write(encode(Pdu(DeliverSmResponse(), sequence, Status.QUEUE_FULL)))
            return

        async def take() -> None:
            status = await self._deliver(message)
            if self.alive:
                self._write(encode(Pdu(DeliverSmResponse(), sequence, status)))

        self._keep(take())

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._taking.add(task)
        task.add_done_callback(self._taken)

    def _taken(self, task: asyncio.Task[None]) -> None:
        self._taking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("news of %s was not taken: %s", self._settings.where, error)

    async def _keep_alive(self) -> None:
        """Give up on answers that are overdue, and ask whether the centre is there when it is silent."""
        settings = self._settings
        step = min(1.0, settings.response_timeout / 4, settings.enquire_interval / 4)
        asked: asyncio.Future[Pdu] | None = None
        while True:
            await asyncio.sleep(step)
            if self._lost is not None:
                self._bound.writer.transport.abort()
                return
            now = stopwatch()
            self._expire(now)
            if asked is not None and asked.done():
                if not asked.cancelled() and asked.exception() is not None:
                    self.drop(f"the message centre did not answer for {settings.response_timeout:g} s")
                    continue
                asked = None
            if asked is None and self.alive and now - self._heard >= settings.enquire_interval:
                asked = self.request(EnquireLink())
                asked.add_done_callback(_heeded)

    def _expire(self, now: float) -> None:
        """Settle the requests whose time is over; all have the same timeout, so the oldest come first."""
        while self._pending:
            sequence, entry = next(iter(self._pending.items()))
            if entry.deadline > now:
                return
            del self._pending[sequence]
            if isinstance(entry.body, SubmitSm):
                self._late[sequence] = entry.body
                if len(self._late) > _MOST_LATE:
                    self._late.popitem(last=False)
            if not entry.answer.done():
                silent = f"{self._settings.where} did not answer within {self._settings.response_timeout:g} s"
                entry.answer.set_exception(LinkLostError(silent))

    def _settle(self, reason: str) -> None:
        """End all requests of a link that is over."""
        self._lost = self._lost or reason
        self._bound.writer.close()
        where = self._settings.where
        while self._pending:
            sequence, entry = self._pending.popitem(last=False)
            if entry.answer.done():
                continue
            if sequence in self._unwritten:
                entry.answer.set_exception(NotWrittenError(f"{where}: {reason}"))
            else:
                entry.answer.set_exception(LinkLostError(f"{where}: {reason} before the answer came"))
        self._out.clear()
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(NotWrittenError(f"{where}: {reason}"))


def _heeded(answer: asyncio.Future[Pdu]) -> None:
    """Take note of an exception that nobody will look at any more."""
    if not answer.cancelled():
        answer.exception()
