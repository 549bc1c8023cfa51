"""What this driver asks of speech engines: two small Protocols, implemented in `outrider.speech`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from outrider.channels.model import Prompt

SAMPLE_RATE = 8000
"""Samples per second of what a Recognition is fed: signed 16-bit little-endian, one channel."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance: one of the words listened for, or None for anything else. `confidence` is 0 to 1."""

    word: str | None
    confidence: float = 0.0


class Speaker(Protocol):
    """Makes sound of text."""

    async def sound(self, prompt: Prompt) -> str:
        """Return the media URI of a prompt's text, as Asterisk plays it: `sound:/shared/folder/name`.

        Absolute paths without extension; Asterisk must be able to read the file. ChannelError when it fails.
        """
        ...


class Recognition(Protocol):
    """Listens to one call."""

    def feed(self, pcm: bytes) -> Sequence[Heard]:
        """Take the next sound, about a tenth of a second, and return the utterances that ended in it.

        Called in a thread, never twice at once for one recognition; it may take its time.
        """
        ...

    def close(self) -> None:
        """Give everything back. Called in a thread, after the last `feed` has returned."""
        ...


class Recognizer(Protocol):
    """Makes recognitions."""

    def recognition(self, words: Sequence[str]) -> Recognition:
        """Begin to listen for `words`. Called in a thread. ChannelError when the engine cannot."""
        ...
