"""What Asterisk is told to play: synthesised texts, and audio files by name, in folders that it can read.

It is the `Speaker` of the Asterisk driver; the composition root makes one.
"""

import re
from pathlib import Path

from outrider.channels.model import Prompt
from outrider.errors import ChannelError
from outrider.speech.settings import SpeechSettings
from outrider.speech.synthesis.synthesiser import Synthesiser

EXTENSIONS = (".wav", ".gsm", ".ulaw", ".alaw", ".sln", ".sln16", ".g722", ".ul", ".al", ".pcm")
"""Formats that Asterisk plays by itself; it chooses among files of the same name."""
_NAME = re.compile(r"[A-Za-z0-9_ .+-]+(/[A-Za-z0-9_ .+-]+)*")


class FolderSpeaker:
    """Speaks through folders that this process and the media servers share."""

    def __init__(self, synthesiser: Synthesiser, settings: SpeechSettings) -> None:
        self._synthesiser = synthesiser
        self._settings = settings

    async def sound(self, prompt: Prompt) -> str:
        """Return the media URI of a prompt: `sound:` and an absolute path without its extension.

        ChannelError when it cannot be synthesised, or the audio file is not there.
        """
        if prompt.file:
            return f"sound:{self._settings.sounds_base}/{self._file(prompt.file)}"
        path = await self._synthesiser.file(prompt.text or "", prompt.voice)
        return f"sound:{self._settings.prompts_base}/{path.stem}"

    def _file(self, name: str) -> str:
        """Return the name of an audio file, below the folder, without its extension. ChannelError."""
        folder = self._settings.sounds_folder
        if folder is None:
            raise ChannelError(f"audio file {name!r}: set speech.sounds_folder to where audio files are")
        stem = name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in EXTENSIONS else name
        inside = _NAME.fullmatch(stem) and not any(part.strip(" .") == "" for part in stem.split("/"))
        if not inside:
            raise ChannelError(
                f"audio file {name!r}: give a name below {folder}, of letters, digits and _ .+-"
            )
        root = folder.resolve()
        for extension in EXTENSIONS:
            path = (root / f"{stem}{extension}").resolve()
            if path.is_file() and path.is_relative_to(root):
                return stem
        raise ChannelError(
            f"audio file {name!r} is not in {folder}: put it there as {stem}.wav (8 kHz, mono)"
        )
