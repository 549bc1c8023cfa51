"""Many media servers as one voice channel: each call goes to the server that was chosen for it.

The composition root gives it to workers. The database places calls; this only carries them where they belong.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from outrider.channels.asterisk.health import OnHealth, ServerHealth
from outrider.channels.asterisk.server import AsteriskServer
from outrider.channels.asterisk.settings import AsteriskSettings
from outrider.channels.asterisk.speech import Recognizer, Speaker
from outrider.channels.base import ChannelUnreachableError, EventSink, VoiceChannel
from outrider.channels.model import CallEvent, Living, OutboundCall, Prompt
from outrider.clock import Clock
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Engines:
    """The speech engines that all servers share; None where there is none."""

    speaker: Speaker | None = None
    recognizer: Recognizer | None = None


class MediaServers:
    """A voice channel over all configured media servers, and a `fallback` for calls that name none.

    `on_doubt` is called when news of calls may have been missed: ask `living` then. `on_health` is called
    at every change of how we stand with a server. All runs on one event loop.
    """

    def __init__(
        self,
        clock: Clock,
        fallback: VoiceChannel | None = None,
        engines: Engines | None = None,
        on_doubt: Callable[[], None] | None = None,
        on_health: OnHealth | None = None,
    ) -> None:
        self.on_doubt = on_doubt
        self.on_health = on_health
        self._clock = clock
        self._fallback = fallback
        self._engines = engines or Engines()
        self._sink: EventSink | None = None
        self._servers: dict[str, AsteriskServer] = {}
        self._leaving: dict[str, AsteriskServer] = {}
        self._wanted: tuple[AsteriskSettings, ...] = ()

    @property
    def fallback(self) -> VoiceChannel | None:
        """Return the channel of calls that name no server."""
        return self._fallback

    async def open(self, sink: EventSink) -> None:
        """Open the fallback, and begin to connect to all servers. Raises only what the fallback raises.

        A server that cannot be reached keeps nobody from dialing over the others: `health` tells of it.
        """
        self._sink = sink
        if self._fallback is not None:
            await self._fallback.open(self._hear)
        await self.configure(self._wanted)

    async def close(self) -> None:
        """Disconnect from all; calls that are up live on where the media server can keep them."""
        self._sink = None
        for server in (*self._servers.values(), *self._leaving.values()):
            await server.close()
        self._servers.clear()
        self._leaving.clear()
        if self._fallback is not None:
            await self._fallback.close()

    async def configure(self, settings: Sequence[AsteriskSettings]) -> None:
        """Let exactly these servers be used from now on; calls on others are not disturbed.

        A server that is gone from the list is kept for the calls that are up on it, and gets no new ones.
        One whose settings have changed is connected to anew: its calls go on, and are taken over.
        """
        self._wanted = tuple(settings)
        if self._sink is None:
            return
        wanted = {each.name: each for each in settings}
        for name in [name for name in self._servers if name not in wanted]:
            self._leaving[name] = self._servers.pop(name)
        await self._sweep()
        for name, each in wanted.items():
            present = self._leaving.pop(name, None) or self._servers.get(name)
            if present is None:
                self._servers[name] = self._connect(each)
            else:
                self._servers[name] = present
                await present.change(each)

    def health(self) -> Mapping[str, ServerHealth]:
        """Return how we stand with each server in use, by name."""
        return {name: server.health for name, server in self._servers.items()}

    async def originate(self, call: OutboundCall) -> None:
        """Make a call on its server. ChannelUnreachableError when that is not (or no longer) configured.

        Raises DuplicateCallError for an id used before, ChannelError when refused.
        """
        await self._place_of(call.server).originate(call)

    async def play(self, call_id: AttemptId, prompt: Prompt) -> None:
        """Play a prompt on an answered call. Raises ChannelError when the call is not up."""
        await self._has(call_id).play(call_id, prompt)

    async def stop_playing(self, call_id: AttemptId) -> None:
        """End the prompt that is being played, if any: its PlaybackFinished still comes."""
        place = self._find(call_id)
        if place is not None:
            await place.stop_playing(call_id)

    async def listen(self, call_id: AttemptId, words: Sequence[str]) -> None:
        """Recognise speech on an answered call, until `stop_listening`. ChannelError when it cannot be."""
        await self._has(call_id).listen(call_id, words)

    async def stop_listening(self, call_id: AttemptId) -> None:
        """End speech recognition on a call; nothing happens when there is none."""
        place = self._find(call_id)
        if place is not None:
            await place.stop_listening(call_id)

    async def join(self, call_id: AttemptId, room: str) -> None:
        """Put an answered call into a room of its server. Raises ChannelError when it is not up."""
        await self._has(call_id).join(call_id, room)

    async def leave(self, call_id: AttemptId, *, music: bool = False) -> None:
        """Take a call out of its room; nothing happens when it is gone."""
        place = self._find(call_id)
        if place is not None:
            await place.leave(call_id, music=music)

    async def send_digits(self, call_id: AttemptId, digits: str) -> None:
        """Play keys to the far end. Raises ChannelError when the call is not up."""
        await self._has(call_id).send_digits(call_id, digits)

    async def hang_up(self, call_id: AttemptId) -> None:
        """End a call; nothing happens when it is over already."""
        place = self._find(call_id)
        if place is not None:
            await place.hang_up(call_id)

    async def living(self) -> Living:
        """Answer "what is up?" for all servers together; those that cannot be asked are named in `silent`."""
        places: list[VoiceChannel] = [*self._servers.values(), *self._leaving.values()]
        if self._fallback is not None:
            places.append(self._fallback)
        answers = await asyncio.gather(*(place.living() for place in places))
        await self._sweep()
        calls = tuple(call for answer in answers for call in answer.calls)
        return Living(calls, frozenset().union(*(answer.silent for answer in answers)))

    def _connect(self, settings: AsteriskSettings) -> AsteriskServer:
        server = AsteriskServer(
            settings,
            self._clock,
            speaker=self._engines.speaker,
            recognizer=self._engines.recognizer,
            on_doubt=self._doubt,
            on_health=self._health_changed,
        )
        server.start(self._hear)
        return server

    def _place_of(self, name: str) -> VoiceChannel:
        place = self._servers.get(name) if name else self._fallback
        if place is None:
            what = f"media server {name!r}" if name else "a simulated carrier"
            message = f"{what} is not configured here: no call was made"
            raise ChannelUnreachableError(message, where=name)
        return place

    def _find(self, call_id: AttemptId) -> VoiceChannel | None:
        for server in (*self._servers.values(), *self._leaving.values()):
            if server.knows(call_id):
                return server
        return self._fallback

    def _has(self, call_id: AttemptId) -> VoiceChannel:
        place = self._find(call_id)
        if place is None:
            raise ChannelError(f"call {call_id} is not up")
        return place

    def _hear(self, event: CallEvent) -> None:
        if self._sink is not None:
            self._sink(event)

    def _doubt(self) -> None:
        if self.on_doubt is not None:
            self.on_doubt()

    def _health_changed(self, health: ServerHealth) -> None:
        if self.on_health is not None and health.name in self._servers:
            self.on_health(health)

    async def _sweep(self) -> None:
        """Leave servers that are not wanted any more and have no calls of ours."""
        for name, server in tuple(self._leaving.items()):
            if not server.health.calls:
                log.info("media server %s is not used any more", name)
                await server.close()
                self._leaving.pop(name, None)
