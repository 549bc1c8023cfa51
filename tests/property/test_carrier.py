"""Whatever is commanded, and whatever goes wrong: the carrier's calls end once, and runs are repeatable."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.channels.base import DuplicateCallError
from outrider.channels.model import CallEnded, CallEvent, OutboundCall, Prompt
from outrider.channels.simulated.carrier import SimulatedCarrier
from outrider.channels.simulated.faults import Faults
from outrider.clock import VirtualClock
from outrider.errors import ChannelError
from outrider.ids import AttemptId
from support.voice import PROFILES, START

NAMES = [*PROFILES, "", "no such list"]


@dataclass(frozen=True)
class Originate:
    call: int
    address: int
    profile: str


@dataclass(frozen=True)
class Play:
    call: int
    length: int


@dataclass(frozen=True)
class HangUp:
    call: int


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class GoWrong:
    faults: Faults


@dataclass(frozen=True)
class Drop:
    pass


Command = Originate | Play | HangUp | Wait | GoWrong | Drop

calls = st.integers(0, 15)
faults = st.builds(
    Faults,
    refuse=st.sampled_from([None, None, "no trunk"]),
    fail_next=st.integers(0, 2),
    unreachable=st.booleans(),
)
commands: st.SearchStrategy[Sequence[Command]] = st.lists(
    st.one_of(
        st.builds(Originate, calls, st.integers(0, 5), st.sampled_from(NAMES)),
        st.builds(Originate, calls, st.integers(0, 5), st.sampled_from(NAMES)),
        st.builds(Play, calls, st.integers(0, 400)),
        st.builds(HangUp, calls),
        st.builds(Wait, st.floats(0, 60, allow_nan=False)),
        st.builds(GoWrong, faults),
        st.builds(Drop),
    ),
    max_size=40,
)


@dataclass
class Run:
    """A carrier, and what was heard of it."""

    carrier: SimulatedCarrier
    clock: VirtualClock
    accepted: Counter[AttemptId] = field(default_factory=Counter)
    events: list[CallEvent] = field(default_factory=list)

    def carry_out(self, command: Command) -> None:
        try:
            match command:
                case Originate(call, address, profile):
                    call_id = AttemptId(str(call))
                    self.carrier.originate(OutboundCall(call_id, f"+4930{address}", 30.0, profile=profile))
                    self.accepted[call_id] += 1
                case Play(call, length):
                    self.carrier.play(AttemptId(str(call)), Prompt(text="x" * length))
                case HangUp(call):
                    self.carrier.hang_up(AttemptId(str(call)))
                case GoWrong(what):
                    self.carrier.inject(what)
                case Drop():
                    self.carrier.drop_all()
                case Wait(seconds):
                    self.let_pass(seconds)
        except ChannelError:
            return

    def let_pass(self, seconds: float) -> None:
        """Advance as a scheduler does: from one timer to the next."""
        self.carrier.run_due()
        while (until := self.carrier.seconds_to_next()) is not None and until <= seconds:
            seconds -= until
            self._advance(until)
            self.carrier.run_due()
        self._advance(seconds)

    def _advance(self, seconds: float) -> None:
        self.clock._now += dt.timedelta(seconds=seconds)


def run(script: Sequence[Command], seed: int) -> Run:
    clock = VirtualClock(START)
    result = Run(SimulatedCarrier(clock, PROFILES, seed=seed), clock)
    result.carrier.connect(result.events.append)
    for command in script:
        result.carry_out(command)
    result.carrier.inject(Faults())
    result.let_pass(20_000.0)
    return result


@given(commands, st.integers(0, 2**31))
def test_every_accepted_call_ends_once_and_nothing_follows(script: Sequence[Command], seed: int) -> None:
    result = run(script, seed)
    ends = Counter(event.call_id for event in result.events if isinstance(event, CallEnded))
    assert ends == result.accepted
    assert set(result.accepted.values()) <= {1}
    assert result.carrier.living().calls == ()
    over: set[AttemptId] = set()
    times: dict[AttemptId, dt.datetime] = {}
    for event in result.events:
        assert event.call_id in result.accepted
        assert event.call_id not in over
        assert event.at >= times.get(event.call_id, START)
        times[event.call_id] = event.at
        if isinstance(event, CallEnded):
            over.add(event.call_id)


@given(commands, st.integers(0, 2**31))
def test_the_same_seed_and_commands_give_the_same_run(script: Sequence[Command], seed: int) -> None:
    assert run(script, seed).events == run(script, seed).events


@given(st.permutations([0, 0, 0, 1, 1, 2, 3, 4]))
@settings(max_examples=30)
def test_a_calls_fate_does_not_depend_on_other_calls(sequence: list[int]) -> None:
    """Calls to other numbers change nothing, earlier or later; only earlier calls to the same number do."""

    def ends(addresses: Sequence[int]) -> dict[str, CallEvent]:
        clock = VirtualClock(START)
        made: Counter[int] = Counter()
        result = Run(SimulatedCarrier(clock, seed=3), clock)
        result.carrier.connect(result.events.append)
        for address in addresses:
            made[address] += 1
            result.carrier.originate(OutboundCall(AttemptId(f"{address}-{made[address]}"), f"+49{address}"))
        result.let_pass(2_000.0)
        return {event.call_id: event for event in result.events if isinstance(event, CallEnded)}

    assert ends(sequence) == ends(sorted(sequence))


@given(commands)
@settings(max_examples=30)
def test_an_id_is_never_accepted_again(script: Sequence[Command]) -> None:
    result = run(script, 1)
    for call_id in result.accepted:
        try:
            result.carrier.originate(OutboundCall(call_id, "+49309"))
        except DuplicateCallError:
            continue
        raise AssertionError(f"{call_id} was accepted again")
