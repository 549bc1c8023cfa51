"""Conditions on a contact: small trees of comparisons, joined by all, any and not. Pure.

An action, a sender and a caller id may each have one; claims and the driver ask `matches`. Text is
compared without regard to case, numbers as numbers and ISO dates as moments where both sides are such.
"""

import datetime as dt
import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

Fields = Mapping[str, str] | Callable[[str], str | None]
"""Where values are looked up: a contact's attributes, or a function such as `Contact.field`."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d.*)?")


class Operator(enum.StrEnum):
    """How a contact's value is compared with the condition's; see `VALUES` for how many values it takes."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"
    NOT_IN = "not_in"
    LESS = "less"
    GREATER = "greater"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    BETWEEN = "between"
    """From the first value to the second, both included."""
    BEGINS_WITH = "begins_with"
    CONTAINS = "contains"
    IS_SET = "is_set"
    IS_EMPTY = "is_empty"


SEVERAL = frozenset({Operator.IN, Operator.NOT_IN})
"""Operators that take any number of values; `between` takes two, `is_set` and `is_empty` none."""
NO_VALUE = frozenset({Operator.IS_SET, Operator.IS_EMPTY})


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test: a field or attribute of the contact against values, all kept as text."""

    attribute: str
    operator: Operator
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds when every one of its parts does."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when at least one of its parts does."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when its part does not."""

    part: "Condition"


Condition = Comparison | AllOf | AnyOf | Not


def matches(condition: Condition | None, fields: Fields) -> bool:
    """Say whether a contact with these fields meets the condition; no condition is met by everybody.

    A field that is missing or blank is empty: it equals, contains and is in nothing, and is neither
    less nor greater than anything, so that only not_equals, not_in, is_empty and `not` can hold for it.
    """
    match condition:
        case None:
            return True
        case Comparison():
            present = fields(condition.attribute) if callable(fields) else fields.get(condition.attribute)
            return _holds((present or "").strip(), condition.operator, condition.values)
        case AllOf(parts):
            return all(matches(part, fields) for part in parts)
        case AnyOf(parts):
            return any(matches(part, fields) for part in parts)
        case Not(part):
            return not matches(part, fields)


def attributes_of(condition: Condition | None) -> frozenset[str]:
    """Return the fields and attributes that a condition looks at."""
    match condition:
        case None:
            return frozenset()
        case Comparison():
            return frozenset({condition.attribute})
        case AllOf(parts) | AnyOf(parts):
            return frozenset[str]().union(*(attributes_of(part) for part in parts))
        case Not(part):
            return attributes_of(part)


def _holds(present: str, operator: Operator, values: tuple[str, ...]) -> bool:
    if operator in NO_VALUE:
        return bool(present) == (operator is Operator.IS_SET)
    if operator in (Operator.NOT_EQUALS, Operator.NOT_IN):
        return not present or all(_order(present, value) != 0 for value in values)
    if not present:
        return False
    if operator is Operator.BETWEEN:
        return _order(present, values[0]) >= 0 and _order(present, values[1]) <= 0
    if operator is Operator.BEGINS_WITH:
        return present.casefold().startswith(values[0].casefold())
    if operator is Operator.CONTAINS:
        return values[0].casefold() in present.casefold()
    return any(_ORDERS[operator](_order(present, value)) for value in values)


_ORDERS: Mapping[Operator, Callable[[int], bool]] = {
    Operator.EQUALS: lambda order: order == 0,
    Operator.IN: lambda order: order == 0,
    Operator.LESS: lambda order: order < 0,
    Operator.GREATER: lambda order: order > 0,
    Operator.AT_LEAST: lambda order: order >= 0,
    Operator.AT_MOST: lambda order: order <= 0,
}


def _order(present: str, value: str) -> int:
    """Return -1, 0 or 1: the contact's value is below, equal to or above the condition's."""
    numbers = _number(present), _number(value)
    if numbers[0] is not None and numbers[1] is not None:
        return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])
    moments = _moment(present), _moment(value)
    if moments[0] is not None and moments[1] is not None:
        return (moments[0] > moments[1]) - (moments[0] < moments[1])
    here, there = present.casefold(), value.strip().casefold()
    return (here > there) - (here < there)


def _number(text: str) -> Decimal | None:
    """Read 12, -1.5 and, as many countries write it, 1,5; phone and postal numbers stay text."""
    plain = text.strip()
    if not plain or plain[0] == "+" or (len(plain) > 1 and plain[0] == "0" and plain[1].isdigit()):
        return None
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(text: str) -> dt.datetime | None:
    """Read an ISO date or time; a date is its midnight, and a time without offset is UTC."""
    if not _DATE.fullmatch(text.strip()):
        return None
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
