"""One action of a strategy document: its fields, their limits and defaults (product issue: campaigns).

`strategy_document` calls `read_action` for each entry of `actions`. Pure.
"""

import datetime as dt
import re
from email.utils import parseaddr
from urllib.parse import urlsplit

from outrider.campaigns.document_table import LONGEST_DELAY, Table, meant, seconds, shown
from outrider.campaigns.outcome import CALL_RETRYABLE, EMAIL_RETRYABLE, Outcome
from outrider.campaigns.strategy import (
    ALL_DAYS,
    DAY_NAMES,
    MINUTES_PER_DAY,
    Action,
    CallSettings,
    Channel,
    EmailSettings,
    OnMachine,
    Prompt,
    RetryRule,
    Then,
    Window,
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
MOST_RETRIES = 100
SLOWEST_PACE, FASTEST_PACE = 0.001, 10_000
SHORTEST_RING, DEFAULT_RING, LONGEST_RING = 15, 45.0, 300
LONGEST_BODY = 500_000

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_ADDRESSES = {Channel.CALL: re.compile(r"phone([2-9]|10)?"), Channel.EMAIL: re.compile(r"email")}
_FIRST_ADDRESS = {Channel.CALL: "phone", Channel.EMAIL: "email"}
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


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
    call, email = None, None
    if channel is Channel.CALL:
        call = _call(table)
    elif channel is Channel.EMAIL:
        email = _email(table)
    action = Action(
        name=name,
        channel=channel or Channel.CALL,
        addresses=_addresses(table, channel),
        call=call,
        email=email,
        minimum=minimum,
        maximum=maximum,
        priority=table.integer("priority", DEFAULT_PRIORITY, LOWEST_PRIORITY, HIGHEST_PRIORITY),
        allocation=table.choice("allocation", Allocation.DYNAMIC),
        pacing=table.number("pacing", SLOWEST_PACE, FASTEST_PACE),
        max_attempts=table.optional_integer("max_attempts", 1, MOST_ATTEMPTS),
        retry=_retry(table, channel, later),
        retry_interrupted=table.flag("retry_interrupted"),
        window=_window(table),
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


def _addresses(table: Table, channel: Channel | None) -> tuple[str, ...]:
    entries = table.entries("addresses")
    if channel is None:
        return ()
    if entries is None:
        return (_FIRST_ADDRESS[channel],)
    fields: list[str] = []
    for index, value in enumerate(entries):
        where = f"addresses[{index}]"
        if not isinstance(value, str) or not _ADDRESSES[channel].fullmatch(value):
            allowed = "phone, phone2 ... phone10" if channel is Channel.CALL else "email"
            table.complain(where, f"must be {allowed}, not {shown(value)}")
        elif value in fields:
            table.complain(where, f"names {value} again")
        else:
            fields.append(value)
    return tuple(fields)


def _call(table: Table) -> CallSettings:
    prompt = table.table("prompt", required=True)
    ring_timeout = table.number("ring_timeout", SHORTEST_RING, LONGEST_RING)
    return CallSettings(
        prompt=_prompt(prompt) if prompt is not None else Prompt(),
        ring_timeout=DEFAULT_RING if ring_timeout is None else ring_timeout,
        on_machine=table.choice("on_machine", OnMachine.HANGUP),
    )


def _prompt(table: Table) -> Prompt:
    text = table.text("text", longest=10_000, lines=True)
    file = table.text("file")
    if ("text" in table.values) == ("file" in table.values):
        table.problems.add(table.where, "must have exactly one of text and file")
    if file is not None and (file.startswith(("/", "\\", "~")) or ".." in re.split(r"[/\\]", file)):
        table.complain("file", "must be a name inside the folder of prompts, not a path that leaves it")
    table.close()
    return Prompt(text=text, file=file)


def _email(table: Table) -> EmailSettings:
    unsubscribe = table.text("unsubscribe", longest=500)
    if unsubscribe is not None and not _web_address(unsubscribe):
        table.complain("unsubscribe", f"must be an https address without a query, not {shown(unsubscribe)}")
    return EmailSettings(
        subject=table.text("subject", required=True, longest=500) or "",
        text=table.text("text", required=True, longest=LONGEST_BODY, lines=True) or "",
        sender=_mailbox(table, "from", required=True) or "",
        html=table.text("html", longest=LONGEST_BODY, lines=True),
        reply_to=_mailbox(table, "reply_to", required=False),
        unsubscribe=unsubscribe,
    )


def _web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS)
    return secure and bool(parts.hostname) and not parts.query and not parts.fragment and " " not in value


def _mailbox(table: Table, name: str, *, required: bool) -> str | None:
    value = table.text(name, required=required, longest=320)
    if value is None:
        return None
    user, at, host = parseaddr(value)[1].rpartition("@")
    if not (user and at and host) or re.search(r"\s", user + host) or "@" in user:
        table.complain(name, f"must be an email address such as Team <team@example.org>, not {shown(value)}")
    return value


def _window(table: Table) -> Window:
    window = table.table("window")
    if window is None:
        return Window()
    start = _minute(window, "start", Window().start)
    end = _minute(window, "end", Window().end)
    if start >= end:
        window.complain("end", "must be later than start; a window does not go over midnight")
        start, end = 0, MINUTES_PER_DAY
    days: set[int] = set()
    for index, value in enumerate(window.entries("days") or DAY_NAMES):
        if value in DAY_NAMES:
            days.add(DAY_NAMES.index(str(value)))
        else:
            window.complain(f"days[{index}]", f"must be one of {', '.join(DAY_NAMES)}, not {shown(value)}")
    window.close()
    return Window(start, end, frozenset(days) or ALL_DAYS)


def _minute(window: Table, name: str, default: int) -> int:
    """Return a time of day in minutes; TOML may write it as a time, both as a text of HH:MM."""
    value = window.get(name)
    if value is None:
        return default
    if isinstance(value, dt.time) and value.second == value.microsecond == 0:
        return value.hour * 60 + value.minute
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minute = int(match[1]) * 60 + int(match[2]) if match else MINUTES_PER_DAY + 1
    if minute > MINUTES_PER_DAY:
        window.complain(name, f"must be a time from 00:00 to 24:00, such as 08:00, not {shown(value)}")
        return default
    return minute


def _retry(table: Table, channel: Channel | None, later: list[str]) -> dict[Outcome, RetryRule]:
    retry = table.table("retry")
    if retry is None or channel is None:
        return {}
    rules: dict[Outcome, RetryRule] = {}
    for outcome in CALL_RETRYABLE if channel is Channel.CALL else EMAIL_RETRYABLE:
        rule = retry.table(outcome.value)
        if rule is not None:
            rules[outcome] = _rule(rule, outcome, later)
    retry.close()
    return rules


def _rule(table: Table, outcome: Outcome, later: list[str]) -> RetryRule:
    delays: list[float] = []
    for index, value in enumerate(table.entries("delays") or ()):
        delay = seconds(value)
        if delay is None:
            days = LONGEST_DELAY // 86_400
            table.complain(
                f"delays[{index}]",
                f'must be seconds or a text such as "30s" or "2h", up to {days} days, not {shown(value)}',
            )
        delays.append(delay or 0.0)
    count = table.integer("count", len(delays), 0, MOST_RETRIES)
    if outcome is Outcome.HARD_BOUNCE and count:
        table.complain("count", "must be 0: an address that bounces for good is not tried again")
    elif count and "delays" not in table.values:
        table.complain("delays", f"is missing: say how long to wait before each of the {count} retries")
    elif len(delays) > count:
        table.complain(
            "delays", f"has {len(delays)} entries for {count} retries: leave some out, or raise count"
        )
    then, then_action = _then(table, later)
    table.close()
    return RetryRule(count, tuple(delays), then, then_action)


def _then(table: Table, later: list[str]) -> tuple[Then, str | None]:
    value = table.get("then")
    if value is None:
        return Then.NEXT_ADDRESS, None
    if value in list(Then):
        return Then(str(value)), None
    if value in later:
        return Then.NEXT_ACTION, str(value)
    choices = [*Then, *later]
    table.complain(
        "then",
        f"must be {', '.join(Then)} or the name of a later action, not {shown(value)}{meant(value, choices)}",
    )
    return Then.DONE, None
