"""May this contact be tried again now? Limits of attempts over rolling periods, per contact and address.

Claims ask `next_allowed` before every attempt and put the contact off, or skip the action, as the strategy
says. The history comes from the caller: `history_needed` says exactly which attempts it must hold. Pure.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import AttemptLimit, Channel, LimitPer, LimitScope


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """One attempt of the organization. `at` is when it was claimed (aware UTC), whatever came of it.

    `outcome` is None while it is under way: then only limits on all outcomes count it.
    """

    at: dt.datetime
    channel: Channel
    campaign_id: int
    contact_id: int
    address: str
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Planned:
    """The attempt that somebody would like to make; `address` is empty for a webhook."""

    channel: Channel
    campaign_id: int
    contact_id: int
    address: str


@dataclass(frozen=True, slots=True)
class HistoryNeeded:
    """Which past attempts a set of limits looks at: those that began within `period` seconds before now.

    `by_contact`: all of the same contact; `by_address`: all to the same address, of whatever contact.
    Only this campaign's, unless `organization`.
    """

    period: float
    by_contact: bool
    by_address: bool
    organization: bool


@dataclass(frozen=True, slots=True)
class Held:
    """Not now: the limit that binds longest, and the moment at which the last of all limits allows it."""

    until: dt.datetime
    limit: AttemptLimit


def history_needed(limits: Sequence[AttemptLimit], channel: Channel) -> HistoryNeeded | None:
    """Return what has to be known to answer for attempts on `channel`; None: nothing, no limit binds."""
    binding = [limit for limit in limits if limit.binds(channel)]
    if not binding:
        return None
    return HistoryNeeded(
        period=max(limit.period for limit in binding),
        by_contact=any(limit.per is LimitPer.CONTACT for limit in binding),
        by_address=any(limit.per is LimitPer.ADDRESS for limit in binding),
        organization=any(limit.campaigns is LimitScope.ORGANIZATION for limit in binding),
    )


def next_allowed(
    limits: Sequence[AttemptLimit], history: Sequence[PastAttempt], planned: Planned, now: dt.datetime
) -> Held | None:
    """Return None when an attempt may be made at `now`, else until when it is held back, and why.

    A limit of n in a period p is kept when fewer than n counted attempts began later than p ago. `history`
    may hold more than is needed and be in any order; attempts claimed in the same batch belong to it.
    """
    held: Held | None = None
    for limit in limits:
        if not limit.binds(planned.channel):
            continue
        since = now - dt.timedelta(seconds=limit.period)
        counted = sorted(
            (past.at for past in history if past.at > since and _counts(limit, past, planned)), reverse=True
        )
        if len(counted) < limit.attempts:
            continue
        until = counted[limit.attempts - 1] + dt.timedelta(seconds=limit.period)
        if held is None or until > held.until:
            held = Held(until, limit)
    return held


def explained(held: Held) -> str:
    """Return in words which limit holds a contact back, as in "3 calls a day to an address"."""
    limit = held.limit
    what = "attempt" if limit.attempts == 1 else "attempts"
    channels = f" by {' and '.join(sorted(limit.channels))}" if limit.channels else ""
    ended = f" that ended {' or '.join(sorted(limit.outcomes))}" if limit.outcomes else ""
    hours = limit.period / 3_600
    campaigns = "all campaigns" if limit.campaigns is LimitScope.ORGANIZATION else "this campaign"
    return (
        f"at most {limit.attempts} {what}{channels}{ended} in {hours:g} h per {limit.per}, over {campaigns}"
    )


def _counts(limit: AttemptLimit, past: PastAttempt, planned: Planned) -> bool:
    if not limit.binds(past.channel):
        return False
    if limit.campaigns is LimitScope.THIS and past.campaign_id != planned.campaign_id:
        return False
    if limit.outcomes and past.outcome not in limit.outcomes:
        return False
    if limit.per is LimitPer.CONTACT:
        return past.contact_id == planned.contact_id
    return bool(planned.address) and past.address == planned.address
