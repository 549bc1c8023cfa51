"""IANA time zone names as they stand in contact files, in any case. Pure; used by the import."""

import zoneinfo
from functools import cache


@cache
def _names() -> dict[str, str]:
    return {name.casefold(): name for name in zoneinfo.available_timezones()}


def read_time_zone(text: str) -> str | None:
    """Return the IANA name as the database writes it (Europe/Berlin), None when there is no such zone."""
    return _names().get(text.strip().replace(" ", "_").casefold())
