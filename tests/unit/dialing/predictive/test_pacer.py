"""Decisions of the pacer: ceilings, budget, memory, and that they are explained."""

import json
import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.dialing.predictive.model import (
    Bound,
    Counts,
    FloorView,
    LineEnd,
    PacingMode,
    TalkEnd,
    count_busy,
    count_lines,
)
from outrider.dialing.predictive.pacer import FIRST_LINES, Pacer

views = st.builds(
    FloorView,
    now=st.just(900.0),
    free=st.integers(0, 40),
    busy=st.lists(st.floats(0, 900), max_size=60).map(count_busy),
    lines=st.lists(st.floats(0, 80), max_size=60).map(count_lines),
    waiting=st.integers(0, 4),
    ports=st.none() | st.integers(0, 60),
    rate=st.none() | st.integers(0, 30),
)
NOBODY = count_busy([])
NOTHING = count_lines([])


def experienced(seed: int = 1, lines: int = 900, share: float = 0.25) -> Pacer:
    """Return a pacer that knows a campaign."""
    draw = random.Random(seed)
    pacer = Pacer(PacingMode.PREDICTIVE)
    pacer.begin_day(1)
    for number in range(lines):
        live = draw.random() < share
        pacer.observe(LineEnd(live, draw.uniform(5, 15) if live else 22.0, number * 0.7))
        if live:
            pacer.observe(TalkEnd(draw.expovariate(1 / 120)))
            pacer.observe_answer(abandoned=draw.random() < 0.02)
    return pacer


PACER = experienced()


@given(views)
def test_an_agent_more_never_means_fewer_lines(view: FloorView) -> None:
    assert PACER.decide(view).lines <= PACER.decide(replace(view, free=view.free + 1)).lines


@given(views)
def test_lines_keep_within_ceilings_and_never_below_one_for_each_free_agent(view: FloorView) -> None:
    decision = PACER.decide(view)
    ceilings = [each for each in (view.ports, view.rate) if each is not None]
    assert all(0 <= decision.lines <= ceiling for ceiling in ceilings)
    unbound = PACER.decide(replace(view, ports=None, rate=None))
    assert unbound.lines >= max(0, view.free - view.waiting - sum(view.lines))
    assert decision.lines == min([unbound.lines, *ceilings])
    if decision.lines < unbound.lines:
        assert decision.bound in (Bound.PORTS, Bound.RATE)


@given(views, st.sampled_from([("contacts", Bound.CONTACTS), ("window", Bound.WINDOW)]))
def test_nobody_due_or_hours_over_means_no_lines(view: FloorView, what: tuple[str, Bound]) -> None:
    name, bound = what
    decision = PACER.decide(replace(view, free=view.free + 1, **{name: False}))  # type: ignore[arg-type]
    assert (decision.lines, decision.bound) == (0, bound)


def test_nobody_attached_means_no_lines() -> None:
    assert PACER.decide(FloorView(1.0, 0, NOBODY, NOTHING)).bound is Bound.SEATS


@given(views)
def test_equal_views_are_answered_alike(view: FloorView) -> None:
    assert PACER.decide(view) == PACER.decide(view) == experienced().decide(view)


@settings(max_examples=30)
@given(views, st.integers(0, 3))
def test_what_was_saved_decides_alike(view: FloorView, seed: int) -> None:
    pacer = experienced(seed)
    restored = Pacer(PacingMode.PREDICTIVE)
    restored.restore(json.loads(json.dumps(pacer.snapshot())))
    counts = Counts(225, 4)
    pacer.begin_day(5, {5: counts})
    restored.begin_day(5, {5: counts})
    # Tables are made anew after so many observations: now both have them of all that is known.
    pacer.estimates.restore(pacer.estimates.snapshot())
    assert restored.decide(view).lines == pacer.decide(view).lines


@given(views)
def test_a_spent_budget_is_progressive(view: FloorView) -> None:
    spent = experienced()
    spent.begin_day(9, {8: Counts(1_000, 40)})
    progressive = Pacer(PacingMode.PROGRESSIVE)
    assert spent.decide(view).lines == progressive.decide(view).lines
    unbound = replace(view, free=max(1, view.free), ports=None, rate=None)
    assert spent.decide(unbound).bound is Bound.BUDGET
    assert "one line for each free agent" in spent.decide(unbound).sentence


@given(views)
def test_an_unknown_campaign_is_progressive(view: FloorView) -> None:
    known = experienced(lines=FIRST_LINES // 2)
    assert known.decide(view).lines == Pacer(PacingMode.PROGRESSIVE).decide(view).lines


def test_a_decision_says_why() -> None:
    decision = PACER.decide(FloorView(900.0, 3, count_busy([20.0] * 7), count_lines([4.0] * 2)))
    assert decision.lines > 1
    assert decision.sentence.startswith(f"dials {decision.lines} more: 3 agents are free, 2 lines ring")
    assert decision.live_low < decision.live_share < decision.live_high
    assert decision.bound is Bound.AGENTS
