"""One process of the simulated system: attempts under way, and everything that a crash forgets.

As `runtime/driver.py`: claims become calls, events go through `dialing/engine.py`, its commands are carried
out on the links, results are queued and written in batches. `desk` is its floor, `dialer` its loops.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from outrider.campaigns.outcome import Outcome
from outrider.channels.base import ChannelUnreachableError, DuplicateCallError
from outrider.channels.model import CallAnswered, CallEvent, CallRinging, LivingCall
from outrider.dialing import commands, engine
from outrider.dialing.attempt import Claim, Result
from outrider.dialing.state import AttemptState
from outrider.errors import ChannelError, StoreError
from outrider.ids import AttemptId
from outrider.runtime.composing import Composer
from outrider.runtime.hall import Hall
from outrider.runtime.mailing import MailComposer
from outrider.simulate import recording
from outrider.simulate.agenda import Agenda, WallClock
from outrider.simulate.link import Act, Link
from outrider.simulate.memory import Memory
from outrider.simulate.recording import WrapUp
from outrider.simulate.watching import Watcher

RECORD_AFTER = 0.05
"""Seconds in which results are collected, as `runtime/recorder.py` does."""


class Worker:
    """Attempts by id. `desk` is given after it was made: the two know each other."""

    def __init__(
        self,
        memory: Memory,
        agenda: Agenda,
        wall: WallClock,
        links: dict[str, Link],
        owner: str,
        watcher: Watcher,
    ) -> None:
        self.memory = memory
        self.agenda = agenda
        self.wall = wall
        self.links = links
        self.owner = owner
        self.watcher = watcher
        self.is_dead = False
        self.live: dict[AttemptId, tuple[AttemptState, Claim]] = {}
        self.away: frozenset[str] = frozenset()
        """Media servers that do not answer."""
        self.hall: Hall | None = None
        self.on_written: Callable[[], None] | None = None
        """Told when results were written: units may be free."""
        self._composer = Composer(MailComposer(b"", ""))
        self._waiting: deque[Result | WrapUp] = deque()
        self._writes = False
        self._made_calls: set[AttemptId] = set()
        self._timers: dict[AttemptId, int] = {}
        self._timer = 0
        self._unclaimed: dict[AttemptId, list[CallEvent]] | None = {}

    # What comes in.

    def on_event(self, event: CallEvent) -> None:
        """Take one event; those of calls that were not adopted yet are kept."""
        if event.call_id in self.live:
            self._step(event.call_id, event)
        elif self.hall is not None and self.hall.knows(event.call_id):
            self.hall.hear(event)
        elif self._unclaimed is not None:
            self._unclaimed.setdefault(event.call_id, []).append(event)

    def start(self, claim: Claim) -> None:
        """Begin a claimed attempt."""
        self.watcher.started(claim)
        state, todo = self._composer.begin(claim)
        if claim.plan.action.agents is not None and self.hall is not None:
            self.hall.started(claim)
        self._enter(claim, state, todo)

    def tell(self, attempt_id: AttemptId, news: commands.DriverNews) -> None:
        """Take news about a call that is under way."""
        if attempt_id in self.live:
            self._step(attempt_id, news)

    def adopt(self, claim: Claim, living: LivingCall | None) -> None:
        """Take over an attempt of a former life, or close it truthfully, as `runtime/driver.py` does."""
        events = (self._unclaimed or {}).pop(claim.attempt_id, [])
        talk = None if self.hall is None else self.hall.talks_with(claim.attempt_id)
        if claim.preview:
            detail = "its process ended while an agent looked at the card"
            self.record(Result(claim, Outcome.SKIPPED, self.wall.now(), None, detail, untried=True))
            return
        if living is not None:
            self._made_calls.add(claim.attempt_id)
            plan = self._composer.call_plan(claim)
            talk = None if self.hall is None else self.hall.taken_over(claim, living.room)
            if talk is None and self.hall is not None and living.room and self.hall.is_empty(living.room):
                living = replace(living, room="")
            session = None if talk is None or talk.joined_at is None else talk.session_id
            state, todo = engine.adopt(living, plan, self.wall.now(), claim.held, talks_with=session)
            self._enter(claim, state, todo)
        elif events:
            self._enter(claim, engine.join_late(claim.attempt_id, self._composer.call_plan(claim)), ())
        elif talk is not None and talk.joined_at is not None:
            detail = "ended while the system restarted"
            self.record(
                Result(
                    claim,
                    Outcome.ANSWERED,
                    self.wall.now(),
                    talk.joined_at,
                    detail,
                    agent_id=talk.agent_id,
                    session_id=talk.session_id,
                    joined_at=talk.joined_at,
                )
            )
            return
        else:
            detail = "its process ended, and no server knows of it"
            self.record(Result(claim, Outcome.INTERRUPTED, self.wall.now(), None, detail))
            return
        for event in events:
            self.on_event(event)
        if living is None:
            self.lose(claim.attempt_id, "its process ended, and its call with it")

    def recovered(self) -> None:
        """Stop keeping events of unknown calls."""
        self._unclaimed = None

    def lose(self, attempt_id: AttemptId, detail: str) -> None:
        """End an attempt whose call is gone without news of its end."""
        if attempt_id in self.live:
            state, claim = self.live[attempt_id]
            _, todo = engine.lost(state, self.wall.now(), detail)
            self._carry_out(claim, todo)

    def clear_up(self, name: str) -> None:
        """End the attempts of a media server whose calls it does not know any more: news may be missing."""
        living = self.links[name].living()
        if living is None:
            return
        up = {call.call_id for call in living.calls}
        for attempt_id, (_, claim) in tuple(self.live.items()):
            if claim.server == name and attempt_id in self._made_calls and attempt_id not in up:
                self.lose(attempt_id, "the carrier lost the call, or the news of its end")

    # Results.

    def record(self, item: "Result | WrapUp") -> None:
        """Queue a result or wrap-up; it is written within RECORD_AFTER."""
        self._waiting.append(item)
        if not self._writes:
            self._writes = True
            self.agenda.after(RECORD_AFTER, self.flush)

    def flush(self) -> None:
        """Write what is queued; what cannot be committed stays, and is tried again."""
        if self.is_dead:
            return
        self._writes = False
        batch = tuple(self._waiting)
        if not batch:
            return
        try:
            self.memory.write(recording.record, batch)
        except StoreError:
            self._writes = True
            self.agenda.after(RECORD_AFTER, self.flush)
            return
        for _ in batch:
            self._waiting.popleft()
        if self.on_written is not None:
            self.on_written()

    def give_back(self, claim: Claim, reason: str, *, skipped: bool) -> None:
        """Close a card without a call."""
        now = self.wall.now()
        result = Result(claim, Outcome.SKIPPED, now, None, reason, untried=not skipped)
        if claim.attempt_id in self.memory.attempts:
            self.memory.write(recording.give_back, result)

    # Steps of an attempt.

    def _enter(self, claim: Claim, state: AttemptState, todo: Sequence[commands.Command]) -> None:
        self.live[claim.attempt_id] = (state, claim)
        self._carry_out(claim, todo)

    def _step(self, attempt_id: AttemptId, event: engine.News) -> None:
        state, claim = self.live[attempt_id]
        state, todo = engine.handle(state, event)
        self.live[attempt_id] = (state, claim)
        if self.hall is not None and claim.plan.action.agents is not None:
            if isinstance(event, CallRinging):
                self.hall.ringing(claim)
            elif isinstance(event, CallAnswered):
                self.watcher.answered(claim)
        if todo:
            self._carry_out(claim, todo)

    def _carry_out(self, claim: Claim, todo: Sequence[commands.Command]) -> None:
        for command in todo:
            match command:
                case commands.Originate(call):
                    act: Act = lambda carrier, call=call: carrier.originate(call)  # type: ignore[misc] # noqa: E731 - bound now
                    self.links[claim.server].command(act, partial(self._made, claim))
                case commands.Finish():
                    self._finish(claim, command)
                case commands.FindAgent() | commands.DropOffer() | commands.JoinRoom():
                    self._ask_hall(claim, command)
                case _:
                    self._perform(claim, command)

    def _perform(self, claim: Claim, command: commands.Command) -> None:
        link, call_id = self.links[claim.server], claim.attempt_id
        match command:
            case commands.Play(_, prompt):
                self.watcher.playing(claim, prompt)
                link.command(lambda carrier: carrier.play(call_id, prompt), partial(self._played, claim))
            case commands.HangUp():
                link.command(lambda carrier: carrier.hang_up(call_id))
            case commands.StopPlaying():
                link.command(lambda carrier: carrier.stop_playing(call_id))
            case commands.Listen(_, words):
                link.command(lambda carrier: carrier.listen(call_id, words))
            case commands.StopListening():
                link.command(lambda carrier: carrier.stop_listening(call_id))
            case commands.StartTimer(_, seconds):
                self._timer += 1
                self._timers[call_id] = self._timer
                self.agenda.after(seconds, partial(self._fire, call_id, self._timer))
            case commands.StopTimer():
                self._timers.pop(call_id, None)
            case commands.TakeUnit(_, kind):
                # Speech connections are not what is simulated: there is always one.
                self.agenda.after(0.0, partial(self.tell, call_id, commands.UnitGranted(call_id, kind)))
            case _:
                pass

    def _ask_hall(
        self, claim: Claim, command: commands.FindAgent | commands.DropOffer | commands.JoinRoom
    ) -> None:
        hall = self.hall
        match command:
            case commands.FindAgent() if hall is None:
                self.tell(claim.attempt_id, commands.AgentMissed(claim.attempt_id))
            case commands.FindAgent() if hall is not None:
                hall.seek(claim, command)
            case commands.JoinRoom() if hall is not None:
                hall.join(claim, command)

    def _finish(self, claim: Claim, finish: commands.Finish) -> None:
        self.live.pop(claim.attempt_id, None)
        self._timers.pop(claim.attempt_id, None)
        self._made_calls.discard(claim.attempt_id)
        hall = self.hall
        agent = None if finish.session is None or hall is None else hall.agent_of(finish.session)
        self.record(
            Result(
                claim,
                finish.outcome,
                finish.ended_at,
                finish.answered_at,
                finish.detail,
                finish.untried,
                finish.disposition,
                finish.do_not_contact,
                finish.sent,
                agent_id=agent,
                session_id=finish.session,
                joined_at=finish.joined_at,
            )
        )
        self.watcher.finished(claim, finish)
        if claim.plan.action.agents is not None and hall is not None:
            hall.over(claim, finish)

    def _made(self, claim: Claim, trouble: ChannelError | None) -> None:
        """Take the answer to an originate: a refusal ends the attempt, a repetition does not."""
        if self.is_dead:
            return
        if claim.attempt_id in self.live:
            self._made_calls.add(claim.attempt_id)
        if trouble is None or isinstance(trouble, DuplicateCallError):
            return
        if claim.attempt_id in self.live:
            state, _ = self.live[claim.attempt_id]
            untried = isinstance(trouble, ChannelUnreachableError)
            _, todo = engine.refused(state, self.wall.now(), trouble.message, untried=untried)
            self._carry_out(claim, todo)

    def _played(self, claim: Claim, trouble: ChannelError | None) -> None:
        if trouble is not None and not self.is_dead:
            self.links[claim.server].command(lambda carrier: carrier.hang_up(claim.attempt_id))

    def _fire(self, call_id: AttemptId, number: int) -> None:
        if not self.is_dead and self._timers.get(call_id) == number:
            del self._timers[call_id]
            self.tell(call_id, commands.TimerFired(call_id))
