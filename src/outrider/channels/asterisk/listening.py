"""Speech recognition on one call: its sound over a media websocket into a recognition engine.

What the person says is tapped from the channel (a snoop channel), so prompts go on while we listen, and the
call itself is never bridged. Three things in Asterisk belong to it, with ids that begin with the call's:
PARTS, and a bridge.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress

from outrider.channels.asterisk.client import AriClient
from outrider.channels.asterisk.link import HandshakeError, Link
from outrider.channels.asterisk.messages import Answer
from outrider.channels.asterisk.speech import SAMPLE_RATE, Heard, Recognition, Recognizer
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)

SNOOP, MEDIA, BRIDGE = ".snoop", ".media", ".bridge"
PARTS = (SNOOP, MEDIA)
"""Ends of the ids of the channels that are not calls."""

PORTION = SAMPLE_RATE * 2 // 10
"""Bytes of a tenth of a second: what the engine gets at a time."""


def part_of(identifier: str) -> AttemptId | None:
    """Return the id of the call that a channel or bridge of ours belongs to; None for anything else."""
    return call_of(identifier) if identifier.endswith((*PARTS, BRIDGE)) else None


def call_of(part: str) -> AttemptId:
    """Return the id of the call that a channel of ours belongs to."""
    return AttemptId(part.rsplit(".", 2)[0])


class Listening:
    """Listens to one call, from `start` to `stop`. `on_heard` is called on the event loop's thread."""

    def __init__(
        self,
        client: AriClient,
        call_id: AttemptId,
        recognizer: Recognizer,
        executor: Executor,
        on_heard: Callable[[Heard], None],
    ) -> None:
        self._client = client
        self._call_id = call_id
        # What was there before may take a moment to go away: names are not used twice.
        self._prefix = f"{call_id}.{secrets.token_hex(3)}"
        self._recognizer = recognizer
        self._executor = executor
        self._on_heard = on_heard
        self._sound = bytearray()
        self._more = asyncio.Event()
        self._ready = {part: asyncio.Event() for part in PARTS}
        self._link: Link | None = None
        self._consumer: asyncio.Task[None] | None = None

    def started(self, channel_id: str) -> None:
        """Note that one of our channels has come to the application: it can be bridged now."""
        self._ready[channel_id.removeprefix(self._prefix)].set()

    async def start(self, words: Sequence[str]) -> None:
        """Begin to listen for `words`. ChannelError when the server or the engine cannot."""
        loop = asyncio.get_running_loop()
        recognition = await loop.run_in_executor(self._executor, self._recognizer.recognition, words)
        self._consumer = loop.create_task(self._consume(recognition))
        try:
            await self._tap()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End it and give everything back; twice does no harm, nor does a call that is over."""
        if self._link is not None:
            self._link.close()
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.cancel()
            with suppress(asyncio.CancelledError):
                await consumer
        with suppress(ChannelError):
            await self._client.request("DELETE", f"bridges/{self._prefix}{BRIDGE}")
            for part in PARTS:
                await self._client.request("DELETE", f"channels/{self._prefix}{part}")

    async def _tap(self) -> None:
        """Lead what the person says to us."""
        settings, call_id, prefix = self._client.settings, self._call_id, self._prefix
        tap = {"spy": "in", "app": settings.application, "snoopId": f"{prefix}{SNOOP}"}
        self._check(await self._client.request("POST", f"channels/{call_id}/snoop", tap), "res_stasis_snoop")
        media = {
            "app": settings.application,
            "channelId": f"{prefix}{MEDIA}",
            "external_host": "INCOMING",
            "transport": "websocket",
            "connection_type": "server",
            "encapsulation": "none",
            "format": "slin",
        }
        answer = await self._client.request("POST", "channels/externalMedia", media)
        self._check(answer, "chan_websocket")
        connection = answer.json()["channelvars"]["MEDIA_WEBSOCKET_CONNECTION_ID"]
        address = f"{settings.websocket_base}/media/{connection}"
        try:
            self._link = await Link.connect(
                address,
                _control,
                self._heard,
                authorization=self._client.authorization,
                subprotocol="media",
                within=settings.timeout,
            )
            async with asyncio.timeout(settings.timeout):
                for ready in self._ready.values():
                    await ready.wait()
        except (OSError, HandshakeError) as error:
            text = f"the sound of call {call_id} cannot be had from Asterisk {settings.name!r}: {error}"
            raise ChannelError(text) from error
        bridge = {"type": "mixing", "bridgeId": f"{prefix}{BRIDGE}"}
        self._check(await self._client.request("POST", "bridges", bridge), "res_ari_bridges")
        both = ",".join(f"{prefix}{part}" for part in PARTS)
        path = f"bridges/{prefix}{BRIDGE}/addChannel?channel={both}"
        self._check(await self._client.request("POST", path), "bridge_simple")

    def _check(self, answer: Answer, module: str) -> None:
        if not answer.ok:
            message = (
                f"Asterisk {self._client.settings.name!r} cannot listen to call {self._call_id}:"
                f" {answer.complaint}; is {module} loaded there?"
            )
            raise ChannelError(message)

    def _heard(self, sound: bytes) -> None:
        self._sound += sound
        if len(self._sound) >= PORTION:
            self._more.set()

    async def _consume(self, recognition: Recognition) -> None:
        """Feed the engine, in a thread, portion by portion, and tell what it hears."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._more.wait()
                self._more.clear()
                sound, self._sound = bytes(self._sound), bytearray()
                # A cancelled wait leaves the thread working: the engine must not be closed under it.
                work = loop.run_in_executor(self._executor, recognition.feed, sound)
                try:
                    found = await asyncio.shield(work)
                except asyncio.CancelledError:
                    await asyncio.wait((work,))
                    raise
                for heard in found:
                    self._on_heard(heard)
        except Exception:
            log.exception("recognition on call %s failed", self._call_id)
        finally:
            await asyncio.shield(loop.run_in_executor(self._executor, recognition.close))


def _control(_: bytes) -> None:
    """Take no notice of what Asterisk says about the sound: its form was ours to choose."""
