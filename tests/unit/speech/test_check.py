"""The check of a speech server: one clear sentence for each thing that was tried."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from outrider.licences.model import LicenceKind
from outrider.media.checking import Finding, Level
from outrider.speech.check import check
from outrider.speech.model import Engine, SpeechServer, SpeechServerId
from outrider.speech.settings import SpeechSettings
from support.campaigning import NOON
from support.voices import script, tone_wav

WRITES = """
import sys, pathlib
sys.stdin.read()
sys.stdout.buffer.write(pathlib.Path(__file__).with_name("sound").read_bytes())
"""
VOICE = SpeechServer(
    id=SpeechServerId(1),
    name="mouth",
    kind=LicenceKind.TTS,
    engine=Engine.ESPEAK,
    options={},
    maximum=10,
    weight=1,
    enabled=True,
    quota=2,
    granted=2,
    in_use=0,
    refused=0,
    created_at=NOON,
)
EARS = replace(VOICE, name="ears", kind=LicenceKind.ASR, engine=Engine.POCKETSPHINX)
SLOW = replace(VOICE, engine=Engine.COMMAND, options={"command": "slow"})


@pytest.fixture
def settings(tmp_path: Path) -> SpeechSettings:
    """Give settings whose espeak-ng says everything as the same tone."""
    (tmp_path / "sound").write_bytes(tone_wav(0.8))
    return SpeechSettings(prompts_folder=tmp_path / "prompts", espeak=script(tmp_path, "espeak-ng", WRITES))


def found(server: SpeechServer, settings: SpeechSettings) -> dict[str, Finding]:
    return {each.what: each for each in asyncio.run(check(server, settings))}


def test_a_good_engine_speaks_and_its_prompts_can_be_read(settings: SpeechSettings) -> None:
    findings = found(VOICE, settings)
    assert list(findings) == ["speech", "folder", "connections"]
    assert findings["speech"].level is not Level.ERROR
    assert "it spoke 0.8 s in" in findings["speech"].message
    assert "prompts" in findings["folder"].message
    assert findings["connections"] == Finding(Level.OK, "connections", "2 TTS connections fall to it")
    assert list(settings.prompts_folder.iterdir()) == []


def test_a_folder_that_others_cannot_enter_is_told(settings: SpeechSettings) -> None:
    closed = settings.prompts_folder / "closed"
    closed.mkdir(parents=True, mode=0o700)
    finding = found(VOICE, replace(settings, prompts_folder=closed / "prompts"))["folder"]
    assert finding.level is Level.WARNING
    assert "is closed to other users" in finding.message


@pytest.mark.parametrize(
    ("changes", "server", "words"),
    [
        ({"espeak": "no-such-program"}, VOICE, "the program no-such-program is not there: install it"),
        ({"espeak": "true"}, VOICE, "it made no sound at all"),
        ({"espeak": "echo no sound"}, VOICE, "what it made is not a WAV file"),
        ({"espeak": "false"}, VOICE, "false failed with exit status 1"),
        ({"timeout": 0.2}, SLOW, "nothing was said within 0.2 s"),
    ],
)
def test_what_is_wrong_with_an_engine_is_told(
    settings: SpeechSettings, changes: dict[str, str], server: SpeechServer, words: str
) -> None:
    finding = found(server, replace(settings, commands={"slow": "sleep 60"}, **changes))["speech"]  # type: ignore[arg-type] # parameters of a test
    assert finding.level is Level.ERROR
    assert words in finding.message


def test_too_little_sound_is_told(settings: SpeechSettings, tmp_path: Path) -> None:
    (tmp_path / "sound").write_bytes(tone_wav(0.1))
    assert "the voice may not be there" in found(VOICE, settings)["speech"].message


def test_a_command_that_this_machine_does_not_have_is_told(settings: SpeechSettings) -> None:
    server = replace(VOICE, engine=Engine.COMMAND, options={"command": "piper"})
    assert "no speech.commands.piper" in found(server, settings)["configuration"].message


def test_recognition_is_tried_with_a_voice_where_there_is_one(settings: SpeechSettings) -> None:
    findings = found(EARS, replace(settings, espeak="no-such-program"))
    assert findings["model"].level is Level.OK
    assert "en is loaded; other languages take keys" in findings["model"].message
    assert findings["words"].level is Level.WARNING
    assert "not tried, for want of a voice" in findings["words"].message
    misheard = found(EARS, settings)["words"]
    assert misheard.level is Level.ERROR, "a tone is neither yes nor no"
    assert "yes and no were said, but nothing" in misheard.message


def test_a_server_that_no_call_uses_is_told(settings: SpeechSettings) -> None:
    assert "switched off" in found(replace(VOICE, enabled=False), settings)["connections"].message
    assert (
        "no licensed TTS connection falls to it"
        in found(replace(VOICE, quota=0), settings)["connections"].message
    )
