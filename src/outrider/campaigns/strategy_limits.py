"""What bounds a strategy: limits of attempts over a period, holidays, goals and finish criteria.

`dialing.restrictions` evaluates limits, `campaigns.finish` the criteria; both read these. Frozen and pure.
"""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy_parts import Channel


class LimitPer(enum.StrEnum):
    """Whose attempts a limit counts together."""

    CONTACT = "contact"
    ADDRESS = "address"


class LimitScope(enum.StrEnum):
    """Which campaigns' attempts a limit counts."""

    THIS = "this"
    ORGANIZATION = "organization"


class WhenLimited(enum.StrEnum):
    """What happens to a contact that a limit holds back."""

    WAIT = "wait"
    """It is due again when the limit allows the next attempt."""
    SKIP = "skip"
    """It goes on to the next action; after the last it ends as `restricted`."""


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """At most `attempts` in any `period` (seconds, rolling), counted per contact or per address.

    Counts the attempts on `channels` (empty: all) of this campaign or of the organization's, and binds
    actions on these channels. With `outcomes` only attempts that ended so count: one attempt in seven days
    after `answered` is "no call for a week after a conversation".
    """

    attempts: int
    period: float
    per: LimitPer = LimitPer.CONTACT
    channels: frozenset[Channel] = frozenset()
    campaigns: LimitScope = LimitScope.THIS
    outcomes: frozenset[Outcome] = frozenset()

    def binds(self, channel: Channel) -> bool:
        """Say whether attempts on `channel` count, and have to wait."""
        return not self.channels or channel in self.channels


@dataclass(frozen=True, slots=True)
class Restrictions:
    """When and how often contacts may not be contacted, for one action or the whole strategy.

    `holidays` are dates of the contact's own calendar on which nothing is attempted.
    """

    limits: tuple[AttemptLimit, ...] = ()
    holidays: frozenset[dt.date] = frozenset()
    when_limited: WhenLimited = WhenLimited.WAIT


@dataclass(frozen=True, slots=True)
class Goal:
    """The job is finished when `count` contacts have ended with `outcome` (one of REACHED)."""

    outcome: Outcome
    count: int


@dataclass(frozen=True, slots=True)
class FinishCriteria:
    """When the job ends before its contacts do: as soon as one of these holds.

    `outcomes` and `dispositions` count contacts that ended so. `after` is seconds since the job's start,
    `at` a moment (aware UTC).
    """

    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    dispositions: Mapping[str, int] = field(default_factory=dict)
    after: float | None = None
    at: dt.datetime | None = None
