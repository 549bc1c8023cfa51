"""What comes after an attempt: a retry, the next address, the next action, or the contact's end.

The dialing engine calls `decide` with every result, and `skip` for an action that a contact has no
address for. Pure.

Counting: an address of an action begins with no retries made, and each retry is counted under the outcome
that caused it. With the shared counter (default) the rule of an outcome allows a retry while the sum over
all outcomes is below its `count`; with `per_outcome`, while its own is. Whatever the rules say, an
action's `max_attempts` ends the action, and the strategy's ends the contact. So every contact comes to
its end: addresses and actions are only ever left in one direction. Interrupted attempts are retried only
if the action says so, and do not count against the other outcomes' retries.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from outrider.campaigns.outcome import CLOSED, REACHED, Outcome
from outrider.campaigns.strategy import Action, RetryCounter, RetryRule, Strategy, Then

MOST_INTERRUPTIONS = 3
"""Retries after interruptions, per address: what brings the system down must not be tried for ever."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What a contact has been through in a job, the attempt that has just ended included.

    `attempts` counts all of the job's attempts, `action_attempts` those of the present action, and
    `retries` the retries made on the present address, by the outcome that caused each.
    """

    attempts: int = 0
    action_attempts: int = 0
    retries: Mapping[Outcome, int] = field(default_factory=dict)

    def with_attempt(self) -> "Counters":
        """Return the counters with one more attempt; to be stored when the attempt is made."""
        return Counters(self.attempts + 1, self.action_attempts + 1, self.retries)


@dataclass(frozen=True, slots=True)
class Retry:
    """Try address number `address_index` of the same action at `at` or later."""

    at: dt.datetime
    address_index: int
    counters: Counters


@dataclass(frozen=True, slots=True)
class NextAction:
    """Go on with the first address of another action at `at` or later."""

    name: str
    at: dt.datetime
    counters: Counters


@dataclass(frozen=True, slots=True)
class Final:
    """Nothing more is tried: the contact's outcome in this job."""

    outcome: Outcome


Decision = Retry | NextAction | Final


def decide(
    strategy: Strategy,
    action_name: str,
    counters: Counters,
    outcome: Outcome,
    now: dt.datetime,
    address_index: int,
    addresses_available: int,
) -> Decision:
    """Return what follows an attempt that ended with `outcome` at `now`.

    `counters` include that attempt. `address_index` is where it went among the `addresses_available` that
    the contact has for this action. The counters in the answer replace the stored ones. Calling hours are
    not looked at here: an `at` is the earliest moment. KeyError for an unknown action.
    """
    action = strategy.action(action_name)
    if outcome in REACHED or outcome in CLOSED:
        return Final(outcome)
    if outcome is Outcome.INTERRUPTED:
        return _after_interruption(strategy, action, counters, now, address_index)
    rule = action.rule(outcome)
    if _spent(counters.attempts, strategy.max_attempts):
        return Final(outcome)
    if _spent(counters.action_attempts, action.max_attempts):
        return _leave(strategy, action, rule, counters, outcome, now)
    made = _retries_made(strategy, counters, outcome)
    if made < rule.count:
        at = now + dt.timedelta(seconds=rule.delay(made))
        return Retry(at, address_index, _counted(counters, outcome))
    if rule.then is Then.NEXT_ADDRESS and address_index + 1 < addresses_available:
        return Retry(now, address_index + 1, replace(counters, retries={}))
    return _leave(strategy, action, rule, counters, outcome, now)


def skip(
    strategy: Strategy, action_name: str, counters: Counters, now: dt.datetime, last: Outcome | None = None
) -> NextAction | Final:
    """Return what follows an action that the contact has no address for: the next action, or the end.

    `last` is the outcome of the contact's last attempt in the job; without any it ends as `expired`.
    KeyError for an unknown action.
    """
    following = strategy.following(action_name)
    if following is None or _spent(counters.attempts, strategy.max_attempts):
        return Final(last or Outcome.EXPIRED)
    return NextAction(following.name, now, Counters(counters.attempts))


def _after_interruption(
    strategy: Strategy, action: Action, counters: Counters, now: dt.datetime, address_index: int
) -> Decision:
    """Try the same address again if the action says so; the contact may have been reached already."""
    made = counters.retries.get(Outcome.INTERRUPTED, 0)
    spent = _spent(counters.attempts, strategy.max_attempts) or _spent(
        counters.action_attempts, action.max_attempts
    )
    if action.retry_interrupted and made < MOST_INTERRUPTIONS and not spent:
        return Retry(now, address_index, _counted(counters, Outcome.INTERRUPTED))
    return Final(Outcome.INTERRUPTED)


def _leave(
    strategy: Strategy,
    action: Action,
    rule: RetryRule,
    counters: Counters,
    outcome: Outcome,
    now: dt.datetime,
) -> NextAction | Final:
    """End the action: on to the one that the rule names, or the following one, unless the rule says done."""
    if rule.then is Then.DONE:
        return Final(outcome)
    following = strategy.following(action.name)
    name = rule.then_action or (following.name if following is not None else None)
    if name is None:
        return Final(outcome)
    return NextAction(name, now, Counters(counters.attempts))


def _retries_made(strategy: Strategy, counters: Counters, outcome: Outcome) -> int:
    if strategy.retry_counter is RetryCounter.PER_OUTCOME:
        return counters.retries.get(outcome, 0)
    return sum(made for each, made in counters.retries.items() if each is not Outcome.INTERRUPTED)


def _counted(counters: Counters, outcome: Outcome) -> Counters:
    retries = {**counters.retries, outcome: counters.retries.get(outcome, 0) + 1}
    return replace(counters, retries=retries)


def _spent(attempts: int, limit: int | None) -> bool:
    return limit is not None and attempts >= limit
