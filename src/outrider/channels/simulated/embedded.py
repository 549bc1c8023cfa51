"""The simulated carrier inside our own process: the voice channel of the embedded default.

The composition root builds it for one process; several workers share `server` through `client` instead.
Its calls end with the process, like those of a media server that is killed.
"""

import logging
from collections.abc import Sequence

from outrider.channels.base import EventSink
from outrider.channels.model import CallEvent, Living, OutboundCall, Prompt
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.scheduler import Scheduler
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)


class EmbeddedCarrier:
    """A VoiceChannel over a SimulatedCarrier. Between `close` and `open` its calls live on, unheard."""

    def __init__(self, carrier: SimulatedCarrier) -> None:
        self.carrier = carrier
        self._scheduler = Scheduler(carrier)
        self._open = False

    async def open(self, sink: EventSink) -> None:
        """Deliver all events to `sink` from now on, first those that were held while closed."""

        def deliver(event: CallEvent) -> None:
            try:
                sink(event)
            except Exception:
                # One call's controller must not stop the timers of all the others.
                log.exception("an event of call %s was not taken", event.call_id)

        self._open = True
        self.carrier.connect(deliver)
        self._scheduler.start()

    async def close(self) -> None:
        """Stop delivering; timers stand still until the next `open`, which makes up for them."""
        self._open = False
        self.carrier.disconnect()
        await self._scheduler.stop()

    async def originate(self, call: OutboundCall) -> None:
        """Make a call. Raises DuplicateCallError for an id used before, ChannelError when refused."""
        await self._reach()
        self.carrier.originate(call)

    async def play(self, call_id: AttemptId, prompt: Prompt) -> None:
        """Play a prompt on an answered call. Raises ChannelError when the call is not up."""
        await self._reach()
        self.carrier.play(call_id, prompt)

    async def hang_up(self, call_id: AttemptId) -> None:
        """End a call; nothing happens when it is over already."""
        await self._reach()
        self.carrier.hang_up(call_id)

    async def stop_playing(self, call_id: AttemptId) -> None:
        """End the prompt that is being played, if any."""
        await self._reach()
        self.carrier.stop_playing(call_id)

    async def listen(self, call_id: AttemptId, words: Sequence[str]) -> None:
        """Recognise these words. Raises ChannelError when the call is not up."""
        await self._reach()
        self.carrier.listen(call_id, words)

    async def stop_listening(self, call_id: AttemptId) -> None:
        """Recognise nothing any more."""
        await self._reach()
        self.carrier.stop_listening(call_id)

    async def join(self, call_id: AttemptId, room: str) -> None:
        """Put an answered call into a room. Raises ChannelError when the call is not up."""
        await self._reach()
        self.carrier.join(call_id, room)

    async def leave(self, call_id: AttemptId, *, music: bool = False) -> None:
        """Take a call out of its room; nothing happens when it is gone."""
        await self._reach()
        self.carrier.leave(call_id, music=music)

    async def send_digits(self, call_id: AttemptId, digits: str) -> None:
        """Play keys to the far end. Raises ChannelError when the call is not up."""
        await self._reach()
        self.carrier.send_digits(call_id, digits)

    async def living(self) -> Living:
        """Return every call that exists now. Raises ChannelError if unreachable."""
        await self._reach()
        return self.carrier.living()

    async def _reach(self) -> None:
        if not self._open:
            raise ChannelError("the voice channel is closed; open it before making calls")
        if self.carrier.faults.latency:
            await self.carrier.clock.sleep(self.carrier.faults.latency)
