"""The filter of a campaign: which contacts of its lists it is for. Pure.

Campaigns validate one with `parse_filter` and ask `matches` per contact. All conditions must hold. Text is
compared without regard to case; where both sides are numbers, as numbers; ISO dates order as text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from outrider.contacts.model import Contact
from outrider.errors import InvalidInputError

Value = str | bool | tuple[str, ...]

ORDERED: Final = ("<", "<=", ">", ">=")
OPERATORS: Final = ("=", "!=", *ORDERED, "in", "contains", "starts_with", "is_empty", "between")
MOST_CONDITIONS: Final = 50
MOST_VALUES: Final = 1_000
LONGEST_VALUE: Final = 4_000
PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a field or attribute. `value` is a text, several ("in", "between"), or yes/no."""

    attribute: str
    operator: str
    value: Value

    def document(self) -> dict[str, object]:
        """Return the condition as JSON has it."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"attribute": self.attribute, "operator": self.operator, "value": value}


def parse_filter(document: object, place: str = "filter") -> tuple[Condition, ...]:
    """Return the conditions of a JSON list; InvalidInputError names the place, as in filter[2].operator."""
    if document is None:
        return ()
    if not isinstance(document, Sequence) or isinstance(document, str | bytes):
        raise _wrong(place, "must be a list of conditions {attribute, operator, value}")
    if len(document) > MOST_CONDITIONS:
        raise _wrong(place, f"has {len(document)} conditions; at most {MOST_CONDITIONS} are allowed")
    return tuple(_condition(entry, f"{place}[{number}]") for number, entry in enumerate(document))


def matches(contact: Contact, conditions: Sequence[Condition]) -> bool:
    """Return whether all conditions hold for the contact."""
    return all(_holds(contact.field(condition.attribute), condition) for condition in conditions)


def _condition(entry: object, place: str) -> Condition:
    if not isinstance(entry, Mapping):
        raise _wrong(place, "must be a condition {attribute, operator, value}")
    unknown = [str(name) for name in entry if name not in ("attribute", "operator", "value")]
    if unknown:
        raise _wrong(f"{place}.{unknown[0]}", "is not known; a condition has attribute, operator and value")
    attribute, operator = entry.get("attribute"), entry.get("operator")
    if not isinstance(attribute, str) or not attribute.strip():
        raise _wrong(f"{place}.attribute", "must name a field or an attribute of the contacts")
    if operator not in OPERATORS:
        raise _wrong(f"{place}.operator", f"{operator!r} is not one of {' '.join(OPERATORS)}")
    return Condition(attribute, operator, _value(operator, entry.get("value"), f"{place}.value"))


def _value(operator: str, value: object, place: str) -> Value:
    if operator == "is_empty":
        if value not in (None, True, False):
            raise _wrong(place, "must be true or false")
        return value is not False
    if operator in ("in", "between"):
        if not isinstance(value, Sequence) or isinstance(value, str | bytes) or not value:
            raise _wrong(place, f"must be a list for the operator {operator}")
        if operator == "between" and len(value) != PAIR:
            raise _wrong(place, "must be a list of the lowest and the highest value")
        if len(value) > MOST_VALUES:
            raise _wrong(place, f"has {len(value)} values; at most {MOST_VALUES} are allowed")
        return tuple(_text(single, f"{place}[{number}]") for number, single in enumerate(value))
    return _text(value, place)


def _text(value: object, place: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong(place, "must be a text or a number")
    text = str(value).strip()
    if not text or len(text) > LONGEST_VALUE:
        raise _wrong(place, f"must have 1 to {LONGEST_VALUE:,} characters")
    return text


def _holds(present: str | None, condition: Condition) -> bool:
    operator, value = condition.operator, condition.value
    if isinstance(value, bool):
        return (not present) == value
    if not present:
        return operator == "!="
    if isinstance(value, tuple):
        if operator == "between":
            return _order(present, value[0]) >= 0 and _order(present, value[1]) <= 0
        return any(_order(present, single) == 0 for single in value)
    if operator == "contains":
        return value.casefold() in present.casefold()
    if operator == "starts_with":
        return present.casefold().startswith(value.casefold())
    return COMPARISONS[operator](_order(present, value))


def _order(present: str, value: str) -> int:
    """Return -1, 0 or 1: the contact's value is below, equal to or above the condition's."""
    left, right = _number(present), _number(value)
    if left is not None and right is not None:
        return (left > right) - (left < right)
    here, there = present.casefold(), value.casefold()
    return (here > there) - (here < there)


COMPARISONS: Final[Mapping[str, Callable[[int], bool]]] = {
    "=": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _number(text: str) -> Decimal | None:
    """Read 12, -1.5 and, as spreadsheets of many countries write it, 1,5. Phone numbers stay text."""
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


def _wrong(place: str, what: str) -> InvalidInputError:
    return InvalidInputError(f"{place}: {what}", where=place)
