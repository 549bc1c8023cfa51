"""Sound for telephony: every PCM WAV becomes 8 kHz mono 16 bits, anything else is refused in one sentence."""

import io
import struct
import wave

import numpy as np
import pytest
from numpy.typing import NDArray

from outrider.errors import ChannelError
from outrider.speech.synthesis.sound import RATE, telephone_wav


def tone(rate: int, frequency: float = 440.0, seconds: float = 0.5) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)


def wav(samples: NDArray[np.float64], rate: int, width: int = 2, channels: int = 1) -> bytes:
    """Return samples as a WAV file, the same on every channel."""
    wide = np.repeat(np.round(samples * (2 ** (8 * width - 1) - 1)).astype("<i8"), channels)
    if width == 1:
        data = (wide + 128).astype(np.uint8).tobytes()
    else:
        data = wide.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes()
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return out.getvalue()


def samples_of(content: bytes) -> NDArray[np.float64]:
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize(("width", "channels"), [(2, 1), (1, 1), (3, 2), (4, 1)])
def test_the_same_tone_comes_out_of_any_pcm(rate: int, width: int, channels: int) -> None:
    found = samples_of(telephone_wav(wav(tone(rate), rate, width, channels)))
    assert len(found) == pytest.approx(RATE / 2, abs=2)
    inner = slice(400, 3600)
    assert np.abs(found[inner] - tone(RATE)[inner]).max() < 0.02


def test_what_telephony_cannot_carry_is_filtered_and_not_folded_back() -> None:
    found = samples_of(telephone_wav(wav(tone(22_050, 6000.0), 22_050)))
    assert np.abs(found[400:3600]).max() < 0.01


def test_sizes_that_a_pipe_could_not_know_are_not_believed() -> None:
    whole = bytearray(wav(tone(22_050), 22_050))
    struct.pack_into("<I", whole, 4, 0x7FFFF024)
    struct.pack_into("<I", whole, 40, 0x7FFFF000)
    assert len(samples_of(telephone_wav(bytes(whole)))) == pytest.approx(RATE / 2, abs=2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no sound at all"),
        (b"<html>Not found</html>", "not a WAV file"),
        (b"RIFF\x00\x00", "not a WAV file"),
        (wav(tone(8000), 8000)[:44], "no sound in it"),
        (wav(tone(8000), 1000), "cannot be played"),
        (wav(np.zeros(4000 * 601), 4000, 1), "longer than 600 seconds"),
    ],
)
def test_anything_else_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ChannelError, match=words):
        telephone_wav(content)
