"""Makes a strategy document, right or wrong, into what the form's template shows: nodes with their problems.

The pages call `form_view`; `strategy_form.read_form` reads back what the template made of it. Pure.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from outrider.campaigns.condition import Operator
from outrider.web.pages.strategy_fields import Conditional, Field, Keyed, Kind, Listing, Node, Part, Section
from outrider.web.pages.strategy_form import (
    ATTRIBUTE,
    DEEPEST_FORM,
    OPERATOR,
    channel_of,
    is_key,
    value_field,
)
from outrider.web.pages.strategy_schema import CHANNELS, LIMITS, STRATEGY, action_nodes
from outrider.web.pages.strategy_values import SEVERAL, shown, ticked

_STEP = re.compile(r"(\.?[^.\[\]]+|\[\d+\])$")


@dataclass(slots=True)
class Shown:
    """One node as the template shows it. `kind` is field, part, section, list, keyed, condition or item."""

    kind: str
    label: str
    place: str = ""
    node: Any = None
    value: str = ""
    ticked: Sequence[str] = ()
    options: Sequence[tuple[str, str]] = ()
    is_there: bool = True
    children: "list[Shown]" = field(default_factory=list)
    other: str = ""
    """What the form has no field for, as JSON."""
    join: str = ""
    """Of a condition: comparison, all, any or not."""
    problems: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The id of its element."""
        return element_id(self.place)

    @property
    def gist(self) -> str:
        """What a folded part says, in a few words; empty when everything has its default."""
        said: list[str] = []
        for child in self.children:
            label = child.label.lower()
            if child.kind in ("list", "keyed") and child.children:
                said.append(f"{label}: {len(child.children)}")
            elif child.kind == "field" and child.value == "true":
                said.append(label)
            elif child.kind == "field" and child.value not in ("", "false"):
                chosen = dict(child.options).get(child.value, child.value)
                said.append(f"{label} {chosen.partition(':')[0] if child.options else chosen}")
            elif child.kind in ("section", "condition") and child.is_there:
                said.append(label if child.kind == "section" else "a condition")
        return "; ".join(said)

    @property
    def count(self) -> int:
        """How many problems it and everything in it has."""
        return len(self.problems) + sum(child.count for child in self.children)


@dataclass(slots=True)
class FormView:
    """The whole form, the problems that it shows nowhere, and which element each problem belongs to."""

    head: list[Shown]
    actions: list[Shown]
    tail: list[Shown]
    other: str
    problems: list[tuple[str, str, str]]
    """Every problem: place, words, and the id of the element it is shown at."""


def element_id(place: str) -> str:
    """Return the id of the element that shows a place of the document."""
    return "f-" + re.sub(r"\W+", "-", place).strip("-") if place else "strategy-form"


def form_view(document: Mapping[str, object], problems: Sequence[tuple[str, str]]) -> FormView:
    """Return what the form shows of a document; `problems` are (place, words) as the check found them.

    A problem is shown at the nearest place around it that the form has.
    """
    builder = _Builder()
    head = builder.children(STRATEGY, document, "")
    tail = builder.children(LIMITS, document, "")
    actions = builder.actions(_list(document.get("actions")))
    known = {*_names(STRATEGY), *_names(LIMITS), "actions"}
    found = []
    for where, words in problems:
        place = where
        while place and place not in builder.places:
            place = _STEP.sub("", place)
        if place:
            builder.places[place].problems.append(words)
        found.append((where, words, element_id(place)))
    return FormView(head, actions, tail, _json(_unknown(document, known)), found)


class _Builder:
    """Makes nodes of a document, and remembers them by place."""

    def __init__(self) -> None:
        self.places: dict[str, Shown] = {}
        self._later: list[str] = []
        """Names of the actions after the present one."""

    def actions(self, values: Sequence[object]) -> list[Shown]:
        """Return the actions; each may lead to the later ones."""
        names = [str(_table(value).get("name") or "") for value in values]
        made: list[Shown] = []
        for index, value in enumerate(values):
            table = _table(value)
            self._later = [name for name in names[index + 1 :] if name]
            place = f"actions[{index}]"
            channel = channel_of(table.get("channel"))
            nodes = action_nodes(channel)
            item = Shown("item", names[index] or f"Action {index + 1}", place, value=channel.value)
            self.places[place] = item
            self._fill(item, nodes, table)
            made.append(item)
        return made

    def children(self, nodes: Sequence[Node], table: Mapping[str, object], place: str) -> list[Shown]:
        """Return what is shown of a table at `place`."""
        made: list[Shown] = []
        for node in nodes:
            if isinstance(node, Part):
                inner = self.children(node.nodes, table, place)
                made.append(Shown("part", node.label, f"{place}~{node.label}", node, children=inner))
                continue
            at = f"{place}.{node.name}" if place else node.name
            found = self._shown(node, table.get(node.name), at)
            self.places[at] = found
            made.append(found)
        return made

    def _shown(self, node: Field | Section | Listing | Keyed | Conditional, value: object, at: str) -> Shown:
        match node:
            case Field():
                return self._field(node, value, at)
            case Section():
                there = not node.optional or value is not None
                made = Shown("section", node.label, at, node, is_there=there)
                if there:
                    self._fill(made, node.nodes, _table(value))
            case Listing():
                made = Shown("list", node.label, at, node)
                for index, each in enumerate(_list(value)):
                    label = f"{node.item.capitalize()} {index + 1}"
                    made.children.append(self._item(label, f"{at}[{index}]", node.nodes, each))
            case Keyed():
                made = Shown("keyed", node.label, at, node)
                table = _table(value)
                for key, each in table.items():
                    if is_key(key):
                        item = self._item(key.replace("_", " "), f"{at}.{key}", node.nodes, each)
                        item.value = key
                        made.children.append(item)
                made.options = [(key, key.replace("_", " ")) for key in node.keys if key not in table]
            case Conditional():
                return self._condition(node, value, at, 1)
        return made

    def _item(self, label: str, at: str, nodes: Sequence[Node], value: object) -> Shown:
        item = Shown("item", label, at)
        self.places[at] = item
        self._fill(item, nodes, _table(value))
        return item

    def _fill(self, made: Shown, nodes: Sequence[Node], table: Mapping[str, object]) -> None:
        made.children = self.children(nodes, table, made.place)
        made.other = _json(_unknown(table, set(_names(nodes))))

    def _field(self, node: Field, value: object, at: str) -> Shown:
        options = list(node.options)
        if node.kind is Kind.THEN:
            options += [(name, name) for name in self._later]
        made = Shown("field", node.label, at, node)
        if node.kind in SEVERAL:
            made.ticked = ticked(node, value)
            strange = [each for each in made.ticked if each not in dict(options)]
        else:
            made.value = shown(node, value)
            strange = [made.value] if options and made.value and made.value not in dict(options) else []
        made.options = [*options, *((each, each) for each in strange)]
        return made

    def _condition(self, node: Conditional, value: object, at: str, depth: int) -> Shown:
        made = Shown("condition", node.label, at, node, is_there=value is not None)
        self.places[at] = made
        if value is None or depth > DEEPEST_FORM:
            return made
        table = _table(value)
        made.join = join = next((each for each in ("all", "any", "not") if each in table), "comparison")
        inner = Conditional("", "", required=True)
        if join == "not":
            made.children = [self._condition(inner, _table(table["not"]), f"{at}.not", depth + 1)]
        elif join != "comparison":
            made.children = [
                self._condition(inner, _table(part), f"{at}.{join}[{index}]", depth + 1)
                for index, part in enumerate(_list(table[join]))
            ]
        else:
            third = value_field(table.get("operator") or Operator.EQUALS.value)
            fields = [ATTRIBUTE, OPERATOR, *([third] if third else [])]
            made.children = self.children(fields, table, at)
            made.other = _json(_unknown(table, {"attribute", "operator", "value", "values"}))
        return made


def _names(nodes: Sequence[Node]) -> list[str]:
    """Return the names of the document that the nodes show."""
    names: list[str] = []
    for node in nodes:
        names += _names(node.nodes) if isinstance(node, Part) else [node.name]
    return names


def _unknown(table: Mapping[str, object], known: set[str]) -> dict[str, object]:
    return {name: value for name, value in table.items() if name not in known}


def _json(table: Mapping[str, object]) -> str:
    return json.dumps(table, default=str) if table else ""


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def action_label(channel: str) -> str:
    """Return the name of a channel as people know it. A template filter."""
    return dict(CHANNELS.options).get(channel, channel)
