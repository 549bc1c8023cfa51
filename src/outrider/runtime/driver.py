"""The only interpreter of engine commands: it makes attempts, and feeds what happens back to the engine.

The worker gives it claims, channels give it events; results go to the recorder. It decides nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Channel
from outrider.channels.base import ChannelUnreachableError
from outrider.channels.model import CallEvent, CallRinging, LivingCall, TextResult, TextSent
from outrider.clock import Clock, stopwatch
from outrider.dialing import commands, engine
from outrider.dialing.attempt import Claim, Result
from outrider.dialing.state import AttemptState
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from outrider.runtime.composing import Composer
from outrider.runtime.hall import Hall, Talk
from outrider.runtime.performer import Channels, Listener, PerformedNews, Performer
from outrider.runtime.recorder import Recorder
from outrider.runtime.speech_desk import SpeechDesk

log = structlog.get_logger(__name__)

REST = 5.0
"""Real seconds without mails or texts after their server could not be reached."""


class Driver:
    """All attempts of one worker that are under way."""

    def __init__(
        self,
        channels: Channels,
        composer: Composer,
        recorder: Recorder,
        desk: SpeechDesk,
        clock: Clock,
        most_in_flight: int = 200,
    ) -> None:
        self._channels = channels
        self._composer = composer
        self._recorder = recorder
        self._clock = clock
        listener = Listener(self._told, self._refused, self._note_made, self._duplicate, self._step_out)
        self._performer = Performer(channels, desk, clock, most_in_flight, listener)
        self._live: dict[AttemptId, tuple[AttemptState, Claim]] = {}
        self._made: set[AttemptId] = set()
        self._in_doubt = False
        self._rest_until: dict[Channel, float] = {}
        self._unclaimed: dict[AttemptId, list[CallEvent]] | None = {}
        self._idle = asyncio.Event()
        self._idle.set()
        missing = {Channel.EMAIL: channels.mail, Channel.SMS: channels.text}
        self._absent = frozenset(channel for channel, adapter in missing.items() if adapter is None)
        self.unreachable = self._absent
        """Channels that are not there, or refused us: dial loops pause until `probe` finds them."""
        self.trouble: dict[Channel, str] = {}
        """Why each of them is unreachable, in the words of what failed."""
        self._logged: dict[Channel, str] = {}
        self.hall: Hall | None = None
        """Where agents are, if this worker has the floor."""

    @property
    def in_flight(self) -> int:
        """Return how many attempts are under way."""
        return len(self._live)

    def on_event(self, event: CallEvent) -> None:
        """Take one event of the voice channel; those of calls not adopted yet are kept for `adopt`."""
        if event.call_id in self._live:
            self._step(event.call_id, event)
        elif self.hall is not None and self.hall.knows(event.call_id):
            self.hall.hear(event)
        elif self._unclaimed is not None:
            self._unclaimed.setdefault(event.call_id, []).append(event)

    def start(self, claim: Claim) -> None:
        """Begin a claimed attempt."""
        try:
            state, todo = self._composer.begin(claim)
        except Exception as error:
            log.exception("attempt_not_composed", attempt=claim.attempt_id)
            detail = f"it could not be composed: {error}"
            self._recorder.add(Result(claim, Outcome.FAILED, self._clock.now(), None, detail))
            return
        if claim.plan.action.agents is not None and self.hall is not None:
            self.hall.started(claim)
        self._enter(claim, state, todo)

    def tell(self, attempt_id: AttemptId, news: commands.AgentNews) -> None:
        """Take news of the floor about a call."""
        self._told(attempt_id, news)

    def is_live(self, attempt_id: AttemptId) -> bool:
        """Return whether an attempt is under way here."""
        return attempt_id in self._live

    def adopt(self, claim: Claim, living: LivingCall | None) -> bool:
        """Take over an attempt of a former life, or close it as interrupted; return whether it lives.

        Events that arrived before its adoption are caught up with: they tell true outcomes.
        """
        events = (self._unclaimed or {}).pop(claim.attempt_id, [])
        if claim.preview:
            # A card that was looked at: nothing was dialed, and the contact is as before.
            detail = "its process ended while an agent looked at the card"
            self._recorder.add(Result(claim, Outcome.SKIPPED, self._clock.now(), None, detail, untried=True))
            return False
        if claim.plan.action.channel is Channel.SMS:
            # It may have been submitted: a receipt can still tell, and it is never sent again by itself.
            detail = "its process ended; whether it was submitted is not known"
            self._recorder.add(Result(claim, Outcome.UNKNOWN, self._clock.now(), None, detail))
            return False
        if living is not None:
            self._made.add(claim.attempt_id)
            plan = self._composer.call_plan(claim)
            talk = None if self.hall is None else self.hall.taken_over(claim, living.room)
            if talk is None and self.hall is not None and living.room and self.hall.is_empty(living.room):
                # Nobody talks to this person there: another agent is looked for.
                living = replace(living, room="")
            session = None if talk is None or talk.joined_at is None else talk.session_id
            state, todo = engine.adopt(living, plan, self._clock.now(), claim.held, talks_with=session)
            self._enter(claim, state, todo)
        elif events:
            self._enter(claim, self._late(claim), ())
        else:
            self._recorder.add(self._gone(claim))
            return False
        for event in events:
            self.on_event(event)
        if living is None and claim.attempt_id in self._live:
            self._step_out(claim.attempt_id, "its process ended, and its call with it")
        return True

    def _talk(self, claim: Claim) -> Talk | None:
        return None if self.hall is None else self.hall.talks_with(claim.attempt_id)

    def _late(self, claim: Claim) -> AttemptState:
        """Return the state of a call that ended while nobody listened; one in hand had been answered."""
        talk, plan = self._talk(claim), self._composer.call_plan(claim)
        if talk is None or talk.joined_at is None:
            return engine.join_late(claim.attempt_id, plan)
        return engine.join_talking(claim.attempt_id, plan, talk.session_id, talk.joined_at)

    def _gone(self, claim: Claim) -> Result:
        """Return the result of an attempt whose process ended and whose call no server knows of.

        A contact who was talking to an agent was answered, whenever the call ended.
        """
        talk, now = self._talk(claim), self._clock.now()
        if talk is None or talk.joined_at is None:
            detail = "its process ended, and no server knows of it"
            return Result(claim, Outcome.INTERRUPTED, now, None, detail)
        return Result(
            claim,
            Outcome.ANSWERED,
            now,
            talk.joined_at,
            "ended while the system restarted",
            agent_id=talk.agent_id,
            session_id=talk.session_id,
            joined_at=talk.joined_at,
        )

    def recovered(self) -> None:
        """Stop keeping events of unknown calls: everything that is ours has been adopted."""
        self._unclaimed = None

    def await_adoption(self) -> None:
        """Keep events of unknown calls again, for the adoption of another worker's."""
        if self._unclaimed is None:
            self._unclaimed = {}

    def shut(self, channel: Channel, reason: str) -> None:
        """Use a channel no more, until `admit`: it could not be opened."""
        self._absent |= {channel}
        self._note_trouble(channel, reason)

    def admit(self, channel: Channel) -> None:
        """Use a channel again that was shut."""
        self._absent -= {channel}
        self.unreachable -= {channel}
        self.trouble.pop(channel, None)

    async def drained(self) -> None:
        """Wait until no attempt is under way."""
        await self._idle.wait()

    async def close(self) -> None:
        """Forget all attempts (their rows stay open, for recovery) and end what still runs."""
        await self._performer.close()
        self._live.clear()
        self._made.clear()

    def doubt(self) -> None:
        """Note that news may have been missed: `probe` asks what is up, and closes what is not."""
        self._in_doubt = True

    async def probe(self) -> None:
        """Ask unreachable channels again; those that answer may be used. Clear up doubts."""
        if Channel.CALL in self.unreachable:
            try:
                await self._channels.voice.living()
            except ChannelError:
                return
            self.unreachable -= {Channel.CALL}
            self.trouble.pop(Channel.CALL, None)
            log.info("channel_reachable_again", channel=Channel.CALL.value)
        now = stopwatch()
        # Only a message can tell whether its server is back: after a rest, the next one tries.
        rested = {channel for channel, until in self._rest_until.items() if now >= until}
        self.unreachable = self.unreachable - rested | self._absent
        for channel in rested - self._absent:
            self.trouble.pop(channel, None)
        if self._in_doubt:
            await self._clear_up()

    async def _clear_up(self) -> None:
        """End the attempts whose calls the server does not know any more: it died, or told others.

        Only calls that were made before we ask are looked at, and news from before the answer comes first.
        Of servers that could not be asked nothing is known yet.
        """
        self._in_doubt = False
        asked = tuple(self._made)
        try:
            living = await self._channels.voice.living()
        except ChannelError:
            self._in_doubt = True
            return
        up = {call.call_id for call in living.calls}
        for attempt_id in asked:
            if attempt_id in up or attempt_id not in self._live:
                continue
            _, claim = self._live[attempt_id]
            if claim.server in living.silent:
                self._in_doubt = True
            else:
                self._step_out(attempt_id, "the carrier lost the call, or the news of its end")

    def _enter(self, claim: Claim, state: AttemptState, todo: Sequence[commands.Command]) -> None:
        self._live[claim.attempt_id] = (state, claim)
        self._idle.clear()
        self._carry_out(claim, todo)

    def _step(self, attempt_id: AttemptId, event: engine.News) -> None:
        state, claim = self._live[attempt_id]
        state, todo = engine.handle(state, event)
        self._live[attempt_id] = (state, claim)
        if self.hall is not None and isinstance(event, CallRinging) and claim.plan.action.agents is not None:
            self.hall.ringing(claim)
        self._carry_out(claim, todo)

    def _step_out(self, attempt_id: AttemptId, detail: str) -> None:
        if attempt_id not in self._live:
            return
        state, claim = self._live[attempt_id]
        if claim.plan.action.channel is Channel.SMS:
            # It may have been submitted before the fault: it is never sent again by itself.
            lost = TextSent(attempt_id, self._clock.now(), TextResult.UNKNOWN, detail=detail)
            _, todo = engine.handle(state, lost)
        else:
            _, todo = engine.lost(state, self._clock.now(), detail)
        self._carry_out(claim, todo)

    def _carry_out(self, claim: Claim, todo: Sequence[commands.Command]) -> None:
        for command in todo:
            match command:
                case commands.Finish():
                    self._finish(claim, command)
                case commands.FindAgent() | commands.DropOffer() | commands.JoinRoom():
                    self._ask_hall(claim, command)
                case _:
                    self._performer.perform(claim.attempt_id, command)

    def _ask_hall(
        self, claim: Claim, command: commands.FindAgent | commands.DropOffer | commands.JoinRoom
    ) -> None:
        """Ask the floor; without one no agent can be found."""
        hall = self.hall
        match command:
            case commands.FindAgent():
                if hall is None:
                    self._told(claim.attempt_id, commands.AgentMissed(claim.attempt_id))
                else:
                    hall.seek(claim, command)
            case commands.DropOffer(call_id):
                if hall is not None:
                    hall.drop(call_id)
            case commands.JoinRoom() if hall is not None:
                hall.join(claim, command)

    def _finish(self, claim: Claim, finish: commands.Finish) -> None:
        self._live.pop(claim.attempt_id, None)
        self._made.discard(claim.attempt_id)
        self._performer.forget(claim.attempt_id)
        if finish.untried:
            self._give_rest(claim, finish.detail)
        result = Result(
            claim,
            finish.outcome,
            finish.ended_at,
            finish.answered_at,
            finish.detail,
            finish.untried,
            finish.disposition,
            finish.do_not_contact,
            finish.sent,
            agent_id=self._agent_of(finish.session),
            session_id=finish.session,
            joined_at=finish.joined_at,
        )
        self._recorder.add(result)
        if claim.plan.action.agents is not None and self.hall is not None:
            self.hall.over(claim, finish)
        if not self._live:
            self._idle.set()

    def _agent_of(self, session_id: int | None) -> int | None:
        return None if session_id is None or self.hall is None else self.hall.agent_of(session_id)

    def _give_rest(self, claim: Claim, reason: str) -> None:
        """Let dial loops pause: the channel's server cannot be reached.

        One media server of several is no reason: its ports are given to the others. A web service is its
        own strategy's affair.
        """
        channel = claim.plan.action.channel
        if claim.server or channel is Channel.WEBHOOK:
            return
        self._note_trouble(channel, reason)
        if channel is not Channel.CALL:
            self._rest_until[channel] = stopwatch() + REST

    def _note_trouble(self, channel: Channel, reason: str) -> None:
        """Pause a channel; the same reason is not logged again at every try."""
        if self._logged.get(channel) != reason:
            log.warning("channel_unreachable", channel=channel.value, reason=reason)
        self._logged[channel] = self.trouble[channel] = reason
        self.unreachable |= {channel}

    def _told(self, attempt_id: AttemptId, news: PerformedNews) -> None:
        if attempt_id in self._live:
            self._step(attempt_id, news)
        elif isinstance(news, commands.UnitGranted):
            # The call ended in the same moment: its row was closed, and the unit with it, or is about to be.
            self._performer.perform(attempt_id, commands.GiveUnit(attempt_id, news.kind))

    def _note_made(self, attempt_id: AttemptId) -> None:
        if attempt_id in self._live:
            self._made.add(attempt_id)

    def _duplicate(self, _attempt_id: AttemptId) -> None:
        self.doubt()

    def _refused(self, attempt_id: AttemptId, error: ChannelError) -> None:
        if error.facts.get("outcome") == "unknown":
            # The call may exist: we ask the server, and nothing is dialed twice.
            log.warning("call_outcome_unknown", call_id=attempt_id, error=error.message)
            self.doubt()
            return
        if attempt_id not in self._live:
            return
        state, claim = self._live[attempt_id]
        untried = isinstance(error, ChannelUnreachableError)
        _, todo = engine.refused(state, self._clock.now(), error.message, untried=untried)
        self._carry_out(claim, todo)
