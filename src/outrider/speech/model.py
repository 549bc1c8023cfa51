"""What a speech server is, and what may be configured. Pure; every module of the slice uses it."""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType

from outrider.licences.model import LicenceKind

SpeechServerId = NewType("SpeechServerId", int)

SPEECH_KINDS = (LicenceKind.ASR, LicenceKind.TTS)
LARGEST_UNITS, LARGEST_WEIGHT, LONGEST_NAME = 100_000, 1_000, 80


class Engine(enum.StrEnum):
    """How a speech server is spoken to."""

    ESPEAK = "espeak"
    """espeak-ng on this machine, as a command (text to speech)."""
    COMMAND = "command"
    """Any command that reads a text and writes audio, or (recognition) reads audio and writes words."""
    HTTP = "http"
    """Any web service: text in and audio out (text to speech)."""
    POCKETSPHINX = "pocketsphinx"
    """pocketsphinx in this process (recognition of a few words)."""


ENGINES: Mapping[LicenceKind, tuple[Engine, ...]] = {
    LicenceKind.TTS: (Engine.ESPEAK, Engine.COMMAND, Engine.HTTP),
    LicenceKind.ASR: (Engine.POCKETSPHINX,),
}
"""The engines that can do each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an administrator configures. `maximum` is the connections that the server itself can carry."""

    name: str
    kind: LicenceKind
    engine: Engine
    maximum: int
    weight: int = 1
    enabled: bool = True
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechServer:
    """One speech server with its share of the licensed connections; `refused` counts calls in vain."""

    id: SpeechServerId
    name: str
    kind: LicenceKind
    engine: Engine
    options: Mapping[str, str]
    maximum: int
    weight: int
    enabled: bool
    quota: int
    granted: int
    in_use: int
    refused: int
    created_at: dt.datetime
