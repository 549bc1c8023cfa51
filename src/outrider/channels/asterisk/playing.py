"""Prompts on the calls of one server: files and spoken texts, begun, stopped, and seen to fail.

`server` hands over what is to be played. A machine hears its first prompt after its greeting.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from outrider.channels.asterisk import calls, prompts
from outrider.channels.asterisk.client import AriClient
from outrider.channels.asterisk.greeting import Greeting
from outrider.channels.asterisk.messages import Event
from outrider.channels.asterisk.register import Register
from outrider.channels.asterisk.speech import Speaker
from outrider.channels.base import PromptError
from outrider.channels.model import AnsweredBy, PlaybackFinished, Prompt, PromptFailed
from outrider.clock import Clock
from outrider.errors import ChannelError
from outrider.ids import AttemptId

log = logging.getLogger(__name__)

SETTLING = 0.3
"""Seconds after which a call whose prompt failed would be known to be over, if its end was the reason."""


class Playing:
    """What is being played."""

    def __init__(self, client: AriClient, register: Register, speaker: Speaker | None, clock: Clock) -> None:
        self._client = client
        self._register = register
        self._speaker = speaker
        self._clock = clock
        self._greetings: dict[AttemptId, Greeting] = {}

    async def play(self, call_id: AttemptId, prompt: Prompt) -> None:
        """Play a prompt. ChannelError when the call is not up, plays already, or a text cannot be spoken."""
        state = self._register.up(call_id)
        if state.playing:
            raise ChannelError(f"call {call_id} is playing already")
        self._register.put(replace(state, playing=True))
        try:
            await self._begin(state, prompt)
        except ChannelError:
            self._register.set_playing(call_id, playing=False)
            raise

    async def stop(self, call_id: AttemptId) -> None:
        """End the prompt that is being played, if any: its PlaybackFinished still comes."""
        state = self._register.get(call_id)
        if state is None or not state.playing:
            return
        greeting = self._greetings.get(call_id)
        if greeting is None:
            await self._client.request("DELETE", f"playbacks/{call_id}")
        else:
            self._register.set_playing(call_id, playing=False)
            greeting.end()
            self._register.tell(PlaybackFinished(call_id, self._clock.now()))

    def hear(self, call_id: AttemptId, event: Event) -> None:
        """Take an event of a call: somebody may begin or end to talk."""
        greeting = self._greetings.get(call_id)
        if greeting is not None:
            greeting.take(event)

    def over(self, call_id: AttemptId) -> None:
        """Note that a call is over: nobody waits for its greeting any more."""
        greeting = self._greetings.get(call_id)
        if greeting is not None:
            greeting.end()

    async def broke(self, call_id: AttemptId) -> None:
        """End a call whose prompt failed, unless the end of the call was what cut the prompt off."""
        await asyncio.sleep(SETTLING)
        if self._register.get(call_id) is None:
            return
        fault = "its prompt could not be played: is the sound file there, readable, in a known format?"
        log.warning("call %s on Asterisk %s: %s", call_id, self._client.settings.name, fault)
        self._register.tell(PromptFailed(call_id, self._clock.now(), fault))
        self._register.step(call_id, lambda state, _: (calls.broken(state, fault), ()))
        with suppress(ChannelError):
            await self._client.request("DELETE", f"channels/{call_id}")

    async def _begin(self, state: calls.CallState, prompt: Prompt) -> None:
        call_id = state.call_id
        uri = prompts.media(prompt, self._client.settings) or await self._spoken(prompt)
        if state.by is AnsweredBy.MACHINE and not state.greeted and not await self._greeted(call_id):
            return
        body = {"media": uri, "playbackId": call_id}
        answer = await self._client.request("POST", f"channels/{call_id}/play", body)
        if not answer.ok:
            raise ChannelError(f"call {call_id} cannot be played to: {answer.complaint}")

    async def _spoken(self, prompt: Prompt) -> str:
        if not prompt.text:
            raise PromptError("there is nothing to play: the prompt has neither a text nor a file")
        if self._speaker is None:
            raise PromptError("texts cannot be spoken: no speech engine is configured; use an audio file")
        try:
            return await self._speaker.sound(prompt)
        except ChannelError as error:
            raise PromptError(error.message) from error

    async def _greeted(self, call_id: AttemptId) -> bool:
        """Wait for the end of a machine's greeting; return whether the prompt is still to be played."""
        self._greetings[call_id] = greeting = Greeting()
        try:
            await greeting.wait(self._client, call_id)
        finally:
            del self._greetings[call_id]
        state = self._register.up(call_id)
        self._register.put(replace(state, greeted=True))
        return state.playing
