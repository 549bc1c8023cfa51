"""Voices for tests: one that makes a tone and counts, real programs as small scripts, speech of espeak-ng.

Used by the unit tests of synthesis and recognition.
"""

import asyncio
import io
import math
import shlex
import struct
import sys
import wave
from dataclasses import dataclass, field
from pathlib import Path

from outrider.errors import ChannelError


def tone_wav(seconds: float = 0.3, rate: int = 16_000) -> bytes:
    """Return a WAV file of a tone."""
    samples = [round(9000 * math.sin(2 * math.pi * 300 * at / rate)) for at in range(round(seconds * rate))]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()


@dataclass
class ToneVoice:
    """A voice that says everything as a tone, once `gate` is open. It fails when told to."""

    name: str = "tone"
    failing: str = ""
    seconds: float = 0.3
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """One more for every text that is begun."""
    said: list[tuple[str, str]] = field(default_factory=list)
    now: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        """Open the gate."""
        self.gate.set()

    @property
    def identity(self) -> str:
        """Return what decides how it sounds."""
        return self.name

    async def speak(self, text: str, voice: str) -> bytes:
        """Return a tone."""
        self.said.append((text, voice))
        self.now += 1
        self.most_at_once = max(self.most_at_once, self.now)
        self.began.release()
        try:
            await self.gate.wait()
        finally:
            self.now -= 1
        if self.failing:
            raise ChannelError(self.failing)
        return tone_wav(self.seconds)


def script(folder: Path, name: str, body: str) -> str:
    """Write a Python program; return the command line that runs it."""
    path = folder / name
    path.write_text(body)
    return shlex.join([sys.executable, "-S", str(path)])
