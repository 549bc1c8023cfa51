"""What far ends say: 8 kHz mono mu-law files, spoken by the test bed's espeak-ng, for SIPp to stream.

`public_network` makes them once per bed, in the bed's cache; tests may use `spoken` for other sentences.
"""

import hashlib
import math
import subprocess
import wave
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.testbed.bed import Bed

RATE = 8000
"""Samples a second of telephony."""

GREETING = (
    "Hello. You have reached the voice mail of John Smith. I am not able to take your call right now. "
    "Please leave a message after the tone and I will call you back as soon as possible. Thank you."
)
_BIAS, _CLIP = 132, 32_635
_CALLING_TONE, _TONE_ON, _TONE_OFF, _TONES = 1100.0, 0.5, 3.0, 6
"""ITU-T T.30: a calling fax sends 1100 Hz for 0.5 s, then is silent for 3 s."""


def mu_law(samples: NDArray[np.int16]) -> bytes:
    """Return 16-bit samples in ITU-T G.711 mu-law."""
    wide = samples.astype(np.int32)
    magnitude = np.minimum(np.abs(wide), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    code = np.where(wide < 0, 0x80, 0) | (exponent << 4) | mantissa
    return bytes((~code & 0xFF).astype(np.uint8))


def silence(seconds: float) -> NDArray[np.int16]:
    """Return that much silence."""
    return np.zeros(round(seconds * RATE), dtype=np.int16)


def fax_tone() -> NDArray[np.int16]:
    """Return what a calling fax sends, for about 20 seconds."""
    beep = np.sin(2 * math.pi * _CALLING_TONE * np.arange(round(_TONE_ON * RATE)) / RATE) * 10_000
    once = np.concatenate([beep.astype(np.int16), silence(_TONE_OFF)])
    return np.tile(once, _TONES)


def speech(bed: Bed, text: str, voice: str = "en-us") -> NDArray[np.int16]:
    """Return a sentence spoken by espeak-ng, at RATE."""
    command = bed.command("espeak-ng", "-v", voice, "--stdout", text)
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    with wave.open(BytesIO(done.stdout)) as file:
        rate = file.getframerate()
        spoken = np.frombuffer(file.readframes(-1), dtype=np.int16)
    at = np.arange(0, len(spoken) - 1, rate / RATE)
    return np.interp(at, np.arange(len(spoken)), _low_pass(spoken, rate)).astype(np.int16)


def spoken(bed: Bed, text: str, *, before: float = 0.0, after: float = 0.0) -> Path:
    """Return a header-less mu-law file of a sentence with seconds of silence around it; made once."""
    key = hashlib.sha256(f"{text}|{before}|{after}".encode()).hexdigest()[:16]
    path = _folder(bed) / f"{key}.ul"
    if not path.exists():
        _appear(path, np.concatenate([silence(before), speech(bed, text), silence(after)]))
    return path


def fax(bed: Bed) -> Path:
    """Return the header-less mu-law file of a fax's calling tone; made once."""
    path = _folder(bed) / "fax.ul"
    if not path.exists():
        _appear(path, fax_tone())
    return path


def _low_pass(samples: NDArray[np.int16], rate: int) -> NDArray[np.float64]:
    """Return samples without what RATE cannot carry (above 3.4 kHz)."""
    taps = 63
    reach = np.arange(taps) - taps // 2
    kernel = np.sinc(2 * 3400 / rate * reach) * np.hamming(taps)
    return np.convolve(samples, kernel / kernel.sum(), mode="same")


def _folder(bed: Bed) -> Path:
    folder = bed.folder.with_name(bed.folder.name + "-speech")
    folder.mkdir(exist_ok=True)
    return folder


def _appear(path: Path, samples: NDArray[np.int16]) -> None:
    """Write a file so that others who make it at the same time see it whole."""
    content = mu_law(samples)
    partial = path.with_suffix(f".{hashlib.sha256(str(id(content)).encode()).hexdigest()[:8]}")
    partial.write_bytes(content)
    partial.replace(path)
