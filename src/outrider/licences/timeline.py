"""Timelines as JSON Lines: what `outrider licences replay` reads, checked line by line (licensing.md 9)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from outrider.licences.fields import (
    Place,
    a_choice,
    a_count,
    a_name,
    a_pool,
    a_time,
    a_whole,
    an_object,
    parse_json,
)
from outrider.licences.model import HIGHEST_PRIORITY, LOWEST_PRIORITY, Allocation, LicenceKind, Policy
from outrider.licences.need import IDLE_AFTER
from outrider.licences.problem import read_limits

EVENT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "pool": (),
    "start": ("allocation", "min", "max", "priority"),
    "stop": (),
    "pause": (),
    "resume": (),
    "set": (),
    "attempt": ("calls",),
    "end": ("calls",),
    "until": (),
}
"""event -> the fields it must have beside `at` and its own."""

SETTABLE = ("priority", "min", "max")


@dataclass(frozen=True, slots=True)
class Options:
    """How a timeline is replayed; times in seconds."""

    policy: Policy = Policy.WEIGHTED
    idle_after: float = IDLE_AFTER
    minimum_hold: float = 0


@dataclass(frozen=True, slots=True)
class PoolSet:
    """The pool's counts are now these."""

    counts: Mapping[LicenceKind, int]


@dataclass(frozen=True, slots=True)
class Started:
    """A new task of outbound ports begins to compete."""

    task: str
    allocation: Allocation
    minimum: int
    maximum: int
    priority: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A task is stopped, paused or resumed: `verb` says which."""

    task: str
    verb: str


@dataclass(frozen=True, slots=True)
class LimitsSet:
    """A supervisor changed a task; None leaves a value as it is."""

    task: str
    priority: int | None
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Calls:
    """A task attempts calls, or calls of it end: `verb` is attempt or end."""

    task: str
    verb: str
    calls: int


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Time passes."""


Happening = PoolSet | Started | Moved | LimitsSet | Calls | Elapsed


@dataclass(frozen=True, slots=True)
class Event:
    """What happened `at` which second; `place` names the line, for refusals that only replay can see."""

    at: float
    what: Happening
    place: Place


def read_timeline(lines: Iterable[str], file: str) -> tuple[Options, Iterator[Event]]:
    """Return the options and the events of a timeline; blank lines are skipped.

    InvalidInputError names file, line and field, either at once or when the iterator comes to the line.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return Options(), iter(())
    place = Place(file, first[1], first[0])
    found = parse_json(first[1], file, first[0])
    if isinstance(found, dict) and "options" in found:
        an_object(found, place, ("options",))
        return _options(found["options"], place.at("options")), _events(numbered, file, None)
    return Options(), _events(numbered, file, _event(found, place))


def _options(value: object, place: Place) -> Options:
    found = an_object(value, place, ("policy", "idle_after", "minimum_hold"))
    plain = Options()
    times = {}
    for name in ("idle_after", "minimum_hold"):
        times[name] = a_time(found.get(name, getattr(plain, name)), place.at(name))
        if times[name] < 0:
            place.at(name).refuse(f"must not be negative, but is {times[name]}")
    return Options(a_choice(found.get("policy", plain.policy), place.at("policy"), Policy), **times)


def _events(numbered: Iterable[tuple[int, str]], file: str, first: Event | None) -> Iterator[Event]:
    last = first
    if first is not None:
        yield first
    for number, line in numbered:
        event = _event(parse_json(line, file, number), Place(file, line, number))
        if last is not None and event.at < last.at:
            event.place.at("at").refuse(f"{event.at} is before {last.at}, the time of the event before it")
        yield event
        last = event


def _event(value: object, place: Place) -> Event:
    if not isinstance(value, dict):
        place.refuse("must be an object with one event")
    if "options" in value:
        place.at("options").refuse("options may only stand on the first line")
    verbs = [name for name in value if name in EVENT_FIELDS]
    if len(verbs) != 1:
        given = ", ".join(verbs) or ", ".join(ascii(name) for name in value if name != "at") or "nothing"
        place.refuse(f"must hold exactly one event of {', '.join(EVENT_FIELDS)}; it holds {given}")
    verb = verbs[0]
    required = ("at", verb, *EVENT_FIELDS[verb])
    an_object(value, place, (*required, *SETTABLE) if verb == "set" else required, required)
    return Event(a_time(value["at"], place.at("at")), _happening(verb, value, place), place)


def _happening(verb: str, found: dict[str, Any], place: Place) -> Happening:
    if verb == "until":
        if found["until"] is not True:
            place.at("until").refuse("must be true")
        return Elapsed()
    if verb == "pool":
        return PoolSet(a_pool(found["pool"], place.at("pool")))
    task = a_name(found[verb], place.at(verb))
    if verb == "start":
        allocation = a_choice(found["allocation"], place.at("allocation"), Allocation)
        return Started(task, allocation, *read_limits(found, place))
    if verb in {"attempt", "end"}:
        return Calls(task, verb, a_count(found["calls"], place.at("calls")))
    if verb == "set":
        priority = found.get("priority")
        return LimitsSet(
            task,
            None
            if priority is None
            else a_whole(priority, place.at("priority"), LOWEST_PRIORITY, HIGHEST_PRIORITY),
            a_count(found["min"], place.at("min")) if "min" in found else None,
            a_count(found["max"], place.at("max")) if "max" in found else None,
        )
    return Moved(task, verb)
