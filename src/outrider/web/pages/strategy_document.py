"""Documents between the two views of the strategy editor: source text, and the data that the form shows.

`strategy_editor` calls these. Comments are kept as long as nothing is changed in the form. Pure.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import tomlkit

from outrider.campaigns.strategy import Channel
from outrider.web.pages.strategy_form import Document, read_form
from outrider.web.pages.strategy_view import FormView, Shown, form_view

_STEPS = re.compile(r"([^.\[\]]+)|\[(\d{1,9})\]")
JOINS = ("all", "any", "not")
VERBS = frozenset({"item", "section", "key", "condition", "remove", "up", "down", *JOINS})
RULES = ("retry", "dispositions")


def as_data(source: str) -> Document | None:
    """Return a source text as data in the form's way of writing, None when it cannot be read at all."""
    try:
        found = json.loads(source) if source.lstrip().startswith("{") else tomllib.loads(source)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    for action in found["actions"] if isinstance(found.get("actions"), list) else []:
        if isinstance(action, dict) and "window" in action and "windows" not in action:
            action["windows"] = [action.pop("window")]
    return found


def as_source(document: Document, before: str) -> str:
    """Return the source text of a document; `before` itself, comments and all, when it says the same."""
    known = as_data(before)
    if known is not None and posted_again(known) == document:
        return before
    if before.lstrip().startswith("{"):
        return json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"
    return tomlkit.dumps(_toml(document))


def posted_again(document: Document) -> Document:
    """Return what a document becomes when it is shown in the form and sent unchanged."""
    return read_form(posted(form_view(document, ())))


def posted(view: FormView) -> dict[str, list[str]]:
    """Return what a browser sends of a form that nobody changed."""
    sent: dict[str, list[str]] = {}

    def send(name: str, *values: str) -> None:
        sent.setdefault(name, []).extend(values)

    if view.other:
        send("~other", view.other)
    for index, action in enumerate(view.actions):
        send(f"~actions[{index}]", "1")
        _post(action, send)
    for node in (*view.head, *view.tail):
        _post(node, send)
    return sent


def _post(node: Shown, send: Callable[..., None]) -> None:
    if node.other:
        send(f"~other{node.place}", node.other)
    match node.kind:
        case "field" if node.ticked:
            send(node.place, *node.ticked)
        case "field" if node.value and node.value != "false":
            send(node.place, node.value)
        case "section" if node.is_there and node.node.optional:
            send(f"~{node.place}", "1")
        case "list":
            for child in node.children:
                send(f"~{child.place}", "1")
        case "keyed" if node.children:
            send(f"~{node.place}", *(child.value for child in node.children))
        case "condition" if node.is_there:
            send(f"~{node.place}", node.join)
    for child in node.children:
        _post(child, send)


def changed(document: Document, command: str, key: str) -> str:
    """Carry out what a button of the form asks for; return the place where the person goes on.

    `command` is a verb and a place, as in `item actions[0].menu.choices`; `key` is the name for a new rule.
    What does not fit the document changes nothing.
    """
    verb, _, place = command.partition(" ")
    if verb == "action":
        return _add_action(document, place)
    steps = [int(index) if index else name for name, index in _STEPS.findall(place)]
    if not steps or verb not in VERBS:
        return ""
    holder, last = _holder(document, steps), steps[-1]
    if verb in ("up", "down") and isinstance(holder, list) and isinstance(last, int):
        other = last + (1 if verb == "down" else -1)
        if 0 <= other < len(holder) and last < len(holder):
            holder[last], holder[other] = holder[other], holder[last]
            return f"{place[: place.rindex('[')]}[{other}]"
        return place
    if verb == "remove":
        return _removed(document, steps)
    if isinstance(holder, list) and isinstance(last, int) and last < len(holder) and verb in JOINS:
        holder[last] = _joined(holder[last], verb)
        return place
    if isinstance(holder, dict) and isinstance(last, str):
        return _added(holder, last, verb, place, key)
    return place


def _add_action(document: Document, channel: str) -> str:
    actions = document.setdefault("actions", [])
    if not isinstance(actions, list) or channel not in list(Channel):
        return ""
    base = {"sms": "text", "email": "mail", "webhook": "hook"}.get(channel, channel)
    names = {action.get("name") for action in actions if isinstance(action, Mapping)}
    numbered = (base if number == 1 else f"{base}{number}" for number in range(1, len(actions) + 2))
    name = next(each for each in numbered if each not in names)
    actions.append({"name": name, "channel": channel, **({"prompt": {}} if channel == "call" else {})})
    return f"actions[{len(actions) - 1}]"


def _added(holder: Document, name: str, verb: str, place: str, key: str) -> str:
    match verb:
        case "item":
            items = holder.setdefault(name, [])
            if isinstance(items, list):
                items.append({})
                return f"{place}[{len(items) - 1}]"
        case "section":
            holder.setdefault(name, {"choices": [{}]} if name == "menu" else {})
        case "key":
            rules = holder.setdefault(name, {})
            plain = re.sub(r"[^a-z0-9_]+", "_", key.strip().lower()).strip("_")
            if isinstance(rules, dict) and plain:
                rules.setdefault(plain, {})
                return f"{place}.{plain}"
        case "condition":
            holder.setdefault(name, {"operator": "equals"})
        case "all" | "any" | "not" if isinstance(holder.get(name), dict):
            holder[name] = _joined(holder[name], verb)
    return place


def _joined(condition: object, join: str) -> object:
    """Return a condition put under all, any or not; one that is joined already is joined that way now."""
    if isinstance(condition, dict):
        present = next((each for each in JOINS if each in condition), None)
        if present in ("all", "any") and join in ("all", "any"):
            return {join: condition[present]}
        if present == join == "not":
            return condition["not"]
    return {"not": condition} if join == "not" else {join: [condition, {"operator": "equals"}]}


def _removed(document: Document, steps: list[str | int]) -> str:
    """Take a place out, with the list, rules or joined condition that it was the last part of."""
    holder, last, outer = _holder(document, steps), steps[-1], steps[:-1]
    if isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        del holder[last]
    elif isinstance(holder, dict) and isinstance(last, str):
        holder.pop(last, None)
    if len(outer) > 1 and not holder and (isinstance(last, int) or last in JOINS or outer[-1] in RULES):
        _removed(document, outer)
    return _place(outer)


def _holder(document: Document, steps: list[str | int]) -> object:
    """Return the table or list that holds the last step, None when the way there is broken."""
    present: object = document
    for step in steps[:-1]:
        if isinstance(present, dict) and isinstance(step, str):
            present = present.get(step)
        elif isinstance(present, list) and isinstance(step, int) and step < len(present):
            present = present[step]
        else:
            return None
    return present


def _place(steps: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def _toml(value: object) -> Any:
    """Return data as TOML is to write it: texts of several lines as such."""
    if isinstance(value, Mapping):
        return {str(name): _toml(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_toml(each) for each in value]
    if isinstance(value, str) and "\n" in value and "\r" not in value:
        return tomlkit.string(value, multiline=True)
    return value
