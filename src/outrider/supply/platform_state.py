"""The states of the platform's licence: normal, stale, grace, expired (licensing.md 7). Pure.

`supply/service.py` gives it what a poll brought and the effective time, and puts the result in force.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from outrider.licences.model import LicenceKind
from outrider.supply import effective_time
from outrider.supply.authorisation import Authorisation, Feature, LicenceSourceError, SourceFault
from outrider.supply.effective_time import Elapsed
from outrider.supply.model import GRACE, NOTHING_LOADED, WARNING, Known, Supply, SupplyState

Outcome = Authorisation | LicenceSourceError
"""What a poll brings: an answer, or the reason why there is none."""


@dataclass(frozen=True, slots=True)
class PollRules:
    """When missed polls begin to matter.

    The first missed poll makes the supply stale. It is in grace once `stale_after` has passed since the
    last good poll, or the server's lease has run out, whichever comes first; grace counts from that poll.
    """

    stale_after: dt.timedelta = dt.timedelta(minutes=10)
    trust_server_time: bool = False
    """Whether the licence server has a clock of its own, by which effective time is set."""


def after_poll(
    before: Supply, outcome: Outcome, wall: dt.datetime, rules: PollRules, elapsed: Elapsed | None = None
) -> Supply:
    """Return the supply after a poll at `wall` by this machine's clock, everything but `counts` renewed.

    `elapsed` is what really passed since the clock was read last, None when unknown.
    """
    memory = effective_time.observe(before.known.clock, wall, elapsed)
    good = isinstance(outcome, Authorisation)
    trust = rules.trust_server_time
    if isinstance(outcome, Authorisation):
        memory = effective_time.before_judging(memory, before.known, outcome, trust_server=trust)
    remembered = replace(before, known=replace(before.known, clock=memory))
    found = step(remembered, outcome, effective_time.effective(memory), rules)
    if good and found.state is SupplyState.NORMAL and not trust:
        found = replace(found, known=effective_time.cleared(found.known))
    return replace(found, last_poll_at=wall, last_success_at=wall if good else before.last_success_at)


def step(before: Supply, outcome: Outcome, now: dt.datetime, rules: PollRules) -> Supply:
    """Return the supply after a poll at the effective time `now` (aware UTC).

    `counts` and the times of polls are left as they were; `authorised` and all that follows from what is
    known are new. Fewer features or smaller counts are in force at once; an answer without any feature is
    the file's removal, and begins grace with the last known values.
    """
    if isinstance(outcome, LicenceSourceError):
        return judge(before, _missed(before.known, outcome, now, rules), now)
    known = replace(
        before.known,
        server_id=outcome.server_id,
        protocol_version=outcome.protocol_version,
        missed_polls=0,
        fault=None,
        notice=outcome.message,
    )
    if not outcome.features and not known.features:
        return judge(before, known, now)
    if not outcome.features:
        return judge(before, replace(known, lost_since=known.lost_since or now, lease_until=None), now)
    lease = max(outcome.lease_until - outcome.server_time, dt.timedelta(0))
    known = replace(known, features=outcome.features, fresh_at=now, lease_until=now + lease, lost_since=None)
    return judge(replace(before, customer=outcome.customer), known, now)


def judge(before: Supply, known: Known, now: dt.datetime) -> Supply:
    """Return the supply that follows from what is known at the effective time `now`."""
    counting = [each for each in known.features if each.count > 0]
    living = [each for each in counting if now < _ends(each, known)]
    graced = [each for each in living if _grace_begins(each, known) <= now]
    found = replace(
        before,
        state=_state(known, counting, living, graced),
        version=max((each.version for each in living or counting), default=before.version),
        authorised=_added_up(living),
        expires_at=_expires_at(counting, living),
        grace_since=_by_this_clock(known, [_grace_begins(each, known) for each in graced]),
        grace_ends_at=_by_this_clock(known, [_ends(each, known) for each in graced]),
        known=known,
    )
    return replace(found, message=_message(found, now))


def _by_this_clock(known: Known, times: Sequence[dt.datetime]) -> dt.datetime | None:
    return min(times) - known.clock.offset if times else None


def _missed(known: Known, error: LicenceSourceError, now: dt.datetime, rules: PollRules) -> Known:
    known = replace(known, missed_polls=known.missed_polls + 1, fault=error.fault, notice=error.message)
    if known.fresh_at is None or known.lost_since is not None:
        return known
    overdue = now - known.fresh_at >= rules.stale_after
    lapsed = known.lease_until is not None and now >= known.lease_until
    return replace(known, lost_since=known.fresh_at) if overdue or lapsed else known


def _grace_begins(feature: Feature, known: Known) -> dt.datetime:
    return feature.expires_at if known.lost_since is None else min(feature.expires_at, known.lost_since)


def _ends(feature: Feature, known: Known) -> dt.datetime:
    return _grace_begins(feature, known) + GRACE


def _state(
    known: Known, counting: Sequence[Feature], living: Sequence[Feature], graced: Sequence[Feature]
) -> SupplyState:
    if not known.features:
        return SupplyState.NONE
    if not living and (counting or known.lost_since is not None):
        return SupplyState.EXPIRED
    if graced:
        return SupplyState.GRACE
    return SupplyState.STALE if known.missed_polls else SupplyState.NORMAL


def _added_up(features: Sequence[Feature]) -> dict[LicenceKind, int]:
    counts: dict[LicenceKind, int] = {}
    for each in features:
        counts[each.kind] = counts.get(each.kind, 0) + each.count
    return counts


def _expires_at(counting: Sequence[Feature], living: Sequence[Feature]) -> dt.datetime | None:
    if living:
        return min(each.expires_at for each in living)
    return max((each.expires_at for each in counting), default=None)


def _message(found: Supply, now: dt.datetime) -> str:
    """Return one or two sentences that say what is the matter and what to do; "" when all is well."""
    notice = found.known.notice.strip().rstrip(".")
    if found.state is SupplyState.NONE:
        return notice or NOTHING_LOADED
    if found.state is SupplyState.EXPIRED:
        return f"{_why(found, now)}, and its grace has ended: {_remedy(found, now)}"
    if found.state is SupplyState.GRACE and found.grace_ends_at is not None:
        until = found.grace_ends_at
        return (
            f"{_why(found, now)}; it stays in force until {until:%Y-%m-%d %H:%M} UTC:"
            f" {_remedy(found, now)} before then"
        )
    soon = ""
    if found.expires_at is not None and now >= found.expires_at - WARNING:
        soon = f"a licence expires on {found.expires_at:%Y-%m-%d}: load a new file before then"
    return "; ".join(filter(None, (notice, soon)))


def _why(found: Supply, now: dt.datetime) -> str:
    known, expires_at = found.known, found.expires_at
    if expires_at is not None and expires_at <= now:
        return f"a licence expired on {expires_at:%Y-%m-%d}"
    if known.fault is not None:
        heard = f"{known.fresh_at:%Y-%m-%d %H:%M} UTC" if known.fresh_at else "the start"
        notice = known.notice.strip().rstrip(".")
        return f"the licence server has not authorised anything since {heard} ({notice})"
    return "the licence server holds no licence for this system any more"


def _remedy(found: Supply, now: dt.datetime) -> str:
    fault = found.known.fault
    if fault is None or (found.expires_at is not None and found.expires_at <= now):
        return "load a new file"
    return "bring it back" if fault is SourceFault.UNREACHABLE else "put that right"
