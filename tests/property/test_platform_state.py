"""Properties of the platform's licence states, over random polls, outages, restarts and set clocks."""

import datetime as dt
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.licences.model import LicenceKind
from outrider.supply.authorisation import Authorisation, Feature, LicenceSourceError, SourceFault
from outrider.supply.effective_time import Elapsed, effective
from outrider.supply.model import GRACE, Supply, SupplyState
from outrider.supply.platform_state import PollRules, after_poll

START = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
RULES = PollRules()

Features = tuple[tuple[LicenceKind, int, int], ...]
"""Kind, count, and hours from the start until it expires."""


@dataclass(frozen=True)
class Step:
    """`passed` hours really pass, the clock jumps by `jump` hours; then a poll. `answer` None: it fails."""

    passed: int
    jump: int
    restarted: bool
    answer: Features | None


KINDS = st.sampled_from([LicenceKind.OUTBOUND_PORTS, LicenceKind.EMAIL])
FEATURES = st.lists(st.tuples(KINDS, st.integers(0, 90), st.integers(-100, 4000)), max_size=3).map(tuple)
STEPS = st.lists(
    st.builds(
        Step,
        passed=st.sampled_from([0, 1, 24, 24 * 6, 24 * 20]),
        jump=st.sampled_from([0, 0, 0, 0, -24, -1, 5, 24, -500, 500]),
        restarted=st.booleans(),
        answer=st.none() | FEATURES,
    ),
    max_size=40,
)


def hours(count: float) -> dt.timedelta:
    return dt.timedelta(hours=count)


def sound(supply: Supply, last: Features) -> None:
    """Compare what is in force with the last good answer, and grace with its length."""
    now = effective(supply.known.clock)
    for kind in LicenceKind:
        most = sum(count for each, count, _ in last if each is kind)
        assert 0 <= supply.authorised.get(kind, 0) <= most
    alive = [expires for _, count, expires in last if count and START + hours(expires) + GRACE > now]
    if supply.state is SupplyState.GRACE:
        assert supply.grace_since is not None
        assert supply.grace_ends_at is not None
        assert supply.grace_ends_at - supply.grace_since >= dt.timedelta(0)
        assert supply.grace_since + supply.known.clock.offset + GRACE > now
        assert alive
    if supply.known.lost_since is not None:
        assert not supply.authorised or now < supply.known.lost_since + GRACE
    if supply.state is SupplyState.EXPIRED:
        assert not any(supply.authorised.values())


@given(STEPS)
@settings(max_examples=400)
def test_grace_ends_counts_are_never_invented_and_time_goes_on(steps: list[Step]) -> None:
    supply, really, jumped = Supply(), START, dt.timedelta(0)
    last: Features = ()
    for step in steps:
        really, jumped = really + hours(step.passed), jumped + hours(step.jump)
        wall, memory = really + jumped, supply.known.clock
        elapsed = None
        if memory.seen_at is not None and not step.restarted:
            elapsed = Elapsed(memory.seen_at, hours(step.passed))
        before = None if memory.seen_at is None else effective(memory)
        if step.answer is None:
            outcome: Authorisation | LicenceSourceError = LicenceSourceError(SourceFault.UNREACHABLE, "gone")
        else:
            made = tuple(Feature(kind, count, START + hours(expires)) for kind, count, expires in step.answer)
            outcome = Authorisation("s", "1.0", "c", made, wall + hours(1), wall)
        supply = after_poll(supply, outcome, wall, RULES, elapsed)
        now = effective(supply.known.clock)
        if step.answer:
            last = step.answer
        elif before is not None:
            assert now >= before + (elapsed.span if elapsed else hours(0)), "effective time went backwards"

        sound(supply, last)
        if step.answer and all(START + hours(expires) > now for _, _, expires in step.answer):
            assert supply.state is SupplyState.NORMAL


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-300, 300)), max_size=60))
def test_an_outage_ends_after_30_real_days_however_the_clock_is_set(moves: list[tuple[int, int]]) -> None:
    """`moves`: hours that really pass, and hours by which the clock is set, before each failed poll."""
    made = (Feature(LicenceKind.OUTBOUND_PORTS, 60, START + hours(10**5)),)
    first = Authorisation("s", "1.0", "c", made, START + hours(1), START)
    supply, really, jumped = after_poll(Supply(), first, START, RULES), START, dt.timedelta(0)
    for passed, jump in moves:
        really, jumped = really + hours(passed), jumped + hours(jump)
        seen = supply.known.clock.seen_at
        assert seen is not None
        error = LicenceSourceError(SourceFault.UNREACHABLE, "gone")
        supply = after_poll(supply, error, really + jumped, RULES, Elapsed(seen, hours(passed)))
        if really - START >= GRACE:
            assert supply.state is SupplyState.EXPIRED
            assert not any(supply.authorised.values())
        else:
            owed = effective(supply.known.clock) - START
            assert (supply.state is SupplyState.EXPIRED) is (owed >= GRACE)
