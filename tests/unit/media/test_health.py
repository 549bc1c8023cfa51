"""Health of a media server from what workers see."""

import pytest

from outrider.media.health import Seen, Verdict, judge
from outrider.media.model import Health, SeenAs

CONNECTED, CONNECTING = SeenAs.CONNECTED, SeenAs.CONNECTING
UNREACHABLE, GONE, REFUSED = SeenAs.UNREACHABLE, SeenAs.GONE, SeenAs.REFUSED


@pytest.mark.parametrize(
    ("before", "seen", "after"),
    [
        (Health.NEW, [], Health.NEW),
        (Health.NEW, [CONNECTING], Health.NEW),
        (Health.NEW, [CONNECTED], Health.CONNECTED),
        (Health.NEW, [UNREACHABLE], Health.FAILED),
        (Health.CONNECTED, [], Health.CONNECTED),
        (Health.CONNECTED, [CONNECTING], Health.CONNECTED),
        (Health.CONNECTED, [GONE], Health.FAILED),
        (Health.CONNECTED, [GONE, CONNECTED], Health.CONNECTED),
        (Health.CONNECTED, [GONE, CONNECTING], Health.CONNECTED),
        (Health.CONNECTED, [GONE, UNREACHABLE], Health.FAILED),
        (Health.CONNECTED, [GONE, REFUSED], Health.FAILED),
        (Health.FAILED, [CONNECTING], Health.FAILED),
        (Health.FAILED, [UNREACHABLE, CONNECTED], Health.CONNECTED),
    ],
)
def test_one_connection_is_enough_and_all_must_fail(
    before: Health, seen: list[SeenAs], after: Health
) -> None:
    reports = [Seen(f"w{number}", each) for number, each in enumerate(seen)]
    assert judge(Verdict(before), reports).health is after
    assert judge(Verdict(before), list(reversed(reports))).health is after


def test_the_first_reason_and_the_newest_version_are_told() -> None:
    failed = judge(
        Verdict(Health.CONNECTED, "", "Asterisk 22.1.0"),
        [Seen("b", GONE, "the port is closed"), Seen("a", UNREACHABLE)],
    )
    assert failed == Verdict(Health.FAILED, "the port is closed", "Asterisk 22.1.0")
    back = judge(failed, [Seen("b", CONNECTED, "", "Asterisk 22.2.0"), Seen("a", UNREACHABLE)])
    assert back == Verdict(Health.CONNECTED, "", "Asterisk 22.2.0")
