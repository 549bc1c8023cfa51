"""The reference engine of speech recognition: a few English words in telephone sound, by pocketsphinx.

It is the `Recognizer` of the Asterisk driver, which calls it in threads. Voice activity decides where an
utterance begins and ends; only whole utterances are decoded, so a decoder is needed for about 30 ms each.
"""

import threading
from collections.abc import Sequence

import pocketsphinx

from outrider.channels.asterisk.speech import SAMPLE_RATE, Heard
from outrider.errors import ChannelError
from outrider.speech.recognition.decoders import DecoderPool
from outrider.speech.recognition.vocabulary import Vocabulary, vocabulary

LONGEST = 6.0
"""Seconds: whoever talks longer without a pause gives no answer of a few words."""
_WINDOW, _RATIO = 0.3, 0.9
"""An utterance begins and ends when this part of so many seconds is speech, or silence."""


class PocketsphinxRecognizer:
    """Makes recognitions, which share one pool of at most `decoders` decoders."""

    def __init__(self, decoders: int = 2) -> None:
        self._pool = DecoderPool(decoders)

    def recognition(self, words: Sequence[str]) -> "PocketsphinxRecognition":
        """Begin to listen for `words` (English, see vocabulary.py) and what people say in their place.

        Blocks while a model is loaded (0.2 s, once). ChannelError names words that are not known.
        """
        wanted = vocabulary(words)
        unknown = self._pool.unknown(wanted.spoken)
        if unknown:
            raise ChannelError(
                f"speech recognition does not know {', '.join(unknown)}: it has an English dictionary only; "
                "use other words, or keys"
            )
        return PocketsphinxRecognition(self._pool, wanted)


class PocketsphinxRecognition:
    """Listens to one call. `feed` and `close` are called by one thread at a time."""

    def __init__(self, pool: DecoderPool, wanted: Vocabulary) -> None:
        self._pool = pool
        self._wanted = wanted
        self._endpointer = pocketsphinx.Endpointer(
            _WINDOW, _RATIO, pocketsphinx.Vad.LOOSE, sample_rate=SAMPLE_RATE
        )
        self._frame: int = self._endpointer.frame_bytes
        self._longest = int(LONGEST * SAMPLE_RATE) * 2
        self._rest = b""
        self._speech: list[bytes] = []
        self._spoken = 0
        self._closed = threading.Event()

    def feed(self, pcm: bytes) -> Sequence[Heard]:
        """Take the next 16-bit sound of 8 kHz; return the utterances that ended in it."""
        found: list[Heard] = []
        data = self._rest + pcm
        whole = len(data) // self._frame * self._frame
        self._rest = data[whole:]
        for start in range(0, whole, self._frame):
            speech = self._endpointer.process(data[start : start + self._frame])
            if speech is not None:
                self._keep(speech)
            if self._spoken and not self._endpointer.in_speech:
                found.append(self._decide())
            if self._closed.is_set():
                break
        return found

    def close(self) -> None:
        """Give everything back."""
        self._closed.set()
        self._speech.clear()
        self._spoken = 0

    def _keep(self, speech: bytes) -> None:
        self._spoken += len(speech)
        if self._spoken <= self._longest:
            self._speech.append(speech)
        else:
            self._speech.clear()

    def _decide(self) -> Heard:
        """Say what the utterance that has just ended was."""
        pcm, spoken = b"".join(self._speech), self._spoken
        self._speech.clear()
        self._spoken = 0
        if spoken > self._longest:
            return Heard(None)
        with self._pool.lent() as decoder:
            said, confidence = decoder.decode(pcm, self._wanted)
        return Heard(self._wanted.meaning(said), confidence)
