"""The real engines: espeak-ng speaks, pocketsphinx recognises it on a phone line, and rejects the rest."""

import asyncio
import shlex
import subprocess
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tools.testbed.asterisk import AsteriskServer
from tools.testbed.bed import Bed
from tools.testbed.speech_files import mu_law

from outrider.channels.asterisk.speech import SAMPLE_RATE
from outrider.channels.model import Prompt
from outrider.media.checking import Level
from outrider.speech.check import check
from outrider.speech.model import Engine, SpeechServer, SpeechServerId
from outrider.speech.recognition.recognizer import PocketsphinxRecognizer
from outrider.speech.settings import SpeechSettings
from outrider.speech.synthesis.cache import PromptCache
from outrider.speech.synthesis.program import Espeak
from outrider.speech.synthesis.sound import telephone_wav
from outrider.speech.synthesis.speaker import FolderSpeaker
from outrider.speech.synthesis.synthesiser import Synthesiser
from support.campaigning import NOON
from support.speech import ASR, TTS

VOICES = (("en-us", 160), ("en-us+f3", 150), ("en-gb", 170), ("en-us+m5", 140), ("en-us+f1", 175))
SAID = {"yes": ("yes", "yeah", "yep"), "no": ("no", "nope", "no thank you")}
OTHERWISE = (
    "hello",
    "who is this",
    "wait a moment",
    "banana",
    "I am driving right now",
    "maybe later",
    "can you repeat that please",
    "hang on",
    "what is it about",
    "my name is Peter",
)
RIGHT, REJECTED = 0.9, 0.9
"""The parts that must be recognised, and rejected; measured were 100 % and 98 %."""


def program(bed: Bed) -> str:
    """Return the bed's espeak-ng as a command line."""
    return shlex.join(bed.command("espeak-ng"))


def spoken(bed: Bed, text: str, voice: str, speed: int) -> bytes:
    """Return what a phone line carries of a text: 8 kHz, through mu-law, with a little noise around it."""
    words = bed.command("espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text)
    made = telephone_wav(subprocess.run(words, capture_output=True, check=True, timeout=30).stdout)
    samples = np.frombuffer(made[44:], "<i2")
    line = np.random.default_rng(1).normal(0, 30, len(samples) + SAMPLE_RATE).astype(np.int16)
    line[4000 : 4000 + len(samples)] += samples
    return carried(line).tobytes()


def carried(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return samples as they come out of ITU-T G.711 mu-law."""
    code = np.frombuffer(mu_law(samples), np.uint8).astype(np.int32) ^ 0xFF
    magnitude = ((((code & 15) << 3) + 132) << ((code & 0x70) >> 4)) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def hear(recognizer: PocketsphinxRecognizer, sound: bytes) -> list[str | None]:
    """Return what is heard in a sound that comes a tenth of a second at a time."""
    listening = recognizer.recognition(["yes", "no"])
    heard = [each for at in range(0, len(sound), 1600) for each in listening.feed(sound[at : at + 1600])]
    listening.close()
    return [each.word for each in heard]


def test_answers_are_recognised_and_other_speech_is_not(
    testbed: Bed, record_property: Callable[[str, object], None]
) -> None:
    recognizer = PocketsphinxRecognizer()
    answers = [(word, text, voice) for word, said in SAID.items() for text in said for voice in VOICES]
    right = [hear(recognizer, spoken(testbed, text, *voice)) == [word] for word, text, voice in answers]
    others = [(text, *voice) for text in OTHERWISE for voice in VOICES]
    rejected = [not any(hear(recognizer, spoken(testbed, *each))) for each in others]
    parts = sum(right) / len(right), sum(rejected) / len(rejected)
    record_property(
        "measured", f"{parts[0]:.0%} of answers recognised, {parts[1]:.0%} of other speech rejected"
    )
    assert parts[0] >= RIGHT, [each for each, good in zip(answers, right, strict=True) if not good]
    assert parts[1] >= REJECTED, [each for each, good in zip(others, rejected, strict=True) if not good]


@pytest.fixture
def settings(testbed: Bed, tmp_path: Path) -> SpeechSettings:
    return SpeechSettings(prompts_folder=tmp_path / "prompts", espeak=program(testbed))


def test_the_check_tries_both_kinds_for_real(settings: SpeechSettings) -> None:
    for kind, engine in ((TTS, Engine.ESPEAK), (ASR, Engine.POCKETSPHINX)):
        server = SpeechServer(
            id=SpeechServerId(1),
            name="x",
            kind=kind,
            engine=engine,
            options={},
            maximum=5,
            weight=1,
            enabled=True,
            quota=5,
            granted=5,
            in_use=0,
            refused=0,
            created_at=NOON,
        )
        findings = {each.what: each for each in asyncio.run(check(server, settings))}
        assert not [each for each in findings.values() if each.level is Level.ERROR], findings
        spoke = findings["speech" if kind is TTS else "words"]
        assert spoke.level is Level.OK


def test_a_voice_that_is_not_there_is_told(settings: SpeechSettings) -> None:
    voice = Espeak("mouth", settings.espeak, "klingonese", "150")
    with pytest.raises(Exception, match=r"failed with exit status \d+: .*voice"):
        asyncio.run(voice.speak("Hello.", ""))


def test_asterisk_plays_what_was_spoken(asterisk: AsteriskServer, settings: SpeechSettings) -> None:
    async def speak() -> str:
        async def voices() -> Sequence[Espeak]:
            return [Espeak("mouth", settings.espeak, "en-us", "150")]

        synthesiser = Synthesiser(PromptCache(settings.prompts_folder, 10**8), voices)
        return await FolderSpeaker(synthesiser, settings).sound(Prompt("Good morning, this is a test."))

    path = asyncio.run(speak()).removeprefix("sound:")
    with wave.open(f"{path}.wav") as file:
        assert 1.0 < file.getnframes() / file.getframerate() < 5.0
    converted = Path(path).with_suffix(".ulaw")
    said = asterisk.command(f"file convert {path}.wav {converted}")
    assert converted.exists(), said
    assert converted.stat().st_size > SAMPLE_RATE
