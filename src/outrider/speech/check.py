"""The check of a speech server for real: it says something, or recognises what is said. One sentence each.

`app.py` puts the `SpeechCheck` of `make_check` among the parts of `EdgeServices`; `outrider speech check`
runs it too.
"""

import asyncio
import io
import stat
import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from outrider.clock import stopwatch
from outrider.errors import ChannelError, InvalidInputError
from outrider.licences.model import LicenceKind
from outrider.media.checking import Finding, Level
from outrider.speech.model import SpeechServer
from outrider.speech.options import OPTIONS
from outrider.speech.settings import SpeechSettings
from outrider.speech.synthesis.cache import PromptCache
from outrider.speech.synthesis.engines import http_client, voice_of
from outrider.speech.synthesis.program import Espeak
from outrider.speech.synthesis.sound import RATE, telephone_wav

SENTENCE = "This is a test. One, two, three."
WORDS = ("yes", "no")
SHORTEST, SLOWEST = 0.2, 1.0
"""Seconds of sound that the sentence must have at least, and of real time that a call should wait at most."""
SILENCE = bytes(RATE)
"""Half a second before and after a word."""


@dataclass(frozen=True, slots=True)
class SpeechCheck:
    """Tries a speech server; never raises for what an engine may do, and takes a bounded time."""

    run: Callable[[SpeechServer], Awaitable[tuple[Finding, ...]]]


def make_check(settings: SpeechSettings) -> SpeechCheck:
    """Return the check for the engines of this machine."""

    async def run(server: SpeechServer) -> tuple[Finding, ...]:
        return await check(server, settings)

    return SpeechCheck(run)


async def check(server: SpeechServer, settings: SpeechSettings) -> tuple[Finding, ...]:
    """Try one speech server; return what was found, in the order in which it was tried."""
    share = _share(server)
    if server.kind is LicenceKind.ASR:
        return (*await _check_recognition(server, settings), share)
    return (*await _check_voice(server, settings), *await asyncio.to_thread(_check_folder, settings), share)


async def _check_voice(server: SpeechServer, settings: SpeechSettings) -> tuple[Finding, ...]:
    client = http_client()
    try:
        voice = voice_of(server, settings, client)
    except InvalidInputError as error:
        return (Finding(Level.ERROR, "configuration", error.message),)
    else:
        began = stopwatch()
        try:
            async with asyncio.timeout(settings.timeout):
                made = await voice.speak(SENTENCE, "")
            sound = telephone_wav(made)
        except ChannelError as error:
            return (Finding(Level.ERROR, "speech", error.message),)
        except TimeoutError:
            late = f"nothing was said within {settings.timeout:g} s"
            return (Finding(Level.ERROR, "speech", late),)
        took, seconds = stopwatch() - began, _seconds(sound)
    finally:
        await client.aclose()
    if seconds < SHORTEST:
        short = f"it made only {seconds:.2f} s of sound of {SENTENCE!r}: the voice may not be there"
        return (Finding(Level.ERROR, "speech", short),)
    spoke = f"it spoke {seconds:.1f} s in {took * 1000:.0f} ms"
    if took > SLOWEST:
        slow = f"{spoke}: callers wait so long for every text that is new"
        return (Finding(Level.WARNING, "speech", slow),)
    return (Finding(Level.OK, "speech", spoke),)


async def _check_recognition(server: SpeechServer, settings: SpeechSettings) -> tuple[Finding, ...]:
    language = OPTIONS[server.engine][0].default
    try:
        recognise = await asyncio.to_thread(_recogniser, settings.decoders)
    except ChannelError as error:
        return (Finding(Level.ERROR, "model", error.message),)
    model = Finding(Level.OK, "model", f"the model for {language} is loaded; other languages take keys")
    try:
        async with asyncio.timeout(settings.timeout):
            spoken = [await Espeak("", settings.espeak, "en-us", "150").speak(word, "") for word in WORDS]
        sounds = [telephone_wav(each) for each in spoken]
    except (ChannelError, TimeoutError) as error:
        why = error.message if isinstance(error, ChannelError) else "espeak-ng was not ready in time"
        return (model, Finding(Level.WARNING, "words", f"not tried, for want of a voice to test with: {why}"))
    heard = [await asyncio.to_thread(recognise, sound) for sound in sounds]
    if heard == list(WORDS):
        return (model, Finding(Level.OK, "words", "yes and no, said by espeak-ng, were recognised"))
    shown = " and ".join(str(word or "nothing") for word in heard)
    return (model, Finding(Level.ERROR, "words", f"yes and no were said, but {shown} were heard"))


def _recogniser(decoders: int) -> Callable[[bytes], str | None]:
    """Return what hears one word of a WAV file. ChannelError."""
    # The engine takes a quarter of a second to load: programs that recognise nothing do without it.
    from outrider.speech.recognition.recognizer import PocketsphinxRecognizer  # noqa: PLC0415 - see above

    engine = PocketsphinxRecognizer(decoders)
    engine.recognition(WORDS).close()

    def recognise(sound: bytes) -> str | None:
        with wave.open(io.BytesIO(sound)) as file:
            pcm = file.readframes(file.getnframes())
        listening = engine.recognition(WORDS)
        heard = listening.feed(SILENCE + pcm + SILENCE)
        listening.close()
        return heard[0].word if heard else None

    return recognise


def _check_folder(settings: SpeechSettings) -> tuple[Finding, ...]:
    """Try to write a prompt, and see whether another user, as Asterisk's, could read it."""
    cache = PromptCache(settings.prompts_folder, settings.largest_cache)
    try:
        path = cache.store("check", telephone_wav_of_silence())
    except ChannelError as error:
        return (Finding(Level.ERROR, "folder", error.message),)
    path.unlink(missing_ok=True)
    closed = _closed_folder(settings.prompts_folder.absolute())
    if closed is not None:
        why = (
            f"{closed} is closed to other users: a media server that runs as one cannot read prompts; open "
            "it with chmod o+x, or set speech.prompts_folder"
        )
        return (Finding(Level.WARNING, "folder", why),)
    seen = f"; media servers must see it as {settings.prompts_base}"
    return (Finding(Level.OK, "folder", f"prompts are kept in {settings.prompts_folder}{seen}"),)


def telephone_wav_of_silence() -> bytes:
    """Return a tenth of a second of silence as telephony wants it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(RATE // 5))
    return telephone_wav(out.getvalue())


def _closed_folder(folder: Path) -> Path | None:
    """Return the first folder on the way that other users cannot enter."""
    way = [*reversed(folder.parents), folder]
    return next((each for each in way if not each.stat().st_mode & stat.S_IXOTH), None)


def _seconds(sound: bytes) -> float:
    with wave.open(io.BytesIO(sound)) as file:
        return float(file.getnframes() / file.getframerate())


def _share(server: SpeechServer) -> Finding:
    kind = server.kind.upper()
    if not server.enabled:
        return Finding(Level.WARNING, "connections", "it is switched off: no call uses it")
    if not server.quota:
        why = f"no licensed {kind} connection falls to it: load more licences, or give it more weight"
        return Finding(Level.ERROR, "connections", why)
    return Finding(Level.OK, "connections", f"{server.quota} {kind} connections fall to it")
