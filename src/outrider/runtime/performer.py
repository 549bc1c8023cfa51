"""Carries single engine commands out on the channels, and tells the driver what came of them.

Everything here is I/O for one attempt; `driver.py` keeps the states and decides nothing either.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from outrider.channels.base import DuplicateCallError, MailChannel, PromptError, TextChannel, VoiceChannel
from outrider.channels.model import MailSent, OutboundMail, OutboundText, Prompt, PromptFailed, TextSent
from outrider.clock import Clock
from outrider.dialing import commands
from outrider.dialing.commands import DriverNews, UnitGranted, UnitRefused
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind
from outrider.runtime.speech_desk import SpeechDesk
from outrider.runtime.webhooks import WebhookChannel

log = structlog.get_logger(__name__)

PerformedNews = MailSent | TextSent | PromptFailed | DriverNews


@dataclass(frozen=True)
class Channels:
    """The ways out of one worker; None where nothing is configured."""

    voice: VoiceChannel
    mail: MailChannel | None
    text: TextChannel | None
    webhook: WebhookChannel


@dataclass(frozen=True)
class Listener:
    """Whom the performer tells: news of an attempt, a refused call, a call that was made, a fault of ours."""

    news: Callable[[AttemptId, PerformedNews], None]
    refused: Callable[[AttemptId, ChannelError], None]
    made: Callable[[AttemptId], None]
    duplicate: Callable[[AttemptId], None]
    faulty: Callable[[AttemptId, str], None]


class Performer:
    """Runs commands as tasks; `close` ends those that still run."""

    def __init__(
        self, channels: Channels, desk: SpeechDesk, clock: Clock, most_in_flight: int, listener: Listener
    ) -> None:
        self._channels = channels
        self._desk = desk
        self._clock = clock
        self._slots = asyncio.Semaphore(most_in_flight)
        self._listener = listener
        self._running: set[asyncio.Task[None]] = set()
        self._units: dict[tuple[AttemptId, LicenceKind], asyncio.Task[None]] = {}
        self._timers: dict[AttemptId, asyncio.TimerHandle] = {}

    def perform(self, attempt_id: AttemptId, command: commands.Command) -> None:
        """Begin to carry a command out; all but Finish, which is the driver's."""
        match command:
            case commands.Originate(call):
                self._run(attempt_id, self._originate(call.call_id, command))
            case commands.Send(mail):
                self._run(attempt_id, self._send(mail))
            case commands.SendText(text):
                self._run(attempt_id, self._send_text(text))
            case commands.CallWebhook():
                self._run(attempt_id, self._call_webhook(command))
            case commands.Finish() | commands.FindAgent() | commands.DropOffer() | commands.JoinRoom():
                raise ValueError("the driver ends attempts, and asks the floor for agents")
            case commands.StartTimer() | commands.StopTimer() | commands.TakeUnit() | commands.GiveUnit():
                self._wait_for(command)
            case _:
                self._run(attempt_id, self._act_on_call(command))

    def _wait_for(
        self, command: commands.StartTimer | commands.StopTimer | commands.TakeUnit | commands.GiveUnit
    ) -> None:
        """Start or stop waiting: for time to pass, or for a speech connection."""
        match command:
            case commands.StartTimer(call_id, seconds):
                self._start_timer(call_id, seconds)
            case commands.StopTimer(call_id):
                self._stop_timer(call_id)
            case commands.TakeUnit(call_id, kind, patience):
                self._unit_work(call_id, kind, lambda: self._take_unit(call_id, kind, patience))
            case commands.GiveUnit(call_id, kind):
                self._unit_work(call_id, kind, lambda: self._desk.give(call_id, kind))

    def _unit_work(
        self, call_id: AttemptId, kind: LicenceKind, work: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Take or give a call's speech connection, after what was asked of it before."""
        before = self._units.get((call_id, kind))

        async def in_turn() -> None:
            if before is not None:
                await asyncio.wait((before,))
            await work()

        task = self._run(call_id, in_turn())
        self._units[call_id, kind] = task
        task.add_done_callback(lambda done: self._unit_done(call_id, kind, done))

    def _unit_done(self, call_id: AttemptId, kind: LicenceKind, done: asyncio.Task[None]) -> None:
        if self._units.get((call_id, kind)) is done:
            del self._units[call_id, kind]

    async def _act_on_call(
        self,
        command: commands.Play
        | commands.StopPlaying
        | commands.Listen
        | commands.StopListening
        | commands.HangUp,
    ) -> None:
        """Do something on a call that is up."""
        voice = self._channels.voice
        match command:
            case commands.Play(call_id, prompt):
                await self._play(call_id, prompt)
            case commands.StopPlaying(call_id):
                await self._quietly("stop_playing", call_id, voice.stop_playing)
            case commands.Listen(call_id, words):
                await self._listen(call_id, words)
            case commands.StopListening(call_id):
                await self._quietly("stop_listening", call_id, voice.stop_listening)
            case commands.HangUp(call_id):
                await self._quietly("hang_up", call_id, voice.hang_up)

    def forget(self, attempt_id: AttemptId) -> None:
        """Drop the timer of an attempt that is over, and its place in the queue for speech units."""
        self._stop_timer(attempt_id)
        for kind in (LicenceKind.ASR, LicenceKind.TTS):
            waiting = self._units.pop((attempt_id, kind), None)
            if waiting is not None:
                waiting.cancel()

    async def close(self) -> None:
        """End what still runs."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _run(self, attempt_id: AttemptId, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._guarded(attempt_id, work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _guarded(self, attempt_id: AttemptId, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`; a fault in it ends its attempt, which would otherwise wait for news for ever."""
        try:
            await work
        except Exception as error:
            log.exception("attempt_failed", attempt=attempt_id)
            self._listener.faulty(attempt_id, f"a fault of ours: {type(error).__name__}")

    async def _originate(self, call_id: AttemptId, command: commands.Originate) -> None:
        async with self._slots:
            try:
                await self._channels.voice.originate(command.call)
            except DuplicateCallError:
                # It was made already, by us before a lost answer: its events will come, if it still lives.
                log.warning("call_was_made_before", call_id=call_id)
                self._listener.duplicate(call_id)
            except ChannelError as error:
                self._listener.refused(call_id, error)
        self._listener.made(call_id)

    async def _play(self, call_id: AttemptId, prompt: Prompt) -> None:
        try:
            await self._channels.voice.play(call_id, prompt)
        except PromptError as error:
            log.warning("prompt_not_played", call_id=call_id, error=error.message)
            self._listener.news(call_id, PromptFailed(call_id, self._clock.now(), error.message))
        except ChannelError as error:
            # The call went away meanwhile (its end is on its way), or cannot be played to: end it.
            log.info("prompt_not_played", call_id=call_id, error=error.message)
            await self._quietly("hang_up", call_id, self._channels.voice.hang_up)

    async def _listen(self, call_id: AttemptId, words: tuple[str, ...]) -> None:
        try:
            await self._channels.voice.listen(call_id, words)
        except ChannelError as error:
            # Keys still work, and the timer of the question runs.
            log.warning("speech_not_recognised", call_id=call_id, error=error.message)

    async def _quietly(
        self, what: str, call_id: AttemptId, act: Callable[[AttemptId], Coroutine[Any, Any, None]]
    ) -> None:
        try:
            await act(call_id)
        except ChannelError as error:
            log.warning("call_command_failed", command=what, call_id=call_id, error=error.message)

    async def _take_unit(self, call_id: AttemptId, kind: LicenceKind, patience: float) -> None:
        taken = await self._desk.take(call_id, kind, patience)
        news = UnitGranted(call_id, kind) if taken else UnitRefused(call_id, kind)
        self._listener.news(call_id, news)

    async def _send(self, mail: OutboundMail) -> None:
        if self._channels.mail is None:
            raise ChannelError("no mail server is configured: set email.host")
        self._listener.news(mail.message_id, await self._channels.mail.send(mail))

    async def _send_text(self, text: OutboundText) -> None:
        if self._channels.text is None:
            raise ChannelError("no message centre is configured: add an [[sms.connections]] entry")
        self._listener.news(text.message_id, await self._channels.text.send(text))

    async def _call_webhook(self, command: commands.CallWebhook) -> None:
        self._listener.news(command.attempt_id, await self._channels.webhook.call(command))

    def _start_timer(self, call_id: AttemptId, seconds: float) -> None:
        self._stop_timer(call_id)
        real = seconds / float(getattr(self._clock, "speed", 1.0))
        loop = asyncio.get_running_loop()
        self._timers[call_id] = loop.call_later(real, self._fire, call_id)

    def _stop_timer(self, call_id: AttemptId) -> None:
        timer = self._timers.pop(call_id, None)
        if timer is not None:
            timer.cancel()

    def _fire(self, call_id: AttemptId) -> None:
        self._timers.pop(call_id, None)
        self._listener.news(call_id, commands.TimerFired(call_id))
