"""Calling hours in the contact's own time zone, over changes of daylight saving time."""

import datetime as dt

import pytest

from outrider.campaigns.contact_zones import country_zones, number_zones
from outrider.campaigns.hours import ContactHours, contact_zones, next_open, window_state
from outrider.campaigns.strategy import Hours, Window
from outrider.errors import InvalidInputError

DAY = Window()  # 08:00 to 21:00, every day


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def hours(start: str, end: str, *days: int) -> Window:
    first, last = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    return Window(first, last, frozenset(days or range(7)))


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-01-15T06:59:59", False),  # Paris is UTC+1 in winter
        ("2026-01-15T07:00", True),
        ("2026-01-15T19:59:59", True),
        ("2026-01-15T20:00", False),
        ("2026-07-15T06:00", True),  # and UTC+2 in summer
        ("2026-07-15T19:00", False),
    ],
)
def test_the_window_is_local_from_its_start_to_just_before_its_end(now: str, *, is_open: bool) -> None:
    assert window_state("Europe/Paris", DAY, utc(now)) is is_open
    assert window_state(["Europe/Paris"], DAY, utc(now)) is is_open


@pytest.mark.parametrize(
    ("zone", "window", "now", "expected"),
    [
        ("Europe/Paris", DAY, "2026-01-15T12:00", "2026-01-15T12:00"),  # open: now
        ("Europe/Paris", DAY, "2026-01-15T03:00", "2026-01-15T07:00"),
        ("Europe/Paris", DAY, "2026-01-15T20:00", "2026-01-16T07:00"),
        # Clocks go forward on 29 March 2026 at 02:00 and back on 25 October at 03:00.
        ("Europe/Paris", DAY, "2026-03-28T21:00", "2026-03-29T06:00"),
        ("Europe/Paris", DAY, "2026-10-24T21:00", "2026-10-25T07:00"),
        ("Europe/Paris", hours("02:30", "04:00"), "2026-03-29T00:00", "2026-03-29T01:00"),
        ("Europe/Paris", hours("02:10", "02:50"), "2026-03-29T00:00", "2026-03-30T00:10"),
        ("Europe/Paris", hours("02:00", "02:30"), "2026-10-24T23:00", "2026-10-25T00:00"),
        ("Europe/Paris", hours("02:00", "02:30"), "2026-10-25T00:30", "2026-10-25T01:00"),
        ("Europe/Paris", hours("01:00", "02:30"), "2026-10-25T00:40", "2026-10-25T01:00"),
        ("Europe/Paris", hours("09:00", "17:00", 0, 1, 2, 3, 4), "2026-05-01T16:00", "2026-05-04T07:00"),
        ("Europe/Paris", hours("02:10", "02:50", 6), "2026-03-28T12:00", "2026-04-05T00:10"),
        ("Asia/Kathmandu", DAY, "2026-01-15T00:00", "2026-01-15T02:15"),  # UTC+5:45
        ("Pacific/Kiritimati", DAY, "2026-01-15T08:00", "2026-01-15T18:00"),  # UTC+14
        ("Australia/Lord_Howe", DAY, "2026-10-03T14:00", "2026-10-03T21:00"),  # changes by 30 minutes
        ("Africa/Cairo", hours("00:00", "00:30"), "2026-04-23T21:59", "2026-04-24T21:00"),  # midnight skipped
        ("UTC", hours("20:00", "24:00"), "2026-01-15T23:59:59", "2026-01-15T23:59:59"),
        ("UTC", hours("20:00", "24:00"), "2026-01-16T00:00", "2026-01-16T20:00"),
        ("UTC", hours("00:00", "24:00", 3), "2026-01-16T00:00", "2026-01-22T00:00"),
    ],
)
def test_the_next_opening(zone: str, window: Window, now: str, expected: str) -> None:
    assert next_open(zone, window, utc(now)) == utc(expected)


def test_several_zones_bind_all_at_once() -> None:
    coasts = ["America/New_York", "America/Los_Angeles"]
    assert not window_state(coasts, DAY, utc("2026-01-15T15:59"))  # 07:59 in Los Angeles
    assert window_state(coasts, DAY, utc("2026-01-15T16:00"))
    assert not window_state(coasts, DAY, utc("2026-01-16T02:00"))  # 21:00 in New York
    assert next_open(coasts, DAY, utc("2026-01-16T02:00")) == utc("2026-01-16T16:00")


def test_zones_whose_windows_never_meet() -> None:
    assert (
        next_open(["Pacific/Honolulu", "Asia/Tokyo"], hours("09:00", "12:00"), utc("2026-01-15T00:00"))
        is None
    )


def test_an_unknown_zone_is_named() -> None:
    for name in ("Mars/Olympus", "", "../etc/passwd", "Europe/\x00"):
        with pytest.raises(InvalidInputError, match="time zone"):
            window_state(name, DAY, utc("2026-01-15T00:00"))
    with pytest.raises(InvalidInputError, match="'Mars/Olympus'"):
        contact_zones("Mars/Olympus", "+33142685300", "UTC")


def test_the_zone_of_a_contact() -> None:
    assert contact_zones("Asia/Tokyo", "+33142685300", "UTC") == ("Asia/Tokyo",)
    assert contact_zones(None, "+33142685300", "UTC") == ("Europe/Paris",)
    assert contact_zones("", "+12125550123", "UTC") == ("America/New_York",)
    assert contact_zones(None, None, "Europe/Berlin") == ("Europe/Berlin",)
    assert contact_zones(None, "no number", "Europe/Berlin") == ("Europe/Berlin",)
    assert contact_zones(None, "+999123", "Europe/Berlin") == ("Europe/Berlin",)
    assert len(number_zones("+18005550123")) > 10


def test_the_zones_of_a_country() -> None:
    assert country_zones("FR") == ("Europe/Paris",)
    assert country_zones("fr") == ("Europe/Paris",)
    assert "Pacific/Honolulu" in country_zones("US")
    assert country_zones("XX") == ()


def test_the_hours_of_contacts_follow_the_best_evidence() -> None:
    of = ContactHours(DAY)
    now = utc("2026-01-15T06:00")
    assert of.next_open("Asia/Tokyo", "+33142685300", "FR", now) == now
    assert of.next_open(None, "+33142685300", "US", now) == utc("2026-01-15T07:00")
    assert of.next_open(None, None, "GB", now) == utc("2026-01-15T08:00")
    assert of.next_open(None, None, "XX", now) == utc("2026-01-15T08:00")
    assert of.is_open("Asia/Tokyo", None, "FR", now)
    assert not of.is_open(None, "+33142685300", "FR", now)


def test_the_answers_that_are_remembered_are_those_that_would_be_given_again() -> None:
    of = ContactHours(DAY)
    moments = [utc("2026-03-28T00:00") + dt.timedelta(minutes=47 * step) for step in range(120)]
    for now in [*moments, *reversed(moments)]:
        assert of.next_open("Europe/Paris", None, "FR", now) == next_open("Europe/Paris", DAY, now)


def test_zones_that_never_meet_give_way_to_weaker_evidence() -> None:
    of = ContactHours(hours("09:00", "10:00"))
    now = utc("2026-01-15T00:00")
    assert of.next_open(None, "+18005550123", "GB", now) == utc("2026-01-15T09:00")
    assert of.next_open(None, "+18005550123", "US", now) == utc("2026-01-15T09:00")


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night = Window(22 * 60, 6 * 60, frozenset({4}))
    friday = dt.datetime(2026, 5, 1, 0, 0, tzinfo=dt.UTC)
    hours = [0, 5, 6, 21, 22, 23, 24, 29, 30, 46]
    found = [window_state("UTC", night, friday + dt.timedelta(hours=hour)) for hour in hours]
    assert found == [False, False, False, False, True, True, True, True, False, False]
    assert next_open("UTC", night, friday) == friday + dt.timedelta(hours=22)
    assert next_open("UTC", night, friday + dt.timedelta(hours=30)) == friday + dt.timedelta(days=7, hours=22)


def test_several_windows_make_a_lunch_break() -> None:
    hours = Hours((Window(540, 720), Window(840, 1140)))
    day = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    assert next_open("UTC", hours, day + dt.timedelta(minutes=719)) == day + dt.timedelta(minutes=719)
    assert next_open("UTC", hours, day + dt.timedelta(hours=12)) == day + dt.timedelta(hours=14)
    assert next_open("UTC", hours, day + dt.timedelta(hours=19)) == day + dt.timedelta(hours=33)


def test_holidays_are_days_of_the_contacts_own_calendar() -> None:
    hours = Hours((Window(480, 1260),), frozenset({dt.date(2026, 12, 25), dt.date(2026, 12, 26)}))
    eve = dt.datetime(2026, 12, 24, 22, 0, tzinfo=dt.UTC)
    assert next_open("UTC", hours, eve) == dt.datetime(2026, 12, 27, 8, 0, tzinfo=dt.UTC)
    # In Auckland it is the 25th already; there the 27th begins 13 hours earlier.
    assert next_open("Pacific/Auckland", hours, eve) == dt.datetime(2026, 12, 26, 19, 0, tzinfo=dt.UTC)
    assert ContactHours(hours).next_open("UTC", None, "DE", eve) == next_open("UTC", hours, eve)


def test_a_night_window_opens_at_midnight_after_a_holiday() -> None:
    night = Hours((Window(22 * 60, 6 * 60),), frozenset({dt.date(2026, 5, 1)}))
    noon = dt.datetime(2026, 5, 1, 12, 0, tzinfo=dt.UTC)
    assert next_open("UTC", night, noon) == dt.datetime(2026, 5, 2, 0, 0, tzinfo=dt.UTC)
