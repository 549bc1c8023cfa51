"""Texts become files: each text is synthesised once, a few at a time, by the first engine that can.

Speakers and checks call `file`. An engine that failed rests for a while, so that a dead one does not hold up
every call.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from outrider.clock import stopwatch
from outrider.errors import ChannelError
from outrider.speech.synthesis.cache import PromptCache
from outrider.speech.synthesis.sound import telephone_wav
from outrider.speech.synthesis.voice import Voice, checked_voice, speakable

log = structlog.get_logger(__name__)

REST = 30.0
"""Real seconds for which an engine that failed is asked last."""

Voices = Callable[[], Awaitable[Sequence[Voice]]]
"""Gives the engines that are configured now, the one to be used first at the front."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is done at the same time; `timeout` is real seconds for one text and engine."""

    parallel: int = 2
    most_waiting: int = 1000
    timeout: float = 15.0


class Synthesiser:
    """Makes and keeps prompts for one process. Use it from one event loop, and `close` it."""

    def __init__(self, cache: PromptCache, voices: Voices, limits: Limits | None = None) -> None:
        self._cache = cache
        self._voices = voices
        self._limits = limits or Limits()
        self._turns = asyncio.Semaphore(self._limits.parallel)
        self._making: dict[tuple[str, str], asyncio.Task[Path]] = {}
        self._rests: dict[str, float] = {}

    async def file(self, text: str, voice: str = "") -> Path:
        """Return the file (8 kHz mono 16-bit WAV) of a text, made now unless it is kept already.

        `voice` "" is the engine's own. ChannelError says which engine failed and why.
        """
        wanted = (speakable(text), checked_voice(voice))
        making = self._making.get(wanted)
        if making is None:
            voices = await self._in_order()
            for each in voices:
                found = self._cache.find(_key(each, *wanted))
                if found is not None:
                    return found
            # Somebody else may have begun while the engines were asked for.
            making = self._making.get(wanted) or self._begin(wanted, voices)
        # Whoever gives up waiting must not take the prompt away from the others.
        return await asyncio.shield(making)

    async def close(self) -> None:
        """End what is being made."""
        running = tuple(self._making.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _begin(self, wanted: tuple[str, str], voices: Sequence[Voice]) -> asyncio.Task[Path]:
        if len(self._making) >= self._limits.most_waiting + self._limits.parallel:
            raise ChannelError(
                f"speech synthesis is overloaded: {len(self._making)} texts wait; allow more in parallel"
            )
        task = asyncio.get_running_loop().create_task(self._make(*wanted, voices))
        self._making[wanted] = task
        task.add_done_callback(lambda done: self._made(wanted, done))
        return task

    def _made(self, wanted: tuple[str, str], task: asyncio.Task[Path]) -> None:
        del self._making[wanted]
        if not task.cancelled():
            # Nobody may be waiting for it any more: then its error is no news.
            task.exception()

    async def _make(self, text: str, voice: str, voices: Sequence[Voice]) -> Path:
        problems: list[str] = []
        async with self._turns:
            for each in voices:
                try:
                    async with asyncio.timeout(self._limits.timeout):
                        sound = await each.speak(text, voice)
                    content = await asyncio.to_thread(telephone_wav, sound)
                except (ChannelError, TimeoutError) as error:
                    said = error.message if isinstance(error, ChannelError) else self._late()
                    log.warning("text_not_synthesised", server=each.name, error=said)
                    problems.append(f"speech server {each.name}: {said}")
                    self._rests[each.identity] = stopwatch() + REST
                    continue
                self._rests.pop(each.identity, None)
                return await asyncio.to_thread(self._cache.store, _key(each, text, voice), content)
        raise ChannelError("; ".join(problems))

    async def _in_order(self) -> Sequence[Voice]:
        """Return the engines, those that failed lately last."""
        voices = await self._voices()
        if not voices:
            raise ChannelError("no speech server for text to speech is switched on: add one, or use a file")
        now = stopwatch()
        return sorted(voices, key=lambda each: self._rests.get(each.identity, 0.0) > now)

    def _late(self) -> str:
        return f"it was not ready within {self._limits.timeout:g} s"


def _key(voice: Voice, text: str, name: str) -> str:
    content = f"{voice.identity}\0{name}\0{text}"
    return hashlib.sha256(content.encode()).hexdigest()[:40]
