"""What requests about jobs and tasks may say.

`jobs/api.py` parses them, `jobs/planning.py` reads what-ifs.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from outrider.licences.model import HIGHEST_PRIORITY, LARGEST_COUNT, LOWEST_PRIORITY, LicenceKind

LARGEST_ID = 2**63 - 1
LONGEST_SNOOZE = 366 * 86_400
"""Seconds."""

EARLIEST, LATEST = 1970, 2200
"""Years."""


def _in_utc(at: dt.datetime) -> dt.datetime:
    if not EARLIEST < at.year < LATEST:
        raise ValueError(f"must be a time between the years {EARLIEST} and {LATEST}")
    return at.astimezone(dt.UTC)


UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its offset, brought to UTC."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Priority = Annotated[int, Field(ge=LOWEST_PRIORITY, le=HIGHEST_PRIORITY)]
Units = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]


class Strict(BaseModel):
    """A body without unknown fields, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid")


class NewJob(Strict):
    """How a job of a campaign begins: at once, or ready to be started."""

    start: bool = True


class CommandBody(Strict):
    """Only for snooze: the job resumes by itself at `until`, or after `seconds`; else when it is told to."""

    until: UtcTime | None = None
    seconds: Annotated[float | None, Field(gt=0, le=LONGEST_SNOOZE)] = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "CommandBody":
        if self.until is not None and self.seconds is not None:
            raise ValueError("give until or seconds, not both")
        return self

    def end(self, now: dt.datetime) -> dt.datetime | None:
        """Return when the snooze ends by itself, in UTC; None when it does not."""
        if self.seconds is not None:
            return now + dt.timedelta(seconds=self.seconds)
        return self.until


class TaskChange(Strict):
    """New limits of a task; what is left out stays."""

    priority: Priority | None = None
    minimum: Units | None = None
    maximum: Units | None = None

    @model_validator(mode="after")
    def _anything(self) -> "TaskChange":
        if self.priority is None and self.minimum is None and self.maximum is None:
            raise ValueError("give at least one of priority, minimum and maximum")
        return self


class StartCampaign(Strict):
    """Suppose that a campaign is started."""

    what: Literal["start_campaign"]
    campaign_id: Id


class StartJob(Strict):
    """Suppose that a job that is ready, paused or snoozed runs."""

    what: Literal["start_job"]
    job_id: Id


class StopJob(Strict):
    """Suppose that a job is stopped (or paused: that is the same for the others)."""

    what: Literal["stop_job"]
    job_id: Id


class ChangeLimits(Strict):
    """Suppose other limits of a task."""

    what: Literal["change_task"]
    task_id: Id
    priority: Priority | None = None
    minimum: Units | None = None
    maximum: Units | None = None


class ChangeLicences(Strict):
    """Suppose more licences of a counted type, or fewer."""

    what: Literal["change_count"]
    kind: LicenceKind
    by: Annotated[int, Field(ge=-LARGEST_COUNT, le=LARGEST_COUNT)]


Supposed = Annotated[
    StartCampaign | StartJob | StopJob | ChangeLimits | ChangeLicences, Field(discriminator="what")
]


class WhatIfBody(Strict):
    """Changes to be supposed, one after the other."""

    changes: Annotated[list[Supposed], Field(min_length=1, max_length=50)]
