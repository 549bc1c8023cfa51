"""What speech engines may use on this machine: folders, programs, secrets and bounds; checked when made.

The composition root makes one of the configuration. Programs and secrets stand here, never in the database:
who may edit speech servers on a page must not be able to run a command of choice.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from outrider.errors import InvalidInputError

SMALLEST_CACHE = 1_000_000
FORBIDDEN = ",&%?#"
"""Characters that a path inside a media URI of Asterisk cannot have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSettings:
    """InvalidInputError on construction names the field; times are real seconds, sizes bytes."""

    prompts_folder: Path
    """Where synthesised prompts are kept. Media servers read them there, or as `prompts_seen_as`."""
    prompts_seen_as: str = ""
    """The same folder as media servers see it (a mount); empty: by the same path."""
    sounds_folder: Path | None = None
    """Where audio files of strategies are; None: prompts are texts only."""
    sounds_seen_as: str = ""
    largest_cache: int = 1_000_000_000
    parallel: int = 2
    """Texts that are synthesised at the same time."""
    most_waiting: int = 1000
    """Texts that may wait for that; more are refused at once."""
    timeout: float = 15.0
    """For one text."""
    espeak: str = "espeak-ng"
    """The espeak-ng program, with its first arguments if it needs any."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """Other programs by name: `{text}`, `{voice}` and `{out}` (a WAV to be written) stand in the words."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values of the Authorization header of web services, by name."""
    decoders: int = 2
    """Utterances that are recognised at the same time; each decoder takes about 40 MiB."""

    def __post_init__(self) -> None:
        """Check everything that can be checked without trying an engine."""
        for name in ("prompts_seen_as", "sounds_seen_as"):
            seen = getattr(self, name)
            if seen and (not seen.startswith("/") or any(each in seen for each in FORBIDDEN)):
                self._wrong(name, f"must be an absolute path without any of {FORBIDDEN}")
        for name in ("parallel", "most_waiting", "decoders"):
            if getattr(self, name) < 1:
                self._wrong(name, "must be at least 1")
        if self.timeout <= 0:
            self._wrong("timeout", "must be greater than 0 seconds")
        if self.largest_cache < SMALLEST_CACHE:
            self._wrong("largest_cache", f"must be at least {SMALLEST_CACHE} bytes")
        for name, line in {"espeak": self.espeak, **self.commands}.items():
            try:
                words = shlex.split(line)
            except ValueError as error:
                self._wrong("espeak" if name == "espeak" else f"commands.{name}", f"cannot be read: {error}")
            if not words:
                self._wrong("espeak" if name == "espeak" else f"commands.{name}", "names no program")

    @property
    def prompts_base(self) -> str:
        """Return the folder of prompts as media servers see it."""
        return (self.prompts_seen_as or str(self.prompts_folder.absolute())).rstrip("/")

    @property
    def sounds_base(self) -> str:
        """Return the folder of audio files as media servers see it; "" when there is none."""
        own = "" if self.sounds_folder is None else str(self.sounds_folder.absolute())
        return (self.sounds_seen_as or own).rstrip("/")

    def _wrong(self, name: str, complaint: str) -> NoReturn:
        raise InvalidInputError(f"speech.{name}: {complaint}", where=f"speech.{name}")
