"""Sound as telephony wants it: any PCM WAV becomes 8 kHz, mono, 16 bits. Pure.

The synthesiser calls `telephone_wav` on what an engine made.
"""

import io
import wave

import numpy as np
import soxr
from numpy.typing import NDArray

from outrider.errors import ChannelError

RATE = 8000
"""Samples a second of telephony."""
LONGEST = 600
"""Seconds of one prompt; anything longer is a fault of the engine."""
LARGEST = 120_000_000
"""Bytes of what an engine may make of one text."""
_LOWEST, _HIGHEST = 4000, 192_000
_MOST_CHANNELS = 8


def telephone_wav(content: bytes) -> bytes:
    """Return a WAV file of PCM (8, 16, 24 or 32 bits, any rate and channels) at RATE, mono, 16 bits.

    ChannelError says what is wrong with it otherwise. Sizes in a header that a pipe could not know are
    not believed.
    """
    rate, samples = _read(content)
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE, quality="HQ")
    whole = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(whole.tobytes())
    return out.getvalue()


def _read(content: bytes) -> tuple[int, NDArray[np.float32]]:
    """Return the rate and the samples, -1 to 1, channels averaged."""
    if not content:
        raise ChannelError("it made no sound at all")
    try:
        with wave.open(io.BytesIO(content)) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError, RuntimeError) as error:
        raise ChannelError(
            f"what it made is not a WAV file of PCM: {str(error) or 'it ends too soon'}"
        ) from None
    if not _LOWEST <= rate <= _HIGHEST or not 1 <= channels <= _MOST_CHANNELS:
        raise ChannelError(f"its WAV file has {channels} channels at {rate} Hz, which cannot be played")
    frame = channels * width
    data = data[: len(data) // frame * frame]
    if not data:
        raise ChannelError("its WAV file has no sound in it")
    if len(data) // frame > rate * LONGEST:
        raise ChannelError(f"its WAV file is longer than {LONGEST} seconds")
    samples = _samples(data, width).reshape(-1, channels)
    return rate, samples.mean(axis=1, dtype=np.float32)


def _samples(data: bytes, width: int) -> NDArray[np.float32]:
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128.0) / 128.0
    if width == 3:  # noqa: PLR2004 - bytes of a 24-bit sample
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.view("<i4").reshape(-1).astype(np.float32) / 2147483648.0
    if width == 2:  # noqa: PLR2004 - bytes of a 16-bit sample
        return np.frombuffer(data, "<i2").astype(np.float32) / 32768.0
    return np.frombuffer(data, "<i4").astype(np.float32) / 2147483648.0
