"""What to do with targets that are due: attempt them now, put them off, or let them go on.

Claims hand a batch over. Whether news of a message came in time, and conditions, are decided here; who may
be contacted when, by `contact_rules.py`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from outrider.campaigns.condition import matches
from outrider.campaigns.outcome import Outcome
from outrider.campaigns.strategy import WhenLimited
from outrider.db.database import Row, Tx
from outrider.dialing.attempt import Claim, TaskPlan
from outrider.dialing.contact_rules import ContactRules, Reach
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


@dataclass(frozen=True, slots=True)
class SortedOut:
    """A batch of claimed targets: attempts to make, targets with their later times, and decisions."""

    claims: list[Claim] = field(default_factory=list)
    later: list[tuple[Row, dt.datetime]] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)


def sort_out(
    tx: Tx, plan: TaskPlan, taken: Sequence[Row], now: dt.datetime, *, guaranteed: bool = False
) -> SortedOut:
    """Sort targets that were just taken; attempts that are to be made get their ids.

    `guaranteed`: an agent is there for every call (contact_rules.py).
    """
    return _Sorter(tx, plan, taken, now, guaranteed=guaranteed).sort()


class _Sorter:
    """One batch, with what was read for all of it at once."""

    def __init__(
        self, tx: Tx, plan: TaskPlan, taken: Sequence[Row], now: dt.datetime, *, guaranteed: bool
    ) -> None:
        self._plan, self._taken, self._now = plan, taken, now
        self._action, self._strategy = plan.action, plan.strategy
        ids = [row["contact_id"] for row in taken]
        self._rules = ContactRules(tx, plan, ids, now, guaranteed=guaranteed)
        self._sorted = SortedOut()

    def sort(self) -> SortedOut:
        """Return the batch, sorted."""
        ids = new_attempt_ids(self._now, len(self._taken))
        for row, attempt_id in zip(self._taken, ids, strict=True):
            counters = counters_of(row["counters"], row["attempts"] - 1)
            reach = self._rules.reach(row["contact_id"])
            if row["awaiting"] is not None:
                self._end_wait(row, counters, reach)
                continue
            index = self._rules.index(reach, row["address_index"])
            if index is None or reach.contact is None:
                told = self._rules.blocked.intersection(reach.addresses)
                self._skip(row, counters, Outcome.DO_NOT_CONTACT if told else None)
                continue
            address = reach.addresses[index] if reach.addresses else ""
            if (promised := self._rules.promised(row["contact_id"])) is not None:
                self._sorted.later.append((row, promised))
            elif not matches(self._action.condition, reach.contact.field):
                self._skip(row, counters, _last(row))
            elif (until := self._rules.opening(reach, address)) > self._now:
                self._sorted.later.append((row, until))
            else:
                claim = Claim(
                    attempt_id=attempt_id,
                    plan=self._plan,
                    target_id=TargetId(row["id"]),
                    contact=reach.contact,
                    address=address,
                    address_index=index,
                    addresses=len(reach.addresses),
                    counters=counters.with_attempt(),
                    profile=reach.profile,
                )
                self._claim(row, counters, claim)
        return self._sorted

    def _claim(self, row: Row, counters: Counters, claim: Claim) -> None:
        """Claim an attempt, unless a limit holds it back."""
        held = self._rules.held(claim.contact.id, claim.address)
        if held is None:
            self._rules.note(claim.contact.id, claim.address)
            self._sorted.claims.append(claim)
            return
        skips = self._strategy.when_limited(self._action) is WhenLimited.SKIP
        if skips and held.limit is not self._rules.lockout:
            self._skip(row, counters, Outcome.RESTRICTED)
        else:
            self._sorted.later.append((row, held.until))

    def _end_wait(self, row: Row, counters: Counters, reach: Reach) -> None:
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


def _last(row: Row) -> Outcome | None:
    """Return the outcome of the target's last attempt."""
    return None if row["outcome"] is None else Outcome(row["outcome"])
