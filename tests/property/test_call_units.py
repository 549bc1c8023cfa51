"""Speech units over random calls, issue 3 "must hold" 5: whatever happens on a call, its units are right.

The pure engine is given every order of events that a media server and a speech desk can produce; hypothesis
looks for one after which a unit is missing, doubled, too long held or leaked, or the call waits for nothing.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.channels.model import (
    AnsweredBy,
    CallAnswered,
    CallClassified,
    CallEnded,
    CallRinging,
    DigitPressed,
    EndCause,
    LivingCall,
    OutboundCall,
    PlaybackFinished,
    Prompt,
    SpeechHeard,
)
from outrider.dialing import commands, engine
from outrider.dialing.call_script import CallPlan, Choice, Question
from outrider.dialing.state import AttemptState, Step
from outrider.ids import AttemptId
from outrider.licences.model import LicenceKind

ASR, TTS = LicenceKind.ASR, LicenceKind.TTS
CALL = AttemptId("c" * 32)
NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
LONGEST_CALL = 40
WORDS = ("yes", "no", "stop")

prompts = st.sampled_from([Prompt("Good morning."), Prompt(file="greeting")])
says = st.sampled_from([Prompt("Thank you."), Prompt(file="thanks"), None])
choices = st.builds(
    lambda words, replies: tuple(
        Choice(str(number), f"chose_{number}", word, say, number == 3)
        for number, (word, say) in enumerate(zip(words, replies, strict=True), 1)
    ),
    st.sampled_from([WORDS, ("yes", None, None)]),
    st.tuples(says, says, says),
)
questions = st.builds(
    Question, choices, repeats=st.integers(0, 2), no_input=st.none() | st.just("silent"), speech=st.booleans()
)
plans = st.builds(
    CallPlan,
    prompts,
    leave_message=st.booleans(),
    question=questions | st.none(),
    speech_units=st.sampled_from([True, True, False]),
    patience=st.sampled_from([0.0, 5.0]),
    digits_suffice=st.booleans(),
)


@dataclass
class World:
    """The far end, the media server and the speech desk of one call, as the engine's commands left them."""

    plan: CallPlan
    state: AttemptState
    up: bool = False
    classifying: bool = False
    by: AnsweredBy = AnsweredBy.HUMAN
    over: bool = False
    hanging_up: bool = False
    playing: Prompt | None = None
    listening: bool = False
    listened: bool = False
    timer: bool = False
    pending: set[LicenceKind] = field(default_factory=set)
    units: set[LicenceKind] = field(default_factory=set)
    spare: bool = False
    """A crash left a recognition unit that was never used: it ends with the call."""
    late_output: bool = False
    """A crash left an output unit while a file is played: it goes back when that was played."""
    finishes: int = 0

    def take(self, step: Step) -> None:
        """Carry commands out, each of which must make sense at that moment."""
        self.state, todo = step
        for command in todo:
            self.obey(command)
        self.check()

    def obey(self, command: commands.Command) -> None:  # noqa: C901 - one case for each command
        counted = self.plan.speech_units
        match command:
            case commands.Originate():
                assert not self.up
            case commands.Play(_, prompt):
                assert self.up
                assert self.playing is None
                assert not counted or prompt.text is None or TTS in self.units
                self.playing = prompt
            case commands.StopPlaying():
                assert self.playing is not None
            case commands.Listen(_, words):
                assert not self.listening
                assert words
                assert not counted or ASR in self.units
                self.listening = self.listened = True
            case commands.StopListening():
                assert self.listening
                self.listening = False
            case commands.TakeUnit(_, kind, patience):
                assert counted
                assert patience == self.plan.patience
                assert kind not in self.units | self.pending
                self.pending.add(kind)
            case commands.GiveUnit(_, kind):
                self.units.remove(kind)
            case commands.StartTimer():
                self.timer = True
            case commands.StopTimer():
                assert self.timer
                self.timer = False
            case commands.HangUp():
                assert self.up
                assert not self.hanging_up
                self.hanging_up = True
            case commands.Finish():
                assert self.over
                self.finishes += 1
                # The result releases whatever the call still has, and the desk forgets what it waits for.
                self.units.clear()
                self.pending.clear()
            case _:
                raise AssertionError(f"a call has no use for {command}")

    def check(self) -> None:
        """Hold every rule of the units, after each event."""
        assert self.finishes == int(self.over)
        if self.over:
            assert not self.units
            assert not self.pending
            return
        if not self.plan.speech_units:
            assert not self.units | self.pending
        else:
            assert (ASR in self.units) == (self.listened or self.spare)
            says = self.playing is not None and self.playing.text is not None
            assert (TTS in self.units) == (says or self.late_output)
        assert self.state.held == self.units
        assert self.state.requested == self.pending
        if self.up and not self.classifying and not self.hanging_up:
            assert self.playing or self.timer or self.pending, "the call waits for nothing"

    def possible(self) -> list[str]:
        """Return what can happen now, likely things more than once. Late keys and words can always come."""
        if not self.up:
            return ["answer", "answer", "ring", "end"]
        found = ["digit", "digit", "word", "end", "crash", "answer"]
        found += ["classify"] if self.classifying else []
        found += ["played", "played"] if self.playing else []
        found += ["time"] if self.timer else []
        found += [f"{what} {kind}" for kind in sorted(self.pending) for what in ("grant", "refuse")]
        return found

    def happen(self, what: str, data: st.DataObject) -> None:  # noqa: C901 - one case for each event
        """Let something happen, and the engine answer it."""
        what, _, kind = what.partition(" ")
        match what:
            case "ring":
                self.tell(CallRinging(CALL, NOW))
            case "answer":
                self.answer(data)
            case "classify":
                self.classifying = False
                self.by = data.draw(st.sampled_from(AnsweredBy))
                self.tell(CallClassified(CALL, NOW, self.by))
            case "digit":
                self.tell(DigitPressed(CALL, NOW, data.draw(st.sampled_from("1239"))))
            case "word":
                self.tell(SpeechHeard(CALL, NOW, data.draw(st.none() | st.sampled_from(WORDS))))
            case "played":
                self.playing = None
                self.late_output = False
                self.tell(PlaybackFinished(CALL, NOW))
            case "time":
                self.timer = False
                self.tell(commands.TimerFired(CALL))
            case "grant":
                self.pending.remove(LicenceKind(kind))
                self.units.add(LicenceKind(kind))
                self.tell(commands.UnitGranted(CALL, LicenceKind(kind)))
            case "refuse":
                self.pending.remove(LicenceKind(kind))
                self.tell(commands.UnitRefused(CALL, LicenceKind(kind)))
            case "crash":
                self.crash(data)
            case _:
                self.over = True
                self.tell(CallEnded(CALL, NOW, data.draw(st.sampled_from(EndCause))))

    def tell(self, event: engine.News) -> None:
        self.take(engine.handle(self.state, event))

    def answer(self, data: st.DataObject) -> None:
        """Let the far end pick up; a repeated answer changes nothing."""
        event = CallAnswered(CALL, NOW, data.draw(st.sampled_from(AnsweredBy)), data.draw(st.booleans()))
        if not self.up:
            self.up, self.classifying, self.by = True, event.classifying, event.by
        self.tell(event)

    def crash(self, data: st.DataObject) -> None:
        """Kill the process: another one takes the call over, with the units that the database has.

        A unit may have been committed for a call that never heard of it.
        """
        for kind in sorted(self.pending):
            if data.draw(st.booleans()):
                self.units.add(kind)
                self.spare |= kind is ASR
        self.late_output = TTS in self.units and self.playing is not None and self.playing.text is None
        self.pending.clear()
        self.timer = self.listening = self.hanging_up = self.classifying = False
        living = LivingCall(CALL, answered=True, by=self.by, playing=self.playing is not None)
        self.take(engine.adopt(living, self.plan, NOW, frozenset(self.units)))


def begin(plan: CallPlan) -> World:
    """Return the world of a call that was just placed."""
    state, todo = engine.place_call(OutboundCall(CALL, "+4930123456"), plan)
    assert [type(command) for command in todo] == [commands.Originate]
    return World(plan, state)


def run_out(world: World, order: Sequence[str], data: st.DataObject) -> None:
    """Let a call go on without surprises, until we hang up."""
    for _ in range(LONGEST_CALL):
        if world.hanging_up or world.over:
            return
        now = world.possible()
        what = next(each for prefix in order for each in now if each.startswith(prefix))
        world.happen(what, data)
    raise AssertionError("the call never ends")


@given(plan=plans, data=st.data())
@settings(max_examples=2000, deadline=None)
def test_units_are_right_whatever_happens_on_a_call(plan: CallPlan, data: st.DataObject) -> None:
    world = begin(plan)
    for _ in range(LONGEST_CALL):
        if world.over:
            break
        world.happen(data.draw(st.sampled_from(world.possible())), data)
    if not world.over:
        world.happen("end", data)
    assert world.finishes == 1


@given(plan=plans, data=st.data(), refuse=st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_call_that_nobody_disturbs_comes_to_its_end(
    plan: CallPlan, data: st.DataObject, *, refuse: bool
) -> None:
    world = begin(plan)
    world.happen("answer", data)
    if world.classifying:
        world.happen("classify", data)
    run_out(world, ["refuse" if refuse else "grant", "played", "time"], data)
    assert world.hanging_up
    assert TTS not in world.units
    world.happen("end", data)
    assert world.finishes == 1
