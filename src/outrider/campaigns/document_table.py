"""Reading one table of a TOML or JSON document field by field, collecting every problem with its place.

`strategy_document` and `strategy_actions` are built on it. A getter that finds a problem notes it and
returns the default, so that one pass finds all of them. Pure.
"""

import difflib
import enum
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard, TypeVar

Choice = TypeVar("Choice", bound=enum.StrEnum)

LONGEST_DELAY = 30 * 86_400
"""Seconds: of one delay or wait; periods and jobs may be longer."""
LONGEST_DURATION = 366 * 86_400
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?")
_UNITS = (86_400, 3_600, 60, 1)
_SHOWN = 60
_SHORT_LIST = 200
_CONTROL_OR_SURROGATE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_BREAK_OR_SURROGATE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(slots=True)
class Problems:
    """All problems found so far, in the order of the reading."""

    found: list[dict[str, object]] = field(default_factory=list)

    def add(self, where: str, problem: str) -> None:
        """Note that `problem` (what is wrong, and what to write instead) is at `where`."""
        self.found.append({"where": where, "problem": problem})


class Table:
    """One table at `where`; the fields that were asked for are the ones it may have."""

    def __init__(self, values: Mapping[str, object], where: str, problems: Problems) -> None:
        self.values = values
        self.where = where
        self.problems = problems
        self._known: list[str] = []

    def place(self, name: str) -> str:
        """Return the place of a field, such as `actions[1].pacing`."""
        return f"{self.where}.{name}" if self.where else name

    def complain(self, name: str, problem: str) -> None:
        """Note a problem with one field."""
        self.problems.add(self.place(name), problem)

    def get(self, name: str, *, required: bool = False) -> object:
        """Return a field as it stands, or None; a required one that is missing is a problem."""
        self._known.append(name)
        value = self.values.get(name)
        if value is None and required:
            self.complain(name, "is missing")
        return value

    def text(
        self, name: str, *, required: bool = False, longest: int = 200, lines: bool = False
    ) -> str | None:
        """Return a text that is not blank; of one line, unless `lines`."""
        value = self.get(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.complain(name, f"must be a text, not {shown(value)}")
            return None
        if not value.strip():
            self.complain(name, "is empty")
        elif len(value) > longest:
            self.complain(name, f"has {len(value)} characters, and at most {longest} are allowed")
        elif not _storable(value, lines=lines):
            kind = "control characters" if lines else "line breaks or control characters"
            self.complain(name, f"must not contain {kind}")
        else:
            return value
        return None

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        value = self.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.complain(name, f"must be a whole number from {low} to {high}, not {shown(value)}")
            return default
        return value

    def optional_integer(self, name: str, low: int, high: int) -> int | None:
        """Return a whole number from `low` to `high`, or None when the field is missing."""
        missing = self.values.get(name) is None
        number = self.integer(name, low, low, high)
        return None if missing else number

    def number(self, name: str, low: float, high: float) -> float | None:
        """Return a number from `low` to `high`, or None when the field is missing."""
        value = self.get(name)
        if value is None:
            return None
        if not is_number(value) or not low <= value <= high:
            self.complain(name, f"must be a number from {low:g} to {high:g}, not {shown(value)}")
            return None
        return float(value)

    def duration(self, name: str, low: float, high: float) -> float | None:
        """Return a time in seconds from `low` to `high` (see `seconds`), or None when it is missing."""
        value = self.get(name)
        if value is None:
            return None
        found = seconds(value, LONGEST_DURATION)
        if found is None or not low <= found <= high:
            range_ = f"from {spoken(low)} to {spoken(high)}"
            self.complain(
                name, f'must be seconds or a text such as "30s" or "2h", {range_}, not {shown(value)}'
            )
            return None
        return found

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return true or false; `default` when the field is missing."""
        value = self.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.complain(name, f"must be true or false, not {shown(value)}")
        return value is True

    def choice(self, name: str, default: Choice) -> Choice:
        """Return one of the values of the default's enumeration."""
        value = self.get(name)
        if value is None:
            return default
        choices = [each.value for each in type(default)]
        if value not in choices:
            self.complain(name, f"must be {' or '.join(choices)}, not {shown(value)}{meant(value, choices)}")
            return default
        return type(default)(str(value))

    def table(self, name: str, *, required: bool = False) -> "Table | None":
        """Return a table inside this one, or None when it is missing or no table."""
        value = self.get(name, required=required)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.complain(name, f"must be a table, not {shown(value)}")
            return None
        return Table(value, self.place(name), self.problems)

    def entries(self, name: str, *, required: bool = False) -> list[object] | None:
        """Return a list that is not empty, or None when it is missing or no list."""
        value = self.get(name, required=required)
        if value is None:
            return None
        if not isinstance(value, list):
            self.complain(name, f"must be a list, not {shown(value)}")
            return None
        if not value:
            self.complain(name, "is an empty list")
            return None
        return value

    def tables(self, name: str, most: int) -> "list[Table]":
        """Return the tables of a list; none when it is missing. Entries that are none are problems."""
        found: list[Table] = []
        entries = self.entries(name) or []
        if len(entries) > most:
            self.complain(name, f"has {len(entries)} entries, and at most {most} are allowed")
        for index, entry in enumerate(entries):
            where = f"{self.place(name)}[{index}]"
            if isinstance(entry, Mapping):
                found.append(Table(entry, where, self.problems))
            else:
                self.problems.add(where, f"must be a table, not {shown(entry)}")
        return found

    def choices(self, name: str, kind: type[Choice]) -> frozenset[Choice]:
        """Return the values of an enumeration that a list names; none when it is missing."""
        known = [each.value for each in kind]
        found: set[Choice] = set()
        for index, value in enumerate(self.entries(name) or ()):
            if value in known:
                found.add(kind(str(value)))
            else:
                self.complain(
                    f"{name}[{index}]",
                    f"must be one of {', '.join(known)}, not {shown(value)}{meant(value, known)}",
                )
        return frozenset(found)

    def close(self) -> None:
        """Note every field that nobody asked for, with the nearest known name."""
        for name in self.values:
            if name not in self._known:
                fields = ", ".join(sorted(set(self._known)))
                listed = f"; here are known: {fields}" if len(fields) <= _SHORT_LIST else " here"
                hint = meant(name, self._known) or listed
                self.complain(name, f"is unknown{hint}")


def is_number(value: object) -> TypeGuard[int | float]:
    """Say whether `value` is a finite number (true and false are none)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


def seconds(value: object, longest: float = LONGEST_DELAY) -> float | None:
    """Return a delay in seconds, a number or a text as in "90s", "5m", "1h30m", "1d"; else None."""
    if is_number(value):
        return float(value) if 0 <= value <= longest else None
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        return None
    total = sum(int(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part)
    return float(total) if total <= longest else None


def spoken(delay: float) -> str:
    """Return seconds as `seconds` reads them, in the largest units that are exact, as in 1h30m."""
    whole, parts = int(delay), []
    if whole != delay or not whole:
        return f"{delay:g}s"
    for unit, size in zip("dhms", _UNITS, strict=True):
        if whole >= size:
            parts.append(f"{whole // size}{unit}")
            whole %= size
    return "".join(parts)


def meant(value: object, known: list[str]) -> str:
    """Return a suggestion, or nothing when no known name is near."""
    close = difflib.get_close_matches(value, known, n=1) if isinstance(value, str) else None
    return f"; did you mean {close[0]}?" if close else ""


def shown(value: object) -> str:
    """Return a value as a message shows it: short, and a table or list only by its kind."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**_SHOWN:
        return "a number that large"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _storable(text: str, *, lines: bool) -> bool:
    """Say whether every database takes the text, and a header does when it is of one line."""
    unwanted = _CONTROL_OR_SURROGATE if lines else _CONTROL_BREAK_OR_SURROGATE
    return unwanted.search(text) is None
