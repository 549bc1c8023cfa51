"""Reads how the people of a simulated list behave, by hour of the day too.

`read_scenario` and `read_changes` call it; problems are noted at their place. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from outrider.campaigns.document_table import Table, is_number, shown
from outrider.campaigns.strategy import MINUTES_PER_DAY
from outrider.channels.simulated.behaviour import Span
from outrider.simulate.scenario import HourRule, People

SHARES = ("answers", "machines", "busy", "failed", "congestion")
SPANS = ("setup", "ring", "machine_ring")
LONGEST_TALK = 7_200.0
MOST_RULES = 48
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_SUM_TOLERANCE = 1e-9


def read_people(table: Table) -> People:
    """Return how people behave; what is left out is as the defaults of `People` say."""
    values = read_values(table)
    table.close()
    people = replace(People(), **values)  # type: ignore[arg-type] # each value was read for its field
    total = sum(getattr(people, name) for name in SHARES)
    if total > 1 + _SUM_TOLERANCE:
        table.problems.add(table.where, f"has shares that sum to {total:g}, but must be 1 at most")
    return people


def read_values(table: Table) -> dict[str, object]:
    """Return the fields of `People` that a table has."""
    values: dict[str, object] = {}
    for name in (*SHARES, "unrecognised"):
        share = table.number(name, 0, 1)
        if share is not None:
            values[name] = share
    talk = table.duration("talk", 0, LONGEST_TALK)
    if talk is not None:
        values["talk"] = talk
    for name in SPANS:
        span = _span(table, name)
        if span is not None:
            values[name] = span
    return values


def read_hours(table: Table) -> tuple[HourRule, ...]:
    """Return what is otherwise at certain hours of the local day."""
    found = []
    for each in table.tables("hours", MOST_RULES):
        begin, end = read_clock(each, "from", 0), read_clock(each, "to", MINUTES_PER_DAY)
        values = read_values(each)
        each.close()
        if end <= begin:
            each.complain("to", "must be later than from, on the same day")
        found.append(HourRule(begin, end, values))
    return tuple(found)


def read_clock(table: Table, name: str, default: int) -> int:
    """Return a time of day such as "08:30" as minutes since midnight."""
    value = table.get(name)
    if value is None:
        return default
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = -1 if match is None else int(match[1]) * 60 + int(match[2])
    if not 0 <= minutes <= MINUTES_PER_DAY:
        table.complain(name, f'must be a time of day such as "08:30", not {shown(value)}')
        return default
    return minutes


def behaviour_at(
    people: People, hours: tuple[HourRule, ...], changed: Mapping[str, object], minute: int
) -> People:
    """Return how people behave at a minute of the local day, after what has changed for good."""
    for rule in hours:
        if rule.begin <= minute < rule.end:
            people = replace(people, **rule.values)  # type: ignore[arg-type] # read for their fields
    return replace(people, **changed) if changed else people  # type: ignore[arg-type] # as above


def _span(table: Table, name: str) -> Span | None:
    value = table.get(name)
    if value is None:
        return None
    pair = value if isinstance(value, list) else [value, value]
    numbers = [float(each) for each in pair if is_number(each)]
    fits = len(pair) == len(numbers) == len(("low", "high"))
    if not fits or not 0 <= numbers[0] <= numbers[1]:
        table.complain(name, f"must be a number of seconds or [low, high], not {shown(value)}")
        return None
    return Span(*numbers)
