"""Reading untrusted JSON field by field: every refusal names the file, the line and the field.

`problem` and `timeline` build their records with it (licensing.md 9, bad input).
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from outrider.errors import InvalidInputError
from outrider.licences.model import LARGEST_COUNT, LicenceKind

Choice = TypeVar("Choice", bound=StrEnum)
Path = tuple[str | int, ...]

SHOWN = 40
"""Characters of a wrong value that a message repeats."""


def parse_json(text: str, file: str, first_line: int = 1) -> Any:
    """Return the JSON value of `text`, which begins at line `first_line` of `file`.

    Raises InvalidInputError with line and column when it is not JSON, names a key twice, holds NaN or an
    infinity, or is nested too deeply to read.
    """
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_distinct)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise InvalidInputError(
            f"{file}: line {line}, column {error.colno}: not JSON: {error.msg}", where=f"line {line}"
        ) from None
    except RecursionError:
        reason = "nested too deeply"
    except ValueError as error:
        reason = str(error).partition(";")[0]
    raise InvalidInputError(
        f"{file}: line {first_line}: not usable JSON: {reason}", where=f"line {first_line}"
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {shown(name)} stands twice in one object")
        found[name] = value
    return found


def shown(value: object) -> str:
    """Return `value` as a message may repeat it: one line, ASCII, short."""
    try:
        text = json.dumps(value)
    except RecursionError:
        text = "something nested too deeply"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document, for messages: `text` begins at `first_line` of `file`, `path` leads inwards."""

    file: str
    text: str
    first_line: int = 1
    path: Path = ()

    def at(self, *steps: str | int) -> "Place":
        """Return the place `steps` further inwards."""
        return Place(self.file, self.text, self.first_line, (*self.path, *steps))

    def refuse(self, message: str) -> NoReturn:
        """Raise InvalidInputError naming file, line and field."""
        field = "".join(
            f"[{step}]" if isinstance(step, int) else f".{json.dumps(step)[1:-1][:SHOWN]}"
            for step in self.path
        ).lstrip(".")
        try:
            line = self.first_line + self.text.count("\n", 0, _position(self.text, self.path))
        except RecursionError:
            line = self.first_line
        where = f"line {line}: {field}" if field else f"line {line}"
        raise InvalidInputError(f"{self.file}: {where}: {message}", where=field or f"line {line}", line=line)


def _position(text: str, path: Path) -> int:
    """Return where the value at `path` begins in `text`; a missing step ends at its parent."""
    decoder = json.JSONDecoder()
    position = _skip(text, 0)
    for step in path:
        place, index = _skip(text, position + 1), 0
        while text[place] not in "]}":
            name: str | int = index
            if isinstance(step, str):
                name, place = decoder.raw_decode(text, place)
                place = _skip(text, place, ":")
            if name == step:
                position = place
                break
            place = _skip(text, decoder.raw_decode(text, place)[1], ",")
            index += 1
        else:
            return position
    return position


def _skip(text: str, place: int, also: str = "") -> int:
    """Return the next place in `text` that is neither white space nor in `also`."""
    while place < len(text) and text[place] in f" \t\n\r\ufeff{also}":
        place += 1
    return place


def an_object(
    value: object, place: Place, known: Collection[str], required: Collection[str] = ()
) -> dict[str, Any]:
    """Return `value` as an object that has all `required` fields and none that is not `known`."""
    if not isinstance(value, dict):
        place.refuse(f"must be an object, not {shown(value)}")
    for name in value:
        if name not in known:
            place.at(name).refuse(f"unknown field; known are {', '.join(known)}")
    for name in required:
        if name not in value:
            place.at(name).refuse("is missing")
    return value


def a_whole(value: object, place: Place, low: int, high: int) -> int:
    """Return `value` as a whole number from `low` to `high`; true, 3.0 and "3" are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        place.refuse(f"must be a whole number, not {shown(value)}")
    if not low <= value <= high:
        place.refuse(f"must be from {low} to {high}, not {shown(value)}")
    return value


def a_count(value: object, place: Place) -> int:
    """Return `value` as a number of units, 0 to LARGEST_COUNT."""
    return a_whole(value, place, 0, LARGEST_COUNT)


def a_time(value: object, place: Place) -> float:
    """Return `value` as a number of seconds, whole numbers as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_COUNT * 10:
        place.refuse(f"must be a number of seconds, not {shown(value)}")
    return value


def a_name(value: object, place: Place) -> str:
    """Return `value` as an id: a string that is not empty."""
    if not isinstance(value, str) or not value:
        place.refuse(f"must be a non-empty string, not {shown(value)}")
    return value


def a_flag(value: object, place: Place) -> bool:
    """Return `value` as true or false."""
    if not isinstance(value, bool):
        place.refuse(f"must be true or false, not {shown(value)}")
    return value


def a_choice(value: object, place: Place, choices: Iterable[Choice]) -> Choice:
    """Return `value` as one of `choices`."""
    known = {choice.value: choice for choice in choices}
    if not isinstance(value, str) or value not in known:
        place.refuse(f"must be one of {', '.join(known)}, not {shown(value)}")
    return known[value]


def a_list(value: object, place: Place) -> list[Any]:
    """Return `value` as a list."""
    if not isinstance(value, list):
        place.refuse(f"must be a list, not {shown(value)}")
    return value


def a_pool(value: object, place: Place) -> Mapping[LicenceKind, int]:
    """Return `value` as counts by licence type."""
    names = [kind.value for kind in LicenceKind]
    if not isinstance(value, dict):
        place.refuse(f"must be an object of counts, not {shown(value)}")
    for name in value:
        if name not in names:
            place.at(name).refuse(f"unknown licence type; known are {', '.join(names)}")
    return {LicenceKind(name): a_count(count, place.at(name)) for name, count in value.items()}
