"""Which alarms are due, and when they are due again."""

import datetime as dt
from dataclasses import replace

from outrider.licences.model import LicenceKind
from outrider.supply.alarms import AlarmKind, Sent, Severity, alarms, days_left
from outrider.supply.authorisation import Feature, SourceFault
from outrider.supply.model import ClockMemory, Known, Supply, SupplyState

NOON = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
NORMAL = Supply(
    state=SupplyState.NORMAL,
    expires_at=NOON + 100 * DAY,
    message="",
    known=Known(features=(Feature(LicenceKind.OUTBOUND_PORTS, 60, NOON + 100 * DAY),)),
)
GRACE = replace(NORMAL, state=SupplyState.GRACE, message="the server is away")
EXPIRED = replace(NORMAL, state=SupplyState.EXPIRED, message="its grace has ended")


def kinds(
    supply: Supply, sent: dict[AlarmKind, Sent], at: dt.datetime = NOON, failed: int = 0
) -> list[AlarmKind]:
    return [each.kind for each in alarms(supply, at, sent, failed)]


def test_all_is_well() -> None:
    assert kinds(NORMAL, {}) == []
    assert kinds(Supply(), {}) == []
    assert kinds(replace(NORMAL, state=SupplyState.STALE), {}) == []


def test_grace_is_told_every_day() -> None:
    (alarm,) = alarms(GRACE, NOON, {})
    assert (alarm.kind, alarm.message) == (AlarmKind.GRACE, "The server is away.")
    assert alarm.severity is Severity.WARNING
    assert kinds(GRACE, {AlarmKind.GRACE: Sent(NOON - 23 * HOUR)}) == []
    assert kinds(GRACE, {AlarmKind.GRACE: Sent(NOON - DAY)}) == [AlarmKind.GRACE]


def test_expired_is_told_once_until_all_was_in_order() -> None:
    assert kinds(EXPIRED, {AlarmKind.GRACE: Sent(NOON - HOUR)}) == [AlarmKind.EXPIRED]
    told = {AlarmKind.EXPIRED: Sent(NOON - 40 * DAY)}
    assert kinds(EXPIRED, told) == []
    assert kinds(NORMAL, told) == [AlarmKind.IN_ORDER]
    told[AlarmKind.IN_ORDER] = Sent(NOON - 30 * DAY)
    assert kinds(NORMAL, told) == []
    assert kinds(EXPIRED, told) == [AlarmKind.EXPIRED]


def test_a_new_trouble_is_told_at_once_after_order() -> None:
    told = {AlarmKind.GRACE: Sent(NOON - 3 * HOUR), AlarmKind.IN_ORDER: Sent(NOON - 2 * HOUR)}
    assert kinds(GRACE, told) == [AlarmKind.GRACE]


def test_a_licence_that_ends_is_told_seven_days_before_and_once_per_end() -> None:
    end = NOON + 100 * DAY
    assert kinds(NORMAL, {}, end - 7 * DAY - HOUR) == []
    (alarm,) = alarms(NORMAL, end - 7 * DAY, {})
    assert alarm.kind is AlarmKind.EXPIRES_SOON
    assert "2026-06-12 12:00 UTC" in alarm.message
    told = {AlarmKind.EXPIRES_SOON: Sent(end - 7 * DAY, alarm.subject)}
    assert kinds(NORMAL, told, end - DAY) == []
    later = replace(NORMAL, expires_at=end + DAY)
    assert kinds(later, told, end - DAY) == [AlarmKind.EXPIRES_SOON]


def test_a_server_that_cannot_be_trusted_is_told_before_grace() -> None:
    stale = replace(NORMAL, state=SupplyState.STALE)
    for fault in SourceFault:
        found = replace(stale, known=replace(stale.known, fault=fault, notice="who is this"))
        expected = [] if fault is SourceFault.UNREACHABLE else [AlarmKind.SERVER_FAULT]
        assert kinds(found, {}) == expected
        told = {AlarmKind.SERVER_FAULT: Sent(NOON - HOUR, fault)}
        assert kinds(found, told) == []
        other = {AlarmKind.SERVER_FAULT: Sent(NOON - HOUR, "another")}
        assert kinds(found, other) == expected


def test_a_clock_set_back_is_told_once_a_day() -> None:
    known = replace(NORMAL.known, clock=ClockMemory(NOON, 26 * HOUR))
    (alarm,) = alarms(replace(NORMAL, known=known), NOON, {})
    assert alarm.kind is AlarmKind.CLOCK_SET_BACK
    assert "1.1 days" in alarm.message
    assert kinds(replace(NORMAL, known=known), {AlarmKind.CLOCK_SET_BACK: Sent(NOON - HOUR)}) == []


def test_an_alarm_of_the_future_does_not_silence_the_next() -> None:
    assert kinds(GRACE, {AlarmKind.GRACE: Sent(NOON + 5 * DAY)}) == [AlarmKind.GRACE]


def test_failed_plans_are_told_at_most_once_an_hour() -> None:
    (alarm,) = alarms(NORMAL, NOON, {}, failed_certificates=3)
    assert (alarm.kind, alarm.severity) == (AlarmKind.CERTIFICATE, Severity.CRITICAL)
    assert alarm.message.startswith("3 sharing plans")
    assert kinds(NORMAL, {AlarmKind.CERTIFICATE: Sent(NOON - HOUR / 2)}, failed=1) == []


def test_days_left() -> None:
    assert days_left(Supply(), NOON) is None
    assert days_left(NORMAL, NOON) == 100
    assert days_left(replace(GRACE, grace_ends_at=NOON + 12 * HOUR), NOON) == 0.5
    assert days_left(EXPIRED, NOON) == 0
