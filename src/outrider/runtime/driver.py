"""The only interpreter of engine commands: it makes calls and sends mails, and feeds what happens back.

The worker gives it claims, channels give it events; results go to the recorder. It decides nothing.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Channel, OnMachine
from outrider.channels.base import ChannelUnreachableError, DuplicateCallError, MailChannel, VoiceChannel
from outrider.channels.model import CallEvent, LivingCall, MailSent, OutboundCall, OutboundMail, Prompt
from outrider.clock import Clock, stopwatch
from outrider.dialing import engine
from outrider.dialing.attempt import Claim, Result
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from outrider.runtime.mailing import MailComposer
from outrider.runtime.recorder import Recorder

log = structlog.get_logger(__name__)

MAIL_REST = 5.0
"""Real seconds without mail after its server could not be reached."""


class Driver:
    """All attempts of one worker that are under way."""

    def __init__(
        self,
        voice: VoiceChannel,
        mail: MailChannel | None,
        composer: MailComposer,
        recorder: Recorder,
        clock: Clock,
        most_in_flight: int = 200,
    ) -> None:
        self._voice = voice
        self._mail = mail
        self._composer = composer
        self._recorder = recorder
        self._clock = clock
        self._slots = asyncio.Semaphore(most_in_flight)
        self._live: dict[AttemptId, tuple[engine.AttemptState, Claim]] = {}
        self._made: set[AttemptId] = set()
        self._in_doubt = False
        self._mail_rests_until = 0.0
        self._unclaimed: dict[AttemptId, list[CallEvent]] | None = {}
        self._running: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.unreachable = frozenset({Channel.EMAIL}) if mail is None else frozenset()
        """Channels that are not there, or refused us: dial loops pause until `probe` finds them."""

    @property
    def in_flight(self) -> int:
        """Return how many attempts are under way."""
        return len(self._live)

    def on_event(self, event: CallEvent) -> None:
        """Take one event of the voice channel; those of calls not adopted yet are kept for `adopt`."""
        if event.call_id in self._live:
            self._step(event.call_id, event)
        elif self._unclaimed is not None:
            self._unclaimed.setdefault(event.call_id, []).append(event)

    def start(self, claim: Claim) -> None:
        """Begin a claimed attempt."""
        if claim.plan.action.channel is Channel.CALL:
            state, commands = engine.place_call(_call(claim), call_plan(claim))
        else:
            try:
                state, commands = engine.place_mail(self._composer.compose(claim))
            except Exception as error:
                log.exception("message_not_composed", attempt=claim.attempt_id)
                detail = f"its message could not be made: {error}"
                self._recorder.add(Result(claim, Outcome.FAILED, self._clock.now(), None, detail))
                return
        self._enter(claim, state, commands)

    def adopt(self, claim: Claim, living: LivingCall | None) -> bool:
        """Take over an attempt of a former life, or close it as interrupted; return whether it lives.

        Events that arrived before its adoption are caught up with: they tell true outcomes.
        """
        events = (self._unclaimed or {}).pop(claim.attempt_id, [])
        if living is not None:
            self._made.add(claim.attempt_id)
            state, commands = engine.adopt(living, call_plan(claim), self._clock.now())
            self._enter(claim, state, commands)
        elif events:
            self._enter(claim, engine.join_late(claim.attempt_id, call_plan(claim)), ())
        else:
            detail = "its process ended, and no server knows of it"
            self._recorder.add(Result(claim, Outcome.INTERRUPTED, self._clock.now(), None, detail))
            return False
        for event in events:
            self.on_event(event)
        if living is None and claim.attempt_id in self._live:
            self._step_out(claim.attempt_id, "its process ended, and its call with it")
        return True

    def recovered(self) -> None:
        """Stop keeping events of unknown calls: everything that is ours has been adopted."""
        self._unclaimed = None

    def await_adoption(self) -> None:
        """Keep events of unknown calls again, for the adoption of another worker's."""
        self._unclaimed = {}

    async def drained(self) -> None:
        """Wait until no attempt is under way."""
        await self._idle.wait()

    async def close(self) -> None:
        """Forget all attempts (their rows stay open, for recovery) and end what still runs."""
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._live.clear()
        self._made.clear()

    def doubt(self) -> None:
        """Note that news may have been missed: `probe` asks what is up, and closes what is not."""
        self._in_doubt = True

    async def probe(self) -> None:
        """Ask unreachable channels again; those that answer may be used. Clear up doubts."""
        if Channel.CALL in self.unreachable:
            try:
                await self._voice.living()
            except ChannelError:
                return
            self.unreachable -= {Channel.CALL}
            log.info("channel_reachable_again", channel=Channel.CALL.value)
        if self._mail is not None and stopwatch() >= self._mail_rests_until:
            # Only a message can tell whether a mail server is back: the next one tries.
            self.unreachable -= {Channel.EMAIL}
        if self._in_doubt:
            await self._clear_up()

    async def _clear_up(self) -> None:
        """End the attempts whose calls the server does not know any more: it died, or told others.

        Only calls that were made before we ask are looked at, and news from before the answer comes first.
        """
        self._in_doubt = False
        asked = tuple(self._made)
        try:
            living = {call.call_id for call in await self._voice.living()}
        except ChannelError:
            self._in_doubt = True
            return
        for attempt_id in asked:
            if attempt_id not in living and attempt_id in self._live:
                self._step_out(attempt_id, "the carrier lost the call, or the news of its end")

    def _enter(self, claim: Claim, state: engine.AttemptState, commands: Sequence[engine.Command]) -> None:
        self._live[claim.attempt_id] = (state, claim)
        self._idle.clear()
        self._carry_out(claim, commands)

    def _step(self, attempt_id: AttemptId, event: CallEvent | MailSent) -> None:
        state, claim = self._live[attempt_id]
        state, commands = engine.handle(state, event)
        self._live[attempt_id] = (state, claim)
        self._carry_out(claim, commands)

    def _step_out(self, attempt_id: AttemptId, detail: str) -> None:
        state, claim = self._live[attempt_id]
        _, commands = engine.lost(state, self._clock.now(), detail)
        self._carry_out(claim, commands)

    def _carry_out(self, claim: Claim, commands: Sequence[engine.Command]) -> None:
        for command in commands:
            match command:
                case engine.Finish():
                    self._finish(claim, command)
                case engine.Originate(call):
                    self._run(self._originate(claim, call), claim)
                case engine.Send(mail):
                    self._run(self._send(mail), claim)
                case engine.Play(call_id, prompt):
                    self._run(self._play(call_id, prompt))
                case engine.HangUp(call_id):
                    self._run(self._hang_up(call_id))

    def _finish(self, claim: Claim, finish: engine.Finish) -> None:
        self._live.pop(claim.attempt_id, None)
        self._made.discard(claim.attempt_id)
        if finish.untried:
            self._give_rest(claim.plan.action.channel, finish.detail)
        result = Result(
            claim, finish.outcome, finish.ended_at, finish.answered_at, finish.detail, finish.untried
        )
        self._recorder.add(result)
        if not self._live:
            self._idle.set()

    def _give_rest(self, channel: Channel, reason: str) -> None:
        """Let dial loops pause: the channel's server cannot be reached."""
        if channel not in self.unreachable:
            log.warning("channel_unreachable", channel=channel.value, reason=reason)
        self.unreachable |= {channel}
        self._mail_rests_until = stopwatch() + MAIL_REST

    def _run(self, work: Coroutine[Any, Any, None], claim: Claim | None = None) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work, claim))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None], claim: Claim | None) -> None:
        """Do `work`; a fault in it ends its attempt, which would otherwise wait for news for ever."""
        try:
            await work
        except Exception as error:
            log.exception("attempt_failed", attempt=None if claim is None else claim.attempt_id)
            if claim is not None and claim.attempt_id in self._live:
                self._step_out(claim.attempt_id, f"a fault of ours: {type(error).__name__}")

    async def _originate(self, claim: Claim, call: OutboundCall) -> None:
        async with self._slots:
            try:
                await self._voice.originate(call)
            except DuplicateCallError:
                # It was made already, by us before a lost answer: its events will come, if it still lives.
                log.warning("call_was_made_before", call_id=call.call_id)
                self.doubt()
            except ChannelError as error:
                self._refused(claim, error)
        if claim.attempt_id in self._live:
            self._made.add(claim.attempt_id)

    def _refused(self, claim: Claim, error: ChannelError) -> None:
        if error.facts.get("outcome") == "unknown":
            # The call may exist: we ask the server, and nothing is dialed twice.
            log.warning("call_outcome_unknown", call_id=claim.attempt_id, error=error.message)
            self.doubt()
            return
        if claim.attempt_id not in self._live:
            return
        state, _ = self._live[claim.attempt_id]
        untried = isinstance(error, ChannelUnreachableError)
        _, commands = engine.refused(state, self._clock.now(), error.message, untried=untried)
        self._carry_out(claim, commands)

    async def _play(self, call_id: AttemptId, prompt: Prompt) -> None:
        try:
            await self._voice.play(call_id, prompt)
        except ChannelError as error:
            # The call went away meanwhile (its end is on its way), or cannot be played to: end it.
            log.debug("prompt_not_played", call_id=call_id, error=error.message)
            await self._hang_up(call_id)

    async def _hang_up(self, call_id: AttemptId) -> None:
        try:
            await self._voice.hang_up(call_id)
        except ChannelError as error:
            log.warning("hang_up_failed", call_id=call_id, error=error.message)

    async def _send(self, mail: OutboundMail) -> None:
        if self._mail is None:
            raise ChannelError("no mail server is configured: set email.host")
        sent = await self._mail.send(mail)
        if sent.message_id in self._live:
            self._step(sent.message_id, sent)


def call_plan(claim: Claim) -> engine.CallPlan:
    """Return what the claim's call is to do once it is answered."""
    call = claim.plan.action.call
    if call is None:
        return engine.CallPlan(Prompt())
    prompt = Prompt(call.prompt.text, call.prompt.file)
    return engine.CallPlan(prompt, call.on_machine is OnMachine.LEAVE_MESSAGE)


def _call(claim: Claim) -> OutboundCall:
    call = claim.plan.action.call
    ring_timeout = 45.0 if call is None else call.ring_timeout
    return OutboundCall(claim.attempt_id, claim.address, ring_timeout, profile=claim.profile)
