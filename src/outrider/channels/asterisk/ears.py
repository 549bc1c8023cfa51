"""Speech recognition on the calls of one Asterisk: who is listened to, on which threads. For `server`."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from outrider.channels.asterisk.client import AriClient
from outrider.channels.asterisk.listening import Listening, call_of
from outrider.channels.asterisk.messages import Event
from outrider.channels.asterisk.register import Register
from outrider.channels.asterisk.speech import Heard, Recognizer
from outrider.channels.model import SpeechHeard
from outrider.clock import Clock
from outrider.errors import ChannelError
from outrider.ids import AttemptId

LISTENERS = 4
"""Threads for speech recognition of one server's calls."""


class Ears:
    """All calls that are being listened to."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        register: Register,
        recognizer: Recognizer | None,
        client: Callable[[], AriClient],
    ) -> None:
        self._name = name
        self._clock = clock
        self._register = register
        self._recognizer = recognizer
        self._client = client
        self._listening: dict[AttemptId, Listening] = {}
        self._threads: ThreadPoolExecutor | None = None

    def __contains__(self, call_id: AttemptId) -> bool:
        return call_id in self._listening

    async def listen(self, call_id: AttemptId, words: Sequence[str]) -> None:
        """Recognise these words. ChannelError when the call is not up, or nothing can recognise speech."""
        self._register.up(call_id)
        if self._recognizer is None:
            raise ChannelError("speech cannot be recognised: no recognition engine is configured")
        if call_id in self._listening:
            raise ChannelError(f"call {call_id} is being listened to already")
        if self._threads is None:
            self._threads = ThreadPoolExecutor(LISTENERS, thread_name_prefix=f"ears-{self._name}")

        def on_heard(heard: Heard) -> None:
            if self._listening.get(call_id) is listening:
                event = SpeechHeard(call_id, self._clock.now(), heard.word, heard.confidence)
                self._register.tell(event)

        listening = Listening(self._client(), call_id, self._recognizer, self._threads, on_heard)
        self._listening[call_id] = listening
        try:
            await listening.start(words)
        except BaseException:
            self._listening.pop(call_id, None)
            raise
        if self._register.get(call_id) is None:
            await self.stop(call_id)

    async def stop(self, call_id: AttemptId) -> None:
        """End recognition on a call; nothing happens when there is none."""
        listening = self._listening.pop(call_id, None)
        if listening is not None:
            await listening.stop()

    def heard_of_part(self, name: str, event: Event) -> None:
        """Take an event of a channel that carries a call's sound to us."""
        listening = self._listening.get(call_of(name))
        if listening is not None and event.get("type") == "StasisStart":
            listening.started(name)

    async def close(self) -> None:
        """Listen to nobody any more."""
        for listening in tuple(self._listening.values()):
            await listening.stop()
        self._listening.clear()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None
