"""Tones by which phones of the test bed know each other: 20 ms of mu-law each, and who is heard in 20 ms.

Frequencies are multiples of 50 Hz: whole periods fit into a packet, so that all packets of a tone are the
same, and the tones of several phones can be told apart in what a conference mixes.
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from tools.testbed.speech_files import RATE, mu_law

PACKET = 160
"""Samples, and bytes, of 20 ms."""
STEP = RATE // PACKET
"""Hz between two tones that can be told apart."""

_AMPLITUDE = 6_000.0
_QUIETEST = 600.0
"""Amplitude below which a tone is not there."""
_LOUD = 100.0
"""Root mean square of 20 ms that are not silence."""
_BIAS = 132


@functools.cache
def packet(tone: int) -> bytes:
    """Return 20 ms of a tone (Hz, a multiple of STEP) in mu-law; 0 is silence."""
    at = np.arange(PACKET) / RATE
    return mu_law((np.sin(2 * math.pi * tone * at) * _AMPLITUDE).astype(np.int16))


def heard(payload: bytes) -> frozenset[int]:
    """Return the tones (Hz) in 20 ms of mu-law."""
    strength = np.abs(np.fft.rfft(_linear(payload))) * 2 / PACKET
    return frozenset(int(index) * STEP for index in np.flatnonzero(strength > _QUIETEST))


def is_loud(payload: bytes) -> bool:
    """Return whether there is any sound in it."""
    return bool(np.sqrt(np.mean(_linear(payload) ** 2)) > _LOUD)


@functools.cache
def _table() -> NDArray[np.float64]:
    """Return the sample of each byte of ITU-T G.711 mu-law."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, code & 0x0F
    magnitude = ((mantissa.astype(np.int32) << 3) + _BIAS << exponent.astype(np.int32)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.float64)


def _linear(payload: bytes) -> NDArray[np.float64]:
    return _table()[np.frombuffer(payload, dtype=np.uint8)]
