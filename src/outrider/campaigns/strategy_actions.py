"""One action of a strategy document: its fields, their limits and defaults (product issue: campaigns).

`strategy_document` calls `read_action` for each entry of `actions`. Pure.
"""

import re
from collections.abc import Mapping, Sequence

from outrider.campaigns.document_table import Table, meant, shown
from outrider.campaigns.outcome import (
    CALL_RETRYABLE,
    EMAIL_RETRYABLE,
    SMS_RETRYABLE,
    WEBHOOK_RETRYABLE,
    Outcome,
)
from outrider.campaigns.read_agents import read_agents
from outrider.campaigns.read_call import read_call
from outrider.campaigns.read_channels import read_email, read_sms, read_webhook
from outrider.campaigns.read_condition import read_condition
from outrider.campaigns.read_rules import (
    read_dispositions,
    read_reached,
    read_restrictions,
    read_retry,
    read_windows,
)
from outrider.campaigns.strategy import (
    Action,
    AgentSettings,
    CallSettings,
    Channel,
    EmailSettings,
    RetryOn,
    RetryRule,
    SmsSettings,
    Then,
    WebhookSettings,
)
from outrider.licences.model import (
    DEFAULT_MAXIMUM,
    DEFAULT_MINIMUM,
    DEFAULT_PRIORITY,
    HIGHEST_PRIORITY,
    LARGEST_COUNT,
    LOWEST_PRIORITY,
    Allocation,
)

MOST_ATTEMPTS = 1_000
SLOWEST_PACE, FASTEST_PACE = 0.001, 10_000

RETRYABLE: Mapping[Channel, Sequence[Outcome]] = {
    Channel.CALL: CALL_RETRYABLE,
    Channel.SMS: SMS_RETRYABLE,
    Channel.EMAIL: EMAIL_RETRYABLE,
    Channel.WEBHOOK: WEBHOOK_RETRYABLE,
}
"""What a retry rule of an action on each channel may name."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_PHONE = re.compile(r"phone([2-9]|10)?")
_ADDRESSES = {Channel.CALL: _PHONE, Channel.SMS: _PHONE, Channel.EMAIL: re.compile(r"email")}
_FIRST_ADDRESS = {Channel.CALL: "phone", Channel.SMS: "phone", Channel.EMAIL: "email"}

Settings = CallSettings | SmsSettings | EmailSettings | WebhookSettings


def read_action(table: Table, later: list[str]) -> Action:
    """Return the action in `table`; `later` names the actions after it, to which retry rules may go.

    Problems go to the table's collection; what is returned then only serves to find more of them.
    """
    name = _name(table)
    channel = _channel(table)
    minimum = table.integer("minimum", DEFAULT_MINIMUM, 0, LARGEST_COUNT)
    maximum = table.integer("maximum", DEFAULT_MAXIMUM, 1, LARGEST_COUNT)
    if minimum > maximum:
        default = "" if "maximum" in table.values else " (the default)"
        table.complain("minimum", f"is {minimum}, which is more than the maximum of {maximum}{default}")
    agents = _agents(table, channel)
    settings = _settings(table, channel, with_agents=agents is not None)
    condition = table.table("condition")
    action = Action(
        name=name,
        channel=channel or Channel.CALL,
        addresses=_addresses(table, channel),
        call=settings if isinstance(settings, CallSettings) else None,
        sms=settings if isinstance(settings, SmsSettings) else None,
        email=settings if isinstance(settings, EmailSettings) else None,
        webhook=settings if isinstance(settings, WebhookSettings) else None,
        condition=read_condition(condition) if condition is not None else None,
        minimum=minimum,
        maximum=maximum,
        priority=table.integer("priority", DEFAULT_PRIORITY, LOWEST_PRIORITY, HIGHEST_PRIORITY),
        allocation=table.choice("allocation", Allocation.DYNAMIC),
        pacing=table.number("pacing", SLOWEST_PACE, FASTEST_PACE),
        max_attempts=table.optional_integer("max_attempts", 1, MOST_ATTEMPTS),
        retry=read_retry(table, RETRYABLE[channel], later) if channel is not None else {},
        retry_on=table.choice("retry_on", RetryOn.SAME) if channel is not Channel.WEBHOOK else RetryOn.SAME,
        retry_interrupted=table.flag("retry_interrupted"),
        dispositions=_dispositions(table, settings, agents, later),
        reached=read_reached(table, later),
        windows=read_windows(table),
        restrictions=read_restrictions(table),
        agents=agents,
    )
    if channel is not None:
        table.close()
    return action


def _name(table: Table) -> str:
    name = table.text("name", required=True)
    if name is not None and not _NAME.fullmatch(name):
        table.complain(
            "name", f"must be a letter and then letters, digits, - and _ (40 at most), not {shown(name)}"
        )
    if name in list(Then):
        table.complain("name", f"cannot be {name}, which has a meaning in retry rules")
    return name or ""


def _channel(table: Table) -> Channel | None:
    value = table.get("channel", required=True)
    names = [channel.value for channel in Channel]
    if value in names:
        return Channel(str(value))
    if value is not None:
        table.complain("channel", f"must be {' or '.join(names)}, not {shown(value)}{meant(value, names)}")
    return None


def _agents(table: Table, channel: Channel | None) -> AgentSettings | None:
    """Return what a call action says of its agents, None when it has none."""
    agents = table.table("agents")
    if agents is not None and channel not in (Channel.CALL, None):
        table.complain("agents", f"talk in calls only, not on the channel {channel}")
        return None
    return None if agents is None else read_agents(agents)


def _settings(table: Table, channel: Channel | None, *, with_agents: bool) -> Settings | None:
    match channel:
        case Channel.CALL:
            return read_call(table, with_agents=with_agents)
        case Channel.SMS:
            return read_sms(table)
        case Channel.EMAIL:
            return read_email(table)
        case Channel.WEBHOOK:
            return read_webhook(table)
    return None


def _addresses(table: Table, channel: Channel | None) -> tuple[str, ...]:
    if channel is Channel.WEBHOOK:
        return ()
    entries = table.entries("addresses")
    if channel is None:
        return ()
    if entries is None:
        return (_FIRST_ADDRESS[channel],)
    fields: list[str] = []
    for index, value in enumerate(entries):
        where = f"addresses[{index}]"
        if not isinstance(value, str) or not _ADDRESSES[channel].fullmatch(value):
            allowed = "email" if channel is Channel.EMAIL else "phone, phone2 ... phone10"
            table.complain(where, f"must be {allowed}, not {shown(value)}")
        elif value in fields:
            table.complain(where, f"names {value} again")
        else:
            fields.append(value)
    return tuple(fields)


def _dispositions(
    table: Table, settings: Settings | None, agents: AgentSettings | None, later: list[str]
) -> dict[str, RetryRule]:
    """Return the rules for named results, which only menus, web services and agents have."""
    if isinstance(settings, WebhookSettings):
        return read_dispositions(table, None, later)
    if agents is not None:
        return read_dispositions(table, agents.completion_codes or None, later)
    menu = settings.menu if isinstance(settings, CallSettings) else None
    if menu is None:
        if isinstance(settings, CallSettings) and table.get("dispositions") is not None:
            table.complain("dispositions", "need a menu, whose choices name them")
        return {}
    rules = read_dispositions(table, menu.dispositions, later)
    for choice in menu.choices:
        rule = rules.get(choice.disposition)
        if choice.do_not_contact and rule is not None and (rule.count or rule.then is not Then.DONE):
            table.complain(
                f"dispositions.{choice.disposition}",
                "must end with done: this choice asks not to be contacted again",
            )
    return rules
