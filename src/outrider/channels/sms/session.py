"""Keeping one connection up: bind, reconnect with back-off, pace, and offer again what was throttled.

`channel` has one per connection. A submission that was refused as throttled was not taken, so it is offered
again exactly as it was; one without an answer is never repeated.
"""

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import dataclass

from outrider.channels.base import TextSink
from outrider.channels.model import InboundText, ReceiptState, TextReceipt
from outrider.channels.sms.bodies import DeliverSm, Pdu, SubmitSm
from outrider.channels.sms.connecting import ConnectError, connect, explained
from outrider.channels.sms.connection_settings import SmppSettings
from outrider.channels.sms.constants import Tag
from outrider.channels.sms.inbound import e164, news_of
from outrider.channels.sms.joining import Joining
from outrider.channels.sms.link import Link, NotWrittenError
from outrider.channels.sms.octets import tlv_integer
from outrider.channels.sms.pace import Pace
from outrider.channels.sms.status import SENDER_REFUSED, Status, describe, is_throttling
from outrider.clock import Clock, stopwatch

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counters:
    """What happened on a connection since it was opened."""

    accepted: int = 0
    refused: int = 0
    throttled: int = 0
    unanswered: int = 0
    received: int = 0
    binds: int = 0


class Session:
    """One connection to a centre, up whenever the centre lets it. Belongs to one event loop."""

    def __init__(self, settings: SmppSettings, clock: Clock, sink: TextSink, changed: asyncio.Event) -> None:
        self.settings = settings
        self.counters = Counters()
        self.trouble = "not connected yet"
        """Why it is not bound, in one sentence; empty while it is."""
        self.tried = False
        """Whether a bind was tried at all."""
        self.complaint = ""
        """Why the centre refuses our sender, in one sentence; empty once it has taken a text."""
        self._clock = clock
        self._sink = sink
        self._changed = changed
        self._pace = Pace(settings.rate)
        self._probe = asyncio.Lock()
        """Held by the one message that tries whether a centre that throttled takes messages again."""
        self._joining = Joining(self._text)
        self._link: Link | None = None
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    @property
    def bound(self) -> bool:
        """Return whether the connection is bound now."""
        return self._link is not None and self._link.alive

    @property
    def free(self) -> int:
        """Return how many more submissions its window holds; less than 0 when some wait already."""
        return self._link.free if self._link is not None else 0

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def finish(self) -> None:
        """Connect no more, and offer no more what is refused as throttled."""
        self._closing = True

    async def stop(self) -> None:
        """Finish what was submitted, unbind and end."""
        self.finish()
        if self._link is not None:
            await self._link.close()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def submit(self, message: SubmitSm) -> Pdu:
        """Submit one message and return the centre's answer; waits for window, rate and throttling.

        Raises NotWrittenError while the centre cannot have it, LinkLostError when nobody knows. The answer
        has a throttling status when the centre still refused after `throttle_patience`.
        """
        until = stopwatch() + self.settings.throttle_patience
        while True:
            answer = await self._offer(message)
            if not is_throttling(answer.status) or stopwatch() >= until or self._closing:
                return answer

    async def _offer(self, message: SubmitSm) -> Pdu:
        """Write one message when window and pace allow, and wait for the answer."""
        link = self._link
        if link is None:
            raise NotWrittenError(f"{self.settings.where} is not connected: {self.trouble}")
        await link.enter()
        try:
            wait = self._pace.reserve(stopwatch())
            while True:
                while wait > 0:
                    await asyncio.sleep(wait)
                    wait = self._after_pause()
                if not self._pace.is_probing():
                    return await self._ask(link, message)
                async with self._probe:
                    if self._pace.is_probing() and not self._pace.paused(stopwatch()):
                        return await self._ask(link, message)
                wait = self._after_pause()
        finally:
            link.leave()

    def _after_pause(self) -> float:
        """Return how much longer to wait when the centre throttled meanwhile, else 0."""
        now = stopwatch()
        return self._pace.reserve(now) if self._pace.paused(now) else 0.0

    async def _ask(self, link: Link, message: SubmitSm) -> Pdu:
        """Write one message, wait for the answer, and learn from it how fast the centre wants it."""
        answer = await link.request(message)
        if is_throttling(answer.status):
            self.counters.throttled += 1
            self._pace.throttled(stopwatch())
        elif answer.status == Status.OK:
            self.counters.accepted += 1
            self.complaint = ""
            self._pace.accepted(stopwatch())
        else:
            self.counters.refused += 1
            self._note_refusal(message, answer.status)
        return answer

    def _note_refusal(self, message: SubmitSm, status: int) -> None:
        """Remember a refusal that speaks of us, and not of the recipient or the text."""
        if status in SENDER_REFUSED:
            sender = message.source.digits or "none"
            self.complaint = (
                f"{self.settings.where} refuses texts from the sender {sender}: {describe(status)}; use a"
                " sender that the provider has approved, and set sender, source_ton and source_npi"
            )

    async def _run(self) -> None:
        """Connect, live, and connect again, until stopped."""
        delay = self.settings.reconnect_first
        while not self._closing:
            lived = 0.0
            try:
                lived = await self._live()
            except ConnectError as error:
                self._say((await explained(self.settings, error)).message)
            if lived >= delay:
                delay = self.settings.reconnect_first
            await asyncio.sleep(delay * random.uniform(0.75, 1.25))  # noqa: S311 - spreads reconnects, no secret
            delay = min(2 * delay, self.settings.reconnect_longest)

    async def _live(self) -> float:
        """Bind once, stay until the link is lost, return the seconds between. ConnectError without a bind."""
        try:
            bound = await connect(self.settings)
        finally:
            self.tried = True
        link = Link(bound, self.settings, self._deliver, self._late)
        self._link = link
        self.trouble = ""
        self.counters.binds += 1
        log.info("%s: bound as %s", self.settings.where, self.settings.bind.value)
        self._changed.set()
        began = stopwatch()
        try:
            reason = await link.run()
        finally:
            self._link = None
        self._say(f"{self.settings.where}: {reason}")
        return stopwatch() - began

    def _say(self, trouble: str) -> None:
        """Remember why there is no connection; log it once, not at every try."""
        if trouble != self.trouble and not self._closing:
            log.debug("%s", trouble)
        self.trouble = trouble
        self._changed.set()

    async def _deliver(self, message: DeliverSm) -> int:
        """Give a receipt or text to the sink; a sink that fails makes the centre deliver it again."""
        self.counters.received += 1
        try:
            news = news_of(message, self.settings.name, self._clock.now())
            if isinstance(news, TextReceipt):
                await self._sink(news)
            else:
                await self._joining.add(news)
        except Exception:
            log.exception(
                "what %s delivered could not be kept; it will deliver it again", self.settings.where
            )
            return Status.TEMPORARY_APPLICATION_ERROR
        return Status.OK

    async def _text(self, text: InboundText) -> None:
        await self._sink(text)

    async def _late(self, message: SubmitSm, message_id: str) -> None:
        """Tell the id of a submission that was given up: its answer came too late, but it came."""
        reference = tlv_integer(message.tlvs, Tag.USER_MESSAGE_REFERENCE)
        address = e164(message.destination)
        at, late = self._clock.now(), "the answer to the submission came late"
        await self._sink(
            TextReceipt(self.settings.name, message_id, at, ReceiptState.ENROUTE, address, reference, late)
        )
