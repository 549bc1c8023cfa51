"""The speech engines of one process, made of the settings and of the configured speech servers.

Part of the composition root: media servers get `speaker` and `recognizer`, pages and commands the check.
"""

from outrider.db.database import Database
from outrider.settings import Settings
from outrider.speech.recognition.recognizer import PocketsphinxRecognizer
from outrider.speech.settings import SpeechSettings
from outrider.speech.synthesis.cache import PromptCache
from outrider.speech.synthesis.engines import ConfiguredVoices
from outrider.speech.synthesis.speaker import FolderSpeaker
from outrider.speech.synthesis.synthesiser import Limits, Synthesiser


class Speech:
    """Text to speech and recognition for the media servers of one process. `close` it with them."""

    def __init__(self, database: Database, settings: SpeechSettings) -> None:
        self._voices = ConfiguredVoices(database, settings)
        self._synthesiser = Synthesiser(
            PromptCache(settings.prompts_folder, settings.largest_cache),
            self._voices,
            Limits(settings.parallel, settings.most_waiting, settings.timeout),
        )
        self.speaker = FolderSpeaker(self._synthesiser, settings)
        self.recognizer = PocketsphinxRecognizer(settings.decoders)

    async def close(self) -> None:
        """End what is being synthesised, and close connections to web services."""
        await self._synthesiser.close()
        await self._voices.close()


def speech_settings(settings: Settings) -> SpeechSettings:
    """Return what speech engines may use here. InvalidInputError names the setting."""
    speech = settings.speech
    return SpeechSettings(
        prompts_folder=speech.prompts_folder or settings.data_folder.resolve() / "prompts",
        prompts_seen_as=speech.prompts_seen_as,
        sounds_folder=speech.sounds_folder,
        sounds_seen_as=speech.sounds_seen_as,
        largest_cache=speech.largest_cache,
        parallel=speech.parallel,
        most_waiting=speech.most_waiting,
        timeout=speech.timeout,
        espeak=speech.espeak,
        commands=speech.commands,
        secrets={name: value.get_secret_value() for name, value in speech.secrets.items()},
        decoders=speech.decoders,
    )
