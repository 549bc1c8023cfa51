"""A strategy: the actions that a campaign's job runs for each contact, with their limits and retries.

Frozen and valid by construction through `strategy_document.parse_strategy`; jobs make one task per
action and zone, `dialing.retry` follows the rules. Everything is imported from here. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from outrider.campaigns.condition import Condition
from outrider.campaigns.outcome import CLOSED, REACHED, Outcome
from outrider.campaigns.strategy_agents import AgentMode, AgentSettings
from outrider.campaigns.strategy_channels import (
    CallerRule,
    CallSettings,
    EmailSettings,
    Menu,
    MenuChoice,
    SenderRule,
    SmsSettings,
    WebhookSettings,
)
from outrider.campaigns.strategy_limits import (
    AttemptLimit,
    FinishCriteria,
    Goal,
    LimitPer,
    LimitScope,
    Restrictions,
    WhenLimited,
)
from outrider.campaigns.strategy_parts import (
    ALL_DAYS,
    DAY_NAMES,
    MINUTES_PER_DAY,
    Channel,
    Hours,
    NoResource,
    OnMachine,
    Prompt,
    RetryCounter,
    RetryOn,
    RetryRule,
    Then,
    Window,
)
from outrider.licences.model import (
    DEFAULT_MAXIMUM,
    DEFAULT_MINIMUM,
    DEFAULT_PRIORITY,
    Allocation,
    LicenceKind,
)

__all__ = [
    "ALL_DAYS",
    "DAY_NAMES",
    "MINUTES_PER_DAY",
    "Action",
    "AgentMode",
    "AgentSettings",
    "AttemptLimit",
    "CallSettings",
    "CallerRule",
    "Channel",
    "EmailSettings",
    "FinishCriteria",
    "Goal",
    "Hours",
    "LimitPer",
    "LimitScope",
    "Menu",
    "MenuChoice",
    "NoResource",
    "OnMachine",
    "Prompt",
    "Restrictions",
    "RetryCounter",
    "RetryOn",
    "RetryRule",
    "SenderRule",
    "SmsSettings",
    "Strategy",
    "Then",
    "WebhookSettings",
    "WhenLimited",
    "Window",
]


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a strategy. Exactly one of `call`, `sms`, `email`, `webhook` is set, as `channel` says.

    `minimum`, `maximum` and `priority` are those of licensing.md 1. `pacing` is attempts per second, None
    as fast as licences allow. `max_attempts` limits this action's attempts of one contact, over all of
    its addresses. `addresses` are contact fields, in the order in which they are tried (none for a
    webhook). A contact that does not meet `condition` goes on to the next action. `dispositions` say what
    follows a result that a menu or a web service named; `reached` what follows when the contact was
    reached without such a rule (None: nothing).
    """

    name: str
    channel: Channel
    addresses: tuple[str, ...]
    call: CallSettings | None = None
    email: EmailSettings | None = None
    sms: SmsSettings | None = None
    webhook: WebhookSettings | None = None
    condition: Condition | None = None
    minimum: int = DEFAULT_MINIMUM
    maximum: int = DEFAULT_MAXIMUM
    priority: int = DEFAULT_PRIORITY
    allocation: Allocation = Allocation.DYNAMIC
    pacing: float | None = None
    max_attempts: int | None = None
    retry: Mapping[Outcome, RetryRule] = field(default_factory=dict)
    retry_on: RetryOn = RetryOn.SAME
    retry_interrupted: bool = False
    dispositions: Mapping[str, RetryRule] = field(default_factory=dict)
    reached: RetryRule | None = None
    windows: tuple[Window, ...] = (Window(),)
    restrictions: Restrictions = field(default_factory=Restrictions)
    agents: AgentSettings | None = None
    """Set for a call action in which agents talk to the contacts."""

    @property
    def licence(self) -> LicenceKind | None:
        """Return the licence type that its tasks use: seats where agents talk; None: none (webhook)."""
        return self.channel.licence if self.agents is None else self.agents.mode.licence

    def rule(self, outcome: Outcome, disposition: str | None = None) -> RetryRule:
        """Return the rule for what an attempt came to: the disposition's, else the outcome's, else default.

        By default an outcome that did not reach the contact goes on to the next address; one that did is
        done, like an answering machine that was left the message, and a message of unknown fate, which
        may have arrived.
        """
        if outcome in CLOSED:
            return RetryRule(then=Then.DONE)
        named = self.dispositions.get(disposition) if disposition is not None else None
        if named is not None:
            return named
        if outcome in REACHED:
            return self.reached or RetryRule(then=Then.DONE)
        rule = self.retry.get(outcome)
        if rule is not None:
            return rule
        left_message = self.call is not None and self.call.on_machine is OnMachine.LEAVE_MESSAGE
        if outcome is Outcome.UNKNOWN or (outcome is Outcome.MACHINE and left_message):
            return RetryRule(then=Then.DONE)
        return RetryRule()


@dataclass(frozen=True, slots=True)
class Strategy:
    """Named actions in the order in which they are tried until the contact is reached.

    `max_attempts` limits the attempts of one contact over all actions of the job. `restrictions` bind
    every action, beside its own.
    """

    name: str
    actions: tuple[Action, ...]
    description: str = ""
    goal: Goal | None = None
    finish: FinishCriteria = field(default_factory=FinishCriteria)
    max_attempts: int | None = None
    retry_counter: RetryCounter = RetryCounter.SHARED
    restrictions: Restrictions = field(default_factory=Restrictions)

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

    def hours(self, action: Action) -> Hours:
        """Return when an action may contact somebody, the strategy's holidays included."""
        return Hours(action.windows, action.restrictions.holidays | self.restrictions.holidays)

    def limits(self, action: Action) -> tuple[AttemptLimit, ...]:
        """Return the attempt limits that bind an action: the strategy's and its own."""
        both = (*self.restrictions.limits, *action.restrictions.limits)
        return tuple(limit for limit in dict.fromkeys(both) if limit.binds(action.channel))

    def when_limited(self, action: Action) -> WhenLimited:
        """Return what a limit does to a contact: skipping holds if the action or the strategy says so."""
        skips = WhenLimited.SKIP in (action.restrictions.when_limited, self.restrictions.when_limited)
        return WhenLimited.SKIP if skips else WhenLimited.WAIT
