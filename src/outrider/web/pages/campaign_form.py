"""The campaign form: its fields as they were typed, read from a request, and made into a CampaignPlan.

`pages/campaigns.py` shows them again when something is wrong, exactly as they were typed.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Form

from outrider.campaigns.model import Campaign, Schedule, read_schedule
from outrider.campaigns.service import CampaignPlan
from outrider.errors import InvalidInputError
from outrider.ids import ListId, ZoneId
from outrider.web.access import Text
from outrider.web.pages.console import optional_number, whole_number

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BLANK_ROWS = 2
MOST_MINUTES = 366 * 24 * 60
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FilterRow:
    """One condition as it was typed; "in" and "between" have their values separated by commas."""

    attribute: str = ""
    operator: str = "="
    value: str = ""

    @property
    def blank(self) -> bool:
        """Whether nothing was typed."""
        return not self.attribute.strip() and not self.value.strip()

    def condition(self) -> dict[str, object]:
        """Return it as `contacts.selection` reads it."""
        value: object = self.value.strip()
        if self.operator in ("in", "between"):
            value = [part.strip() for part in self.value.split(",") if part.strip()]
        elif self.operator == "is_empty":
            value = self.value.strip().lower() not in ("no", "false", "0")
        return {"attribute": self.attribute.strip(), "operator": self.operator, "value": value}


@dataclass(frozen=True, slots=True)
class CampaignFields:
    """Everything of the form, as texts."""

    name: str = ""
    strategy_name: str = ""
    organization: str = ""
    lists: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    rows: tuple[FilterRow, ...] = ()
    start_at: str = ""
    time_zone: str = "UTC"
    days: tuple[str, ...] = ()
    run_for: str = ""
    extra: tuple[FilterRow, ...] = field(default=(FilterRow(),) * BLANK_ROWS)

    @property
    def organization_id(self) -> int | None:
        """The organization that a caller of the whole system chose. InvalidInputError."""
        return optional_number(self.organization, "organization")

    def plan(self) -> CampaignPlan:
        """Return what was asked for. InvalidInputError names the field."""
        return CampaignPlan(
            name=self.name,
            strategy_name=self.strategy_name,
            list_ids=tuple(ListId(_key(text, "list_ids")) for text in self.lists),
            zone_ids=tuple(ZoneId(_key(text, "zone_ids")) for text in self.zones),
            filter=[row.condition() for row in self.rows if not row.blank],
            schedule=self._schedule(),
        )

    def _schedule(self) -> Schedule:
        minutes = optional_number(self.run_for, "run_for")
        if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
            raise InvalidInputError(f"run_for: give 1 to {MOST_MINUTES:,} minutes", where="run_for")
        document: dict[str, Any] = {
            "time_zone": self.time_zone.strip() or "UTC",
            "repeat_days": [whole_number(day, "days") for day in self.days],
            "run_for": None if minutes is None else minutes * 60,
            "start_at": None,
        }
        schedule = read_schedule(document)
        if not self.start_at.strip():
            if self.days:
                raise InvalidInputError("start_at: days need a first start", where="start_at")
            return schedule
        document["start_at"] = _local(self.start_at, schedule.time_zone).isoformat()
        return read_schedule(document)


def _key(text: str, where: str) -> int:
    number = whole_number(text, where)
    if not 1 <= number <= LARGEST_ID:
        raise InvalidInputError(f"{where}: there is no {number}", where=where)
    return number


def _local(text: str, time_zone: str) -> dt.datetime:
    try:
        local = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInputError(
            "start_at: give date and time as 2026-03-31T09:00", where="start_at"
        ) from None
    if not 2000 <= local.year <= 2199:  # noqa: PLR2004 - beyond them time zones are guesses
        raise InvalidInputError("start_at: give a year from 2000 to 2199", where="start_at")
    return local if local.tzinfo is not None else local.replace(tzinfo=ZoneInfo(time_zone))


Texts = Annotated[list[Text] | None, Form(max_length=1_000)]
Line = Annotated[Text, Form(max_length=1_000)]


def read_fields(
    *,
    name: Line = "",
    strategy_name: Line = "",
    organization_id: Line = "",
    list_ids: Texts = None,
    zone_ids: Texts = None,
    filter_attribute: Texts = None,
    filter_operator: Texts = None,
    filter_value: Texts = None,
    start_at: Line = "",
    time_zone: Line = "UTC",
    days: Texts = None,
    run_for: Line = "",
) -> CampaignFields:
    """Return the fields of a request; a FastAPI dependency."""
    rows = zip(filter_attribute or (), filter_operator or (), filter_value or (), strict=False)
    return CampaignFields(
        name=name,
        strategy_name=strategy_name,
        organization=organization_id,
        lists=tuple(list_ids or ()),
        zones=tuple(zone_ids or ()),
        rows=tuple(row for row in (FilterRow(*each) for each in rows) if not row.blank),
        start_at=start_at,
        time_zone=time_zone,
        days=tuple(days or ()),
        run_for=run_for,
    )


def blank_fields() -> CampaignFields:
    """Return an empty form."""
    return CampaignFields()


def fields_of(campaign: Campaign) -> CampaignFields:
    """Return a stored campaign as its form shows it."""
    schedule = campaign.schedule
    start = (
        ""
        if schedule.start_at is None
        else schedule.start_at.astimezone(ZoneInfo(schedule.time_zone)).strftime("%Y-%m-%dT%H:%M")
    )
    return CampaignFields(
        name=campaign.name,
        strategy_name=campaign.strategy_name,
        organization=str(campaign.organization_id),
        lists=tuple(str(number) for number in campaign.list_ids),
        zones=tuple(str(number) for number in campaign.zone_ids),
        rows=_rows(campaign.filter),
        start_at=start,
        time_zone=schedule.time_zone,
        days=tuple(str(day) for day in schedule.repeat_days),
        run_for="" if schedule.run_for is None else str(-(-schedule.run_for // 60)),
    )


def _rows(conditions: Sequence[Mapping[str, Any]]) -> tuple[FilterRow, ...]:
    rows = []
    for condition in conditions:
        value = condition.get("value")
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        if isinstance(value, bool):
            text = "yes" if value else "no"
        rows.append(FilterRow(str(condition["attribute"]), str(condition["operator"]), text))
    return tuple(rows)
