"""Decoders of pocketsphinx: loaded once, kept, and lent to one utterance at a time. Blocks; for threads.

`recognizer.py` uses the pool. A decoder keeps the grammars that it was last used with.
"""

import functools
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pocketsphinx
import soxr

from outrider.errors import ChannelError
from outrider.speech.recognition.vocabulary import Vocabulary

TELEPHONE_RATE, MODEL_RATE = 8000, 16_000
"""The shipped model wants 16 kHz; it fails to load for 8."""
MOST_GRAMMARS = 16
"""Grammars that one decoder keeps."""


class Decoder:
    """One decoder. Only one thread may use it at a time."""

    def __init__(self) -> None:
        """Load the English model that comes with pocketsphinx. ChannelError when that fails."""
        try:
            self._decoder = pocketsphinx.Decoder(lm=None, samprate=float(MODEL_RATE), loglevel="FATAL")
        except (RuntimeError, ValueError, OSError) as error:
            raise ChannelError(f"the model of pocketsphinx cannot be loaded: {error}") from error
        self._grammars: OrderedDict[str, None] = OrderedDict()

    def unknown(self, words: Sequence[str]) -> list[str]:
        """Return those words that are not in the dictionary."""
        return [word for word in words if self._decoder.lookup_word(word) is None]

    def decode(self, pcm: bytes, wanted: Vocabulary) -> tuple[str, float]:
        """Return what was said in 16-bit sound of 8 kHz, and how sure that is (0 to 1)."""
        self._use(wanted)
        samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")
        sound = soxr.resample(samples, TELEPHONE_RATE, MODEL_RATE, quality="HQ").tobytes()
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(sound, full_utt=True)
        finally:
            self._decoder.end_utt()
        found = self._decoder.hyp()
        return ("", 0.0) if found is None else (found.hypstr, min(1.0, max(0.0, found.prob)))

    def _use(self, wanted: Vocabulary) -> None:
        grammar = wanted.grammar
        name = hashlib.sha256(grammar.encode()).hexdigest()[:16]
        if name not in self._grammars:
            self._decoder.add_jsgf_string(name, grammar)
        self._grammars[name] = None
        self._grammars.move_to_end(name)
        self._decoder.activate_search(name)
        if len(self._grammars) > MOST_GRAMMARS:
            oldest, _ = self._grammars.popitem(last=False)
            self._decoder.remove_search(oldest)


class DecoderPool:
    """At most `most` decoders, each made when it is first needed and kept for good."""

    def __init__(self, most: int) -> None:
        self._free: list[Decoder] = []
        self._lock = threading.Lock()
        self._places = threading.Semaphore(most)

    @contextmanager
    def lent(self) -> Iterator[Decoder]:
        """Lend a decoder to this thread, waiting until one is free. ChannelError when none can be loaded."""
        with self._places:
            with self._lock:
                decoder = self._free.pop() if self._free else None
            if decoder is None:
                decoder = Decoder()
            yield decoder
            # After an error the decoder is left behind: nobody knows what state it is in.
            with self._lock:
                self._free.append(decoder)

    @functools.lru_cache(maxsize=1000)  # noqa: B019 - a pool lives as long as the program
    def unknown(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return those words that are not in the dictionary."""
        with self.lent() as decoder:
            return tuple(decoder.unknown(words))
