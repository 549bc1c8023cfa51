"""Other engines' rules, against the vectors that their makers publish."""

import pytest

from outrider.dialing.predictive.model import LineEnd
from outrider.simulate.pacing_policies import Omnidialer, omnidialer_dials


def test_omnidialer_dials_two_at_full_aggressiveness() -> None:
    assert omnidialer_dials(free=2, releases=1.4, ringing=4, hit_rate=0.5, gamma=1.0) == 2


def test_omnidialer_dials_one_when_drops_are_halfway_to_the_limit() -> None:
    rule = Omnidialer()
    rule.drops = 0.0225
    assert rule.gamma() == pytest.approx(0.6)
    assert omnidialer_dials(free=2, releases=1.4, ringing=4, hit_rate=0.5, gamma=rule.gamma()) == 1


def test_omnidialers_gamma_runs_from_aggressiveness_to_a_fifth() -> None:
    rule = Omnidialer()
    found = []
    for rule.drops in (0.0, 0.015, 0.03, 0.5):
        found.append(rule.gamma())
    assert found == pytest.approx([1.0, 1.0, 0.2, 0.2])


def test_omnidialers_hit_rate_has_a_floor() -> None:
    rule = Omnidialer()
    for _ in range(100):
        rule.line_ended(LineEnd(live=False, seconds=22.0, at=0.0))
    assert rule.hit_rate == 0.05
