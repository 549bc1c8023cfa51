"""What comes after an attempt: a retry, the next address, the next action, a wait, or the contact's end.

The dialing engine calls `decide` with every result, and `skip` for an action that is not for a contact.
Pure.

Counting: an address of an action begins with no retries made, and each retry is counted under the outcome
(or disposition) that caused it. With the shared counter (default) the rule of an outcome allows a retry
while the sum over all outcomes is below its `count`; with `per_outcome`, while its own is. With `retry_on`
`next_address` or `loop` retries go on to other addresses and are counted over all of them. Whatever the
rules say, an action's `max_attempts` ends the action, and the strategy's ends the contact. So every contact
comes to its end: actions are only ever left forwards, and addresses too, unless a counted retry loops.
Interrupted attempts are retried only if the action says so, and do not count against other retries.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from outrider.campaigns.outcome import CLOSED, Outcome
from outrider.campaigns.strategy import (
    Action,
    AgentSettings,
    RetryCounter,
    RetryOn,
    RetryRule,
    Strategy,
    Then,
)

MOST_INTERRUPTIONS = 3
"""Retries after interruptions, per address: what brings the system down must not be tried for ever."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What a contact has been through in a job, the attempt that has just ended included.

    `attempts` counts all of the job's attempts, `action_attempts` those of the present action, and
    `retries` the retries made on the present address (with `loop`: in the action), by the outcome or
    disposition that caused each; these never share a name.
    """

    attempts: int = 0
    action_attempts: int = 0
    retries: Mapping[str, int] = field(default_factory=dict)

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
class AwaitNews:
    """The message is under way: wait until `until` for a receipt or bounce.

    When one comes, or the time is over (`timed_out` says as what), `decide` is called again, `awaited`. A
    contact with whom an agent has talked waits for its completion code like that.
    """

    until: dt.datetime
    counters: Counters


@dataclass(frozen=True, slots=True)
class Final:
    """Nothing more is tried: the contact's outcome in this job."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reinstated:
    """Nothing was tried after all: the contact's end in this job is what it was before."""

    outcome: Outcome
    disposition: str | None


Following = Retry | NextAction | AwaitNews | Final
"""What `decide` returns."""

Decision = Following | Reinstated

CODE_MARGIN = 60.0
"""Seconds for which a completion code may be late: a restart in the middle of a wrap-up."""

AWAITING_CODE = frozenset({Outcome.ANSWERED, Outcome.INTERRUPTED})
"""Results of calls that an agent talked on, and says more about; also when the call broke off."""

AWAITING_RECEIPT = frozenset({Outcome.SENT, Outcome.UNKNOWN})
"""Results of handing a text over that a receipt may still change; of a mail, only `delivered` may bounce."""


def decide(
    strategy: Strategy,
    action_name: str,
    counters: Counters,
    outcome: Outcome,
    now: dt.datetime,
    address_index: int,
    addresses_available: int,
    *,
    disposition: str | None = None,
    awaited: bool = False,
    talked: bool = False,
) -> Following:
    """Return what follows an attempt that ended with `outcome` at `now`.

    `counters` include that attempt. `address_index` is where it went among the `addresses_available` that
    the contact has for this action (0 of 0 for a webhook). `disposition` is what a menu or web service
    named the result. `awaited`: it is what came of a message that was handed over before. `talked`: an agent
    has talked with the contact. The counters in the answer replace the stored ones. Calling hours and limits
    are not looked at here: an `at` is the earliest moment. KeyError for an unknown action.
    """
    action = strategy.action(action_name)
    wait = None if awaited else _wait(action, outcome, talked=talked)
    if wait is not None:
        return AwaitNews(now + dt.timedelta(seconds=wait), counters)
    if outcome is Outcome.INTERRUPTED:
        return _after_interruption(strategy, action, counters, now, address_index)
    if outcome in CLOSED or _spent(counters.attempts, strategy.max_attempts):
        return Final(outcome)
    rule = action.rule(outcome, disposition)
    if _spent(counters.action_attempts, action.max_attempts):
        return _leave(strategy, action, rule, counters, outcome, now)
    cause = disposition if disposition in action.dispositions and disposition else outcome
    made = _retries_made(strategy, counters, cause)
    if made < rule.count:
        at = now + dt.timedelta(seconds=rule.delay(made))
        index = _retry_index(action, address_index, addresses_available)
        return Retry(at, index, _counted(counters, cause))
    onward = rule.then is Then.NEXT_ADDRESS and action.retry_on is not RetryOn.LOOP
    if onward and address_index + 1 < addresses_available:
        return Retry(now, address_index + 1, replace(counters, retries={}))
    return _leave(strategy, action, rule, counters, outcome, now)


def timed_out(action: Action, handed_over: Outcome) -> Outcome:
    """Return what a message has come to when the wait for news of it is over and none came.

    `handed_over` is its result so far. A mail that did not bounce is delivered; a text without its receipt
    is `no_receipt`; what became of a message of unknown fate stays unknown.
    """
    if handed_over is Outcome.UNKNOWN or action.sms is None:
        return handed_over
    return Outcome.NO_RECEIPT


def skip(
    strategy: Strategy, action_name: str, counters: Counters, now: dt.datetime, last: Outcome | None = None
) -> NextAction | Final:
    """Return what follows an action that makes no attempt: the next action, or the end.

    For a contact that has no address for it, does not meet its condition, or is held back by a limit that
    is not waited for. `last` is the outcome of the contact's last attempt in the job (for a limit,
    `restricted`); without any it ends as `expired`. KeyError for an unknown action.
    """
    following = strategy.following(action_name)
    if following is None or _spent(counters.attempts, strategy.max_attempts):
        return Final(last or Outcome.EXPIRED)
    return NextAction(following.name, now, Counters(counters.attempts))


def _after_interruption(
    strategy: Strategy, action: Action, counters: Counters, now: dt.datetime, address_index: int
) -> Following:
    """Try the same address again if the action says so; the contact may have been reached already."""
    made = counters.retries.get(Outcome.INTERRUPTED, 0)
    spent = _spent(counters.attempts, strategy.max_attempts) or _spent(
        counters.action_attempts, action.max_attempts
    )
    if action.retry_interrupted and made < MOST_INTERRUPTIONS and not spent:
        return Retry(now, address_index, _counted(counters, Outcome.INTERRUPTED))
    return Final(Outcome.INTERRUPTED)


def longest_wrap_up(agents: AgentSettings) -> float:
    """Return the seconds from a call's end after which no completion code comes any more."""
    return agents.wrap_up + agents.wrap_up_extension * agents.wrap_up_extensions + CODE_MARGIN


def _wait(action: Action, outcome: Outcome, *, talked: bool) -> float | None:
    """Return the seconds for which news of what was just done is waited for."""
    if action.agents is not None and talked and outcome in AWAITING_CODE:
        return longest_wrap_up(action.agents)
    if action.sms is not None and outcome in AWAITING_RECEIPT:
        return action.sms.receipt_wait
    if action.email is not None and outcome is Outcome.DELIVERED:
        return action.email.bounce_wait
    return None


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
    return NextAction(name, now + dt.timedelta(seconds=rule.then_delay), Counters(counters.attempts))


def _retry_index(action: Action, index: int, available: int) -> int:
    """Return the address that a retry goes to."""
    if action.retry_on is RetryOn.SAME or available <= 1:
        return index
    if action.retry_on is RetryOn.LOOP:
        return (index + 1) % available
    return min(index + 1, available - 1)


def _retries_made(strategy: Strategy, counters: Counters, cause: str) -> int:
    if strategy.retry_counter is RetryCounter.PER_OUTCOME:
        return counters.retries.get(cause, 0)
    return sum(made for each, made in counters.retries.items() if each != Outcome.INTERRUPTED)


def asked_again(
    strategy: Strategy,
    action_name: str,
    counters: Counters,
    outcome: Outcome,
    cause: str,
    at: dt.datetime,
    address_index: int,
) -> Retry | NextAction | Final:
    """Return what follows when somebody asked to try the same address again at `at`, as `cause`.

    As often as the attempts of contact and action allow; then the action is over, as after any attempt.
    """
    action = strategy.action(action_name)
    if _spent(counters.attempts, strategy.max_attempts):
        return Final(outcome)
    if _spent(counters.action_attempts, action.max_attempts):
        return _leave(strategy, action, action.rule(outcome), counters, outcome, at)
    return again(counters, cause, at, address_index)


def again(counters: Counters, cause: str, at: dt.datetime, address_index: int) -> Retry:
    """Return one more try of the same address that somebody asked for, counted under `cause`."""
    return Retry(at, address_index, _counted(counters, cause))


def _counted(counters: Counters, cause: str) -> Counters:
    retries = {**counters.retries, cause: counters.retries.get(cause, 0) + 1}
    return replace(counters, retries=retries)


def _spent(attempts: int, limit: int | None) -> bool:
    return limit is not None and attempts >= limit
