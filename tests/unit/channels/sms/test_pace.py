"""The pace of a connection: steady, without bursts, and pausing longer while the centre keeps refusing."""

import pytest

from outrider.channels.sms.pace import FIRST_PAUSE, LONGEST_PAUSE, Pace
from outrider.channels.sms.status import describe, is_throttling, result_of


def test_without_a_rate_nobody_waits() -> None:
    pace = Pace(None)
    assert [pace.reserve(5.0) for _ in range(100)] == [0.0] * 100


def test_a_rate_spreads_messages_evenly() -> None:
    pace = Pace(10.0)
    assert [pace.reserve(1.0) for _ in range(4)] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert pace.reserve(1.3) == pytest.approx(0.1)
    assert pace.reserve(100.0) == 0.0
    assert pace.reserve(100.0) == pytest.approx(0.1)


def test_pauses_double_until_something_is_accepted() -> None:
    pace = Pace(None)
    now, pauses = 1.0, []
    for _ in range(9):
        pace.throttled(now)
        pauses.append(pace.paused(now))
        assert pace.reserve(now) == pytest.approx(pauses[-1])
        now += pauses[-1]
    assert pauses[:3] == pytest.approx([FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE])
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE)
    assert pace.is_probing()
    pace.accepted(now)
    assert not pace.is_probing()
    pace.throttled(now)
    assert pace.paused(now) == pytest.approx(FIRST_PAUSE)
    pace.accepted(now)
    assert pace.is_probing()


def test_refusals_within_a_pause_do_not_lengthen_it() -> None:
    pace = Pace(None)
    for _ in range(50):
        pace.throttled(1.0)
    assert pace.paused(1.0) == pytest.approx(FIRST_PAUSE)
    assert pace.paused(2.0) == 0.0


@pytest.mark.parametrize(
    ("status", "result", "throttling", "words"),
    [
        (0x00, "accepted", False, "accepted (0x00)"),
        (0x0B, "bad_address", False, "the recipient's number is not valid (0x0B)"),
        (0x0A, "failed", False, "the sender is not allowed or not valid (0x0A)"),
        (0x14, "failed", True, "queue is full"),
        (0x58, "failed", True, "throttles"),
        (0x401, "failed", False, "this provider's own; ask the provider for its list (0x401)"),
        (0x3F, "failed", False, "SMPP 3.4 does not list"),
    ],
)
def test_what_a_status_means(status: int, result: str, throttling: bool, words: str) -> None:  # noqa: FBT001 - a case
    assert result_of(status) == result
    assert is_throttling(status) is throttling
    assert words in describe(status)
