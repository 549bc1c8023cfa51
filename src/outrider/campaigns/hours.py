"""Calling hours: may a contact be contacted now, and if not, when next, in the contact's own time zone.

Jobs ask when they load contacts, dialing before every attempt. Correct over changes of daylight saving
time: a window is a rule about the clock on the wall, and moments are compared in UTC. Pure.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Iterator

from outrider.campaigns.contact_zones import contact_zones, country_zones, number_zones, zone
from outrider.campaigns.strategy import MINUTES_PER_DAY, Hours, Window

__all__ = ["ContactHours", "contact_zones", "next_open", "window_state"]

_HORIZONS = (2, 16)
"""Days to look ahead, near first. Windows repeat every week; the second week is for an opening that
daylight saving skips. Every holiday may put an opening off by another week."""


class ContactHours:
    """One action's hours, asked for many contacts; remembers the answer of each set of time zones.

    A contact is bound by its own time zone, else by all of its number's, else by all of its list's
    country. Should several zones be so far apart that their windows never meet, the next weaker evidence
    binds, in the end UTC. Not for use by several threads at once.
    """

    def __init__(self, hours: Hours | Window) -> None:
        self.hours = _hours(hours)
        self._binding: dict[tuple[str | None, tuple[str, ...], str], tuple[str, ...]] = {}
        self._answers: dict[tuple[str, ...], tuple[dt.datetime, dt.datetime]] = {}

    def is_open(
        self, time_zone: str | None, phone: str | None, default_country: str, now: dt.datetime
    ) -> bool:
        """Say whether a contact may be contacted at `now` (aware)."""
        return self.next_open(time_zone, phone, default_country, now) <= now

    def next_open(
        self, time_zone: str | None, phone: str | None, default_country: str, now: dt.datetime
    ) -> dt.datetime:
        """Return the first moment from `now` on (in UTC) at which a contact may be contacted.

        `phone` is E.164. Raises InvalidInputError when `time_zone` is no time zone.
        """
        zones = self._zones(time_zone, phone, default_country, now)
        asked, answer = self._answers.get(zones, (None, now))
        if asked is None or not asked <= now <= answer:
            answer = next_open(zones, self.hours, now) or now.astimezone(dt.UTC)
            self._answers[zones] = (now, answer)
        return answer

    def _zones(
        self, time_zone: str | None, phone: str | None, country: str, now: dt.datetime
    ) -> tuple[str, ...]:
        of_number = number_zones(phone) if phone and not time_zone else ()
        case = (time_zone, of_number, country)
        if case not in self._binding:
            evidence = ((zone(time_zone).key,) if time_zone else (), of_number, country_zones(country))
            meeting = (zones for zones in evidence if zones and next_open(zones, self.hours, now) is not None)
            self._binding[case] = next(meeting, ("UTC",))
        return self._binding[case]


def window_state(time_zones: str | Iterable[str], hours: Hours | Window, now: dt.datetime) -> bool:
    """Say whether a window is open, and no holiday, at `now` (aware) in all of the time zones."""
    return all(_is_open(zone(name), _hours(hours), now) for name in _names(time_zones))


def next_open(time_zones: str | Iterable[str], hours: Hours | Window, now: dt.datetime) -> dt.datetime | None:
    """Return the first moment from `now` on (in UTC) at which the hours are open in all time zones.

    That is `now` itself when they are open already, and None when the zones are so far apart that their
    windows never meet. A day's opening that daylight saving skips altogether does not count.
    """
    rule = _hours(hours)
    zones = [zone(name) for name in _names(time_zones)]
    moment = now.astimezone(dt.UTC)
    if all(_is_open(place, rule, moment) for place in zones):
        return moment
    holidays = sum(day >= moment.date() - dt.timedelta(days=1) for day in rule.holidays)
    for days in sorted({*_HORIZONS, _HORIZONS[-1] + 7 * holidays}):
        end = moment + dt.timedelta(days=days)
        changes = {change for place in zones for change in _changes(place, rule, moment, end)}
        for change in sorted(changes):
            if all(_is_open(place, rule, change) for place in zones):
                return change
    return None


def _hours(hours: Hours | Window) -> Hours:
    return Hours((hours,)) if isinstance(hours, Window) else hours


def _names(time_zones: str | Iterable[str]) -> tuple[str, ...]:
    return (time_zones,) if isinstance(time_zones, str) else tuple(time_zones)


def _is_open(place: zoneinfo.ZoneInfo, hours: Hours, now: dt.datetime) -> bool:
    local = now.astimezone(place)
    minute = local.hour * 60 + local.minute
    if hours.holidays and local.date() in hours.holidays:
        return False
    return any(_covers(window, local.weekday(), minute) for window in hours.windows)


def _covers(window: Window, day: int, minute: int) -> bool:
    if not window.is_overnight:
        return day in window.days and window.start <= minute < window.end
    began_today = day in window.days and minute >= window.start
    return began_today or ((day - 1) % 7 in window.days and minute < window.end)


def _changes(
    place: zoneinfo.ZoneInfo, hours: Hours, begin: dt.datetime, end: dt.datetime
) -> Iterator[dt.datetime]:
    """Yield every moment after `begin` and up to `end` at which the hours may change from shut to open.

    Those are the windows' starts on each local day, twice when the clock shows one twice, midnight, at
    which a holiday ends, and the moments at which the clock itself is changed, which may jump into a window.
    """
    minutes = {window.start % MINUTES_PER_DAY for window in hours.windows}
    if any(window.is_overnight for window in hours.windows):
        minutes.add(0)
    date = begin.astimezone(place).date()
    for _ in range((end - begin).days + 2):
        for minute in minutes:
            wall = dt.datetime.combine(date, dt.time(minute // 60, minute % 60), tzinfo=place)
            for moment in (wall.replace(fold=fold).astimezone(dt.UTC) for fold in (0, 1)):
                if begin < moment <= end:
                    yield moment
        date += dt.timedelta(days=1)
    early = begin
    while early < end:
        late = early + dt.timedelta(days=1)
        if _offset(place, early) != _offset(place, late):
            yield _clock_change(place, early, late)
        early = late


def _clock_change(place: zoneinfo.ZoneInfo, early: dt.datetime, late: dt.datetime) -> dt.datetime:
    """Return the second between two moments from which on the offset is that of `late`."""
    before, span = _offset(place, early), int((late - early).total_seconds())
    low, high = 0, span
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(place, early + dt.timedelta(seconds=middle)) == before:
            low = middle
        else:
            high = middle
    return (early + dt.timedelta(seconds=high)).replace(microsecond=0)


def _offset(place: zoneinfo.ZoneInfo, moment: dt.datetime) -> dt.timedelta | None:
    return moment.astimezone(place).utcoffset()
