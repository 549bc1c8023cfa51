"""What to do with targets that are due: attempt them now, put them off, or let them go on.

Claims hand a batch over. Everything a strategy says of who may be contacted when is decided here: whether
news of a message came in time, conditions, do-not-contact lists, hours in the contact's own time zone, and
limits of attempts.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from outrider.campaigns.condition import matches
from outrider.campaigns.hours import ContactHours
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import Channel, RetryOn, WhenLimited
from outrider.contacts.do_not_contact import service as do_not_contact
from outrider.contacts.model import Contact
from outrider.contacts.store import contact_of
from outrider.db.database import Row, Tx
from outrider.dialing import store
from outrider.dialing.attempt import Claim, TaskPlan
from outrider.dialing.history import History, history
from outrider.dialing.restrictions import PastAttempt, Planned, history_needed, next_allowed
from outrider.dialing.retry import Counters, Decision, decide, skip, timed_out
from outrider.dialing.targets import counters_of
from outrider.ids import TargetId, new_attempt_ids


@dataclass(frozen=True, slots=True)
class Decided:
    """A target that makes no attempt now: what follows, and what its last attempt has come to.

    `corrected`: that attempt, a message, was counted with another outcome while news of it was awaited.
    """

    row: Row
    decision: Decision
    outcome: Outcome | None
    corrected: bool = False


@dataclass(slots=True)
class SortedOut:
    """A batch of due targets, each in one of the three lists."""

    claims: list[Claim] = field(default_factory=list)
    later: list[tuple[Row, dt.datetime]] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Reach:
    """Who a target is, and where it can be reached by the action: `blocked` addresses must not be."""

    contact: Contact | None
    kept: Row | None
    addresses: tuple[str, ...]


def sort_out(tx: Tx, plan: TaskPlan, taken: Sequence[Row], now: dt.datetime) -> SortedOut:
    """Sort targets that were just taken; attempts that are to be made get their ids."""
    return _Sorter(tx, plan, taken, now).sort()


class _Sorter:
    """One batch, with what was read for all of it at once."""

    def __init__(self, tx: Tx, plan: TaskPlan, taken: Sequence[Row], now: dt.datetime) -> None:
        self._plan, self._taken, self._now = plan, taken, now
        self._action, self._strategy = plan.action, plan.strategy
        self._reach = self._read(tx)
        every = [address for reach in self._reach.values() for address in reach.addresses]
        self._blocked = do_not_contact.blocked(tx, plan.organization_id, every)
        self._hours = ContactHours(plan.strategy.hours(plan.action))
        self._limits = plan.strategy.limits(plan.action)
        needed = history_needed(self._limits, plan.action.channel)
        contact_ids = list(self._reach)
        self._history = History() if needed is None else history(tx, plan, needed, contact_ids, every, now)
        self._sorted = SortedOut()

    def sort(self) -> SortedOut:
        """Return the batch, sorted."""
        ids = new_attempt_ids(self._now, len(self._taken))
        for row, attempt_id in zip(self._taken, ids, strict=True):
            counters = counters_of(row["counters"], row["attempts"] - 1)
            reach = self._reach.get(row["contact_id"], _Reach(None, None, ()))
            if row["awaiting"] is not None:
                self._end_wait(row, counters, reach)
                continue
            index = self._index(row, reach)
            if index is None or reach.contact is None or reach.kept is None:
                told = self._blocked.intersection(reach.addresses)
                self._skip(row, counters, Outcome.DO_NOT_CONTACT if told else None)
            elif not matches(self._action.condition, reach.contact.field):
                self._skip(row, counters, _last(row))
            elif (until := self._opening(reach.contact, reach.kept, reach.addresses, index)) > self._now:
                self._sorted.later.append((row, until))
            else:
                address = reach.addresses[index] if reach.addresses else ""
                claim = Claim(
                    attempt_id=attempt_id,
                    plan=self._plan,
                    target_id=TargetId(row["id"]),
                    contact=reach.contact,
                    address=address,
                    address_index=index,
                    addresses=len(reach.addresses),
                    counters=counters.with_attempt(),
                    profile=reach.kept["carrier_profile"],
                )
                self._claim(row, counters, claim)
        return self._sorted

    def _claim(self, row: Row, counters: Counters, claim: Claim) -> None:
        """Claim an attempt, unless a limit holds it back."""
        planned = Planned(self._action.channel, self._plan.campaign_id, claim.contact.id, claim.address)
        if self._limits:
            past = self._history.of(claim.contact.id, claim.address)
            held = next_allowed(self._limits, past, planned, self._now)
            if held is not None and self._strategy.when_limited(self._action) is WhenLimited.SKIP:
                self._skip(row, counters, Outcome.RESTRICTED)
                return
            if held is not None:
                self._sorted.later.append((row, held.until))
                return
            self._history.add(
                PastAttempt(
                    self._now, planned.channel, planned.campaign_id, planned.contact_id, planned.address, None
                )
            )
        self._sorted.claims.append(claim)

    def _end_wait(self, row: Row, counters: Counters, reach: _Reach) -> None:
        """Let a contact go on whose message no news came of in time."""
        outcome = timed_out(self._action, Outcome(row["outcome"]))
        decision = decide(
            self._strategy,
            self._action.name,
            counters,
            outcome,
            self._now,
            row["address_index"],
            len(reach.addresses),
            awaited=True,
        )
        corrected = outcome is not _last(row)
        self._sorted.decided.append(Decided(row, decision, outcome, corrected))

    def _skip(self, row: Row, counters: Counters, last: Outcome | None) -> None:
        decision = skip(self._strategy, self._action.name, counters, self._now, last)
        self._sorted.decided.append(Decided(row, decision, _last(row)))

    def _index(self, row: Row, reach: _Reach) -> int | None:
        """Return which address to try, None when the contact has none that may be contacted."""
        if not self._action.channel.is_addressed:
            return 0
        around = self._action.retry_on is RetryOn.LOOP
        return first_allowed(reach.addresses, row["address_index"], self._blocked, around=around)

    def _opening(self, contact: Contact, kept: Row, addresses: Sequence[str], index: int) -> dt.datetime:
        """Return when the contact may be contacted: now, or when its hours begin."""
        by_phone = self._action.channel in (Channel.CALL, Channel.SMS)
        number = addresses[index] if by_phone else contact.phone
        return self._hours.next_open(contact.time_zone, number, kept["default_country"], self._now)

    def _read(self, tx: Tx) -> Mapping[int, _Reach]:
        found = store.contacts(
            tx, [row["contact_id"] for row in self._taken], attributes=self._plan.needs_attributes
        )
        reaches = {}
        for number, row in found.items():
            contact = contact_of(row)
            reaches[number] = _Reach(contact, row, contact.addresses(self._action.addresses))
        return reaches


def first_allowed(
    addresses: Sequence[str], index: int, blocked: set[str], *, around: bool = False
) -> int | None:
    """Return the first address from `index` (or the last, if there are fewer now) that may be contacted.

    `around`: after the last comes the first again, for retries that loop.
    """
    start = min(index, len(addresses) - 1)
    if not blocked:
        return None if start < 0 else start
    order = [*range(max(0, start), len(addresses)), *(range(start) if around else ())]
    return next((n for n in order if addresses[n] not in blocked), None)


def _last(row: Row) -> Outcome | None:
    """Return the outcome of the target's last attempt."""
    return None if row["outcome"] is None else Outcome(row["outcome"])
