"""The core of the simulated media server: calls, their far ends and their timers, without any I/O.

`embedded` and `server` own one each; `scheduler` calls `run_due` when the clock says so. Everything here is
synchronous; time is read from the Clock and kept in whole microseconds, so that virtual time is exact.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from outrider.channels.base import ChannelUnreachableError, DuplicateCallError, EventSink
from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallPurpose,
    CallRinging,
    DigitPressed,
    EndCause,
    Living,
    LivingCall,
    OutboundCall,
    PlaybackFinished,
    Prompt,
    SpeechHeard,
)
from outrider.channels.simulated.behaviour import ALWAYS_THERE, DEFAULT, CarrierProfile, FarEnd, built_in
from outrider.channels.simulated.call import Call
from outrider.channels.simulated.counts import CarrierCounts
from outrider.channels.simulated.fate import Fate, draw_fate, draw_hold
from outrider.channels.simulated.faults import Faults
from outrider.channels.simulated.ledger import CallRecord, Ledger
from outrider.channels.simulated.rooms import Rooms
from outrider.channels.simulated.timers import SECOND, Step, Timers
from outrider.clock import Clock
from outrider.errors import ChannelError
from outrider.ids import AttemptId

DIGITS = frozenset("0123456789*#ABCD")

_UNANSWERED = {
    FarEnd.BUSY: EndCause.BUSY,
    FarEnd.CONGESTION: EndCause.CONGESTION,
    FarEnd.FAILED: EndCause.FAILED,
    FarEnd.UNALLOCATED: EndCause.UNALLOCATED,
}
"""Ends of calls that never ring."""


class SimulatedCarrier:
    """A media server with a simulated network behind it. Not safe for threads: one event loop owns it.

    `max_ports` refuses calls beyond so many at once; calls beyond `originations_per_second` (clock time) are
    accepted and end in congestion, as a carrier's limit does. `used` are ids of a former life, refused too.
    """

    def __init__(
        self,
        clock: Clock,
        profiles: Mapping[str, CarrierProfile] | None = None,
        *,
        seed: int = 0,
        max_ports: int | None = None,
        originations_per_second: float | None = None,
        ledger: Ledger | None = None,
        used: frozenset[AttemptId] = frozenset(),
    ) -> None:
        self.clock = clock
        self.counts = CarrierCounts()
        self._profiles = {**built_in(), **(profiles or {})}
        self._seed = seed
        self._max_ports = max_ports
        self._rate = originations_per_second
        self._tokens = max(1.0, originations_per_second or 0.0)
        self._tokens_at = 0
        self._ledger = ledger
        self._faults = Faults()
        self._calls: dict[AttemptId, Call] = {}
        self.rooms = Rooms()
        self._used: set[AttemptId] = set(used)
        self._calls_to: dict[str, int] = {}
        self._timers = timers = Timers(clock)
        self.run_due, self.seconds_to_next = timers.run_due, timers.seconds_to_next
        self._now, self._time, self._set_timer = timers.now, timers.time, timers.set
        self._sink: EventSink | None = None
        self._held: deque[CallEvent] = deque()

    # The controller's side: commands.

    def connect(self, sink: EventSink) -> None:
        """Deliver all events to `sink` from now on, first those that were held while nobody listened."""
        self._sink = sink
        self._deliver_held()

    def disconnect(self) -> None:
        """Hold all events until somebody connects again; calls live on."""
        self._sink = None

    def originate(self, order: OutboundCall) -> None:
        """Start a call. Raises DuplicateCallError for an id used before, ChannelError when refused."""
        self._check_reachable()
        now = self._now()
        if order.call_id in self._used:
            self.counts.duplicates_refused += 1
            self._note_refusal(order, now, "duplicate id")
            raise DuplicateCallError(f"call {order.call_id} was made before", call_id=order.call_id)
        refusal = self._refusal()
        if refusal is not None:
            self.counts.refused += 1
            self._note_refusal(order, now, refusal)
            raise ChannelError(f"the carrier refused call {order.call_id}: {refusal}", call_id=order.call_id)
        self._used.add(order.call_id)
        nth = self._calls_to.get(order.address, 0) + 1
        self._calls_to[order.address] = nth
        usual = DEFAULT if order.purpose is CallPurpose.CUSTOMER else order.purpose.value
        profile = self._profiles.get(order.profile) or self._profiles[usual]
        fate = self._spoil(draw_fate(profile, self._seed, order.address, nth), now)
        record = CallRecord(order.call_id, order.address, nth, self._time(now), purpose=order.purpose)
        call = Call(order, profile, fate, record)
        self._calls[order.call_id] = call
        self.counts.originated += 1
        self.counts.most_living = max(self.counts.most_living, len(self._calls))
        if self._ledger is not None:
            self._ledger.made(call.record)
        self._set_timer(call, now, fate.setup, self._set_up)
        if order.early_room:
            self._settle_all(self.rooms.enter(call, order.early_room, record.made_at), now)

    def play(self, call_id: AttemptId, prompt: Prompt) -> None:
        """Play a prompt. Raises ChannelError unless the call is answered and nothing is being played."""
        call = self._up(call_id, "nothing can be played on it")
        if call.playing:
            raise ChannelError(f"a prompt is being played on call {call_id} already", call_id=call_id)
        call.playing = True
        wait = call.fate.greeting
        call.fate = replace(call.fate, greeting=0.0)
        duration = call.profile.playing_time(prompt.text)
        if call.early is None or call.talks_until is not None:
            self._set_timer(call, self._now(), wait + duration, self._finish_prompt)
        else:
            self._set_timer(call, self._now(), wait + duration * call.early, self._far_end_hangs_up)

    def stop_playing(self, call_id: AttemptId) -> None:
        """End the prompt that is being played, if any. Raises ChannelError when unreachable."""
        self._check_reachable()
        call = self._calls.get(call_id)
        if call is not None and call.playing and not call.ending:
            self._set_timer(call, self._now(), 0.0, self._finish_prompt)

    def listen(self, call_id: AttemptId, words: Sequence[str]) -> None:
        """Recognise these words. Raises ChannelError unless the call is answered."""
        self._up(call_id, "nothing can be heard on it").listening = frozenset(words)

    def stop_listening(self, call_id: AttemptId) -> None:
        """Recognise nothing any more. Raises ChannelError when unreachable."""
        self._check_reachable()
        call = self._calls.get(call_id)
        if call is not None:
            call.listening = frozenset()

    def join(self, call_id: AttemptId, room: str) -> None:
        """Put a call into a room; what is being played to it ends. ChannelError unless the call is answered.

        A person who finds somebody there begins to talk, and hangs up when all is said.
        """
        call = self._up(call_id, "it cannot join a room")
        now = self._now()
        call.music = False
        moved = self.rooms.enter(call, room, self._time(now))
        if call.playing:
            self._set_timer(call, now, 0.0, self._finish_prompt)
        self._settle_all((call, *moved), now)

    def leave(self, call_id: AttemptId, *, music: bool = True) -> None:
        """Take a call out of its room, to music or to silence; whoever is left alone there waits too.

        Nothing happens when it is gone. Raises ChannelError when unreachable.
        """
        self._check_reachable()
        call = self._calls.get(call_id)
        if call is not None and (call.room or music):
            now = self._now()
            call.music = music and call.answered
            self._settle_all((call, *self.rooms.leave(call, self._time(now))), now)

    def send_digits(self, call_id: AttemptId, digits: str) -> None:
        """Play keys to the far end. Raises ChannelError unless the call is answered, or for other keys."""
        call = self._up(call_id, "it hears no keys")
        if not digits or not DIGITS.issuperset(digits):
            raise ChannelError(f"{digits!r} cannot be sent: use the keys 0 to 9, *, # and A to D")
        call.record.digits += digits

    def hang_up(self, call_id: AttemptId) -> None:
        """End a call; nothing happens when it is over already. Raises ChannelError when unreachable."""
        self._check_reachable()
        call = self._calls.get(call_id)
        if call is not None:
            self._end_soon(call, self._end_by_us)

    def living(self) -> Living:
        """Return every call that exists now. Raises ChannelError when unreachable."""
        self._check_reachable()
        return Living(
            tuple(
                LivingCall(call_id, call.answered, call.by, call.playing, room=call.room)
                for call_id, call in self._calls.items()
            )
        )

    # The operator's side: failures on demand.

    @property
    def faults(self) -> Faults:
        """What goes wrong at present."""
        return self._faults

    def inject(self, faults: Faults) -> None:
        """Let these things go wrong from now on, and no others."""
        self._faults = faults
        self._deliver_held()

    def drop_all(self) -> None:
        """End all calls as FAILED, as a media server does that loses its network."""
        for call in self._calls.values():
            self._end_soon(call, self._end_dropped)

    # The clock's side.

    @property
    def on_earlier(self) -> Callable[[], None] | None:
        """What is called when a timer is set that is due before all others; the scheduler's alarm."""
        return self._timers.on_earlier

    @on_earlier.setter
    def on_earlier(self, alarm: Callable[[], None] | None) -> None:
        self._timers.on_earlier = alarm

    # What happens to a call, step by step. `at` is when it was due, which is the time the events bear.

    def _set_up(self, call: Call, at: int) -> None:
        fate = call.fate
        if fate.end in _UNANSWERED:
            self._end(call, at, _UNANSWERED[fate.end])
            return
        call.record.ringing_at = self._time(at)
        timeout = call.order.ring_timeout
        if fate.end is FarEnd.NO_ANSWER or fate.ring >= timeout:
            self._set_timer(call, at, timeout, self._end_unanswered)
        elif fate.end is FarEnd.REJECTED:
            self._set_timer(call, at, fate.ring, self._end_rejected)
        else:
            self._set_timer(call, at, fate.ring, self._answer)
        self._emit(CallRinging(call.order.call_id, self._time(at)))

    def _answer(self, call: Call, at: int) -> None:
        call.answered = True
        if call.fate.recognised:
            call.by = AnsweredBy.HUMAN if call.fate.end is FarEnd.HUMAN else AnsweredBy.MACHINE
        call.record.answered_at = self._time(at)
        call.record.by = call.by
        self.counts.answered += 1
        if call.room:
            self._settle(call, at)
        else:
            self._set_timer(call, at, call.fate.greeting + call.fate.patience, self._far_end_hangs_up)
        self._emit(CallAnswered(call.order.call_id, self._time(at), call.by))

    def _finish_prompt(self, call: Call, at: int) -> None:
        call.playing = False
        if call.room or call.talks_until is not None:
            self._settle(call, at)
        elif call.fate.answer is None:
            self._set_timer(call, at, call.fate.linger, self._far_end_hangs_up)
        else:
            self._set_timer(call, at, call.fate.answer_after, self._give_answer)
        self._emit(PlaybackFinished(call.order.call_id, self._time(at)))

    def _give_answer(self, call: Call, at: int) -> None:
        """Let the person press a key or say a word, once; nobody may be listening to words."""
        answer = call.fate.answer or ""
        call.fate = replace(call.fate, answer=None)
        self._set_timer(call, at, call.fate.patience, self._far_end_hangs_up)
        if answer in DIGITS:
            self._emit(DigitPressed(call.order.call_id, self._time(at), answer))
        elif call.listening:
            word = answer if answer in call.listening else None
            self._emit(SpeechHeard(call.order.call_id, self._time(at), word, 1.0))

    def _far_end_hangs_up(self, call: Call, at: int) -> None:
        self._end(call, at, EndCause.NORMAL, "the far end hung up")

    def _end_unanswered(self, call: Call, at: int) -> None:
        self._end(call, at, EndCause.NO_ANSWER)

    def _end_rejected(self, call: Call, at: int) -> None:
        self._end(call, at, EndCause.REJECTED)

    def _end_by_us(self, call: Call, at: int) -> None:
        self._end(call, at, EndCause.NORMAL, "we hung up")

    def _end_dropped(self, call: Call, at: int) -> None:
        self._end(call, at, EndCause.FAILED, "the media server dropped the call")

    def _end(self, call: Call, at: int, cause: EndCause, detail: str = "") -> None:
        call.timer = 0
        self._settle_all(self.rooms.leave(call, self._time(at)), at)
        del self._calls[call.order.call_id]
        self.counts.ended += 1
        call.record.ended_at = self._time(at)
        call.record.cause = cause
        if self._ledger is not None:
            self._ledger.over(call.record)
        self._emit(CallEnded(call.order.call_id, self._time(at), cause, detail))

    def _end_soon(self, call: Call, step: Step) -> None:
        """End a call at the scheduler's next step, so that no command calls back into its caller."""
        if not call.ending:
            call.ending = True
            self._set_timer(call, self._now(), 0.0, step)

    def _settle_all(self, calls: Iterable[Call], at: int) -> None:
        for call in calls:
            self._settle(call, at)

    def _settle(self, call: Call, at: int) -> None:
        """Let who joined, left, or was joined or left go on as people do with what they hear now."""
        if not call.answered or call.ending or call.playing:
            return
        company = self.rooms.has_company(call)
        if company and call.talks_until is None and call.order.purpose is not CallPurpose.AGENT:
            call.talks_until = at + round(call.fate.talk * SECOND)
        left = ALWAYS_THERE if call.talks_until is None else max(0.0, (call.talks_until - at) / SECOND)
        if not company:
            left = min(left, self._hold(call) if call.music else call.fate.patience)
        self._set_timer(call, at, left, self._far_end_hangs_up)

    # The parts that the above are made of.

    def _up(self, call_id: AttemptId, so: str) -> Call:
        """Return an answered call, or raise ChannelError with what follows from its absence."""
        self._check_reachable()
        call = self._calls.get(call_id)
        if call is None or call.ending or not call.answered:
            raise ChannelError(f"call {call_id} is not up, {so}", call_id=call_id)
        return call

    def _hold(self, call: Call) -> float:
        return draw_hold(call.profile, self._seed, call.record.address, call.record.nth)

    def _emit(self, event: CallEvent) -> None:
        faults = self._faults
        if faults.lose_events:
            self._faults = replace(faults, lose_events=faults.lose_events - 1)
            self.counts.events_lost += 1
        elif self._sink is None or faults.unreachable or self._held:
            self._held.append(event)
        else:
            self._sink(event)

    def _deliver_held(self) -> None:
        while self._held and self._sink is not None and not self._faults.unreachable:
            self._sink(self._held.popleft())

    def _refusal(self) -> str | None:
        if self._faults.refuse is not None:
            return self._faults.refuse
        if self._max_ports is not None and len(self._calls) >= self._max_ports:
            return f"all {self._max_ports} ports are in use"
        return None

    def _spoil(self, fate: Fate, now: int) -> Fate:
        """Return the fate as faults and the limit of originations leave it."""
        if self._faults.fail_next:
            self._faults = replace(self._faults, fail_next=self._faults.fail_next - 1)
            return replace(fate, end=FarEnd.FAILED)
        if self._rate is not None:
            refill = (now - self._tokens_at) / SECOND * self._rate
            self._tokens = min(max(1.0, self._rate), self._tokens + refill)
            self._tokens_at = now
            if self._tokens < 1.0:
                return replace(fate, end=FarEnd.CONGESTION)
            self._tokens -= 1.0
        return fate

    def _note_refusal(self, order: OutboundCall, now: int, reason: str) -> None:
        if self._ledger is not None:
            self._ledger.refused(order.call_id, order.address, self._time(now), reason)

    def _check_reachable(self) -> None:
        if self._faults.unreachable:
            raise ChannelUnreachableError("the carrier is unreachable; calls that are up live on")
