"""How far releases are counted on: people wait as seldom as they should, where the budget alone lets them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.dialing.predictive.model import Sought
from outrider.dialing.predictive.waiting import LEAST_TRUST, MOST, STEPS, Waiting
from outrider.simulate.line_model import LineModel, Setting
from outrider.simulate.pacing_policies import Ours

SHORT_TALKS = Setting(agents=50, live=0.5, handling=20.0, unanswered=10.0, patience=10.0)
"""Half of the agents come free while a caller waits: hardly anybody is ever abandoned."""


class CountingOnAll(Ours):
    """Our pacing, not told that people wait."""

    def sought(self, sought: Sought) -> None:
        """Take no notice."""


def waited(policy: Ours) -> float:
    measured = LineModel(SHORT_TALKS, policy, 1).run(2 * 3600.0, warm_up=1800.0)
    assert measured.abandonment < 0.005
    return measured.waited / measured.live


def test_few_people_wait_though_none_would_be_abandoned() -> None:
    assert waited(Ours()) == pytest.approx(MOST, abs=0.02)
    assert waited(CountingOnAll()) > 2 * MOST


@given(st.lists(st.booleans(), max_size=3_000))
def test_trust_stays_within_its_bounds_and_outlives_a_restart(answers: list[bool]) -> None:
    waiting, again = Waiting(), Waiting()
    for each in answers:
        waiting.observe(waits=each)
        assert LEAST_TRUST - 1e-9 <= waiting.trust <= 1.0
        assert 0.0 <= waiting.share <= 1.0
    again.restore(waiting.snapshot())
    assert (again.trust, again.share) == (waiting.trust, waiting.share)


def test_trust_falls_while_people_wait_and_comes_back() -> None:
    waiting = Waiting()
    for _ in range(int(STEPS / 10)):
        waiting.observe(waits=True)
    low = waiting.trust
    assert low < 0.5
    assert waiting.share == 1.0
    for _ in range(int(3 * STEPS)):
        waiting.observe(waits=False)
    assert waiting.trust == 1.0
    assert waiting.share < 0.01
