"""The sign-in throttle: free tries, doubling waits, forgetting, and bounded memory."""

import datetime as dt

import pytest

from outrider.people import throttle as module
from outrider.people.model import ThrottledError
from outrider.people.throttle import LONGEST_WAIT, SignInThrottle

START = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
HERE, THERE = "192.0.2.1", "192.0.2.2"


def wait_for(throttle: SignInThrottle, user: str, address: str, now: dt.datetime) -> int:
    with pytest.raises(ThrottledError) as caught:
        throttle.begin(user, address, now)
    seconds = caught.value.facts["retry_after"]
    assert isinstance(seconds, int)
    return seconds


def test_waits_double_up_to_the_longest() -> None:
    throttle, now = SignInThrottle(), START
    for _ in range(5):
        throttle.begin("root", HERE, now)
    waits = []
    for _ in range(9):
        waits.append(wait_for(throttle, "root", HERE, now))
        now += dt.timedelta(seconds=waits[-1])
        throttle.begin("root", HERE, now)
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900, 900]


def test_a_refused_try_does_not_prolong_the_wait() -> None:
    throttle = SignInThrottle()
    for _ in range(5):
        throttle.begin("root", HERE, START)
    for second in range(15):
        assert wait_for(throttle, "root", HERE, START + dt.timedelta(seconds=second)) == 15 - second


def test_success_and_time_forgive() -> None:
    throttle = SignInThrottle()
    for _ in range(4):
        throttle.begin("root", HERE, START)
    throttle.begin("root", HERE, START)
    throttle.succeed("root", HERE)
    for _ in range(5):
        throttle.begin("root", HERE, START)
    wait_for(throttle, "root", HERE, START)
    later = START + LONGEST_WAIT + dt.timedelta(seconds=1)
    for _ in range(5):
        throttle.begin("root", HERE, later)


def test_one_address_cannot_try_many_names() -> None:
    throttle = SignInThrottle()
    for number in range(30):
        throttle.begin(f"user{number}", HERE, START)
    assert wait_for(throttle, "another", HERE, START) == 15
    throttle.begin("another", THERE, START)


def test_many_good_sign_ins_from_one_address_are_never_refused() -> None:
    throttle = SignInThrottle()
    for number in range(500):
        throttle.begin(f"user{number}", HERE, START)
        throttle.succeed(f"user{number}", HERE)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMORY", 100)
    throttle = SignInThrottle()
    for number in range(1_000):
        throttle.begin(f"user{number}", f"address{number}", START)
    assert len(throttle._records) == 100
