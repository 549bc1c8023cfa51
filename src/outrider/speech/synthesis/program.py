"""Engines that are programs: espeak-ng, and any command of the settings. No shell is involved.

`engines.py` makes them of speech servers. A program that takes too long is killed with its children.
"""

import asyncio
import os
import re
import shlex
import signal
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from outrider.errors import ChannelError
from outrider.speech.synthesis.sound import LARGEST

_PLACE = re.compile(r"\{(text|voice|out)\}")
LONGEST_COMPLAINT = 200


@dataclass(frozen=True, slots=True)
class Espeak:
    """espeak-ng: the text goes to its standard input, the WAV (22.05 kHz) comes from its standard output."""

    name: str
    program: str
    voice: str
    speed: str

    @property
    def identity(self) -> str:
        """Return what decides how it sounds."""
        return f"espeak {self.voice} {self.speed}"

    async def speak(self, text: str, voice: str) -> bytes:
        """Return a WAV file of a text. ChannelError."""
        words = [
            *shlex.split(self.program),
            "-v",
            voice or self.voice,
            "-s",
            self.speed,
            "--stdout",
            "--stdin",
        ]
        # Two brackets would begin a spelling in phonemes, in the middle of somebody's name.
        return await run(words, text.replace("[[", "[ [").encode())


@dataclass(frozen=True, slots=True)
class Program:
    """Any command: `{text}`, `{voice}` and `{out}` stand in its words.

    Without `{text}` it gets the text on standard input; without `{out}` it writes the WAV to standard output.
    """

    name: str
    command: str
    voice: str

    @property
    def identity(self) -> str:
        """Return what decides how it sounds."""
        return f"command {self.command} {self.voice}"

    async def speak(self, text: str, voice: str) -> bytes:
        """Return a WAV file of a text. ChannelError."""
        with tempfile.TemporaryDirectory(prefix="outrider-speech-") as folder:
            out = Path(folder) / "prompt.wav"
            # A text that begins with a dash must not be taken for an option.
            argument = f" {text}" if text.startswith("-") else text
            values = {"text": argument, "voice": voice or self.voice, "out": str(out)}
            words = [
                _PLACE.sub(lambda found: values[found.group(1)], word) for word in shlex.split(self.command)
            ]
            sound = await run(words, b"" if "{text}" in self.command else text.encode())
            if "{out}" not in self.command:
                return sound
            try:
                return await asyncio.to_thread(out.read_bytes)
            except FileNotFoundError:
                raise ChannelError(f"{Path(words[0]).name} wrote no file") from None


async def run(words: Sequence[str], given: bytes) -> bytes:
    """Run a program with `given` on standard input; return its standard output.

    ChannelError when it is missing, fails (exit status, and the first line that it wrote to standard error),
    or makes too much. When the caller is cancelled it is killed with its children.
    """
    shown = Path(words[0]).name
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise ChannelError(f"the program {words[0]} is not there: install it, or set its path") from None
    except OSError as error:
        raise ChannelError(f"the program {words[0]} cannot be run: {error.strerror or error}") from None
    try:
        out, complaint = await process.communicate(given)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if process.returncode:
        raise ChannelError(f"{shown} failed with exit status {process.returncode}{_first_line(complaint)}")
    if len(out) > LARGEST:
        raise ChannelError(f"{shown} made more than {LARGEST} bytes of one text")
    return out


def _first_line(complaint: bytes) -> str:
    lines = [line.strip() for line in complaint.decode(errors="replace").splitlines() if line.strip()]
    return f": {lines[0][:LONGEST_COMPLAINT]}" if lines else ""
