"""What the strategy form is made of: fields, sections, lists, keyed rules and conditions. Pure records.

`strategy_schema` describes all of a strategy's fields with them; `strategy_form` shows and reads any
description. Names are those of the document, so that a problem's place is a field's place.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from outrider.campaigns.strategy import DAY_NAMES


class Kind(enum.StrEnum):
    """How a value is typed, and what it becomes in the document."""

    TEXT = "text"
    LINES = "lines"
    """Text of several lines."""
    NUMBER = "number"
    DURATION = "duration"
    """Seconds, or as in 1h30m."""
    FLAG = "flag"
    DENIAL = "denial"
    """A box to tick against what holds by default: false."""
    CHOICE = "choice"
    MANY = "many"
    """Any number of the options: a list."""
    DAYS = "days"
    """Weekdays; all of them is the default."""
    ITEMS = "items"
    """A list of short texts, separated by commas."""
    DURATIONS = "durations"
    """A list of durations, separated by commas."""
    VALUES = "values"
    """A list of texts, one per line."""
    PAIRS = "pairs"
    """A table of texts, one per line, as in name: value."""
    COUNTS = "counts"
    """A table of whole numbers, one per line, as in name: 50."""
    JSON = "json"
    THEN = "then"
    """What follows: the one option is the default, to which the later actions' names are added."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value. `options` are pairs (value, label); the first is the default, which is not written out."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    hint: str = ""
    options: Sequence[tuple[str, str]] = ()
    placeholder: str = ""
    required: bool = False
    wide: bool = False
    reshapes: bool = False
    """Changing it changes which other fields there are."""


@dataclass(frozen=True, slots=True)
class Part:
    """Nodes that are shown together under a heading; no table of its own in the document."""

    label: str
    nodes: Sequence["Node"]
    hint: str = ""
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the document; an `optional` one can be added and removed."""

    name: str
    label: str
    nodes: Sequence["Node"]
    hint: str = ""
    optional: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of tables; `item` names one of them, as in "choice"."""

    name: str
    label: str
    item: str
    nodes: Sequence["Node"]
    hint: str = ""
    movable: bool = False


@dataclass(frozen=True, slots=True)
class Keyed:
    """A table of tables by name: `keys` are the names that there can be, empty: any that is typed."""

    name: str
    label: str
    item: str
    nodes: Sequence["Node"]
    keys: Sequence[str] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Conditional:
    """A condition, or none."""

    name: str
    label: str
    hint: str = ""
    required: bool = False


Node = Field | Part | Section | Listing | Keyed | Conditional

DAY_OPTIONS = tuple((day, day.capitalize()) for day in DAY_NAMES)
