"""Failures on demand: what a simulated carrier does wrong from now on. Set by tests, demos and operators.

`SimulatedCarrier.inject` replaces them as a whole; `drop_all` of the carrier is the only momentary one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from outrider.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong; the default is nothing."""

    refuse: str | None = None
    """A reason for which every originate is refused."""
    fail_next: int = 0
    """So many of the next calls are accepted and then end as FAILED without ringing."""
    lose_events: int = 0
    """So many of the next events are never delivered, ends of calls too."""
    latency: float = 0.0
    """Seconds by which every command is answered late."""
    unreachable: bool = False
    """Every command fails; events are held and delivered when the carrier is reachable again."""


def parse_faults(document: Mapping[str, object]) -> Faults:
    """Return the faults of a JSON object with the names above; InvalidInputError for anything else."""
    values: dict[str, object] = {}
    wanted = {item.name: type(item.default) for item in fields(Faults)}
    for name, value in document.items():
        if name not in wanted:
            raise InvalidInputError(f"unknown fault {name}; known are {', '.join(wanted)}", where=name)
        kind = str if name == "refuse" else wanted[name]
        fits = (name == "refuse" and value is None) or isinstance(
            value, (int, float) if kind is float else kind
        )
        if not fits or (kind in {int, float} and (isinstance(value, bool) or _negative(value))):
            raise InvalidInputError(f"fault {name} cannot be {value!r}", where=name)
        values[name] = value
    return Faults(**values)  # type: ignore[arg-type] # each value was checked for its field above


def _negative(value: object) -> bool:
    """Return whether a number is below zero."""
    return isinstance(value, int | float) and value < 0
