"""A campaign: what is to be done (strategy), with whom (lists, filter), where (zones) and when (schedule).

Stored by `campaigns/store.py`, run by `jobs`. Pure.
"""

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from outrider.errors import InvalidInputError
from outrider.ids import CampaignId, ListId, OrganizationId, StrategyId, ZoneId


class StrategyState(enum.StrEnum):
    """Drafts can be saved with errors and cannot run; active versions never change."""

    DRAFT = "draft"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class StrategyVersion:
    """One stored version of a strategy document, TOML or JSON as it was written."""

    id: StrategyId
    organization_id: OrganizationId
    name: str
    version: int
    state: StrategyState
    source: str
    created_at: dt.datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a campaign starts a job by itself. Without `start_at` it is started by hand only.

    `start_at` is the first start; `repeat_days` (0 Monday to 6 Sunday) repeats it at the same local time
    in `time_zone`. A job is finished `run_for` seconds after its start, if that is given.
    """

    start_at: dt.datetime | None = None
    repeat_days: tuple[int, ...] = ()
    time_zone: str = "UTC"
    run_for: int | None = None

    def next_start(self, after: dt.datetime) -> dt.datetime | None:
        """Return the first start later than `after` (aware UTC), None when there is none."""
        if self.start_at is None:
            return None
        if self.start_at > after:
            return self.start_at
        if not self.repeat_days:
            return None
        zone = ZoneInfo(self.time_zone)
        wall = self.start_at.astimezone(zone).time()
        day = after.astimezone(zone).date()
        for offset in range(9):
            date = day + dt.timedelta(days=offset)
            start = dt.datetime.combine(date, wall, zone).astimezone(dt.UTC)
            if date.weekday() in self.repeat_days and start > after:
                return start
        return None


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign. `filter` is a list of conditions as `contacts.selection` reads them."""

    id: CampaignId
    organization_id: OrganizationId
    name: str
    strategy_name: str
    list_ids: tuple[ListId, ...]
    zone_ids: tuple[ZoneId, ...]
    filter: Sequence[Mapping[str, Any]]
    schedule: Schedule
    next_start_at: dt.datetime | None
    created_at: dt.datetime


def schedule_document(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule as JSON data; times are ISO 8601 with offset."""
    return {
        "start_at": None if schedule.start_at is None else schedule.start_at.isoformat(),
        "repeat_days": list(schedule.repeat_days),
        "time_zone": schedule.time_zone,
        "run_for": schedule.run_for,
    }


def read_schedule(data: Mapping[str, Any]) -> Schedule:
    """Return the schedule that `schedule_document` wrote. InvalidInputError names the field."""
    start = data.get("start_at")
    try:
        start_at = None if start is None else dt.datetime.fromisoformat(str(start))
    except ValueError:
        raise InvalidInputError(f"schedule.start_at: {start!r} is not an ISO 8601 time") from None
    if start_at is not None and start_at.tzinfo is None:
        raise InvalidInputError("schedule.start_at: give the offset too, as in 2026-03-01T09:00:00+01:00")
    time_zone = str(data.get("time_zone") or "UTC")
    try:
        ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        raise InvalidInputError(f"schedule.time_zone: {time_zone!r} is not an IANA time zone") from None
    days = tuple(sorted({int(day) for day in data.get("repeat_days") or ()}))
    if any(not 0 <= day <= 6 for day in days):  # noqa: PLR2004 - Monday is 0, Sunday is 6
        raise InvalidInputError("schedule.repeat_days: days are numbers from 0 (Monday) to 6 (Sunday)")
    run_for = data.get("run_for")
    if run_for is not None and int(run_for) <= 0:
        raise InvalidInputError("schedule.run_for: give a positive number of seconds")
    return Schedule(
        None if start_at is None else start_at.astimezone(dt.UTC),
        days,
        time_zone,
        None if run_for is None else int(run_for),
    )
