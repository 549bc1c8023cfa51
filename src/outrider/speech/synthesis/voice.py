"""What an engine of text to speech is for the synthesiser, and what it is given to say."""

import re
from typing import Protocol

from outrider.errors import ChannelError
from outrider.speech.options import VOICE

LONGEST_TEXT = 5000


class Voice(Protocol):
    """One configured engine."""

    @property
    def name(self) -> str:
        """Return the name of the speech server, for messages."""
        ...

    @property
    def identity(self) -> str:
        """Return what decides how a text sounds: the key of the cache, with the text and the voice."""
        ...

    async def speak(self, text: str, voice: str) -> bytes:
        """Return a WAV file of a text; "" is the engine's own voice. ChannelError says what went wrong."""
        ...


def speakable(text: str) -> str:
    """Return a text as engines are given it: one line, without control characters.

    ChannelError when nothing is left, or more than LONGEST_TEXT characters.
    """
    plain = re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text)
    plain = " ".join(plain.split())
    if not plain:
        raise ChannelError("the prompt has no text: nothing can be said")
    if len(plain) > LONGEST_TEXT:
        raise ChannelError(f"the prompt has {len(plain)} characters; at most {LONGEST_TEXT} are spoken")
    return plain


def checked_voice(voice: str) -> str:
    """Return the name of a voice as it is. ChannelError for what cannot be one."""
    if voice and (not VOICE.fullmatch(voice) or ".." in voice):
        raise ChannelError(f"{voice!r} is no name of a voice: use letters, digits and _+./-")
    return voice
