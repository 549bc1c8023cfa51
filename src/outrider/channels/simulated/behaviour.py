"""How the people and machines behind the numbers of a list behave: frozen profiles, parsed and checked.

`fate` draws single calls from a profile; `carrier` keeps one profile per list. Pure: a profile document is
parsed TOML or JSON, so that the same rules serve a file, the API and tests.
"""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from outrider.errors import InvalidInputError

DEFAULT = "default"
"""The profile of calls that name none, and of calls that name one that does not exist."""

CHARACTERS_PER_SECOND = 15.0
"""Speed of a spoken prompt; about 150 English words per minute."""

SHORTEST_PROMPT = 1.0
_TOLERANCE = 1e-6


class FarEnd(enum.StrEnum):
    """What becomes of a call at the far end."""

    HUMAN = "human"
    MACHINE = "machine"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CONGESTION = "congestion"
    FAILED = "failed"
    REJECTED = "rejected"
    UNALLOCATED = "unallocated"


CONSUMERS: Mapping[FarEnd, float] = {
    FarEnd.HUMAN: 0.30,
    FarEnd.MACHINE: 0.22,
    FarEnd.BUSY: 0.08,
    FarEnd.NO_ANSWER: 0.34,
    FarEnd.CONGESTION: 0.03,
    FarEnd.FAILED: 0.03,
}
"""What outbound calls to consumers commonly meet."""


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds, drawn uniformly from `low` to `high`."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """Return the value at `share` (0 to 1) of the way from low to high, in seconds."""
        return self.low + (self.high - self.low) * share


@dataclass(frozen=True, slots=True)
class CarrierProfile:
    """One list's behaviour. Spans and durations are seconds, `outcomes` are probabilities that sum to 1."""

    outcomes: Mapping[FarEnd, float] = field(default_factory=lambda: dict(CONSUMERS))
    setup: Span = Span(0.5, 2.5)
    """From the command to the first ring, or to the busy tone or refusal."""
    human_ring: Span = Span(5.0, 15.0)
    machine_ring: Span = Span(12.0, 20.0)
    reject_ring: Span = Span(3.0, 10.0)
    machine_greeting: Span = Span(4.0, 12.0)
    """A prompt starts after the machine's greeting, as with a media server that waits for the tone."""
    patience: Span = Span(6.0, 12.0)
    """Silence after which a person who hears nothing hangs up."""
    machine_patience: Span = Span(20.0, 60.0)
    """Silence after which an answering machine stops recording."""
    linger: Span = Span(0.3, 4.0)
    """From the end of the prompt until the far end hangs up."""
    hangs_up_early: float = 0.15
    """Share of people who hang up in the middle of the first prompt."""
    answers: Mapping[str, float] = field(default_factory=dict)
    """What people do after a prompt, as probabilities: press a key ("1"), say a word ("yes"), or nothing."""
    answer_delay: Span = Span(0.8, 4.0)
    """From the end of the prompt to the key or word."""
    talk: Span = Span(60.0, 180.0)
    """From the first word with an agent until the person hangs up; it goes on while the person is on hold."""
    talk_mean: float = 0.0
    """Above 0: talks are drawn exponentially around this mean, and `talk` means nothing."""
    hold_patience: Span = Span(120.0, 600.0)
    """Music on hold after which a person hangs up."""
    unrecognised: float = 0.0
    """Share of answered calls for which the media server cannot tell a person from a machine."""
    file_seconds: float = 12.0
    """Playing time of every audio file; a spoken text takes its length / CHARACTERS_PER_SECOND."""

    def playing_time(self, text: str | None) -> float:
        """Return the seconds that a prompt takes: a text by its length, an audio file `file_seconds`."""
        if text is None:
            return self.file_seconds
        return max(SHORTEST_PROMPT, len(text) / CHARACTERS_PER_SECOND)


ALWAYS_THERE = 10 * 86_400.0
"""Seconds: who waits that long never hangs up by itself."""

AGENT, CONSULT = "agent", "consult"
"""The profiles of agents' phones, and of people who are consulted."""


def built_in() -> dict[str, CarrierProfile]:
    """Return the profiles that are always there."""
    there = Span(ALWAYS_THERE, ALWAYS_THERE)
    phone = CarrierProfile(
        outcomes={FarEnd.HUMAN: 1.0},
        setup=Span(0.1, 0.3),
        human_ring=Span(0.5, 1.5),
        patience=there,
        linger=there,
        hangs_up_early=0.0,
        talk=there,
        hold_patience=there,
    )
    return {DEFAULT: CarrierProfile(), AGENT: phone, CONSULT: replace(phone, human_ring=Span(2.0, 6.0))}


_SHARES = ("hangs_up_early", "unrecognised")
_DURATIONS = ("file_seconds", "talk_mean")
_SPANS = tuple(
    item.name
    for item in fields(CarrierProfile)
    if item.name not in {"outcomes", "answers", *_SHARES, *_DURATIONS}
)


def parse_profiles(document: Mapping[str, object], where: str = "profiles") -> dict[str, CarrierProfile]:
    """Return the profiles of a parsed TOML or JSON document, `{"profiles": {name: {...}}}`.

    What a profile leaves out comes from the document's "default" profile, or else from the built-in one,
    which is always part of the answer; those of agents' phones and of people who are consulted have built-in
    ones of their own. Raises InvalidInputError that names the place.
    """
    for key in document:
        if key != "profiles":
            raise InvalidInputError(f'{where}: unknown key "{key}"; the only one is "profiles"', where=key)
    tables = _table(document.get("profiles", {}), where)
    base = _profile(tables.get(DEFAULT, {}), CarrierProfile(), f"{where}: profile {DEFAULT}")
    profiles = {DEFAULT: base}
    bases = {**built_in(), DEFAULT: base}
    for name, table in tables.items():
        if name != DEFAULT:
            profiles[name] = _profile(table, bases.get(name, base), f"{where}: profile {name}")
    return profiles


def _profile(value: object, base: CarrierProfile, where: str) -> CarrierProfile:
    """Return `base` with the fields of one profile's table laid over it."""
    changes: dict[str, object] = {}
    for key, entry in _table(value, where).items():
        place = f"{where}, {key}"
        if key == "outcomes":
            changes[key] = _outcomes(entry, place)
        elif key == "answers":
            changes[key] = _answers(entry, place)
        elif key in _SPANS:
            changes[key] = _span(entry, place)
        elif key in _SHARES:
            changes[key] = _number(entry, place, highest=1.0)
        elif key in _DURATIONS:
            changes[key] = _number(entry, place)
        else:
            known = ", ".join(("outcomes", "answers", *_SPANS, *_SHARES, *_DURATIONS))
            raise InvalidInputError(f"{place}: unknown field; the fields are {known}", where=place)
    return replace(base, **changes)  # type: ignore[arg-type] # each value was checked for its field above


def _outcomes(value: object, where: str) -> dict[FarEnd, float]:
    """Return checked probabilities; an outcome that is not named has none."""
    outcomes: dict[FarEnd, float] = {}
    for name, share in _table(value, where).items():
        if name not in FarEnd.__members__.values():
            known = ", ".join(FarEnd)
            raise InvalidInputError(f'{where}: unknown outcome "{name}"; known are {known}', where=where)
        outcomes[FarEnd(name)] = _number(share, f"{where}.{name}", highest=1.0)
    total = math.fsum(outcomes.values())
    if abs(total - 1.0) > _TOLERANCE:
        raise InvalidInputError(
            f"{where}: the probabilities sum to {total:g}, but must sum to 1", where=where
        )
    return outcomes


def _answers(value: object, where: str) -> dict[str, float]:
    """Return checked probabilities of keys and words; the rest of the people do nothing."""
    answers = {
        name: _number(share, f"{where}.{name}", highest=1.0) for name, share in _table(value, where).items()
    }
    total = math.fsum(answers.values())
    if total > 1.0 + _TOLERANCE:
        raise InvalidInputError(
            f"{where}: the probabilities sum to {total:g}, but must be 1 at most", where=where
        )
    return answers


def _span(value: object, where: str) -> Span:
    """Return a span from `[low, high]`, or from one number for no variance."""
    if not isinstance(value, list):
        fixed = _number(value, where)
        return Span(fixed, fixed)
    if len(value) != len(("low", "high")):
        raise InvalidInputError(f"{where}: must be a number of seconds or [low, high]", where=where)
    low, high = (_number(item, where) for item in value)
    if low > high:
        raise InvalidInputError(f"{where}: low {low:g} is greater than high {high:g}", where=where)
    return Span(low, high)


def _number(value: object, where: str, highest: float = 86400.0) -> float:
    """Return a number from 0 to `highest`; a day is the longest time that makes sense in a call."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= highest:
        raise InvalidInputError(
            f"{where}: must be a number from 0 to {highest:g}, not {value!r}", where=where
        )
    return float(value)


def _table(value: object, where: str) -> Mapping[str, object]:
    """Return a table, or say that something else stands in its place."""
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{where}: must be a table of fields, not {value!r}", where=where)
    return value
