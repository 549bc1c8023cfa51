"""What requests about strategies and campaigns may say, and how both are shown.

Only `campaigns/api.py` and the pages use them.
"""

import datetime as dt
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from outrider.campaigns.changes import Difference
from outrider.campaigns.model import Campaign, Schedule, StrategyState, StrategyVersion, read_schedule
from outrider.campaigns.service import CampaignPlan
from outrider.campaigns.strategy_document import LARGEST_DOCUMENT, parse_strategy, to_document
from outrider.errors import InvalidInputError
from outrider.ids import ListId, ZoneId
from outrider.web.access import Text, Text80

LARGEST_ID = 2**63 - 1
LONGEST_RUN = 366 * 86_400
"""Seconds."""
EARLIEST, LATEST = 1970, 2200
"""Years."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Source = Annotated[Text, Field(max_length=LARGEST_DOCUMENT)]


def _in_utc(at: dt.datetime) -> dt.datetime:
    if not EARLIEST < at.year < LATEST:
        raise ValueError(f"must be a time between the years {EARLIEST} and {LATEST}")
    return at.astimezone(dt.UTC)


class Strict(BaseModel):
    """A body without unknown fields, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid")


class Place(BaseModel):
    """One problem of a strategy document and where it is, as in actions[1].retry.busy.delays[0]."""

    where: str
    problem: str


class NewStrategy(Strict):
    """A strategy document, TOML or JSON. A draft may have problems; it is filed under `name` while it has.

    `organization_id` is for callers of the whole system; without it, the default organization's.
    """

    source: Source
    draft: bool = False
    name: Text80 | None = None
    organization_id: Id | None = None


class StrategySource(Strict):
    """The text of a strategy document."""

    source: Source


class StrategyCheck(BaseModel):
    """Whether a document can be used, every problem with its place, and what was read with all defaults."""

    valid: bool
    problems: list[Place]
    document: dict[str, Any] | None

    @classmethod
    def of(cls, source: str) -> "StrategyCheck":
        """Return what is to be said about a document."""
        try:
            strategy = parse_strategy(source)
        except InvalidInputError as error:
            found = error.facts.get("problems")
            problems = found if isinstance(found, list) else [{"where": "document", "problem": error.message}]
            return cls(valid=False, problems=[Place(**each) for each in problems], document=None)
        return cls(valid=True, problems=[], document=to_document(strategy))


class StrategyLine(BaseModel):
    """One version of a strategy, without its text."""

    id: int
    organization_id: int
    name: str
    version: int
    state: StrategyState
    created_at: dt.datetime
    created_by: str

    @classmethod
    def of(cls, found: StrategyVersion) -> "StrategyLine":
        """Return the line of a version."""
        return cls.model_validate(found, from_attributes=True)


class StrategyView(StrategyLine):
    """One version with its text, what is wrong with it (drafts only), and what was read from it."""

    source: str
    problems: list[Place]
    document: dict[str, Any] | None

    @classmethod
    def of(cls, found: StrategyVersion) -> "StrategyView":
        """Return the view of a version."""
        checked = StrategyCheck.of(found.source)
        line = StrategyLine.of(found)
        return cls(
            **line.model_dump(), source=found.source, problems=checked.problems, document=checked.document
        )


class Change(BaseModel):
    """One place of a strategy that differs between two versions; null where it is not there."""

    where: str
    before: Any
    after: Any


class StrategyChanges(BaseModel):
    """What changed in a version since another one (null: it is the first)."""

    since: StrategyLine | None
    changes: list[Change]

    @classmethod
    def of(cls, since: StrategyVersion | None, found: list[Difference]) -> "StrategyChanges":
        """Return what is to be said about two versions."""
        return cls(
            since=None if since is None else StrategyLine.of(since),
            changes=[Change(where=each.where, before=each.before, after=each.after) for each in found],
        )


class TemplateView(BaseModel):
    """A strategy to begin with: a document that can be run as it is."""

    key: str
    title: str
    text: str
    source: str


class ScheduleBody(Strict):
    """When a campaign starts a job by itself: never without `start_at`, once, or on some days of the week.

    `repeat_days` are 0 (Monday) to 6 (Sunday), at the same local time of `time_zone` (IANA). A job is
    finished `run_for` seconds after its start.
    """

    start_at: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = None
    repeat_days: Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7)] = []
    time_zone: Annotated[Text, Field(min_length=1, max_length=64)] = "UTC"
    run_for: Annotated[int | None, Field(ge=1, le=LONGEST_RUN)] = None

    def schedule(self) -> Schedule:
        """Return the schedule; InvalidInputError for an unknown time zone."""
        return read_schedule(self.model_dump(mode="json"))

    @classmethod
    def of(cls, found: Schedule) -> "ScheduleBody":
        """Return a stored schedule."""
        return cls.model_construct(
            start_at=found.start_at,
            repeat_days=list(found.repeat_days),
            time_zone=found.time_zone,
            run_for=found.run_for,
        )


class CampaignBody(Strict):
    """What a campaign is to be. Without zones it runs in those of its lists.

    `filter` is a list of conditions {attribute, operator, value} that must all hold for a contact.
    """

    name: Text80
    strategy_name: Text80
    list_ids: Annotated[list[Id], Field(min_length=1, max_length=100)]
    zone_ids: Annotated[list[Id], Field(max_length=100)] = []
    filter: Annotated[list[dict[str, Any]], Field(max_length=50)] = []
    schedule: ScheduleBody = ScheduleBody()

    def plan(self) -> CampaignPlan:
        """Return the plan; InvalidInputError for a schedule that cannot be."""
        return CampaignPlan(
            name=self.name,
            strategy_name=self.strategy_name,
            list_ids=tuple(ListId(number) for number in sorted(set(self.list_ids))),
            zone_ids=tuple(ZoneId(number) for number in sorted(set(self.zone_ids))),
            filter=self.filter,
            schedule=self.schedule.schedule(),
        )


class NewCampaign(CampaignBody):
    """A new campaign; `organization_id` is for callers of the whole system (default: the default one's)."""

    organization_id: Id | None = None


class CampaignView(BaseModel):
    """One campaign. `next_start_at` is when it starts a job by itself, null when it does not."""

    id: int
    organization_id: int
    name: str
    strategy_name: str
    list_ids: list[int]
    zone_ids: list[int]
    filter: list[dict[str, Any]]
    schedule: ScheduleBody
    next_start_at: dt.datetime | None
    created_at: dt.datetime

    @classmethod
    def of(cls, found: Campaign) -> "CampaignView":
        """Return the view of a campaign."""
        return cls(
            id=found.id,
            organization_id=found.organization_id,
            name=found.name,
            strategy_name=found.strategy_name,
            list_ids=list(found.list_ids),
            zone_ids=list(found.zone_ids),
            filter=[dict(condition) for condition in found.filter],
            schedule=ScheduleBody.of(found.schedule),
            next_start_at=found.next_start_at,
            created_at=found.created_at,
        )
