"""What is held of a way out, from what workers see; and what a check's findings come to."""

import datetime as dt

from outrider.channel_reports.model import Report, Sight, Told, judge, report_of
from outrider.media.checking import Finding, Level

NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)


def told(worker: str, sight: Sight, *sentences: str, minute: int = 0) -> Told:
    return Told(worker, Report("email", sight, sentences), NOON + dt.timedelta(minutes=minute))


def test_nobody_has_told_anything() -> None:
    assert judge([]) is None


def test_the_worst_that_a_worker_sees_counts() -> None:
    found = judge(
        [
            told("c", Sight.FAILING, "password", minute=3),
            told("a", Sight.WORKING, minute=1),
            told("b", Sight.FAILING, "port", minute=5),
            told("d", Sight.LIMITED, "in clear"),
        ]
    )
    assert found is not None
    assert (found.sight, found.sentences) == (Sight.FAILING, ("port",))
    assert (found.workers, found.affected) == (4, 2)
    assert found.since == NOON + dt.timedelta(minutes=3)


def test_untried_is_worse_than_working_and_better_than_limited() -> None:
    assert [each.value for each in Sight] == ["working", "untried", "limited", "failing"]
    found = judge([told("a", Sight.WORKING), told("b", Sight.UNTRIED)])
    assert found is not None
    assert found.sight is Sight.UNTRIED


def test_errors_hide_warnings_and_good_findings_say_nothing() -> None:
    good = Finding(Level.OK, "a", "fine")
    warning, error = Finding(Level.WARNING, "b", "in clear"), Finding(Level.ERROR, "c", "refused")
    assert report_of("x", [good]) == Report("x", Sight.WORKING)
    assert report_of("x", [good, warning], "main") == Report("x", Sight.LIMITED, ("in clear",), "main")
    assert report_of("x", [warning, error]) == Report("x", Sight.FAILING, ("refused",))
