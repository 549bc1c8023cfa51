"""Reads what any action or strategy may say of retries, windows, restrictions and the finish.

`strategy_actions` and `strategy_document` call these; problems are noted at their place. Pure.
"""

import datetime as dt
import re
from collections.abc import Sequence

from outrider.campaigns.document_table import LONGEST_DELAY, LONGEST_DURATION, Table, meant, seconds, shown
from outrider.campaigns.outcome import NEVER_REPEATED, Outcome
from outrider.campaigns.strategy import (
    ALL_DAYS,
    DAY_NAMES,
    MINUTES_PER_DAY,
    AttemptLimit,
    Channel,
    FinishCriteria,
    LimitPer,
    LimitScope,
    Restrictions,
    RetryRule,
    Then,
    WhenLimited,
    Window,
)
from outrider.licences.model import LARGEST_COUNT

MOST_RETRIES = 100
MOST_WINDOWS, MOST_LIMITS, MOST_HOLIDAYS = 20, 20, 400
MOST_DISPOSITIONS = 50
LONGEST_PERIOD = LONGEST_DURATION
LONGEST_JOB = LONGEST_DURATION

_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_DISPOSITION = re.compile(r"[a-z][a-z0-9_]{0,39}")


def read_retry(table: Table, retryable: Sequence[Outcome], later: list[str]) -> dict[Outcome, RetryRule]:
    """Return the `retry` table of an action: a rule per outcome that its channel may have."""
    retry = table.table("retry")
    if retry is None:
        return {}
    rules: dict[Outcome, RetryRule] = {}
    for outcome in retryable:
        rule = retry.table(outcome.value)
        if rule is not None:
            rules[outcome] = read_rule(rule, later)
            if outcome in NEVER_REPEATED and rules[outcome].count:
                rule.complain("count", f"must be 0: after {outcome} the same message is not sent again")
    retry.close()
    return rules


def read_dispositions(table: Table, known: Sequence[str] | None, later: list[str]) -> dict[str, RetryRule]:
    """Return the `dispositions` table: a rule per name; `known` are those there can be (None: any)."""
    found = table.table("dispositions")
    if found is None:
        return {}
    if len(found.values) > MOST_DISPOSITIONS:
        table.complain(
            "dispositions", f"has {len(found.values)} entries, and at most {MOST_DISPOSITIONS} are allowed"
        )
    rules: dict[str, RetryRule] = {}
    for name in found.values:
        rule = found.table(name)
        if is_disposition(found, name, name) and known is not None and name not in known:
            named = f"; it has {', '.join(known)}" if known else ""
            found.complain(name, f"is no disposition of the menu{meant(name, list(known)) or named}")
        if rule is not None:
            rules[name] = read_rule(rule, later, otherwise=Then.DONE)
    return rules


def is_disposition(table: Table, name: str, value: str) -> bool:
    """Say whether `value` can name a disposition; what is wrong is noted at the field `name`."""
    if not _DISPOSITION.fullmatch(value):
        table.complain(
            name, f"must be small letters, digits and _ (40 at most), such as confirmed, not {shown(value)}"
        )
    elif value in list(Outcome):
        table.complain(name, f"cannot be {value}, which is an outcome: choose another name")
    else:
        return True
    return False


def read_rule(table: Table, later: list[str], otherwise: Then = Then.NEXT_ADDRESS) -> RetryRule:
    """Return one rule; `otherwise` is what follows when it does not say."""
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
    count = table.integer("count", min(len(delays), MOST_RETRIES), 0, MOST_RETRIES)
    if count and "delays" not in table.values:
        table.complain("delays", f"is missing: say how long to wait before each of the {count} retries")
    elif len(delays) > count:
        table.complain(
            "delays", f"has {len(delays)} entries for {count} retries: leave some out, or raise count"
        )
    then, then_action, then_delay = _then(table, later, otherwise)
    table.close()
    return RetryRule(count, tuple(delays), then, then_action, then_delay)


def read_reached(table: Table, later: list[str]) -> RetryRule | None:
    """Return what follows when the contact was reached; None when the action does not say."""
    reached = table.table("reached")
    if reached is None:
        return None
    then, then_action, then_delay = _then(reached, later, Then.DONE)
    if then is Then.NEXT_ADDRESS:
        reached.complain("then", "must be next_action, done or the name of a later action")
    reached.close()
    return RetryRule(0, (), then, then_action, then_delay)


def _then(table: Table, later: list[str], otherwise: Then) -> tuple[Then, str | None, float]:
    value = table.get("then")
    then_delay = table.duration("then_delay", 0, LONGEST_DELAY) or 0.0
    if then_delay and value == Then.DONE:
        table.complain("then_delay", "means nothing when nothing follows: leave it out")
    if value is None:
        return otherwise, None, then_delay
    if value in list(Then):
        return Then(str(value)), None, then_delay
    if value in later:
        return Then.NEXT_ACTION, str(value), then_delay
    choices = [*Then, *later]
    table.complain(
        "then",
        f"must be {', '.join(Then)} or the name of a later action, not {shown(value)}{meant(value, choices)}",
    )
    return Then.DONE, None, then_delay


def read_windows(table: Table) -> tuple[Window, ...]:
    """Return the hours of an action: `windows`, or one `window`; without either, 8 to 21 on all days."""
    one = table.table("window")
    several = table.tables("windows", MOST_WINDOWS)
    if "window" in table.values and "windows" in table.values:
        table.complain("windows", "stands beside window: keep one of them")
    if one is not None:
        return (_window(one),)
    return tuple(_window(each) for each in several) or (Window(),)


def _window(window: Table) -> Window:
    start = _minute(window, "start", Window().start)
    end = _minute(window, "end", Window().end)
    if start == MINUTES_PER_DAY:
        window.complain("start", "must be before 24:00: write 00:00 and the following day")
    elif start == end:
        window.complain("end", "must not be the same as start; for the whole day write 00:00 to 24:00")
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


def read_restrictions(table: Table) -> Restrictions:
    """Return the `restrictions` of an action or of the strategy."""
    restrictions = table.table("restrictions")
    if restrictions is None:
        return Restrictions()
    found = Restrictions(
        limits=tuple(_limit(each) for each in restrictions.tables("limits", MOST_LIMITS)),
        holidays=_holidays(restrictions),
        when_limited=restrictions.choice("when_limited", WhenLimited.WAIT),
    )
    restrictions.close()
    return found


def _limit(table: Table) -> AttemptLimit:
    table.get("attempts", required=True)
    attempts = table.integer("attempts", 1, 1, LARGEST_COUNT)
    table.get("period", required=True)
    period = table.duration("period", 1, LONGEST_PERIOD)
    limit = AttemptLimit(
        attempts=attempts,
        period=period or 1.0,
        per=table.choice("per", LimitPer.CONTACT),
        channels=table.choices("channels", Channel),
        campaigns=table.choice("campaigns", LimitScope.THIS),
        outcomes=table.choices("outcomes", Outcome),
    )
    if limit.per is LimitPer.ADDRESS and Channel.WEBHOOK in limit.channels:
        table.complain("per", "must be contact: a webhook has no address of the contact")
    table.close()
    return limit


def _holidays(table: Table) -> frozenset[dt.date]:
    entries = table.entries("holidays") or []
    if len(entries) > MOST_HOLIDAYS:
        table.complain("holidays", f"has {len(entries)} entries, and at most {MOST_HOLIDAYS} are allowed")
    dates: set[dt.date] = set()
    for index, value in enumerate(entries):
        date = _date(value)
        if date is None:
            table.complain(f"holidays[{index}]", f"must be a date such as 2026-12-25, not {shown(value)}")
        elif date in dates:
            table.complain(f"holidays[{index}]", f"is {date} again")
        else:
            dates.add(date)
    return frozenset(dates)


def _date(value: object) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return None
    if isinstance(value, dt.date):
        return value
    try:
        return dt.datetime.strptime(value, "%Y-%m-%d").date() if isinstance(value, str) else None  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


def read_finish(table: Table) -> FinishCriteria:
    """Return the `finish` table of a strategy: criteria of which the first that holds ends the job."""
    finish = table.table("finish")
    if finish is None:
        return FinishCriteria()
    outcomes = finish.table("outcomes")
    dispositions = finish.table("dispositions")
    by_outcome: dict[Outcome, int] = {}
    if outcomes is not None:
        for outcome in Outcome:
            count = outcomes.optional_integer(outcome.value, 1, LARGEST_COUNT)
            if count is not None:
                by_outcome[outcome] = count
        outcomes.close()
    by_disposition: dict[str, int] = {}
    if dispositions is not None:
        for name in dispositions.values:
            count = dispositions.optional_integer(name, 1, LARGEST_COUNT)
            if is_disposition(dispositions, name, name) and count is not None:
                by_disposition[name] = count
    found = FinishCriteria(
        outcomes=by_outcome,
        dispositions=by_disposition,
        after=finish.duration("after", 1, LONGEST_JOB),
        at=_moment(finish, "at"),
    )
    finish.close()
    if not finish.values:
        table.complain("finish", "is empty: name at least one of outcomes, dispositions, after and at")
    return found


def _moment(table: Table, name: str) -> dt.datetime | None:
    value = table.get(name)
    if value is None:
        return None
    moment = value if isinstance(value, dt.datetime) else None
    if isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            moment = None
    if moment is None or moment.tzinfo is None or not 1970 < moment.year < 2200:  # noqa: PLR2004 - years that are meant
        table.complain(
            name, f"must be a time with its offset, such as 2026-05-01T18:00:00+02:00, not {shown(value)}"
        )
        return None
    return moment.astimezone(dt.UTC)
