"""What differs between two versions of a strategy: every place, with its value before and after. Pure.

The API and the strategy's page show it; actions are matched by name, so that a moved one is no change.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from outrider.campaigns.strategy import Strategy
from outrider.campaigns.write_document import to_document


@dataclass(frozen=True, slots=True)
class Difference:
    """One place, such as `actions.call.retry.busy.count`; None where it did not or does not exist."""

    where: str
    before: object | None
    after: object | None


def differences(before: Strategy, after: Strategy) -> list[Difference]:
    """Return what changed from one version to another, defaults written out, in the document's order.

    The order of actions is one place of its own, `actions`, when it changed.
    """
    old, new = _flat(before), _flat(after)
    places = [*old, *(place for place in new if place not in old)]
    return [
        Difference(place, old.get(place), new.get(place))
        for place in places
        if old.get(place) != new.get(place)
    ]


def _flat(strategy: Strategy) -> dict[str, object]:
    document = to_document(strategy)
    actions = document.pop("actions")
    flat = dict(_leaves(document, ""))
    flat["actions"] = [action.name for action in strategy.actions]
    if isinstance(actions, list):
        for action in actions:
            name = action.pop("name")
            flat |= _leaves(action, f"actions.{name}")
    return flat


def _leaves(value: object, place: str) -> list[tuple[str, object]]:
    """Return the values of nested tables by place; a list of plain values is one value."""
    if isinstance(value, Mapping) and value:
        parts = [(f"{place}.{name}" if place else str(name), part) for name, part in value.items()]
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        parts = [(f"{place}[{index}]", part) for index, part in enumerate(value)]
    else:
        return [(place, value)]
    return [leaf for name, part in parts for leaf in _leaves(part, name)]
