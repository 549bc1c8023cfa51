"""The small Protocols that every channel implements; the driver and the worker are their users.

`contract/` tests run one suite over every implementation.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from outrider.channels.model import (
    CallEvent,
    Living,
    MailSent,
    OutboundCall,
    OutboundMail,
    OutboundText,
    Prompt,
    TextNews,
    TextSent,
)
from outrider.errors import ChannelError
from outrider.ids import AttemptId

EventSink = Callable[[CallEvent], None]
"""Called on the event loop's thread, in order, once per event of each call."""


TextSink = Callable[[TextNews], Awaitable[None]]
"""Takes receipts and inbound texts; they are acknowledged to the message centre only once it returned."""


class DuplicateCallError(ChannelError):
    """The media server already knows a call by this id: it was made before, and is not made again."""

    code = "duplicate_call"


class ChannelUnreachableError(ChannelError):
    """The server as a whole cannot be reached: nothing was tried, and nothing should be until it answers."""

    code = "channel_unreachable"


class PromptError(ChannelError):
    """The prompt itself cannot be made or played; nothing is wrong with the call."""

    code = "prompt"


class VoiceChannel(Protocol):
    """Makes calls. A call that was accepted always ends with exactly one CallEnded."""

    async def open(self, sink: EventSink) -> None:
        """Connect, and deliver events of all our calls to `sink` from now on, calls of a former life too."""
        ...

    async def close(self) -> None:
        """Disconnect; calls that are up live on where the media server can keep them."""
        ...

    async def originate(self, call: OutboundCall) -> None:
        """Make a call. Raises DuplicateCallError for an id used before, ChannelError when refused."""
        ...

    async def play(self, call_id: AttemptId, prompt: Prompt) -> None:
        """Play a prompt on an answered call. Raises ChannelError when the call is not up.

        PromptError says that the prompt is what cannot be played.
        """
        ...

    async def stop_playing(self, call_id: AttemptId) -> None:
        """End the prompt that is being played, if any: its PlaybackFinished still comes."""
        ...

    async def listen(self, call_id: AttemptId, words: Sequence[str]) -> None:
        """Recognise speech on an answered call: one SpeechHeard per utterance, until `stop_listening`.

        Raises ChannelError when the call is not up or the server has no speech recognition.
        """
        ...

    async def stop_listening(self, call_id: AttemptId) -> None:
        """End speech recognition on a call; nothing happens when there is none."""
        ...

    async def join(self, call_id: AttemptId, room: str) -> None:
        """Put an answered call into a room, made when it is first used; it leaves the one it was in.

        What was being played to it ends (PlaybackFinished comes), music too. When this returns, it hears
        whoever is there, and is heard. Raises ChannelError when it is not up.
        """
        ...

    async def leave(self, call_id: AttemptId, *, music: bool = False) -> None:
        """Take a call out of its room; with `music` it hears that until it joins one again.

        A room that its last member left is gone. Nothing happens when the call is over.
        """
        ...

    async def send_digits(self, call_id: AttemptId, digits: str) -> None:
        """Play keys (0-9, *, #, A-D) to the far end. Raises ChannelError when the call is not up."""
        ...

    async def hang_up(self, call_id: AttemptId) -> None:
        """End a call; nothing happens when it is over already."""
        ...

    async def living(self) -> Living:
        """Answer "what is up?": every call of ours that exists now. Raises ChannelError if unreachable."""
        ...


class MailChannel(Protocol):
    """Sends single messages."""

    async def open(self) -> None:
        """Check the configuration; connections are made when first needed."""
        ...

    async def close(self) -> None:
        """Finish what is being sent and close all connections."""
        ...

    async def send(self, mail: OutboundMail) -> MailSent:
        """Send one message and say what became of it; never raises for what a server may answer."""
        ...


class TextChannel(Protocol):
    """Sends single short messages, and hears receipts and what people text back."""

    async def open(self, sink: TextSink) -> None:
        """Begin to connect, and deliver news to `sink` from now on; returns before all connections are up."""
        ...

    async def close(self) -> None:
        """Finish what is being submitted and close all connections."""
        ...

    async def send(self, text: OutboundText) -> TextSent:
        """Submit one text and say what became of it; never raises for what a centre may answer."""
        ...

    @property
    def reachable(self) -> bool:
        """Whether some connection is bound now."""
        ...

    @property
    def rate(self) -> float | None:
        """Texts per real second that all connections carry together; None: no limit."""
        ...
