"""In which time zones a contact may be: its own, its number's, or its country's.

`hours` asks, for calling windows in the contact's local time. Pure, over the zone and number data that
come with tzdata and phonenumbers.
"""

import functools
import importlib.resources
import zoneinfo

from phonenumbers import NumberParseException, parse
from phonenumbers.timezone import time_zones_for_number

from outrider.errors import InvalidInputError

_UNKNOWN = "Etc/Unknown"
"""What the phone number library answers for numbers that belong to no place."""


@functools.cache
def zone(name: str) -> zoneinfo.ZoneInfo:
    """Return the IANA time zone called `name`. Raises InvalidInputError when there is none."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(
            f"there is no time zone {name!r}: give an IANA name such as Europe/Paris.", where="time_zone"
        ) from error


@functools.lru_cache(maxsize=100_000)
def number_zones(number: str) -> tuple[str, ...]:
    """Return the time zones in which an E.164 number can be, sorted; none when nothing is known of it.

    The evidence is the number's prefix: mobile and country-wide numbers of large countries have many.
    """
    try:
        names = time_zones_for_number(parse(number, None))
    except NumberParseException:
        return ()
    return tuple(sorted(name for name in names if name != _UNKNOWN and _exists(name)))


@functools.cache
def country_zones(country: str) -> tuple[str, ...]:
    """Return the time zones of a country (ISO 3166, two letters), sorted; none for an unknown one."""
    return _zones_by_country().get(country.upper(), ())


def contact_zones(explicit: str | None, number: str | None, default: str) -> tuple[str, ...]:
    """Return the time zones that bind a contact: its own, else its number's, else the default zone.

    Several zones bind all at once, which is the strictest reading. Raises InvalidInputError for an
    explicit or default name that is no time zone.
    """
    if explicit:
        return (zone(explicit).key,)
    return (number_zones(number) if number else ()) or (zone(default).key,)


def _exists(name: str) -> bool:
    try:
        zone(name)
    except InvalidInputError:
        return False
    return True


@functools.cache
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    """Read tzdata's zone.tab: lines of country, coordinates, zone and comment, parted by tabs."""
    table = importlib.resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    zones: dict[str, list[str]] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            zones.setdefault(country, []).append(name)
    return {country: tuple(sorted(names)) for country, names in zones.items()}
