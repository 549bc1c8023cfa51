"""The abandonment budget: shares as the rules of contact reckon them, its windows, its end."""

import pytest

from outrider.dialing.predictive.budget import FIRST_RISK, Budget, uk_share, us_share
from outrider.dialing.predictive.model import Counts


def test_the_uk_share_leaves_out_machines() -> None:
    """The published case: 29 drops, 9 people with agents and 7 machines are 64.44 %."""
    assert 100 * uk_share(Counts(live=38, abandoned=29, machines=7)) == pytest.approx(64.44, abs=0.005)
    assert uk_share(Counts()) == 0.0


def test_the_us_share_is_of_live_answers() -> None:
    assert us_share(Counts(live=200, abandoned=6)) == 0.03
    assert us_share(Counts()) == 0.0


def test_risk_falls_with_an_abandoned_call_and_rises_a_little_with_others() -> None:
    budget = Budget(0.03)
    budget.observe(abandoned=False)
    raised = budget.allowed()
    budget.observe(abandoned=True)
    assert budget.allowed() < FIRST_RISK < raised


def test_a_spent_window_risks_nothing_until_other_answers_make_it_good() -> None:
    budget = Budget(0.03)
    budget.begin_day(40, {39: Counts(live=1_000, abandoned=31)})
    assert budget.is_spent()
    assert budget.allowed() == 0.0
    for _ in range(200):
        budget.observe(abandoned=False)
    assert budget.allowed() > 0.0


def test_a_day_far_above_chance_risks_nothing_however_good_the_month_is() -> None:
    budget = Budget(0.03)
    budget.begin_day(40, {39: Counts(live=10_000, abandoned=100)})
    for number in range(100):
        budget.observe(abandoned=number % 8 == 0)
    assert budget.share < 0.03
    assert budget.allowed() == 0.0
    budget.begin_day(41)
    assert budget.allowed() > 0.0


def test_days_leave_the_window() -> None:
    budget = Budget(0.03, days=30)
    budget.begin_day(1, {1: Counts(live=1_000, abandoned=900)})
    budget.begin_day(30)
    assert budget.share == 0.9
    budget.begin_day(31)
    assert budget.share == 0.0
    assert not budget.is_spent()


def test_a_limit_of_nothing_risks_nothing() -> None:
    assert Budget(0.0).allowed() == 0.0
