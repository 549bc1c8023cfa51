"""A clock that is set forwards or backwards: what agents and contacts wait for comes when it would have."""

import datetime as dt

import pytest

from outrider.agents.actions import Complete, Give, Miss
from outrider.agents.model import AgentState, SessionId
from outrider.clock import SteadyClock, VirtualClock
from outrider.ids import AttemptId
from support.floor_play import START, Play, task
from support.outreach import LeapingClock

SELL = task(1)
HOUR = dt.timedelta(hours=1)


def set_clock(play: Play, by: dt.timedelta) -> None:
    """Set the clock of a floor, which follows it."""
    play.now += by
    play.take(play.floor.shift(by, play.now))


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_a_wrap_up_ends_when_it_would_have(by: dt.timedelta) -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.end("c1")
    play.wait(20)
    set_clock(play, by)
    assert play.wait(39) == ()
    assert play.wait(1) == (Complete(AttemptId("c1"), SessionId(1), "done", by_timeout=True),)
    assert play.session(1).state is AgentState.READY


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_a_contact_waits_no_longer_for_an_agent(by: dt.timedelta) -> None:
    play = Play()
    play.answer("c1", SELL)
    play.wait(1)
    set_clock(play, by)
    assert play.wait(0.9) == ()
    assert play.wait(0.1) == (Miss(AttemptId("c1")),)


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_how_long_somebody_talks_is_not_changed_and_calls_are_found(by: dt.timedelta) -> None:
    play = Play()
    play.at_work(1, SELL)
    play.talk("c1", SELL)
    play.wait(30)
    set_clock(play, by)
    ((state, since),) = play.floor.busy(SELL.task_id, "")
    assert (state, play.now - since) == (AgentState.TALKING, dt.timedelta(seconds=30))
    play.end("c1")
    assert play.session(1).state is AgentState.WRAP_UP
    play.wait(60)
    assert isinstance(play.answer("c2", SELL)[0], Give)


def test_a_steady_clock_goes_on_until_it_is_to_follow() -> None:
    clock = LeapingClock(START, speed=1.0)
    steady = SteadyClock(clock)
    clock.leap(hours=-1)
    assert abs(steady.now() - START) < dt.timedelta(minutes=1)
    assert abs(steady.follow() + HOUR) < dt.timedelta(seconds=1)
    assert abs(steady.now() - clock.now()) < dt.timedelta(seconds=1)
    assert steady.follow() == dt.timedelta()


def test_a_clock_that_is_not_set_is_shown_as_it_is() -> None:
    clock = VirtualClock(START)
    steady = SteadyClock(clock)
    clock._now += HOUR
    assert (steady.now(), steady.follow()) == (START + HOUR, dt.timedelta())
