"""A strategy: the actions that a campaign's job runs for each contact, with their limits and retries.

Frozen and valid by construction through `strategy_document.parse_strategy`; jobs make one task per
action and zone, `dialing.retry` follows the rules. Pure.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.campaigns.outcome import Outcome
from outrider.licences.model import (
    DEFAULT_MAXIMUM,
    DEFAULT_MINIMUM,
    DEFAULT_PRIORITY,
    Allocation,
    LicenceKind,
)

ALL_DAYS = frozenset(range(7))
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 24 * 60


class Channel(enum.StrEnum):
    """How an action reaches the contact."""

    CALL = "call"
    EMAIL = "email"

    @property
    def licence(self) -> LicenceKind:
        """The licence type that an action on this channel uses: a counted one, or a gate (email)."""
        return LicenceKind.OUTBOUND_PORTS if self is Channel.CALL else LicenceKind.EMAIL


class OnMachine(enum.StrEnum):
    """What happens when an answering machine takes the call."""

    HANGUP = "hangup"
    LEAVE_MESSAGE = "leave_message"


class Then(enum.StrEnum):
    """What follows when an outcome is not, or no longer, retried on the same address."""

    NEXT_ADDRESS = "next_address"
    """The contact's next address of this action; without one, as NEXT_ACTION."""
    NEXT_ACTION = "next_action"
    """The following action of the strategy; without one, as DONE."""
    DONE = "done"


class RetryCounter(enum.StrEnum):
    """What the retry count of an outcome is compared with."""

    SHARED = "shared"
    """All retries made on this address so far, whatever their outcomes."""
    PER_OUTCOME = "per_outcome"
    """The retries made on this address after this same outcome."""


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of the contact's local day in which it may be contacted.

    `start` and `end` are minutes since local midnight, 0 <= start < end <= 1440; the window is open from
    `start` inclusive to `end` exclusive. `days` are weekdays as in `datetime.weekday()` (Monday is 0).
    """

    start: int = 8 * 60
    end: int = 21 * 60
    days: frozenset[int] = ALL_DAYS


@dataclass(frozen=True, slots=True)
class RetryRule:
    """How often, and how long after, one outcome is tried again on the same address.

    `delays` are seconds; the last one repeats. `then` is a Then, or `then_action` names a later action.
    """

    count: int = 0
    delays: tuple[float, ...] = ()
    then: Then = Then.NEXT_ADDRESS
    then_action: str | None = None

    def delay(self, retries_made: int) -> float:
        """Return the seconds to wait before retry number `retries_made` + 1 (the last delay repeats)."""
        return self.delays[min(retries_made, len(self.delays) - 1)]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a call plays: exactly one of a text to be spoken and the name of an audio file."""

    text: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class CallSettings:
    """What only a call action has. `ring_timeout` is seconds, never below 15 (rules of contact)."""

    prompt: Prompt
    ring_timeout: float = 45.0
    on_machine: OnMachine = OnMachine.HANGUP


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """What only an email action has. Subject, text and html are templates over contact attributes.

    `unsubscribe` is the base address of the one-click unsubscribe link, for systems behind another name.
    """

    subject: str
    text: str
    sender: str
    html: str | None = None
    reply_to: str | None = None
    unsubscribe: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a strategy. Exactly one of `call` and `email` is set, as `channel` says.

    `minimum`, `maximum` and `priority` are those of licensing.md 1. `pacing` is attempts per second, None
    as fast as licences allow. `max_attempts` limits this action's attempts of one contact, over all of
    its addresses. `addresses` are contact fields, in the order in which they are tried.
    """

    name: str
    channel: Channel
    addresses: tuple[str, ...]
    call: CallSettings | None = None
    email: EmailSettings | None = None
    minimum: int = DEFAULT_MINIMUM
    maximum: int = DEFAULT_MAXIMUM
    priority: int = DEFAULT_PRIORITY
    allocation: Allocation = Allocation.DYNAMIC
    pacing: float | None = None
    max_attempts: int | None = None
    retry: Mapping[Outcome, RetryRule] = field(default_factory=dict)
    retry_interrupted: bool = False
    window: Window = Window()

    def rule(self, outcome: Outcome) -> RetryRule:
        """Return the rule for `outcome`: the document's, else no retry and on to the next address.

        An answering machine that is left a message counts as told: by default nothing follows.
        """
        rule = self.retry.get(outcome)
        if rule is not None:
            return rule
        left_message = self.call is not None and self.call.on_machine is OnMachine.LEAVE_MESSAGE
        if outcome is Outcome.MACHINE and left_message:
            return RetryRule(then=Then.DONE)
        return RetryRule()


@dataclass(frozen=True, slots=True)
class Goal:
    """The job is finished when `count` contacts have ended with `outcome` (answered or delivered)."""

    outcome: Outcome
    count: int


@dataclass(frozen=True, slots=True)
class Strategy:
    """Named actions in the order in which they are tried until the contact is reached.

    `max_attempts` limits the attempts of one contact over all actions of the job.
    """

    name: str
    actions: tuple[Action, ...]
    description: str = ""
    goal: Goal | None = None
    max_attempts: int | None = None
    retry_counter: RetryCounter = RetryCounter.SHARED

    def action(self, name: str) -> Action:
        """Return the action called `name`; KeyError when the strategy has none."""
        for action in self.actions:
            if action.name == name:
                return action
        raise KeyError(name)

    def following(self, name: str) -> Action | None:
        """Return the action after the one called `name`, or None after the last."""
        position = [action.name for action in self.actions].index(name) + 1
        return self.actions[position] if position < len(self.actions) else None
