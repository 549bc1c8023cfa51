"""Waiting for the end of an answering machine's greeting, so that the message is not spoken into it.

`server` uses it before the first prompt on a machine. Silence is told by Asterisk's TALK_DETECT.
"""

import asyncio

from outrider.channels.asterisk.client import AriClient
from outrider.channels.asterisk.messages import Event
from outrider.ids import AttemptId

OFF = {"variable": "TALK_DETECT(remove)", "value": "1"}
ON = {"variable": "TALK_DETECT(set)", "value": "1200,256"}
"""Milliseconds of silence that end the greeting (its pauses and the beep are shorter), and the level."""

SILENT = 2.0
"""Seconds: if nobody talks for so long, the greeting is over already."""
LONGEST = 25.0
"""Seconds after which the message is spoken anyway."""


class Greeting:
    """One greeting that is being waited for."""

    def __init__(self) -> None:
        self._talks = asyncio.Event()
        self._over = asyncio.Event()

    def take(self, event: Event) -> None:
        """Note that somebody begins or ends to talk."""
        if event.get("type") == "ChannelTalkingStarted":
            self._talks.set()
        elif event.get("type") == "ChannelTalkingFinished":
            self.end()

    def end(self) -> None:
        """Wait no longer."""
        self._talks.set()
        self._over.set()

    async def wait(self, client: AriClient, call_id: AttemptId) -> None:
        """Return at the end of the greeting. ChannelError when Asterisk cannot be asked."""
        path = f"channels/{call_id}/variable"
        # It may be on already, and would not tell again that somebody talks.
        await client.request("POST", path, OFF)
        answer = await client.request("POST", path, ON)
        if not answer.ok:
            # Without func_talkdetect the message begins at once, as it would on most dialers.
            return
        try:
            async with asyncio.timeout(SILENT):
                await self._talks.wait()
            async with asyncio.timeout(LONGEST):
                await self._over.wait()
        except TimeoutError:
            pass
        await client.request("POST", path, OFF)
