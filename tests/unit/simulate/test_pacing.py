"""The production pacer on the benchmark model: the published settings, and floors that change all at once.

Figures over 30 days and all settings are in docs/benchmarks.md (`python -m tools.bench pacing`).
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from outrider.simulate.line_model import LineModel, Measured, Setting
from outrider.simulate.pacing_policies import Ours, Progressive

DAY, HOUR, MINUTE = 8 * 3600.0, 3600.0, 60.0
S1, S2 = Setting(0, 1 / 3, 90.0, 17.5), Setting(0, 0.2, 120.0, 22.0)
FLOOR = Setting(20, 0.3, 120.0, 22.0)


@pytest.mark.parametrize(
    ("setting", "agents", "tuned", "within", "days"),
    [(S1, 5, 75.1, 5.0, 6), (S2, 5, 73.2, 5.0, 6), (S2, 20, 85.5, 3.0, 4)],
)
def test_agents_are_busy_within_the_limit_and_nobody_tunes_anything(
    setting: Setting, agents: int, tuned: float, within: float, days: int
) -> None:
    """At most 3 % abandoned; busy within 5 points (5 agents) or 3 of what was tuned offline; above 1:1."""
    setting = replace(setting, agents=agents)
    measured = LineModel(setting, Ours(), seed=1).run(days * DAY, warm_up=DAY / 10)
    progressive = LineModel(setting, Progressive(), seed=1).run(days * DAY, warm_up=DAY / 10)

    assert measured.abandonment <= 0.03
    assert 100 * measured.occupancy >= tuned - within
    assert measured.occupancy > progressive.occupancy


def fewer_answers(model: LineModel) -> None:
    """Let a list become poor."""
    model.setting = replace(model.setting, live=0.1)


def more_answers(model: LineModel) -> None:
    """Let a list become good."""
    model.setting = replace(model.setting, live=0.3)


def half_leave(model: LineModel) -> None:
    """Let half of the agents log out."""
    model.set_agents(model.setting.agents // 2)


def longer_talks(model: LineModel) -> None:
    """Let contacts take twice as long."""
    model.setting = replace(model.setting, handling=2 * model.setting.handling)


def spell(model: LineModel, seconds: float) -> Measured:
    """Run on, and return what came of this alone."""
    model.measured = Measured()
    return model.run(seconds)


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (FLOOR, fewer_answers),
        (replace(FLOOR, live=0.1), more_answers),
        (FLOOR, half_leave),
        (FLOOR, longer_talks),
    ],
)
def test_a_floor_that_changes_at_once_is_mastered_in_minutes(
    before: Setting, change: Callable[[LineModel], None]
) -> None:
    """Five floors: the hour after the change abandons less than 5 %; after 5 minutes all is as later on."""
    live = abandoned = 0
    recovered = later = 0.0
    for seed in range(5):
        model = LineModel(before, Ours(), seed)
        model.run(2 * HOUR)
        change(model)
        spells = [spell(model, minutes * MINUTE) for minutes in (5, 30, 25, 30)]
        live += sum(each.live for each in spells[:3])
        abandoned += sum(each.abandoned for each in spells[:3])
        recovered += spells[1].occupancy / 5
        later += spells[3].occupancy / 5

    assert abandoned / live < 0.05
    assert recovered > later - 0.04
