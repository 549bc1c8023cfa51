"""Synthesis: once for each text, a few at a time, kept in a bounded cache, by the first engine that can."""

import asyncio
import os
import stat
import wave
from collections.abc import Sequence
from pathlib import Path

import pytest

from outrider.channels.model import Prompt
from outrider.errors import ChannelError
from outrider.speech.settings import SpeechSettings
from outrider.speech.synthesis.cache import PromptCache
from outrider.speech.synthesis.speaker import FolderSpeaker
from outrider.speech.synthesis.synthesiser import Limits, Synthesiser
from outrider.speech.synthesis.voice import Voice
from support.loops import on_a_loop
from support.voices import ToneVoice


def made(folder: Path, *voices: Voice, limits: Limits | None = None, largest: int = 10**9) -> Synthesiser:
    async def configured() -> Sequence[Voice]:
        return voices

    return Synthesiser(PromptCache(folder, largest), configured, limits)


def names(folder: Path) -> set[str]:
    """Return the names of all files in a folder."""
    return {path.name for path in folder.iterdir()}


def age(path: Path, seconds: float) -> None:
    """Let a file have been used so long ago."""
    used = path.stat().st_mtime - seconds
    os.utime(path, (used, used))


@on_a_loop
async def test_a_text_is_synthesised_once_and_kept_in_a_file_that_anybody_may_read(tmp_path: Path) -> None:
    voice = ToneVoice()
    path = await made(tmp_path / "prompts", voice).file("Good  morning.\n")
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
    later = made(tmp_path / "prompts", voice)
    assert await later.file("Good morning.") == path
    assert voice.said == [("Good morning.", "")]


@on_a_loop
async def test_another_voice_engine_or_text_is_another_file(tmp_path: Path) -> None:
    synthesiser = made(tmp_path, ToneVoice())
    paths = [await synthesiser.file("One."), await synthesiser.file("One.", "de")]
    paths += [await synthesiser.file("Two."), await made(tmp_path, ToneVoice("other")).file("One.")]
    assert len(set(paths)) == 4
    assert names(tmp_path) == {path.name for path in paths}


@on_a_loop
async def test_calls_that_want_the_same_text_at_once_wait_for_one_synthesis(tmp_path: Path) -> None:
    voice = ToneVoice()
    voice.gate.clear()
    synthesiser = made(tmp_path, voice)
    async with asyncio.TaskGroup() as group:
        impatient = group.create_task(synthesiser.file("Hello."))
        others = [group.create_task(synthesiser.file("Hello.")) for _ in range(20)]
        await voice.began.acquire()
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        voice.gate.set()
    assert len({task.result() for task in others}) == 1
    assert len(voice.said) == 1


@on_a_loop
async def test_only_a_few_texts_are_synthesised_at_once_and_only_so_many_wait(tmp_path: Path) -> None:
    voice = ToneVoice()
    voice.gate.clear()
    synthesiser = made(tmp_path, voice, limits=Limits(parallel=2, most_waiting=3))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(synthesiser.file(f"Text {number}.")) for number in range(5)]
        for _ in range(2):
            await voice.began.acquire()
        with pytest.raises(ChannelError, match="overloaded: 5 texts wait"):
            await synthesiser.file("One too many.")
        voice.gate.set()
    assert len({task.result() for task in tasks}) == 5
    assert voice.most_at_once == 2


@on_a_loop
async def test_a_failing_engine_is_replaced_by_the_next_and_asked_last_for_a_while(tmp_path: Path) -> None:
    broken, whole = ToneVoice("broken", failing="no licence key"), ToneVoice("whole")
    synthesiser = made(tmp_path, broken, whole)
    await synthesiser.file("One.")
    await synthesiser.file("Two.")
    assert ([text for text, _ in broken.said], [text for text, _ in whole.said]) == (
        ["One."],
        ["One.", "Two."],
    )
    whole.failing = "out of memory"
    with pytest.raises(
        ChannelError, match="speech server whole: out of memory; speech server broken: no licence"
    ):
        await synthesiser.file("Three.")


@on_a_loop
async def test_an_engine_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    voice = ToneVoice()
    voice.gate.clear()
    synthesiser = made(tmp_path, voice, limits=Limits(timeout=0.05))
    with pytest.raises(ChannelError, match=r"speech server tone: it was not ready within 0\.05 s"):
        await synthesiser.file("Hello.")
    assert voice.now == 0


@pytest.mark.parametrize(
    ("text", "voice", "words"),
    [
        (" \n\t", "", "has no text"),
        ("x" * 5001, "", "at most 5000"),
        ("Hello.", "../en", "no name of a voice"),
        ("Hello.", "-w", "no name of a voice"),
        ("Hello.", "a/../b", "no name of a voice"),
    ],
)
@on_a_loop
async def test_what_cannot_be_said_is_refused(tmp_path: Path, text: str, voice: str, words: str) -> None:
    with pytest.raises(ChannelError, match=words):
        await made(tmp_path, ToneVoice()).file(text, voice)


@on_a_loop
async def test_without_an_engine_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="no speech server for text to speech is switched on"):
        await made(tmp_path).file("Hello.")


@on_a_loop
async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ChannelError, match=r"prompts cannot be kept in .*file/prompts: Not a directory"):
        await made(tmp_path / "file" / "prompts", ToneVoice()).file("Hello.")


@on_a_loop
async def test_close_ends_what_is_being_made(tmp_path: Path) -> None:
    voice = ToneVoice()
    voice.gate.clear()
    synthesiser = made(tmp_path, voice)
    waiting = asyncio.ensure_future(synthesiser.file("Hello."))
    await voice.began.acquire()
    await synthesiser.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert voice.now == 0
    assert names(tmp_path) == set()


def test_the_least_recently_used_prompts_make_room_but_never_one_in_use(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, largest=1000, in_use=60)
    old, older, used, fresh = (cache.store(name, b"x" * 300) for name in ("old", "older", "used", "fresh"))
    assert names(tmp_path) == {f"{n}.wav" for n in ("old", "older", "used", "fresh")}
    age(old, 100)
    age(older, 200)
    age(used, 300)
    assert cache.find("used") == used
    unfinished = tmp_path / ".unfinished-left-by-a-crash"
    unfinished.write_bytes(b"x" * 10)
    age(unfinished, 5000)
    cache.store("new", b"x" * 300)
    left = names(tmp_path)
    assert left == {"used.wav", "fresh.wav", "new.wav"}
    assert cache.find("old") is None
    assert fresh.exists()


def test_a_full_cache_of_prompts_in_use_is_left_alone(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, largest=1000, in_use=60)
    for number in range(10):
        cache.store(str(number), b"x" * 300)
    assert len(names(tmp_path)) == 10


@on_a_loop
async def test_asterisk_is_told_the_path_without_extension_as_it_sees_it(tmp_path: Path) -> None:
    synthesiser = made(tmp_path, ToneVoice())
    speaker = FolderSpeaker(synthesiser, SpeechSettings(prompts_folder=tmp_path))
    uri = await speaker.sound(Prompt("Hello."))
    assert uri.startswith(f"sound:{tmp_path}/")
    assert f"{Path(uri).name}.wav" in names(tmp_path)
    elsewhere = SpeechSettings(prompts_folder=tmp_path, prompts_seen_as="/mnt/prompts/")
    assert (await FolderSpeaker(synthesiser, elsewhere).sound(Prompt("Hello."))) == (
        f"sound:/mnt/prompts/{Path(uri).name}"
    )


@on_a_loop
async def test_audio_files_are_named_below_their_folder_only(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    (sounds / "de").mkdir(parents=True)
    (sounds / "de" / "hello 1.wav").write_bytes(b"RIFF")
    (sounds / "gone.wav").symlink_to(tmp_path / "secret.wav")
    (tmp_path / "secret.wav").write_bytes(b"RIFF")
    settings = SpeechSettings(prompts_folder=tmp_path / "prompts", sounds_folder=sounds)
    speaker = FolderSpeaker(made(tmp_path / "prompts", ToneVoice()), settings)
    for name in ("de/hello 1.wav", "de/hello 1"):
        assert await speaker.sound(Prompt(file=name)) == f"sound:{sounds}/de/hello 1"
    for name in ("../secret.wav", "/etc/passwd", "de/../../secret", "gone", "a\0b", "x,sound:y", "./.", "de"):
        with pytest.raises(ChannelError, match="audio file"):
            await speaker.sound(Prompt(file=name))
    with pytest.raises(ChannelError, match=r"is not in .*put it there as missing\.wav"):
        await speaker.sound(Prompt(file="missing.wav"))
    closed = FolderSpeaker(made(tmp_path, ToneVoice()), SpeechSettings(prompts_folder=tmp_path))
    with pytest.raises(ChannelError, match=r"set speech\.sounds_folder"):
        await closed.sound(Prompt(file="hello"))
