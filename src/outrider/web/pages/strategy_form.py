"""Reads a strategy document out of the posted form, by the one description in `strategy_schema`. Pure.

The name of an input is the place of its value in the document, as in `actions[0].retry.busy.count`. What may
be there or not is marked by hidden inputs called `~` and the place: an item, a section, the keys of a table,
the kind of a condition; `~other` and the place hold what the form has no field for.
"""

import json
import re
from collections.abc import Mapping, Sequence

from outrider.campaigns.condition import NO_VALUE, SEVERAL, Operator
from outrider.campaigns.strategy import Channel
from outrider.web.pages.strategy_fields import Conditional, Field, Keyed, Kind, Listing, Node, Part, Section
from outrider.web.pages.strategy_schema import LIMITS, STRATEGY, action_nodes
from outrider.web.pages.strategy_values import typed

Posted = Mapping[str, Sequence[str]]
Document = dict[str, object]

ATTRIBUTE = Field("attribute", "Attribute", placeholder="language", required=True)
OPERATOR = Field(
    "operator",
    "Is",
    Kind.CHOICE,
    options=[(each.value, each.value.replace("_", " ")) for each in Operator],
    required=True,
    reshapes=True,
)
VALUE = Field("value", "Value", required=True)
VALUES = Field("values", "Values", Kind.VALUES, hint="One per line.", required=True)
LISTED = frozenset({*SEVERAL, Operator.BETWEEN})
MOST_ITEMS = 1_000
DEEPEST_FORM = 12

_KEY = re.compile(r"[A-Za-z0-9_\-]{1,80}")


def read_form(posted: Posted) -> Document:
    """Return the document that the form describes, right or wrong; nothing is checked here."""
    document = _nodes(STRATEGY, "", posted)
    document |= _nodes(LIMITS, "", posted)
    actions: list[object] = []
    for index in range(MOST_ITEMS):
        place = f"actions[{index}]"
        if f"~{place}" not in posted:
            break
        action = _nodes(action_nodes(channel_of(_last(posted, f"{place}.channel"))), place, posted)
        if "agents" in action and not action.get("prompt"):
            # Agents speak themselves: what is left empty is not there, rather than wrong.
            action.pop("prompt", None)
        actions.append(action)
    document["actions"] = actions
    return document | _other("", posted)


def channel_of(value: object) -> Channel:
    """Return the channel that an action's fields are shown for; a call's for an unknown one."""
    return Channel(str(value)) if value in list(Channel) else Channel.CALL


def is_key(name: str) -> bool:
    """Say whether the form can show a table of this name among keyed ones."""
    return _KEY.fullmatch(name) is not None


def value_field(operator: object) -> Field | None:
    """Return the field of a comparison's value for its operator, None when it has none."""
    if operator in NO_VALUE:
        return None
    return VALUES if operator in LISTED else VALUE


def _nodes(nodes: Sequence[Node], place: str, posted: Posted) -> Document:
    document: Document = {}
    for node in nodes:
        if isinstance(node, Part):
            document |= _nodes(node.nodes, place, posted)
            continue
        at = f"{place}.{node.name}" if place else node.name
        value = _value(node, at, posted)
        if value is not None:
            document[node.name] = value
    return document | (_other(place, posted) if place else {})


def _value(node: Field | Section | Listing | Keyed | Conditional, at: str, posted: Posted) -> object | None:
    match node:
        case Field():
            return typed(node, posted.get(at, ()))
        case Section():
            there = not node.optional or f"~{at}" in posted
            return _nodes(node.nodes, at, posted) if there else None
        case Listing():
            items: list[object] = []
            while f"~{at}[{len(items)}]" in posted and len(items) < MOST_ITEMS:
                items.append(_nodes(node.nodes, f"{at}[{len(items)}]", posted))
            return items or None
        case Keyed():
            keys = [key for key in posted.get(f"~{at}", ()) if is_key(key)]
            return {key: _nodes(node.nodes, f"{at}.{key}", posted) for key in keys} or None
        case Conditional():
            return _condition(at, posted, 1)


def _condition(at: str, posted: Posted, depth: int) -> Document | None:
    kind = _last(posted, f"~{at}")
    if not kind or depth > DEEPEST_FORM:
        return None
    if kind == "not":
        return {"not": _condition(f"{at}.not", posted, depth + 1) or {}}
    if kind in ("all", "any"):
        parts: list[object] = []
        while f"~{at}.{kind}[{len(parts)}]" in posted and len(parts) < MOST_ITEMS:
            parts.append(_condition(f"{at}.{kind}[{len(parts)}]", posted, depth + 1) or {})
        return {kind: parts}
    operator = _last(posted, f"{at}.operator") or Operator.EQUALS.value
    document: Document = {"operator": operator}
    if attribute := typed(ATTRIBUTE, posted.get(f"{at}.attribute", ())):
        document["attribute"] = attribute
    field = value_field(operator)
    if field is not None:
        # Whichever was shown before the operator changed is what was typed.
        given = posted.get(f"{at}.{field.name}") or posted.get(f"{at}.value") or posted.get(f"{at}.values")
        if value := typed(field, given or ()):
            document[field.name] = value
    return document | _other(at, posted)


def _other(place: str, posted: Posted) -> Document:
    """Return what the form has no field for, as it was in the document (see `strategy_view`)."""
    text = _last(posted, f"~other{place}")
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _last(posted: Posted, name: str) -> str:
    given = posted.get(name, ())
    return given[-1] if given else ""
