"""Typed identifiers, so that a job's id is never passed where a task's is meant.

Used by every slice. Rows are numbered by the database; attempts have ids chosen here before a call is
made, because a media server must refuse a second call with the same id.
"""

import datetime as dt
import secrets
from typing import NewType

OrganizationId = NewType("OrganizationId", int)
ZoneId = NewType("ZoneId", int)
PoolId = NewType("PoolId", int)
UserId = NewType("UserId", int)
ListId = NewType("ListId", int)
ContactId = NewType("ContactId", int)
ImportId = NewType("ImportId", int)
StrategyId = NewType("StrategyId", int)
CampaignId = NewType("CampaignId", int)
JobId = NewType("JobId", int)
TaskId = NewType("TaskId", int)
TargetId = NewType("TargetId", int)
"""A target is one contact as one job sees it: the row that holds its state and its final outcome."""

RANDOM_BYTES = 10

AttemptId = NewType("AttemptId", str)
"""Also the id of the call on the media server, or the local part of an email's Message-ID."""


def new_attempt_ids(now: dt.datetime, count: int) -> list[AttemptId]:
    """Return new ids: 32 hexadecimal digits, of which 12 are milliseconds since 1970 and 20 are random.

    Ids of one time sort together, like UUID version 7 (RFC 9562 5.7): new rows fall on few database pages.
    """
    time = f"{int(now.timestamp() * 1000):012x}"
    drawn = secrets.token_hex(RANDOM_BYTES * count)
    length = 2 * RANDOM_BYTES
    return [AttemptId(time + drawn[start : start + length]) for start in range(0, len(drawn), length)]
