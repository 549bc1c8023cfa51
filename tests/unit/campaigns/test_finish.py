"""Finish criteria: by count of outcomes and dispositions, and by time; the first that holds ends the job."""

import datetime as dt

from outrider.campaigns.finish import deadline, finished
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import FinishCriteria, Goal, Strategy

START = dt.datetime(2026, 5, 1, 8, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def strategy(goal: Goal | None = None, finish: FinishCriteria | None = None) -> Strategy:
    return Strategy("s", (), goal=goal, finish=finish or FinishCriteria())


def test_without_criteria_nothing_ends_a_job() -> None:
    assert finished(strategy(), {Outcome.ANSWERED: 10**6}, {"x": 10**6}, START, START + 1_000 * HOUR) is None
    assert deadline(FinishCriteria(), START) is None


def test_counts_end_it() -> None:
    plan = strategy(finish=FinishCriteria({Outcome.ANSWERED: 5}, {"accepted": 2}))
    assert finished(plan, {Outcome.ANSWERED: 4}, {"accepted": 1, "other": 9}, START, START) is None
    assert (
        finished(plan, {Outcome.ANSWERED: 5}, {}, START, START)
        == "finish criterion: 5 contacts ended answered"
    )
    reason = finished(plan, {Outcome.ANSWERED: 4}, {"accepted": 3}, START, START)
    assert reason == "finish criterion: 3 contacts ended with accepted"


def test_the_goal_is_told_as_before() -> None:
    plan = strategy(Goal(Outcome.DELIVERED, 3), FinishCriteria({Outcome.DELIVERED: 3}))
    assert finished(plan, {Outcome.DELIVERED: 3}, {}, START, START) == "goal reached: 3 delivered"


def test_the_earlier_of_two_times_ends_it() -> None:
    both = strategy(finish=FinishCriteria(after=7_200, at=START + HOUR))
    assert deadline(both.finish, START) == START + HOUR
    assert deadline(both.finish, START - 3 * HOUR) == START - HOUR
    assert finished(both, {}, {}, START, START + HOUR - dt.timedelta(microseconds=1)) is None
    reason = finished(both, {}, {}, START, START + HOUR)
    assert reason == "finish criterion: its time was over at 2026-05-01T09:00:00+00:00"
